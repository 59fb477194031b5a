"""What `copub run` prints: the answer first, then what qualifies it, then what to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import polars as pl

from copub.report.facts import Facts, facts_of
from copub.report.summary import (
    adjusted_sentence,
    band_sentences,
    first_sentence,
    planted_figure,
    shortest_coverage_sentences,
)

WIDTH = 80
_LEFT_OUT = "left out: "


def terminal_lines(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], folder: Path) -> list[str]:
    """Return the result of a run in at most about 15 lines of 80 columns.

    Parameters
    ----------
    tables : tables of the run by name. manifest : its manifest. folder : where the run is.
    """
    facts = facts_of(tables, manifest)
    return [
        *(line for text in _sentences(facts) for line in wrap(text, WIDTH)),
        *_true_values(facts),
        *(line for text in _records(manifest) for line in wrap(text, WIDTH)),
        *_where(folder),
    ]


def _sentences(facts: Facts) -> Iterator[str]:
    synthetic = f"{facts.words.say('headline.synthetic')} " if facts.synthetic else ""
    if "shares" in facts.tables:
        yield synthetic + first_sentence(facts)
        yield from filter(None, [adjusted_sentence(facts)])
        if not facts.synthetic:
            yield from band_sentences(facts)[:1]
            yield from shortest_coverage_sentences(facts)
    elif synthetic:
        yield synthetic.strip()
    yield from (str(warning) for warning in facts.manifest.get("warnings") or [])


def _true_values(facts: Facts) -> list[str]:
    """Return the measures of a synthetic corpus next to their true values, as a table."""
    rows = [
        (
            facts.words.name("measure", str(entry.get("measure"))),
            planted_figure(facts, entry.get("planted")),
            planted_figure(facts, entry.get("found")),
        )
        for entry in facts.entries("planted")
    ]
    if not rows:
        return []
    say = facts.words.say
    head = (say("headline.of_synthetic"), say("headline.true_value"), say("headline.measured"))
    return list(_columns([head, *rows]))


def _columns(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    first, *others = (max(len(row[place]) for row in rows) for place in range(3))
    for row in rows:
        yield "  ".join([row[0].ljust(first), *(cell.rjust(size) for cell, size in zip(row[1:], others, strict=True))])


def _records(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Return how the records became the works that are counted."""
    steps = {step["step"]: step["count"] for step in manifest["funnel"]}
    left = [f"{step.removeprefix(_LEFT_OUT)} {count:,}" for step, count in steps.items() if _LEFT_OUT in step and count]
    counts = [steps.get(step, 0) for step in ("records read", "co-publications found", "co-publications counted")]
    text = "{:,} records, {:,} co-publications, {:,} of them counted".format(*counts)
    yield f"{text}; left out: {', '.join(left)}." if left else f"{text}."
    for step in manifest["funnel"]:
        if step["step"] == "unreadable records" and step["count"]:
            yield f"{step['count']:,} records could not be read: {step['note']}"


def _where(folder: Path) -> list[str]:
    report = folder / "report.html"
    if report.is_file():
        return ["Read next: report.html; every paper and its evidence is in it.", str(report)]
    return ["Read next: the tables; data-dictionary.md explains their columns.", str(folder)]
