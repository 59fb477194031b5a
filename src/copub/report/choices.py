"""The parts of the page on what other choices would give: levels, lists, sensitivity."""

from __future__ import annotations

import polars as pl

from copub.report.blocks import (
    Cell,
    Grid,
    Section,
    count_cell,
    figure_of,
    grid_of,
    rows_of,
    share_cells,
    share_heads,
)
from copub.report.charts import difference_chart, overlap_chart
from copub.report.facts import Facts, Row


def level_section(facts: Facts) -> Section | None:
    """Return works by the highest level they name, and of these the critical ones."""
    words = facts.words
    counted = (
        facts.table("copublications")
        .filter(pl.col("max_risk_level").is_not_null())
        .group_by(pl.col("max_risk_level").alias("level"))
        .agg(pl.len().alias("works"), pl.col("is_critical").sum().alias("critical"))
    )
    if counted.is_empty():
        return None
    title = words.say("section.levels")
    rows = sorted(rows_of(counted), key=lambda row: facts.by_level(row["level"]))
    grid = grid_of(
        title,
        [words.say(f"label.{key}") for key in ("level", "works", "critical")],
        (
            (Cell(facts.level(row["level"])), count_cell(facts, row["works"]), count_cell(facts, row["critical"]))
            for row in rows
        ),
    )
    bars = [
        {
            "label": facts.level(row["level"]),
            "whole": row["works"],
            "part": row["critical"],
            "text": words.say("label.k_of_n", k=words.count(row["critical"]), n=words.count(row["works"])),
        }
        for row in rows
    ]
    figures = figure_of(facts, "levels", title, lambda width: overlap_chart(bars, words, width), grid)
    return Section("levels", title, words.say("lead.levels"), figures=figures, grids=_list_grids(facts))


def _list_grids(facts: Facts) -> tuple[Grid, ...]:
    words = facts.words
    counted = (
        facts.table("copublications")
        .explode("watchlists")
        .drop_nulls("watchlists")
        .group_by("watchlists")
        .agg(pl.len().alias("works"), pl.col("is_critical").sum().alias("critical"))
        .sort("works", "watchlists", descending=[True, False])
    )
    headline = facts.study.get("watchlists") or ()
    titles = {entry.get("id"): str(entry.get("title") or entry.get("id")) for entry in facts.entries("watchlists")}
    cells = (
        (
            Cell(
                str(titles.get(row["watchlists"], row["watchlists"])),
                is_name=True,
                mark=words.say("label.in_headline") if row["watchlists"] in headline else "",
            ),
            count_cell(facts, row["works"]),
            count_cell(facts, row["critical"]),
        )
        for row in rows_of(counted)
    )
    heads = [words.say(f"label.{key}") for key in ("list", "works", "critical")]
    return (grid_of(words.say("section.lists"), heads, cells),)


def slice_section(facts: Facts) -> Section | None:
    """Return the headline within parts of the corpus."""
    words, title = facts.words, facts.words.say("section.slices")
    kinds = facts.words.words["slice_kind"]
    own = ((kind, row) for kind in kinds for row in rows_of(facts.shares("critical_listed", kind)))
    rows = [(kind, row) for kind, row in own if row["denominator"]]
    if not rows:
        return None
    heads = (words.say("label.slice"), words.say("label.value"), *share_heads(facts))
    cells = ((Cell(kinds[kind]), Cell(words.value(row["slice"])), *share_cells(facts, row)) for kind, row in rows)
    return Section("slices", title, words.say("lead.slices"), grids=(grid_of(title, heads, cells),))


def sensitivity_section(facts: Facts) -> Section | None:
    """Return what other choices change in the headline: paired changes of the same works."""
    words, frame = facts.words, facts.table("sensitivity")
    if frame.is_empty():
        return None
    title = words.say("section.sensitivity")
    changed = ("gained", "lost", "entered", "left")
    heads = (
        words.say("label.switch"),
        words.say("label.setting"),
        *share_heads(facts)[:3],
        words.say("label.difference"),
        *(words.say(f"label.{key}") for key in changed),
    )
    rows = rows_of(frame.sort(pl.col("switch") != "base", "switch", "setting"))
    grid = grid_of(
        title,
        heads,
        (
            (
                Cell(words.value(row["switch"])),
                Cell(words.value(row["setting"]), mark="" if row["is_defensible"] else words.say("label.unequal")),
                *share_cells(facts, row)[:3],
                _paired(facts, row),
                *(count_cell(facts, row[key]) for key in changed),
            )
            for row in rows
        ),
    )
    points = [
        {
            "label": words.value(f"{row['switch']}: {row['setting']}"),
            "text": f"{words.points(row['difference'])} ({words.points(row['difference_low'])}\u00a0–\u00a0"
            f"{words.points(row['difference_high'])})",
            "value": row["difference"],
            "low": row["difference_low"],
            "high": row["difference_high"],
            "is_small": row["is_small"],
        }
        for row in rows
        if row["switch"] != "base" and row["is_defensible"] and row["difference"] is not None
    ]
    figures = figure_of(facts, "sensitivity", title, lambda width: difference_chart(points, words, width), grid)
    return Section(
        "sensitivity", title, words.say("lead.sensitivity"), figures=figures, grids=() if figures else (grid,)
    )


def _paired(facts: Facts, row: Row) -> Cell:
    """Return a cell with a paired difference in points, and its interval below it."""
    if row["switch"] == "base" or row["difference"] is None:
        return Cell("")
    low, high = (facts.words.points(row[f"difference_{end}"]) for end in ("low", "high"))
    return Cell(facts.words.points(row["difference"]), row["difference"], detail=f"{low}\u00a0–\u00a0{high}")
