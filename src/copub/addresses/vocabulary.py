"""The words of affiliations: canonical forms, phrases, glued and broken words, places.

All of it is data, in ``taxonomies/watchlists/registry``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from copub.addresses.folding import CHINESE, fold
from copub.addresses.typos import Slips, slips_of
from copub.errors import Fault, FileError
from copub.lists.csvfile import read_rows
from copub.shipped import shipped_folder


@dataclass(frozen=True, slots=True)
class Place:
    """A word that names a country, province or city: ISO code and kind."""

    country: str
    kind: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that affiliation strings are made of.

    `words` leads from any form to the canonical one; `phrases` from the last word of a phrase to
    the phrases that end with it (longest first) and their canonical word; `syllables` matches
    what can be read as Chinese in Latin letters; `glue` are words that are printed without a
    space before or after a name; `dropped` are words without meaning for a name ("of", "имени");
    `places` are words, or several with a space between, that tell a country; `longer` leads from
    the first word of several to all of them, most words first.
    """

    words: Mapping[str, str]
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    syllables: re.Pattern[str]
    glue: tuple[str, ...]
    dropped: frozenset[str]
    places: Mapping[str, Place]
    longer: Mapping[str, tuple[tuple[str, ...], ...]]

    def places_in(self, words: Sequence[str]) -> list[tuple[int, str, Place]]:
        """Return position, name and meaning of each place in a list of canonical words.

        Words that name a place together ("new zealand") are at the first of them.
        """
        places = self.places
        found: list[tuple[int, str, Place]] = []
        for position, word in enumerate(words):
            if word in self.longer:
                several = next(
                    (some for some in self.longer[word] if tuple(words[position : position + len(some)]) == some), None
                )
                if several is not None:
                    name = " ".join(several)
                    found.append((position, name, places[name]))
                    continue
            if word in places:
                found.append((position, word, places[word]))
        return found

    def slips(self, known: Iterable[str]) -> Slips:
        """Return how misspellings of the words of `known` are read; places are never corrected."""
        return slips_of({*known, *self.places}, self.words, self.syllables)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Read the shipped vocabulary. Raises `FileError` if one of its files has faults."""
    folder = shipped_folder("taxonomies/watchlists") / "registry"
    faults: list[Fault] = []
    words, phrases = _words(folder / "words.csv", faults)
    syllables, glue, dropped = _fragments(folder / "fragments.csv", faults)
    places = _places(folder / "places.csv", faults)
    if faults:
        raise FileError(faults, kind="vocabulary")
    return Vocabulary(words, phrases, syllables, glue, dropped, places, _longer(places))


def _words(
    path: Path, faults: list[Fault]
) -> tuple[dict[str, str], dict[str, tuple[tuple[tuple[str, ...], str], ...]]]:
    columns = {"word": "canonical form", "forms": "other forms, separated by |"}
    words: dict[str, str] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for row in read_rows(path, columns, ("word", "forms"), faults, kind="vocabulary"):
        words[row["word"]] = row["word"]
        for form in row.many("forms"):
            if " " in form:
                phrase = tuple(form.split())
                phrases.setdefault(phrase[-1], []).append((phrase, row["word"]))
            elif form in words:
                faults.append(Fault(row.where, f"form {form!r} has two canonical words", "keep one"))
            else:
                words[form] = row["word"]
    ordered = {end: tuple(sorted(some, key=lambda p: (-len(p[0]), p[0]))) for end, some in phrases.items()}
    return words, ordered


def _fragments(path: Path, faults: list[Fault]) -> tuple[re.Pattern[str], tuple[str, ...], frozenset[str]]:
    columns = {"form": "word or part of one", "kind": "glue | initial | final | dropped"}
    rows = read_rows(path, columns, ("form", "kind"), faults, kind="vocabulary")
    glue = sorted((row["form"] for row in rows if row["kind"] == "glue"), key=lambda w: (-len(w), w))
    parts = {kind: "|".join(row["form"] for row in rows if row["kind"] == kind) for kind in ("initial", "final")}
    dropped = frozenset(row["form"] for row in rows if row["kind"] == "dropped")
    return re.compile(f"(?:(?:{parts['initial']})?(?:{parts['final']}))+"), tuple(glue), dropped


def _places(path: Path, faults: list[Fault]) -> dict[str, Place]:
    columns = {"place": "word that names it", "country": "ISO code", "kind": "country | province | city | place"}
    rows = read_rows(path, columns, ("place", "country", "kind"), faults, kind="list of places")
    return {_words_of(row["place"]): Place(row["country"], row["kind"]) for row in rows}


def _words_of(place: str) -> str:
    """Return a place as the words that a reader makes of it: Chinese characters are words of their own."""
    return " ".join(CHINESE.sub(r" \g<0> ", fold(place)[0]).split())


def _longer(places: Iterable[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for place in places:
        if " " in place:
            found.setdefault(place.split()[0], []).append(tuple(place.split()))
    return {first: tuple(sorted(some, key=lambda words: (-len(words), words))) for first, some in found.items()}
