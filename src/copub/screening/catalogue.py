"""Looking things up in watchlists: what there is, what an entity is called, what changed, what lacks an id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import polars as pl

from copub.addresses.affiliationtext import DIVIDER, DIVIDERS
from copub.addresses.gazetteer import places_of_clause
from copub.addresses.vocabulary import vocabulary
from copub.errors import Fault, FileError, InputError
from copub.jsonshape import Count, Name
from copub.lists.entity import Entity
from copub.lists.watchlist import FOLDER, Watchlist, load_watchlist, registry
from copub.progress import bar
from copub.screening.compilednames import look_alikes
from copub.screening.index import build_index
from copub.shipped import did_you_mean, shipped_names

_KINDS = frozenset({
    "university", "institute", "academy", "college", "school", "department", "laboratory", "center", "hospital",
    "research", "大学", "学院", "研究所", "研究院", "医院", "实验室",
})  # fmt: skip
"""Words that say what kind of body something is, and no more."""
_WEAK = ("weak", "abbreviation")


class Source(Protocol):
    """What `resolve` needs of `copub.sources.harvest.transport.Transport`."""

    def get(self, path: str, query: str = "", *, shape: Any = None) -> Any:
        """Ask for a path; the answer's `body` is the parsed JSON, of that shape, or None for what is not there."""


class _Institution(msgspec.Struct):
    """What is read of an institution."""

    id: Name | None = None
    display_name: str | None = None
    country_code: Name | None = None
    works_count: Count | None = None


def list_watchlists(names: Iterable[str] | None = None) -> pl.DataFrame:
    """Return one row per watchlist (by default: per shipped one), sorted by id.

    Columns: id, title, authority, edition, retrieved_on, kind, completeness, entities, unrated,
    countries (list), levels (list), lacks, hash.
    """
    lists = [load_watchlist(name) for name in (shipped_names(FOLDER) if names is None else names)]
    rows = [
        {
            "id": w.id,
            "title": w.title,
            "authority": w.authority,
            "edition": w.edition,
            "retrieved_on": w.retrieved,
            "kind": w.kind,
            "completeness": w.completeness,
            "entities": len(w.entities),
            "unrated": w.unrated,
            "countries": sorted({member.entity.country for member in w.entities}),
            "levels": list(w.levels),
            "lacks": w.lacks,
            "hash": w.hash,
        }
        for w in lists
    ]
    return pl.DataFrame(rows, infer_schema_length=None).sort("id")


