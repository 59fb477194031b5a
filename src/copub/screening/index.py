"""What a named or identified entity means on each watchlist, as frames to join with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from copub.lists.entity import Entity
from copub.lists.watchlist import Member, Watchlist
from copub.progress import bar
from copub.screening.compilednames import Lexicon, build_lexicon
from copub.screening.matching import Mention, find_mentions

HOLDERS = pl.Schema(
    {
        "key": pl.Int32,
        "watchlist": pl.String,
        "edition": pl.String,
        "entity_id": pl.String,
        "entity_name": pl.String,
        "risk_level": pl.String,
        "category": pl.String,
        "is_medical": pl.Boolean,
        "entity_country": pl.String,
        "via_entity": pl.String,
        "valid_from": pl.String,
        "valid_to": pl.String,
    }
)
MENTIONS = pl.Schema(
    {
        "value": pl.String,
        "key": pl.Int32,
        "matched_text": pl.String,
        "matched_start": pl.Int32,
        "matched_end": pl.Int32,
        "rule": pl.String,
        "condition": pl.String,
    }
)
_IDS = pl.Schema({"value": pl.String, "key": pl.Int32})
_CACHE_SIZE = 4
_STRINGS_KEPT = 1 << 16


@dataclass(frozen=True, slots=True)
class Index:
    """The entities of some watchlists, numbered, with everything that leads to and from them.

    `holders` has a row per entity and watchlist for which it is: as a member, or (with
    `via_entity`) as a descendant of a member that counts descendants. `openalex`, `ror` and
    `lineage` lead from identifiers to entities; `lineage` only to those whose descendants count
    even if no list knows them.
    """

    lexicon: Lexicon
    entities: tuple[Entity, ...]
    holders: pl.DataFrame
    openalex: pl.DataFrame
    ror: pl.DataFrame
    lineage: pl.DataFrame
    _read: dict[str, list[Mention]] = field(default_factory=dict)
    """What was found in strings: the same ones come again in every part of a corpus."""

    def mentions(self, values: pl.Series) -> pl.DataFrame:
        """Return the entities named in each distinct, non-null string of `values`."""
        keys = {id(entity): key for key, entity in enumerate(self.entities)}
        rows = [
            (text, keys[id(m.entity)], text[m.start : m.end], m.start, m.end, m.name, m.condition)
            for text in bar(values.drop_nulls().unique(maintain_order=True).to_list(), label="screen", unit="strings")
            for m in self._mentions_in(text)
        ]
        return pl.DataFrame(rows, schema=MENTIONS, orient="row")

    def _mentions_in(self, text: str) -> list[Mention]:
        found = self._read.get(text)
        if found is None:
            found = find_mentions(text, self.lexicon)
            if len(self._read) >= _STRINGS_KEPT:
                self._read.clear()
            self._read[text] = found
        return found


def build_index(watchlists: Sequence[Watchlist]) -> Index:
    """Number the entities of `watchlists` and compile their names; the last few results are kept."""
    return _cached(_Lists(tuple(watchlists)))


class _Lists:
    """Watchlists compared by their content hash, so that the compiled names can be kept."""

    def __init__(self, watchlists: tuple[Watchlist, ...]) -> None:
        self.watchlists = watchlists
        self.hashes = tuple((watchlist.id, watchlist.hash) for watchlist in watchlists)

    def __hash__(self) -> int:
        return hash(self.hashes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Lists) and self.hashes == other.hashes


@lru_cache(maxsize=_CACHE_SIZE)
def _cached(lists: _Lists) -> Index:
    known = [entity for watchlist in lists.watchlists for entity in _entities(watchlist)]
    unique = dict.fromkeys(known)
    entities = tuple(sorted(unique, key=lambda entity: (entity.id, entity.name)))
    keys = {entity: key for key, entity in enumerate(entities)}
    entities, lexicon = _lexicon(entities)
    holders = [row for watchlist in lists.watchlists for row in _holders(watchlist, keys)]
    return Index(
        lexicon=lexicon,
        entities=entities,
        holders=pl.DataFrame(holders, schema=HOLDERS, orient="row"),
        openalex=_identifiers((i, keys[e]) for e in entities for i in e.openalex),
        ror=_identifiers((i, keys[e]) for e in entities for i in e.ror),
        lineage=_identifiers((i, keys[e]) for e in entities if e.children == "all" for i in e.openalex),
    )


@lru_cache(maxsize=_CACHE_SIZE)
def _lexicon(entities: tuple[Entity, ...]) -> tuple[tuple[Entity, ...], Lexicon]:
    """Compile names once: every shipped list holds the same entities, members and relatives together.

    Returned with the names are the very entities that they lead to.
    """
    return entities, build_lexicon(entities)


def _entities(watchlist: Watchlist) -> list[Entity]:
    return [*(member.entity for member in watchlist.entities), *watchlist.relatives]


def _identifiers(rows: Iterator[tuple[str, int]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=_IDS, orient="row")


def _holders(watchlist: Watchlist, keys: dict[Entity, int]) -> Iterator[tuple[object, ...]]:
    known = {entity.id: entity for entity in _entities(watchlist)}
    members = {member.entity.id: member for member in watchlist.entities}
    for entity in sorted(known.values(), key=lambda e: e.id):
        if entity.id in members:
            yield _holder(watchlist, members[entity.id], entity, "", keys)
        for ancestor in _counting_ancestors(entity, known):
            if ancestor.id in members:
                yield _holder(watchlist, members[ancestor.id], entity, entity.id, keys)


def _counting_ancestors(entity: Entity, known: dict[str, Entity]) -> Iterator[Entity]:
    seen = {entity.id}
    while entity.parent in known and entity.parent not in seen:
        entity = known[entity.parent]
        if entity.children == "none":
            return
        seen.add(entity.id)
        yield entity


def _holder(
    watchlist: Watchlist, member: Member, named: Entity, via: str, keys: dict[Entity, int]
) -> tuple[object, ...]:
    entity = member.entity
    return (
        keys[named],
        watchlist.id,
        watchlist.edition,
        entity.id,
        entity.name,
        member.level,
        entity.category,
        entity.medical or named.medical,
        entity.country,
        via or None,
        member.valid_from or None,
        member.valid_to or None,
    )
