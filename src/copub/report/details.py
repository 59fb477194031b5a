"""The parts of the page below the first answer: corrected shares, change, areas by level, specifications."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from copub.measures.adjusted import LABELLED
from copub.report.blocks import Cell, Grid, Section, count_cell, figure_of, grid_of, rows_of
from copub.report.charts import specification_chart
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, Writer, grid_from, section_of

_DRAWN = 400  # specifications drawn, evenly over their order; the table of the run holds them all


def _adjusted_columns(kind: str) -> tuple[Column, ...]:
    """Return the columns of corrected shares, or of shares from reading ("corrected", "read")."""
    return (
        ("label.measure", "measure", "measure"),
        ("label.slice", "slice", "slice"),
        ("label.share", "share", "share"),
        ("label.interval", "ci", "bounds"),
        (f"label.{kind}", "adjusted", "share"),
        (f"label.{kind}_interval", "adjusted", "bounds"),
        ("label.group_interval", "group", "bounds"),
        ("label.design_effect", "design_effect", "figure"),
    )


_PLAN: tuple[Column, ...] = (
    ("label.measure", "measure", "measure"),
    ("label.works_to_read", "works_read", "count"),
    ("label.interval_width", "width", "width"),
)
_GROWTH: tuple[Column, ...] = (
    ("label.measure", "measure", "marked_measure"),
    ("label.kind", "kind", "growth_kind"),
    ("label.first_year", "year_from", "text"),
    ("label.last_year", "year_to", "text"),
    ("label.growth", "growth", "share"),
    ("label.interval", "ci", "bounds"),
)
_EVENTS: tuple[Column, ...] = (
    ("label.measure", "measure", "marked_measure"),
    ("label.before", "before", "share_of_counts"),
    ("label.after", "after", "share_of_counts"),
    ("label.difference", "difference", "change"),
    ("label.expected", "expected_share", "share"),
    ("label.beyond_trend", "beyond", "beyond"),
    ("label.institution_before", "before_with_institution", "share"),
    ("label.institution_after", "after_with_institution", "share"),
)
_COLLABORATION_INDICES: tuple[Column, ...] = (
    ("label.year", "year", "marked"),
    ("label.works", "works", "count"),
    ("label.share_of_a", "share_of_a", "share"),
    ("label.share_of_b", "share_of_b", "share"),
    ("label.salton", "salton", "fine_figure"),
    ("label.association", "association_strength", "figure"),
)
_BOOTSTRAP: tuple[Column, ...] = (
    ("label.statistic", "statistic", "statistic"),
    ("label.group", "group", "marked_group"),
    ("label.value", "value", "number"),
    ("label.interval", "ci", "bounds_of_numbers"),
)
_SWITCH_EFFECTS: tuple[Column, ...] = (
    ("label.switch", "switch", "value"),
    ("label.lowest", "lowest_setting", "value"),
    ("label.median", "lowest_median", "share"),
    ("label.highest", "highest_setting", "value"),
    ("label.median", "highest_median", "share"),
    ("label.mean_difference", "mean_difference", "size"),
    ("label.largest_difference", "largest_difference", "size"),
)


def _number(facts: Facts, row: Row, column: str) -> Cell:
    return Cell(facts.words.number(row[column], 1), row[column])


def _bounds_of_numbers(facts: Facts, row: Row, column: str) -> Cell:
    ends = [row[f"{column}_{end}"] for end in ("low", "high")]
    if None in ends:
        return Cell(facts.words.missing)
    return Cell("\u00a0–\u00a0".join(facts.words.number(end, 1) for end in ends), keep=True)


def _marked(way: str) -> Writer:
    """Return the writer `way` with the mark of cells under the floor."""

    def write(facts: Facts, row: Row, column: str) -> Cell:
        return replace(WRITERS[way](facts, row, column), mark=facts.words.say("label.small") if row["is_small"] else "")

    return write


def _share_of_counts(facts: Facts, row: Row, column: str) -> Cell:
    """Write the share of the columns ``<column>_share``, and below it its counts."""
    counts = {"k": f"{column}_count", "n": f"{column}_works"}
    detail = facts.words.say("label.k_of_n", **{key: facts.words.count(row[name]) for key, name in counts.items()})
    return Cell(facts.words.percent(row[f"{column}_share"]), row[f"{column}_share"], detail=detail)


def _change(facts: Facts, row: Row, column: str) -> Cell:
    """Write a difference with its interval, and whether the loss of coverage alone could explain a fall."""
    cell = WRITERS["points"](facts, row, column)
    return replace(cell, mark=facts.words.say("label.coverage_explains") if row["fall_within_coverage"] else "")


def _beyond(facts: Facts, row: Row, column: str) -> Cell:
    """Write what was found beyond the trend, with its interval."""
    ends = {"ci_low": row[f"{column}_low"], "ci_high": row[f"{column}_high"]}
    return WRITERS["points"](facts, {**row, **ends}, f"{column}_trend")


_OWN_WRITERS = {
    **WRITERS,
    "size": lambda facts, row, column: Cell(
        facts.words.missing if row[column] is None else facts.words.number(100 * row[column], 1), row[column]
    ),
    "number": _number,
    "bounds_of_numbers": _bounds_of_numbers,
    "beyond": _beyond,
    "marked_measure": _marked("measure"),
    "marked_group": _marked("group"),
    "share_of_counts": _share_of_counts,
    "change": _change,
    "width": lambda facts, row, column: Cell(facts.words.number(100 * row[column], 1), row[column]),
}


def adjusted_section(facts: Facts) -> Section | None:
    """Return raw shares beside corrected ones, or those from reading, where these have a basis."""
    frame = facts.table("adjusted").filter(pl.col("method") != "none", pl.col("slice_kind") != "year")
    if frame.is_empty():
        return None
    words, title = facts.words, facts.words.say("section.adjusted")
    columns = _adjusted_columns("read" if (frame["method"] == LABELLED).any() else "corrected")
    grid = grid_from(facts, title, frame.sort(pl.col("slice_kind") != "all", maintain_order=True), columns)
    basis = tuple(
        words.say("label.basis", basis=words.value(text))
        for text in frame["basis"].drop_nulls().unique(maintain_order=True)
    )
    plan = grid_from(facts, words.say("label.reading_plan"), facts.table("reading_plan"), _PLAN, _OWN_WRITERS)
    return Section(
        "adjusted",
        title,
        words.say("lead.adjusted"),
        grids=(grid, *((plan,) if plan.rows else ())),
        paragraphs=basis,
    )


def change_section(facts: Facts) -> Section | None:
    """Return growth per year, shares before and after dated events, and collaboration indices."""
    say = facts.words.say
    indices = facts.table("collaboration_indices").drop_nulls("share_of_a")
    grids = [
        grid_from(facts, say("section.growth"), facts.table("growth").drop_nulls("growth"), _GROWTH, _OWN_WRITERS),
        *_event_grids(facts),
        grid_from(facts, say("section.bootstrap"), _medians(facts), _BOOTSTRAP, _OWN_WRITERS),
        grid_from(facts, say("section.collaboration_indices"), indices, _COLLABORATION_INDICES),
    ]
    section = section_of(facts, "change", grids)
    return replace(section, paragraphs=_notes_on_change(facts)) if section else None


def _notes_on_change(facts: Facts) -> tuple[str, ...]:
    """Return how many intervals of this part miss by chance alone, and which works the events compare."""
    words, events = facts.words, facts.table("events")
    compared = events.drop_nulls("difference")
    found = (compared, events.drop_nulls("beyond_trend"), facts.table("growth").drop_nulls("growth"))
    intervals = sum(frame.height for frame in found)
    confidence = float(facts.study.get("confidence") or 0.95)
    notes = [
        words.say(
            "label.many_intervals",
            count=words.count(intervals),
            confidence=words.percent(confidence, 0),
            misses=words.number(intervals * (1 - confidence), 1),
        )
    ]
    for row in rows_of(events.unique(["date", "label"], keep="first", maintain_order=True)):
        key = "event_window" if row["after_works"] and row["before_works"] else "event_empty"
        left_out = {name: words.count(row[name] or 0) for name in ("incomplete", "undated")}
        notes.append(
            words.say(
                f"label.{key}",
                date=words.date(row["date"]),
                first=words.date(str(row["after_from"])),
                last=words.date(str(row["after_to"])),
                **left_out,
            )
        )
    return tuple(notes)


def _event_grids(facts: Facts) -> list[Grid]:
    """Return one grid per dated event: the measures before and after it."""
    events = facts.table("events").drop_nulls("difference").partition_by("date", "label", maintain_order=True)
    return [
        grid_from(
            facts,
            facts.words.say(
                "section.event", date=facts.words.date(event["date"][0] or ""), label=event["label"][0] or ""
            ),
            event,
            _EVENTS,
            _OWN_WRITERS,
        )
        for event in events
    ]


def _medians(facts: Facts) -> pl.DataFrame:
    """Return medians with their intervals; the ranks stay in the tables of the run."""
    ranks = pl.col("statistic").str.starts_with("rank")
    return facts.table("bootstrap").filter(~ranks).drop_nulls("value")


def crossing_section(facts: Facts) -> Section | None:
    """Return critical works by area and highest level."""
    frame, title = facts.table("area_levels"), facts.words.say("section.area_levels")
    if frame.is_empty() or not frame["works"].sum():
        return None
    levels = sorted(frame["risk_level"].unique(), key=facts.by_level)
    cells = {
        (row["area"], row["risk_level"]): count_cell(facts, row["works"], small=row["is_small"])
        for row in frame.iter_rows(named=True)
    }
    rows = (
        (Cell(facts.area(area)), *(cells.get((area, level), count_cell(facts, None)) for level in levels))
        for area in frame["area"].unique(maintain_order=True)
    )
    heads = (facts.words.say("label.area"), *(facts.level(level) for level in levels))
    return section_of(facts, "area_levels", [grid_of(title, heads, rows)])


def specification_section(facts: Facts) -> Section | None:
    """Return the curve of equally defensible specifications, and which switch moves the share most."""
    words, every = facts.words, facts.table("specifications").drop_nulls("share")
    if every.height < 3:
        return None
    title = words.say("section.specifications")
    moving = facts.table("switch_effects").drop_nulls("mean_difference")  # a switch with one setting moves nothing
    switch_effects = grid_from(facts, title, moving, _SWITCH_EFFECTS, _OWN_WRITERS)
    drawn = every.filter(pl.col("is_defensible") | pl.col("is_study"))
    curve = drawn_specifications(drawn)
    figures = figure_of(
        facts, "specifications", title, lambda width: specification_chart(curve, words, width), switch_effects
    )
    small = drawn.filter("is_small").height
    lead = words.say(
        "lead.specifications",
        count=words.count(drawn.height),
        distinct=words.count(drawn.select("numerator", "denominator").n_unique()),
        small=words.count(small),
        floor=words.count(facts.study.get("small_rate")),
        left_out=words.count(every.height - drawn.height),
    )
    return Section(
        "specifications",
        title,
        lead,
        figures=figures,
        paragraphs=(*_range(facts, drawn), *_moved_most(facts), *_unequal(facts)),
    )


def _range(facts: Facts, drawn: pl.DataFrame) -> tuple[str, ...]:
    """Return the lowest and highest share over enough works, and where the study is among them."""
    large, own = drawn.filter(~pl.col("is_small")), drawn.filter("is_study")
    if large.is_empty() or own.is_empty():
        return ()
    below = large.filter(pl.col("share") < own["share"][0]).height
    line = facts.words.say(
        "label.specification_range",
        low=facts.words.percent(large["share"].min()),  # type: ignore[arg-type]
        high=facts.words.percent(large["share"].max()),  # type: ignore[arg-type]
        share=facts.words.percent(own["share"][0]),
        below=facts.words.percent(below / large.height, 0),
    )
    return (line,)


def _unequal(facts: Facts) -> tuple[str, ...]:
    """Return the settings that the curve leaves out, each switch with its reason."""
    words = facts.words
    return tuple(
        words.say(
            "label.left_out",
            settings=", ".join(map(words.value, row["left_out"])),
            reason=words.name("unequal", row["switch"]),
        )
        for row in rows_of(facts.table("switch_effects").sort("rank"))
        if row["left_out"]
    )


def _moved_most(facts: Facts) -> tuple[str, ...]:
    """Return which switch moves the share most, and between which of its settings."""
    words, rows = facts.words, facts.table("switch_effects").drop_nulls("mean_difference").sort("rank")
    if rows.is_empty():
        return ()
    row = rows.row(0, named=True)
    line = words.say(
        "label.moved_most",
        switch=words.value(row["switch"].replace("_", " ")),
        points=words.number(100 * row["mean_difference"], 1),
        lowest=words.value(row["lowest_setting"]),
        low=words.percent(row["lowest_median"]),
        highest=words.value(row["highest_setting"]),
        high=words.percent(row["highest_median"]),
    )
    return (line,)


def drawn_specifications(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the specifications to draw in the order of their shares: evenly many, and always the study's own."""
    ordered = frame.sort("share", *(name for name in frame.columns if name != "share")).with_row_index("rank")
    step = max(1, -(-ordered.height // _DRAWN))
    return ordered.filter((pl.col("rank") % step == 0) | (pl.col("rank") == ordered.height - 1) | pl.col("is_study"))
