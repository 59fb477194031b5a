"""Countries: ISO 3166-1 codes, with XK (Kosovo) as OpenAlex and ROR use it, and what people write instead.

``countries.csv`` holds, for each country, its two codes, its English names, codes that are in use
elsewhere (``UK``, ``EL``, the codes of sports federations, withdrawn and reserved codes), and its French and
Dutch names: those of the Unicode CLDR, or a shorter or plainer one, each with its article.
``country-groups.csv`` holds names that mean several countries (``EU``, ``Korea``).
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent
_FORM_OF_STATE = re.compile(
    r"^.*?\b(?:republic|kingdom|state|principality|commonwealth|sultanate|union)\s+of\s+", re.IGNORECASE
)
_LONGEST_CODE = 3
_LONGEST = 100
"""Characters of a text that is compared with the names: no name is longer."""


class PlaceName(NamedTuple):
    """The name of a country or of a group of countries in one language, and its article."""

    article: str
    name: str

    @property
    def in_sentence(self) -> str:
        """Return the name with its article: "the Netherlands", "l'Iran"."""
        return f"{self.article}{'' if self.article.endswith(chr(39)) else ' '}{self.name}".strip()


def place_names(row: Mapping[str, str]) -> dict[str, PlaceName]:
    """Return the names in a row of a table, by language: English in `name`, the others in `name_fr` and so on."""
    others = [column.removeprefix("name_") for column in row if column.startswith("name_")]
    translated = {language: PlaceName(row[f"article_{language}"], row[f"name_{language}"]) for language in others}
    return {"en": PlaceName(row["article"], row["name"])} | translated


@dataclass(frozen=True, slots=True)
class Country:
    """A country: its ISO 3166-1 alpha-2 code, all its English names, and the name for each language of reports."""

    code: str
    names: tuple[str, ...]
    in_language: Mapping[str, PlaceName] = field(hash=False)

    @property
    def name(self) -> str:
        """Return the English name."""
        return self.in_language["en"].name

    @property
    def name_in_sentence(self) -> str:
        """Return the English name with its article, such as "the Netherlands"."""
        return self.in_language["en"].in_sentence


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _simplified(text: str) -> str:
    """Return a name without what differs between spellings: case, accents, signs, "the", "&", "St."."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", plain.replace(".", "").replace("&", " and ").replace("_", " ")).split()
    words = ["saint" if word == "st" else word for word in words]
    return " ".join(words[1:] if words[:1] == ["the"] and words[1:] else words)


def _read_countries() -> tuple[dict[str, Country], dict[str, Country]]:
    by_code: dict[str, Country] = {}
    by_spelling: dict[str, Country] = {}
    for row in _rows("countries.csv"):
        names = (row["name"], *filter(None, row["other_names"].split("|")))
        country = Country(row["code"], names, place_names(row))
        by_code[country.code] = country
        cells = (
            row["code"],
            row["alpha3"],
            *names,
            *row["wrong_codes"].split("|"),
        )
        by_spelling |= {_simplified(cell): country for cell in cells if cell}
    return by_code, by_spelling


COUNTRIES: Mapping[str, Country]
"""Every country by its code."""
COUNTRIES, _BY_SPELLING = _read_countries()
COUNTRY_CODES = frozenset(COUNTRIES)
_GROUPS = {
    _simplified(name): tuple(row["codes"].split("|"))
    for row in _rows("country-groups.csv")
    for name in row["names"].split("|")
}


def find_country(text: str) -> Country | None:
    """Return the country that a text names: by code, alpha-3 code, English name or a common wrong code.

    >>> find_country("the Netherlands").code, find_country("UK").code, find_country("Nowhere")
    ('NL', 'GB', None)
    """
    if len(text) > _LONGEST:
        return None
    found = (_BY_SPELLING.get(_simplified(spelling)) for spelling in _spellings(text))
    return next((country for country in found if country), None)


def _spellings(text: str) -> Iterator[str]:
    """Yield a name as written, put in order ("Korea, Republic of"), and without its form of state."""
    yield text
    first, comma, rest = text.partition(",")
    ordered = f"{rest} {first}" if comma else text
    yield ordered
    yield _FORM_OF_STATE.sub("", ordered)


def code_fault(value: object) -> str | None:
    """Return what is wrong with a value as a country code, with the right code where it is known.

    >>> code_fault("UK")
    "'UK' is not an ISO 3166 country code: the United Kingdom is GB"
    """
    text = value if isinstance(value, str) else ""
    if text in COUNTRY_CODES:
        return None
    if country := find_country(text):
        return f"{value!r} is not an ISO 3166 country code: {country.name_in_sentence} is {country.code}"
    return f"{value!r} is not an ISO 3166 country code{_advice(text)}"


def name_fault(text: str) -> str | None:
    """Return what is wrong with a text that should name a country by code or by name; None if it does."""
    return None if find_country(text) else f"{text!r} is not a country{_advice(text)}"


def _advice(text: str) -> str:
    if members := _GROUPS.get(_simplified(text[:_LONGEST])):
        return f"; it can mean several countries, write those that you mean: {', '.join(members)}"
    names = [spelling for spelling in _BY_SPELLING if len(spelling) > _LONGEST_CODE]
    near = difflib.get_close_matches(_simplified(text[:_LONGEST]), names, cutoff=0.75)
    countries = dict.fromkeys(_BY_SPELLING[spelling] for spelling in near)
    if countries:
        return f"; did you mean {' or '.join(f'{country.code} ({country.name})' for country in countries)}?"
    return " (examples: NL, IR, CN, HK)"


def listing(names: list[str], and_: str = "and") -> str:
    """Return names as a list in a sentence: "A", "A and B", "A, B and C"."""
    return f" {and_} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
