"""An atlas by one worker and by two: time, memory, bytes, and whether its numbers are those of a run.

    python benchmarks/atlas.py [--works 20000] [--files 8] [--workers 1 2] [--json FILE]

A snapshot in the layout of OpenAlex is made of the real works, repeated under new ids. Each build is a process of
its own (`copub atlas build`), whose memory is that of all its processes together. Then one build more is killed
halfway and repeated. All must give the same bytes. Last, the pair is compared with `copub run` over the works that
`copub snapshot extract` cuts out, and cells drawn at random with a count of the evidence, work by work.

Time is worth measuring with 200,000 works or more, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common import REAL_WORKS, machine, resident_mb, save
from isal import igzip

import copub
from copub.atlas import Atlas, open_atlas
from copub.atlas.atlasanswers import show
from copub.atlas.cells import CRITICAL, EVERY_WORK, NO_LIST
from copub.sources.snapshot import extract, parse_pairs
from copub.study import Study

PAIR = ("BE", "CN")
CELLS = 20
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Else one worker would take two cores where polars can."""
_ID = re.compile(rb'"id":\s*"https://openalex.org/W\d+"')
_COMPARED = ("numerator", "denominator", "share", "ci_low", "ci_high", "interval", "is_small")


@dataclass(frozen=True)
class Built:
    """One build: seconds of wall time and of CPU time, most memory of all its processes in MB, hash of all files."""

    workers: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    sha256: str


def write_snapshot(root: Path, works: int, files: int) -> int:
    """Write the real works, again and again under new ids, as a snapshot; return its bytes."""
    numbers = itertools.count(7_000_000_000)
    lines = (line for _ in itertools.count() for line in igzip.open(REAL_WORKS))
    size = 0
    for number in range(files):
        day = f"updated_date=20{10 + number // 336:02d}-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}"
        path = root / "data" / "jsonl" / "works" / day / "part_0000.gz"
        path.parent.mkdir(parents=True)
        count = works // files + (number < works % files)
        with igzip.open(path, "wb", compresslevel=1) as file:
            for line in itertools.islice(lines, count):
                file.write(_ID.sub(b'"id":"https://openalex.org/W%d"' % next(numbers), line, count=1))
        size += path.stat().st_size
    return size


def hash_of(folder: Path) -> str:
    """Return the sha256 over all files of a folder with their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def command(snapshot: Path, target: Path, workers: int) -> list[str]:
    """Return the command that builds an atlas."""
    options = ["--from", str(snapshot), "--to", str(target), "--workers", str(workers), "--quiet"]
    return [sys.executable, "-m", "copub", "atlas", "build", *options]


def build(snapshot: Path, target: Path, workers: int) -> Built:
    """Build an atlas in a process of its own, where every worker has one thread."""
    start, before, most = time.monotonic(), _cpu_seconds(), 0.0
    with subprocess.Popen(command(snapshot, target, workers), env=os.environ | ONE_THREAD) as process:
        while process.poll() is None:
            most = max(most, resident_mb(process.pid))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(process.returncode)
    return Built(workers, time.monotonic() - start, _cpu_seconds() - before, most, hash_of(target))


def _cpu_seconds() -> float:
    """Return the CPU seconds of all processes that this one started, and of those below them, once they have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def killed(snapshot: Path, target: Path, files: int) -> str:
    """Kill a build and all its processes once so many files are read, build again, and return the hash of all files."""
    with subprocess.Popen(command(snapshot, target, 2), start_new_session=True) as process:
        while process.poll() is None and len(list((target / ".parts").glob("[0-9a-f]*"))) < files:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (target / "manifest.json").exists(), "the build was over before it was killed"
    return build(snapshot, target, 2).sha256


