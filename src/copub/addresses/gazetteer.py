"""Countries and towns of the world, as they are in the address behind the name of an institution.

The table (``taxonomies/watchlists/registry/gazetteer.csv``, made by ``tools/gazetteer.py`` from GeoNames and
CLDR) holds tens of thousands of names. Many are ordinary words, family names or parts of other names ("Nice",
"Jordan", "China Lake"), so a name counts only where a whole clause consists of names of places, numbers and
the few words of an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

from copub.addresses.vocabulary import vocabulary
from copub.errors import Fault, FileError
from copub.lists.csvfile import SEPARATOR
from copub.shipped import shipped_folder

_COLUMNS = ["name", "countries", "kind"]
"""Of the gazetteer: a name as copub reads it, ISO codes separated by |, and "country" or "town"."""
_LONGEST = 7
"""Words of a name of a place that are looked at, at most; Chinese characters are words of their own."""

_FORMS_OF_STATE = frozenset({
    "the", "republic", "kingdom", "federal", "federation", "federative", "islamic", "people", "peoples", "democratic",
    "socialist", "state", "states", "sultanate", "commonwealth", "of", "and",
})  # fmt: skip
_OF_ADDRESSES = frozenset({
    "city", "town", "province", "prov", "county", "district", "prefecture", "region", "oblast", "municipality",
    "campus", "branch", "main", "in", "at", "near", "de", "po", "box", "zip", "cedex", "si", "gun", "do", "ken", "shi",
    "市", "省", "区", "县", "校",
})  # fmt: skip
_STATES = {
    **dict.fromkeys((
        "al", "ak", "az", "ar", "ca", "co", "ct", "de", "fl", "ga", "hi", "id", "il", "in", "ia", "ks", "ky", "la",
        "me", "md", "ma", "mi", "mn", "ms", "mo", "mt", "ne", "nv", "nh", "nj", "nm", "ny", "nc", "nd", "oh", "ok",
        "or", "pa", "ri", "sc", "sd", "tn", "tx", "ut", "vt", "va", "wa", "wv", "wi", "wy", "dc",
    ), "US"),
    **dict.fromkeys(("on", "qc", "pq", "bc", "ab", "mb", "ns", "nb", "sk", "nl"), "CA"),
    **dict.fromkeys(("nsw", "vic", "qld", "tas", "act"), "AU"),
}  # fmt: skip
"""Short forms of states and provinces in American, Canadian and Australian addresses."""


class Place(NamedTuple):
    """A place in an address: the word with which it begins, and the countries that have a place of the name.

    `country` is the country that the name itself is one of, or "".
    """

    position: int
    countries: frozenset[str]
    country: str


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[frozenset[str], str]]:
    """Return for each name, written without spaces, the countries of all places so called, and the one that is."""
    path = shipped_folder("taxonomies/watchlists") / "registry" / "gazetteer.csv"
    # Generated, without quotation marks, and of so many rows that every process would notice a slower reader.
    header, *known = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines() or [""])
    if header != _COLUMNS or any(len(cells) != len(_COLUMNS) for cells in known):
        raise FileError([Fault(f"{path}:1", f"every line must have {', '.join(_COLUMNS)}")], kind="gazetteer")
    own = ([name, place.country, place.kind] for name, place in vocabulary().places.items())
    table: dict[str, tuple[frozenset[str], str]] = {}
    for name, countries, kind in chain(known, own):
        key = name.replace(" ", "")
        entry = _entry(countries, kind == "country")
        if key in table:
            codes, country = table[key]
            entry = codes | entry[0], entry[1] or country
        table[key] = entry
    return table


@cache
def _entry(countries: str, is_country: bool) -> tuple[frozenset[str], str]:
    codes = countries.split(SEPARATOR)
    return frozenset(codes), codes[0] if is_country and len(codes) == 1 else ""


def places_of_clause(words: Sequence[str], *, strict: bool = False) -> list[Place] | None:
    """Return the places that a clause consists of; None if it holds anything else.

    Parameters
    ----------
    words : raw words of the clause: lower case, without accents, numbers among them.
    strict : allow nothing beside names of places but numbers and the form of a state ("Republic of").
    """
    found: list[Place] = []
    position = 0
    while position < len(words):
        named = _longest(words, position)
        if named is None:
            if not _is_filler(words, position, strict=strict):
                return None
            position += 1
            continue
        size, (countries, country) = named
        found.append(Place(position, countries, country))
        position += size
    return found


def _longest(words: Sequence[str], position: int) -> tuple[int, tuple[frozenset[str], str]] | None:
    table = _table()
    for size in range(min(_LONGEST, len(words) - position), 0, -1):
        entry = table.get("".join(words[position : position + size]).replace("'", ""))
        if entry is not None:
            return size, entry
    return None


def may_end_with_place(words: Sequence[str]) -> bool:
    """Return whether a clause ends as one that `places_of_clause` reads strictly must: few do, which is seen fast."""
    size = len(words)
    if not size or _is_filler(words, size - 1, strict=True):
        return True
    ends = ("".join(words[begin:]) for begin in range(size - 1, max(size - _LONGEST, 0) - 1, -1))
    return any(end.replace("'", "") in _table() for end in ends)


@lru_cache(maxsize=1)
def countries_by_name() -> Mapping[str, str]:
    """Return the country of each name, written without spaces, that nothing but this country has."""
    return {name: country for name, (codes, country) in _table().items() if codes == {country}}


def state_of_clause(words: Sequence[str]) -> str:
    """Return the country of a clause that is the short form of a state, with or without a postal code; else ""."""
    return _STATES.get(words[0], "") if words and all(word.isdigit() for word in words[1:]) else ""


def _is_filler(words: Sequence[str], position: int, *, strict: bool) -> bool:
    word = words[position]
    if word.isdigit() or word.replace("'", "") in _FORMS_OF_STATE:
        return True
    if len(words) > 1 and word in _STATES and position < len(words) - 1:
        return True  # "MA 02139 USA"
    beside = [words[i] for i in (position - 1, position + 1) if 0 <= i < len(words)]
    if len(word) <= 2 and word.isascii() and any(other.isdigit() for other in beside):
        return True  # a part of a postal code: "B-3000", "SW7 2AZ"
    return not strict and (word in _OF_ADDRESSES or word in _STATES or (len(word) == 1 and word.isascii()))
