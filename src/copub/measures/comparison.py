"""Published figures beside ours: theirs, ours, how the definitions differ. Nothing is tuned to agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.intervals import DIGITS, wilson
from copub.lists.published import Figure, Published
from copub.measures.tied import ANY_AREA, EVERY
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Tables = Mapping[str, pl.DataFrame]
Ours = tuple[float | None, float | None, float | None, float]
"""Our figure, the ends of its interval where it has one, and the works behind it."""


class NotComparable(Exception):
    """The figure has no counterpart in this run; the text says why."""


def comparison(study: Study, published: Sequence[Published], tables: Tables) -> pl.DataFrame:
    """Return the table ``comparison``, scale-free figures first.

    Parameters
    ----------
    tables : shares, trends, growth and tie_areas of the run.
    """
    figures = [(source, figure) for source in published for figure in source.figures]
    ordered = sorted(figures, key=lambda pair: (pair[1].kind == "context", not pair[1].scale_free))
    rows = [
        {"position": position, **_row(study, source, figure, tables)}
        for position, (source, figure) in enumerate(ordered, start=1)
    ]
    frame = pl.DataFrame(rows, schema=TABLES["comparison"].schema)
    return conform("comparison", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _row(study: Study, source: Published, figure: Figure, tables: Tables) -> dict[str, Any]:
    ours: Ours = (None, None, None, 0.0)
    try:
        _check_definitions(study, source, figure)
        ours = _OURS[figure.kind](study, figure, tables)
        verdict = _verdict(figure, ours) + (", over few works" if ours[3] < study.small_rate else "")
    except NotComparable as reason:
        verdict = f"not comparable: {reason}"
    return {
        "published": source.id,
        "figure": figure.id,
        "name": figure.name,
        "kind": figure.kind,
        "scale_free": figure.scale_free,
        "period": figure.period,
        "theirs": figure.value,
        "ours": ours[0],
        "ours_low": ours[1],
        "ours_high": ours[2],
        "ours_works": ours[3],
        "verdict": verdict,
        "status": figure.status,
        "definition": figure.definition,
        "differences": [*source.differences, *([figure.note] if figure.note else [])],
        "source": figure.source,
    }


def _check_definitions(study: Study, source: Published, figure: Figure) -> None:
    if figure.kind == "context":
        raise NotComparable("stands here for its context")
    if set(source.side_a) != set(study.side_a.countries) or not set(source.side_b) & set(study.side_b.countries):
        raise NotComparable("another pair of countries")
    if figure.kind != "ties" and set(source.levels) != set(study.levels):
        theirs, own = ("+".join(levels) or "every level" for levels in (source.levels, study.levels))
        raise NotComparable(f"they count the levels {theirs}, this study {own}")
    for year in (figure.year, figure.year_from, figure.year_to):
        if year is not None and not study.year_from <= year <= study.year_to:
            raise NotComparable(f"the study does not hold the year {year}")


def _count(tables: Tables, measure: str, year: int) -> float:
    return float(tables["trends"].filter(measure=measure, counting="full", year=year)["count"][0])


def _ours_count(study: Study, figure: Figure, tables: Tables) -> Ours:
    count = _count(tables, figure.measure, figure.year or 0)
    return count, None, None, count


def _ours_share(study: Study, figure: Figure, tables: Tables) -> Ours:
    where = {"slice_kind": "year", "slice": str(figure.year)} if figure.year else {"slice_kind": "all", "slice": "all"}
    found = tables["shares"].filter(measure=figure.measure, counting="full", **where)
    if found.is_empty() or found["share"][0] is None:
        raise NotComparable("no works to take the share of")
    row = found.row(0, named=True)
    return row["share"], row["ci_low"], row["ci_high"], row["denominator"]


def _ours_ratio(study: Study, figure: Figure, tables: Tables) -> Ours:
    first, last = (_count(tables, figure.measure, year or 0) for year in (figure.year_from, figure.year_to))
    if not first:
        raise NotComparable(f"no works in {figure.year_from}")
    # Given their sum, the later count is a share of it; the ratio is that share's odds.
    low, high = (float(end) for end in wilson(last, first + last, study.confidence))
    return last / first, low / (1 - low), high / (1 - high) if high < 1 else None, first + last


def _ours_growth(study: Study, figure: Figure, tables: Tables) -> Ours:
    ratio, low, high, works = _ours_ratio(study, figure, tables)
    span = (figure.year_to or 0) - (figure.year_from or 0)
    rates = [None if value is None else value ** (1 / span) - 1 for value in (ratio, low, high)]
    return rates[0], rates[1], rates[2], works


def _ours_rank(study: Study, figure: Figure, tables: Tables) -> Ours:
    areas = tables["shares"].filter(measure=figure.measure, counting="full", slice_kind="area")
    own = areas.filter(slice=figure.area)["numerator"]
    if own.is_empty():
        raise NotComparable(f"the headline taxonomy has no area {figure.area}")
    if not areas["numerator"].sum():
        raise NotComparable("no works in any area")
    return 1.0 + (areas["numerator"] > own[0]).sum(), None, None, float(own[0])


def _ours_sign(study: Study, figure: Figure, tables: Tables) -> Ours:
    found = tables["growth"].filter(measure=figure.measure, kind="relative to all co-publications")
    if found.is_empty() or found["growth"][0] is None:
        raise NotComparable("too few years with works to fit a trend")
    row = found.row(0, named=True)
    return row["growth"], row["ci_low"], row["ci_high"], row["works"]


def _ours_ties(study: Study, figure: Figure, tables: Tables) -> Ours:
    links = dict(tables["tie_areas"].select("area", "links").iter_rows())
    if not links or figure.column not in tables["tie_areas"].columns:
        raise NotComparable("no ties are given to this study")
    if figure.row != EVERY and not links.get(ANY_AREA):
        raise NotComparable("the ties at hand name no priority area")
    if figure.row not in links:
        raise NotComparable(f"no tie at hand is in {figure.row}")
    found = tables["tie_areas"].filter(area=figure.row)
    value = float(found[figure.column][0])
    return value, None, None, value


_OURS = {
    "count": _ours_count,
    "share": _ours_share,
    "ratio": _ours_ratio,
    "growth": _ours_growth,
    "rank": _ours_rank,
    "sign": _ours_sign,
    "ties": _ours_ties,
}


def _verdict(figure: Figure, ours: Ours) -> str:
    value, low, high, _ = ours
    theirs = figure.value
    if value is None or theirs is None:
        return "no figure"
    if figure.kind == "sign":
        same = (value > 0) == (theirs > 0)
        sure = low is not None and high is not None and (low > 0 or high < 0)
        return f"{'same' if same else 'other'} direction{'' if sure else ', but our interval holds both'}"
    if figure.kind == "rank":
        return "same rank" if value == theirs else "other rank"
    if low is None:
        return "counts of different databases"
    return "within our interval" if low <= theirs and (high is None or theirs <= high) else "outside our interval"
