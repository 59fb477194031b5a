"""Marking duplicates: preprint and version of record, repository copies, registry remnants."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import polars as pl

TRAITS = pl.Schema(
    {"work_id": pl.String, "publication_date": pl.Date, "doi": pl.String, "title": pl.UInt64, "author_name": pl.String}
)
"""By what duplicates are recognised (`traits_of`)."""
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


def traits_of(works: pl.DataFrame, authorships: pl.DataFrame) -> pl.DataFrame:
    """Return by what each work may be recognised as a duplicate of another.

    Parameters
    ----------
    works : work_id, doi, title, publication_year, publication_date.
    authorships : work_id, author_seq, author_name of the same works.

    Returns
    -------
    work_id, publication_date, doi (without its version), title (a number for the title, letters and digits only,
    and the year; null if it has fewer than 20 of them), author_name (of the first author).
    """
    plain = pl.col("title").str.normalize("NFKD").str.to_lowercase().str.replace_many(_GREEK)
    title = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    year = pl.col("publication_year").cast(pl.String)
    known = works.select(title=pl.when(title.str.len_chars() >= _SHORTEST_TITLE).then(title + "|" + year))["title"]
    first = authorships.filter(pl.col("author_seq") == 0).select("work_id", "author_name")
    return works.select(
        "work_id",
        "publication_date",
        doi=pl.col("doi").str.replace(_VERSION, ""),
        title=pl.Series([None if text is None else _number(text) for text in known], dtype=pl.UInt64),
    ).join(first, on="work_id", how="left", maintain_order="left")


def duplicates_of(traits: pl.DataFrame) -> pl.DataFrame:
    """Return the works that are duplicates, and of which work each is: work_id, duplicate_of.

    Two works are duplicates if they share a DOI (versions of one are the same), or the same normalised
    title (letters and digits only, at least 20 of them), year and first author. Names are the same in
    any order, with or without accents, initials for given names, or "Jr." (`forms_of`). Works that are
    duplicates of the same work are duplicates of each other. The first by date, then by id, is the original.

    Parameters
    ----------
    traits : those of all works (`traits_of`).
    """
    from scipy.sparse import coo_array  # takes long to load, and the processes that read records do without
    from scipy.sparse.csgraph import connected_components

    by_date = pl.arg_sort_by("publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True)
    order = traits.select(by_date).to_series()
    ranked = traits.select("doi", "title", "author_name", rank=order.arg_sort())
    links = pl.concat([_links(ranked.select("rank", "doi")), _links(_named(ranked))])
    ends = links["rank"].to_numpy(), links["first"].to_numpy()
    edges = coo_array((np.ones(links.height, bool), ends), shape=(order.len(), order.len()))
    groups = pl.DataFrame({"group": connected_components(edges, directed=False)[1]}).with_row_index("rank")
    found = groups.select("rank", first=pl.col("rank").min().over("group")).filter(pl.col("rank") != pl.col("first"))
    ids = traits["work_id"].gather(order)
    return found.select(work_id=ids.gather(found["rank"]), duplicate_of=ids.gather(found["first"]))


def _links(ranked: pl.DataFrame) -> pl.DataFrame:
    """Return the rank of every work beside that of the first which is like it in all other columns: rank, first."""
    like = [name for name in ranked.columns if name != "rank"]
    first = pl.col("rank").min().over(like).alias("first")
    return ranked.drop_nulls(like).select("rank", first).filter(pl.col("rank") != pl.col("first"))


def _named(ranked: pl.DataFrame) -> pl.DataFrame:
    """Return the works whose title another has, once for each form of the first author's name: rank, title, form."""
    titled = ranked.select("rank", "title", "author_name").drop_nulls().filter(pl.col("title").is_duplicated())
    names = titled["author_name"].unique(maintain_order=True).to_list()
    numbers: dict[str, int] = {}
    forms = pl.DataFrame(
        {
            "author_name": names,
            "form": [
                [numbers.setdefault(form, len(numbers)) for form in sorted(set(forms_of(name)))] for name in names
            ],
        },
        schema={"author_name": pl.String, "form": pl.List(pl.UInt32)},
    )
    return titled.join(forms, on="author_name").select("rank", "title", "form").explode("form")


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


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
