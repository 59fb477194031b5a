"""What a person sees while copub works, all on stderr: one line per stage, and a bar where a step takes long.

Bars appear on a terminal only, and only after two seconds. Lines of stages are for the command
line, which turns them on with `reporting`: ``copub.run`` in a program or a notebook prints none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

DELAY = 2.0
"""Seconds that a step takes before its bar appears."""
_WORK: Mapping[str, str] = {
    "harvest": "get the records",
    "tabulate": "read the records into tables",
    "classify": "assign works to technology areas",
    "screen": "find listed institutions in affiliations",
    "measure": "compute shares, intervals and trends",
    "report": "write the page and the workbook",
    "write": "write the tables",
    "estimate": "ask the source how many works there are",
    "evaluate": "compare with the labelled file",
    "compare": "find what changed between the runs, and why",
    "verify": "recompute the run and compare every table",
    "trend": "classify and screen the records of each run again",
    "extract": "read the snapshot",
    "atlas": "read the snapshot and count every pair of countries",
}
_bars, _lines = True, False


@contextmanager
def reporting(*, quiet: bool = False) -> Iterator[None]:
    """Report the stages of the work in this block; with `quiet`, show neither their lines nor bars."""
    global _bars, _lines
    before = _bars, _lines
    _bars = _lines = not quiet
    try:
        yield
    finally:
        _bars, _lines = before


def stage(name: str, place: str = "") -> None:
    """Report that a stage begins.

    Parameters
    ----------
    name : the stage. place : its number among the stages of a run, such as "3/6".
    """
    if _lines and sys.stderr is not None:
        with suppress(OSError):  # a line that nobody can read is no reason to stop
            sys.stderr.write(f"copub: {f'{place} {name}'.strip()}: {_WORK[name]}\n")
            sys.stderr.flush()


def bar(
    items: Iterable[Any] | None = None, *, label: str, total: float | None = None, unit: str = "works"
) -> tqdm[Any]:
    """Return a tqdm bar over `items`, or one to be moved by hand with `update`."""
    from tqdm import tqdm

    return tqdm(
        items,
        desc=label,
        total=total,
        unit=f" {unit}",
        unit_scale=unit == "bytes",
        file=sys.stderr,
        disable=not (_bars and sys.stderr is not None and sys.stderr.isatty()),
        dynamic_ncols=True,
        leave=False,
        delay=DELAY,
    )
