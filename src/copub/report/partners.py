"""The parts of the page on who works with whom: institutions, pairs, network, one part per institution."""

from __future__ import annotations

import polars as pl

from copub.report.blocks import (
    Cell,
    Figure,
    Grid,
    Section,
    count_cell,
    figure_of,
    grid_of,
    rows_of,
    share_cells,
    share_heads,
)
from copub.report.charts import overlap_chart
from copub.report.facts import Facts, Row
from copub.report.maps import network_chart, pair_chart

TOP = 15  # institutions of a side that are drawn; the grid behind holds `LONG`
LONG = 60
MAP = 14  # institutions of a side in heat map and network
PARTS = 40  # institutions of side A with a part of their own
PARTNERS = 12


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
    return Section("institutions", say("section.institutions"), say("lead.institutions"), figures=tuple(figures))


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
    grid = _institution_grid(facts, frame, title)
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


def _institution_grid(facts: Facts, frame: pl.DataFrame, title: str) -> Grid:
    words = facts.words
    counts = ("works", "critical", "listed", "critical_listed")
    heads = (words.say("label.institution"), words.say("label.country"), words.say("label.level"),
             *(words.say(f"label.{key}") for key in counts))  # fmt: skip
    rows = (
        (
            Cell(row["institution_name"], mark=words.say("label.small") if row["is_small"] else ""),
            Cell(row["country_code"] or ""),
            Cell(facts.level(row["risk_level"]) if row["risk_level"] else ""),
            *(count_cell(facts, row[key]) for key in counts),
        )
        for row in rows_of(frame)
    )
    return grid_of(title, heads, rows)


def pair_section(facts: Facts) -> Section | None:
    """Return the heat map of pairs, over the institutions with most critical and listed works."""
    words, pairs = facts.words, named_pairs(facts)
    frame = _among_top(pairs, "critical_listed") if pairs["critical_listed"].sum() else pairs.clear()
    title = words.say("section.pairs")
    grid = _pair_grid(facts, pairs, title)
    a, b = (words.say(f"label.institution_{side}", a=facts.a, b=facts.b) for side in "ab")
    figures = figure_of(facts, "pairs", title, lambda width: pair_chart(frame, width, a=a, b=b), grid, narrow=False)
    if not grid.rows:
        return None
    return Section("pairs", title, words.say("lead.pairs"), figures=figures, grids=() if figures else (grid,))


def network_section(facts: Facts) -> Section | None:
    """Return the network of the institutions that share most works."""
    words, pairs = facts.words, named_pairs(facts)
    frame = _among_top(pairs, "works")
    if frame.is_empty():
        return None
    title = words.say("section.network")
    grid = _pair_grid(facts, frame, title)
    chart = figure_of(
        facts,
        "network",
        title,
        lambda width: network_chart(frame, width, a=facts.a, b=facts.b),
        grid,
        narrow=False,
    )
    return Section("network", title, words.say("lead.network"), figures=chart)


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


def _pair_grid(facts: Facts, pairs: pl.DataFrame, title: str) -> Grid:
    words = facts.words
    counts = ("works", "critical", "critical_listed")
    heads = (
        *(words.say(f"label.institution_{side}", a=facts.a, b=facts.b) for side in "ab"),
        words.say("label.level"),
        *(words.say(f"label.{key}") for key in counts),
    )
    rows = (
        (
            Cell(row["institution_a"]),
            Cell(row["institution_b"]),
            Cell(facts.level(row["risk_level"]) if row["risk_level"] else ""),
            *(count_cell(facts, row[key], small=row["is_small"] and key == "works") for key in counts),
        )
        for row in rows_of(pairs.head(LONG))
    )
    return grid_of(title, heads, rows)


def institution_parts(facts: Facts) -> Section | None:
    """Return one part per institution of side A: its shares and its partners."""
    words, pairs = facts.words, named_pairs(facts)
    shares = {
        measure: {row["slice"]: row for row in rows_of(facts.shares(measure, "institution_a"))}
        for measure in ("critical", "listed", "critical_listed")
    }
    parts = []
    for row in rows_of(top_institutions(facts, "a", PARTS)):
        name = row["institution_name"]
        measured = (
            (measure, rows.get(name) or rows.get(row["institution_id"] or "")) for measure, rows in shares.items()
        )
        lines = [
            (Cell(words.name("measure", measure)), *share_cells(facts, own))
            for measure, own in measured
            if own is not None
        ]
        grids = [grid_of(name, (words.say("label.measure"), *share_heads(facts)), lines)] if lines else []
        grids.append(_pair_grid(facts, pairs.filter(pl.col("institution_a") == name).head(PARTNERS), name))
        counts = " · ".join(
            f"{words.count(row[key])} {words.say(f'label.{key}').lower()}"
            for key in ("works", "critical", "critical_listed")
        )
        parts.append({"name": name, "counts": counts, "grids": grids})
    if not parts:
        return None
    title = words.say("section.institution_parts", a=facts.a)
    return Section("parts", title, words.say("lead.institution_parts"), kind="parts", extra={"parts": parts})
