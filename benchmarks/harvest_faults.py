"""Print, for each fault scenario: works expected and got, duplicates, requests against the minimum.

Run: ``python benchmarks/harvest_faults.py [--kills N]``. Exits with 1 if a row loses or repeats a work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "harvest"))

from scenarios import SCENARIOS, Row, killed_scenario, play

HEAD = (
    "scenario",
    "expected",
    "got",
    "duplicates",
    "incomplete",
    "missing",
    "requests",
    "minimum",
    "bare",
    "ratio",
    "seconds",
)


def main() -> int:
    """Play all scenarios and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often the harvest of the last row is killed")
    kills = parser.parse_args().kills
    scenarios = (*SCENARIOS, killed_scenario(kills))
    print("{:<42} {:>8} {:>6} {:>10} {:>10} {:>7} {:>8} {:>7} {:>5} {:>5} {:>7}".format(*HEAD))
    well = True
    for scenario in scenarios:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            row = play(scenario, Path(folder) / "cache")
        well &= _print(row, time.perf_counter() - started)
    print("every row: got = expected, no duplicates" if well else "A ROW LOST OR REPEATED WORKS")
    return 0 if well else 1


def _print(row: Row, seconds: float) -> bool:
    well = row.same and not row.duplicates and not row.incomplete and not row.missing
    print(
        f"{row.name:<42} {row.expected:>8} {row.got:>6} {row.duplicates:>10} {row.incomplete:>10} {row.missing:>7}"
        f" {row.requests:>8} {row.minimum:>7} {row.bare:>5} {row.ratio:>5.2f} {seconds:>7.1f}{'' if well else '  <<<'}",
        flush=True,
    )
    return well


if __name__ == "__main__":
    sys.exit(main())