def differences_from_a_run(snapshot: Path, atlas: Atlas, folder: Path) -> tuple[int, int]:
    """Return how many shares an atlas and a run of the pair both have, and how many of these differ."""
    works = folder / "works.jsonl.zst"
    extract(str(snapshot), works, parse_pairs([":".join(PAIR)]))
    study = Study.pair(*PAIR, years=(atlas.years[0], atlas.years[-1]))
    run = copub.run(study, works=[works], cache=folder / "cache", reports=folder / "reports", until="measure")
    shares = run.tables["shares"]
    both = differ = 0
    for kind, by in (("all", []), ("year", ["year"]), ("area", ["area"])):
        theirs = {
            (row["slice"], row["measure"], row["counting"]): tuple(row[name] for name in _COMPARED)
            for row in shares.filter(slice_kind=kind).iter_rows(named=True)
        }
        for row in show(atlas, *PAIR, by=by).iter_rows(named=True):
            key = (str(row[kind]) if by else "all", row["measure"], row["counting"])
            both += 1
            differ += theirs.pop(key, None) != tuple(row[name] for name in _COMPARED)
        differ += len(theirs)
    return both, differ


def wrong_cells(atlas: Atlas, number: int) -> int:
    """Return how many of some cells, drawn at random, are not what a count of the evidence gives, work by work."""
    cells = atlas.cells().collect()
    wrong = 0
    for place in random.Random(2113).sample(range(cells.height), number):
        cell = cells.row(place, named=True)
        listings = {
            row["number"]
            for row in atlas.listings([cell["year"]]).collect().iter_rows(named=True)
            if all(row[name] == cell[name] for name in ("list", "category", "is_top_level", "level"))
            and row["country"] == cell["b"]
        }
        works = 0
        for row in atlas.works([cell["year"]]).collect().iter_rows(named=True):
            of_area = {EVERY_WORK: True, CRITICAL: bool(row["areas"])}.get(cell["area"], cell["area"] in row["areas"])
            of_list = cell["list"] == NO_LIST or row["number"] in listings
            works += {cell["a"], cell["b"]} <= set(row["countries"]) and of_area and of_list
        wrong += works != cell["works"]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path, help="where snapshot and atlases are made; default: a temporary folder")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    if not REAL_WORKS.is_file():
        print("no real records beside the checkout: nothing to measure")
        return
    described = machine()
    print(json.dumps(described))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        size = write_snapshot(folder / "snapshot", options.works, options.files)
        print(f"{options.works:,} works in {options.files} files, {size / 1e6:,.0f} MB of gzip")
        made: list[Built] = []
        for workers in options.workers:
            made.append(build(folder / "snapshot", folder / f"atlas-{workers}", workers))
            one = made[-1]
            rate, times = options.works / one.seconds, made[0].seconds / one.seconds
            print(f"{workers} workers: {one.seconds:8.1f} s ({one.cpu_seconds:,.1f} s of CPU)", end="")
            print(f"  {rate:7,.0f} works a second  {one.memory_mb:6,.0f} MB  {times:.2f} times the first")
        resumed = killed(folder / "snapshot", folder / "atlas-killed", max(1, options.files // 3))
        same = {resumed, *(one.sha256 for one in made)} == {made[0].sha256}
        print(f"the same bytes, also after the kill: {same}")
        atlas = open_atlas(folder / f"atlas-{options.workers[0]}")
        counts: dict[str, Any] = atlas.manifest["works"]
        stored = sum(path.stat().st_size for path in atlas.folder.rglob("*") if path.is_file())
        print(f"{counts['counted']:,} works counted; the atlas has {stored / 1e6:,.1f} MB")
        both, differ = differences_from_a_run(folder / "snapshot", atlas, folder)
        print(f"{'-'.join(PAIR)}: {both} shares compared with a run, {differ} differ")
        wrong = wrong_cells(atlas, CELLS)
        print(f"{CELLS} cells counted work by work, {wrong} differ")
        shutil.rmtree(folder / "snapshot")
    figures = {
        "works": options.works,
        "files": options.files,
        "bytes": size,
        "builds": [asdict(one) for one in made],
        "same_bytes": same,
        "counted": counts["counted"],
        "shares_compared": both,
        "shares_that_differ": differ,
        "cells_that_differ": wrong,
    }
    save(options.json, described, figures)


if __name__ == "__main__":
    main()
