"""From the text of a record to plain text: entities, tags, odd spaces, inverted abstracts."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

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
SHORT_ABSTRACT = 10
"""Abstracts under this many words are boilerplate such as "peer reviewed" more often than not."""

LONGEST_TITLE, LONGEST_ABSTRACT, LONGEST_AFFILIATION = 20_000, 100_000, 100_000
"""Characters that are read of a text as it stands in a record; longer ones are accidents, and are named in coverage."""


def plain_text(text: str | None) -> str:
    """Return `text` without entities, tags, control characters and repeated spaces.

    Inline tags (``<sub>``, ``<i>``) vanish, so that "CO<sub>2</sub>" reads "CO2"; all others
    leave a space. Text that merely contains "<" or ">" is kept. The result is NFC.
    """
    if not text:
        return ""
    for _ in range(2):  # doubly escaped entities occur in the records
        if "&" not in text:
            break
        text = html.unescape(text)
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
    """Return `plain_text` of a name that stands in many records: of an institution, a journal, a funder."""
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
    return plain_text(text[:LONGEST_TITLE]) if text else ""


def plain_abstract(text: str | None) -> str:
    """Return an abstract as plain text; a leading "Abstract" is dropped."""
    return _HEADING.sub("", plain_text(text[:LONGEST_ABSTRACT]), count=1) if text else ""


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
    """Return the abstract behind an index given as plain values, in whatever shape (`printed_abstract`)."""
    if isinstance(value, str):
        try:
            return printed_index(msgspec.json.decode(value)) if value.lstrip()[:1] in ("{", "[") else value
        except msgspec.DecodeError:
            return str(value)
    if isinstance(value, dict) and isinstance(value.get("InvertedIndex"), dict):
        value = value["InvertedIndex"]
    if isinstance(value, list):  # a MAP column of DuckDB or Arrow: pairs, or objects of key and value
        pairs = (tuple(one.values() if isinstance(one, dict) else one) for one in value if isinstance(one, dict | list))
        value = {pair[0]: pair[1] for pair in pairs if len(pair) == _PAIR and isinstance(pair[0], str)}
    return " ".join(_sorted_by_place(value)) if isinstance(value, dict) else ""


def _in_place(index: dict[str, list[int]]) -> list[str]:
    """Return the words of an index whose places are 0, 1, 2 and so on, each once; else raise `IndexError`."""
    words = [""] * sum(map(len, index.values()))
    for word, places in index.items():
        for place in places:
            words[place] = word
    if not all(words) or min(chain.from_iterable(index.values()), default=0) < 0:
        raise IndexError
    return words


def _sorted_by_place(index: dict[str, Any]) -> list[str]:
    placed = [
        (number, word)
        for word, places in index.items()
        if isinstance(places, list)
        for place in places
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
    # Joiners, marks of direction and the byte order mark stand inside words; others between them.
    return "" if unicodedata.category(character) == "Cf" else " "
