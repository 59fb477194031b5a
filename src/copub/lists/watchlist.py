"""Watchlists: dated lists of institutions, read from one TOML file and one CSV file each.

The TOML file says whose list it is, of which date, what it means and what it lacks; the CSV
file names the members. A member is either an entity of the shared registry (the row gives its
id and level) or is described in the row itself, so that a list of one's own needs no other file.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from copub.arguments import path_of
from copub.errors import Fault, FileError, InputError
from copub.lists.checks import date_fault
from copub.lists.csvfile import CsvRow, read_rows, read_text
from copub.lists.entity import COLUMNS, Entity, entity_of
from copub.lists.tomlfile import TomlFile, read_toml
from copub.shipped import find_shipped, no_such, shipped_folder

FOLDER = "taxonomies/watchlists"
KINDS = ("designation", "assessment", "register")
UNRATED = "unrated"
LISTED = "listed"

HEAD: Mapping[str, str] = {
    "id": "identifier of the list with its edition",
    "title": "title of the list",
    "authority": "who made it",
    "edition": "edition as its maker names it",
    "retrieved_on": "day on which the source was read (YYYY-MM-DD)",
    "kind": "designation (by a state) | assessment (an opinion) | register (copub's own)",
    "completeness": "complete | partial",
    "lacks": "what the list lacks, in a sentence",
    "terms": "terms under which the source may be used",
    "sources": "addresses or titles of the sources",
    "levels": "risk levels, strongest first; empty for a list without levels",
    "unrated_totals": "how many of the members without a level have which level, by totals that the maker published",
    "members": "name of the CSV file beside this one; default: the same name with .csv",
}
_OPTIONAL = ("members", "levels", "unrated_totals")

MEMBER_COLUMNS: Mapping[str, str] = {
    **COLUMNS,
    "level": "risk level as the list gives it; empty = not known",
    "level_basis": "read | deduced | press: how the level was established",
    "valid_from": "first day on the list (YYYY, YYYY-MM or YYYY-MM-DD)",
    "valid_to": "last day on the list",
    "concern": "what the list fears it for, separated by |, such as N for nuclear weapons",
    "listed_as": "names as the official document prints them, separated by |",
    "source": "official document that names it",
}
_SETTLED = ("category", "medical", "country", "context", "parent", "children", "unit")
"""Columns in which a row cannot differ from the registry's entity of that id."""
_IDENTIFIERS = ("openalex", "ror", "wikidata")
_OTHER_BODIES = ("laboratory", "merged")
_BASES = ("", "read", "deduced", "press")


