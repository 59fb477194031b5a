"""From the text of a record to plain text: entities, tags, odd spaces, inverted abstracts."""

from __future__ import annotations

import ast
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any

import msgspec

from copub.corpus.formulas import joined_formulas, plain_formulas
from copub.sources.rawrecord import is_deep

# A tag starts with a letter right after "<"; "p < 0.05" and "a<b" in prose have none that closes.
_INLINE = re.compile(
    r"</?(?:mml:[a-z]+|(?:[a-z]+:)?(?:i|b|em|strong|sub|sup|scp?|u|tt|italics?|bold|span|inf|subscript|superscript|"
    r"emphasis|roman|monospace|smallcaps|underline|font))(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9:_-]{0,40}(?:\s[^<>]{0,300})?/?>")
_CLEAN = re.compile(r"(?:[A-Za-z.,'-]+ )*[A-Za-z.,'-]+")
"""Words that are plain as they are."""
_PLACEHOLDER = re.compile(r"#(?:TAB|N|R|BR)#")
_HEADING = re.compile(r"^\s*(?:abstract|summary)\b\s*[:.\-–—]?\s*", re.IGNORECASE)
_NULL = msgspec.Raw(b"null")
_decode_index = msgspec.json.Decoder(dict[str, list[Annotated[int, msgspec.Meta(ge=0)]]]).decode
_PLACE, _WORD = itemgetter(0), itemgetter(1)
_STRINGS_KEPT = 1 << 16

_PAIR = 2
_WORDS = frozenset(("word", "words", "token", "tokens", "term", "terms", "key", "keys", "name", "names"))
_PLACES = frozenset(("position", "positions", "pos", "place", "places", "value", "values", "index", "indices"))
"""Names of words and of their positions where an index is written as columns, or as an object per word."""
_SOME_NUMBERS = re.compile(r"[\s\d.,;|()\[\]eE+-]{1,100000}")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?:[eE]\+?\d{1,2})?")
_FARTHEST = 1e18
_LONGEST_LITERAL = 300_000
MISSING = ("", "NA", "NaN", "nan", "null", "None")
"""Texts that programs write for a missing value."""
SHORT_ABSTRACT = 10
"""Abstracts under this many words are boilerplate such as "peer reviewed" more often than not."""

LONGEST_TITLE, LONGEST_ABSTRACT, LONGEST_AFFILIATION, LONGEST_DOI, LONGEST_NAME = 20_000, 100_000, 100_000, 2_000, 300
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


def plain_label(text: str | None) -> str:
    """Return a name, or another text of some words, as plain text."""
    if text and len(text) <= LONGEST_NAME and _CLEAN.fullmatch(text):
        return text  # as most names are
    return plain_text(text[:LONGEST_NAME])[:LONGEST_NAME] if text else ""


@lru_cache(maxsize=_STRINGS_KEPT)
def plain_name(text: str | None) -> str:
    """Return `plain_label` of a name that is in many records: of an institution, a journal, a funder."""
    return plain_label(text)


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
    """Return an abstract as plain text; a leading "Abstract" is dropped, and "NA" is none."""
    if not text or text in MISSING:
        return ""
    return joined_formulas(_HEADING.sub("", plain_text(text[:LONGEST_ABSTRACT]), count=1))


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
        placed = _decode_index(index)
    except (msgspec.DecodeError, RecursionError):
        return printed_index(msgspec.json.decode(index))
    try:
        return " ".join(_in_place(placed))
    except IndexError:  # places that are left out, or given twice
        return " ".join(map(_WORD, sorted(((place, word) for word in placed for place in placed[word]), key=_PLACE)))


