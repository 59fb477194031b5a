"""The names of all entities and look-alikes, compiled once so that a string is searched in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, product

from copub.addresses.affiliationtext import DIVIDER, Reader
from copub.addresses.folding import CHINESE
from copub.addresses.vocabulary import vocabulary
from copub.errors import Fault, FileError
from copub.lists.csvfile import read_rows
from copub.lists.entity import Entity
from copub.screening.spelling import spellings
from copub.shipped import shipped_folder

SILENT = ("laboratory", "merged")
"""Kinds of names that never count and are therefore not searched for."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a pattern represents: a name of an entity, or (entity None) a look-alike."""

    entity: Entity | None
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Patterns in the form of `Reading.text`, and every beginning of one, so that a search can stop early."""

    reader: Reader
    patterns: Mapping[str, tuple[Meaning, ...]]
    beginnings: frozenset[str]
    places: Mapping[str, frozenset[str]]
    parents: Mapping[str, str]

    def candidates(self, words: list[str]) -> list[tuple[int, int]]:
        """Return the first and last word of every pattern that is in a list of words."""
        beginnings, patterns = self.beginnings, self.patterns
        found: list[tuple[int, int]] = []
        for first in [place for place, word in enumerate(words) if word in beginnings]:
            read = words[first]
            if read in patterns:
                found.append((first, first))
            for last in range(first + 1, len(words)):
                word = words[last]
                read += word
                if read not in beginnings:
                    break
                if word and read in patterns:
                    found.append((first, last))
        return found

    def ancestors(self, entity: Entity) -> Iterator[str]:
        """Yield the ids of the parent of an entity, of its parent, and so on."""
        seen = {entity.id}
        parent = entity.parent
        while parent and parent not in seen:
            yield parent
            seen.add(parent)
            parent = self.parents.get(parent, "")


def build_lexicon(entities: Iterable[Entity], *, silent: bool = False) -> Lexicon:
    """Compile the names of `entities` and the shipped look-alikes; with `silent` those that never count."""
    known = sorted(set(entities), key=lambda entity: (entity.id, entity.name))
    plain = Reader()
    names = [(entity, name) for entity in known for name in entity.names if (name.kind in SILENT) == silent]
    readings = [plain.read(name.text) for _, name in names]
    proper = {word for reading in readings for word in (*reading.words, *reading.tokens) if word.isalpha()}
    reader = Reader(proper | set(vocabulary().places))
    patterns: dict[str, list[Meaning]] = {}
    for entity, name in names:
        for pattern in (one for text in spellings(name.text) for one in _patterns(reader, text)):
            if name.kind == "weak" and CHINESE.match(pattern):
                continue
            meanings = patterns.setdefault(pattern, [])
            if all(meaning.entity is not entity for meaning in meanings):
                meanings.append(Meaning(entity, name.kind, name.text))
    for name_of_other in look_alikes():
        for pattern in _patterns(reader, name_of_other):
            patterns.setdefault(pattern, [Meaning(None, "look-alike", name_of_other)])
    places: dict[str, frozenset[str]] = {}
    for entity in known:  # two lists may describe one entity
        places[entity.id] = places.get(entity.id, frozenset()) | _place_words(reader, entity.places)
    return Lexicon(
        reader=reader,
        patterns={pattern: tuple(meanings) for pattern, meanings in patterns.items()},
        beginnings=frozenset(chain.from_iterable(map(accumulate, patterns))),
        places=places,
        parents={entity.id: entity.parent for entity in known},
    )


def _patterns(reader: Reader, name: str) -> Iterator[str]:
    """Yield the searched forms of a name: dividers inside it may be missing in the string."""
    read = reader.read(name).words
    parts = [part for part in "".join(read).split(DIVIDER) if part]
    if not parts:
        return
    for dividers in product((DIVIDER, ""), repeat=len(parts) - 1):
        yield "".join(part + divider for part, divider in zip(parts, (*dividers, ""), strict=True))
    words = [word for word in read if word and word != DIVIDER]
    for cut in _stray_dividers(words):
        yield "".join(words[:cut]) + DIVIDER + "".join(words[cut:])
    if _is_placed_first(words):
        yield "".join(words[1:]) + DIVIDER + words[0]


def _stray_dividers(words: list[str]) -> Iterator[int]:
    """Yield where a stray comma may part a name: "Fourth Military Medical, University"."""
    known = vocabulary()
    if len(words) > 2 and words[-1] == "university":
        yield len(words) - 1
    if len(words) > 3 and words[0] == "university":
        yield 1
    if len(words) > 3 and words[1] in ("university", "institute"):
        is_proper = words[0] in known.places or words[0] not in known.words
        if is_proper or words[0] == "national":
            yield 1


def _is_placed_first(words: list[str]) -> bool:
    """Tell whether a name may also have its city last: "University of Posts and Telecommunications, Beijing"."""
    place = vocabulary().places.get(words[0])
    return len(words) > 3 and words[1] == "university" and place is not None and place.kind != "country"


def _place_words(reader: Reader, places: Iterable[str]) -> frozenset[str]:
    return frozenset("".join(reader.read(place).words) for place in places)


@lru_cache(maxsize=1)
def look_alikes() -> tuple[str, ...]:
    """Return the shipped names of other institutions that could be taken for a listed one."""
    path = shipped_folder("taxonomies/watchlists") / "registry" / "look_alikes.csv"
    faults: list[Fault] = []
    columns = {"name": "name of the other institution", "confusable_with": "entity_id", "reason": "why it is another"}
    rows = read_rows(path, columns, ("name", "reason"), faults, kind="list of look-alikes")
    if faults:
        raise FileError(faults, kind="list of look-alikes")
    return tuple(row["name"] for row in rows)
