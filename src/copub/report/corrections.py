"""What was corrected before measuring: repairs of affiliations, and the decisions of readers."""

from __future__ import annotations

import polars as pl

from copub.report.blocks import Cell, Grid, Section
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, grid_from
from copub.report.workevidence import TITLE, cut, without_mail

_ROWS = 80
_REPAIRS: tuple[Column, ...] = (
    ("label.kind", "kind", "value"),
    ("label.applied", "is_applied", "truth"),
    ("label.count", "works", "count"),
)
_APPLIED: tuple[Column, ...] = (
    ("label.kind", "kind", "value"),
    ("label.before", "before", "text"),
    ("label.repaired", "after", "text"),
    ("label.reason", "reason", "reason"),
    ("label.works", "works", "count"),
)
_DECISIONS: tuple[Column, ...] = (
    ("label.affiliation", "value", "unaddressed"),
    ("label.entity", "entity_id", "text"),
    ("label.decision", "decision", "decision"),
    ("label.reason", "reason", "reason"),
    ("label.date", "date", "date"),
)


def repair_grids(facts: Facts) -> list[Grid]:
    """Return the repairs by kind, and those that the study applied one by one."""
    words = facts.words
    repairs = facts.table("repairs").with_columns(is_applied=pl.lit(bool(facts.study.get("apply_repairs"))))
    if repairs.is_empty():
        return []
    kinds = repairs.group_by("kind", "is_applied").len("works").sort("kind", "is_applied")
    keys = ["kind", "before", "after", "reason"]
    applied = repairs.filter("is_applied").group_by(keys).agg(pl.col("work_id").n_unique().alias("works"))
    applied = applied.sort("works", *keys, descending=[True] + [False] * len(keys))
    grids = [grid_from(facts, words.say("section.repairs"), kinds, _REPAIRS)]
    if applied.height:
        caption = words.say("section.repairs_applied", count=words.count(int(applied["works"].sum())))
        grids.append(grid_from(facts, caption, applied.head(_ROWS), _APPLIED))
    return grids


def decision_section(facts: Facts) -> Section | None:
    """Return what readers decided on affiliations, and how many of the listed works they have read."""
    words, decisions = facts.words, facts.entries("decisions")
    if not decisions:
        return None
    schema = dict.fromkeys(("value", "entity_id", "decision", "reason", "date"), pl.String)
    frame = pl.DataFrame(list(decisions), schema=schema, strict=False).head(_ROWS)
    status = facts.table("copublications").filter("is_listed")["review_status"]
    read = words.say(
        "section.read", count=words.count(int((status != "unreviewed").sum())), of=words.count(len(status))
    )
    title = words.say("section.decisions", count=words.count(len(decisions)))
    grid = grid_from(facts, title, frame, _DECISIONS, {**WRITERS, "unaddressed": _unaddressed})
    return Section("decisions", title, words.say("lead.decisions"), grids=(grid,), paragraphs=(read,))


def _unaddressed(facts: Facts, row: Row, column: str) -> Cell:
    return Cell(without_mail(facts, cut(row[column] or "", 2 * TITLE)), is_name=True)
