"""Keeping one work of each group of duplicates, whatever works a choice leaves in."""

from __future__ import annotations

import polars as pl

COLUMNS = ("duplicate_group", "duplicate_order")
_ROUNDS = 32
"""Each round doubles how far pointers are followed: more than there are works. Pointers in a circle have no end."""


def with_groups(works: pl.DataFrame) -> pl.DataFrame:
    """Return `works` with `COLUMNS`: the work_id that represents a group, and the order among all works.

    `duplicate_of` may point to a work that is itself a duplicate; the pointers are followed to
    their end, through works that the study leaves out too, so `works` must hold all of them. The
    order is by date, then by length and order of the id, as in `copub.corpus.duplicates`.
    """
    order = works.select("work_id", "publication_date").sort(
        "publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True
    )
    grouped = works.join(_ends(works), on="work_id", how="left", maintain_order="left")
    return grouped.with_columns(pl.coalesce("duplicate_group", "work_id")).join(
        order.select("work_id").with_row_index("duplicate_order"), on="work_id", how="left", maintain_order="left"
    )


def _ends(works: pl.DataFrame) -> pl.DataFrame:
    """Return for each duplicate (work_id) the work at the end of its pointers (duplicate_group)."""
    ends = works.select("work_id", duplicate_group="duplicate_of").drop_nulls()
    for _ in range(_ROUNDS):
        onward = ends.select(duplicate_group="work_id", onward="duplicate_group")
        further = ends.join(onward, on="duplicate_group", how="left")
        if further["onward"].null_count() == further.height:
            break
        ends = further.select("work_id", duplicate_group=pl.coalesce("onward", "duplicate_group"))
    return ends


def first_of_group(works: pl.DataFrame) -> pl.Series:
    """Return for each row whether it is the first of its group among these works.

    A group whose original was left out of `works` keeps its next work rather than none.
    """
    order = pl.col("duplicate_order")
    return works.select((order == order.min().over("duplicate_group")).alias("first")).to_series()