def show_entity(entity_id: str, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Return all that is known of an entity: names by kind, identifiers, relations, lists, levels, sources.

    Raises `InputError` if no registry or watchlist knows it; the message names the nearest ids.
    """
    lists = [load_watchlist(name) for name in (shipped_names(FOLDER) if names is None else names)]
    known: dict[str, Entity] = {entity.id: entity for entity in registry()}
    for watchlist in lists:
        known |= {member.entity.id: member.entity for member in watchlist.entities}
    entity = known.get(entity_id)
    if entity is None:
        asked = entity_id.lower().replace(" ", "-")
        words = set(asked.split("-"))
        alike = sorted(
            (i for i in known if words & set(i.split("-"))), key=lambda i: (-len(words & set(i.split("-"))), i)
        )
        near = f"words in common: {', '.join(alike[:5])}; " if alike else ""
        hint = f"{did_you_mean(asked, sorted(known))}{near}all: copub watchlists list, registry/entities.csv"
        raise InputError(f"no entity {entity_id!r}", hint=hint)
    memberships = [
        {
            "watchlist": watchlist.id,
            "edition": watchlist.edition,
            "level": member.level,
            "level_basis": member.level_basis,
            "valid_from": member.valid_from,
            "valid_to": member.valid_to,
            "concern": list(member.concern),
            "listed_as": list(member.listed_as),
            "source": member.source or "; ".join(watchlist.sources),
        }
        for watchlist in lists
        if (member := watchlist.member(entity_id)) is not None
    ]
    kinds = sorted({name.kind for name in entity.names})
    return {
        "entity_id": entity.id,
        "name": entity.name,
        "name_zh": entity.name_zh,
        "names": {kind: [name.text for name in entity.names if name.kind == kind] for kind in kinds},
        "category": entity.category,
        "is_medical": entity.medical,
        "country": entity.country,
        "places": list(entity.places),
        "context": entity.context,
        "parent": entity.parent,
        "children": sorted(other.id for other in known.values() if other.parent == entity_id),
        "children_count": entity.children,
        "openalex": list(entity.openalex),
        "ror": list(entity.ror),
        "wikidata": list(entity.wikidata),
        "lists": memberships,
    }


def list_members(name_or_path: str | Path) -> pl.DataFrame:
    """Return the members of a watchlist, sorted by country and name.

    Columns: entity_id, name, country, level, valid_from, valid_to, source. A date that the list does not give is
    null; a member without a source of its own has those of the list.
    """
    watchlist = load_watchlist(name_or_path)
    rows = [
        {
            "entity_id": member.entity.id,
            "name": member.entity.name,
            "country": member.entity.country,
            "level": member.level,
            "valid_from": member.valid_from or None,
            "valid_to": member.valid_to or None,
            "source": member.source or "; ".join(watchlist.sources),
        }
        for member in watchlist.entities
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(rows[0], pl.String)).sort("country", "name", "entity_id")


def validate_watchlist(name_or_path: str | Path) -> Watchlist:
    """Load a watchlist and check what only the names together can show.

    Raises `FileError` also if a full name belongs to two entities, or is that of a look-alike, or if a name would
    be found everywhere or nowhere.
    """
    watchlist = load_watchlist(name_or_path)
    faults = [*_common_names(watchlist), *_shared_names(watchlist)]
    if faults:
        raise FileError(faults, kind="watchlist")
    return watchlist


def _common_names(watchlist: Watchlist) -> Iterator[Fault]:
    """Yield the names that, as they are read, say nothing of an institution: no word, places alone, a kind of body."""
    reader, known = build_index([watchlist]).lexicon.reader, vocabulary()
    for member in watchlist.entities:
        for name in member.entity.names:
            reading = reader.read(name.text)
            words = [word for word in reading.words if word and word != DIVIDER]
            tokens = [token for token in reading.tokens if token not in DIVIDERS]
            own = [token for token in tokens if token not in reader.dropped]  # a phrase may be read as one word
            is_word = len(own) == 1 and words[0] in known.words and name.kind != "weak"
            if all(word.isdigit() for word in words):
                what = "holds no word that is searched for"
            elif " ".join(words) in known.places or places_of_clause(tokens) is not None:
                what = "is the name of a place"
            elif is_word or _KINDS.issuperset(words) or "".join(words) in _KINDS:
                what = "is a common word of affiliations"
            else:
                continue
            hint = "it would be found everywhere, or nowhere: give the whole name"
            yield Fault(member.where, f"the name {name.text!r} of {member.entity.id} {what}", hint)


def _shared_names(watchlist: Watchlist) -> Iterator[Fault]:
    index = build_index([watchlist])
    reader = index.lexicon.reader
    others = {reader.read(name).text: name for name in look_alikes()}
    lines = {member.entity.id: member.where for member in watchlist.entities}
    for pattern, meanings in sorted(index.lexicon.patterns.items()):
        full = [m for m in meanings if m.entity is not None and m.kind not in _WEAK]
        ids = sorted({m.entity.id for m in full if m.entity is not None})
        own = [lines[one] for one in ids if one in lines]  # the others are in the shared registry alone
        where = own[-1] if own else watchlist.id
        if len(ids) > 1:
            hint = "make it a weak name"
            yield Fault(where, f"the name {full[0].name!r} belongs to {' and '.join(ids)}", hint)
        if ids and pattern in others:
            yield Fault(where, f"the name {full[0].name!r} of {ids[0]} is a look-alike's", "drop one of them")


def resolve_identifiers(entities: Sequence[Entity], source: Source) -> pl.DataFrame:
    """Look up entities that have a ROR id but no OpenAlex id.

    Returns one row per entity asked for: entity_id, ror, openalex_id (null if OpenAlex has none),
    display_name, country_code, works_count. Nothing is written: a person compares and enters it.
    """
    missing = [(entity.id, ror) for entity in entities if not entity.openalex for ror in entity.ror]
    rows: list[tuple[Any, ...]] = []
    for entity_id, ror in bar(missing, label="resolve", unit="entities"):
        text = "select=id,display_name,country_code,works_count"
        body = source.get(f"institutions/ror:{ror}", text, shape=_Institution).body or {}
        found = str(body.get("id") or "").rsplit("/", 1)[-1] or None
        rows.append(
            (entity_id, ror, found, body.get("display_name"), body.get("country_code"), body.get("works_count"))
        )
    columns = ("entity_id", "ror", "openalex_id", "display_name", "country_code")
    schema = {**dict.fromkeys(columns, pl.String()), "works_count": pl.Int64()}
    return pl.DataFrame(rows, schema=pl.Schema(schema), orient="row").sort("entity_id", "ror")


def diff_watchlists(old: Watchlist, new: Watchlist) -> pl.DataFrame:
    """Return what changed between two editions: entity_id, name, change, before, after; sorted.

    `change` is added, removed or level.
    """
    before = {member.entity.id: member for member in old.entities}
    after = {member.entity.id: member for member in new.entities}
    rows: list[tuple[str, str, str, str | None, str | None]] = []
    for entity_id in sorted(before.keys() | after.keys()):
        was, now = before.get(entity_id), after.get(entity_id)
        if was is None and now is not None:
            rows.append((entity_id, now.entity.name, "added", None, now.level))
        elif now is None and was is not None:
            rows.append((entity_id, was.entity.name, "removed", was.level, None))
        elif was is not None and now is not None and was.level != now.level:
            rows.append((entity_id, now.entity.name, "level", was.level, now.level))
    columns = ("entity_id", "name", "change", "before", "after")
    return pl.DataFrame(rows, schema=pl.Schema(dict.fromkeys(columns, pl.String())), orient="row")
