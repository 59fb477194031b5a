"""The parts of the page on what others say: published figures beside ours, formal ties beside joint works."""

from __future__ import annotations

from copub.report.blocks import Cell, Section
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, grid_from, section_of

_COMPARISON: tuple[Column, ...] = (
    ("label.figure", "name", "dated"),
    ("label.theirs", "theirs", "by_kind"),
    ("label.ours", "ours", "by_kind"),
    ("label.interval", "ours", "bounds_by_kind"),
    ("label.verdict", "verdict", "text"),
    ("label.differences", "differences", "text"),
    ("label.source", "source", "text"),
)
_TIES: tuple[Column, ...] = (
    ("label.institution_a", "institution_a", "marked"),
    ("label.institution_b", "institution_b", "text"),
    ("label.status", "status", "text"),
    ("label.kind", "kind", "text"),
    ("label.since", "start", "text"),
    ("label.level", "risk_level", "level"),
    ("label.works", "works", "count"),
    ("label.critical_listed", "critical_listed", "count"),
    ("label.listed_before", "listed_share_before", "share"),
    ("label.listed_after", "listed_share_after", "share"),
    ("label.source", "source", "text"),
)
_TIE_AREAS: tuple[Column, ...] = (
    ("label.priority_area", "area", "text"),
    ("label.links", "links", "count"),
    ("label.at_counted_levels", "at_counted_levels", "count"),
    ("label.unresolved", "unresolved", "count"),
    ("label.share", "share_of_links", "share"),
)
_AS_SHARE = ("share", "growth")


def _figure(facts: Facts, kind: str, value: float | None) -> str:
    if kind in _AS_SHARE:
        return facts.words.percent(value)
    return facts.words.number(value, 2) if kind == "ratio" else facts.words.count(value)


def _by_kind(facts: Facts, row: Row, column: str) -> Cell:
    return Cell(_figure(facts, row["kind"], row[column]), row[column])


def _bounds_by_kind(facts: Facts, row: Row, column: str) -> Cell:
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    if low is None or high is None:
        return Cell("")
    return Cell(f"{_figure(facts, row['kind'], low)}\u00a0–\u00a0{_figure(facts, row['kind'], high)}", keep=True)


def _dated(facts: Facts, row: Row, column: str) -> Cell:
    return Cell(row[column] or "", detail=" · ".join(filter(None, (row["period"], row["status"]))))


_WRITERS = {**WRITERS, "by_kind": _by_kind, "bounds_by_kind": _bounds_by_kind, "dated": _dated}


def comparison_section(facts: Facts) -> Section | None:
    """Return published figures beside ours, those that do not hang on the size of the database first."""
    caption = facts.words.say("section.comparison")
    return section_of(
        facts, "comparison", [grid_from(facts, caption, facts.table("comparison"), _COMPARISON, _WRITERS)]
    )


def tie_section(facts: Facts) -> Section | None:
    """Return formal ties with their joint works, strong pairs without a tie, and ties by priority area."""
    say = facts.words.say
    grids = [
        grid_from(facts, say("section.ties"), facts.table("ties"), _TIES),
        grid_from(facts, say("section.tie_areas"), facts.table("tie_areas"), _TIE_AREAS),
    ]
    return section_of(facts, "ties", grids)
