"""Classifying the works of a file, on all cores, in memory that does not grow with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from copub.lists.taxonomy import load_taxonomy
from copub.packed import pack, range_partition, starts_of_parts
from copub.schema import TABLES
from copub.technology.classification import DECIDED, Classification, Part, classify_parts, parts_of
from copub.technology.plainrecords import read_records, topics_of

_ADDRESS = r"(?i)^https?://(?:www\.|api\.)?openalex\.org/(?:works/)?(W\d+)/?$"


def classify_file(
    path: Path, taxonomy: str | Path, *, operating_point: str = "balanced"
) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    """Classify the works of a file; see `copub.technology.plainrecords` for what is read.

    Returned are what each decision rests on (work_id, classified_from, classifiable: a row a
    record, in no order), and the assignments, by id, in parts: all areas of a work with a
    score of 0.05 or more, or with a term found. Records that share an id are classified one by one.

    Raises
    ------
    InputError, FileError : the file, the taxonomy or the operating point is wrong.
    """
    bases: list[pl.DataFrame] = []
    packed: deque[bytes] = deque()
    for made in _classified(path, taxonomy, operating_point):
        bases.append(made.basis)
        packed.append(pack(made.assignments))
    basis, table = pl.concat(bases), TABLES["assignments"]
    parts = range_partition(packed, table.schema, starts_of_parts(basis["work_id"]))
    return basis, (part.sort(table.key) for part in parts)


def classify_ids(
    path: Path, taxonomy: str | Path, *, operating_point: str = "balanced"
) -> tuple[pl.Series, pl.DataFrame]:
    """Return the ids of all works of a file, as given, and what is decided of them (columns `DECIDED`)."""
    made = [
        (part.basis["work_id"], part.assignments.select(DECIDED))
        for part in _classified(path, taxonomy, operating_point)
    ]
    return pl.concat(ids for ids, _ in made), pl.concat(decided for _, decided in made)


def _classified(path: Path, taxonomy: str | Path, operating_point: str) -> Iterator[Classification]:
    yield from classify_parts(_parts(path), [load_taxonomy(taxonomy)], operating_point=operating_point)


def _short(column: str) -> pl.Expr:
    """Return OpenAlex ids as the tables of a run have them (W123); any other id as given."""
    return pl.coalesce(pl.col(column).str.strip_chars().str.extract(_ADDRESS).str.to_uppercase(), column).alias(column)


def _parts(path: Path) -> Iterator[Part]:
    for read in read_records(path):
        works = read.with_columns(_short("work_id"))
        yield from parts_of(works, topics_of(works))
