"""Classifying the works of a file, on all cores, in memory that does not grow with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from copub.packed import in_order, pack, starts_of_parts
from copub.schema import TABLES
from copub.technology.classification import DECIDED, Classification, Part, judge_parts, parts_of
from copub.technology.records import read_records, topics_of
from copub.technology.taxonomy import load_taxonomy


def classify_file(path: Path, taxonomy: str | Path, *, profile: str = "balanced") -> Iterator[pl.DataFrame]:
    """Yield the assignments of the works of a file, by id, in parts; see `copub.technology.records` for what is read.

    These are all areas of a work with a score of 0.05 or more, or with a term found.

    Raises
    ------
    CorrectInput, CorrectFile : the file, the taxonomy or the profile is wrong; once the file is read, before a part.
    """
    ids = [pl.Series("work_id", [], dtype=pl.String)]
    packed: deque[bytes] = deque()
    for made in _judged(path, taxonomy, profile):
        ids.append(made.basis["work_id"])
        packed.append(pack(made.assignments))
    table = TABLES["assignments"]
    for part in in_order(packed, table.schema, starts_of_parts(pl.concat(ids))):
        yield part.sort(table.key)


def classify_ids(path: Path, taxonomy: str | Path, *, profile: str = "balanced") -> tuple[pl.Series, pl.DataFrame]:
    """Return the ids of all works of a file, as given, and what is decided of them (columns `DECIDED`)."""
    made = [(part.basis["work_id"], part.assignments.select(DECIDED)) for part in _judged(path, taxonomy, profile)]
    return pl.concat(ids for ids, _ in made), pl.concat(decided for _, decided in made)


def _judged(path: Path, taxonomy: str | Path, profile: str) -> Iterator[Classification]:
    yield from judge_parts(_parts(path), [load_taxonomy(taxonomy)], profile=profile)


def _parts(path: Path) -> Iterator[Part]:
    for works in read_records(path):
        yield from parts_of(works, topics_of(works))
