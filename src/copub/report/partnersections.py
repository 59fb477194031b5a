"""The parts of the page on who works with whom: institutions, pairs, network."""

from __future__ import annotations

from typing import Any

import polars as pl

from copub.report.blocks import (
    Figure,
    Grid,
    Section,
    figure_of,
    rows_of,
)
from copub.report.charts import overlap_chart
from copub.report.drawing import NARROW
from copub.report.facts import Facts, Row
from copub.report.grids import Column, grid_from
from copub.report.maps import network_chart, pair_chart

TOP = 8  # institutions of a side that are drawn; the grid behind holds `LONG`
BARS = 8  # pairs drawn as bars on a phone
LONG = 60
MAP = 14  # institutions of a side in heat map and network
LINES = 60  # pairs drawn in the network, the strongest

_COUNTS: tuple[Column, ...] = (
    ("label.works", "works", "count"),
    ("label.critical", "critical", "count"),
    ("label.critical_listed", "critical_listed", "count"),
)
_INSTITUTION: tuple[Column, ...] = (
    ("label.institution", "institution_name", "marked"),
    ("label.country", "country_code", "text"),
    ("label.level", "risk_level", "level"),
    ("label.listed", "listed", "count"),
    *_COUNTS,
)
_FAMILY: tuple[Column, ...] = (
    ("label.institution", "institution_name", "marked"),
    ("label.members", "members", "count"),
    ("label.listed", "listed", "count"),
    *_COUNTS,
)
_PAIR: tuple[Column, ...] = (
    ("label.institution_a", "institution_a", "marked"),
    ("label.institution_b", "institution_b", "text"),
    ("label.level", "risk_level", "level"),
    *_COUNTS,
)


def institution_section(facts: Facts) -> Section | None:
    """Return the institutions of both sides with most critical and listed works."""
    figures: list[Figure] = []
    say = facts.words.say
    for side, name in (("a", facts.a), ("b", facts.b)):
        frame = top_institutions(facts, side, LONG)
        if frame.is_empty():
            continue
        title = say(f"label.institutions_{side}", **{side: name})
        figures += _side_figure(facts, side, title, frame)
    if not figures:
        return None
    families = facts.table("institution_families").filter(pl.col("members") > 1).drop_nulls("institution_name")
    order = ["critical_listed", "works", "institution_name"]
    top = families.sort(order, descending=[True, True, False]).head(TOP)
    caption = say("section.families")
    more = (caption, (grid_from(facts, caption, top, _FAMILY),)) if top.height else None
    title, lead = say("section.institutions"), say("lead.institutions")
    return Section("institutions", title, lead, figures=tuple(figures), extra={"more": more})


def _side_figure(facts: Facts, side: str, title: str, frame: pl.DataFrame) -> tuple[Figure, ...]:
    bars = [
        {
            "label": row["institution_name"],
            "whole": row["works"],
            "part": row["critical_listed"],
            "text": _bar_text(facts, row),
        }
        for row in rows_of(frame.head(TOP))
    ]
    grid = grid_from(facts, title, frame, _INSTITUTION)
    return figure_of(facts, f"institutions-{side}", title, lambda width: overlap_chart(bars, facts.words, width), grid)


def top_institutions(facts: Facts, side: str, limit: int) -> pl.DataFrame:
    """Return the institutions of a side, most critical and listed works first."""
    order = ["critical_listed", "critical", "works", "institution_name"]
    frame = facts.table("institutions").filter(pl.col("side") == side, pl.col("institution_name").is_not_null())
    return frame.sort(order, descending=[True, True, True, False]).head(limit)


def _bar_text(facts: Facts, row: Row) -> str:
    words = facts.words
    text = words.say("label.k_of_n", k=words.count(row["critical_listed"]), n=words.count(row["works"]))
    return f"{text} · {facts.level(row['risk_level'])}" if row["risk_level"] else text


def pair_section(facts: Facts) -> Section | None:
    """Return the heat map of pairs, over the institutions with most critical and listed works."""
    words, pairs = facts.words, named_pairs(facts)
    frame = _among_top(pairs, "critical_listed") if pairs["critical_listed"].sum() else pairs.clear()
    title = words.say("section.pairs")
    grid = pair_grid(facts, pairs, title)
    a, b = (words.say(f"label.institution_{side}", a=facts.a, b=facts.b) for side in "ab")
    bars = _pair_bars(facts, frame.filter(pl.col("critical_listed") > 0), "critical_listed")

    def draw(width: int) -> Any:
        if width == NARROW:
            return overlap_chart(bars, words, width)
        return pair_chart(frame, width, a=a, b=b)

    figures = figure_of(facts, "pairs", title, draw, grid)
    if not grid.rows:
        return None
    return Section("pairs", title, words.say("lead.pairs"), figures=figures, grids=() if figures else (grid,))


def network_section(facts: Facts) -> Section | None:
    """Return the network of the institutions that share most works."""
    words, pairs = facts.words, named_pairs(facts)
    frame = _among_top(pairs, "works").sort("works", "institution_a", "institution_b", descending=[True, False, False])
    frame = frame.head(LINES)
    if frame.is_empty():
        return None
    title = words.say("section.network")
    grid = pair_grid(facts, frame, title)
    bars = _pair_bars(facts, frame, "works")

    def draw(width: int) -> Any:
        if width == NARROW:
            return overlap_chart(bars, words, width)
        return network_chart(frame, width, a=facts.a.alone, b=facts.b.alone)

    chart = figure_of(facts, "network", title, draw, grid)
    return Section("network", title, words.say("lead.network"), figures=chart)


def _pair_bars(facts: Facts, pairs: pl.DataFrame, column: str) -> list[Row]:
    """Return the strongest pairs as bars, which a phone has space for."""
    return [
        {
            "label": f"{row['institution_a']} – {row['institution_b']}",
            "whole": row[column],
            "part": row["critical_listed"],
            "text": facts.words.count(row[column]),
        }
        for row in rows_of(pairs.head(BARS))
    ]


def named_pairs(facts: Facts) -> pl.DataFrame:
    """Return the pairs whose institutions both have a name, most critical and listed works first."""
    frame = facts.table("pairs").drop_nulls(["institution_a", "institution_b"])
    return frame.sort(
        ["critical_listed", "critical", "works", "institution_a", "institution_b"],
        descending=[True, True, True, False, False],
    )


def _among_top(pairs: pl.DataFrame, column: str) -> pl.DataFrame:
    for side in ("institution_a", "institution_b"):
        totals = pairs.group_by(side).agg(pl.col(column).sum()).sort([column, side], descending=[True, False])
        pairs = pairs.filter(pl.col(side).is_in(totals[side].head(MAP).to_list()))
    return pairs


def pair_grid(facts: Facts, pairs: pl.DataFrame, title: str) -> Grid:
    """Return the first pairs as a grid."""
    return grid_from(facts, title, pairs.head(LONG), _PAIR)


def partner_grid(facts: Facts, pairs: pl.DataFrame, title: str) -> Grid:
    """Return the pairs of one institution of side A as a grid of its partners."""
    return grid_from(facts, title, pairs, _PAIR[1:])
