"""The little language of keyword rules: one term as people write it.

``quantum key distribution`` matches these words in this order, whatever is between them
(blank, hyphen, slash); ``comput*`` matches every word that begins so; ``cs:SAR`` matches only
the letters as written, capitals and all.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MIN_STEM = 3
MAX_WORDS = 7
_WORD = re.compile(r"[^\W_]+\*?")
_STRAY_STAR = re.compile(r"(?<![^\W_])\*|\*\w")
_ALLOWED = re.compile(r"[\w\s\-/.,&+*'’–:()]*")


@dataclass(frozen=True, slots=True)
class Term:
    """A term: the words in order, without the star; which of them are stems; whether case counts."""

    words: tuple[str, ...]
    stems: tuple[bool, ...]
    cased: bool

    def __str__(self) -> str:
        text = " ".join(word + "*" * stem for word, stem in zip(self.words, self.stems, strict=True))
        return f"cs:{text}" if self.cased else text


def fold_word(word: str) -> str:
    """Fold a word for comparison: compatibility form, lower case, without accents and joiners."""
    if word.isascii():
        return word.lower()
    split = unicodedata.normalize("NFKD", word).casefold()
    return "".join(char for char in split if char.isalnum())


def parse_term(text: str) -> Term:
    """Read a term.

    Raises
    ------
    ValueError : the text is no term; the message says why, in words for the author of the file.
    """
    cased = text.startswith("cs:")
    body = text.removeprefix("cs:")
    if not _ALLOWED.fullmatch(body) or ":" in body:
        raise ValueError(f"{text!r} holds a sign that no term may hold")
    parts = _WORD.findall(body)
    if not parts:
        raise ValueError(f"{text!r} holds no word")
    if len(parts) > MAX_WORDS:
        raise ValueError(f"{text!r} has more than {MAX_WORDS} words")
    if _STRAY_STAR.search(body):
        raise ValueError(f"{text!r}: a star may be only at the end of a word")
    stems = tuple(part.endswith("*") for part in parts)
    words = tuple(part.rstrip("*") if cased else fold_word(part.rstrip("*")) for part in parts)
    if not all(_WORD.fullmatch(word) for word in words):  # such as a fraction, which folds to "1⁄4"
        raise ValueError(f"{text!r} holds a sign that no term may hold")
    for word, stem in zip(words, stems, strict=True):
        if stem and len(word) < MIN_STEM:
            raise ValueError(f"{text!r}: a stem before a star needs {MIN_STEM} letters or more")
    if cased and any(stems):
        raise ValueError(f"{text!r}: a term with cs: takes no star")
    if len(words) == 1 and len(words[0]) < 2:
        raise ValueError(f"{text!r}: one letter alone is no term")
    return Term(words, stems, cased)
