"""From one core to the whole of OpenAlex: measured rates, and a simulation of many nodes.

    python benchmarks/scale.py [--rate 130] [--network 300] [--price 0.40] [--international 0.27] [--json FILE]

Measured here, in seconds of one core, least of five: reading real records for one pair, for the 27 members of
the EU with China, and for hundreds and thousands of pairs; and for an atlas of all pairs (`copub atlas build`) what
a megabyte takes that is only read, and what an international work takes until it is counted. Simulated: a snapshot
with the number, the whole length and the largest length of the files of September 2026, given out longest first to
the cores of 1 to 64 nodes (as dask does), where each node reads no faster than its network, some
jobs die halfway and are done again, and one machine gathers and writes what was found. Without
real records nothing is measured and `--rate` is believed.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from common import REAL_WORKS, machine, real_works, save
from isal import igzip

from copub.atlas import rules_of
from copub.atlas.cells import READ_LISTINGS, READ_WORKS, Codes, count_group
from copub.atlas.snapshotpart import read_part
from copub.countries import COUNTRY_CODES
from copub.packed import pack, unpack
from copub.sources.snapshot import Pair, parse_pairs
from copub.sources.snapshot.job import Job, extract_file
from copub.sources.snapshot.jsonlines import pass_lines, two_codes
from copub.sources.snapshot.selection import Asked, countries_of_work
from copub.sources.snapshot.storage import open_source
from copub.sources.snapshot.survey import survey

EU = "AT/BE/BG/CY/CZ/DE/DK/EE/ES/FI/FR/GR/HR/HU/IE/IT/LT/LU/LV/MT/NL/PL/PT/RO/SE/SI/SK"
RECORDS = 4000
FILES, WHOLE_MB, LARGEST_MB, FULL = 2040, 707_000.0, 1050.0, 560
WORKS = 476_196_327
NODES = (1, 2, 4, 8, 16, 32, 64)
CORES = 8
MANY = (300, 3000)
ROUNDS = 5


@dataclass(frozen=True)
class Simulated:
    """One number of nodes: hours until all is read and written, busy share of the cores, cost."""

    nodes: int
    hours: float
    busy: float
    node_hours: float
    cost: float
    bound_by: str


def file_sizes(seed: int = 1) -> list[float]:
    """Draw lengths in MB: some files are full, the others are of very different lengths."""
    rng = random.Random(seed)
    rest = [rng.lognormvariate(0, 1.5) for _ in range(FILES - FULL)]
    scale = (WHOLE_MB - FULL * LARGEST_MB) / sum(rest)
    return sorted([LARGEST_MB] * FULL + [min(size * scale, LARGEST_MB) for size in rest], reverse=True)


def simulate(nodes: int, rate: float, network: float, found: float, dying: float, price: float) -> Simulated:
    """Give the files to the cores of `nodes`; rates in MB a second, `found` and `dying` are shares."""
    rng = random.Random(nodes)
    of_core = min(rate, network / CORES)
    cores = [0.0] * (nodes * CORES)
    worked = 0.0
    for size in file_sizes():
        start = heapq.heappop(cores)
        seconds = size / of_core * (1.5 if rng.random() < dying else 1.0)
        worked += seconds
        heapq.heappush(cores, start + seconds)
    reading = max(cores)
    gathering = WHOLE_MB * found / network
    hours = (max(reading, gathering) + gathering) / 3600  # gathered while others read, then written
    if gathering > reading:
        bound = "the machine that gathers"
    elif reading < 1.2 * LARGEST_MB / of_core:
        bound = "the longest file"
    else:
        bound = "network of the nodes" if network / CORES < rate else "cores"
    return Simulated(nodes, hours, worked / (reading * len(cores)), hours * nodes, hours * nodes * price, bound)


def all_pairs(number: int) -> tuple[Pair, ...]:
    """Return the first pairs of single countries."""
    pairs = itertools.islice(itertools.combinations(sorted(COUNTRY_CODES), 2), number)
    return tuple(Pair(f"{a}-{b}", (a,), (b,)) for a, b in pairs)


def measured_rates() -> Iterator[dict[str, Any]]:
    """Yield for each question: pairs, works found, seconds of one core, MB of gzip a second."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "jsonl" / "works" / "updated_date=2026-01-01" / "part_0000.gz"
        path.parent.mkdir(parents=True)
        with igzip.open(REAL_WORKS) as source, igzip.open(path, "wb", compresslevel=3) as target:
            target.writelines(itertools.islice(source, RECORDS))
        file = survey(*open_source(name)).files[0]
        questions = {"BE:CN": parse_pairs(["BE:CN"]), "EU members x CN": parse_pairs([f"{EU}:CN"])}
        questions |= {f"{number:,} pairs": all_pairs(number) for number in MANY}
        extract_file(Job(name, file, Asked(questions["BE:CN"])))  # loads what is loaded once
        for label, pairs in questions.items():
            taken = []
            for _ in range(ROUNDS):
                start = time.process_time()
                done = extract_file(Job(name, file, Asked(pairs)))
                taken.append(time.process_time() - start)
            seconds = min(taken)
            assert done.part is not None
            size = path.stat().st_size / 1e6
            yield {"question": label, "pairs": len(pairs), "seconds": seconds, "mb_a_second": size / seconds}


@dataclass(frozen=True)
class AtlasRates:
    """What an atlas takes of one core: MB of gzip a second that are only read, seconds and bytes per counted work."""

    read_mb_a_second: float
    seconds_a_work: float
    counting_seconds_a_work: float
    evidence_bytes_a_work: float

    def core_seconds(self, share: float) -> float:
        """Return the seconds of one core for the whole snapshot, if this share of its works is international."""
        return WHOLE_MB / self.read_mb_a_second + share * WORKS * (self.seconds_a_work + self.counting_seconds_a_work)


