"""Titles that name a part of an issue or a book rather than a work: Editorial Board, Front Matter, Contributors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_SIGNS = re.compile(r"[\W_]+")


def paratext_title(row: Mapping[str, Any]) -> str:
    """Return the entry of ``paratext-titles.txt`` that a record without a type has as its title; "" for all others.

    A record with a type is placed by it, and one with an abstract is a work: neither is looked at.

    Parameters
    ----------
    row : columns type, title and abstract_status of table ``works``.
    """
    if row["type"] is not None or row["abstract_status"] != "none" or not row["title"]:
        return ""
    title = _SIGNS.sub(" ", row["title"].lower()).strip()
    whole, ends = _titles()
    if title in whole:
        return title
    return next((end for end in ends if title.endswith(f" {end}")), "")


@lru_cache(maxsize=1)
def _titles() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the whole titles, and the ends of titles."""
    text = (Path(__file__).parent / "paratext-titles.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    ends = tuple(line.removeprefix("*").strip() for line in lines if line.startswith("*"))
    return frozenset(line for line in lines if not line.startswith("*")), ends
