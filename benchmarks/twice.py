"""Run the demo in fresh folders under unlike conditions: every table must be the same to the byte.

    python benchmarks/twice.py [--python INTERPRETER ...]

The first run has all cores, the second one thread and another seed of Python's hashes. Each further
interpreter (another Python version with copub installed) makes one more run. Ends with 1 if a table differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CONDITIONS = (
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
)


def tables(python: str, conditions: dict[str, str], folder: Path) -> dict[str, str]:
    """Run the demo in a fresh folder; return the sha256 of every table."""
    done = subprocess.run(
        [python, "-m", "copub", "run", "demo", "--until", "measure", "--quiet", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            **conditions,
            "COPUB_CACHE": str(folder / "cache"),
            "COPUB_REPORTS": str(folder / "reports"),
        },
    )
    if done.returncode:
        raise SystemExit(f"{python} ended with {done.returncode}: {done.stderr}")
    return {name: table["sha256"] for name, table in json.loads(done.stdout)["tables"].items()}


def main() -> int:
    """Make the runs, compare their tables, return the exit code."""
    parser = argparse.ArgumentParser(description="Run the demo in fresh folders and compare every table.")
    parser.add_argument("--python", action="append", default=[], help="another interpreter; may repeat")
    others = parser.parse_args().python
    trials = [(sys.executable, conditions) for conditions in CONDITIONS] + [(other, {}) for other in others]
    made = []
    for python, conditions in trials:
        with tempfile.TemporaryDirectory() as folder:
            made.append(tables(python, conditions, Path(folder)))
        print(f"{python} {' '.join(f'{name}={value}' for name, value in conditions.items())}: {len(made[-1])} tables")
    differing = sorted({name for one in made for name in {*one, *made[0]} if one.get(name) != made[0].get(name)})
    print(f"tables that differ: {', '.join(differing) or 'none'}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
