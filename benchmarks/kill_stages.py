"""Kill runs at random moments of every stage: the last whole run stays as it was, the next call finishes.

    python benchmarks/kill_stages.py [--kills 50] [--seed 1]

A small study runs on synthetic works from the embedded server. For each kill a fresh process is killed
(SIGKILL: nothing can be tidied up) at a random moment of a stage, by turns; the caches are cold or warm
by turns. Then every file of the last whole run is compared with what it was, and one call without a
kill must finish with the same tables as a run that was never disturbed. Ends with 1 if one does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.shipped import find_shipped

STAGES = ("harvest", "tabulate", "classify", "screen", "measure", "report")
KILLED = -9

CHILD = """
import os, signal, sys, threading
from contextlib import contextmanager
from copub.runs import clock
from copub.cli import main

stage, delay = sys.argv.pop(1), float(sys.argv.pop(1))
timed = clock.StageClock.stage

@contextmanager
def doomed(self, name):
    if name == stage:
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    with timed(self, name) as row:
        yield row

clock.StageClock.stage = doomed
main()
"""


@dataclass(frozen=True)
class Place:
    """The folder of one trial: study, cache, reports."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        """Return the arguments of ``copub run``."""
        folders = ["--cache", str(self.folder / "cache"), "--reports", str(self.folder / "reports")]
        return ["run", str(self.folder / "study.toml"), *folders, "--quiet", "--json"]

    @classmethod
    def make(cls, folder: Path) -> Place:
        """Write the study demo over its last year, without bounds."""
        shipped = find_shipped("studies", "demo")
        assert shipped is not None
        text = shipped.read_text(encoding="utf-8").partition("[assertions]")[0].replace("from = 2000", "from = 2025")
        folder.mkdir(parents=True)
        (folder / "study.toml").write_text(text, encoding="utf-8")
        return cls(folder)

    def runs(self) -> list[Path]:
        """Return the whole runs, oldest first."""
        return sorted(path.parent for path in (self.folder / "reports").glob("*/[!.]*/manifest.json"))


def finish(place: Place) -> dict[str, Any]:
    """Call copub and let it finish; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "copub", *place.arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"a call without a kill ended with {done.returncode}: {done.stderr}")
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def kill(place: Place, stage: str, delay: float) -> bool:
    """Call copub and kill it `delay` seconds into a stage; return whether it was killed before it ended."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, stage, f"{delay:.4f}", *place.arguments], capture_output=True, check=False
    )
    return done.returncode == KILLED


def content(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def hashes(facts: dict[str, Any]) -> dict[str, str]:
    """Return the sha256 of every table of a run."""
    return {name: table["sha256"] for name, table in facts["tables"].items()}


def main() -> int:
    """Kill, check, finish, check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    started, killed, faults = time.perf_counter(), dict.fromkeys(STAGES, 0), []
    with tempfile.TemporaryDirectory() as folder:
        place = Place.make(Path(folder) / "place")
        first = finish(place)
        seconds = {row["stage"]: row["seconds"] for row in first["stages"]}
        for number in range(options.kills):
            if number % 2 == 0:  # cold caches: every stage has its full length
                shutil.rmtree(place.folder / "cache")
            last = place.runs()[-1]
            before, stage = content(last), STAGES[number % len(STAGES)]
            killed[stage] += kill(place, stage, chance.uniform(0, seconds[stage]))
            if content(last) != before or any(not (run / "report.html").is_file() for run in place.runs()):
                faults.append(f"kill {number} in {stage}: the last whole run is not as it was")
            if hashes(finish(place)) != hashes(first):
                faults.append(f"kill {number} in {stage}: the next call gave other tables")
            print(f"{number + 1} of {options.kills}: {stage}", file=sys.stderr)
    took = time.perf_counter() - started
    print(f"kills that met a running call: {sum(killed.values())} of {options.kills}")
    print("by stage: " + ", ".join(f"{stage} {count}" for stage, count in killed.items()))
    print(
        f"last whole run as it was, and next call finished with the same tables: {options.kills * 2 - len(faults)}"
        f" of {options.kills * 2} checks, in {took:.0f} s"
    )
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
