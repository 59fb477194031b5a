"""Does time grow in step with the works, and does memory stay within bounds?

    python benchmarks/linear.py [--works 2000 4000] [--json FILE]
    python benchmarks/linear.py --works 100000 250000 1000000   the measurement of docs/performance.md
    python benchmarks/linear.py --harvest 60000                 from cached pages to the report

Real works (else synthetic ones) are repeated under new ids and made co-publications of Belgium
and China; `copub run` goes from the works file to tables and shares, in a process of its own.
With --harvest the works come as pages from the embedded server, once; what is measured is the run
from the cached pages to the finished report. Printed: wall time in seconds and of CPU time,
peak memory of all processes together and of each stage, and how far the sizes are from a straight line.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from common import as_pair, machine, real_works, resident_mb, save, seconds_of_family, write_pairs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "harvest"))

from standin import Manners, Server

from copub.study import load_study

EVERY = 0.5
Sample = tuple[float, float, float]  # seconds since the start, MB of all processes, their CPU seconds
STUDY = "every-work"


def write_study(folder: Path) -> Path:
    """Write a study of Belgium and China that counts works of all years and types."""
    lines = load_study("belgium-china").raw.replace('id = "belgium-china"', f'id = "{STUDY}"').splitlines()
    kept = lines[: lines.index("[assertions]")]
    text = "\n".join(line for line in kept if not line.startswith(("from =", "to =")))
    path = folder / "study.toml"
    path.write_text(text.replace("[years]", "[years]\nfrom = 1800\nto = 2100") + "\n", encoding="utf-8")
    return path


def run_copub(folder: Path, *options: str) -> dict[str, Any]:
    """Run the study in a process of its own; return what it took."""
    command = [sys.executable, "-c", "from copub.cli import main; main()", "run", str(write_study(folder)), *options]
    places = ["--cache", str(folder / "cache"), "--reports", str(folder / "reports")]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen([*command, *places], stdout=subprocess.DEVNULL)
    samples: list[Sample] = []
    watcher = threading.Thread(target=_watch, args=(process, start, samples))
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code != 0:
        raise SystemExit(f"copub run ended with {code}")
    newest = max((folder / "reports" / STUDY).iterdir(), key=os.path.getmtime)
    manifest = json.loads((newest / "manifest.json").read_text(encoding="utf-8"))
    return {
        "works": manifest["tables"]["works"]["rows"],
        "seconds": seconds,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": max(sample[1] for sample in samples),
        "stages": list(by_stage(manifest["stages"], seconds, samples)),
    }


def _watch(process: subprocess.Popen[bytes], start: float, samples: list[Sample]) -> None:
    while process.poll() is None:
        memory, used = resident_mb(process.pid), seconds_of_family(process.pid)
        samples.append((time.perf_counter() - start, memory, used))
        time.sleep(EVERY)


def by_stage(stages: list[dict[str, Any]], seconds: float, samples: list[Sample]) -> Iterator[dict[str, Any]]:
    """Give every stage the processor time and the peak of all processes, as they were sampled in its time."""
    end = seconds - sum(stage["seconds"] for stage in stages)  # what came before the first stage: loading
    used = 0.0
    for stage in stages:
        start, end = end, end + stage["seconds"]
        inside = [sample for sample in samples if start <= sample[0] <= end]
        until = max((sample[2] for sample in samples if sample[0] <= end), default=used)
        yield {
            "stage": stage["stage"],
            "seconds": stage["seconds"],
            "processor": until - used,
            "peak_mb": max((sample[1] for sample in inside), default=stage["peak_mb"]),
        }
        used = until


def from_files(sizes: list[int], place: Path) -> list[dict[str, Any]]:
    """Run over works files of several sizes, to tables and shares."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=place) as name:
            folder = Path(name)
            write_pairs(folder / "works.jsonl.gz", size)
            rows.append(run_copub(folder, "--works", str(folder / "works.jsonl.gz"), "--until", "measure"))
            show(rows[-1])
    return rows


def from_pages(size: int, place: Path) -> list[dict[str, Any]]:
    """Harvest once from the embedded server, then run from the cached pages to the report."""
    works: list[dict[str, Any]] = []
    while len(works) < size:
        works += [as_pair(work, len(works) + n) for n, work in enumerate(islice(real_works(), size - len(works)))]
    for work in works:
        work["publication_year"] = work.get("publication_year") or 2020
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        with Server(works, manners=Manners(anonymous=10**9)) as server:
            os.environ["COPUB_OPENALEX_URL"] = server.base_url
            del works
            run_copub(folder, "--until", "harvest")
            shutil.rmtree(folder / "reports")
            shutil.rmtree(folder / "cache" / "_stages")
            row = run_copub(folder, "--offline")
        show(row)
    return [row]


def straight_line(rows: list[dict[str, Any]], what: str) -> str:
    """Say what the line through the first and the last run is, and how far from it those between are."""
    first, last = rows[0], rows[-1]
    slope = (last[what] - first[what]) / (last["works"] - first["works"])
    start = first[what] - slope * first["works"]
    off = [f"{row['works']:,} {row[what] / (start + slope * row['works']) - 1:+.1%}" for row in rows[1:-1]]
    line = f"{what}: {start:.1f} s to start with and {1e3 * slope:.3f} ms a work"
    return f"{line}; from this line: {', '.join(off)}" if off else line


def show(row: dict[str, Any]) -> None:
    """Print what a run took."""
    each = 1e3 * row["seconds"] / max(row["works"], 1)
    print(
        f"{row['works']:>9,} works: {row['seconds']:7.1f} s ({each:.3f} ms a work), "
        f"{row['processor']:7.1f} s of CPU time, peak {row['peak_mb']:,.0f} MB",
        flush=True,
    )
    for stage in row["stages"]:
        print(
            f"    {stage['stage']:<10} {stage['seconds']:8.1f} s  {stage['processor']:8.1f} s of CPU time  "
            f"peak {stage['peak_mb']:,.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, nargs="+", default=[2000, 4000], help="sizes to run, in order")
    parser.add_argument("--harvest", type=int, help="run so many works from cached pages to the report instead")
    parser.add_argument("--place", type=Path, help="folder for works files and tables; default: the system's")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    described = machine()
    print(json.dumps(described))
    rows = from_pages(options.harvest, options.place) if options.harvest else from_files(options.works, options.place)
    if len(rows) > 1:
        first, last = rows[0], rows[-1]
        for what in ("seconds", "processor"):
            grown = (last[what] / last["works"]) / (first[what] / first["works"])
            print(f"{what} a work, {last['works']:,} against {first['works']:,}: {grown:.2f} times")
            print(straight_line(rows, what))
    save(options.json, described, {"rows": rows})


if __name__ == "__main__":
    main()
