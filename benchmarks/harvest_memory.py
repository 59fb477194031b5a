"""Harvest 60,000 works from the embedded server: peak memory, and the client's own time per page.

Run: ``python benchmarks/harvest_memory.py [--works N] [--json FILE]``. The server runs in a process
of its own. Beside it is the plain alternative, pyalex paging through the same queries (it keeps
nothing, proves nothing, and leaves author lists cut), and the limit, getting the bytes of as many
answers. Compared is the CPU time in the client, since the server takes most of the clock.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pyalex
from common import machine, save

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "harvest"))

from bibliography import Work, bibliography
from standin import Manners, Server

from copub.runs.clock import peak_mb
from copub.sources.harvest import Query, harvest
from copub.sources.harvest.query import CELLS, PER_PAGE, SELECT

QUERY = Query(("BE",), ("CN",), 2000, 2025)
WORDS = 180  # words of an abstract: with them a work is about as large as a usual one


def abstracts(works: list[Work]) -> list[Work]:
    """Give every work an abstract of synthetic words."""
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


def page_with_pyalex(url: str) -> tuple[int, float]:
    """Page through the same queries with pyalex; return works and CPU seconds."""

    class Works(pyalex.Works):  # pyalex knows one address, and calls it by the name of the class
        def _get_from_url(self, address: str, session: Any = None) -> Any:
            return super()._get_from_url(address.replace("https://api.openalex.org", url), session)

    start, works = time.process_time(), 0
    for cell in CELLS:
        found = Works().filter(**QUERY.clauses(cell)).select(list(SELECT))
        works += sum(len(page) for page in found.paginate(per_page=PER_PAGE, n_max=None))
    return works, time.process_time() - start


def get_bytes(url: str, pages: int) -> float:
    """Get the first page of the first query as often as there were pages; return CPU seconds."""
    address = f"{url}/works?{QUERY.list_query(next(iter(CELLS)))}"
    start = time.process_time()
    for _ in range(pages):
        with urlopen(address) as answer:
            answer.read()
    return time.process_time() - start


def main() -> None:
    """Harvest, read all records back, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=60_000)
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.works)
        return
    print(json.dumps(machine()))
    command = [sys.executable, __file__, "--serve", "--works", str(options.works)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    url = child.stdout.readline().strip()
    before = peak_mb()
    with tempfile.TemporaryDirectory() as folder:
        started, used = time.perf_counter(), time.process_time()
        harvested = harvest(QUERY, cache=Path(folder), base_url=url)
        seconds, processor = time.perf_counter() - started, time.process_time() - used
        started = time.perf_counter()
        works = size = 0
        for record in harvested.records():
            works += 1
            size += len(record.value["abstract_inverted_index"])
        reading = time.perf_counter() - started
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    cost = harvested.log["cost"]
    pages = cost["answers"]
    peak = peak_mb()
    found, plain = page_with_pyalex(url)
    limit = get_bytes(url, pages)
    child.stdin.close()
    child.wait()
    own = seconds - cost["seconds_waiting_this_time"]
    print(f"works harvested and read back   {works:>10,}")
    print(f"requests, of them asked again   {cost['requests']:>10,} {cost['retried_this_time']:>6,}")
    print(f"peak memory, of it at the start {peak:>10.0f} MB {before:>4.0f} MB")
    print(f"cache on disk                   {disk / 1e6:>10.0f} MB")
    print(f"seconds in all, waiting for answers {seconds:>6.1f} {cost['seconds_waiting_this_time']:>6.1f}")
    print(f"the client's own time per page  {1000 * own / pages:>10.1f} ms")
    print(f"reading back, per page          {1000 * reading / pages:>10.1f} ms")
    print(f"processor of the client: copub, with cache and proof {processor:.1f} s")
    for what, used in ((f"pyalex, {found:,} works", plain), ("getting the bytes alone", limit)):
        print(f"processor of the client: {what} {used:.1f} s, copub takes {processor / used:.2f} times that")
    figures = {"works": works, "requests": cost["requests"], "seconds": seconds, "peak_mb": peak, "own_seconds": own}
    save(options.json, machine(), figures | {"processor": {"copub": processor, "pyalex": plain, "bytes alone": limit}})


if __name__ == "__main__":
    main()
