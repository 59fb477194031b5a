"""Grids described as data: which columns of a frame are under which heads, written in which way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl

from copub.report.blocks import Cell, Grid, Section, grid_of, rows_of
from copub.report.facts import Facts, Row

Column = tuple[str, str, str]
"""Key of the head in the words, column of the frame, way of writing it (one of `WRITERS`)."""


def _text(facts: Facts, row: Row, column: str) -> Cell:
    value = row[column]
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return Cell(text, is_name=True)


def _marked(facts: Facts, row: Row, column: str) -> Cell:
    small = facts.words.say("label.small") if row.get("is_small") else ""
    return Cell("" if row[column] is None else str(row[column]), mark=small, is_name=True)


def _reason(facts: Facts, row: Row, column: str) -> Cell:
    """Write what copub or a person noted: in the reader's language where copub wrote it, else as it is."""
    text = row[column] or ""
    written = facts.words.value(text)
    return Cell(written, is_name=written == text)


def _points(facts: Facts, row: Row, column: str) -> Cell:
    """Write a difference of shares, with its interval below it where the row has one."""
    low, high = row.get("ci_low"), row.get("ci_high")
    detail = f"{facts.words.points(low)}\u00a0–\u00a0{facts.words.points(high)}" if low is not None else ""
    return Cell(facts.words.points(row[column]), row[column], detail=detail)


Writer = Callable[[Facts, Row, str], Cell]

WRITERS: Mapping[str, Writer] = {
    "text": _text,
    "marked": _marked,
    "reason": _reason,
    "value": lambda facts, row, column: Cell(facts.words.value(row[column] or "")),
    "date": lambda facts, row, column: Cell(facts.words.date(row[column] or "")),
    "truth": lambda facts, row, column: Cell(facts.words.say("label.yes" if row[column] else "label.no")),
    "level": lambda facts, row, column: Cell(facts.level(row[column]) if row[column] else ""),
    "area": lambda facts, row, column: Cell(facts.area(row[column])),
    "measure": lambda facts, row, column: Cell(facts.words.name("measure", row[column])),
    "statistic": lambda facts, row, column: Cell(facts.words.name("statistic", row[column])),
    "growth_kind": lambda facts, row, column: Cell(facts.words.name("growth_kind", row[column])),
    "decision": lambda facts, row, column: Cell(facts.words.name("decision", row[column])),
    "slice": lambda facts, row, column: Cell(
        facts.words.say("label.all_works") if row[column] == "all" else facts.words.value(row[column] or "")
    ),
    "group": lambda facts, row, column: Cell(
        facts.words.name("measure", "total" if row[column] == "all" else row[column])
    ),
    "count": lambda facts, row, column: Cell(facts.words.count(row[column]), row[column]),
    "figure": lambda facts, row, column: Cell(facts.words.number(row[column], 2), row[column]),
    "fine_figure": lambda facts, row, column: Cell(facts.words.number(row[column], 4), row[column]),
    "share": lambda facts, row, column: Cell(facts.words.percent(row[column]), row[column]),
    "difference": lambda facts, row, column: Cell(facts.words.points(row[column]), row[column]),
    "points": _points,
    "bounds": lambda facts, row, column: Cell(_bounds(facts, row, column), keep=True),
}


def _bounds(facts: Facts, row: Row, column: str) -> str:
    """Write the interval whose ends are the columns ``<column>_low`` and ``<column>_high``."""
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    if low is None or high is None:
        return facts.words.missing
    return f"{facts.words.percent(low)}\u00a0–\u00a0{facts.words.percent(high)}"


def grid_from(
    facts: Facts,
    caption: str,
    frame: pl.DataFrame,
    columns: Sequence[Column],
    writers: Mapping[str, Writer] = WRITERS,
) -> Grid:
    """Return a frame as a grid, row by row in its order."""
    heads = [facts.words.say(head, a=facts.a, b=facts.b) for head, _, _ in columns]
    rows = ([writers[way](facts, row, column) for _, column, way in columns] for row in rows_of(frame))
    return grid_of(caption, heads, rows, facts.words.missing)


def section_of(facts: Facts, key: str, grids: Iterable[Grid]) -> Section | None:
    """Return the section `key` with those of its grids that have rows, or None."""
    filled = tuple(grid for grid in grids if grid.rows)
    if not filled:
        return None
    return Section(key, facts.words.say(f"section.{key}"), facts.words.say(f"lead.{key}"), grids=filled)
