"""A dated event in one pair, with the other pairs of a panel as controls, and with placebo dates.

The change of the share of a pair after an event, minus that of the rest of the panel: a difference in differences
(J. D. Angrist, J.-S. Pischke 2009, Mostly Harmless Econometrics, chapter 5). What moves all pairs alike, such as a
change of OpenAlex or of a whole field, falls out. Years scatter more than works drawn at random do, so the same is
computed at placebo dates, whole years before the event, where nothing happened: their scatter gives the interval
(empirical calibration: M. J. Schuemie et al. 2014, Statistics in Medicine 33, 209-218). M. Bertrand, E. Duflo,
S. Mullainathan (2004), Quarterly Journal of Economics 119, 249-275, show how far intervals without it err.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from copub.intervals import DIGITS
from copub.measures.events import WINDOW_YEARS, Windows, day_of, shifted, windows_of
from copub.measures.panelworks import MEASURES, PairWorks
from copub.measures.presence import Array
from copub.measures.trends import last_sure_year
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Event, Study

LEAST_PLACEBOS = 4
"""With fewer placebo dates there is no interval."""
_FURTHEST = 2.0
"""No difference of two changes of shares is further from 0."""
_OVERLAP = 2.28
"""Placebo dates per degree of freedom: windows of three years before and after, a year apart, share years. It is one
plus twice the sum of squares of the correlations 1/2, 0, -1/2, -1/3, -1/6 of such differences at 1 to 5 years."""


class Counts(NamedTuple):
    """Works with the property and works, before and after, of a pair and of the rest: numbers, or arrays of them."""

    before: Any
    before_of: Any
    after: Any
    after_of: Any
    rest_before: Any
    rest_before_of: Any
    rest_after: Any
    rest_after_of: Any


class Compared(NamedTuple):
    """The difference in differences, its interval, the scatter of placebo dates beyond chance, how many are as far."""

    difference: float
    low: float
    high: float
    scatter: float
    placebo_dates: int
    placebo_beyond: int


def difference_in_differences(counts: Counts) -> tuple[Array, Array]:
    """Return the difference in differences, and its variance if works were drawn at random; NaN without works.

    Half a work is added to both sides of each share in the variance, so that a share of 0 has one.
    """
    sides = np.array(counts, dtype=np.float64).reshape(4, 2, -1)
    found, of = sides[:, 0], sides[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after, rest_before, rest_after = np.where(of > 0, found / of, np.nan)
        near = (found + 0.5) / (of + 1)
        variance = (near * (1 - near) / of).sum(axis=0)
    return (after - before) - (rest_after - rest_before), np.asarray(variance)


def against_placebos(event: Counts, placebos: Counts, confidence: float) -> Compared:
    """Return the difference in differences of an event with the interval that the scatter of placebo dates gives.

    Parameters
    ----------
    event : counts of the event. placebos : the same at each placebo date.
    """
    (value,), (variance,) = difference_in_differences(event)
    values, variances = difference_in_differences(placebos)
    known = ~np.isnan(values)
    number = int(known.sum())
    beyond = int((np.abs(values[known]) >= abs(value)).sum())
    if np.isnan(value) or number < LEAST_PLACEBOS:
        return Compared(float(value), np.nan, np.nan, np.nan, number, beyond)
    scatter = max(0.0, float((values[known] ** 2 - variances[known]).mean()))
    reach = float(stdtrit(max(1.0, number / _OVERLAP), 0.5 + confidence / 2) * np.sqrt(scatter + variance))
    low, high = max(float(value) - reach, -_FURTHEST), min(float(value) + reach, _FURTHEST)
    return Compared(float(value), low, high, scatter**0.5, number, beyond)


def panel_events(
    study: Study,
    pairs: Sequence[PairWorks],
    works: pl.DataFrame,
    whole: Mapping[str, Array],
    in_panel: NDArray[np.bool_],
    as_of: date | None,
) -> pl.DataFrame:
    """Return the table ``panel_events``: one row per event, pair and measure.

    Parameters
    ----------
    works : table ``copublications`` of the whole. whole : by measure, 1 for each of these works that has it.
    in_panel : whether a work is of any pair.
    as_of : as for `copub.measures.trends.trends`.
    """
    rows = [row for event in study.events for row in _rows(study, event, pairs, works, whole, in_panel, as_of)]
    frame = pl.DataFrame(rows, schema=TABLES["panel_events"].schema)
    return conform("panel_events", frame.with_columns(pl.col(pl.Float64).fill_nan(None).round(DIGITS)))


def placebo_dates(study: Study, day: date) -> list[date]:
    """Return the dates whole years before an event whose windows are within the study and end before the event."""
    found = (shifted(day, -12 * years) for years in range(WINDOW_YEARS, day.year - study.year_from + 1))
    return [one for one in found if shifted(one, -12 * WINDOW_YEARS) >= date(study.year_from, 1, 1)]


def _rows(
    study: Study,
    event: Event,
    pairs: Sequence[PairWorks],
    works: pl.DataFrame,
    whole: Mapping[str, Array],
    in_panel: NDArray[np.bool_],
    as_of: date | None,
) -> Iterator[dict[str, Any]]:
    day, last_sure = day_of(event.date), last_sure_year(as_of)
    days = [day, *placebo_dates(study, day)]
    windows = [windows_of(study, one, event.lag_months, last_sure) for one in days]
    when = works["publication_date"]
    masks = [_masks(when, one, span) for one, span in zip(days, windows, strict=True)]
    for measure in MEASURES:
        every = np.array([[_count(mask & in_panel, whole[measure]) for mask in both] for both in masks])
        for one in pairs:
            own = np.array([[_count(mask[one.places], one.has[measure]) for mask in both] for both in masks])
            same = np.array([[_count(mask[one.places], whole[measure][one.places]) for mask in both] for both in masks])
            rest = every - same
            table = np.concatenate([own.reshape(-1, 4), rest.reshape(-1, 4)], axis=1).T
            counts, placebos = Counts(*table[:, 0]), Counts(*table[:, 1:])
            found = against_placebos(counts, placebos, study.confidence)
            small = min(counts.before_of, counts.after_of) < study.small_rate
            yield {
                "date": event.date,
                "label": event.label,
                "pair": one.pair.key,
                "measure": measure,
                **_columns(counts),
                "before_share": _share(counts.before, counts.before_of),
                "after_share": _share(counts.after, counts.after_of),
                "change": _share(counts.after, counts.after_of) - _share(counts.before, counts.before_of),
                "rest_change": _share(counts.rest_after, counts.rest_after_of)
                - _share(counts.rest_before, counts.rest_before_of),
                **found._asdict(),
                "confidence": study.confidence,
                "is_small": bool(small or min(counts.before, counts.after) < study.small_cell),
            }


def _columns(counts: Counts) -> dict[str, float]:
    named = counts._asdict().items()
    return {
        f"{name.removesuffix('_of')}_{'works' if name.endswith('_of') else 'count'}": value for name, value in named
    }


def _share(count: float, of: float) -> float:
    return count / of if of else float("nan")


def _masks(when: pl.Series, day: date, windows: Windows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which works are in the windows; those dated 1 January of the event's year mostly have a year only."""
    unsure = (when == date(day.year, 1, 1)) if day != date(day.year, 1, 1) else pl.repeat(False, len(when), eager=True)
    spans = ((windows.first, day), (windows.start, windows.end))
    before, after = ((when.is_between(*span, closed="left") & ~unsure).fill_null(False).to_numpy() for span in spans)
    return before, after


def _count(mask: NDArray[np.bool_], has: Array) -> tuple[float, float]:
    return float(has[mask].sum()), float(mask.sum())
