"""Entities: institutions with their names, identifiers and relations, read from CSV rows.

The shared registry and a user's own list use the same columns, `COLUMNS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from copub.countries import code_fault
from copub.errors import Fault
from copub.lists.csvfile import CsvRow

CHILDREN = ("all", "named", "none")
CONTEXTS = ("", "open", "country", "home", "alone", "strict")

NAME_COLUMNS: Mapping[str, str] = {
    "name": "name",
    "name_zh": "name",
    "names": "variant",
    "old_names": "old",
    "cover_names": "cover",
    "abbreviations": "abbreviation",
    "weak_names": "weak",
    "laboratories": "laboratory",
    "merged_names": "merged",
}
"""Columns that hold names, and the kind of name each holds.

Kinds ``name``, ``variant``, ``old`` and ``cover`` count wherever they are as whole words;
``abbreviation`` counts beside a sign of the entity's country; ``weak`` only alone between
dividers and beside a place of the entity; ``laboratory`` and ``merged`` (bodies that joined the
entity later) never count and go to human review.
"""

COLUMNS: Mapping[str, str] = {
    "entity_id": "identifier: lower-case letters, digits and hyphens",
    "name": "English name",
    "name_zh": "name in Chinese characters",
    "names": "further full names and spellings, separated by |",
    "old_names": "former names of the same institution",
    "cover_names": "names used in place of the real one",
    "abbreviations": "short forms that no other institution of the country bears; need a sign of the country",
    "weak_names": "short or shared forms; count alone between commas, beside a place of the entity",
    "laboratories": "laboratories and subsidiaries: shown for review, never counted",
    "merged_names": "bodies that merged into the entity: shown for review, never counted",
    "category": "kind of institution",
    "medical": "yes | no: a medical unit",
    "country": "ISO 3166 alpha-2 code",
    "places": "cities or provinces of the entity",
    "context": "what its names need beside them: empty = nothing | open = not beside the name of "
    "another country | country = a sign of its country | home = a place of it | alone = the name is the whole clause | "
    "strict = the name is the whole clause, beside a place of it",
    "not_places": "cities, or codes of countries, that point to another institution of the same name",
    "parent": "entity_id of the parent",
    "children": "descendants that count: all | named (those with this parent in the file) | none",
    "unit": "yes | no: part of the parent (laboratory, campus, institute), shown under it in lists of strings",
    "openalex": "OpenAlex ids (I…)",
    "ror": "ROR ids without https://ror.org/",
    "wikidata": "Wikidata ids (Q…)",
}

_CODE = re.compile(r"[A-Z]{2}")
_PATTERNS = {
    "entity_id": (re.compile(r"[a-z0-9][a-z0-9-]*"), "lower-case letters, digits and hyphens"),
    "openalex": (re.compile(r"I\d+"), "the letter I and digits"),
    "ror": (re.compile(r"0[a-z0-9]{8}"), "nine characters beginning with 0"),
    "wikidata": (re.compile(r"Q\d+"), "the letter Q and digits"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an entity and its kind (see `NAME_COLUMNS`)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Entity:
    """An institution: what it is called, how it is identified, where it belongs."""

    id: str
    name: str
    name_zh: str
    names: tuple[Name, ...]
    category: str
    medical: bool
    country: str
    places: tuple[str, ...]
    context: str
    not_places: tuple[str, ...]
    parent: str
    children: str
    unit: bool
    openalex: tuple[str, ...]
    ror: tuple[str, ...]
    wikidata: tuple[str, ...]


def entity_of(row: CsvRow, faults: list[Fault]) -> Entity:
    """Return the entity of a row; what is wrong with the row is added to `faults`."""
    faults += _cell_faults(row)
    names = [
        Name(text, kind)
        for column, kind in NAME_COLUMNS.items()
        for text in (row.many(column) if column not in ("name", "name_zh") else (row[column],))
        if text
    ]
    return Entity(
        id=row["entity_id"],
        name=row["name"],
        name_zh=row["name_zh"],
        names=tuple(dict.fromkeys(names)),
        category=row["category"],
        medical=row["medical"] == "yes",
        country=row["country"] or "CN",
        places=row.many("places"),
        context=row["context"],
        not_places=row.many("not_places"),
        parent=row["parent"],
        children=row["children"] or "named",
        unit=row["unit"] == "yes",
        openalex=row.many("openalex"),
        ror=row.many("ror"),
        wikidata=row.many("wikidata"),
    )


def _cell_faults(row: CsvRow) -> Iterator[Fault]:
    for column, (pattern, shape) in _PATTERNS.items():
        for value in (row[column],) if column == "entity_id" else row.many(column):
            if not pattern.fullmatch(value):
                yield Fault(row.where, f"{column} {value!r} is not of the right form", shape)
    for column, allowed in (
        ("medical", ("", "yes", "no")),
        ("unit", ("", "yes", "no")),
        ("children", ("", *CHILDREN)),
        ("context", CONTEXTS),
    ):
        if row[column] not in allowed:
            yield Fault(row.where, f"{column} is {row[column]!r}", f"known: {', '.join(v or 'empty' for v in allowed)}")
    codes = [code for code in row.many("not_places") if _CODE.fullmatch(code)]
    for column, code in (("country", row["country"]), *(("not_places", code) for code in codes)):
        wrong = code_fault(code) if code else None
        if wrong:
            yield Fault(row.where, f"{column}: {wrong}")
    if row["context"] == "home" and not row["places"]:
        yield Fault(row.where, "context is 'home' but places is empty", "name the cities of the entity")
