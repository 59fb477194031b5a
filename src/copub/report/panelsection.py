"""The part of the page that sets the pairs of a panel side by side: dots, small trends, everything in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from copub.report.blocks import Cell, Figure, Grid, Section, figure_of, rows_of
from copub.report.charts import difference_chart, dot_chart, multiples_chart, percent_of
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, Writer, grid_from
from copub.report.panelfacts import HEADLINE, pair_names, pair_pages, panel_rows, panel_sentences

_OTHERS = ("critical", "listed", "top_level")
_PAIR: tuple[Column, ...] = (
    ("label.pair", "name", "pair"),
    ("label.numerator", "numerator", "count"),
    ("label.denominator", "denominator", "count"),
    ("label.share", "share", "counted"),
    ("label.corrected", "adjusted", "with_ends"),
    ("label.rank", "rank", "rank"),
    ("label.rest_difference", "difference", "points_with_ends"),
    ("label.reference_difference", "reference_difference", "points_with_ends"),
    ("label.standardised", "standardised", "with_ends"),
    ("label.ratio", "ratio", "times"),
)
_EVENT: tuple[Column, ...] = (
    ("label.pair", "name", "marked"),
    ("label.before", "before", "part"),
    ("label.after", "after", "part"),
    ("label.change_own", "change", "difference"),
    ("label.change_rest", "rest_change", "difference"),
    ("label.did", "difference", "did"),
    ("label.placebos", "placebo_beyond", "placebos"),
)
_PERIOD: tuple[Column, ...] = (
    ("label.pair", "name", "text"),
    ("label.first_year", "year_from", "marked"),
    ("label.last_year", "year_to", "text"),
    ("label.numerator", "numerator", "count"),
    ("label.denominator", "denominator", "count"),
    ("label.share", "share", "share"),
    ("label.interval", "ci", "bounds"),
)


def _pair(facts: Facts, row: Row, column: str) -> Cell:
    small = facts.words.say("label.small") if row["is_small"] else ""
    return Cell(row[column], mark=small, is_name=True, link=row["link"])


def _ends(facts: Facts, row: Row, column: str, write: Any) -> str:
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    return "" if low is None or high is None else f"{write(low)}\u00a0–\u00a0{write(high)}"


def _rank(facts: Facts, row: Row, column: str) -> Cell:
    return Cell(facts.words.count(row[column]), row[column], detail=_ends(facts, row, column, facts.words.count))


def _part(facts: Facts, row: Row, column: str) -> Cell:
    """Write a share of a window, and below it its counts."""
    words, share = facts.words, row[f"{column}_share"]
    counts = words.say("label.k_of_n", k=words.count(row[f"{column}_count"]), n=words.count(row[f"{column}_works"]))
    return Cell(words.percent(share), share, detail=counts)


def _did(facts: Facts, row: Row, column: str) -> Cell:
    ends = _ends(facts, {"end_low": row["low"], "end_high": row["high"]}, "end", facts.words.points)
    return Cell(facts.words.points(row[column]), row[column], detail=ends)


def _placebos(facts: Facts, row: Row, column: str) -> Cell:
    words, of = facts.words, row["placebo_dates"]
    return Cell(words.say("label.k_of_n", k=words.count(row[column]), n=words.count(of)) if of else words.missing)


WAYS: Mapping[str, Writer] = {
    **WRITERS,
    "part": _part,
    "did": _did,
    "placebos": _placebos,
    "pair": _pair,
    "rank": _rank,
    "counted": lambda facts, row, column: Cell(
        facts.words.percent(row[column]), row[column], detail="" if row["ci_low"] is None else facts.bounds(row)
    ),
    "with_ends": lambda facts, row, column: Cell(
        facts.words.percent(row[column]), row[column], detail=_ends(facts, row, column, facts.words.percent)
    ),
    "points_with_ends": lambda facts, row, column: Cell(
        facts.words.points(row[column]), row[column], detail=_ends(facts, row, column, facts.words.points)
    ),
    "times": lambda facts, row, column: Cell(
        facts.words.number(row[column], 1),
        row[column],
        detail=_ends(facts, row, column, lambda value: facts.words.number(value, 1)),
    ),
}
"""Ways of writing cells of this part, beside the common ones."""


def panel_section(facts: Facts) -> Section | None:
    """Return the pairs of the panel side by side; None for a study of one pair."""
    rows = panel_rows(facts)
    if rows.is_empty():
        return None
    say, names = facts.words.say, pair_names(facts)
    first = str(facts.study.get("reference") or "")
    title = say("section.panel")
    figures = (*_dots(facts, rows, names, first), *_multiples(facts, rows, names, first))
    others = [_grid(facts, panel_rows(facts, measure), names, measure) for measure in _OTHERS]
    more = (say("panel.others"), tuple(other for other in others if other.rows))
    return Section(
        "panel",
        title,
        say("lead.panel"),
        figures=figures,
        grids=() if figures else (_grid(facts, rows, names),),  # else it is behind the first figure
        paragraphs=(
            *panel_sentences(facts),
            _comparisons(facts, rows),
            *_reconciled(facts),
            _own_pages(facts, rows),
        ),
        extra={"more": more},
    )


def event_section(facts: Facts) -> Section | None:
    """Return for each dated event how the share of each pair changed, minus that of the rest of the panel."""
    say, names, figures = facts.words.say, pair_names(facts), list[Figure]()
    own = facts.table("panel_events").filter(measure=HEADLINE).drop_nulls("difference")
    for number, ((day, label), rows) in enumerate(own.group_by("date", "label", maintain_order=True), start=1):
        title = say("section.event", date=facts.words.date(str(day)), label=label)
        ordered = rows.sort("difference", "pair", descending=[True, False])
        grid = grid_from(facts, title, _named(facts, ordered, names), _EVENT, WAYS)
        sure = ordered.filter(~pl.col("is_small"))  # pairs of few works, in the table alone, would set the scale
        drawn = [
            {"label": names.get(row["pair"], row["pair"]), "value": row["difference"], "low": row["low"],
             "high": row["high"], "is_small": row["is_small"], "text": facts.words.points(row["difference"])}
            for row in rows_of(sure if sure.height else ordered)
        ]  # fmt: skip
        figures += figure_of(facts, f"panel-event-{number}", title, partial(_changes, drawn, facts), grid)
    if not figures:
        return None
    many = say(
        "label.many_intervals",
        count=facts.words.count(own.height),
        confidence=facts.words.percent(facts.study.get("confidence"), 0),
        misses=facts.words.number(own.height * (1 - float(facts.study.get("confidence") or 0.95)), 1),
    )
    title, lead = say("section.panel_events"), say("lead.panel_events")
    return Section("panel-events", title, lead, figures=tuple(figures), paragraphs=(many,))


def _changes(rows: Sequence[Row], facts: Facts, width: int) -> Any:
    return difference_chart(rows, facts.words, width)


def _named(facts: Facts, rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    pages = pair_pages(facts)
    return rows.with_columns(
        name=pl.Series([names.get(key, key) for key in rows["pair"]], dtype=pl.String),
        link=pl.Series([pages.get(key, "") for key in rows["pair"]], dtype=pl.String),
    )


def _grid(facts: Facts, rows: pl.DataFrame, names: Mapping[str, str], measure: str = HEADLINE) -> Grid:
    return grid_from(facts, facts.words.name("measure", measure), _named(facts, rows, names), _PAIR, WAYS)


def _dots(facts: Facts, rows: pl.DataFrame, names: Mapping[str, str], first: str) -> tuple[Figure, ...]:
    words, title = facts.words, facts.words.say("panel.dots")
    drawn = [
        {**row, "label": names.get(row["pair"], row["pair"]), "is_first": row["pair"] == first,
         "text": percent_of(words, row)}
        for row in rows_of(rows.drop_nulls("share"))
    ]  # fmt: skip
    at = _together(facts, rows)
    grid = _grid(facts, rows, names)
    return figure_of(facts, "panel", title, lambda width: dot_chart(drawn, at, words, width), grid)


def _together(facts: Facts, rows: pl.DataFrame) -> float | None:
    """Return the share over the pairs that the lists cover, each work once; None where it is not known.

    Parts of works are those of the sides of a pair, so they add up to the whole only if the pairs are all of it.
    """
    full = facts.table("panel").filter("is_covered", measure=HEADLINE, counting="full")
    known = full.filter(pl.col("rest_denominator").is_not_null())
    if known.is_empty():
        return None
    row = known.row(0, named=True)
    of = row["denominator"] + row["rest_denominator"]
    whole, own = facts.share(HEADLINE, "full"), facts.share(HEADLINE)
    if whole is not None and own is not None and whole["denominator"] == of and rows["is_covered"].all():
        return float(own["share"]) if own["share"] is not None else None
    return (row["numerator"] + row["rest_numerator"]) / of if of and facts.counting == "full" else None


def _multiples(facts: Facts, rows: pl.DataFrame, names: Mapping[str, str], first: str) -> tuple[Figure, ...]:
    words, title = facts.words, facts.words.say("panel.multiples")
    periods = facts.table("panel_periods").filter(measure=HEADLINE)
    ordered: Sequence[str] = rows.drop_nulls("share")["pair"].to_list()
    shown = {key: names.get(key, key) for key in ordered}
    order = {key: place for place, key in enumerate(ordered)}
    listed = periods.filter(pl.col("pair").is_in(ordered)).sort(pl.col("pair").replace_strict(order), "year_from")
    named = listed.with_columns(name=pl.Series([shown[key] for key in listed["pair"]], dtype=pl.String))
    grid = grid_from(facts, title, named, _PERIOD)
    return figure_of(
        facts, "panel-years", title, lambda width: multiples_chart(periods, shown, first, words, width), grid
    )


def _comparisons(facts: Facts, rows: pl.DataFrame) -> str:
    row = rows.row(0, named=True)
    counts = {name: facts.words.count(row[name]) for name in ("pairs", "comparisons")}
    return facts.words.say("panel.comparisons", confidence=facts.words.percent(row["confidence"], 0), **counts)


def _reconciled(facts: Facts) -> list[str]:
    """Return how many works of the pairs are missing against the counts of the source; nothing for works files."""
    years = facts.table("panel_years")
    sums = {name: facts.words.count(float(years[name].sum())) for name in ("expected", "missing")}
    return [facts.words.say("panel.reconciled", **sums)] if years.height else []


def _own_pages(facts: Facts, rows: pl.DataFrame) -> str:
    """Return how to get the page of a pair; names with a link have one."""
    first = facts.study.get("reference") or rows["pair"][0]
    return facts.words.say("panel.pages", command=f"{facts.command} --pair {first}")
