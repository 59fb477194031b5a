"""From the text of a record to plain text: entities, tags, odd spaces, inverted abstracts."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

from copub.corpus.formulas import joined_formulas, plain_formulas

# A tag starts with a letter right after "<"; "p < 0.05" and "a<b" in prose have none that closes.
_INLINE = re.compile(
    r"</?(?:jats:)?(?:i|b|em|strong|sub|sup|sc|u|tt|italic|bold|span|inf|mml:[a-z]+)(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9:_-]{0,40}(?:\s[^<>]{0,300})?/?>")
_PLACEHOLDER = re.compile(r"#(?:TAB|N|R|BR)#")
_HEADING = re.compile(r"^\s*(?:abstract|summary)\b\s*[:.\-–—]?\s*", re.IGNORECASE)
_NULL = msgspec.Raw(b"null")
_decode_index = msgspec.json.Decoder(dict[str, list[int]]).decode
_PLACE = itemgetter(0)
_STRINGS_KEPT = 1 << 16

_PAIR = 2
_COLUMNS = frozenset(("word", "words", "token", "term", "key", "name"))
"""Names of the column of words where an index is written as two columns."""
SHORT_ABSTRACT = 10
"""Abstracts under this many words are boilerplate such as "peer reviewed" more often than not."""

LONGEST_TITLE, LONGEST_ABSTRACT, LONGEST_AFFILIATION = 20_000, 100_000, 100_000
"""Characters that are read of a text as it is in a record; longer ones are accidents, and are named in coverage."""


def plain_text(text: str | None) -> str:
    """Return `text` without entities, tags, control characters and repeated spaces.

    Inline tags (``<sub>``, ``<i>``) vanish, so that "CO<sub>2</sub>" reads "CO2"; all others
    leave a space. Formulas become words (`plain_formulas`). Text that merely contains "<" or ">"
    is kept. The result is NFC.
    """
    if not text:
        return ""
    for _ in range(2):  # doubly escaped entities occur in the records
        if "&" not in text:
            break
        text = html.unescape(text)
    text = plain_formulas(text)
    if "<" in text:
        text = _TAG.sub(" ", _INLINE.sub("", text))
    if not text.isprintable():
        text = " ".join(text.split())
        if not text.isprintable():
            text = "".join(c if c.isprintable() else _replacement(c) for c in text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":  # the only white space that is printable
        text = " ".join(text.split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=_STRINGS_KEPT)
def plain_name(text: str | None) -> str:
    """Return `plain_text` of a name that is in many records: of an institution, a journal, a funder."""
    return plain_text(text)


@lru_cache(maxsize=_STRINGS_KEPT)
def plain_affiliation(text: str | None) -> str:
    """Return a raw affiliation string as plain text; placeholders such as "#TAB#" become spaces."""
    if not text:
        return ""
    text = text[:LONGEST_AFFILIATION]
    return plain_text(_PLACEHOLDER.sub(" ", text) if "#" in text else text)


def plain_title(text: str | None) -> str:
    """Return a title as plain text."""
    return joined_formulas(plain_text(text[:LONGEST_TITLE])) if text else ""


def plain_abstract(text: str | None) -> str:
    """Return an abstract as plain text; a leading "Abstract" is dropped."""
    return joined_formulas(_HEADING.sub("", plain_text(text[:LONGEST_ABSTRACT]), count=1)) if text else ""


def printed_abstract(index: msgspec.Raw) -> str:
    """Return the abstract behind ``abstract_inverted_index``; "" if there is none.

    Parameters
    ----------
    index : JSON text of an object of word to positions, or (in some snapshot files) of a string
        that holds one, possibly under ``InvertedIndex``. Gaps in the positions are closed.
    """
    if index == _NULL:
        return ""
    try:
        return " ".join(_in_place(_decode_index(index)))
    except (msgspec.DecodeError, IndexError, RecursionError):
        return printed_index(msgspec.json.decode(index))


def printed_index(value: Any) -> str:
    """Return the abstract behind an index given as plain values, in whatever shape (`printed_abstract`).

    Shapes that occur: an object of word to positions (or to one position); the same as JSON text, or under
    ``InvertedIndex``; pairs, or objects of key and value, as DuckDB and Arrow write maps; two columns of words and
    positions, as R writes data frames; the words in their order; plain text.
    """
    if isinstance(value, str):
        try:
            return printed_index(msgspec.json.decode(value)) if value.lstrip()[:1] in ("{", "[", '"') else value
        except msgspec.DecodeError:
            return str(value)
    if isinstance(value, dict):
        inner = value.get("InvertedIndex", value.get("inverted_index"))
        if isinstance(inner, dict | list | str):
            return printed_index(inner)
        if not _COLUMNS.isdisjoint(value) and (pairs := _columns(*value.values())):
            return " ".join(_sorted_by_place(pairs))
        return " ".join(_sorted_by_place(value.items()))
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return " ".join(value)
        return " ".join(_sorted_by_place(pair for one in value for pair in _pairs(one)))
    return ""


def _columns(*columns: Any) -> list[tuple[Any, Any]]:
    """Return pairs of word and position from two columns of one length; none if they are no such columns."""
    if len(columns) != _PAIR or not all(isinstance(column, list) for column in columns):
        return []
    words, places = sorted(columns, key=lambda column: not all(isinstance(item, str) for item in column))
    is_index = len(words) == len(places) and all(isinstance(word, str) for word in words)
    return list(zip(words, places, strict=True)) if is_index else []


def _pairs(one: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of word and positions in an item of a list: a pair, an object of two values, or of words."""
    if isinstance(one, dict):
        values = list(one.values())
        is_pair = len(values) == _PAIR and sum(isinstance(value, str) for value in values) == 1
        if not is_pair:
            return list(one.items())
        one = values
    if not isinstance(one, list) or len(one) != _PAIR:
        return []
    first, second = one
    return [(first, second)] if isinstance(first, str) else [(second, first)]


def _in_place(index: dict[str, list[int]]) -> list[str]:
    """Return the words of an index whose places are 0, 1, 2 and so on, each once; else raise `IndexError`."""
    words = [""] * sum(map(len, index.values()))
    for word, places in index.items():
        for place in places:
            words[place] = word
    if not all(words) or min(chain.from_iterable(index.values()), default=0) < 0:
        raise IndexError
    return words


def _sorted_by_place(pairs: Iterable[tuple[Any, Any]]) -> list[str]:
    placed = [
        (number, word)
        for word, places in pairs
        if isinstance(word, str)
        for place in (places if isinstance(places, list) else [places])
        if (number := _number(place)) is not None
    ]
    placed.sort(key=_PLACE)
    return [word for _, word in placed]


def _number(place: Any) -> float | None:
    """Return a position as a number, also if a spreadsheet or R wrote it as text; None if it is none."""
    try:
        return None if isinstance(place, bool) else float(place)
    except (TypeError, ValueError, OverflowError):
        return None


def abstract_status(abstract: str) -> str:
    """Return "full", "short" (under `SHORT_ABSTRACT` words) or "none".

    Text without spaces between words (Chinese, Japanese) is classified by its characters.
    """
    if not abstract:
        return "none"
    if abstract.count(" ") + 1 >= SHORT_ABSTRACT:
        return "full"
    wide = sum(1 for c in abstract[:400] if "\u3040" <= c <= "\u9fff")
    return "full" if wide >= 2 * SHORT_ABSTRACT else "short"


def _replacement(character: str) -> str:
    # Joiners, marks of direction and the byte order mark are inside words; others between them.
    return "" if unicodedata.category(character) == "Cf" else " "
