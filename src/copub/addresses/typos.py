"""Slips of the pen and of the scanner in long words, and words that a stray space cut in two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LENGTH = 7
"""Words of this many letters and more are read in spite of one slip."""

_SHORTEST_END = 3
_HOLE = "*"
_HEAD = 4


@dataclass(frozen=True, slots=True)
class Slips:
    """How misspelled words are read.

    `sure` leads from a known word with one letter dropped, doubled or exchanged with the next to
    its canonical form. `doubtful` does the same for slips of names of which what is there may be
    another name: it can be read as Chinese in Latin letters, or lacks the first letter. `holes` leads
    from a word with one letter replaced by ``*`` to the word that fits it ("" if several do); with it
    `near` reads words with one wrong or one surplus letter. `heads` are the first `_HEAD` letters of
    the known words, `tails` what is left without these or one fewer: one slip leaves a head or a tail
    whole.
    """

    sure: Mapping[str, str]
    holes: Mapping[str, str]
    doubtful: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    syllables: re.Pattern[str] = re.compile("")
    heads: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()

    def near(self, token: str) -> str:
        """Return the canonical form of the one known word that a wrong or surplus letter leads to; else "".

        What can be read as Chinese in Latin letters is left alone: it may be another name.
        """
        if len(token) < LENGTH or self.syllables.fullmatch(token):
            return ""
        first = 1 if token[_HEAD:] in self.tails else _HEAD
        last = len(token) if token[:_HEAD] in self.heads else _HEAD
        found = set()
        for i in range(first, last):
            before, after = token[:i], token[i + 1 :]
            found |= {self.words.get(before + after), self.holes.get(before + _HOLE + after)}
        found.discard(None)
        return str(found.pop()) if len(found) == 1 else ""


def slips_of(correct: set[str], canonical: Mapping[str, str], syllables: re.Pattern[str]) -> Slips:
    """Return how slips of the long words of `correct` are read, each as its canonical form.

    A misspelling that is itself in `correct` is left out.
    """
    long = sorted((word for word in correct if _is_long(word)), key=lambda w: (len(w), w))
    sure: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    holes: dict[str, str] = {}
    for word in long:
        meaning = canonical.get(word, word)
        for slip in _slips(word) - correct:
            is_doubtful = word not in canonical and (slip == word[1:] or syllables.fullmatch(slip))
            (doubtful if is_doubtful else sure)[slip] = meaning
        for i in range(1, len(word)):
            hole = word[:i] + _HOLE + word[i + 1 :]
            if holes.setdefault(hole, meaning) != meaning:
                holes[hole] = ""
    heads = frozenset(word[:_HEAD] for word in long)
    tails = frozenset(word[start:] for word in long for start in (_HEAD - 1, _HEAD))
    words = {word: canonical.get(word, word) for word in long}
    return Slips(sure, holes, doubtful, words, syllables, heads, tails)


def ends_of(known: Iterable[str]) -> frozenset[str]:
    """Return the ends of long words that are no words themselves: they are alone only after a stray space."""
    words = set(known)
    long = [word for word in words if _is_long(word)]
    return frozenset(word[i:] for word in long for i in range(1, len(word) - _SHORTEST_END + 1)) - words


def _is_long(word: str) -> bool:
    return len(word) >= LENGTH and word.isascii() and word.isalpha()


def _slips(word: str) -> set[str]:
    places = range(len(word))
    dropped = {word[:i] + word[i + 1 :] for i in places}
    doubled = {word[:i] + word[i] + word[i:] for i in places}
    exchanged = {word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :] for i in places if i}
    return (dropped | doubled | exchanged) - {word}
