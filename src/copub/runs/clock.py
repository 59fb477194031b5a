"""Timing the stages of a run: seconds and peak memory of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from copub import progress
from copub.names import STAGES

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class StageClock:
    """Measures each stage as a row: stage, seconds (wall), peak_mb (resident memory, 10^6 bytes).

    Parameters
    ----------
    last : last of `STAGES` that is carried out; the stages are reported as "3/6" of those up to it.
    """

    def __init__(self, last: str = STAGES[-1]) -> None:
        self.rows: list[dict[str, Any]] = []
        self._last = last

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Measure the block as the stage `name`; it gets its row, to add facts to it."""
        row: dict[str, Any] = {"stage": name}
        progress.stage(name, f"{STAGES.index(name) + 1}/{STAGES.index(self._last) + 1}" if name in STAGES else "")
        _reset_peak()
        start = time.perf_counter()
        try:
            yield row
        finally:
            seconds = time.perf_counter() - start
            self.rows.append(row | {"seconds": round(seconds, 3), "peak_mb": round(peak_mb())})


def _reset_peak() -> None:
    # Linux can forget the peak so far; elsewhere the peak of the whole process is reported.
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def peak_mb() -> float:
    """Return the most memory that this process has held, in 10^6 bytes; 0 on Windows.

    On Linux not from getrusage: there a process starts with the peak of the one that started it.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
