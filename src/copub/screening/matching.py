"""Finding the entities that an affiliation string names.

Rules, in this order: a name counts only as whole words; the longest name that begins first wins;
look-alikes and longer names of other institutions win over the listed name inside them; names
that others share need a sign of the country, short forms a place of the entity beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from copub.screening.entity import Entity
from copub.screening.lexicon import Lexicon, Meaning
from copub.screening.text import DIVIDER, LINKING, Reading
from copub.screening.vocabulary import Place, vocabulary

SURE, IF_COUNTRY, UNLESS_ABROAD = "sure", "if-country", "unless-abroad"

_PLACE_WORDS = 3
_CHINA = Place("CN", "country")
_ENDS_OPEN = frozenset(("university", "college", "institute", "academy"))
_GENERIC_FIRST = frozenset(("university", "institute", "academy", "college"))
_COMPASS = ("north", "south", "east", "west", "northern", "southern", "eastern", "western")
_DIRECTIONS = frozenset(
    (
        *_COMPASS,
        "northeastern",
        "northwestern",
        "southeast",
        "southeastern",
        "southwestern",
        "national",
        "central",
        "new",
    )
)
_AFTER_OF = frozenset(("china", "prc", "pr", "p", "people", "pla", "pap"))


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity named in a string: by which name, where, and on what condition.

    `condition` is ``sure``, ``if-country`` (the string has no sign of a country: counts if the
    affiliation's own country is the entity's) or ``unless-abroad`` (does not count if it is
    another one).
    """

    entity: Entity
    name: str
    kind: str
    start: int
    end: int
    condition: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A pattern in a reading: characters of its text, and the first and last word."""

    start: int
    end: int
    first: int
    last: int
    meanings: tuple[Meaning, ...]
    divided: bool


def find_mentions(text: str, lexicon: Lexicon) -> list[Mention]:
    """Return the entities that `text` names, in the order of their places in it."""
    reading = lexicon.reader.read(text)
    candidates = lexicon.candidates(reading.words)
    if not candidates:
        return []
    winners = _winners(_located(candidates, reading, lexicon), lexicon)
    scene = _Scene(reading, lexicon, winners)
    mentions: dict[str, Mention] = {}
    for found in winners:
        for meaning in found.meanings:
            entity = meaning.entity
            if entity is None or _is_extended(found, meaning, scene):
                continue
            condition = scene.condition(entity, meaning.kind, found)
            if not condition or (entity.id in mentions and mentions[entity.id].condition == SURE):
                continue
            if entity.id not in mentions or condition == SURE:
                start, end = lexicon.reader.span(text, reading, found.first, found.last)
                mentions[entity.id] = Mention(entity, meaning.name, meaning.kind, start, end, condition)
    return sorted(mentions.values(), key=lambda m: (m.start, m.end, m.entity.id))


def _located(candidates: Iterable[tuple[int, int]], reading: Reading, lexicon: Lexicon) -> list[_Found]:
    found: list[_Found] = []
    offsets = list(accumulate(map(len, reading.words), initial=0))
    for first, last in candidates:
        start, end = offsets[first], offsets[last + 1]
        pattern = reading.text[start:end]
        found.append(_Found(start, end, first, last, lexicon.patterns[pattern], DIVIDER in pattern))
    return found


def _winners(found: Sequence[_Found], lexicon: Lexicon) -> list[_Found]:
    """Keep the longest of the names that begin first; inside it only names of its ancestors."""
    # "University A, Beijing Institute B": the place belongs to the name that goes on after it.
    whole = [a for a in found if not (a.divided and any(_goes_on(a, b) for b in found))]
    kept: list[_Found] = []
    for one in sorted(whole, key=lambda f: (f.start, -f.end)):
        over = [other for other in kept if other.end > one.start]
        if not over or all(_is_ancestor_within(one, other, lexicon) for other in over):
            kept.append(one)
    return kept


def _goes_on(divided: _Found, other: _Found) -> bool:
    """Tell whether an undivided name begins inside a divided one and goes on after it."""
    return not other.divided and divided.start < other.start < divided.end < other.end


def _is_ancestor_within(inner: _Found, outer: _Found, lexicon: Lexicon) -> bool:
    """Tell whether a name inside a longer one is that of an ancestor of another category.

    "First Affiliated Hospital of University A" names the university too; "First Hospital of
    Hospital A" is one name.
    """
    if inner.end > outer.end:
        return False
    outside = [meaning.entity for meaning in outer.meanings if meaning.entity is not None]
    inside = [meaning.entity for meaning in inner.meanings if meaning.entity is not None]
    return any(i.category != o.category and i.id in lexicon.ancestors(o) for i in inside for o in outside)


class _Scene:
    """A reading with the places that it names: answers what stands around a name."""

    def __init__(self, reading: Reading, lexicon: Lexicon, names: Sequence[_Found]) -> None:
        self.reading = reading
        self.names = names
        self.lexicon = lexicon

    @cached_property
    def places(self) -> list[tuple[int, str, Place]]:
        """Position, name and meaning of the places in the reading; the army's name is a sign of China."""
        words = self.reading.words
        military = [(i, word, _CHINA) for i, word in enumerate(words) if word in ("pla", "pap")]
        return sorted([*vocabulary().places_in(words), *military], key=lambda place: place[0])

    @cached_property
    def breaks(self) -> list[int]:
        """Positions of semicolons."""
        return [i for i in range(len(self.reading.words)) if self.reading.tokens[self.reading.raw(i)] == ";"]

    def word(self, position: int) -> str:
        """Return a word, or a divider beyond either end."""
        return self.reading.words[position] if 0 <= position < len(self.reading.words) else DIVIDER

    def neighbour(self, position: int, step: int) -> tuple[str, bool]:
        """Return the next word that is not dropped, and whether it is joined on.

        After a name "joined on" means that a linking word ("of", "for") stands between, before a
        name that no dropped word does.
        """
        other = position + step
        while self.word(other) == "":
            other += step
        if self.word(other) == DIVIDER:
            return DIVIDER, False
        low, high = sorted((position, other))
        between = self.reading.tokens[self.reading.raw_end(low) + 1 : self.reading.raw(high)]
        return self.word(other), any(token in LINKING for token in between) if step > 0 else not between

    def goes_on_after(self, found: _Found) -> str:
        """Return the word to which "of" or "for" leads right after a name, also past a comma; else ""."""
        word, linked = self.neighbour(found.last, 1)
        position = found.last + 1
        while word == DIVIDER and self.word(position) in ("", DIVIDER) and position < len(self.reading.words):
            if self.reading.tokens[self.reading.raw(position)] in LINKING:
                return self.neighbour(position, 1)[0]
            position += 1
        return word if linked else ""

    def segment(self, found: _Found) -> tuple[int, int]:
        """Return the first and last word of the stretch between semicolons around a name."""
        before = [b for b in self.breaks if b < found.first]
        after = [b for b in self.breaks if b > found.last]
        return (before[-1] if before else -1), (after[0] if after else len(self.reading.words))

    def nearest(self, found: _Found, entity: Entity, *, cities: bool = False) -> tuple[str, Place] | None:
        """Return the place that most likely belongs to a name: the next after it, else the last before it.

        Only places in the same stretch between semicolons are looked at, and none beyond the next
        name of another institution: they belong to that one. If there is none, places of the
        entity's country elsewhere. With `cities`, only cities of that stretch.
        """
        low, high = self.segment(found)
        kin = {entity.id, *self.lexicon.ancestors(entity)}
        others = [name for name in self.names if not any(m.entity and m.entity.id in kin for m in name.meanings)]
        low = max([low, *(name.last for name in others if name.last < found.first)])
        high = min([high, *(name.first for name in others if name.first > found.last)])
        some = [p for p in self.places if not found.first <= p[0] <= found.last]
        if cities:
            some = [p for p in some if p[2].kind == "city"]
        right = [p for p in some if found.last < p[0] < high]
        left = [p for p in some if low < p[0] < found.first]
        for chosen in (right[:1], left[-1:]):
            if chosen:
                return chosen[0][1], chosen[0][2]
        # What stands elsewhere may tell the country, but never that a name is abroad.
        beyond = [p for p in some if not low < p[0] < high and p[2].country == entity.country and not cities]
        return (beyond[0][1], beyond[0][2]) if beyond else None

    def unless_elsewhere(self, entity: Entity, found: _Found) -> str:
        """Return the condition of a name that counts unless its stretch tells only other countries."""
        low, high = self.segment(found)
        countries = {place.country for position, _, place in self.places if low < position < high}
        if not countries:
            return UNLESS_ABROAD
        return SURE if entity.country in countries else ""

    def is_home(self, entity: Entity, found: _Found) -> bool:
        """Tell whether a place of the entity stands in the same stretch, outside the name."""
        low, high = self.segment(found)
        home = self.lexicon.places[entity.id]
        for start in range(low + 1, high):
            read = ""
            for last in range(start, min(start + _PLACE_WORDS, high)):
                read += self.reading.words[last]
                if read in home and not (start <= found.last and last >= found.first):
                    return True
        return False

    def is_alone(self, found: _Found) -> bool:
        """Tell whether a name is all that stands between two dividers."""
        return self.neighbour(found.first, -1)[0] == DIVIDER == self.neighbour(found.last, 1)[0]

    def condition(self, entity: Entity, kind: str, found: _Found) -> str:
        """Return on what condition the name counts; empty if it does not."""
        if (entity.context == "alone" or kind == "weak") and not self.is_alone(found):
            return ""
        if entity.context == "alone":
            return SURE
        is_full = kind not in ("weak", "abbreviation")
        if not self.reading.text[found.start].isascii() or (is_full and not entity.context and not entity.not_places):
            return SURE
        if is_full and entity.context == "open":
            return self.unless_elsewhere(entity, found)
        near = self.nearest(found, entity)
        rivals = [place for place in entity.not_places if place.isupper()]
        if near is not None and near[1].country in rivals:
            return ""
        says_where = not self.lexicon.places[entity.id].isdisjoint(self.reading.words[found.first : found.last + 1])
        cities = bool(entity.not_places) and not says_where
        city = self.nearest(found, entity, cities=True) if cities else None
        if city is not None and city[0] in {place.lower() for place in entity.not_places}:
            return ""
        abroad = near is not None and near[1].country != entity.country
        if kind == "weak" or entity.context == "home":
            return SURE if self.is_home(entity, found) and not abroad else ""
        if kind == "abbreviation" or entity.context == "china":
            return "" if abroad else (IF_COUNTRY if near is None else SURE)
        return UNLESS_ABROAD if rivals and near is None else SURE


def _is_extended(found: _Found, meaning: Meaning, scene: _Scene) -> bool:
    """Tell whether the words around a name make it a longer name of another institution."""
    entity = meaning.entity
    if entity is None or not scene.reading.text[found.start].isascii():
        return False
    places = vocabulary().places
    after = scene.goes_on_after(found) if scene.word(found.last) in _ENDS_OPEN else ""
    if after and after not in _AFTER_OF and (after not in places or places[after].country != entity.country):
        return True
    before, joined = scene.neighbour(found.first, -1)
    if scene.word(found.first) not in _GENERIC_FIRST:
        return joined and before in _DIRECTIONS
    following, linked = scene.neighbour(found.first, 1)
    if following == scene.word(found.last):  # "University of Fudan", not "Medical University Tianjin"
        return not linked or joined
    return joined and before in places
