"""From cells to shares: the measures of a run, with their intervals, from sums over works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from copub.atlas.cells import CRITICAL, EVERY_WORK, NO_LIST, SUMS
from copub.intervals import effective_trials, with_intervals
from copub.measures.shares import COUNTING_WEIGHT, MEASURES, OWN_PART

if TYPE_CHECKING:
    from copub.atlas.stored import Atlas

_OF_COUNTING: Mapping[str, tuple[str, str]] = {
    "full": ("works", "works"),
    "fractional-authors": ("weight", "weight_squares"),
    "fractional-countries": ("weight_countries", "weight_countries_squares"),
}
"""Counting -> the sums of weights and of their squares that a cell holds."""
assert _OF_COUNTING.keys() == COUNTING_WEIGHT.keys()


@dataclass(frozen=True, slots=True)
class SharesAsked:
    """What shares are asked for.

    area : "critical", or an area that takes its place. list : what counts as listed. by : columns of cells by which
    works are kept apart, such as a, b and year. counting : rules of counting; measures : names of `MEASURES`.
    """

    list: str
    area: str = CRITICAL
    by: tuple[str, ...] = ("a", "b")
    counting: tuple[str, ...] = tuple(COUNTING_WEIGHT)
    measures: tuple[str, ...] = tuple(MEASURES)


def shares_of(atlas: Atlas, cells: pl.LazyFrame, asked: SharesAsked) -> pl.DataFrame:
    """Return shares with their intervals, as table ``shares`` of a run has them.

    Parameters
    ----------
    cells : cells of the pairs and years that are asked for.

    Returns
    -------
    Columns of `SharesAsked.by`, then area, list, measure, counting, numerator, denominator, trials (Kish's effective
    number of works, on which the interval rests), share, ci_low, ci_high, interval, confidence, is_small.
    """
    settings = atlas.settings
    classes = _classes(cells, asked).collect()
    kinds = [(m, c) for m in asked.measures for c in asked.counting if c == "full" or m not in OWN_PART]
    rows = pl.concat(_counted(classes, asked.by, measure, counting) for measure, counting in kinds)
    found = with_intervals(rows, settings["confidence"])
    small = (pl.col("numerator") < settings["small_cell"]) | (pl.col("denominator") < settings["small_rate"])
    return found.select(
        *asked.by,
        pl.lit(asked.area).alias("area"),
        pl.lit(asked.list).alias("list"),
        "measure",
        "counting",
        pl.col("numerator", "denominator") + 0.0,  # no minus before a zero
        pl.Series("trials", effective_trials(found["denominator"].to_numpy(), found["squares"].to_numpy())),
        "share",
        "ci_low",
        "ci_high",
        pl.when(pl.col("denominator") == 0)
        .then(pl.lit("none"))
        .when(pl.col("counting") == "full")
        .then(pl.lit("wilson"))
        .otherwise(pl.lit("wilson-effective"))
        .alias("interval"),
        pl.lit(settings["confidence"]).alias("confidence"),
        small.alias("is_small"),
    ).sort(*asked.by, maintain_order=True)


def _classes(cells: pl.LazyFrame, asked: SharesAsked) -> pl.LazyFrame:
    """Return the works of cells in classes that exclude each other, with the flags that measures read.

    Cells of all works hold those of the area too, and cells without a list those with one; taking the smaller
    from the larger leaves classes. Every sum is linear, so the difference is a row with a negative sign.
    """
    own = cells.filter(pl.col("list").is_in([NO_LIST, asked.list]) & pl.col("area").is_in([EVERY_WORK, asked.area]))
    is_of_area, is_listed = pl.col("area") == asked.area, pl.col("list") != NO_LIST
    rows = own.with_columns(is_critical=is_of_area, is_of_list=is_listed)
    not_critical = rows.filter("is_critical").with_columns(pl.col(SUMS) * -1, is_critical=pl.lit(False))
    by_area = pl.concat([rows, not_critical])
    not_listed = by_area.filter("is_of_list").with_columns(
        pl.col(SUMS) * -1, is_of_list=pl.lit(False), category=pl.lit("none"), is_top_level=pl.lit(False)
    )
    not_listed = not_listed.with_columns(listed_authors=pl.lit(0.0))
    listed = pl.col("category") == "counted"
    return (
        pl.concat([by_area, not_listed])
        .with_columns(listing_category="category", is_listed=listed, listed_fraction="listed_authors")
        .with_columns(
            is_critical_listed=pl.col("is_critical") & listed,
            # of a run, this flag is of critical works alone
            is_top_level=pl.col("is_critical") & pl.col("is_top_level"),
            work_id=pl.lit(""),
        )
    )


def _counted(classes: pl.DataFrame, by: Sequence[str], measure: str, counting: str) -> pl.DataFrame:
    has, of = MEASURES[measure]
    total, squares = _OF_COUNTING[counting]
    # a measure of parts of works sums the parts themselves, which a cell holds already
    numerator = pl.lit(1.0) if measure in OWN_PART else pl.col(total)
    return classes.group_by(by, maintain_order=True).agg(
        pl.lit(measure).alias("measure"),
        pl.lit(counting).alias("counting"),
        (numerator * has * of).sum().cast(pl.Float64).alias("numerator"),
        (pl.col(total) * of).sum().cast(pl.Float64).alias("denominator"),
        (pl.col(squares) * of).sum().cast(pl.Float64).alias("squares"),
    )
