"""What the server of the demo searches: works, the filters on them, their order and their groups.

The grammar of filters is OpenAlex's: comma and repeated keys mean AND, ``|`` means OR and is read
before a space, which means AND; a leading ``!`` negates the whole value; ``a-b``, ``>a`` and
``<a`` are ranges. The two country filters see two different things, as in OpenAlex: countries of
institutions over all authors, ``authorships.countries`` over the first hundred only.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LIST_CUT = 100
OR_LIMIT = 100
Work = dict[str, Any]


class BadRequest(Exception):
    """A request that the server refuses: the ``error`` and ``message`` of the reply."""

    def __init__(self, error: str, message: str) -> None:
        self.error, self.message = error, message
        super().__init__(message)


QUERY_ERROR, PAGE_ERROR = "Invalid query parameters error.", "Pagination error."


def _authorships(work: Work) -> list[Work]:
    return [one for one in work.get("authorships") or () if isinstance(one, dict)]


def _institutions(work: Work, key: str) -> Iterable[Any]:
    for authorship in _authorships(work):
        for institution in authorship.get("institutions") or ():
            value = (institution or {}).get(key)
            yield from value if isinstance(value, list) else (value,)


def _first_countries(work: Work) -> Iterable[Any]:
    for authorship in _authorships(work)[:LIST_CUT]:
        yield from authorship.get("countries") or ()


def _authors(work: Work) -> Iterable[Any]:
    return ((one.get("author") or {}).get("id") for one in _authorships(work))


def _topics(work: Work) -> Iterable[Any]:
    return ((topic or {}).get("id") for topic in work.get("topics") or ())


def _plain(key: str) -> Callable[[Work], Iterable[Any]]:
    return lambda work: (work.get(key),)


def _of_institutions(key: str) -> Callable[[Work], Iterable[Any]]:
    return lambda work: _institutions(work, key)


_OF_INSTITUTIONS = ("country_code", "id", "lineage", "ror", "type")
_Extract = Callable[[Work], Iterable[Any]]
FIELDS: Mapping[str, _Extract] = {
    "openalex": _plain("id"),
    "doi": _plain("doi"),
    "publication_year": _plain("publication_year"),
    "publication_date": _plain("publication_date"),
    "type": _plain("type"),
    "language": _plain("language"),
    "is_retracted": _plain("is_retracted"),
    "is_paratext": _plain("is_paratext"),
    "cited_by_count": _plain("cited_by_count"),
    "authors_count": lambda work: (len(_authorships(work)),),
    "countries_distinct_count": _plain("countries_distinct_count"),
    "has_abstract": lambda work: (bool(work.get("abstract_inverted_index")),),
    "authorships.countries": _first_countries,
    "authorships.author.id": _authors,
    "topics.id": _topics,
    "primary_topic.id": lambda work: ((work.get("primary_topic") or {}).get("id"),),
} | {f"authorships.institutions.{key}": _of_institutions(key) for key in _OF_INSTITUTIONS}
ALIASES = {
    "openalex_id": "openalex",
    "ids.openalex": "openalex",
    "author.id": "authorships.author.id",
    "from_publication_date": "publication_date",
    "to_publication_date": "publication_date",
} | {f"institutions.{key}": f"authorships.institutions.{key}" for key in _OF_INSTITUTIONS}
SEARCHES = ("default.search", "display_name.search", "title.search", "title_and_abstract.search")
BOOLEANS = ("is_retracted", "is_paratext", "has_abstract")
# keys of groups are addresses for these fields
_KEY_ADDRESS = {
    "type": "https://openalex.org/types/",
    "authorships.countries": "https://openalex.org/countries/",
    "authorships.institutions.country_code": "https://openalex.org/countries/",
}
_NUMBER = re.compile(r"^\d+$")
_RANGE = re.compile(r"^(\d*)-(\d*)$")


def _not_a_field(name: str) -> str:
    known = ", ".join(sorted({*FIELDS, *ALIASES, *SEARCHES}))
    return f"{name} is not a valid field. Valid fields are underscore or hyphenated versions of: {known}"


def _normal(value: Any) -> str:
    """Return a value as filters compare it: lower case, without the address of an identifier."""
    text = str(value).lower()
    for address in ("https://openalex.org/", "https://ror.org/", "https://doi.org/"):
        text = text.removeprefix(address)
    return text


class Library:
    """The works of the server, core and expansion, with an index per field made at first use."""

    def __init__(self, works: list[Work]) -> None:
        self.works = works
        self.refresh()

    def refresh(self) -> None:
        """Forget all indexes: the works have changed."""
        self._indexes: dict[str, dict[str, set[int]]] = {}
        self._found: dict[tuple[str, ...], list[tuple[tuple[float, ...], int]]] = {}
        self._by_id: dict[str, int] = {}

    def by_id(self, name: str) -> Work | None:
        """Return a work by its id, short or long, in any case, or by ``doi:…``."""
        if not self._by_id:
            for position, work in enumerate(self.works):
                self._by_id[_normal(work.get("id"))] = position
                if work.get("doi"):
                    self._by_id["doi:" + _normal(work["doi"])] = position
        key = _normal(name)
        if name.lower().startswith("https://doi.org/"):
            key = "doi:" + key
        number = self._by_id.get(key)
        return None if number is None else self.works[number]

    def find(self, filter_text: str, corpus: str, sort: str) -> list[tuple[tuple[float, ...], int]]:
        """Return (sort values, position) of the works that pass, in order. Raises `BadRequest`."""
        key = (filter_text, corpus, sort)
        if key not in self._found:
            chosen = self._corpus(corpus)
            for clause in filter_text.split(",") if filter_text else ():
                chosen &= self._clause(clause)
            order = _order(sort)
            if len(self._found) > 64:
                self._found.clear()
            self._found[key] = sorted((order(self.works[number]), number) for number in chosen)
        return self._found[key]

    def groups(self, chosen: Iterable[int], field: str, unknown: bool) -> dict[str, int]:
        """Return the number of the chosen works per value of a field, by the key of the reply."""
        name = ALIASES.get(field, field)
        if name not in FIELDS:
            raise BadRequest(QUERY_ERROR, _not_a_field(field))
        counts: dict[str, int] = {}
        for number in chosen:
            values = {value for value in FIELDS[name](self.works[number]) if value is not None}
            for value in values or ({"unknown"} if unknown else set()):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                key = _KEY_ADDRESS.get(name, "") + text
                counts[key] = counts.get(key, 0) + 1
        return counts

    def _corpus(self, corpus: str) -> set[int]:
        expansion = {number for number, work in enumerate(self.works) if work.get("is_xpac")}
        everything = set(range(len(self.works)))
        return {"all": everything, "expansion": expansion}.get(corpus, everything - expansion)

    def _index(self, field: str) -> dict[str, set[int]]:
        if field not in self._indexes:
            index: dict[str, set[int]] = {}
            for number, work in enumerate(self.works):
                for value in FIELDS[field](work):
                    if value is not None:
                        index.setdefault(_normal(value), set()).add(number)
            self._indexes[field] = index
        return self._indexes[field]

    def _clause(self, clause: str) -> set[int]:
        written, _, value = clause.partition(":")
        name = written.replace("-", "_").lower()
        if name in SEARCHES:
            return self._search(value)
        field = ALIASES.get(name, name)
        if field not in FIELDS:
            raise BadRequest(QUERY_ERROR, _not_a_field(written))
        if value.lower() in ("", "none", "undefined"):
            raise BadRequest(QUERY_ERROR, f"Value for {written} is empty.")
        if name.startswith("from_"):
            return self._between(field, value, "9999-99-99")
        if name.startswith("to_"):
            return self._between(field, "", value)
        negated = value.startswith("!")
        chosen = self._value(field, value.removeprefix("!"))
        return set(range(len(self.works))) - chosen if negated else chosen

    def _value(self, field: str, value: str) -> set[int]:
        if "|" in value:
            parts = value.split("|")
            if len(parts) > OR_LIMIT:
                raise BadRequest(QUERY_ERROR, f"Maximum number of values exceeded for {field}: {OR_LIMIT} at most.")
            return set().union(*(self._one(field, part) for part in parts))
        if " " in value:
            return set.intersection(*(self._one(field, part) for part in value.split(" ")))
        return self._one(field, value)

    def _one(self, field: str, value: str) -> set[int]:
        index = self._index(field)
        text = _normal(value)
        if text == "null":
            known = set().union(*index.values()) if index else set()
            return set(range(len(self.works))) - known
        numeric = field in ("publication_year", "authors_count", "countries_distinct_count", "cited_by_count")
        if numeric and not _NUMBER.match(text):
            low, high = _limits(field, text)
            return set().union(*(found for key, found in index.items() if low <= int(key) <= high))
        return set(index.get(text, ()))

    def _between(self, field: str, low: str, high: str) -> set[int]:
        return set().union(*(found for key, found in self._index(field).items() if low <= key <= high))

    def _search(self, value: str) -> set[int]:
        words = value.lower().split()
        return {
            number
            for number, work in enumerate(self.works)
            if all(word in str(work.get("title") or "").lower() for word in words)
        }


def _limits(field: str, text: str) -> tuple[float, float]:
    if text[:1] in "<>" and _NUMBER.match(text[1:]):
        number = int(text[1:])
        return (number + 1, float("inf")) if text[0] == ">" else (float("-inf"), number - 1)
    match = _RANGE.match(text)
    if not match or not any(match.groups()):
        raise BadRequest(QUERY_ERROR, f"Value for param {field} must be a number, a range, or start with < or >.")
    low, high = match.groups()
    return float(low or "-inf"), float(high or "inf")


def _order(sort: str) -> Callable[[Work], tuple[float, ...]]:
    """Return the sort values of a work; OpenAlex adds its default order to the one asked for."""
    keys: list[tuple[str, int]] = []
    for part in sort.split(",") if sort else ():
        name, _, direction = part.partition(":")
        if name.replace("-", "_") not in ("publication_date", "publication_year", "cited_by_count"):
            raise BadRequest(QUERY_ERROR, f"{name} is not a valid sort field.")
        keys.append((name.replace("-", "_"), -1 if direction == "desc" else 1))
    keys.append(("cited_by_count", -1))

    def values(work: Work) -> tuple[float, ...]:
        return (*(sign * _sortable(work.get(name)) for name, sign in keys), _sortable(work.get("id")))

    return values


def _sortable(value: Any) -> float:
    digits = re.sub(r"\D", "", str(value)) if value is not None else ""
    return float(digits) if digits else 1e15


def after(found: list[tuple[tuple[float, ...], int]], values: tuple[float, ...]) -> int:
    """Return the first position behind the given sort values."""
    return bisect.bisect_right(found, values, key=lambda item: item[0])