@dataclass(frozen=True, slots=True)
class Member:
    """An entity on a list: level as the list gives it, how it is known, since when and until when.

    `listed_as` holds the names as the official document prints them, `concern` what the list fears it for,
    `where` the file and line of the member, for messages.
    """

    entity: Entity
    level: str
    level_basis: str = ""
    valid_from: str = ""
    valid_to: str = ""
    source: str = ""
    concern: tuple[str, ...] = ()
    listed_as: tuple[str, ...] = ()
    where: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A dated list of institutions.

    `entities` are the members. `relatives` are the other entities known beside them (the shared
    registry, or the rest of the same file): they are needed for descendants that count and so
    that a longer name of another institution is never taken for a shorter listed one.
    """

    id: str
    title: str
    authority: str
    edition: str
    retrieved: str
    kind: str
    completeness: str
    lacks: str
    terms: str
    sources: tuple[str, ...]
    levels: tuple[str, ...]
    entities: tuple[Member, ...]
    relatives: tuple[Entity, ...] = field(repr=False)
    hash: str
    members_file: Path = field(default=Path(), repr=False, compare=False)
    unrated_totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def countries(self) -> dict[str, int]:
        """Return the number of members of each country, by its code, sorted."""
        return dict(sorted(Counter(member.entity.country for member in self.entities).items()))

    @property
    def unrated(self) -> int:
        """Return the number of members without a level."""
        return sum(member.level == UNRATED for member in self.entities)

    def member(self, entity_id: str) -> Member | None:
        """Return the member of that id, or None."""
        return next((member for member in self.entities if member.entity.id == entity_id), None)


def load_watchlist(name_or_path: str | Path, members: Path | None = None) -> Watchlist:
    """Load a watchlist by the name of a shipped one or by the path of its TOML file.

    Parameters
    ----------
    members : the CSV file of its members, if not the one that the TOML file names.

    Raises
    ------
    InputError : no such watchlist; the message lists the shipped ones.
    FileError : the files have faults; all of them, with file and line.
    """
    path = path_of(name_or_path, "watchlist")
    if path.suffix != ".toml" and not path.is_file():
        shipped = find_shipped(FOLDER, str(name_or_path))
        if shipped is None:
            raise no_such("watchlist", name_or_path, FOLDER)
        path = shipped
    toml = read_toml(path, kind="watchlist")
    head = toml.values.get("watchlist")
    head = head if isinstance(head, dict) else {}
    faults = [*_head_faults(toml, head)]
    members = members or path.parent / str(head.get("members") or f"{path.stem}.csv")
    try:
        rows = read_rows(members, MEMBER_COLUMNS, ("entity_id",), faults, kind="file of members")
    except InputError as error:
        if not faults:
            raise
        raise FileError([*faults, Fault(error.where, error.what, error.hint)], kind="watchlist") from None
    known = {entity.id: entity for entity in registry()}
    entries, extra = _members(rows, known, head, faults)
    if not entries and not faults:
        faults.append(Fault(f"{members}:1", "the list has no members"))
    unrated = sum(member.level == UNRATED for member in entries)
    if not faults and sum((head.get("unrated_totals") or {}).values()) > unrated:
        where = toml.where("watchlist", "unrated_totals")
        faults.append(
            Fault(where, f"the totals are of more members than the {unrated} without a level", "correct them")
        )
    if faults:
        raise FileError(faults, kind="watchlist")
    built = _build(head, entries, {**known, **extra}, toml.text + read_text(members, kind="file of members"))
    return replace(built, members_file=members)


def joined_levels(scales: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the levels of several lists as one scale, strongest first.

    That of a list without levels comes last: it ranks above none, and is the top of no list that has levels.

    >>> joined_levels([("listed",), ("very high", "high")])
    ('very high', 'high', 'listed')
    """
    joined = dict.fromkeys(level for scale in scales for level in scale)
    return tuple(sorted(joined, key=lambda level: level == LISTED))


@lru_cache(maxsize=1)
def registry() -> tuple[Entity, ...]:
    """Return the shared registry of entities that the shipped lists point to."""
    faults: list[Fault] = []
    path = shipped_folder(FOLDER) / "registry" / "entities.csv"
    rows = read_rows(path, COLUMNS, ("entity_id", "name"), faults, kind="registry of entities")
    entities = [entity_of(row, faults) for row in rows]
    faults += _relation_faults(rows, {entity.id for entity in entities})
    if faults:
        raise FileError(faults, kind="registry of entities")
    return tuple(entities)


@lru_cache(maxsize=1)
def left_out() -> tuple[CsvRow, ...]:
    """Return the printed names that the shipped lists leave out: watchlist, listed_as, country, reason."""
    faults: list[Fault] = []
    path = shipped_folder(FOLDER) / "left-out.csv"
    columns = {
        "watchlist": "id of the list",
        "listed_as": "name as the official document prints it",
        "country": "ISO 3166 alpha-2 code, if it is an institution",
        "reason": "why the list leaves it out",
    }
    rows = read_rows(path, columns, tuple(columns), faults, kind="table of what is left out")
    if faults:
        raise FileError(faults, kind="table of what is left out")
    return tuple(rows)


