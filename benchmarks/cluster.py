"""The whole pipeline on two Dask workers against one, and with a worker that is killed in the middle.

    python benchmarks/cluster.py [--works 20000] [--json FILE]

Real works (else synthetic ones) are repeated under new ids and made co-publications of Belgium and China; `copub run`
goes from the works file to the report, in a process of its own. The workers run before the clock starts. All runs
must give the same tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import dask_workers, machine, save, write_pairs
from linear import write_study

PARTS_BEFORE = 3
"""Portions that are read before a worker is killed."""


def start(folder: Path, works: Path, address: str) -> subprocess.Popen[str]:
    """Start a run on the workers of a scheduler."""
    places = ["--cache", str(folder / "cache"), "--reports", str(folder / "reports"), "--scheduler", address]
    command = [sys.executable, "-m", "copub", "run", str(write_study(folder)), "--works", str(works), "--json", *places]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run(
    works: Path, workers: int, disturb: Callable[[Path, list[subprocess.Popen[bytes]]], None] | None = None
) -> tuple[float, dict[str, str]]:
    """Return the seconds of a run and the hashes of its tables."""
    with tempfile.TemporaryDirectory() as name, dask_workers(workers) as (address, processes):
        folder = Path(name)
        from distributed import Client

        with Client(address) as client:
            client.wait_for_workers(workers)
            client.run(_import_all)
        began = time.monotonic()
        with start(folder, works, address) as process:
            if disturb:
                disturb(folder / "cache", processes)
            printed, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the run ended with {process.returncode}")
        seconds = time.monotonic() - began
        return seconds, {table: facts["sha256"] for table, facts in json.loads(printed)["tables"].items()}


def _import_all() -> None:
    import copub.pipeline  # noqa: F401  the first part would wait for it


def kill_one(cache: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    """Kill a worker once some portions are read."""
    while len(list(cache.glob("_stages/.parts-*/[0-9]*"))) < PARTS_BEFORE:
        time.sleep(0.05)
    workers[0].kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    described = machine()
    print(json.dumps(described))
    with tempfile.TemporaryDirectory() as name:
        works = Path(name) / "works.jsonl.gz"
        write_pairs(works, options.works)
        one, first = run(works, 1)
        print(f"1 worker: {one:.1f} s", flush=True)
        two, second = run(works, 2)
        print(f"2 workers: {two:.1f} s, {one / two:.2f} times as fast", flush=True)
        _, third = run(works, 2, kill_one)
    same = first == second == third
    print(f"the same {len(first)} tables, also after a worker was killed: {same}")
    save(options.json, described, {"works": options.works, "seconds": [one, two], "same_tables": same})
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
