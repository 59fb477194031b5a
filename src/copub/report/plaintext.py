"""Text from outside made fit for files that other programs open: no control signs, no formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Signs that XML cannot hold, and those that turn the direction of the text after them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_FORMULA = re.compile(r"^[\s]*[=+\-@\t\r|%]")


def printable(text: str) -> str:
    """Return the text without control signs, direction overrides and broken characters."""
    return _UNFIT.sub("", text)


def no_formula(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula: such a text gets a leading apostrophe."""
    text = printable(text)
    return f"'{text}" if _FORMULA.match(text) else text


def joined(values: Iterable[str | None]) -> str:
    """Return the texts of a list column in one cell, set apart by semicolons."""
    return "; ".join(value for value in values if value)
