"""Published figures beside ours: theirs, ours, how the definitions differ. Nothing is tuned to agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.intervals import DIGITS, wilson
from copub.lists.published import Figure, Published
from copub.measures.readings import AT_PUBLICATION, SINCE, STUDY, WHENEVER
from copub.measures.readings import EVERY as EVERY_ENTITY
from copub.measures.tied import ANY_AREA, EVERY
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Tables = Mapping[str, pl.DataFrame]

AS_THE_STUDY, CORRECTED = "as this study", "corrected for measured errors"
CANNOT_TELL, NOT_COMPARABLE = "cannot tell", "not comparable"
WORKS_FILES = "works files are a part of the database, of unknown selection"
FEW = "our figure rests on too few works"
BOTH_WAYS = "our interval holds both directions"
YEARS = "years "
"""A reading of the years that a source names begins so: years 2016 to 2023."""
CONDITIONAL: Mapping[str, tuple[str, str]] = {
    # measure: works that have the property, works it is a share of
    "critical_given_listed": ("critical_listed", "listed"),
    "listed_given_critical": ("critical_listed", "critical"),
    "top_level_given_critical_listed": ("top_level", "critical_listed"),
}


@dataclass(frozen=True, slots=True)
class Ours:
    """Our figure, the ends of its interval where it has one, the works behind it, whether these are too few."""

    value: float | None
    low: float | None
    high: float | None
    works: float
    few: bool


class NotComparable(Exception):
    """The figure has no counterpart in this run; the text says why, with what it is about after a colon."""


def comparison(study: Study, published: Sequence[Published], tables: Tables, *, is_census: bool) -> pl.DataFrame:
    """Return the table ``comparison``, scale-free figures first, each under every reading that its source leaves.

    Parameters
    ----------
    tables : shares, trends, growth, readings, adjusted and tie_areas of the run.
    is_census : whether the records are all that the database holds of the question; works files are not.
    """
    figures = [(source, figure) for source in published for figure in source.figures]
    ordered = sorted(figures, key=lambda pair: (pair[1].kind == "context", not pair[1].scale_free))
    rows = [row for source, figure in ordered for row in _rows(study, source, figure, tables, is_census)]
    frame = pl.DataFrame(rows, schema={c: d for c, d in TABLES["comparison"].schema.items() if c != "position"})
    numbered = frame.with_row_index("position", offset=1)
    return conform("comparison", numbered.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _rows(study: Study, source: Published, figure: Figure, tables: Tables, is_census: bool) -> Iterator[dict[str, Any]]:
    ours = Ours(None, None, None, 0.0, False)
    others: dict[str, Ours] = {}
    left_open = list(source.open_of(figure))
    try:
        _check_definitions(study, source, figure)
        ours = _OURS[figure.kind](study, figure, tables)
        reasons = _reasons(figure, ours, is_census)
        verdict = _verdict(figure, ours, sure=not (reasons or left_open))
        others = _other_readings(study, source, figure, tables)
    except NotComparable as reason:
        verdict, reasons, left_open = NOT_COMPARABLE, [str(reason)], []
    for reading, one in {AS_THE_STUDY: ours, **others}.items():
        holds = is_census and figure.value is not None and not one.few and one.low is not None
        yield {
            "published": source.id,
            "figure": figure.id,
            "name": figure.name,
            "kind": figure.kind,
            "scale_free": figure.scale_free,
            "period": figure.period,
            "theirs": figure.value,
            "reading": reading,
            "ours": one.value,
            "ours_low": one.low,
            "ours_high": one.high,
            "ours_works": one.works,
            "is_small": one.few,
            "holds": _holds(figure, one) if holds and figure.kind != "sign" else None,
            "verdict": verdict,
            "reasons": reasons,
            "left_open": left_open,
            "status": figure.status,
            "definition": figure.definition,
            "differences": [*source.differences, *([figure.note] if figure.note else [])],
            "source": figure.source,
        }


def _check_definitions(study: Study, source: Published, figure: Figure) -> None:
    if figure.kind == "context":
        raise NotComparable("here for its context only")
    if set(source.side_a) != set(study.side_a.countries) or not set(source.side_b) & set(study.side_b.countries):
        raise NotComparable("another pair of countries")
    if figure.kind != "ties" and set(source.levels) != set(study.levels):
        raise NotComparable(f"they count other levels: {', '.join(source.levels) or 'every level'}")
    for year in (figure.year, figure.year_from, figure.year_to):
        if year is not None and not study.year_from <= year <= study.year_to:
            raise NotComparable(f"the study does not hold this year: {year}")


def _count(tables: Tables, measure: str, year: int) -> float:
    return float(tables["trends"].filter(measure=measure, counting="full", year=year)["count"][0])


def _ours_count(study: Study, figure: Figure, tables: Tables) -> Ours:
    count = _count(tables, figure.measure, figure.year or 0)
    return Ours(count, None, None, count, count < study.small_cell)


def _ours_share(study: Study, figure: Figure, tables: Tables) -> Ours:
    where = {"slice_kind": "year", "slice": str(figure.year)} if figure.year else {"slice_kind": "all", "slice": "all"}
    found = tables["shares"].filter(measure=figure.measure, counting="full", **where)
    if found.is_empty() or found["share"][0] is None:
        raise NotComparable("no works to take the share of")
    row = found.row(0, named=True)
    return Ours(row["share"], row["ci_low"], row["ci_high"], row["denominator"], row["is_small"])


def _ours_ratio(study: Study, figure: Figure, tables: Tables) -> Ours:
    first, last = (_count(tables, figure.measure, year or 0) for year in (figure.year_from, figure.year_to))
    if not first:
        raise NotComparable(f"no works in this year: {figure.year_from}")
    # Given their sum, the later count is a share of it; the ratio is that share's odds.
    low, high = (float(end) for end in wilson(last, first + last, study.confidence))
    few = min(first, last) < study.small_cell
    return Ours(last / first, low / (1 - low), high / (1 - high) if high < 1 else None, first + last, few)


def _ours_growth(study: Study, figure: Figure, tables: Tables) -> Ours:
    ratio = _ours_ratio(study, figure, tables)
    span = (figure.year_to or 0) - (figure.year_from or 0)
    value, low, high = (None if end is None else end ** (1 / span) - 1 for end in (ratio.value, ratio.low, ratio.high))
    return Ours(value, low, high, ratio.works, ratio.few)


def _ours_rank(study: Study, figure: Figure, tables: Tables) -> Ours:
    """Return the rank, 1 = most works, with the ranks that chance leaves: counts are equal unless beyond it."""
    areas = tables["shares"].filter(measure=figure.measure, counting="full", slice_kind="area")
    own = areas.filter(slice=figure.area)["numerator"]
    if own.is_empty():
        raise NotComparable(f"the headline taxonomy does not have this area: {figure.area}")
    if not areas["numerator"].sum():
        raise NotComparable("no works in any area")
    count = float(own[0])
    others = areas.filter(pl.col("slice") != figure.area)["numerator"].to_numpy()
    low, high = wilson(others, others + count, study.confidence)  # null if both are 0: nothing is known
    best, worst = 1 + int((low > 0.5).sum()), 1 + others.size - int((high < 0.5).sum())
    return Ours(1.0 + (others > count).sum(), float(best), float(worst), count, count < study.small_cell)


def _ours_sign(study: Study, figure: Figure, tables: Tables) -> Ours:
    found = tables["growth"].filter(measure=figure.measure, kind="relative to all co-publications")
    if found.is_empty() or found["growth"][0] is None:
        raise NotComparable("too few years with works to fit a trend")
    row = found.row(0, named=True)
    return Ours(row["growth"], row["ci_low"], row["ci_high"], row["works"], row["is_small"])


def _ours_ties(study: Study, figure: Figure, tables: Tables) -> Ours:
    links = dict(tables["tie_areas"].select("area", "links").iter_rows())
    if not links or figure.column not in tables["tie_areas"].columns:
        raise NotComparable("no ties are given to this study")
    if figure.row != EVERY and not links.get(ANY_AREA):
        raise NotComparable("the ties at hand name no priority area")
    if figure.row not in links:
        raise NotComparable(f"no tie at hand is in this area: {figure.row}")
    found = tables["tie_areas"].filter(area=figure.row)
    value = float(found[figure.column][0])
    return Ours(value, None, None, value, value < study.small_cell)


_OURS = {
    "count": _ours_count,
    "share": _ours_share,
    "ratio": _ours_ratio,
    "growth": _ours_growth,
    "rank": _ours_rank,
    "sign": _ours_sign,
    "ties": _ours_ties,
}


def _other_readings(study: Study, source: Published, figure: Figure, tables: Tables) -> dict[str, Ours]:
    """Return our share of the whole period under each other reading that the source leaves possible.

    Of a database that is not known there is no reading here.
    """
    if figure.kind != "share" or figure.year:
        return {}
    open_ = source.open_of(figure)
    found: dict[str, Ours] = {}
    if "levels" in open_:
        found[EVERY_ENTITY] = _share_under(study, figure, tables, EVERY_ENTITY, "full")
    if "dates" in open_:
        for reading in (AT_PUBLICATION, SINCE, WHENEVER):
            found[reading] = _share_under(study, figure, tables, reading, "full")
    if "counting" in open_:
        for counting in ("fractional-authors", "fractional-countries"):
            found[counting] = _share_under(study, figure, tables, STUDY, counting)
    if "period" in open_ and figure.year_from and figure.year_to:
        found[f"{YEARS}{figure.year_from} to {figure.year_to}"] = _share_of_years(study, figure, tables)
    row = tables["adjusted"].filter(measure=figure.measure, slice_kind="all").drop_nulls("adjusted")
    if row.height:
        one = row.row(0, named=True)
        ends = (one["adjusted"], one["adjusted_low"], one["adjusted_high"])
        found[CORRECTED] = Ours(*ends, one["denominator"], one["denominator"] < study.small_rate)
    return {reading: one for reading, one in found.items() if one.value is not None}


def _share_under(study: Study, figure: Figure, tables: Tables, reading: str, counting: str) -> Ours:
    """Return a share under a reading of the lists; where it is conditional, of two counts of that reading."""
    of_reading = tables["readings"].filter(reading=reading, counting=counting)
    rows = {row["measure"]: row for row in of_reading.iter_rows(named=True)}
    has, of = CONDITIONAL.get(figure.measure, (figure.measure, ""))
    if has not in rows or (of and of not in rows):
        return Ours(None, None, None, 0.0, True)
    row = rows[has]
    if not of:
        return Ours(row["share"], row["ci_low"], row["ci_high"], row["denominator"], row["is_small"])
    return _of_counts(study, row["numerator"], rows[of]["numerator"])


def _share_of_years(study: Study, figure: Figure, tables: Tables) -> Ours:
    has, of = CONDITIONAL.get(figure.measure, (figure.measure, "copublications"))
    within = tables["trends"].filter(
        pl.col("year").is_between(figure.year_from, figure.year_to), pl.col("counting") == "full"
    )
    return _of_counts(study, *(float(within.filter(measure=measure)["count"].sum()) for measure in (has, of)))


def _of_counts(study: Study, count: float, of: float) -> Ours:
    if not of:
        return Ours(None, None, None, 0.0, True)
    low, high = (float(end) for end in wilson(count, of, study.confidence))
    return Ours(count / of, low, high, of, count < study.small_cell or of < study.small_rate)


def _reasons(figure: Figure, ours: Ours, is_census: bool) -> list[str]:
    """Return what is in the way of a verdict on our side."""
    return [
        *([] if is_census or figure.kind == "ties" else [WORKS_FILES]),
        *([FEW] if ours.few else []),
        *([BOTH_WAYS] if figure.kind == "sign" and not _is_sure(ours) else []),
    ]


def _verdict(figure: Figure, ours: Ours, *, sure: bool) -> str:
    """Return how two figures compare; `sure` says that nothing is in the way."""
    if ours.value is None or figure.value is None:
        return "no figure"
    if figure.kind in ("count", "ties"):
        return "counts of different sources"
    if not sure:
        return CANNOT_TELL
    if figure.kind == "sign":
        return "same direction" if (ours.value > 0) == (figure.value > 0) else "other direction"
    if figure.kind == "rank":
        return "a rank that chance leaves possible" if _holds(figure, ours) else "other rank"
    return "within our interval" if _holds(figure, ours) else "outside our interval"


def _is_sure(ours: Ours) -> bool:
    return ours.low is not None and ours.high is not None and (ours.low > 0 or ours.high < 0)


def _holds(figure: Figure, ours: Ours) -> bool:
    """Return whether our interval holds their figure; without an upper end it is open."""
    return bool(
        figure.value is not None
        and ours.low is not None
        and ours.low <= figure.value
        and (ours.high is None or figure.value <= ours.high)
    )
