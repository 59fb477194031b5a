"""The shapes of the answers of OpenAlex, and of what the journal of a harvest keeps of them.

An answer is checked before it goes to the cache: one that is malformed would be read from there for ever.
The records of a page are checked later, one by one, when they are tabulated (`copub.corpus.record`).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from copub.jsonshape import Count, Name

Cursor = Annotated[str, msgspec.Meta(max_length=10_000)]


class _Meta(msgspec.Struct):
    count: Count


class _PageMeta(msgspec.Struct):
    count: Count
    next_cursor: Cursor | None = None


class _Group(msgspec.Struct):
    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,4}\Z")] | Annotated[int, msgspec.Meta(ge=0, le=9999)]
    count: Count


class Counted(msgspec.Struct):
    """An answer of which only the count is read."""

    meta: _Meta


class WorksPage(msgspec.Struct):
    """A page of works, or works asked for by id."""

    meta: _PageMeta
    results: Annotated[list[Any], msgspec.Meta(max_length=10_000)]


class Years(msgspec.Struct):
    """Works per year."""

    meta: _Meta
    group_by: Annotated[list[_Group], msgspec.Meta(max_length=10_000)]


class Single(msgspec.Struct):
    """One work, asked for by its id."""

    id: Name


class PageFacts(msgspec.Struct):
    """What the journal says of a page: of each work id, year, date and date of update."""

    count: Count
    next: Cursor | None
    works: list[tuple[Name, str | int | None, str | int | None, str | int | None]]
    cut: list[Annotated[str, msgspec.Meta(pattern=r"^W[0-9]{1,18}\Z")]]


class YearFacts(msgspec.Struct):
    """What the journal says of a count per year."""

    count: Count
    years: dict[Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,4}\Z")], Count]


class SingleFacts(msgspec.Struct):
    """What the journal says of a single work."""

    there: bool


SHAPES: dict[str, tuple[Any, Any]] = {
    "list": (WorksPage, PageFacts),
    "sweep": (WorksPage, PageFacts),
    "batch": (WorksPage, PageFacts),
    "years": (Years, YearFacts),
    "single": (Single, SingleFacts),
    "vanished": (Single, SingleFacts),
}
"""Kind of question -> the shape of its answer, and of what the journal keeps of it."""
