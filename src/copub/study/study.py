"""A study: the question asked, and everything that moves its number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two country groups of a study: a name for people, ISO 3166 alpha-2 codes."""

    name: str
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event to draw in trends and to compare before and after.

    Works of the first `lag_months` after it are left out of the comparison: they were written before.
    """

    date: str
    label: str
    lag_months: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """A validated study as it is written. Attributes have the names of the keys in the file.

    A list is named by the id of a shipped one or by the absolute path of a file;
    `copub.study.question.Question` holds the lists themselves. `raw` is the text of the file and
    `hash` its sha256; `file` is its name, for messages, and `source` its bytes.
    """

    id: str
    title: str
    question: str
    synthetic: bool
    side_a: Side
    side_b: Side
    year_from: int
    year_to: int
    exclude_types: tuple[str, ...]
    include_retracted: bool
    include_expansion_corpus: bool
    author_cap: int
    taxonomy: str
    other_taxonomies: tuple[str, ...]
    operating_point: str
    thresholds: Mapping[str, float]
    watchlists: tuple[str, ...]
    other_watchlists: tuple[str, ...]
    levels: tuple[str, ...]
    top_level: str
    tiers: tuple[str, ...]
    include_medical: bool
    include_descendants: bool
    listed_at_publication_only: bool
    apply_repairs: bool
    counting: str
    confidence: float
    base_year: int
    small_cell: int
    small_rate: int
    events: tuple[Event, ...]
    bounds: Mapping[str, tuple[float, float]]
    raw: str = field(repr=False)
    published: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    labelled: str = ""
    language: str = "en"
    paratext_titles: bool = False
    file: str = field(default="", repr=False, compare=False)
    source: bytes = field(default=b"", repr=False, compare=False)

    @property
    def hash(self) -> str:
        """Return the sha256 of the study's text, as hexadecimal digits."""
        return hashlib.sha256(self.raw.encode("utf-8")).hexdigest()

    def side_of(self, country: str | None) -> str:
        """Return "a", "b" or "" for a country code."""
        if country in self.side_a.countries:
            return "a"
        return "b" if country in self.side_b.countries else ""


NOT_SETTINGS = ("raw", "file", "source")
"""Attributes of a study that say where it was read from, and ask nothing."""
