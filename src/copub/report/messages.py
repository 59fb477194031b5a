"""Words and numbers of the report in the reader's language.

The words are in ``messages/<language>.toml``; code asks for them by key. What stages write into tables
(settings, steps, verdicts) is English there; ``messages/values.csv`` has it in the other languages.
Numbers and dates are written as that language writes them. Nothing here calculates.

A text has two forms where its count can be one: ``{count} {count:work|works}``. Which counts take the first form,
the language says (``one``: in English 1, in French 0, 1 and 1,5).
"""

from __future__ import annotations

import csv
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from copub.errors import InputError

FOLDER = Path(__file__).parent / "messages"
DEFAULT = "en"
_PARTED_BY = ("; ", ": ", ", ", "+")
_FIELD = re.compile(r"\{(\w+)(?::([^{}|]*)\|([^{}|]*))?\}")  # a placeholder, with two forms or without
_NUMBERS = ("n", "year", "first", "last")
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?(?:T.*)?")


class _Filling(string.Formatter):
    """Fills the placeholders of a text.

    Of two forms (``{count:work|works}``) it takes the first if the count is one in this language, and of a name
    (``{b:alone}``) the form without an article.
    """

    def __init__(self, one: str) -> None:
        self._one = re.compile(one)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "alone":
            return str(getattr(value, "alone", value))
        first, parted, second = format_spec.partition("|")
        if not parted:
            return str(super().format_field(value, format_spec))
        return first if self._one.fullmatch(str(value)) else second


@lru_cache
def _filling(one: str) -> _Filling:
    return _Filling(one)


class SideName(str):
    """The name of a side as a sentence has it, "the Netherlands"; `alone` is the name without its article."""

    alone: str

    def __new__(cls, in_sentence: str, alone: str = "") -> SideName:
        """Return the name; one that is given once is the same in both places."""
        name = super().__new__(cls, in_sentence)
        name.alone = alone or in_sentence
        return name


@dataclass(frozen=True, slots=True)
class Messages:
    """The words of one language by section and key, and what stages write into tables by its English text."""

    words: Mapping[str, Mapping[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    @property
    def code(self) -> str:
        """Return the ISO 639-1 code of the language."""
        return self.words["language"]["code"]

    @property
    def locale(self) -> dict[str, Any]:
        """Return the number format of chart axes (d3-format), with the signs of the text."""
        signs = self.words["language"]
        return {
            "decimal": signs["decimal"],
            "thousands": signs["group"],
            "grouping": [3],
            "currency": ["", ""],
            "percent": self.say("language.percent", value=""),
            "minus": "−",
        }

    def say(self, key: str, **values: object) -> str:
        """Return the text of ``section.key`` with its placeholders filled."""
        section, _, name = key.partition(".")
        return self._fill(self.words[section][name], values)

    def _fill(self, text: str, values: Mapping[str, object]) -> str:
        return _filling(self.words["language"]["one"]).vformat(text, (), values)

    def name(self, section: str, key: str | None) -> str:
        """Return the word for a value such as a measure or a tier, or the value itself if it has none."""
        if key is None:
            return self.missing
        return self.words[section].get(key, key)

    def value(self, text: str) -> str:
        """Return a text that a stage wrote into a table: whole, by its pattern, or part by part.

        What has no translation, such as a name, stays as it is.
        """
        if not self.values or text in self.values:
            return self.values.get(text, text)
        for pattern, translated in self.patterns:
            if found := pattern.fullmatch(text):
                return self._fill(translated, {key: self._filled(key, part) for key, part in found.groupdict().items()})
        for sign in _PARTED_BY:
            if sign in text:
                return self.values.get(sign, sign).join(map(self.value, text.split(sign)))
        return text

    def _filled(self, key: str, text: str) -> str:
        if key not in _NUMBERS:
            return text if key == "text" else self.value(text)
        return self.number(int(text.replace(",", ""))) if key == "n" else text

    def date(self, text: str) -> str:
        """Return a date or month of ISO 8601 in words; anything else as it is."""
        found = _DATE.fullmatch(text)
        if not found or not 1 <= int(found[2]) <= len(self.words["language"]["months"].split()):
            return text
        year, month, day = found[1], self.words["language"]["months"].split()[int(found[2]) - 1], found[3]
        if day is None:
            return self.say("language.month", month=month, year=year)
        first = self.words["language"]["first_day"] if day == "01" else str(int(day))
        return self.say("language.date", day=first, month=month, year=year)

    @property
    def missing(self) -> str:
        """Return the sign for a value that is not there."""
        return self.words["language"]["missing"]

    def number(self, value: float | None, places: int = 0) -> str:
        """Return a number with `places` decimals and the language's signs."""
        if value is None or value != value:
            return self.missing
        signs = self.words["language"]
        plain = f"{value:z,.{places}f}"  # never -0.0
        return plain.translate({ord(","): signs["group"], ord("."): signs["decimal"], ord("-"): "−"})

    def count(self, value: float | None) -> str:
        """Return a count: whole if it is whole, else (fractional counting) with one decimal."""
        if value is None:
            return self.missing
        return self.number(value, 0 if float(value).is_integer() else 1)

    def percent(self, share: float | None, places: int = 1) -> str:
        """Return a share of 1 as per cent."""
        if share is None or share != share:
            return self.missing
        return self.say("language.percent", value=self.number(100 * share, places))

    def points(self, difference: float | None) -> str:
        """Return a difference of shares in percentage points, with its sign."""
        if difference is None:
            return self.missing
        points = round(100 * difference, 1)
        sign = "+" if points > 0 else "−" if points < 0 else ""
        return sign + self.number(abs(points), 1)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that have a messages file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@lru_cache
def load_messages(language: str = DEFAULT) -> Messages:
    """Load the words of a language. Raises `InputError` if there is no such file."""
    if language not in languages():
        raise InputError(
            f"there are no words for the language {language!r}", hint=f"known languages: {', '.join(languages())}"
        )
    words = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    values = {} if language == DEFAULT else {row[DEFAULT]: row[language] for row in translations()}
    patterns = tuple((_pattern(text), translated) for text, translated in values.items() if "{" in text)
    return Messages(words, values, patterns)


def translations() -> Iterator[dict[str, str]]:
    """Yield what stages write into tables, by language."""
    with (FOLDER / "values.csv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a text with placeholders; some of them hold numbers only."""
    parts, end = [], 0
    for found in _FIELD.finditer(text):
        name, first, second = found.groups()
        field = f"(?P<{name}>{r'[0-9,]+' if name in _NUMBERS else '.+'})"
        forms = f"(?:{re.escape(first)}|{re.escape(second)})" if first is not None else field
        parts += [re.escape(text[end : found.start()]), forms]
        end = found.end()
    return re.compile("".join([*parts, re.escape(text[end:])]), re.DOTALL)
