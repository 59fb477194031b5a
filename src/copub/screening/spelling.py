"""The spellings of a name: equal phrases, and Russian names in Latin letters by the usual schemes.

``taxonomies/watchlists/registry/equivalents.csv`` holds the phrases that are equivalent
("RAS", "Russian Academy of Sciences"). The schemes are the columns of
``transliterations.csv``: BGN/PCGN, its plain form (``-skiy`` as ``-sky``), ALA-LC (as in passports),
ISO 9 without its accents (the scholarly form) and GOST 7.79 system B. Accents and soft signs vanish
when a string is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from copub.errors import Fault, FileError
from copub.lists.csvfile import CsvRow, read_rows
from copub.shipped import shipped_folder

_CYRILLIC = re.compile("[а-яё]")
_SCHEMES = ("bgn", "plain", "ala", "iso9", "gost")


def spellings(name: str) -> tuple[str, ...]:
    """Return a name in all its spellings, itself first, each once."""
    equal = _equal(name)
    return tuple(dict.fromkeys((*equal, *(latin for one in equal for latin in romanised(one)))))


def romanised(name: str) -> tuple[str, ...]:
    """Return a name with Cyrillic letters in Latin ones, once per distinct result; none for another name."""
    lower = name.lower()
    if not _CYRILLIC.search(lower):
        return ()
    return tuple(dict.fromkeys(_in_latin(lower, *scheme) for scheme in _schemes()))


def _in_latin(text: str, pattern: re.Pattern[str], endings: Mapping[str, str], letters: Mapping[int, str]) -> str:
    return pattern.sub(lambda match: endings[match.group()], text).translate(letters)


def _equal(name: str) -> Iterable[str]:
    """Return a name with each of its phrases in every form; some also with a comma before them."""
    found = [name]
    for pattern, forms, separators in _equivalents():
        if pattern.search(name):
            found = [
                pattern.sub(separator + form, one).lstrip(" ,")
                for one in found
                for separator in separators
                for form in forms
            ]
    return (name, *found)


@lru_cache(maxsize=1)
def _equivalents() -> tuple[tuple[re.Pattern[str], tuple[str, ...], tuple[str, ...]], ...]:
    columns = {"forms": "phrases that are equal", "after_comma": "yes | no: a comma may be before them"}
    rows = _read("equivalents.csv", columns)
    return tuple(
        (
            re.compile(rf"(?:^|,? (?:of (?:the )?)?)(?:{'|'.join(row.many('forms'))})\b", re.IGNORECASE),
            row.many("forms"),
            (" ", ", ") if row["after_comma"] == "yes" else (" ",),
        )
        for row in rows
    )


@lru_cache(maxsize=1)
def _schemes() -> tuple[tuple[re.Pattern[str], Mapping[str, str], Mapping[int, str]], ...]:
    """Return for each scheme what finds endings, how they are written, and how letters are."""
    columns = {"letter": "Cyrillic letter, or an ending", **dict.fromkeys(_SCHEMES, "Latin letters")}
    rows = _read("transliterations.csv", columns)
    endings, letters = ([row for row in rows if (len(row["letter"]) > 1) == is_ending] for is_ending in (True, False))
    pattern = re.compile("|".join(rf"{row['letter']}\b" for row in endings))
    return tuple(
        (pattern, {row["letter"]: row[scheme] for row in endings}, {ord(row["letter"]): row[scheme] for row in letters})
        for scheme in _SCHEMES
    )


def _read(file: str, columns: Mapping[str, str]) -> list[CsvRow]:
    path = shipped_folder("taxonomies/watchlists") / "registry" / file
    faults: list[Fault] = []
    rows = read_rows(path, columns, tuple(columns), faults, kind="table of spellings")
    if faults:
        raise FileError(faults, kind="table of spellings")
    return rows
