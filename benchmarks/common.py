"""What the benchmarks share: the machine, CPU time, works to measure with.

Printed alone, it describes the machine: ``python benchmarks/common.py``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from isal import igzip

REAL = Path(os.environ.get("COPUB_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
REAL_WORKS = REAL / "real" / "works.jsonl.gz"
SIDES = ("BE", "CN")


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    models = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory[0] / 1e6, 1) if memory else None,
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "bytecode": Path(cache_from_source(pl.__file__)).is_file(),  # without it, each process compiles what it loads
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def family(root: int | None = None) -> list[int]:
    """Return the ids of a process and of all processes below it (Linux; elsewhere the process alone)."""
    found = [root or os.getpid()]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, _text(task).split())
    return found


def processor_seconds() -> float:
    """Return the CPU seconds that this process and all below it took, ended ones included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    below = sum(map(_seconds_of, family()[1:]))
    return time.process_time() + ended.ru_utime + ended.ru_stime + below


def _seconds_of(pid: int) -> float:
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def seconds_of_family(root: int) -> float:
    """Return the CPU seconds of a process and all below it, ended ones included (Linux)."""
    fields = [_text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() for pid in family(root)]
    return sum(int(value) for row in fields for value in row[11:15]) / os.sysconf("SC_CLK_TCK")


def resident_mb(root: int) -> float:
    """Return the memory that a process and all below it hold: their own pages, and mapped files of the one with most.

    Read from statm: to walk the pages of all processes (smaps) would slow the run that is measured.
    """
    fields = [list(map(int, text.split())) for pid in family(root) if (text := _text(Path(f"/proc/{pid}/statm")))]
    own = sum(resident - shared for _, resident, shared, *_ in fields)
    return (own + max((row[2] for row in fields), default=0)) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def watched(every: float = 0.2) -> Iterator[list[float]]:
    """Yield a list that gets the memory of this process and all below it, in MB, while the block runs."""
    seen, done = [resident_mb(os.getpid())], threading.Event()

    def watch() -> None:
        while not done.wait(every):
            seen.append(resident_mb(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # the process has just ended


def save(path: Path | None, described: dict[str, Any], figures: dict[str, Any]) -> None:
    """Write the machine and the figures as JSON, if a path is given."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"machine": described, **figures}, indent=1, default=str) + "\n", encoding="utf-8")


@contextmanager
def timed(into: dict[str, tuple[float, float]], step: str) -> Iterator[None]:
    """Add the seconds of a block of wall time, and of CPU time, to `into`."""
    clock, processor = time.perf_counter(), processor_seconds()
    yield
    into[step] = (time.perf_counter() - clock, processor_seconds() - processor)


def real_works() -> Iterator[dict[str, Any]]:
    """Yield the real works; without them, the works of the synthetic corpus."""
    if REAL_WORKS.is_file():
        with igzip.open(REAL_WORKS) as lines:
            for line in lines:
                yield orjson.loads(line)
        return
    from copub.demo.corpus import build_corpus

    yield from build_corpus()


def as_pair(work: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a copy of a work under a new id, with the first author on side A and the last on side B."""
    authorships = [dict(authorship) for authorship in work.get("authorships") or [{}]]
    for at, country in ((0, SIDES[0]), (-1, SIDES[1])):
        authorships[at]["countries"] = sorted({*(authorships[at].get("countries") or []), country})
    return {**work, "id": f"https://openalex.org/W{7_000_000_000 + number}", "authorships": authorships}


def write_pairs(path: Path, number: int | None = None) -> int:
    """Write real works, again and again under new ids, as co-publications of BE and CN; return how many."""
    written = 0
    with igzip.open(path, "wb", compresslevel=1) as file:
        while number is None or written < number:
            for work in real_works():
                file.write(orjson.dumps(as_pair(work, written)) + b"\n")
                written += 1
                if written == number:
                    break
            if number is None:
                break
    return written


if __name__ == "__main__":
    print(json.dumps(machine(), indent=1))


@contextmanager
def dask_workers(number: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a Dask scheduler and workers of one thread; yield its address and the process of each worker."""
    options = ["--scheduler-file", "scheduler.json", "--no-dashboard"]
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, *more: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *options, *more]
        quiet = subprocess.DEVNULL
        alone = os.environ | {"POLARS_MAX_THREADS": "1"}
        processes.append(subprocess.Popen(command, cwd=folder, env=alone, stdout=quiet, stderr=quiet))

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            start("dask_scheduler", "--port", "0")
            for _ in range(number):
                start("dask_worker", "--nthreads", "1", "--no-nanny")
            file = Path(folder) / "scheduler.json"
            while not (file.is_file() and file.read_bytes()):
                if processes[0].poll() is not None:
                    raise SystemExit("the Dask scheduler did not start")
                time.sleep(0.1)
            yield json.loads(file.read_bytes())["address"], processes[1:]
        finally:
            for process in reversed(processes):
                process.kill()  # asked to end, a worker may wait for its scheduler
            for process in processes:
                process.wait()
