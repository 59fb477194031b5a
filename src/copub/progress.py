"""What a person hears while copub works: a line per stage, and a bar where a step takes long. All on stderr.

Bars appear on a terminal only, and only after two seconds. Lines of stages are for the command line:
`set_progress` turns them on, so that ``copub.run`` in a program or a notebook stays silent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from tqdm import tqdm

from copub.names import STAGES

DELAY = 2.0
"""Seconds that a step takes before its bar appears."""
_DOES: Mapping[str, str] = {
    "harvest": "get the records",
    "tabulate": "read the records into tables",
    "classify": "assign the works to areas of technology",
    "screen": "look for listed institutions in the affiliations",
    "measure": "count shares, intervals and trends",
    "report": "write the page and the workbook",
}
_bars, _stages = True, False


def set_progress(*, bars: bool = True, stages: bool = True) -> None:
    """Choose what is shown: bars (on a terminal), and a line for each stage."""
    global _bars, _stages
    _bars, _stages = bars, stages


def stage(name: str) -> None:
    """Say that a stage begins."""
    if _stages and name in _DOES:
        sys.stderr.write(f"copub: {STAGES.index(name) + 1}/{len(STAGES)} {name}: {_DOES[name]}\n")
        sys.stderr.flush()


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
        disable=not (_bars and sys.stderr.isatty()),
        dynamic_ncols=True,
        leave=False,
        delay=DELAY,
    )
