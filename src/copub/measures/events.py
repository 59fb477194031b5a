"""Before and after a dated event: shares, their difference, and what coverage did meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.intervals import DIGITS, newcombe_difference
from copub.measures.coverage import explained_by_coverage
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Event, Study

WINDOW_YEARS = 3
"""Works up to this many years before and after the event are compared."""

_HAS: Mapping[str, pl.Expr] = {
    "critical": pl.col("is_critical"),
    "listed": pl.col("is_listed"),
    "critical_listed": pl.col("is_critical_listed"),
    "top_level": pl.col("is_top_level"),
}


def measures_of(study: Study) -> dict[str, pl.Expr]:
    """Return what is compared: the study's measures, and works that name an institution of each further list.

    A rule often speaks of another list than the headline's.
    """
    return {**_HAS, **{f"on {name}": pl.col("watchlists").list.contains(name) for name in study.other_watchlists}}


def events(study: Study, works: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``events``.

    Parameters
    ----------
    works : table ``copublications``. Works without a date, and works dated 1 January of the
        event's year (mostly: only the year is known), are left out and counted, unless the
        event itself is of 1 January.
    """
    rows = [row for event in study.events for row in _rows(study, event, works)]
    frame = pl.DataFrame(rows, schema=TABLES["events"].schema)
    return conform("events", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def day_of(text: str) -> date:
    """Return the first day of a date given as YYYY, YYYY-MM or YYYY-MM-DD."""
    parts = [int(part) for part in text.split("-")]
    return date(*([*parts, 1, 1])[:3])


def _rows(study: Study, event: Event, works: pl.DataFrame) -> list[dict[str, Any]]:
    day = day_of(event.date)
    first = _shifted(day, -WINDOW_YEARS)
    end = _shifted(day, WINDOW_YEARS)
    when = pl.col("publication_date")
    unsure = (when == date(day.year, 1, 1)) if day != date(day.year, 1, 1) else pl.lit(False)
    unsure = unsure | (when.is_null() & (pl.col("publication_year") == day.year))
    window = works.filter(when.is_between(first, end, closed="left") | (unsure & when.is_not_null()) | when.is_null())
    undated = window.filter(unsure).height
    before = window.filter(~unsure & when.is_between(first, day, closed="left"))
    after = window.filter(~unsure & when.is_between(day, end, closed="left"))
    shared = {
        "date": event.date,
        "label": event.label,
        "before_from": first,
        "after_to": end,
        "undated": undated,
        "before_with_institution": _mean(before, pl.col("has_institution")),
        "after_with_institution": _mean(after, pl.col("has_institution")),
        "before_with_abstract": _mean(before, pl.col("abstract_status") == "full"),
        "after_with_abstract": _mean(after, pl.col("abstract_status") == "full"),
    }
    return [
        shared | _compared(study, measure, has, before, after) | {"measure": measure}
        for measure, has in measures_of(study).items()
    ]


def _compared(study: Study, measure: str, has: pl.Expr, before: pl.DataFrame, after: pl.DataFrame) -> dict[str, Any]:
    (k0, n0), (k1, n1) = ((int(w.select(has.sum()).item()), w.height) for w in (before, after))
    low, high = newcombe_difference(k0, n0, k1, n1, study.confidence)
    known = bool(n0 and n1)
    share0, share1 = (k / n if n else None for k, n in ((k0, n0), (k1, n1)))
    explained = None
    if share0 is not None and share1 is not None and share1 < share0:
        explained = explained_by_coverage(measure if measure in _HAS else "listed", share0, share1, before, after)
    return {
        "before_count": k0,
        "before_works": n0,
        "before_share": share0,
        "after_count": k1,
        "after_works": n1,
        "after_share": share1,
        "difference": share1 - share0 if share0 is not None and share1 is not None else None,
        "ci_low": low if known else None,
        "ci_high": high if known else None,
        "fall_within_coverage": explained,
        "is_small": n0 < study.small_rate or n1 < study.small_rate,
    }


def _shifted(day: date, years: int) -> date:
    # 29 February has no counterpart in most years.
    return date(day.year + years, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _mean(works: pl.DataFrame, has: pl.Expr) -> float | None:
    value = works.select(has.mean()).item()
    return None if value is None else float(value)
