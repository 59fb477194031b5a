"""The simulation of the intervals runs by one command and prints what it found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "coverage_of_intervals.py"


def test_the_adjusted_interval_holds_and_the_raw_one_visibly_does_not() -> None:
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "--worlds", "120"], capture_output=True, text=True, check=False, timeout=120
    )
    rows = [line for line in ran.stdout.splitlines() if line.startswith(("raw", "adjusted"))]
    covered = [float(line.split("%")[0].split()[-1]) for line in rows]
    assert len(rows) == 12, ran.stderr
    assert covered[0] < 75  # the headline, first of the four measures
    assert all(figure >= 89 for at, figure in enumerate(covered) if at % 3)
    assert "a part is larger than its whole: 0" in ran.stdout
