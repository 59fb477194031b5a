"""Drawing a sample of a study's own works for reading: stratified by decision and score, by a hash of the id."""

from __future__ import annotations

from collections import Counter

import polars as pl

from copub.draw import in_draw_order
from copub.errors import InputError
from copub.lists.labels import COLUMNS
from copub.measures.adjusted import sheet_works
from copub.measures.strata import Key, reading_order, sizes_of_strata, with_strata
from copub.names import READING_STRATA, SEED
from copub.technology.taught import with_readings

CELL = 30_000
"""Characters of a cell of the sheet; a spreadsheet holds 32,767."""
SHOWN = ("work_id", "doi", "publication_year", "title", "abstract", "affiliations")
SHEET = (*SHOWN, *(name for name in COLUMNS if name not in SHOWN))
"""Columns of the sheet. It does not show what copub decided: people read blind."""


def open_works(works: pl.DataFrame, taught: pl.DataFrame | None) -> pl.DataFrame:
    """Return the works worth reading: the classifier is better on works whose reading taught it than on others.

    Parameters
    ----------
    works : table ``copublications``.
    taught : training works of the classifier (`copub.measures.inputs.taught_for`).
    """
    return works if taught is None else sheet_works(with_readings(works, taught)).select(works.columns)


def draw_works(
    works: pl.DataFrame,
    texts: pl.DataFrame,
    affiliations: pl.DataFrame,
    authorships: pl.DataFrame,
    size: int,
    seed: str = SEED,
) -> pl.DataFrame:
    """Draw works for reading: columns `SHEET`, those to be filled in empty, in the order of reading.

    Parameters
    ----------
    works : table ``copublications``: the finite population.
    texts : table ``works``, for the abstracts.
    affiliations, authorships : what the authors give, side B's first (`copub.corpus.population`).
    size : works on the sheet; at most as many as there are.
    seed : the same seed draws the same works, and a larger sheet begins with the smaller one.

    Raises `InputError` if there is no work to read.
    """
    if works.is_empty():
        hint = "the run has none, or all of them were read to train the classifier, so that their topic is known"
        raise InputError("there is no work to read", hint=hint)
    sizes = sizes_of_strata(works)
    order = reading_order(sizes, size)
    taken, seen = Counter(order), Counter[Key]()
    rows = []
    for key in order:
        rows.append((*key, seen[key], round(sizes[key] / taken[key], 6)))
        seen[key] += 1
    places = pl.DataFrame(
        rows,
        schema={**dict.fromkeys(READING_STRATA, pl.Boolean), "place": pl.Int64, "stands_for": pl.Float64},
        orient="row",
    )
    placed = in_draw_order(with_strata(works), "work_id", seed=seed).with_columns(
        pl.int_range(pl.len()).over(READING_STRATA).alias("place")
    )
    drawn = places.join(placed, on=[*READING_STRATA, "place"], how="inner", maintain_order="left")
    return sheet_of(drawn, texts, affiliations, authorships)


def sheet_of(
    drawn: pl.DataFrame, texts: pl.DataFrame, affiliations: pl.DataFrame, authorships: pl.DataFrame
) -> pl.DataFrame:
    """Return rows of ``copublications`` with the column stands_for as a sheet to fill in, in their order (`SHEET`)."""
    empty = [pl.lit("").alias(name) for name in COLUMNS if name not in ("work_id", "stands_for")]
    return (
        drawn.join(texts.select("work_id", "abstract"), on="work_id", how="left", maintain_order="left")
        .join(_given(affiliations, authorships, drawn), on="work_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("abstract").str.slice(0, CELL),
            pl.col("publication_year", "stands_for").cast(pl.String),
            *empty,
        )
        .select(pl.col(SHEET).fill_null(""))
    )


def _given(affiliations: pl.DataFrame, authorships: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Return per work what its authors give as affiliations, those of side B first: as printed, or the name."""
    author = ["work_id", "author_seq"]
    return (
        affiliations.join(drawn.select("work_id"), on="work_id", how="semi")
        .join(authorships.select(*author, "on_side_b"), on=author, how="left")
        .with_columns(pl.coalesce("raw_affiliation_string", "institution_name").alias("affiliations"))
        .drop_nulls("affiliations")
        .sort("work_id", ~pl.col("on_side_b").fill_null(False), "author_seq", "affiliation_seq")
        .group_by("work_id", maintain_order=True)
        .agg(pl.col("affiliations").unique(maintain_order=True).str.join(" | ").str.slice(0, CELL))
    )
