"""One part of the page per institution of side A: shares, partners, what changed since the last run."""

from __future__ import annotations

from typing import Any

import polars as pl

from copub.report.blocks import Cell, Grid, Section, grid_of, rows_of, share_cells, share_heads
from copub.report.facts import Facts, Row
from copub.report.partnersections import named_pairs, partner_grid, top_institutions
from copub.report.workevidence import TITLE, critical_listed, cut, side_a_institutions

PARTS = 40  # institutions of side A with a part of their own
PARTNERS = 12
CHANGES = 25


def institution_parts(facts: Facts) -> Section | None:
    """Return the parts, most critical and listed works first."""
    words, pairs = facts.words, named_pairs(facts)
    shares = {
        measure: {row["slice"]: row for row in rows_of(facts.shares(measure, "institution_a"))}
        for measure in ("critical", "listed", "critical_listed")
    }
    changes = _changes(facts)
    parts: list[dict[str, Any]] = []
    for row in rows_of(top_institutions(facts, "a", PARTS)):
        name = row["institution_name"]
        measured = {measure: rows[name] for measure, rows in shares.items() if name in rows}
        grids = [
            _share_grid(facts, name, measured),
            partner_grid(facts, pairs.filter(pl.col("institution_a") == name).head(PARTNERS), name),
            _change_grid(facts, changes.get(name, [])),
        ]
        numbers = {key: words.count(row[key]) for key in ("works", "critical", "critical_listed")}
        counts = words.say("label.counts_of_institution", **numbers)
        parts.append({"name": name, "counts": counts, "grids": [grid for grid in grids if grid.rows]})
    if not parts:
        return None
    title = words.say("section.institution_parts", a=facts.a)
    return Section("parts", title, words.say("lead.institution_parts"), kind="parts", extra={"parts": parts})


def _share_grid(facts: Facts, name: str, measured: dict[str, Row]) -> Grid:
    lines = (
        (Cell(facts.words.name("measure", measure)), *share_cells(facts, row)) for measure, row in measured.items()
    )
    return grid_of(name, (facts.words.say("label.measure"), *share_heads(facts)), lines)


def _changes(facts: Facts) -> dict[str, list[tuple[str, Row]]]:
    """Return by institution the works that came to the headline's numerator or left it since the last run."""
    if not facts.previous:
        return {}
    last = Facts(facts.previous, facts.manifest, facts.words)
    now, before = critical_listed(facts), critical_listed(last)
    found: dict[str, list[tuple[str, Row]]] = {}
    for status, run, works in (
        ("added", facts, now.join(before, on="work_id", how="anti")),
        ("removed", last, before.join(now, on="work_id", how="anti")),
    ):
        names = side_a_institutions(run, works)
        for row in rows_of(works):
            for name in names.get(row["work_id"], ()):
                found.setdefault(name, []).append((status, row))
    return found


def _change_grid(facts: Facts, changes: list[tuple[str, Row]]) -> Grid:
    words = facts.words
    caption = words.say("section.changes", count=words.count(len(changes)))
    heads = [words.say(f"label.{key}") for key in ("change", "year", "title")]
    rows = (
        (
            Cell(words.say(f"label.{status}")),
            Cell(str(row["publication_year"] or "")),
            Cell(cut(row["title"] or "", TITLE)),
        )
        for status, row in changes[:CHANGES]
    )
    return grid_of(caption, heads, rows)
