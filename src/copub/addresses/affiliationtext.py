"""Normalising affiliation strings, once per distinct string, with a way back to the characters.

A string becomes a `Reading`: its words in canonical form ("Univ." and "universities" are
``university``), joined without spaces, with ``|`` where the string has a comma, a bracket or
another divider. Because spaces vanish, "Jiao Tong", "Jiao-Tong" and "Jiaotong" are one name; the
borders of words are kept, so that a name is still found only as whole words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from copub.addresses.folding import CJK, fold
from copub.addresses.typos import Slips, ends_of
from copub.addresses.vocabulary import vocabulary

DIVIDER = "|"
LINKING = frozenset(("of", "for"))
_LETTER = "a-z\u00df-\u024f\u0370-\u1fff\u2c60-\u2dff\u3040-\u30ff\ua640-\ud7af"
_TOKEN = re.compile(
    rf"[{_LETTER}]+(?:['?\"`][{_LETTER}]+|['`]\s+s(?![{_LETTER}]))*"
    rf"|\d+(?:st|nd|rd|th)(?![{_LETTER}])|\d+|[{CJK}]|[,;/()\[\]{{}}|:<>*]"
)
_APART = re.compile(r"['`]\s+s$")
DIVIDERS = frozenset(",;/()[]{}|:<>*")
_QUOTES = str.maketrans("", "", "'?\"`")
_NOTHING: Mapping[int, tuple[int, int]] = {}
_CUT = "\x00"


class Reading(NamedTuple):
    """A normalised string.

    `text` is what is searched: the `words` joined (dropped words are empty, dividers are ``|``).
    `first` and `last` lead from a word to the raw tokens it was read from (None where each word
    is one token), `inner` holds the cut inside a raw token for words that were glued together.
    """

    text: str
    words: list[str]
    tokens: list[str]
    first: list[int] | None
    last: list[int] | None
    inner: Mapping[int, tuple[int, int]]

    def raw(self, word: int) -> int:
        """Return the position of the raw token with which a word begins."""
        return self.first[word] if self.first is not None else word

    def raw_end(self, word: int) -> int:
        """Return the position of the raw token with which a word ends."""
        return self.last[word] if self.last is not None else word


class Spans(NamedTuple):
    """Start and end of each token in the folded string, and the origin of each folded character (None: its place)."""

    tokens: list[tuple[int, int]]
    origin: list[int] | None

    def of(self, reading: Reading, first: int, last: int) -> tuple[int, int]:
        """Return start and end in the string of the words `first` to `last` of its reading."""
        start = self.tokens[reading.raw(first)][0]
        end = self.tokens[reading.raw_end(last)][1]
        if first in reading.inner:
            start += reading.inner[first][0]
        if last in reading.inner:
            end = self.tokens[reading.raw(last)][0] + reading.inner[last][1]
        if self.origin is None:
            return start, end
        return self.origin[start], max(self.origin[end], self.origin[end - 1] + 1)


class _Canon(dict[str, str]):
    """Leads from a raw token to its canonical word; learns tokens as they come."""

    def __init__(self, reader: Reader) -> None:
        super().__init__({**dict.fromkeys(reader.dropped, ""), **dict.fromkeys(DIVIDERS, DIVIDER)})
        self._reader = reader

    def __missing__(self, token: str) -> str:
        self[token] = self._reader.canonical(token)
        return self[token]


class Reader:
    """Reads strings with the shipped vocabulary and the proper words of the names in use.

    Parameters
    ----------
    proper : words of the names that are searched for ("tsinghua", "jiaotong"); long ones are
        recognised in spite of one slip of the pen, unless the slip is itself a known word.
        None: nothing is corrected.
    """

    def __init__(self, proper: Iterable[str] | None = None) -> None:
        self._vocabulary = vocabulary()
        self.dropped = self._vocabulary.dropped
        self._known = {*self._vocabulary.words, *self._vocabulary.glue, *(proper or ())}
        self._slips = Slips({}, {}) if proper is None else self._vocabulary.slips(self._known)
        self._tails = ends_of(self._known)
        self._canon = _Canon(self)
        self._phrases = self._vocabulary.phrases
        self._unusual = frozenset(self._phrases)

    def read(self, text: str) -> Reading:
        """Normalise `text`."""
        raw = tokens = _TOKEN.findall(fold(text)[0])
        merged = None
        if not self._tails.isdisjoint(tokens):
            tokens, merged = self._rejoin(tokens)
        words = list(map(self._canon.__getitem__, tokens))
        joined = "".join(words)
        if merged or "||" in joined or _CUT in joined or not self._unusual.isdisjoint(words):
            return self._assemble(tokens, words, merged)._replace(tokens=raw)
        return Reading(joined, words, tokens, None, None, _NOTHING)

    def spans(self, text: str) -> Spans:
        """Return where the tokens of `text` are in it."""
        folded, origin = fold(text)
        return Spans([match.span() for match in _TOKEN.finditer(folded)], origin)

    def span(self, text: str, reading: Reading, first: int, last: int) -> tuple[int, int]:
        """Return start and end in `text` of the words `first` to `last` of its reading."""
        return self.spans(text).of(reading, first, last)

    def canonical(self, token: str) -> str:
        """Return the canonical form of one raw token; glued words are parted by a NUL."""
        plain = token[:-2] if token.endswith(("'s", "?s", '"s', "`s")) else _APART.sub("", token)
        plain = plain.translate(_QUOTES)
        if plain[0].isdigit():
            return plain.rstrip("stndrh").lstrip("0") or "0"
        if self._is_word(plain):
            return self._corrected(plain)
        if token in self._slips.doubtful:
            return self._slips.doubtful[token]
        return self._slips.near(plain) or (self._unglue(plain) if plain == token else plain)

    def is_doubtful(self, token: str) -> bool:
        """Tell whether a raw token is read as a name from which it differs, though it may be another name."""
        return token in self._slips.doubtful and not self._is_word(token)

    def _assemble(self, tokens: list[str], words: list[str], merged: list[tuple[int, int]] | None) -> Reading:
        """Build a reading where words are not one to one with tokens."""
        kept: list[str] = []
        first: list[int] = []
        last: list[int] = []
        inner: dict[int, tuple[int, int]] = {}
        for index, word in enumerate(words):
            if not word or (word == DIVIDER and (not kept or kept[-1] == DIVIDER)):
                continue
            cut = 0
            for piece in word.split(_CUT):
                begin, cut = cut, cut + len(piece)
                if _CUT in word:
                    piece = "" if piece in self.dropped else self._corrected(piece)
                if piece:
                    if _CUT in word:
                        inner[len(kept)] = (begin, cut)
                    kept.append(piece)
                    first.append(index)
                    last.append(index)
            if kept and kept[-1] in self._phrases:
                self._shorten(kept, first, last)
        if merged is not None:
            first = [merged[index][0] for index in first]
            last = [merged[index][1] for index in last]
        return Reading("".join(kept), kept, tokens, first, last, inner)

    def _shorten(self, words: list[str], first: list[int], last: list[int]) -> None:
        """Replace a phrase at the end of the lists by its one canonical word."""
        for phrase, word in self._phrases[words[-1]]:
            size = len(phrase)
            if tuple(words[-size:]) == phrase:
                words[-size:] = [word]
                first[-size:] = [first[-size]]
                last[-size:] = [last[-1]]
                return

    def _rejoin(self, tokens: list[str]) -> tuple[list[str], list[tuple[int, int]] | None]:
        """Rejoin words that a stray space cut in two ("Univer sity"); None if there are none."""
        ends = [index for index, token in enumerate(tokens) if index and token in self._tails]
        if not any(self._is_word(tokens[index - 1] + tokens[index]) for index in ends):
            return tokens, None
        joined: list[str] = []
        ranges: list[tuple[int, int]] = []
        for index, token in enumerate(tokens):
            if token in self._tails and joined and self._is_word(joined[-1] + token):
                joined[-1] += token
                ranges[-1] = (ranges[-1][0], index)
            else:
                joined.append(token)
                ranges.append((index, index))
        return joined, ranges if len(joined) < len(tokens) else None

    def _is_word(self, token: str) -> bool:
        return token in self._known or token in self._slips.sure

    def _corrected(self, token: str) -> str:
        return self._vocabulary.words.get(token) or self._slips.sure.get(token) or token

    def _unglue(self, token: str) -> str:
        """Part a token such as "engineeringnanjing" where a common word ends or begins."""
        if not token.startswith(self._vocabulary.glue) and not token.endswith(self._vocabulary.glue):
            return token
        for glue in self._vocabulary.glue:
            rest = token.removeprefix(glue)
            if rest != token and len(rest) > 2 and self._is_word(rest):
                return glue + _CUT + rest
            rest = token.removesuffix(glue)
            if rest != token and len(rest) > 2 and self._is_word(rest):
                return rest + _CUT + glue
        return token
