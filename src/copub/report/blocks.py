"""The building blocks of a page: grids of cells, figures, sections. Plain values for the template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from copub.report.drawing import NARROW, WIDE, draw
from copub.report.facts import Facts, Row


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the text to read, for numbers the value behind it, a short mark, a second line.

    `keep` says that the text is not broken over lines, `is_name` that it is a name or another text
    from outside, which no language changes. `link` is a page of another run beside this one.
    """

    text: str
    value: float | None = None
    mark: str = ""
    detail: str = ""
    keep: bool = False
    is_name: bool = False
    link: str = ""

    @property
    def is_number(self) -> bool:
        """Return whether the cell is set right-aligned as a number."""
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table to read: caption, heads of the columns, rows of cells."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Return for each column whether it holds numbers."""
        return tuple(any(row[place].is_number for row in self.rows) for place in range(len(self.heads)))


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with the grid behind it: `wide` for the desk, `narrow` for phones."""

    id: str
    title: str
    wide: Markup
    narrow: Markup
    grid: Grid


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under one heading; `kind` picks its part of the template. A folded one opens by a click."""

    id: str
    title: str
    lead: str = ""
    kind: str = "plain"
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    paragraphs: tuple[str, ...] = ()
    pairs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    is_folded: bool = False


def count_cell(facts: Facts, value: float | None, *, small: bool | None = False) -> Cell:
    """Return a cell with a count."""
    return Cell(facts.words.count(value), value, facts.words.say("label.small") if small else "")


def share_cell(facts: Facts, value: float | None, small: bool | None = False) -> Cell:
    """Return a cell with a share in per cent, marked if it rests on few works."""
    return Cell(facts.words.percent(value), value, mark=facts.words.say("label.small") if small else "")


def share_cells(facts: Facts, row: Row) -> tuple[Cell, ...]:
    """Return the cells numerator, denominator, share, interval of a row of `shares`."""
    return (
        count_cell(facts, row["numerator"], small=row.get("is_small")),
        count_cell(facts, row["denominator"]),
        share_cell(facts, row["share"]),
        Cell(facts.bounds(row), keep=True),
    )


def share_heads(facts: Facts) -> tuple[str, ...]:
    """Return the heads above `share_cells`."""
    return tuple(facts.words.say(f"label.{key}") for key in ("numerator", "denominator", "share", "interval"))


def grid_of(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], missing: str = "") -> Grid:
    """Return a grid, without the columns that are empty, or hold the sign for a missing value, in every row."""
    lines = [tuple(row) for row in rows]
    kept = [
        place for place in range(len(heads)) if not lines or any(row[place].text not in ("", missing) for row in lines)
    ]
    return Grid(caption, tuple(heads[place] for place in kept), tuple(tuple(row[p] for p in kept) for row in lines))


def rows_of(frame: pl.DataFrame) -> list[Row]:
    """Return the rows of a frame as mappings."""
    return list(frame.iter_rows(named=True))


def figure_of(
    facts: Facts, key: str, title: str, make: Callable[[int], Any], grid: Grid, *, width: int = WIDE
) -> tuple[Figure, ...]:
    """Draw a figure for the desk, `width` pixels wide, and for the phone; empty where there is nothing to draw."""
    with debug_mode(False):  # specifications are validated in the tests; here it would take most of the time
        chart = make(width)
        if chart is None:
            return ()
        wide, phone = (draw(drawn, facts.words.locale) for drawn in (chart, make(NARROW)))
    return (Figure(key, title, Markup(wide), Markup(phone), grid),)
