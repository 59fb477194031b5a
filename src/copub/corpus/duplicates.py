"""Marking duplicates: preprint and version of record, repository copies, registry remnants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import polars as pl

_SHORTEST_TITLE = 20
_GREEK = {
    chr(code): unicodedata.name(chr(code)).rpartition(" ")[2].lower()
    for code in range(0x3B1, 0x3CA)
    if unicodedata.name(chr(code)).startswith("GREEK SMALL LETTER") and code != 0x3C2  # final sigma
}
"""Titles have "β decay" as well as "beta decay"."""
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})
_SUFFIX = re.compile(r"\b(?:jr|sr|ii|iii|iv|phd|md|dr|prof)\b\.?")
_JOINED = re.compile(r"(?<=\w\w)[-'’‐‑](?=\w\w)")
_VERSION = r"[./]?v\d{1,3}$"
"""How the DOI of a version of a preprint or a data set ends; without it, it is that of all versions."""


def mark_duplicates(works: pl.DataFrame, first_authors: pl.DataFrame) -> pl.DataFrame:
    """Return `works` with the column ``duplicate_of``.

    Two works are duplicates if they share a DOI (versions of one are the same), or the same normalised
    title (letters and digits only, at least 20 of them), year and first author. Names are the same in
    any order, with or without accents, initials for given names, or "Jr." (`forms_of`). Works that are
    duplicates of the same work are duplicates of each other. The first by date, then by id, is the original;
    nothing is dropped.

    Parameters
    ----------
    works : table ``works`` without ``duplicate_of``.
    first_authors : columns work_id, author_name of the first author.
    """
    order = works.sort("publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True)
    doi = order.select("work_id", key=pl.col("doi").str.replace(_VERSION, ""))
    keys = pl.concat([doi, _same_titles(order, first_authors)])
    shared = keys.drop_nulls().filter(pl.col("key").is_duplicated())
    original = _first_of_groups(order["work_id"], shared.group_by("key", maintain_order=True).agg("work_id")["work_id"])
    marked = pl.DataFrame(
        {"work_id": list(original), "duplicate_of": list(original.values())},
        schema={"work_id": pl.String, "duplicate_of": pl.String},
    )
    return works.join(marked, on="work_id", how="left", maintain_order="left")


def _same_titles(order: pl.DataFrame, first_authors: pl.DataFrame) -> pl.DataFrame:
    """Return a key for every form of the first author's name of the works that share title and year."""
    plain = pl.col("title").str.normalize("NFKD").str.to_lowercase().str.replace_many(_GREEK)
    title = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    titled = order.select("work_id", pl.col("publication_year").cast(pl.String), title=title)
    twice = titled.filter(pl.col("title").str.len_chars() >= _SHORTEST_TITLE).filter(
        pl.struct("title", "publication_year").is_duplicated()
    )
    named = twice.join(first_authors, on="work_id", how="inner", maintain_order="left").drop_nulls()
    rows = [
        (work, f"{title}|{year}|{form}")
        for work, year, title, name in named.iter_rows()
        for form in sorted(set(forms_of(name)))
    ]
    return pl.DataFrame(rows, schema={"work_id": pl.String, "key": pl.String}, orient="row")


def forms_of(name: str) -> Iterator[str]:
    """Yield the forms under which a name may be on another record: family name, and each word with an initial.

    >>> sorted(set(forms_of("Muñoz, José"))), sorted(set(forms_of("J. Munoz")))
    (['jose|m', 'munoz', 'munoz|j'], ['munoz', 'munoz|j'])
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    plain = _SUFFIX.sub(" ", plain.casefold().translate(_LETTERS)).strip(" ,.")
    family, comma, given = plain.partition(",")
    plain = f"{given} {family}" if comma else plain
    words = re.findall(r"\w+", _JOINED.sub("", plain.replace(".", " ")))
    full = [word for word in words if len(word) > 1 or not word.isascii()] or words[-1:]
    yield from full[-1:]
    for place, word in enumerate(words):
        if word in full and len(words) > 1:
            yield f"{word}|{words[0 if place else 1][0]}"


def _first_of_groups(order: pl.Series, groups: Iterable[pl.Series]) -> dict[str, str]:
    """Return for each work that shares a group with others, directly or through them, the first of all of these."""
    rank = {work: place for place, work in enumerate(order)}
    parent: dict[str, str] = {}

    def top(work: str) -> str:
        while (above := parent.get(work, work)) != work:
            parent[work] = parent.get(above, above)
            work = above
        return work

    for group in groups:
        first, *others = map(top, group)
        for other in others:
            low, high = sorted((top(first), top(other)), key=rank.__getitem__)
            parent[high] = low
    return {work: top(work) for work in parent if top(work) != work}