def printed_index(value: Any) -> str:
    """Return the abstract behind an index given as plain values, in whatever shape (`printed_abstract`); else "".

    Shapes that occur: an object of word to positions (or to one position, or to positions as text), or of position
    to word; the same as JSON text or as Python prints it, or under ``InvertedIndex``; pairs, or objects of key and
    value, as DuckDB and Arrow write maps; columns of words and positions, as R writes data frames; the words in their
    order; plain text.
    """
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, dict):
        inner = value.get("InvertedIndex", value.get("inverted_index"))
        if isinstance(inner, dict | list | str):
            return printed_index(inner)
        return " ".join(_sorted_by_place(_columns(value) or _entries(value)))
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return " ".join(value)
        return " ".join(_sorted_by_place(pair for one in value for pair in _pairs(one)))
    return ""


def _of_text(text: str) -> str:
    """Return the abstract in a text: JSON, what Python prints of an index, or the abstract itself."""
    start = text.lstrip()[:2]
    if start[:1] in ("{", "[", '"') and not is_deep(text.encode()):
        try:
            return printed_index(msgspec.json.decode(text))
        except (msgspec.DecodeError, RecursionError):
            pass  # it may be what Python prints of an index, or an abstract that begins so
    if start in ("{'", '{"', "['", "[[", "[(", "[{"):
        return printed_index(_literal(text))
    return "" if text.strip() in MISSING else text


def _literal(text: str) -> Any:
    """Return what Python prints of plain values; None if it is something else."""
    try:
        return ast.literal_eval(text) if len(text) <= _LONGEST_LITERAL else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _columns(value: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of word and position from columns of one length; none if an object holds no such columns."""
    words = next((value[key] for key in value if key.lower() in _WORDS and _is_texts(value[key])), None)
    if words is None:
        return []
    others = [key for key in value if isinstance(value[key], list) and value[key] is not words]
    key = min(others, key=lambda key: key.lower() not in _PLACES, default=None)
    return list(zip(words, value[key], strict=True)) if key is not None and len(value[key]) == len(words) else []


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _entries(value: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of word and positions from an object of either to the other."""
    if value and all(key.isdecimal() and isinstance(word, str) for key, word in value.items()):
        return [(word, place) for place, word in value.items()]
    return list(value.items())


def _pairs(one: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of word and positions in an item of a list: a pair, an object of two values, or of words."""
    if isinstance(one, dict):
        named = next((key for key in one if key.lower() in _WORDS and isinstance(one[key], str)), None)
        values = list(one.values())
        if named is None and not (len(values) == _PAIR and sum(isinstance(value, str) for value in values) == 1):
            return list(one.items())
        if named is not None:
            rest = [key for key in one if key != named]
            values = [one[named], *(one[key] for key in sorted(rest, key=lambda key: key.lower() not in _PLACES)[:1])]
        one = values
    if not isinstance(one, list | tuple) or len(one) < _PAIR:
        return []
    at = next((number for number, value in enumerate(one) if isinstance(value, str)), 0)
    rest = [*one[:at], *one[at + 1 :]]
    return [(one[at], rest[0] if len(rest) == 1 else rest)]


def _in_place(index: dict[str, list[int]]) -> list[str]:
    """Return the words of an index whose places are 0, 1, 2 and so on, each once; else raise `IndexError`."""
    words = [""] * sum(map(len, index.values()))
    for word, places in index.items():
        if len(places) == 1:  # most words; a loop within the loop would take twice as long
            words[places[0]] = word
        else:
            for place in places:
                words[place] = word
    if not all(words):
        raise IndexError
    return words


def _sorted_by_place(pairs: Iterable[tuple[Any, Any]]) -> list[str]:
    placed = [(place, word) for word, places in pairs if isinstance(word, str) for place in _places(places)]
    placed.sort(key=_PLACE)
    return [word for _, word in placed]


def _places(given: Any) -> Iterator[float]:
    """Yield positions as numbers, also if a spreadsheet or R wrote one or several as text; what is none is left out."""
    for some in given if isinstance(given, list | tuple) else [given]:
        for place in some if isinstance(some, list | tuple) else [some]:
            if isinstance(place, str) and _SOME_NUMBERS.fullmatch(place):
                yield from map(float, _NUMBER.findall(place))
            elif isinstance(place, int | float) and not isinstance(place, bool):
                yield float(place) if abs(place) < _FARTHEST else _FARTHEST


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
