"""Folding: lower case, no accents, one form for each letter of Latin, Cyrillic, Persian and Chinese script.

Traditional and Japanese forms of Chinese characters become the simplified ones, Arabic forms of
letters the Persian ones (``taxonomies/watchlists/registry/characters.csv``). Each folded character
leads back to its place in the string.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from copub.errors import Fault, FileError
from copub.lists.csvfile import read_rows
from copub.shipped import shipped_folder

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005-\u3007"
CHINESE = re.compile(f"[{CJK}]")
_SPECIAL = re.compile(
    r"&(?:amp;)?(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});"
    r"|#(?:TAB|N|R|BR)#|[^\s@;,()<>]+@[^\s@;,()<>]+|</?[A-Za-z][^<>]{0,80}>|\u00e2\u20ac[\u2122\u02dc\u0153]"
)
_UNUSUAL = re.compile("[&#<@\u20ac]")
_SAME = {
    **dict.fromkeys("’‘‛′׳ʹʼʻ´ˈ\u00bf", "'"),
    **dict.fromkeys("“”„″«»", '"'),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u0640", ""),
    **dict.fromkeys("、。،", ","),
    "؛": ";",
}
_UNEVEN = "\ue000"


@lru_cache(maxsize=1)
def other_forms() -> Mapping[str, str]:
    """Return the character that each traditional, Japanese or Arabic form is read as."""
    path = shipped_folder("taxonomies/watchlists") / "registry" / "characters.csv"
    columns = {"character": "how it is read", "forms": "other forms of the same character"}
    faults: list[Fault] = []
    rows = read_rows(path, columns, ("character", "forms"), faults, kind="table of characters")
    if faults:
        raise FileError(faults, kind="table of characters")
    return {form: row["character"] for row in rows for form in row["forms"]}


class _FoldTable(dict[int, str]):
    """Leads from a character to its folded form; characters that change length are marked."""

    def __missing__(self, code: int) -> str:
        folded = fold_character(chr(code))
        self[code] = folded if len(folded) == 1 else _UNEVEN
        return self[code]


def fold_character(character: str) -> str:
    """Return a character in lower case, without accents and in its usual form; quotes of all kinds become ' and "."""
    if character in _SAME:
        return _SAME[character]
    forms = other_forms()
    if character in forms:
        return forms[character]
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(forms.get(c, c) for c in decomposed if not unicodedata.combining(c)).lower()


_FOLD = _FoldTable()


def fold(text: str) -> tuple[str, list[int] | None]:
    """Return `text` in lower case without accents, entities, tags and e-mail addresses, and each character's origin.

    The second value is None where every character kept its place.
    """
    if not (_UNUSUAL.search(text) and _SPECIAL.search(text)):
        if text.isascii():
            return text.lower(), None
        folded = text.translate(_FOLD)
        if _UNEVEN not in folded:
            return folded, None
    return _fold_slowly(text)


def _fold_slowly(text: str) -> tuple[str, list[int]]:
    folded: list[str] = []
    origin: list[int] = []

    def add(piece: str, places: Sequence[int]) -> None:
        even = piece.translate(_FOLD)
        if _UNEVEN not in even:
            folded.append(even)
            origin.extend(places)
            return
        for character, place in zip(piece, places, strict=True):
            one = fold_character(character)
            folded.append(one)
            origin.extend([place] * len(one))

    position = 0
    for match in _SPECIAL.finditer(text):
        add(text[position : match.start()], range(position, match.start()))
        meaning = _meaning(match.group())
        add(meaning, [match.start()] * len(meaning))
        position = match.end()
    add(text[position:], range(position, len(text)))
    origin.append(len(text))
    return "".join(folded), origin


def _meaning(special: str) -> str:
    if special[0] == "&":
        return html.unescape(html.unescape(special))
    return "'" if special[0] == "\u00e2" else " "