def _head_faults(toml: TomlFile, head: Mapping[str, Any]) -> Iterator[Fault]:
    if not head:
        yield Fault(toml.where(), "the table [watchlist] is missing", f"it holds: {', '.join(HEAD)}")
        return
    for key in sorted(set(head) - set(HEAD)):
        yield Fault(toml.where("watchlist", key), f"unknown key {key!r}", f"known: {', '.join(HEAD)}")
    for key, meaning in HEAD.items():
        value = head.get(key)
        where = toml.where("watchlist", key)
        if key == "unrated_totals":
            yield from _totals_faults(toml, head, value)
        elif key in ("levels", "sources"):
            if value is None and key in _OPTIONAL:
                continue
            if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
                yield Fault(where, f"{key} must be a list of text", meaning)
        elif value is None and key not in _OPTIONAL:
            yield Fault(where, f"{key} is missing", meaning)
        elif value is not None and (not isinstance(value, str) or not value.strip()):
            yield Fault(where, f"{key} must be text in quotation marks", meaning)
    for key, allowed in (("kind", KINDS), ("completeness", ("complete", "partial"))):
        if isinstance(head.get(key), str) and head[key] not in allowed:
            yield Fault(toml.where("watchlist", key), f"{key} is {head[key]!r}", f"known: {', '.join(allowed)}")
    if isinstance(head.get("id"), str) and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", head["id"]):
        yield Fault(
            toml.where("watchlist", "id"), f"id {head['id']!r}", "lower-case letters, digits, hyphens; at most 64"
        )
    if isinstance(head.get("retrieved_on"), str) and (wrong := date_fault(head["retrieved_on"])):
        yield Fault(toml.where("watchlist", "retrieved_on"), f"retrieved_on: {wrong}")


def _totals_faults(toml: TomlFile, head: Mapping[str, Any], totals: Any) -> Iterator[Fault]:
    where, meaning = toml.where("watchlist", "unrated_totals"), HEAD["unrated_totals"]
    if totals is None:
        return
    if not isinstance(totals, dict) or not all(
        isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in totals.values()
    ):
        yield Fault(where, "unrated_totals must be a table of whole numbers", meaning)
        return
    for level in sorted(set(totals) - set(head.get("levels") or ())):
        yield Fault(where, f"unrated_totals names the level {level!r}, which the list does not have", meaning)


def _members(
    rows: list[CsvRow], known: Mapping[str, Entity], head: Mapping[str, Any], faults: list[Fault]
) -> tuple[list[Member], dict[str, Entity]]:
    levels = [level for level in head.get("levels") or () if isinstance(level, str)]
    new = [row for row in rows if row["name"] and row["entity_id"] not in known]
    own = {row["entity_id"]: entity_of(row, faults) for row in new}
    faults += _relation_faults(new, {*known, *own})
    own |= {
        row["entity_id"]: _described_further(known[row["entity_id"]], row, faults)
        for row in rows
        if row["entity_id"] in known
    }
    members: list[Member] = []
    seen: set[str] = set()
    for row in rows:
        faults += _membership_faults(row, levels)
        entity = own.get(row["entity_id"])
        if entity is None:
            if any(row[column] for column in COLUMNS if column != "entity_id"):
                faults.append(Fault(row.where, "the row describes an entity without a name", "fill the column name"))
            hint = "give its name in the column name, or use an id of the shared registry"
            faults.append(Fault(row.where, f"entity {row['entity_id']!r} is not in the registry and has no name", hint))
            continue
        if entity.id in seen:
            faults.append(Fault(row.where, f"entity {entity.id!r} occurs twice on the list"))
        seen.add(entity.id)
        level = row["level"] or (UNRATED if levels else LISTED)
        members.append(_member(entity, level, row))
    return members, own


