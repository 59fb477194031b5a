"""How long it takes to screen distinct affiliation strings against all shipped watchlists.

Run: ``python benchmarks/screen.py [STRINGS] [--json FILE]``. It uses the real strings beside the checkout if they
are there, else names of the registry, each made distinct by a department in front of it. Prints
the seconds for the names to be compiled, for half and all of the distinct strings, for the
same strings repeated, which should cost no more than their number in the table, and for one string
as long as any that is read, and half as long, which should cost about half.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from common import machine, save

from copub import schema
from copub.lists.watchlist import registry
from copub.screening import load_watchlist, screen, screen_strings
from copub.screening.index import build_index
from copub.screening.matching import LONGEST, find_mentions
from copub.shipped import shipped_names

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "watchlists" / "affiliation_strings_unlabelled.txt.gz"


REPEATED = ("HIT, ", "Northeastern University ", "Beihang University, China; ", "Soochow University, ")
"""Names that, repeated, make the longest string costly."""


def source() -> list[str]:
    """Return real strings, or names in place of them."""
    if REAL.is_file():
        with gzip.open(REAL, "rt", encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]
    return [f"{name.text}, China" for entity in registry() for name in entity.names]


def seconds(what: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return the seconds that a call took, of wall time and of CPU time, and its result."""
    start, used = time.perf_counter(), time.process_time()
    result = what()
    return (time.perf_counter() - start, time.process_time() - used), result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("strings", type=int, nargs="?", default=100_000, help="distinct strings; default: 100,000")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    number, described = options.strings, machine()
    print(json.dumps(described))
    rng = random.Random(20261121)
    base = source()
    strings = [f"Lab. {n}, {rng.choice(base)}" for n in range(number)]
    watchlists = [load_watchlist(name) for name in shipped_names("taxonomies/watchlists")]
    compiled, _ = seconds(lambda: build_index(watchlists))
    half, _ = seconds(lambda: screen_strings(strings[: number // 2], watchlists))
    whole, hits = seconds(lambda: screen_strings(strings, watchlists))
    few = [strings[n % 1000] for n in range(number)]
    rows = pl.DataFrame(
        {"work_id": [f"W{n}" for n in range(number)], "raw_affiliation_string": few},
        schema_overrides={"raw_affiliation_string": pl.String},
    )
    empty = [name for name in schema.TABLES["affiliations"].schema if name not in rows.columns]
    table = rows.with_columns(
        *(pl.lit(None, schema.TABLES["affiliations"].schema[name]).alias(name) for name in empty)
    ).with_columns(author_seq=pl.lit(0, pl.Int32), affiliation_seq=pl.lit(0, pl.Int32))
    repeated, _ = seconds(lambda: screen(table, watchlists))
    lexicon = build_index(watchlists).lexicon
    longest = {
        f"one string of {LONGEST // part:,} characters": max(
            seconds(partial(find_mentions, (name * LONGEST)[: LONGEST // part], lexicon))[0] for name in REPEATED
        )
        for part in (2, 1)
    }
    rows_of = longest | {
        f"names of {len(watchlists)} watchlists compiled": compiled,
        f"{number // 2:,} distinct strings": half,
        f"{number:,} distinct strings": whole,
        f"{number:,} affiliations with 1,000 distinct strings": repeated,
    }
    for what, (clock, processor) in rows_of.items():
        print(f"{what}: {clock:.2f} s (processor {processor:.2f} s)")
    print(f"{hits['raw_affiliation_string'].n_unique():,} distinct strings with a hit")
    save(options.json, described, {"strings": number, "seconds, of them of CPU time": rows_of})


if __name__ == "__main__":
    main()
