"""Titles that name a part of an issue or a book rather than a work: Editorial Board, Front Matter, Contributors."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_SIGNS = re.compile(r"[\W_]+")


def paratext_title(kind: str | None, title: str | None, abstract_status: str) -> str | None:
    """Return the entry of ``paratext-titles.txt`` that a record without a type has as its title; None for all others.

    A record with a type is placed by it, and one with an abstract is a work: neither is looked at.

    Parameters
    ----------
    kind, title, abstract_status : as in table ``works``.
    """
    if kind is not None or abstract_status != "none" or not title:
        return None
    plain = _SIGNS.sub(" ", title.lower()).strip()
    whole, ends = _titles()
    if plain in whole:
        return plain
    return next((end for end in ends if plain.endswith(f" {end}")), None)


@lru_cache(maxsize=1)
def _titles() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the whole titles, and the ends of titles."""
    text = (Path(__file__).parent / "paratext-titles.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    ends = tuple(line.removeprefix("*").strip() for line in lines if line.startswith("*"))
    return frozenset(line for line in lines if not line.startswith("*")), ends
