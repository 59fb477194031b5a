"""Text from outside made fit for files that other programs open: no control signs, no formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

UNFIT = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FFFE}\x{FFFF}]"
"""Signs that XML cannot hold, and those that turn the direction of the text after them (a polars pattern)."""

FORMULA = r"^\s*[=+\-@|%]"
"""How a text starts that a spreadsheet may take for a formula."""

_UNFIT = re.compile(re.sub(r"\\x\{(\w+)\}", r"\\u\1", UNFIT)[:-1] + r"\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text without control signs, direction overrides and broken characters."""
    return _UNFIT.sub("", text)


def joined(values: Iterable[str | None]) -> str:
    """Return the texts of a list column in one cell, set apart by semicolons."""
    return "; ".join(value for value in values if value)
