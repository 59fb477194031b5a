"""Before and after a dated event: shares, their difference, what the trend before lets expect, and coverage.

The trend before the event is a logistic regression of the share on time, quasi-binomial: its variance
widens with the scatter about the curve. Source of interrupted series: A. K. Wagner, S. B. Soumerai,
F. Zhang, D. Ross-Degnan (2002), Journal of Clinical Pharmacy and Therapeutics 27; of the fit:
P. McCullagh, J. A. Nelder (1989), Generalized Linear Models, chapters 4 and 9.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from copub.intervals import DIGITS, newcombe_difference
from copub.lists.errorcounts import Errors
from copub.measures.coverage import explained_by_coverage
from copub.measures.trends import last_sure_year
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Event, Study

Array = NDArray[np.float64]

WINDOW_YEARS = 3
"""Works up to this many years before and after the event are compared."""
TREND_YEARS, LEAST_BINS = 10, 5
"""The trend is that of at most so many years before the event, of which at least so many have works."""
DAYS = 365.25
STEPS, TOLERANCE = 100, 1e-12
_READ = (
    "publication_date", "publication_year", "is_critical", "is_listed", "is_critical_listed", "is_top_level",
    "watchlists", "abstract_status", "classifiable", "classified_from", "has_institution", "has_affiliation",
)  # fmt: skip
"""Columns of table ``copublications`` that are read: copies of the others would take memory."""

_HAS: Mapping[str, pl.Expr] = {
    "critical": pl.col("is_critical"),
    "listed": pl.col("is_listed"),
    "critical_listed": pl.col("is_critical_listed"),
    "top_level": pl.col("is_top_level"),
}


class Beyond(NamedTuple):
    """The share that the trend before the event lets expect after it, and what was found beyond that."""

    expected_share: float | None = None
    beyond_trend: float | None = None
    beyond_low: float | None = None
    beyond_high: float | None = None


def measures_of(study: Study) -> dict[str, pl.Expr]:
    """Return what is compared: the study's measures, and works that name an institution of each further list.

    A rule often refers to another list than the headline's.
    """
    return {**_HAS, **{f"on {name}": pl.col("watchlists").list.contains(name) for name in study.other_watchlists}}


def events(study: Study, works: pl.DataFrame, as_of: date | None = None, errors: Errors | None = None) -> pl.DataFrame:
    """Return the table ``events``.

    Parameters
    ----------
    works : table ``copublications``. Works dated 1 January of the event's year (mostly: only the
        year is known), are left out and counted, unless the event itself is of 1 January.
    as_of : as for `trends`: works of years that are not complete are left out and counted.
    errors : measured errors of classifier and matcher; without them no fall is explained.
    """
    last_sure = last_sure_year(as_of)
    rows = [row for event in study.events for row in _rows(study, event, works, last_sure, errors)]
    frame = pl.DataFrame(rows, schema=TABLES["events"].schema)
    return conform("events", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def day_of(text: str) -> date:
    """Return the first day of a date given as YYYY, YYYY-MM or YYYY-MM-DD."""
    parts = [int(part) for part in text.split("-")]
    return date(*([*parts, 1, 1])[:3])


class Windows(NamedTuple):
    """Works before an event are from `first` to before its day, those after it from `start` to before `end`."""

    first: date
    start: date
    end: date


def windows_of(study: Study, day: date, lag_months: int, last_sure: int) -> Windows:
    """Return the windows of an event within the years of the study that are complete.

    A year that is not complete holds the works that are indexed first, which may differ from the others.
    """
    return Windows(
        max(shifted(day, -12 * WINDOW_YEARS), date(study.year_from, 1, 1)),
        shifted(day, lag_months),
        min(shifted(day, 12 * WINDOW_YEARS), date(min(study.year_to, last_sure) + 1, 1, 1)),
    )


def _rows(
    study: Study, event: Event, works: pl.DataFrame, last_sure: int, errors: Errors | None
) -> list[dict[str, Any]]:
    day = day_of(event.date)
    first, start, end = windows_of(study, day, event.lag_months, last_sure)
    when = pl.col("publication_date")
    unsure = (when == date(day.year, 1, 1)) if day != date(day.year, 1, 1) else pl.lit(False)
    unsure = unsure | (when.is_null() & (pl.col("publication_year") == day.year))
    read = works.lazy().select(_READ).filter(~unsure & when.is_not_null())  # lazily: no copy but of what is looked at

    def between(begin: date, until: date) -> pl.DataFrame:
        return read.filter(when.is_between(begin, until, closed="left")).collect()

    before, after = between(first, day), between(start, end)
    earlier = between(shifted(day, -12 * TREND_YEARS), day)
    shared = {
        "date": event.date,
        "label": event.label,
        "lag_months": event.lag_months,
        "before_from": first,
        "after_from": start,
        "after_to": max(start, end),
        "undated": works.select(unsure.sum()).item(),
        "incomplete": between(max(start, end), shifted(day, 12 * WINDOW_YEARS)).height,
        "before_with_institution": _mean(before, pl.col("has_institution")),
        "after_with_institution": _mean(after, pl.col("has_institution")),
        "before_with_abstract": _mean(before, pl.col("abstract_status") == "full"),
        "after_with_abstract": _mean(after, pl.col("abstract_status") == "full"),
    }
    return [
        shared
        | {"measure": measure}
        | _compared(study, measure, has, (before, after), errors)
        | beyond_trend(
            _bins(earlier, has, day), _times(after, day), _count(after, has), study.confidence, study.small_cell
        )._asdict()
        for measure, has in measures_of(study).items()
    ]


def _compared(
    study: Study, measure: str, has: pl.Expr, parts: tuple[pl.DataFrame, pl.DataFrame], errors: Errors | None
) -> dict[str, Any]:
    (k0, n0), (k1, n1) = ((_count(part, has), part.height) for part in parts)
    low, high = newcombe_difference(k0, n0, k1, n1, study.confidence)
    known = bool(n0 and n1)
    share0, share1 = (k / n if n else None for k, n in ((k0, n0), (k1, n1)))
    explained = None
    if share0 is not None and share1 is not None and high < 0 and min(k0, k1) >= max(study.small_cell, 1):
        explained = explained_by_coverage(measure if measure in _HAS else "listed", share0, share1, parts, errors)
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
        "is_small": min(n0, n1) < study.small_rate or min(k0, k1) < study.small_cell,
    }


def _bins(works: pl.DataFrame, has: pl.Expr, day: date) -> Array:
    """Return middle, works with the property and works of each year before the event that has works."""
    back = (pl.lit(day) - pl.col("publication_date")).dt.total_days() - 1
    bins = (
        works.group_by((back / DAYS).floor().cast(pl.Int32).alias("bin"))
        .agg(has.sum().alias("count"), pl.len().alias("works"))
        .sort("bin", descending=True)
    )
    return bins.select(-pl.col("bin") - 0.5, "count", "works").to_numpy().astype(np.float64)


def _times(works: pl.DataFrame, day: date) -> Array:
    """Return the years from the event to each work, sorted, so that sums do not depend on the order of works."""
    days = works.select((pl.col("publication_date") - pl.lit(day)).dt.total_days()).to_series().sort()
    return days.to_numpy().astype(np.float64) / DAYS


def beyond_trend(bins: Array, times: Array, count: int, confidence: float, least: int = 1) -> Beyond:
    """Return how far the share after an event is from what the trend before it lets expect.

    Parameters
    ----------
    bins : rows of time, works with the property, works, before the event.
    times : time of each work after it.
    count : works with the property among these.
    least : with fewer works before the event that have the property, or that lack it, there is no trend.

    The expectation is the mean of the fitted curve at `times`; its variance comes by the delta method,
    that of the works after by the binomial law, both times the dispersion (at least 1), with Student's t.
    """
    time, found, of = bins.T
    fewest = min(found.sum(), (of - found).sum())
    if len(bins) < LEAST_BINS or not times.size or fewest < max(least, 1) or _is_separated(time, found, of):
        return Beyond()
    x = np.column_stack([np.ones_like(time), time])
    beta = np.array([logit(found.sum() / of.sum()), 0.0])
    for _ in range(STEPS):
        chance = expit(x @ beta)
        step = np.linalg.solve(x.T @ ((of * chance * (1 - chance))[:, None] * x), x.T @ (found - of * chance))
        step *= min(1.0, 1.0 / max(np.abs(step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < TOLERANCE:
            break
    chance = expit(x @ beta)
    variance = of * chance * (1 - chance)
    freedom = len(bins) - 2
    dispersion = max(1.0, float(((found - of * chance) ** 2 / variance).sum() / freedom))
    after = expit(beta[0] + beta[1] * times)
    spread = after * (1 - after)
    slope = np.array([spread.mean(), (spread * times).mean()])
    of_fit = slope @ np.linalg.inv(x.T @ (variance[:, None] * x)) @ slope
    reach = stdtrit(freedom, 0.5 + confidence / 2) * np.sqrt(dispersion * (of_fit + spread.mean() / times.size))
    expected = float(after.mean())
    difference = count / times.size - expected
    return Beyond(expected, difference, float(difference - reach), float(difference + reach))


def _is_separated(time: Array, found: Array, of: Array) -> bool:
    """Say whether a point in time parts the works with the property from those without: no curve fits best then."""
    having, lacking = time[found > 0], time[found < of]
    return bool(having.max() <= lacking.min() or lacking.max() <= having.min())


def shifted(day: date, months: int) -> date:
    """Return the day so many months later; in a shorter month its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _count(works: pl.DataFrame, has: pl.Expr) -> int:
    return int(works.select(has.sum()).item())


def _mean(works: pl.DataFrame, has: pl.Expr) -> float | None:
    value = works.select(has.mean()).item()
    return None if value is None else float(value)
