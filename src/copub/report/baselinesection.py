"""The part of the page that sets the pair beside the other works of its sides."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub.countrygroups import find_group, name_of_side
from copub.report.blocks import Section
from copub.report.facts import Facts, side_name
from copub.report.grids import Column, grid_from
from copub.report.messages import Messages
from copub.report.panelsection import WAYS

MEASURES = ("critical_listed", "critical", "listed")
"""In the order of the page."""
_COLUMNS: tuple[Column, ...] = (
    ("label.set_of_works", "name", "marked"),
    ("label.numerator", "numerator", "count"),
    ("label.denominator", "denominator", "count"),
    ("label.share", "share", "counted"),
    ("label.pair_difference", "difference", "points_with_ends"),
    ("label.in_common", "in_common", "count"),
)


def baseline_rows(facts: Facts) -> pl.DataFrame:
    """Return the table ``baselines`` with the name of each set of works in the reader's language."""
    rows = facts.table("baselines")
    names = [
        set_name(facts.words, facts.a, facts.b, *of) for of in rows.select("kind", "partner", "countries").iter_rows()
    ]
    return rows.with_columns(name=pl.Series(names, dtype=pl.String))


def set_name(words: Messages, a: str, b: str, kind: str, partner: str, countries: Sequence[str]) -> str:
    """Return the name of a set of works: of a row of table ``baselines``, for sides named `a` and `b`."""
    group = find_group(partner) if partner else None
    codes = countries if group is None else group.codes
    name: str = side_name(words, name_of_side(codes), codes)
    if len(countries) != len(codes):
        name = words.say("baselines.rest", group=name)
    return words.say(f"baselines.{kind.replace(' ', '_').lower()}", a=a, b=b, partner=name)


def baseline_section(facts: Facts) -> Section | None:
    """Return the shares of the pair beside those of other works; None for a study that names no baselines."""
    words, rows = facts.words, baseline_rows(facts).filter(counting=facts.counting)
    if rows.is_empty():
        return None
    grids = [
        grid_from(facts, words.name("measure", measure), rows.filter(measure=measure), _COLUMNS, WAYS)
        for measure in MEASURES
    ]
    together = words.say(
        "baselines.at_once",
        confidence=words.percent(rows["confidence"][0], 0),
        comparisons=words.count(rows["comparisons"][0]),
    )
    return Section(
        "baselines",
        words.say("section.baselines"),
        words.say("lead.baselines", a=facts.a, b=facts.b),
        grids=tuple(grids),
        paragraphs=(together, *_sources(facts)),
    )


def _sources(facts: Facts) -> list[str]:
    """Return from which records the baselines were counted."""
    return [
        facts.words.say(
            "baselines.source" if entry.get("date") else "baselines.source_undated",
            date=facts.words.date(str(entry.get("date") or "")),
            records=facts.words.count(entry.get("records")),
        )
        for entry in facts.entries("baselines")
    ]
