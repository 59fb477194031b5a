"""The stages of copub beside the plain alternative and beside the limit, over the same works, in one run.

    python benchmarks/pipeline.py [--works N] [--json FILE]

The works are the real ones beside the checkout, else the synthetic corpus, made co-publications
of two countries, so that no stage can pass a work over. The plain alternative is
`benchmarks/plain.py`; it needs pandas (``pip install pandas``), and without it that column is
left out. The limit of reading is decompression alone; below the table is what orjson takes for the same
lines. Seconds of wall time hold only on a machine that does nothing else; CPU seconds are printed beside
them. Of measure the plain alternative has the share by year only; it is not among the same steps.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import plain
from common import REAL_WORKS, machine, save, timed, write_pairs
from isal import igzip

from copub.corpus import Entry, tabulate
from copub.measures import measure
from copub.screening import found_in
from copub.shipped import shipped_names
from copub.sources.worksfile import read_works
from copub.study import Study, load_study
from copub.study.question import resolve
from copub.technology import classify

Taken = dict[str, tuple[float, float]]
SAME_STEPS = {"read and tabulate": ("read",), "classify": ("keywords", "TF-IDF"), "screen": ("screening",)}
BESIDE = SAME_STEPS | {"measure": ("shares",)}
BLOCK = 1 << 20


def every_work(study: Study) -> Study:
    """Return a study that counts works of all years and types."""
    return replace(study, year_from=1800, year_to=2100, exclude_types=())


def decompress(path: Path) -> None:
    """Decompress a file and throw the text away."""
    with igzip.open(path) as stream:
        while stream.read(BLOCK):
            pass


def parse(lines: list[bytes]) -> None:
    """Parse lines and throw the values away."""
    for line in lines:
        orjson.loads(line)


def of_copub(path: Path, study: Study) -> Taken:
    """Carry out the stages and return the seconds of each."""
    taken: Taken = {}
    question = resolve(replace(study, other_watchlists=tuple(shipped_names("taxonomies/watchlists"))))
    with timed(taken, "read and tabulate"):
        corpus = tabulate(read_works([path]), Entry.of(study))
    with timed(taken, "classify"):
        made = classify(corpus["works"], corpus["topics"], question.taxonomies)
    corpus = corpus.having(assignments=made.assignments, basis=made.basis)
    with timed(taken, "screen"):
        corpus = corpus.having(found=found_in(corpus, question.watchlists))
    with timed(taken, "measure"):
        measure(question, corpus)
    return taken


def table(ours: Taken, theirs: Taken, limits: Taken) -> list[dict[str, Any]]:
    """Return a row per stage, and one for the steps that both have."""
    rows = [_row(stage, ours[stage], _sum(theirs, BESIDE[stage]), limits.get(stage)) for stage in ours]
    steps = [step for steps in SAME_STEPS.values() for step in steps]
    same = _row("the same steps", _sum(ours, SAME_STEPS), _sum(theirs, steps), None)
    return [*rows, same]


def _sum(taken: Taken, steps: Any) -> tuple[float, float] | None:
    if not all(step in taken for step in steps) or not list(steps):
        return None
    return sum(taken[step][0] for step in steps), sum(taken[step][1] for step in steps)


def _row(
    stage: str, ours: tuple[float, float], theirs: tuple[float, float] | None, limit: tuple[float, float] | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"stage": stage, "seconds": ours[0], "processor": ours[1]}
    if theirs:
        row |= {"plain": theirs[0], "plain_processor": theirs[1], "times_faster": theirs[0] / ours[0]}
    if limit:
        row |= {"limit": limit[0], "of_limit": limit[0] / ours[0]}
    return row


def show(rows: list[Mapping[str, Any]]) -> None:
    """Print the table."""
    heads = ("seconds", "processor", "plain", "plain_processor", "times_faster", "limit", "of_limit")
    print(f"{'stage':<20}" + "".join(f"{head:>16}" for head in heads))
    for row in rows:
        cells = (f"{row[head]:16.2f}" if head in row else f"{'-':>16}" for head in heads)
        print(f"{row['stage']:<20}" + "".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, help="so many works; default: the real ones, once")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    study = every_work(load_study("belgium-china"))
    described = machine()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "works.jsonl.gz"
        works = write_pairs(path, options.works)
        source = "real works" if REAL_WORKS.is_file() else "SYNTHETIC works"
        print(f"{works:,} {source}, {path.stat().st_size / 1e6:.0f} MB packed; {json.dumps(described)}")
        limits: Taken = {}
        with timed(limits, "read and tabulate"):
            decompress(path)
        with igzip.open(path) as stream:
            lines = stream.read().splitlines()
        with timed(limits, "orjson"):
            parse(lines)
        del lines
        ours = of_copub(path, study)
        has_pandas = importlib.util.find_spec("pandas") is not None
        theirs = plain.measure(path) if has_pandas else {}
    if not has_pandas:
        print("pandas is not installed: the plain alternative is left out (pip install pandas)")
    rows = table(ours, theirs, limits)
    show(rows)
    parsing = limits["orjson"][1]
    times = ours["read and tabulate"][1] / parsing
    print(f"orjson alone, unpacked lines: {parsing:.2f} s of CPU time; read and tabulate takes {times:.1f} times that")
    save(options.json, described, {"works": works, "source": source, "rows": rows, "orjson_processor": parsing})


if __name__ == "__main__":
    main()
