"""Trends: each measure per year, its share and index, with the year's coverage beside it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from copub.intervals import with_intervals
from copub.measures.coverage import explained_by_coverage
from copub.measures.shares import COUNTING_WEIGHT, MEASURES
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

RECENT_MONTHS = 18
"""Indexing of the last months is not complete; see the limits that other trackers state."""


def trends(study: Study, copublications: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """Return the table ``trends``: one row per measure, counting rule and year of the study.

    Years without works have rows with count 0. The index is 100 in the base year of the
    study, or in the first year whose count reaches the floor for small cells.

    `as_of` is the date of the last retrieval; years that end within 18 months before it are
    marked as recent. None (works files) marks nothing.
    """
    years = pl.DataFrame({"year": range(study.year_from, study.year_to + 1)}, schema={"year": pl.Int32})
    coverage = years.join(_coverage(copublications), on="year", how="left")
    parts = [
        _one(study, copublications, coverage, measure, counting)
        for measure in ("copublications", "critical", "listed", "critical_listed", "top_level")
        for counting in COUNTING_WEIGHT
    ]
    last_sure = last_sure_year(as_of)
    return conform(
        "trends",
        pl.concat(parts)
        .join(_epochs(years, copublications), on="year", how="left")
        .with_columns((pl.col("year") > last_sure).alias("is_recent")),
    )


def _epochs(years: pl.DataFrame, works: pl.DataFrame) -> pl.DataFrame:
    by_year = works.group_by(pl.col("publication_year").alias("year")).agg(
        pl.col("epoch").drop_nulls().unique().sort().str.join("+").alias("epochs")
    )
    known = years.join(by_year, on="year", how="left").sort("year")
    before = pl.col("epochs").forward_fill().shift(1)
    return known.with_columns(
        (pl.col("epochs").str.contains("+", literal=True) | (pl.col("epochs") != before))
        .fill_null(False)
        .alias("epoch_changes")
    )


def _falls(measure: str, full: pl.DataFrame, works: pl.DataFrame) -> pl.Series:
    """Return per year whether the loss of coverage could explain a fall of the count; null without a fall."""
    of_year = {year: part for (year,), part in works.group_by("publication_year")}
    nothing = works.clear()
    flags: list[bool | None] = [None] * min(full.height, 1)
    rows = list(zip(full["year"], full["numerator"], strict=True))
    for (year0, count0), (year1, count1) in pairwise(rows):
        fell = count1 < count0
        parts = (of_year.get(year0, nothing), of_year.get(year1, nothing))
        flags.append(explained_by_coverage(measure, count0, count1, *parts) if fell and parts[1].height else None)
    return pl.Series("fall_within_coverage", flags, dtype=pl.Boolean)


def last_sure_year(as_of: date | None) -> int:
    """Return the last year that ended 18 months before the retrieval; a far year if that is unknown."""
    if as_of is None:
        return 10_000
    months = as_of.year * 12 + as_of.month - 1 - RECENT_MONTHS
    return months // 12 - 1


def _coverage(works: pl.DataFrame) -> pl.DataFrame:
    return works.group_by(pl.col("publication_year").alias("year")).agg(
        (pl.col("abstract_status") == "full").mean().alias("with_abstract"),
        pl.col("has_institution").mean().alias("with_institution"),
    )


def _one(study: Study, works: pl.DataFrame, years: pl.DataFrame, measure: str, counting: str) -> pl.DataFrame:
    every = pl.col("work_id").is_not_null()
    has = every if measure == "copublications" else MEASURES[measure][0]
    weight = COUNTING_WEIGHT[counting]
    counted = works.group_by(pl.col("publication_year").alias("year")).agg(
        (weight * has).sum().alias("numerator"),
        (weight * every).sum().alias("denominator"),
        (weight * weight * every).sum().alias("squares"),
    )
    full = years.join(counted, on="year", how="left").with_columns(
        pl.col("numerator", "denominator", "squares").fill_null(0.0)
    )
    frame = with_intervals(full.sort("year"), study.confidence)
    base_year, base = _base(study, frame)
    return frame.with_columns(
        pl.lit(measure).alias("measure"),
        pl.lit(counting).alias("counting"),
        pl.col("numerator").alias("count"),
        (pl.lit(100.0 / base if base else None, dtype=pl.Float64) * pl.col("numerator")).alias("index"),
        pl.lit(base_year, dtype=pl.Int32).alias("base_year"),
        ((pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)).alias("is_small"),
        _falls(measure, frame, works),
    ).drop("numerator", "denominator", "squares")


def _base(study: Study, frame: pl.DataFrame) -> tuple[int | None, float | None]:
    wanted = frame.filter(
        pl.col("year") == study.base_year if study.base_year else pl.col("numerator") >= max(study.small_cell, 1)
    )
    if wanted.is_empty() or wanted["numerator"][0] == 0:
        return None, None
    return int(wanted["year"][0]), float(wanted["numerator"][0])
