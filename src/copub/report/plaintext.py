"""Text from outside made fit for files that other programs open: no control signs, no formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

from copub.csvtext import UNFIT

_UNFIT = re.compile(re.sub(r"\\x\{(\w+)\}", r"\\u\1", UNFIT)[:-1] + r"\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text without control signs, direction overrides and broken characters."""
    return _UNFIT.sub("", text)


def joined(values: Iterable[str | None]) -> str:
    """Return the texts of a list column in one cell, set apart by semicolons."""
    return "; ".join(value for value in values if value)