def atlas_rates() -> AtlasRates:
    """Measure what an atlas takes: reading apart from the works that pass the test, and what these take."""
    rules = rules_of()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "jsonl" / "works" / "updated_date=2026-01-01" / "part_0000.gz"
        path.parent.mkdir(parents=True)
        with igzip.open(REAL_WORKS) as source, igzip.open(path, "wb", compresslevel=3) as target:
            target.writelines(itertools.islice(source, RECORDS))
        file = survey(*open_source(name)).files[0]
        read_part(rules, (name, file))  # loads what is loaded once
        reading, whole, counting = [], [], []
        for _ in range(ROUNDS):
            start = time.process_time()
            with path.open("rb") as stream:
                pass_lines(stream, two_codes, lambda line, where: None, "", lambda size: None)
            reading.append(time.process_time() - start)
            start = time.process_time()
            part = read_part(rules, (name, file))
            whole.append(time.process_time() - start)
            works = unpack(part.works).filter(pl.col("excluded_because").is_null())
            codes = Codes.of(rules, works["countries"].explode(keep_nulls=False, empty_as_null=False).unique())
            group = (pack(works.select(READ_WORKS)), pack(unpack(part.listings).select(READ_LISTINGS)))
            start = time.process_time()
            count_group(codes, group)
            counting.append(time.process_time() - start)
        assert isinstance(part.works, bytes) and isinstance(part.listings, bytes)
        return AtlasRates(
            path.stat().st_size / 1e6 / min(reading),
            (min(whole) - min(reading)) / works.height,
            min(counting) / works.height,
            (len(part.works) + len(part.listings)) / works.height,
        )


def print_atlas(rates: AtlasRates, share: float, network: float, dying: float, price: float) -> list[Simulated]:
    """Print the time and the cost of an atlas of the whole snapshot."""
    works, seconds = share * WORKS, rates.core_seconds(share)
    evidence = rates.evidence_bytes_a_work
    print(f"\natlas of all pairs: {rates.read_mb_a_second:.0f} MB of gzip a second and core that are only read,")
    print(f"{1000 * rates.seconds_a_work:.2f} ms of a core per international work, ", end="")
    print(f"{1000 * rates.counting_seconds_a_work:.2f} ms to count it, {evidence:.0f} bytes of evidence")
    print(f"{WORKS:,} works, at most {share:.0%} international ({works / 1e6:.0f} million): ", end="")
    print(f"{seconds / 3600:.0f} hours of one core, {works * evidence / 1e9:.0f} GB of evidence")
    found = works * evidence / 1e6 / WHOLE_MB
    rows = [simulate(number, WHOLE_MB / seconds, network, found, dying, price) for number in NODES]
    print_simulated(rows)
    return rows


def print_simulated(rows: list[Simulated]) -> None:
    """Print a simulation, one line per number of nodes."""
    print(f"{'nodes':>6}{'hours':>8}{'busy':>7}{'node hours':>12}{'cost':>8}  bound by")
    for row in rows:
        print(f"{row.nodes:>6}{row.hours:>8.2f}{row.busy:>7.0%}{row.node_hours:>12.1f}{row.cost:>8.2f}", end="")
        print(f"  {row.bound_by}")


def international() -> dict[str, float]:
    """Return how many real records there are, the share with two countries or more, and their mean number of pairs."""
    countries = [len(countries_of_work(work)) for work in real_works()]
    pairs = [math.comb(number, 2) for number in countries if number > 1]
    return {"works": len(countries), "share": len(pairs) / len(countries), "pairs_each": sum(pairs) / len(pairs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, help="MB of gzip a second and core; default: as measured for 27 pairs")
    parser.add_argument("--network", type=float, default=300.0, help="MB a second that one node gets from storage")
    parser.add_argument("--found", type=float, default=0.05, help="share of the bytes that is found and sent back")
    parser.add_argument("--dying", type=float, default=0.02, help="share of the jobs that die halfway")
    parser.add_argument("--price", type=float, default=0.40, help="price of an hour of a node of 8 cores")
    parser.add_argument("--international", type=float, help="share of works of two countries or more")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    described = machine()
    print(json.dumps(described))
    rates = list(measured_rates()) if REAL_WORKS.is_file() else []
    for row in rates:
        print(
            f"{row['question']:<16} {row['seconds']:8.2f} s of one core  {row['mb_a_second']:8.2f} MB of gzip a second"
        )
    among = international()
    print(f"{among['works']:,.0f} records: {among['share']:.0%} have two countries or more, ", end="")
    print(f"{among['pairs_each']:.1f} pairs each")
    rate = options.rate or (rates[1]["mb_a_second"] if rates else 100.0)
    print(f"\n{FILES:,} files, {WHOLE_MB / 1000:.0f} GB; {rate:.0f} MB/s a core, {CORES} cores a node")
    print(f"{options.network:.0f} MB/s a node; {options.found:.0%} found; {options.dying:.0%} of the jobs die")
    rows = [simulate(n, rate, options.network, options.found, options.dying, options.price) for n in NODES]
    print_simulated(rows)
    atlas = atlas_rates() if rates else None
    share = options.international or among["share"]
    of_atlas = print_atlas(atlas, share, options.network, options.dying, options.price) if atlas else []
    save(
        options.json,
        described,
        {
            "measured": rates,
            "international": among,
            "simulated": [asdict(row_) for row_ in rows],
            "atlas": asdict(atlas) if atlas else None,
            "atlas_simulated": [asdict(row_) for row_ in of_atlas],
        },
    )


if __name__ == "__main__":
    main()
