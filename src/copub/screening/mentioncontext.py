"""What stands around a name in a string: places, neighbours, the stretch between semicolons."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

from copub.lists.entity import Entity
from copub.screening.affiliationtext import DIVIDER, LINKING, Reading, Spans
from copub.screening.compilednames import Lexicon
from copub.screening.folding import CHINESE, other_forms
from copub.screening.vocabulary import Place, vocabulary

Placed = tuple[int, str, Place]
"""Position, name and meaning of a place."""

_PLACE_WORDS = 3
_NESTED = 8
"""Names that may stand inside one another, at most."""

_ADDRESS = 4
"""Clauses after that of a name, at most, in which its country is looked for."""

_CHINA = Place("CN", "country")
_BODIES = frozenset(
    ("university", "institute", "college", "academy", "school", "hospital", "department", "laboratory", "center")
)


class Scene:
    """A reading with the names and places that stand in it; a name is given by its first and last word.

    Every question costs no more than the stretch around the name, so that strings with
    thousands of names are read in time that grows with their length.

    Parameters
    ----------
    text : the string that was read.
    names : first word, last word and entity ids (none: a look-alike) of the names that were found,
        in the order of their beginnings.
    """

    def __init__(
        self, text: str, reading: Reading, lexicon: Lexicon, names: Sequence[tuple[int, int, frozenset[str]]]
    ) -> None:
        self.text = text
        self.reading = reading
        self.lexicon = lexicon
        self._names = names
        self._homes: dict[str, list[tuple[int, int]]] = {}
        self._other_names: dict[str, list[tuple[int, int]]] = {}

    @cached_property
    def places(self) -> list[Placed]:
        """Places in the reading, in order; the army's name is a sign of China."""
        words = self.reading.words
        military = [(i, word, _CHINA) for i, word in enumerate(words) if word in ("pla", "pap")]
        return sorted([*vocabulary().places_in(words), *military], key=lambda place: place[0])

    @cached_property
    def _cities(self) -> list[Placed]:
        return [place for place in self.places if place[2].kind == "city"]

    @cached_property
    def _of_country(self) -> dict[str, list[Placed]]:
        found: dict[str, list[Placed]] = {}
        for place in self.places:
            found.setdefault(place[2].country, []).append(place)
        return found

    @cached_property
    def _breaks(self) -> list[int]:
        """Positions of semicolons."""
        return [i for i in range(len(self.reading.words)) if self.reading.tokens[self.reading.raw(i)] == ";"]

    @cached_property
    def _spans(self) -> Spans:
        return self.lexicon.reader.spans(self.text)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return start and end of a name in the string."""
        return self._spans.of(self.reading, first, last)

    def is_other_form(self, first: int, last: int) -> bool:
        """Tell whether a name is written with traditional or Japanese characters.

        In Taiwan, Hong Kong and Japan institutions have the same names: such a name needs a sign of its country.
        """
        if not CHINESE.match(self.word(first)):
            return False
        start, end = self.span(first, last)
        return any(character in other_forms() for character in self.text[start:end])

    def is_inside(self, entity: Entity, first: int, last: int) -> bool:
        """Tell whether a name holds a place of its entity, or (in Chinese characters) one of its country."""
        words = self.reading.words[first : last + 1]
        if not self.lexicon.places[entity.id].isdisjoint(words):
            return True
        named = vocabulary().places_in(words) if CHINESE.match(self.word(first)) else ()
        return any(place.country == entity.country for _, _, place in named)

    def is_initial_before(self, first: int) -> bool:
        """Tell whether the letter before a name is an initial ("N. Bauman"), not a direction ("N. China")."""
        position = first - 1
        while self.word(position) == "":
            position -= 1
        word = self.word(first)
        known = vocabulary()
        is_letter = len(self.reading.tokens[self.reading.raw(position)]) == 1
        return is_letter and word not in known.words and word not in known.places

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

    def goes_on_after(self, last: int) -> str:
        """Return the word to which "of" or "for" leads right after a name, also past a comma; else ""."""
        word, linked = self.neighbour(last, 1)
        position = last + 1
        while word == DIVIDER and self.word(position) in ("", DIVIDER) and position < len(self.reading.words):
            if self.reading.tokens[self.reading.raw(position)] in LINKING:
                return self.neighbour(position, 1)[0]
            position += 1
        return word if linked else ""

    def stretch(self, first: int, last: int) -> tuple[int, int]:
        """Return the positions of the semicolons around a name."""
        before, after = bisect_left(self._breaks, first), bisect_right(self._breaks, last)
        low = self._breaks[before - 1] if before else -1
        return low, self._breaks[after] if after < len(self._breaks) else len(self.reading.words)

    def countries(self, first: int, last: int) -> set[str]:
        """Return the countries named beside a name: in its clause, and in its address.

        The address is what comes after the clause up to a semicolon, or to a clause that names a body. It
        goes on after a clause with a number or a place; any other word may be the name of an institution.
        """
        words = self.reading.words
        low = first
        while self.word(low - 1) != DIVIDER:
            low -= 1
        high = self._end_of_clause(last + 1)
        end = self.stretch(first, last)[1]
        for _ in range(_ADDRESS):
            after = self._end_of_clause(high + 1)
            if high >= end or not _BODIES.isdisjoint(words[high:after]):
                break
            clause, high = words[high:after], after
            if not any(word.isdigit() for word in clause) and not vocabulary().places_in(clause):
                break
        beside = [*_between(self.places, low - 1, first), *_between(self.places, last, high)]
        inside = [place for place in _between(self.places, first - 1, last + 1) if place[2].kind == "country"]
        return {place.country for _, _, place in (*beside, *inside)}

    def _end_of_clause(self, position: int) -> int:
        while self.word(position) != DIVIDER:
            position += 1
        return position

    def nearest(self, first: int, last: int, entity: Entity, *, cities: bool = False) -> tuple[str, Place] | None:
        """Return the place that most likely belongs to a name: the next after it, else the last before it.

        Only places in the same stretch between semicolons are looked at, and none beyond the next
        name of another institution: they belong to that one. If there is none, places of the
        entity's country elsewhere. With `cities`, only cities of that stretch.
        """
        low, high = self._own_stretch(first, last, entity)
        some = self._cities if cities else self.places
        right, left = _between(some, last, high), _between(some, low, first)
        for chosen in (right[:1], left[-1:]):
            if chosen:
                return chosen[0][1], chosen[0][2]
        if cities:
            return None
        # What stands elsewhere may tell the country, but never that a name is abroad.
        home = self._of_country.get(entity.country, [])
        beyond = home[:1] if home and home[0][0] <= low else home[_first_from(home, high) :][:1]
        return (beyond[0][1], beyond[0][2]) if beyond else None

    def _own_stretch(self, first: int, last: int, entity: Entity) -> tuple[int, int]:
        """Return the bounds of the stretch of a name, narrowed to the next names of other institutions."""
        low, high = self.stretch(first, last)
        others = self._others(entity)
        here = bisect_left(others, first, key=lambda name: name[0])
        before = next((end for _, end in reversed(others[max(0, here - _NESTED) : here]) if end < first), low)
        after = next((begin for begin, _ in others[here : here + _NESTED] if begin > last), high)
        return max(low, before), min(high, after)

    def _others(self, entity: Entity) -> list[tuple[int, int]]:
        """Return first and last word of the names of others than an entity and its ancestors."""
        if entity.id not in self._other_names:
            kin = {entity.id, *self.lexicon.ancestors(entity)}
            self._other_names[entity.id] = [(a, b) for a, b, ids in self._names if ids.isdisjoint(kin)]
        return self._other_names[entity.id]

    def is_home(self, entity: Entity, first: int, last: int) -> bool:
        """Tell whether a place of the entity stands in the same stretch, outside the name."""
        low, high = self.stretch(first, last)
        return any(
            low < start and end < high and not (start <= last and end >= first) for start, end in self._home(entity)
        )

    def _home(self, entity: Entity) -> list[tuple[int, int]]:
        """Return first and last word of every place of an entity in the reading."""
        if entity.id not in self._homes:
            words, home = self.reading.words, self.lexicon.places[entity.id]
            spans = ((start, start + size) for start in range(len(words)) for size in range(_PLACE_WORDS))
            self._homes[entity.id] = [(a, b) for a, b in spans if "".join(words[a : b + 1]) in home]
        return self._homes[entity.id]

    def is_alone(self, first: int, last: int) -> bool:
        """Tell whether a name is all that stands between two dividers."""
        return self.neighbour(first, -1)[0] == DIVIDER == self.neighbour(last, 1)[0]


def _first_from(places: Sequence[Placed], position: int) -> int:
    return bisect_left(places, position, key=lambda place: place[0])


def _between(places: Sequence[Placed], low: int, high: int) -> Sequence[Placed]:
    """Return the places that stand after `low` and before `high`."""
    return places[_first_from(places, low + 1) : _first_from(places, high)]