def _described_further(entity: Entity, row: CsvRow, faults: list[Fault]) -> Entity:
    """Return an entity of the registry with the further names, places and identifiers of its row.

    What the row leaves empty is that of the registry, and what it gives must not contradict it: else the id
    was meant for another institution, which would be reported as this one.
    """
    given = entity_of(row, faults)
    hint = f"leave the cell empty, or give an institution other than {entity.name!r} an id of its own"
    known = {_plain(name.text) for name in entity.names if name.kind not in _OTHER_BODIES}
    for name in (given.name, given.name_zh):
        if name and _plain(name) not in known:
            what = f"{name!r} is no name of {entity.id!r}, which is {entity.name!r} in the registry"
            faults.append(Fault(row.where, what, f"{hint}; a further name of it goes into the column names"))
    for column in _SETTLED:
        if row[column] and getattr(given, column) != getattr(entity, column):
            what = f"{column} of {entity.id!r} is {row[column]!r}, and not so in the registry"
            faults.append(Fault(row.where, what, hint))
    for column in _IDENTIFIERS:
        own = getattr(entity, column)
        if own and not set(row.many(column)) <= set(own):
            what = f"{column} of {entity.id!r} is {row[column]!r}, and {' and '.join(own)} in the registry"
            faults.append(Fault(row.where, what, hint))
    further = (name for name in given.names if name.text not in (given.name, given.name_zh))
    return replace(
        entity,
        names=tuple(dict.fromkeys((*entity.names, *further))),
        places=tuple(dict.fromkeys((*entity.places, *given.places))),
        not_places=tuple(dict.fromkeys((*entity.not_places, *given.not_places))),
        **{column: getattr(entity, column) or getattr(given, column) for column in _IDENTIFIERS},
    )


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _member(entity: Entity, level: str, row: CsvRow) -> Member:
    return Member(
        entity=entity,
        level=level,
        level_basis=row["level_basis"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        source=row["source"],
        concern=row.many("concern"),
        listed_as=row.many("listed_as"),
        where=row.where,
    )


def _membership_faults(row: CsvRow, levels: list[str]) -> Iterator[Fault]:
    if row["level"] and row["level"] not in levels:
        hint = f"known: {', '.join(levels) or 'none'}"
        yield Fault(row.where, f"level {row['level']!r} is not one of the list's levels", hint)
    if row["level_basis"] not in _BASES:
        yield Fault(row.where, f"level_basis is {row['level_basis']!r}", "known: read, deduced, press")
    for column in ("valid_from", "valid_to"):
        if row[column] and (wrong := date_fault(row[column])):
            yield Fault(row.where, f"{column}: {wrong}")
    known = min(len(row["valid_from"]), len(row["valid_to"]))  # 2020-06 is not after 2020
    if row["valid_from"][:known] > row["valid_to"][:known]:
        yield Fault(row.where, "valid_from is after valid_to", "exchange them")


def _relation_faults(rows: list[CsvRow], known: set[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for row in rows:
        if row["entity_id"] in seen:
            yield Fault(row.where, f"entity {row['entity_id']!r} is described twice")
        seen.add(row["entity_id"])
        if row["parent"] and row["parent"] not in known:
            yield Fault(row.where, f"parent {row['parent']!r} is not known", "it must be an entity_id")


@lru_cache(maxsize=4096)
def _content(entity: Entity) -> bytes:
    """Return all that is known of an entity, for the hash of a list: every list holds the whole registry."""
    return repr(entity).encode("utf-8")


def _build(head: Mapping[str, Any], members: list[Member], known: Mapping[str, Entity], text: str) -> Watchlist:
    levels = tuple(head.get("levels") or (LISTED,))
    if any(member.level == UNRATED for member in members) and UNRATED not in levels:
        levels = (*levels, UNRATED)
    listed = {member.entity.id for member in members}
    digest = hashlib.sha256(text.encode("utf-8"))
    for entity in sorted(known.values(), key=lambda entity: entity.id):
        digest.update(_content(entity))
    return Watchlist(
        id=head["id"],
        title=head["title"],
        authority=head["authority"],
        edition=head["edition"],
        retrieved=head["retrieved_on"],
        kind=head["kind"],
        completeness=head["completeness"],
        lacks=head["lacks"],
        terms=head["terms"],
        sources=tuple(head["sources"]),
        levels=levels,
        unrated_totals=dict(head.get("unrated_totals") or {}),
        entities=tuple(sorted(members, key=lambda member: member.entity.id)),
        relatives=tuple(entity for key, entity in sorted(known.items()) if key not in listed),
        hash=digest.hexdigest(),
    )
