"""What is asked of OpenAlex: the two sides, the years, the corpus, and the requests that follow.

OpenAlex knows countries in two ways, and they see different works. *Resolved*: countries of
matched institutions, over all authors (``institutions.country_code``). *Parsed*: also countries
read from the printed address of authors without any institution, but over the first hundred
authors only (``authorships.countries``). A co-publication is a work that has each side in either
way. `CELLS` cuts this union into four queries without overlap, by negated clauses, so that
together they cost hardly more than one. pyalex writes the query strings; nothing is sent by it.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import orjson
import pyalex

PER_PAGE = 100
SORT = {"publication_date": "asc"}
SELECT = (
    "id",
    "doi",
    "title",
    "display_name",
    "publication_year",
    "publication_date",
    "ids",
    "language",
    "type",
    "primary_location",
    "authorships",
    "countries_distinct_count",
    "is_retracted",
    "is_paratext",
    "is_xpac",
    "primary_topic",
    "topics",
    "awards",
    "funders",
    "abstract_inverted_index",
    "updated_date",
)
LATER = ("awards",)
"""Fields that version 0.2 did not ask for. Its caches are used all the same; their records say nothing of these."""
SWEEP_SELECT = ("id", "publication_year", "publication_date", "updated_date")

# side A by ..., side B by ...: the four ways of having both sides, without overlap
CELLS: Mapping[str, tuple[str, str]] = {
    "institutions": ("resolved", "resolved"),
    "institutions-countries": ("resolved", "parsed only"),
    "countries-institutions": ("parsed only", "resolved"),
    "countries": ("parsed only", "parsed only"),
}
# one side alone, for the context counts
SIDES: Mapping[str, tuple[str, str]] = {
    "a-institutions": ("resolved", ""),
    "a-countries": ("parsed only", ""),
    "b-institutions": ("", "resolved"),
    "b-countries": ("", "parsed only"),
}
# all works of the world with the country of an institution, for the context counts
WORLD = "world"
# the same field under two names, so that each side has its own key
_RESOLVED_A, _RESOLVED_B = "institutions.country_code", "authorships.institutions.country_code"
_PARSED = "authorships.countries"


@dataclass(frozen=True, slots=True)
class Query:
    """The works to be harvested: country codes of both sides, years, and the corpus.

    `expansion` asks for OpenAlex's expansion corpus as well; by default it stays out. `pairs` are parts of both sides
    whose works per year the source is asked for too: key, codes of each side. They decide nothing of what comes.
    """

    side_a: tuple[str, ...]
    side_b: tuple[str, ...]
    year_from: int
    year_to: int
    expansion: bool = False
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()

    def of_pairs(self) -> dict[str, Query]:
        """Return the query of each pair by its key."""
        return {key: replace(self, side_a=a, side_b=b, pairs=()) for key, a, b in self.pairs}

    @property
    def description(self) -> dict[str, Any]:
        """Return all that decides which works come and how much of each but for `LATER`, ready for JSON."""
        return {
            "side_a": sorted(self.side_a),
            "side_b": sorted(self.side_b),
            "years": [self.year_from, self.year_to],
            "corpus": "all" if self.expansion else "core",
            "select": [field for field in SELECT if field not in LATER],
            "filters": {cell: self.filter_text(cell) for cell in CELLS},
        }

    @property
    def hash(self) -> str:
        """Return the sha256 of the description, as hexadecimal digits."""
        return hashlib.sha256(orjson.dumps(self.description, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def clauses(self, cell: str, span: str = "") -> dict[str, Any]:
        """Return the filter of a cell, of one side, or of the whole world, as pyalex takes it.

        `span` narrows it: empty for all years, ``2013`` for a year, ``2013-05`` for a month.
        """
        if cell == WORLD:
            return {"countries_distinct_count": pyalex.api.gt_(0)} | self._time(span)
        way_a, way_b = CELLS.get(cell) or SIDES[cell]
        code_a, code_b = "|".join(sorted(self.side_a)), "|".join(sorted(self.side_b))
        clauses: dict[str, Any] = {}
        if way_a:
            clauses[_RESOLVED_A] = code_a if way_a == "resolved" else pyalex.api.not_(code_a)
        if way_b:
            clauses[_RESOLVED_B] = code_b if way_b == "resolved" else pyalex.api.not_(code_b)
        parsed = [code for way, code in ((way_a, code_a), (way_b, code_b)) if way == "parsed only"]
        if parsed:
            clauses[_PARSED] = parsed[0]
        if len(parsed) == 2:
            # a dict has each key once; written nested, the same field can be named again
            outer, inner = _PARSED.split(".")
            clauses[outer] = {inner: parsed[1]}
        return clauses | self._time(span)

    def _time(self, span: str) -> dict[str, Any]:
        if "-" in span:
            year, month = (int(part) for part in span.split("-"))
            last = calendar.monthrange(year, month)[1]
            return {
                "from_publication_date": f"{span}-01",
                "to_publication_date": f"{span}-{last:02d}",
            }
        if span or self.year_from == self.year_to:
            return {"publication_year": span or str(self.year_from)}
        return {"publication_year": f"{self.year_from}-{self.year_to}"}

    def filter_text(self, cell: str, span: str = "") -> str:
        """Return the filter as a person reads it in a manifest."""
        flat = []
        for key, value in self.clauses(cell, span).items():
            inner = value.items() if isinstance(value, dict) else ()
            flat += [f"{key}.{name}:{one}" for name, one in inner] or [f"{key}:{value}"]
        return ",".join(flat)

    def list_query(self, cell: str, span: str = "", cursor: str = "*", select: tuple[str, ...] = SELECT) -> str:
        """Return the query string of one page of works, oldest first."""
        return self._text(
            {
                "filter": self.clauses(cell, span),
                "select": list(select),
                "sort": SORT,
                "per-page": PER_PAGE,
                "cursor": cursor,
            }
        )

    def years_query(self, cell: str) -> str:
        """Return the query string of the works per year."""
        return self._text({"filter": self.clauses(cell), "group-by": "publication_year"})

    def long_lists_query(self, cell: str) -> str:
        """Return the query string that counts the works whose author list will come cut."""
        clauses = self.clauses(cell) | {"authors_count": pyalex.api.gt_(99)}
        return self._text({"filter": clauses, "select": ["id"], "per-page": 1})

    def ids_query(self, ids: tuple[str, ...]) -> str:
        """Return the query string that asks for works by id, at most a hundred."""
        return self._text({"filter": {"openalex": "|".join(ids)}, "select": list(SELECT), "per-page": PER_PAGE})

    def single_query(self) -> str:
        """Return the query string of a request for a single work."""
        return _query_string({"select": list(SELECT)})

    def _text(self, params: dict[str, Any]) -> str:
        if self.expansion:
            params["corpus"] = "all"
        return _query_string(params)


def _query_string(params: dict[str, Any]) -> str:
    return urlsplit(str(pyalex.Works(params).url)).query
