"""Words and numbers of the report in the reader's language.

The words are in ``messages/<language>.toml``; code asks for them by key. Numbers are written
with the signs of that language. Nothing here calculates.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from copub.errors import InputError

FOLDER = Path(__file__).parent / "messages"
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Messages:
    """The words of one language, by section and key."""

    words: Mapping[str, Mapping[str, str]]

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
        return self.words[section][name].format(**values)

    def name(self, section: str, key: str | None) -> str:
        """Return the word for a value such as a measure or a tier, or the value itself if it has none."""
        if key is None:
            return self.missing
        return self.words[section].get(key, key)

    @property
    def missing(self) -> str:
        """Return the sign for a value that is not there."""
        return self.words["language"]["missing"]

    def number(self, value: float | None, places: int = 0) -> str:
        """Return a number with `places` decimals and the language's signs."""
        if value is None or value != value:
            return self.missing
        signs = self.words["language"]
        plain = f"{value:,.{places}f}"
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
        sign = "+" if difference > 0 else "−" if difference < 0 else ""
        return sign + self.number(abs(100 * difference), 1)


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
    return Messages(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8")))
