"""The first screen: the answer in one sentence, its estimates on one axis, a small trend, what to know, what to do."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from copub.measures.adjusted import LABELLED
from copub.report.blocks import Cell, Figure, Section, figure_of, grid_of, share_cell
from copub.report.certainty import HEADLINE, headline_row, plan_sentence, read_sentence
from copub.report.charts import estimate_chart, share_chart
from copub.report.drawing import NARROW
from copub.report.facts import Facts, Row
from copub.report.summary import first_sentence, listed_sentence, weightiest_sentences

_WIDTH = 490  # pixels; the small trend is next to the estimates

Link = tuple[str, str]
"""A sentence, and the section of the page that it leads to ("" for none)."""


def answer_section(facts: Facts) -> Section:
    """Return what a reader sees first."""
    return Section(
        id="answer",
        title=facts.words.say("section.summary"),
        kind="answer",
        figures=(*_estimate_figure(facts), *_trend_figure(facts)),
        extra={
            **_leading_figure(facts),
            "sentence": read_sentence(facts) or first_sentence(facts),
            "means": listed_sentence(facts),
            "facts": weightiest_sentences(facts),
            "next": tuple(_next_steps(facts)),
        },
    )


def _leading_figure(facts: Facts) -> dict[str, str]:
    """Return the figure that leads, with its interval: the share from reading, else the share as counted."""
    row = facts.share(HEADLINE)
    if row is None or row["share"] is None:
        return {"share": "", "bounds": ""}
    shown = headline_row(facts)
    if shown is None or shown["adjusted"] is None or facts.counting != "full":
        few = facts.words.say("certainty.bounds_few") if row["is_small"] else ""
        return {"share": facts.words.percent(row["share"]), "bounds": few}
    is_read = shown["method"] == LABELLED
    bounds = facts.words.say(
        "certainty.bounds_read" if is_read else "certainty.bounds_counted",
        low=facts.words.percent(shown["adjusted_low"]),
        high=facts.words.percent(shown["adjusted_high"]),
        confidence=facts.words.percent(shown["confidence"], 0),
    )
    return {"share": facts.words.percent(shown["adjusted"] if is_read else row["share"]), "bounds": bounds}


def estimates(facts: Facts) -> list[Row]:
    """Return the estimates of the headline share, those that lead first.

    Rows: key (in ``[estimate]`` of the words), share (None where only bounds are known), ci_low, ci_high.
    """
    counted, shown = facts.share(HEADLINE), headline_row(facts)
    rows: list[Row] = []
    if counted is not None and counted["share"] is not None:
        rows.append({"key": "counted", **counted})
    if shown is not None and shown["adjusted"] is not None and facts.counting == "full":
        ends = {"ci_low": shown["adjusted_low"], "ci_high": shown["adjusted_high"]}
        is_read = shown["method"] == LABELLED
        estimate = {"key": "read" if is_read else "corrected", "share": shown["adjusted"], **ends}
        rows.insert(0 if is_read else len(rows), estimate)
    rows += _readings(facts)
    for entry in facts.entries("true_values"):
        if entry.get("measure") == HEADLINE:
            rows.append({"key": "true_value", "share": entry.get("true_value"), "ci_low": None, "ci_high": None})
    return rows


def _readings(facts: Facts) -> Iterator[Row]:
    """Yield the bounds that unknown levels leave, and the share with each list as it was at publication."""
    own = facts.table("readings").filter(pl.col("denominator") > 0, measure=HEADLINE, counting=facts.counting)
    rows = {row["reading"]: row for row in own.iter_rows(named=True)}
    low, high = (rows.get(f"unknown levels, {end}") for end in ("smallest", "largest"))
    if low and high:
        ends = {"ci_low": low["share"], "ci_high": high["share"]}
        yield {"key": "unknown_levels", "share": low["share"] if low["share"] == high["share"] else None, **ends}
    if "lists as at publication" in rows:
        yield {"key": "at_publication", **rows["lists as at publication"]}


def _estimate_figure(facts: Facts) -> tuple[Figure, ...]:
    words, title = facts.words, facts.words.say("estimate.title")
    rows = [
        {**row, "label": words.say(f"estimate.{row['key']}"), "is_first": place == 0}
        for place, row in enumerate(estimates(facts))
    ]
    heads = (words.say("estimate.name"), *(words.say(f"label.{key}") for key in ("share", "interval")))
    grid = grid_of(
        title,
        (*heads, words.say("estimate.note")),
        (
            (
                Cell(row["label"]),
                share_cell(facts, row["share"], small=row.get("is_small")),
                Cell(facts.bounds(row), keep=True),
                Cell(words.say(f"estimate.{row['key']}_note")),
            )
            for row in rows
        ),
    )
    return figure_of(facts, "estimates", title, lambda width: estimate_chart(rows, words, width), grid, width=_WIDTH)


def _trend_figure(facts: Facts) -> tuple[Figure, ...]:
    words, title = facts.words, facts.words.say("opening.trend")
    periods = facts.table("periods").filter(measure=HEADLINE, counting=facts.counting)
    heads = [words.say(f"label.{key}") for key in ("first_year", "last_year", "share", "interval")]
    grid = grid_of(
        title,
        heads,
        (
            (
                Cell(str(row["year_from"])),
                Cell(str(row["year_to"])),
                share_cell(facts, row["share"], small=row.get("is_small")),
                Cell(facts.bounds(row), keep=True),
            )
            for row in periods.iter_rows(named=True)
        ),
    )
    return figure_of(facts, "periods", title, lambda width: share_chart(periods, words, width), grid, width=NARROW)


def _next_steps(facts: Facts) -> Iterator[Link]:
    """Yield what a reader does next, each with the section where it is done."""
    words, row = facts.words, facts.share(HEADLINE)
    if plan := plan_sentence(facts):
        yield plan, ""
    if row is not None and row["numerator"] and row["numerator"] == int(row["numerator"]):
        yield words.say("opening.works", count=words.count(row["numerator"])), "works"
    yield words.say("opening.quote"), "basis"
    yield words.say("opening.limits"), "limits"
