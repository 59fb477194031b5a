"""The parts of the page behind the answer: coverage, true values, method, limits, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from copub.report.answers import list_line
from copub.report.blocks import Cell, Figure, Grid, Section, count_cell, figure_of, grid_of, rows_of, share_cell
from copub.report.charts import overlap_chart
from copub.report.corrections import repair_grids
from copub.report.facts import Facts
from copub.report.summary import coverage_sentences, figure_in_words

NOTES = ("person", "assessment", "allowed")
_LIMITS = ("limits_source", "limits_recent", "limits_language", "limits_title", "limits_lists")
_ROWS = 80


def quality_section(facts: Facts) -> Section | None:
    """Return the funnel from records to denominator, and the fill rates."""
    words, title = facts.words, facts.words.say("section.quality")
    funnel = [entry for entry in facts.entries("funnel") if isinstance(entry.get("count"), int | float)]
    grids: list[Grid] = []
    figures: tuple[Figure, ...] = ()
    if funnel:
        heads = tuple(words.say(f"label.{key}") for key in ("step", "count", "note"))
        grid = grid_of(
            title,
            heads,
            (
                (
                    Cell(words.value(str(e.get("step") or ""))),
                    count_cell(facts, e["count"]),
                    Cell(str(e.get("note") or ""), is_name=True),
                )
                for e in funnel
            ),
        )
        bars = [
            {
                "label": words.value(str(e.get("step") or "")),
                "whole": float(e["count"]),
                "part": 0.0,
                "text": words.count(e["count"]),
            }
            for e in funnel
        ]
        figures = figure_of(facts, "funnel", title, lambda width: overlap_chart(bars, words, width), grid)
    steps = [str(entry.get("step")) for entry in funnel]
    coverage = facts.table("coverage").filter(pl.col("slice_kind") == "all", ~pl.col("metric").is_in(steps))
    if coverage.height:
        grids.append(_coverage_grid(facts, coverage, words.say("section.fill")))
    notes = facts.table("coverage").filter(pl.col("slice_kind") == "record")
    if notes.height:
        grids.append(_coverage_grid(facts, notes.head(_ROWS), words.say("section.records")))
    grids += [*_tier_grids(facts), *repair_grids(facts)]
    if not grids and not figures:
        return None
    gaps = tuple(coverage_sentences(facts))
    return Section("quality", title, words.say("lead.quality"), figures=figures, grids=tuple(grids), paragraphs=gaps)


def _tier_grids(facts: Facts) -> list[Grid]:
    """Return how the listed works were found: by which tiers, and so what each adds to the others."""
    words = facts.words
    listed = facts.table("copublications").filter("is_listed")
    if listed.is_empty():
        return []
    found = (
        listed.group_by(pl.col("tiers").list.sort())
        .agg(pl.len().alias("works"), pl.col("is_critical_listed").sum())
        .sort(pl.col("tiers").list.len(), pl.col("tiers").list.join("+"))
    )
    heads = tuple(words.say(f"label.{key}") for key in ("tier", "works", "critical_listed"))
    rows = (
        (
            Cell(", ".join(words.name("tier", tier) for tier in row["tiers"] or ())),
            count_cell(facts, row["works"]),
            count_cell(facts, row["is_critical_listed"]),
        )
        for row in rows_of(found)
    )
    return [grid_of(words.say("section.tiers"), heads, rows)]


def _coverage_grid(facts: Facts, coverage: pl.DataFrame, caption: str) -> Grid:
    words = facts.words
    heads = tuple(words.say(f"label.{key}") for key in ("metric", "slice", "count", "of", "share", "note"))
    rows = (
        (
            Cell(words.value(row["metric"])), Cell(words.value(row["slice"] or "")),
            count_cell(facts, row["count"]), count_cell(facts, row["of"]), share_cell(facts, row["share"]),
            Cell(row["note"] or "", is_name=True),
        )
        for row in rows_of(coverage)
    )  # fmt: skip
    return grid_of(caption, heads, rows)


def true_values_section(facts: Facts) -> Section | None:
    """Return the true and the measured values of a synthetic run."""
    words, entries = facts.words, facts.entries("true_values")
    if not entries:
        return None
    title = words.say("section.true_values")
    rows = (
        (
            Cell(words.name("measure", str(entry.get("measure") or ""))),
            *(Cell(figure_in_words(facts, entry.get(key)), entry.get(key)) for key in ("true_value", "measured")),
        )
        for entry in entries
    )
    heads = tuple(words.say(f"label.{key}") for key in ("measure", "true_value", "measured"))
    return Section("true_values", title, words.say("lead.true_values"), grids=(grid_of(title, heads, rows),))


def method_section(facts: Facts) -> Section:
    """Return how the number is counted."""
    words, study = facts.words, facts.study
    levels = ", ".join(facts.level(level) for level in study.get("levels") or ()) or words.say("rests.levels_all")
    fill = {
        "taxonomy": study.get("taxonomy") or words.missing,
        "watchlists": ", ".join(study.get("watchlists") or ()) or words.missing,
        "levels": levels,
        "confidence": words.percent(study.get("confidence") or 0.95, 0),
    }
    lines = tuple(words.say(f"method.{key}", **fill) for key in ("critical", "listed", "counting", "interval", "small"))
    return Section("method", words.say("section.method"), paragraphs=lines)


def limits_section(facts: Facts) -> Section:
    """Return the fixed notes and the limits."""
    words = facts.words
    lines = tuple(words.say(f"note.{key}") for key in (*NOTES, *_LIMITS))
    return Section("limits", words.say("section.limits"), kind="list", paragraphs=lines)


def provenance_section(facts: Facts) -> Section:
    """Return run, query, hashes, versions, time: enough to make the number again."""
    words, manifest, study = facts.words, facts.manifest, facts.study
    source: Mapping[str, Any] = manifest.get("source") or {}
    kind = str(source.get("kind") or "")
    entries: list[tuple[str, list[Any]]] = [
        ("run", [manifest.get("run_id")]),
        ("created", [manifest.get("created")]),
        ("version", [manifest.get("copub_version")]),
        ("study", [" · ".join(str(study[key]) for key in ("id", "question") if study.get(key))]),
        ("study_hash", [study.get("hash")]),
        ("command", [_joined(manifest.get("command"))]),
        ("source", [words.name("provenance", "kind_" + kind.replace("-", "_")) if kind else None]),
        ("query", [_query(source.get("query"))]),
        *(
            (key, [words.count(source[key])] if isinstance(source.get(key), int) else [])
            for key in ("expected", "got", "missing")
        ),
        ("epochs", [words.value(str(epoch)) for epoch in manifest.get("epochs") or ()]),
        ("model", [f"{model.get('id')} {model.get('hash')}" for model in facts.entries("models")]),
        ("versions", [", ".join(f"{name} {version}" for name, version in (manifest.get("versions") or {}).items())]),
    ]
    pairs = tuple(
        (words.say(f"provenance.{key}"), tuple(str(value) for value in values if value))
        for key, values in entries
        if any(values)
    )
    return Section(
        "provenance",
        words.say("section.provenance"),
        pairs=pairs,
        extra={"more": (words.say("action.show_hashes"), _provenance_grids(facts, source))},
    )


def _provenance_grids(facts: Facts, source: Mapping[str, Any]) -> list[Grid]:
    words, grids = facts.words, []
    lists = [
        (
            Cell(list_line(facts, entry)),
            Cell(words.value(str(entry.get("kind") or ""))),
            Cell(words.value(str(entry.get("completeness") or ""))),
            _hash(entry.get("hash")),
        )
        for entry in facts.entries("watchlists")
    ]
    taxonomies = [
        (
            Cell(str(entry.get("title") or entry.get("id") or ""), is_name=True),
            Cell(words.date(str(entry.get("date") or ""))),
            Cell(str(entry.get("verification") or ""), is_name=True),
            _hash(entry.get("hash")),
        )
        for entry in facts.entries("taxonomies")
    ]
    files = [
        (
            Cell(str(entry.get("name") or ""), is_name=True),
            count_cell(facts, entry.get("records")),
            _hash(entry.get("sha256")),
        )
        for entry in source.get("files") or ()
    ]
    tables = [
        (Cell(name, is_name=True), count_cell(facts, entry.get("rows")), _hash(entry.get("sha256")))
        for name, entry in (facts.manifest.get("tables") or {}).items()
    ]
    stages = [
        (
            Cell(words.value(str(entry.get("stage") or ""))),
            Cell(words.number(entry.get("seconds"), 2)),
            Cell(words.number(entry.get("peak_mb"))),
        )
        for entry in facts.entries("stages")
    ]
    for caption, heads, rows in (
        ("label.lists", ("list", "kind", "completeness", "hash"), lists),
        ("label.taxonomy", ("taxonomy", "date", "verification", "hash"), taxonomies),
        ("provenance.files", ("name", "rows", "hash"), files),
        ("provenance.tables", ("table", "rows", "hash"), tables),
        ("provenance.stages", ("stage", "seconds", "memory"), stages),
    ):
        if rows:
            names = tuple(
                words.say(f"{'provenance' if head in ('completeness', 'verification') else 'label'}.{head}")
                for head in heads
            )
            grids.append(grid_of(words.say(caption), names, rows))
    return grids


def _joined(command: Any) -> str:
    """Return a command line, given as text or as its parts."""
    return " ".join(map(str, command)) if isinstance(command, list | tuple) else str(command or "")


def _query(query: Any) -> str:
    """Return the query as it was asked: text as it is, anything else as JSON."""
    return query if isinstance(query, str) else json.dumps(query, ensure_ascii=False) if query else ""


def _hash(value: Any) -> Cell:
    return Cell(str(value or "")[:16], is_name=True)
