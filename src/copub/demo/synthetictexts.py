"""Titles and abstracts of the synthetic works, written from themes.

A theme is a subject with title and sentence patterns and the words that fill them; the files
lie in ``demo/data``. They are written by hand and never from a taxonomy's keywords, so that a
classifier that looks for those keywords is tested and not mirrored.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

DATA = Path(__file__).resolve().parent / "data"
PLAIN_SHARE = 0.65
CORE, OTHER, LOOKALIKE, APPLIED = "core", "other", "lookalike", "applied"

_SLOT = re.compile(r"\{(\w+)\}")
_FOLDS = ("two times", "three times", "four times", "1.5 times", "ten times", "five times")
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Theme:
    """A subject: its areas (empty if not critical), kind, patterns and fillers.

    The plain patterns use the words of the field; the others may go without them.
    """

    id: str
    kind: str
    areas: tuple[str, ...]
    titles: tuple[str, ...]
    body: tuple[str, ...]
    fillers: Mapping[str, tuple[str, ...]]
    language: str = "en"
    plain_titles: tuple[str, ...] = ()
    plain_body: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a work: title, sentences of the abstract, language (ISO 639-1)."""

    title: str
    sentences: tuple[str, ...]
    language: str


@cache
def phrases() -> dict[str, Any]:
    """Return the sentences that fit any theme, the noise, and the themes in other languages."""
    return tomllib.loads((DATA / "phrases.toml").read_text(encoding="utf-8"))


@cache
def themes() -> dict[str, Theme]:
    """Return the English themes by id, in the order of the files."""
    found: dict[str, Theme] = {}
    plain = tomllib.loads((DATA / "plain.toml").read_text(encoding="utf-8"))
    for name in ("critical_1", "critical_2", "critical_3", "other"):
        for entry in tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))["theme"]:
            areas = tuple(entry.get("areas", ()))
            theme = _theme(entry, entry["id"], entry.get("kind", CORE), areas, "en")
            words = plain.get(theme.id, {"titles": (), "body": ()})
            found[theme.id] = replace(theme, plain_titles=tuple(words["titles"]), plain_body=tuple(words["body"]))
    return found


@cache
def foreign() -> dict[str, Theme]:
    """Return the themes in other languages by a key such as ``fr:battery``."""
    found: dict[str, Theme] = {}
    for entry in phrases()["foreign"]:
        lender = themes()[entry["theme"]]
        key = f"{entry['language']}:{lender.id}"
        found[key] = _theme(entry, lender.id, lender.kind, lender.areas, entry["language"])
    return found


def _theme(entry: Mapping[str, Any], id: str, kind: str, areas: tuple[str, ...], language: str) -> Theme:
    fillers = {slot: tuple(entry[slot]) for slot in ("a", "b", "c") if slot in entry}
    return Theme(id, kind, areas, tuple(entry["titles"]), tuple(entry["body"]), fillers, language)


class Writer:
    """Writes texts and remembers the titles it gave, so that none is given twice."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def write(self, theme: Theme, rng: Random, *, passing: bool = False) -> Text:
        """Return a text on `theme`; with `passing` it ends by naming a critical technology as a hope."""
        is_plain = bool(theme.plain_titles) and rng.random() < PLAIN_SHARE
        patterns = theme.plain_titles if is_plain else theme.titles
        for attempt in range(_TRIES):
            words = {slot: rng.choice(options) for slot, options in theme.fillers.items()}
            title = _fill(rng.choice(patterns), words, rng)
            if attempt > 2 or rng.random() < 0.25:
                title = _with_ending(title, theme, rng)
            if title not in self._given:
                break
        title = self._numbered(title)
        self._given.add(title)
        sentences = _sentences(theme, words, rng)
        if is_plain:
            sentences.insert(0, theme.plain_body[0])  # the field first, then what was done
            sentences.insert(rng.randint(2, len(sentences)), rng.choice(theme.plain_body[1:]))
        if passing:
            sentences.append(rng.choice(phrases()["passing"]))
        return Text(title, tuple(sentences), theme.language)

    def _numbered(self, title: str) -> str:
        """Return the title, numbered as in a series of papers if it was given before."""
        numbered, number = title, 1
        while numbered in self._given:
            number += 1
            numbered = f"{title} ({number})"
        return numbered


def _with_ending(title: str, theme: Theme, rng: Random) -> str:
    if ":" in title or "?" in title or theme.language != "en":
        return title
    ending: str = rng.choice(phrases()["endings"])
    return title + ending


def _sentences(theme: Theme, words: Mapping[str, str], rng: Random) -> list[str]:
    fewest = min(3, len(theme.body))
    chosen = sorted(rng.sample(range(len(theme.body)), rng.randint(fewest, len(theme.body))))
    sentences = [_fill(theme.body[position], words, rng) for position in chosen]
    if theme.language == "en":
        for _ in range(rng.randint(0, 2)):
            sentences.insert(rng.randint(1, len(sentences)), rng.choice(phrases()["generic"]))
    return list(dict.fromkeys(sentences))


def _fill(pattern: str, words: Mapping[str, str], rng: Random) -> str:
    def value(match: re.Match[str]) -> str:
        slot = match.group(1)
        if slot == "n":
            return str(rng.randint(3, 48))
        if slot == "pct":
            return f"{rng.randint(4, 38)} %"
        return rng.choice(_FOLDS) if slot == "fold" else words[slot]

    text = _SLOT.sub(value, pattern)
    return text[:1].upper() + text[1:]


def inverted(tokens: list[str]) -> dict[str, list[int]]:
    """Return the inverted index of an abstract: each token with its positions, from 0."""
    index: dict[str, list[int]] = {}
    for position, token in enumerate(tokens):
        index.setdefault(token, []).append(position)
    return index
