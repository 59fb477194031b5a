"""Harvest 60,000 works from the embedded server: peak memory, and the client's own time per page.

Run: ``python benchmarks/harvest_memory.py [--works N]``. The server runs in a process of its own.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "harvest"))

from bibliography import Work, bibliography

from copub.demo.server import Manners, Server
from copub.harvest import Query, harvest

QUERY = Query(("BE",), ("CN",), 2000, 2025)
WORDS = 180  # words of an abstract: with them a work is about as large as a usual one


def abstracts(works: list[Work]) -> list[Work]:
    """Give every work an abstract of made-up words."""
    draw = random.Random(3)
    vocabulary = [f"word{number}" for number in range(4000)]
    for work in works:
        work["abstract_inverted_index"] = {word: [at] for at, word in enumerate(draw.sample(vocabulary, WORDS))}
    return works


def serve(count: int) -> None:
    """Serve until the parent closes the pipe."""
    with Server(abstracts(bibliography(count)), manners=Manners(anonymous=10_000)) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


def megabytes() -> float:
    """Return the peak memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Harvest, read all records back, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=60_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.works)
        return
    command = [sys.executable, __file__, "--serve", "--works", str(options.works)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    url = child.stdout.readline().strip()
    before = megabytes()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        harvested = harvest(QUERY, cache=Path(folder), base_url=url)
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        works = size = 0
        for record in harvested.records():
            works += 1
            size += len(record.value["abstract_inverted_index"])
        reading = time.perf_counter() - started
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    child.stdin.close()
    child.wait()
    cost = harvested.log["cost"]
    pages = cost["answers"]
    own = seconds - cost["seconds_waiting_this_time"]
    print(f"works harvested and read back   {works:>10,}")
    print(f"requests, of them asked again   {cost['requests']:>10,} {cost['retried_this_time']:>6,}")
    print(f"peak memory, of it at the start {megabytes():>10.0f} MB {before:>4.0f} MB")
    print(f"cache on disk                   {disk / 1e6:>10.0f} MB")
    print(f"seconds in all, waiting for answers {seconds:>6.1f} {cost['seconds_waiting_this_time']:>6.1f}")
    print(f"the client's own time per page  {1000 * own / pages:>10.1f} ms")
    print(f"reading back, per page          {1000 * reading / pages:>10.1f} ms")


if __name__ == "__main__":
    main()
