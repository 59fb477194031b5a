"""Progress bars on stderr: off when stderr is no terminal, or when the user asked for quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

_quiet = False


def set_quiet(quiet: bool) -> None:
    """Turn all progress bars off, or on again."""
    global _quiet
    _quiet = quiet


def bar(
    items: Iterable[Any] | None = None, *, label: str, total: float | None = None, unit: str = "works"
) -> tqdm[Any]:
    """Return a tqdm bar over `items`, or one to be moved by hand with `update`."""
    return tqdm(
        items,
        desc=label,
        total=total,
        unit=f" {unit}",
        unit_scale=unit == "bytes",
        file=sys.stderr,
        disable=_quiet or not sys.stderr.isatty(),
        dynamic_ncols=True,
        leave=False,
    )
