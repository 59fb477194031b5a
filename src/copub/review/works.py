"""Drawing a sample of a study's own works for reading: stratified by decision and score, by a hash of the id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from copub.draw import in_draw_order
from copub.lists.labels import COLUMNS
from copub.measures.strata import with_strata
from copub.names import READING_STRATA, SEED

CELL = 30_000
"""Characters of a cell of the sheet; a spreadsheet holds 32,767."""
SHOWN = ("work_id", "doi", "publication_year", "title", "abstract", "affiliations")
SHEET = (*SHOWN, *(name for name in COLUMNS if name not in SHOWN))
"""Columns of the sheet. It does not show what copub decided: people read blind."""

Key = tuple[bool, bool, bool]


def reading_order(sizes: Mapping[Key, int], total: int) -> list[Key]:
    """Return the stratum of the first work to read, of the second, and so on.

    A stratum is read in proportion to the root of its size: a compromise between shares (in
    proportion) and rare decisions (equal parts). Every stratum has one before another has two, and
    a longer order begins with the shorter one, so readers may stop anywhere. Source: M. D. Bankier
    (1988), Power allocations, The American Statistician 42; rounded by the divisors of Adams.
    """
    taken, order = dict.fromkeys(sizes, 0), list[Key]()
    for _ in range(min(total, sum(sizes.values()))):
        open_ = [key for key in sorted(sizes) if taken[key] < sizes[key]]
        # size / n squared orders as its root / n does, and exactly
        order.append(max(open_, key=lambda key: (not taken[key], Fraction(sizes[key], max(taken[key], 1) ** 2))))
        taken[order[-1]] += 1
    return order


def allocate(sizes: Mapping[Key, int], total: int) -> dict[Key, int]:
    """Return how many works of each stratum are read if `total` works are (`reading_order`)."""
    return dict.fromkeys(sizes, 0) | Counter(reading_order(sizes, total))


def sizes_of_strata(works: pl.DataFrame) -> dict[Key, int]:
    """Return the number of works of each stratum of table ``copublications``."""
    counted = with_strata(works).group_by(READING_STRATA).len().sort(READING_STRATA)
    return {(a, b, c): count for a, b, c, count in counted.iter_rows()}


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
    affiliations, authorships : the tables of these names, for what the authors give, side B's first.
    size : works on the sheet; at most as many as there are.
    seed : the same seed draws the same works, and a larger sheet begins with the smaller one.
    """
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
