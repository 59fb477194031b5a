"""Keeping one work of each group of duplicates, whatever works a choice leaves in."""

from __future__ import annotations

import polars as pl


def group_of(works: pl.DataFrame) -> pl.Series:
    """Return for each row the work_id that stands for its group of duplicates.

    `duplicate_of` may point to a work that is itself a duplicate; the pointers are followed to
    their end.
    """
    target = {w: d for w, d in works.select("work_id", "duplicate_of").iter_rows() if d is not None}

    def end(work: str) -> str:
        seen = {work}
        while work in target and target[work] not in seen:
            work = target[work]
            seen.add(work)
        return work

    ends = {work: end(work) for work in target}
    return works["work_id"].replace(ends).rename("group")


def first_of_group(works: pl.DataFrame) -> pl.Series:
    """Return for each row whether it is the first of its group among these works.

    First by date, then by length and order of the id, as in `copub.tables.duplicates`. A group
    whose original was left out of `works` keeps its next work rather than none.
    """
    return (
        works.select("work_id", "publication_date", group_of(works))
        .with_row_index("row")
        .sort("publication_date", pl.col("work_id").str.len_chars(), "work_id", nulls_last=True)
        .with_columns((pl.int_range(pl.len()).over("group") == 0).alias("first"))
        .sort("row")["first"]
    )
