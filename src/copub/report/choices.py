"""The parts of the page on what other choices would give: levels, lists, sensitivity."""

from __future__ import annotations

import polars as pl

from copub.report.blocks import Cell, Section, figure_of, grid_of, points_cell, rows_of, share_cells, share_heads
from copub.report.charts import interval_chart, specification_chart
from copub.report.facts import Facts, Row

_CURVE = 40  # settings from which one row each would be too long to read


def level_section(facts: Facts) -> Section | None:
    """Return the headline share by levels and by lists, one row per combination measured."""
    words = facts.words
    frame = facts.table("shares").filter(
        pl.col("measure") == "critical_listed", pl.col("slice_kind") == "all", pl.col("counting") == facts.counting
    )
    rows = rows_of(frame.sort("watchlist", "share", descending=[False, True], nulls_last=True))
    if not rows:
        return None
    own = facts.share("critical_listed")
    several = len({(row["taxonomy"], row["watchlist"]) for row in rows}) > 1
    labels = [_level_label(facts, row, several) for row in rows]
    title = words.say("section.levels")
    grid = grid_of(
        title,
        (words.say("label.list"), words.say("label.levels"), words.say("label.taxonomy"), *share_heads(facts)),
        (
            (
                Cell(row["watchlist"] or ""),
                Cell(_levels(facts, row)),
                Cell(row["taxonomy"] or ""),
                *share_cells(facts, row),
            )
            for row in rows
        ),
    )
    points = [
        {
            "label": label,
            "share": row["share"],
            "ci_low": row["ci_low"],
            "ci_high": row["ci_high"],
            "is_base": row == own,
        }
        for label, row in zip(labels, rows, strict=True)
    ]
    figures = figure_of(facts, "levels", title, lambda width: interval_chart(points, words, width), grid)
    return Section("levels", title, words.say("lead.levels"), figures=figures)


def _levels(facts: Facts, row: Row) -> str:
    levels = [facts.level(level) for level in (row["risk_level"] or "").split("+") if level]
    return ", ".join(levels) or facts.words.say("rests.levels_all")


def _level_label(facts: Facts, row: Row, several: bool) -> str:
    levels = _levels(facts, row)
    if not several:
        return levels
    taxonomies = {entry.get("id") for entry in facts.entries("taxonomies")}
    area = f" · {row['taxonomy']}" if len(taxonomies) > 1 and row["taxonomy"] != facts.study.get("taxonomy") else ""
    return f"{row['watchlist']}: {levels}{area}"


def sensitivity_section(facts: Facts) -> Section | None:
    """Return how far other choices move the headline."""
    words, frame = facts.words, facts.table("sensitivity")
    if frame.is_empty():
        return None
    title = words.say("section.sensitivity")
    heads = (words.say("label.switch"), words.say("label.setting"), *share_heads(facts), words.say("label.difference"))
    rows = rows_of(frame.sort(pl.col("switch") != "base", "switch", "setting"))
    grid = grid_of(
        title,
        heads,
        (
            (Cell(row["switch"]), Cell(row["setting"]), *share_cells(facts, row), points_cell(facts, row["difference"]))
            for row in rows
        ),
    )
    base = next((row["share"] for row in rows if row["switch"] == "base"), None)
    figures = figure_of(facts, "sensitivity", title, lambda width: _sensitivity(facts, frame, rows, width, base), grid)
    return Section(
        "sensitivity", title, words.say("lead.sensitivity"), figures=figures, grids=() if figures else (grid,)
    )


def _sensitivity(facts: Facts, frame: pl.DataFrame, rows: list[Row], width: int, base: float | None) -> object:
    if len(rows) > _CURVE:
        return specification_chart(frame, facts.words, width)
    points = [
        {
            **{key: row[key] for key in ("share", "ci_low", "ci_high")},
            "label": facts.words.say("label.base") if row["switch"] == "base" else f"{row['switch']}: {row['setting']}",
            "is_base": row["switch"] == "base",
        }
        for row in rows
        if row["share"] is not None
    ]  # fmt: skip
    return interval_chart(points, facts.words, width, base)
