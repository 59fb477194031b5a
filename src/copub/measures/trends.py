"""Trends: each measure per year and per period, its share and index, with the year's coverage beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from copub.intervals import wilson, with_intervals
from copub.lists.errorcounts import Errors
from copub.measures.coverage import explained_by_coverage
from copub.measures.shares import COUNTING_WEIGHT, MEASURES
from copub.parallel import Table, by_parts, columns_of
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

RECENT_MONTHS = 18
"""Indexing of the last months is not complete; see the limits that other trackers state."""


TRENDS = ("copublications", "critical", "listed", "critical_listed", "top_level")
"""Measures that are followed over the years."""
_READ = (
    "work_id", "publication_year", "is_critical", "is_listed", "is_critical_listed", "is_top_level", "classifiable",
    "classified_from", "has_institution", "has_affiliation",
)  # fmt: skip
"""What is read of the works of two years that are set against each other."""
_COUNTED = (
    "work_id", "publication_year", "weight", "weight_countries", "is_critical", "is_listed", "is_critical_listed",
    "is_top_level",
)  # fmt: skip
"""What is read of the works of a period."""


def trends(
    study: Study, copublications: pl.DataFrame, as_of: date | None, errors: Errors | None = None
) -> pl.DataFrame:
    """Return the table ``trends``: one row per measure, counting rule and year of the study.

    Years without works have rows with count 0. The index is 100 in the base year of the study, or in
    the first year whose count reaches the floor for small cells; under that floor there is no index.

    Parameters
    ----------
    as_of : day on which the records were as they are (`state_of`); years that end within 18 months
        before it are marked as recent. None marks nothing.
    errors : measured errors of classifier and matcher; without them no fall is explained.
    """
    years = pl.DataFrame({"year": range(study.year_from, study.year_to + 1)}, schema={"year": pl.Int32})
    coverage = years.join(_coverage(copublications), on="year", how="left")
    parts = []
    for measure in TRENDS:
        falls = _falls(study, measure, years, copublications, errors)
        parts += [
            _one(study, copublications, coverage, measure, counting).join(falls, on="year", how="left")
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
        pl.col("epoch").cast(pl.String).drop_nulls().unique().sort().str.join("+").alias("epochs")
    )
    known = years.join(by_year, on="year", how="left").sort("year")
    before = pl.col("epochs").forward_fill().shift(1)
    return known.with_columns(
        (pl.col("epochs").str.contains("+", literal=True) | (pl.col("epochs") != before))
        .fill_null(False)
        .alias("epoch_changes")
    )


def _falls(study: Study, measure: str, years: pl.DataFrame, works: pl.DataFrame, errors: Errors | None) -> pl.DataFrame:
    """Return per year whether the loss of coverage could explain a fall of the number of works.

    Null without a fall beyond chance, or where one of the two counts is under the floor.
    """
    counts = dict(works.group_by("publication_year").agg(_has(measure).sum()).iter_rows())
    rows: list[tuple[int, bool | None]] = []
    for year0, year1 in pairwise(years["year"]):
        count0, count1 = counts.get(year0, 0), counts.get(year1, 0)
        fell = min(count0, count1) >= max(study.small_cell, 1) and _fell(count0, count1, study.confidence)
        explained = None
        if fell:
            before, after = (works.select(_READ).filter(pl.col("publication_year") == year) for year in (year0, year1))
            explained = explained_by_coverage(measure, count0, count1, (before, after), errors)
        rows.append((year1, explained))
    return pl.DataFrame(rows, schema={"year": pl.Int32, "fall_within_coverage": pl.Boolean}, orient="row")


def _fell(earlier: int, later: int, confidence: float) -> bool:
    """Return whether a count fell by more than chance: given the sum of both, the later one is under its half."""
    return bool(wilson(later, earlier + later, confidence)[1] < 0.5)


def _has(measure: str) -> pl.Expr:
    return pl.col("work_id").is_not_null() if measure == "copublications" else MEASURES[measure][0]


def state_of(works: Table, retrieved: date | None) -> date | None:
    """Return the day on which the records were as they are: of the retrieval, else of the newest update.

    Parameters
    ----------
    works : updated_date, as a date, is read.
    retrieved : date of the last retrieval; None for works files, which do not tell it.
    """
    if retrieved is not None:
        return retrieved
    dated = columns_of(works, "work_id", "updated_date")
    newest = by_parts(dated, lambda part: part.select(pl.col("updated_date").max())).to_series().max()
    return newest if isinstance(newest, date) else None


def last_sure_year(as_of: date | None) -> int:
    """Return the last year that ended 18 months before a day; a far year if the day is unknown."""
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
    has = _has(measure)
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
    ).drop("numerator", "denominator", "squares")


def _base(study: Study, frame: pl.DataFrame) -> tuple[int | None, float | None]:
    enough = pl.col("numerator") >= max(study.small_cell, 1)
    wanted = frame.filter(enough & (pl.col("year") == study.base_year if study.base_year else pl.lit(True)))
    return (int(wanted["year"][0]), float(wanted["numerator"][0])) if wanted.height else (None, None)


def periods(study: Study, works: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """Return the table ``periods``: shares over the shortest runs of years with enough works for a share.

    Years are joined from the first on until their co-publications reach the floor for rates; a rest under
    it joins the period before. Recent years make periods of their own, for they are not complete.
    Parameters as in `trends`.
    """
    spans = _spans(study, works, last_sure_year(as_of))
    placed = works.select(_COUNTED).join(spans, left_on="publication_year", right_on="year")
    span = ["year_from", "year_to", "is_recent"]
    every = pl.col("work_id").is_not_null()
    parts = [
        spans.select(span)
        .unique()
        .join(
            placed.group_by(span).agg(
                (weight * _has(measure)).sum().alias("numerator"),
                (weight * every).sum().alias("denominator"),
                (weight * weight * every).sum().alias("squares"),
            ),
            on=span,
            how="left",
        )
        .with_columns(pl.col("numerator", "denominator", "squares").fill_null(0.0))
        .with_columns(pl.lit(measure).alias("measure"), pl.lit(counting).alias("counting"))
        for measure in TRENDS[1:]
        for counting, weight in COUNTING_WEIGHT.items()
    ]
    small = (pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)
    return conform(
        "periods",
        with_intervals(pl.concat(parts), study.confidence).drop("squares").with_columns(small.alias("is_small")),
    )


def _spans(study: Study, works: pl.DataFrame, last_sure: int) -> pl.DataFrame:
    """Return for each year of the study the first and last year of its period, and whether that is recent."""
    counts = dict(works.group_by("publication_year").len().iter_rows())
    rows: list[tuple[int, int, int, bool]] = []
    for recent in (False, True):
        years = [year for year in range(study.year_from, study.year_to + 1) if (year > last_sure) == recent]
        groups: list[list[int]] = []
        for year in years:
            if not groups or _works_in(groups[-1], counts) >= study.small_rate:
                groups.append([])
            groups[-1].append(year)
        if len(groups) > 1 and _works_in(groups[-1], counts) < study.small_rate:
            groups[-2:] = [[*groups[-2], *groups[-1]]]
        rows += [(year, group[0], group[-1], recent) for group in groups for year in group]
    schema = {"year": pl.Int32, "year_from": pl.Int32, "year_to": pl.Int32, "is_recent": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _works_in(years: Sequence[int], counts: Mapping[int, int]) -> int:
    return sum(counts.get(year, 0) for year in years)
