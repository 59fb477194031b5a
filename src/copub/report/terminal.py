"""What `copub run` prints: the answer first, then what qualifies it, then what to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from copub.lines import aligned, wrapped
from copub.report.certainty import (
    model_sentence,
    plan_sentence,
    read_sentence,
    repairs_sentence,
    taught_sentence,
)
from copub.report.facts import Facts, facts_of
from copub.report.panelfacts import panel_sentences
from copub.report.summary import (
    COVERAGE,
    band_sentences,
    figure_in_words,
    first_sentence,
    missing_sentences,
    no_list_sentence,
    protocol_sentences,
)

_LEFT_OUT = "left out: "
_READ, _FOUND, _COUNTED = "records read", "co-publications found", "co-publications counted"


def terminal_lines(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], folder: Path) -> list[str]:
    """Return the result of a run in at most about 15 lines of 80 columns.

    Parameters
    ----------
    tables : tables of the run by name. manifest : its manifest. folder : where the run is.
    """
    facts = facts_of(tables, manifest)
    return [
        *(line for text in _sentences(facts) for line in wrapped(text)),
        *_true_values(facts),
        *(line for text in _records(facts) for line in wrapped(text)),
        *_read_next(facts, folder),
    ]


def _sentences(facts: Facts) -> Iterator[str]:
    synthetic = f"{facts.words.say('terminal.synthetic')} " if facts.synthetic else ""
    yield from protocol_sentences(facts)
    if "shares" in facts.tables:
        read = read_sentence(facts)
        yield synthetic + (read or first_sentence(facts))
        yield from no_list_sentence(facts)
        yield from filter(None, [first_sentence(facts) if read else "", model_sentence(facts, advice=False)])
        yield from panel_sentences(facts)
        if not facts.synthetic:
            yield plan_sentence(facts)
            yield " ".join(filter(None, [taught_sentence(facts), repairs_sentence(facts), *band_sentences(facts)[:1]]))
            yield " ".join(_gaps(facts))
    else:
        yield synthetic + facts.words.say("terminal.stopped")


def _gaps(facts: Facts) -> Iterator[str]:
    """Return the two gaps of the data that weigh most: works without an abstract, and without an institution."""
    works, words = facts.table("copublications"), facts.words
    for key in ("abstract", "institution"):
        count = works.filter(COVERAGE[key]).height
        if count:
            share = words.percent(count / works.height)
            yield words.say(f"terminal.no_{key}", count=words.count(count), share=share, b=facts.b)


def _true_values(facts: Facts) -> list[str]:
    """Return the measures of a synthetic corpus next to their true values, as a table."""
    rows = []
    for entry in facts.entries("true_values"):
        measure, share = str(entry.get("measure")), facts.share(str(entry.get("measure")))
        figures = [figure_in_words(facts, entry.get(name)) for name in ("true_value", "measured")]
        interval = facts.words.missing if share is None else facts.bounds(share)
        rows.append([facts.words.name("measure", measure), *figures, interval])
    if not rows:
        return []
    say, confidence = facts.words.say, facts.words.percent(facts.study.get("confidence"), 0)
    head = [say("terminal.of_synthetic"), say("label.true_value"), say("label.measured")]
    return aligned([[*head, say("terminal.interval", confidence=confidence)], *rows])


def _records(facts: Facts) -> Iterator[str]:
    """Return how many of the records are counted and why the others are not; what is missing or faulty is named."""
    yield from missing_sentences(facts)
    say, number = facts.words.say, facts.words.count
    counts = {step["step"]: step["count"] for step in facts.entries("funnel")}
    notes = {step["step"]: step.get("note") for step in facts.entries("funnel")}
    if _COUNTED not in counts:
        yield say("terminal.read", read=number(counts.get(_READ, 0)))
        return
    lost = {
        "unreadable": counts["unreadable records"],
        "repeated": counts["repeated records"],
        "one_side": counts["works"] - counts[_FOUND],
    } | {step.removeprefix(_LEFT_OUT): count for step, count in counts.items() if step.startswith(_LEFT_OUT)}
    steps = [say(f"left_out.{why}", count=number(count)) for why, count in lost.items() if count]
    ends = {"read": number(counts[_READ]), "counted": number(counts[_COUNTED])}
    yield say("terminal.records", **ends, steps=", ".join(steps) or say("terminal.none_left_out"))
    if lost["unreadable"]:
        yield say("terminal.unreadable", note=notes["unreadable records"])


def _read_next(facts: Facts, folder: Path) -> list[str]:
    report = folder / "report.html"
    kind, path = ("report", report) if report.is_file() else ("tables", folder)
    return [*wrapped(facts.words.say(f"terminal.next_{kind}")), str(path)]
