"""The part of the page that sets the pair beside the other works of its sides."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub.countrygroups import find_group, name_of_side
from copub.report.blocks import Section
from copub.report.facts import Facts
from copub.report.grids import Column, grid_from
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
        facts.words.say(
            f"baselines.{kind.replace(' ', '_').lower()}",
            a=facts.a,
            b=facts.b,
            partner=_partner(facts, key, countries),
        )
        for kind, key, countries in rows.select("kind", "partner", "countries").iter_rows()
    ]
    return rows.with_columns(name=pl.Series(names, dtype=pl.String))


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


def _partner(facts: Facts, key: str, countries: Sequence[str]) -> str:
    group = find_group(key) if key else None
    if group is None:
        return name_of_side(countries)
    is_whole = len(countries) == len(group.codes)
    return group.name if is_whole else facts.words.say("baselines.rest", group=group.name)


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
