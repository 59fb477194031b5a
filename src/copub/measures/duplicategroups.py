"""Keeping one work of each group of duplicates, whatever works a choice leaves in."""

from __future__ import annotations

import polars as pl

COLUMNS = ("duplicate_group", "duplicate_order")


def with_groups(works: pl.DataFrame) -> pl.DataFrame:
    """Return `works` with `COLUMNS`: the work_id that represents a group, and the order among all works.

    `duplicate_of` may point to a work that is itself a duplicate; the pointers are followed to
    their end, through works that the study leaves out too, so `works` must hold all of them. The
    order is by date, then by length and order of the id, as in `copub.corpus.duplicates`.
    """
    target = {w: d for w, d in works.select("work_id", "duplicate_of").iter_rows() if d is not None}

    def end(work: str) -> str:
        seen = {work}
        while work in target and target[work] not in seen:
            work = target[work]
            seen.add(work)
        return work

    ends = {work: end(work) for work in target}
    order = works.select("work_id", "publication_date").sort(
        "publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True
    )
    return works.with_columns(pl.col("work_id").replace(ends).alias("duplicate_group")).join(
        order.select("work_id").with_row_index("duplicate_order"), on="work_id", how="left", maintain_order="left"
    )


def first_of_group(works: pl.DataFrame) -> pl.Series:
    """Return for each row whether it is the first of its group among these works.

    A group whose original was left out of `works` keeps its next work rather than none.
    """
    order = pl.col("duplicate_order")
    return works.select((order == order.min().over("duplicate_group")).alias("first")).to_series()
