"""Finding the entities that an affiliation string names.

Rules, in this order: a name counts only as whole words; the longest name that begins first wins;
look-alikes and longer names of other institutions win over the listed name inside them; names
that others share need a sign of the country, short forms a place of the entity beside them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from copub.addresses.affiliationtext import DIVIDER, Reading
from copub.addresses.vocabulary import Place, vocabulary
from copub.lists.entity import Entity
from copub.screening.compilednames import Lexicon, Meaning
from copub.screening.mentioncontext import ABROAD, PERHAPS_ABROAD, Scene

SURE, IF_COUNTRY, UNLESS_ABROAD = "sure", "if-country", "unless-abroad"

LONGEST = 20_000
"""Characters of a string that are read; longer ones are no affiliations."""

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
_SUBJECTS = frozenset({
    "aeronautic", "aerospace", "agricultural", "applied", "art", "arts", "astronautic", "business", "chemical",
    "chinese", "communication", "computing", "design", "economics", "education", "electronic", "engineering",
    "environmental", "finance", "forestry", "geological", "geoscience", "health", "hlth", "humanities", "industrial",
    "industry", "information", "language", "law", "light", "management", "maritime", "materials", "mechanical",
    "medical", "mining", "normal", "petroleum", "physics", "polit", "political", "post", "resources", "science",
    "sport", "sports", "technological", "technology", "telecommunication", "textile", "traditional", "transportation",
    "water",
})  # fmt: skip
"""Words that name what a university is for where its name is printed without "of": "Zhengzhou Univ Light Ind"."""
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
    """Return the entities that `text` names, in the order of their places in it.

    Of a text longer than `LONGEST` characters only the beginning is read.
    """
    text = text[:LONGEST]
    reading = lexicon.reader.read(text)
    candidates = lexicon.candidates(reading.words)
    if not candidates:
        return []
    winners = _winners(_located(candidates, reading, lexicon), lexicon)
    scene = Scene(text, reading, lexicon, [(f.first, f.last, frozenset(_ids(f))) for f in winners])
    named: dict[int, tuple[_Found, Meaning, str]] = {}
    for found in winners:
        for meaning in found.meanings:
            entity = meaning.entity
            if entity is None or _is_extended(found, meaning, scene):
                continue
            key = id(entity)  # two lists may describe one entity, each with names of its own
            if key in named and named[key][2] == SURE:
                continue
            condition = _condition(entity, meaning.kind, found, scene)
            if condition and (key not in named or condition == SURE):
                named[key] = found, meaning, condition
    if not named:
        return []
    mentions = [
        Mention(meaning.entity, meaning.name, meaning.kind, *scene.span(found.first, found.last), condition)
        for found, meaning, condition in named.values()
        if meaning.entity is not None
    ]
    return sorted(mentions, key=lambda m: (m.start, m.end, m.entity.id))


def _ids(found: _Found) -> Iterator[str]:
    return (meaning.entity.id for meaning in found.meanings if meaning.entity is not None)


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
    if len(found) == 1:
        return list(found)
    ordered = sorted(found, key=lambda f: (f.start, -f.end))
    starts = [one.start for one in ordered]
    kept: list[_Found] = []
    over: list[_Found] = []
    for one in ordered:
        inside = ordered[bisect_right(starts, one.start) : bisect_left(starts, one.end)] if one.divided else ()
        # "University A, Beijing Institute B": the place belongs to the name that continues after it.
        if any(not other.divided and other.end > one.end for other in inside):
            continue
        over = [other for other in over if other.end > one.start]
        if not over or all(_is_ancestor_within(one, other, lexicon) for other in over):
            kept.append(one)
            over.append(one)
    return kept


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


def _condition(entity: Entity, kind: str, found: _Found, scene: Scene) -> str:
    """Return on what condition a name counts; empty if it does not.

    Whatever the name needs beside it: it never counts where its address names only other countries.
    """
    where = scene.whereabouts(found.first, found.last, entity)
    if where == ABROAD:
        return ""
    is_doubtful = entity.country == "CN" and scene.is_doubtful(found.first, found.last)
    if is_doubtful and not scene.is_home(entity, found.first, found.last):
        return ""
    condition = _condition_at_home(entity, kind, found, scene)
    return IF_COUNTRY if condition and where == PERHAPS_ABROAD else condition


def _condition_at_home(entity: Entity, kind: str, found: _Found, scene: Scene) -> str:
    """Return on what condition a name counts whose address does not say that it is abroad."""
    first, last = found.first, found.last
    is_weak = kind == "weak" or entity.context == "strict"
    if (is_weak or entity.context == "alone") and not scene.is_alone(first, last):
        return ""
    near = scene.nearest(first, last, entity)
    is_shared = scene.is_other_form(first, last) and not scene.is_inside(entity, first, last)
    if kind not in ("weak", "abbreviation") and entity.context in ("", "open", "alone") and not is_shared:
        return _unless_elsewhere(entity, near, found, scene)
    if is_weak or entity.context == "home":
        is_abroad = near is not None and near[1].country != entity.country
        return SURE if scene.is_home(entity, first, last) and not is_abroad else ""
    return _beside_country(entity, near)


def _beside_country(entity: Entity, near: tuple[str, Place] | None) -> str:
    """Return the condition of a name that needs a sign of its country."""
    if near is None:
        return IF_COUNTRY
    return SURE if near[1].country == entity.country else ""


def _unless_elsewhere(entity: Entity, near: tuple[str, Place] | None, found: _Found, scene: Scene) -> str:
    """Return the condition of a name that needs no sign of its country."""
    first, last = found.first, found.last
    if near is not None and near[1].country in entity.not_places:
        return ""
    if entity.not_places and not scene.is_inside(entity, first, last):
        city = scene.nearest(first, last, entity, cities=True)
        if city is not None and city[0] in {place.lower() for place in entity.not_places}:
            return ""
    return SURE if near is not None and near[1].country == entity.country else UNLESS_ABROAD


def _is_extended(found: _Found, meaning: Meaning, scene: Scene) -> bool:
    """Tell whether the words around a name make it a longer name of another institution."""
    entity = meaning.entity
    if entity is None or not scene.reading.text[found.start].isascii():
        return False
    if scene.word(found.last) == "university" and scene.is_shortened_before(found.last, _SUBJECTS):
        return True
    if scene.is_joined_to_subject(found.last):
        return True
    places = vocabulary().places
    after = scene.goes_on_after(found.last) if scene.word(found.last) in _ENDS_OPEN else ""
    if after and after not in _AFTER_OF and (after not in places or places[after].country != entity.country):
        return True
    before, joined = scene.neighbour(found.first, -1)
    if scene.word(found.first) not in _GENERIC_FIRST:
        return joined and before in _DIRECTIONS and not scene.is_initial_before(found.first)
    following, linked = scene.neighbour(found.first, 1)
    if following == scene.word(found.last):  # "University of Fudan", not "Medical University Tianjin"
        if scene.is_mark_before(found.first):
            return False
        if linked:
            return joined and not scene.is_unit_before(found.first)
        return joined or before != DIVIDER  # "Univ Tehran" may be all of a clause
    return joined and before in places
