"""What is around a name in a string: places, neighbours, the stretch between semicolons."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from copub.addresses.affiliationtext import DIVIDER, DIVIDERS, LINKING, Reading, Spans
from copub.addresses.folding import CHINESE, other_forms
from copub.addresses.gazetteer import Place as Address
from copub.addresses.gazetteer import places_of_clause
from copub.addresses.vocabulary import Place, vocabulary
from copub.lists.entity import Entity
from copub.screening.compilednames import Lexicon

Placed = tuple[int, str, Place]
"""Position, name and meaning of a place."""

_PLACE_WORDS = 3
_NESTED = 8
"""Names that may be inside one another, at most."""

_ADDRESS = 10
"""Clauses from that of a name on, at most, in which its country is looked for."""

_ACRONYM = 6
"""Letters of an acronym, at most."""

HOME, ABROAD, PERHAPS_ABROAD = "home", "abroad", "perhaps-abroad"

_CHINA = Place("CN", "country")
_OTHERS = frozenset(("university", "polytechnic", "hochschule"))
"""Words of clauses that name another institution, to which the places after it belong."""
_BODIES = frozenset(("university", "institute", "academy", "hospital", "company", "ltd", "inc", "corp", "corporation"))
_UNITS = frozenset({
    "school", "college", "department", "faculty", "division", "laboratory", "center", "section", "group", "unit",
    "campus", "branch", "building", "road", "street", "avenue", "room", "office", "box", "square", "floor", "key",
})  # fmt: skip
"""Words of clauses that name a part of an institution, or a line of its address."""
_SUBJECT = re.compile(
    r"(?:logy|ics|istry|graphy|nomy|metry|ture|medicine|sciences?|engineering|technology|management|education|law|arts"
    r"|humanities|resources|environment|energy|business|mining|nursing|planning)$"
)
"""Ends of nouns that name the subject of a unit, and hardly ever the kind of a university."""
_JOINING = frozenset(("and", "und", "et", "y", "&", "e"))


class Scene:
    """A reading with the names and places that are in it; a name is given by its first and last word.

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

    def is_mark_before(self, first: int) -> bool:
        """Tell whether a number, a single letter or a Chinese character is right before a name, a part of nothing."""
        token = self._token_before(first)
        return token.isdigit() or (len(token) == 1 and token.isalpha())

    def is_unit_before(self, first: int) -> bool:
        """Tell whether the words before a name are a unit and its subject ("School of Geology"), and no part of it.

        Words such as "Medical" or "Azad" are a part of the name of a university, also behind a unit.
        """
        if not _SUBJECT.search(self._token_before(first)):
            return False
        for position in range(first - 1, self._start_of_clause(first) - 1, -1):
            word = self.word(position)
            if word in vocabulary().places:
                return False
            if word in _UNITS or word == "institute":
                return self.neighbour(position, 1)[1]
        return False

    def is_joined_to_subject(self, last: int) -> bool:
        """Tell whether a subject ends a name and "and" leads to another: "Institute of Physics and Chemistry"."""
        end = self.reading.raw_end(last)
        own, *after = self.reading.tokens[end : end + 3]
        if not _SUBJECT.search(own) or not after:
            return False
        if after[0] in _JOINING:
            return bool(_SUBJECT.search(after[-1]))
        if not _SUBJECT.search(after[0]):
            return False
        spans = self.lexicon.reader.spans(self.text).tokens
        return "&" in self.text[spans[end][1] : spans[end + 1][0]]

    def _token_before(self, first: int) -> str:
        return self.reading.tokens[self.reading.raw(first - 1)] if first else ""

    def word(self, position: int) -> str:
        """Return a word, or a divider beyond either end."""
        return self.reading.words[position] if 0 <= position < len(self.reading.words) else DIVIDER

    def neighbour(self, position: int, step: int) -> tuple[str, bool]:
        """Return the next word that is not dropped, and whether it is joined on.

        After a name "joined on" means that a linking word ("of", "for") is between, before a
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

    def is_shortened_before(self, last: int, subjects: frozenset[str]) -> bool:
        """Tell whether a name ends with a shortened word ("Univ") and nothing but `subjects` follows in its clause."""
        token, name = self.reading.tokens[self.reading.raw_end(last)], self.word(last)
        after = [word for word in self.reading.words[last + 1 : self._end_of_clause(last)] if word]
        is_shortened = token != name and name.startswith(token)
        return is_shortened and bool(after) and subjects.issuperset(after)

    def stretch(self, first: int, last: int) -> tuple[int, int]:
        """Return the positions of the semicolons around a name."""
        before, after = bisect_left(self._breaks, first), bisect_right(self._breaks, last)
        low = self._breaks[before - 1] if before else -1
        return low, self._breaks[after] if after < len(self._breaks) else len(self.reading.words)

    def whereabouts(self, first: int, last: int, entity: Entity) -> str:
        """Return where the address of a name says that it is: `HOME`, `ABROAD`, `PERHAPS_ABROAD`, or "".

        The address is what comes after the name up to a semicolon, to the name of another institution, or
        to a clause that names a university or is an acronym. A place behind a clause that may be another
        institution as well as a part of this one leaves it open. If nothing after the name tells a country,
        the places before it do, unless they belong to an institution before it.
        """
        after = list(self._after(first, last, entity))
        if after:
            low, high = last, self._end_of_address(first, last, entity)
            is_own = any(low < start and end < high for start, end in self._home(entity))
            if is_own or _is_home([place for place, _ in after], entity):
                return HOME
            return ABROAD if any(is_sure for _, is_sure in after) else PERHAPS_ABROAD
        before = self._before(first)
        if not before or _is_home(before, entity):
            return HOME if before else ""
        inside = [place for place in _between(self.places, first - 1, last + 1) if place[2].kind == "country"]
        return PERHAPS_ABROAD if any(place.country == entity.country for _, _, place in inside) else ABROAD

    def _after(self, first: int, last: int, entity: Entity) -> Iterator[tuple[Address, bool]]:
        """Yield the places after a name, and whether they are surely its own."""
        end = self._end_of_address(first, last, entity)
        is_sure = True
        start = last + 1
        for number in range(_ADDRESS):
            high = min(self._end_of_clause(start), end)
            words = self.reading.words[start:high]
            body = next((i for i, word in enumerate(words) if word in _OTHERS), None)
            if body is not None and (number or body):
                if number:
                    return
                words = words[:body]
            is_acronym = number > 0 and self._is_acronym(start, high)
            if is_acronym and not self._is_bracketed(start):
                return
            named = [] if is_acronym else self._places_of(start, start + len(words))
            yield from ((place, is_sure) for place in named)
            if not named and number and not is_acronym and self._may_be_another(start, high):
                is_sure = False
            if body is not None:
                return
            if high >= end:
                break
            start = high + 1
        yield from ((place, True) for place in self._in_stretches_after(end))

    def _end_of_address(self, first: int, last: int, entity: Entity) -> int:
        """Return where the stretch of a name or the next name of another institution ends its address.

        One word that is in a clause of places only is no name: short forms of institutions are words of
        names of towns.
        """
        end = self.stretch(first, last)[1]
        others = self._others(entity)
        for low, high in others[bisect_right(others, last, key=lambda name: name[0]) :]:
            if low >= end:
                break
            is_word = low == high and not self._is_acronym(low, high + 1)
            clause = self._start_of_clause(low), self._end_of_clause(high)
            if not (is_word and self._places_of(*clause, whole=True)):
                return low
        return end

    def _in_stretches_after(self, end: int) -> Iterator[Address]:
        """Yield the places of the stretches after a semicolon that hold nothing but places or a unit."""
        while self.word(end) == DIVIDER and end < len(self.reading.words) and end in self._breaks:
            low, end = end + 1, self.stretch(end + 1, end + 1)[1]
            while low < end:
                high = min(self._end_of_clause(low), end)
                named = self._places_of(low, high, whole=True)
                if not named and (self._may_be_another(low, high) or self._is_acronym(low, high)):
                    return
                yield from named
                low = high + 1

    def _before(self, first: int) -> list[Address]:
        """Return the places before a name, unless they belong to another institution."""
        low = self._start_of_clause(first)
        joined = [i for i in range(low, first) if self.reading.tokens[self.reading.raw(i)] in _JOINING]
        if joined:
            return _addresses(_between(self.places, joined[-1], first))
        found = _addresses(_between(self.places, low - 1, first))
        if found:
            return found
        stop = self.stretch(first, first)[0]
        while low - 1 > stop:
            high, low = low - 1, self._start_of_clause(low - 1)
            named = self._places_of(low, high, whole=True)
            if not named and self._may_be_another(low, high):
                return []
            found += named
        return found

    def _places_of(self, low: int, high: int, *, whole: bool = False) -> list[Address]:
        """Return the places in some words: all names of places if there is nothing else.

        Among other words only the places of the vocabulary count, or none if the clause must be `whole`.
        """
        if low >= high:
            return []
        reading = self.reading  # words that are dropped from a name are a part of a town's: "A Coruña"
        begin = reading.raw_end(low - 1) + 1 if low else 0
        end = reading.raw(high) if high < len(reading.words) else len(reading.tokens)
        named = places_of_clause([token for token in reading.tokens[begin:end] if token not in DIVIDERS])
        if named is not None:
            return named
        return [] if whole else _addresses(_between(self.places, low - 1, high))

    def _may_be_another(self, low: int, high: int) -> bool:
        """Tell whether a clause without a place may be an institution of its own: no unit, no number, no box."""
        words = [word for word in self.reading.words[low:high] if word]
        is_unit = not _UNITS.isdisjoint(words) and _BODIES.isdisjoint(words)
        return bool(words) and not is_unit and not any(word.isdigit() for word in words)

    def _is_acronym(self, low: int, high: int) -> bool:
        """Tell whether a clause is one short word in capitals that is no country, such as "MIT"."""
        if low >= high or self.reading.raw(low) != self.reading.raw_end(high - 1):
            return False
        start, end = self.span(low, high - 1)
        word = self.text[start:end]
        is_short = word.isupper() and len(word) <= _ACRONYM and not self._is_in_capitals
        return is_short and not any(place.country for place in places_of_clause([word.lower()]) or ())

    @cached_property
    def _is_in_capitals(self) -> bool:
        """Whether the whole string is in capitals, so that a word in capitals means nothing."""
        return self.text.isupper() and any(len(word) > _ACRONYM and word.isascii() for word in self.text.split())

    def _is_bracketed(self, position: int) -> bool:
        """Tell whether a clause begins with a bracket."""
        raw = self.reading.raw(position) if position < len(self.reading.words) else 0
        return raw > 0 and self.reading.tokens[raw - 1] in ("(", "[")

    def _start_of_clause(self, position: int) -> int:
        while self.word(position - 1) != DIVIDER:
            position -= 1
        return position

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
        # What is elsewhere may tell the country, but never that a name is abroad.
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
        """Tell whether a place of the entity is in the same stretch, outside the name, and surely that place."""
        low, high = self.stretch(first, last)
        return any(
            low < start and end < high and not (start <= last and end >= first) and not self.is_doubtful(start, end)
            for start, end in self._home(entity)
        )

    def is_doubtful(self, first: int, last: int) -> bool:
        """Tell whether a word of a name is misspelled so that it may be another name: "Hengzhou", "Shangai"."""
        tokens = self.reading.tokens[self.reading.raw(first) : self.reading.raw_end(last) + 1]
        return any(map(self.lexicon.reader.is_doubtful, tokens))

    def _home(self, entity: Entity) -> list[tuple[int, int]]:
        """Return first and last word of every place of an entity in the reading."""
        if entity.id not in self._homes:
            words, home = self.reading.words, self.lexicon.places[entity.id]
            letters = {"", *(place[:1] for place in home)}
            starts = [start for start, word in enumerate(words) if word[:1] in letters]
            spans = ((start, start + size) for start in starts for size in range(_PLACE_WORDS))
            self._homes[entity.id] = [(a, b) for a, b in spans if "".join(words[a : b + 1]) in home]
        return self._homes[entity.id]

    def is_alone(self, first: int, last: int) -> bool:
        """Tell whether a name is all that is between two dividers."""
        return self.neighbour(first, -1)[0] == DIVIDER == self.neighbour(last, 1)[0]


def _addresses(places: Sequence[Placed]) -> list[Address]:
    """Return places of the vocabulary as places of an address."""
    return [Address(i, frozenset((p.country,)), p.country if p.kind == "country" else "") for i, _, p in places]


def _is_home(places: Sequence[Address], entity: Entity) -> bool:
    """Tell whether places lie in an entity's country: the country itself, or a town that no country beside it has."""
    named = {place.country for place in places if place.country}
    if entity.country in named:
        return True
    return any(entity.country in place.countries and named.isdisjoint(place.countries) for place in places)


def _first_from(places: Sequence[Placed], position: int) -> int:
    return bisect_left(places, position, key=lambda place: place[0])


def _between(places: Sequence[Placed], low: int, high: int) -> Sequence[Placed]:
    """Return the places that are after `low` and before `high`."""
    return places[_first_from(places, low + 1) : _first_from(places, high)]
