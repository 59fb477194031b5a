"""Marking duplicates: preprint and version of record, repository copies, registry remnants."""

from __future__ import annotations

import polars as pl


def mark_duplicates(works: pl.DataFrame, first_authors: pl.DataFrame) -> pl.DataFrame:
    """Return `works` with the column ``duplicate_of``.

    Two works are duplicates if they share a DOI, or the same normalised title (letters and
    digits only, at least 20 of them), year and family name of the first author. The first by
    date, then by id, is the original; nothing is dropped.

    Parameters
    ----------
    works : table ``works`` without ``duplicate_of``.
    first_authors : columns work_id, author_name of the first author.
    """
    title = pl.col("title").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    family = pl.col("author_name").str.to_lowercase().str.split(" ").list.last()
    keyed = works.join(first_authors, on="work_id", how="left").select(
        "work_id",
        "doi",
        "publication_date",
        pl.when(title.str.len_chars() >= 20)
        .then(pl.concat_str([title, pl.col("publication_year").cast(pl.String), family], separator="|"))
        .alias("same"),
    )
    order = keyed.sort("publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True)
    by_doi = _first_of(order, "doi")
    by_title = _first_of(order, "same")
    return (
        works.join(by_doi, on="work_id", how="left")
        .join(by_title, on="work_id", how="left")
        .with_columns(pl.coalesce("first_doi", "first_same").alias("duplicate_of"))
        .drop("first_doi", "first_same")
    )


def _first_of(order: pl.DataFrame, key: str) -> pl.DataFrame:
    grouped = order.filter(pl.col(key).is_not_null()).with_columns(
        pl.col("work_id").first().over(key).alias(f"first_{key}")
    )
    return grouped.filter(pl.col("work_id") != pl.col(f"first_{key}")).select("work_id", f"first_{key}")
