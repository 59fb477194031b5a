"""Which works belong to which slice: all works, institutions of a side, listed entities, pairs of a panel.

A member is a work in a slice: work_id, key (by which the slice is recognised), slice, slice_id, and the flags of the
work, which of a pair of a panel may be others than those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.measures.copublications import headline_hits
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.measures.panelworks import PairWorks
    from copub.study import Study

FLAGS = ("is_critical", "is_listed", "is_critical_listed")
EVERY = pl.col("work_id").is_not_null()  # a column, so that sums run over the rows of a group
GROUPS: Mapping[str, pl.Expr] = {"all": EVERY, **{flag.removeprefix("is_"): pl.col(flag) for flag in FLAGS}}
"""Group of works -> whether a work is in it."""
ALL = "all"
SLICE = ("key", "slice", "slice_id")


def flags_of_works(works: pl.DataFrame) -> pl.DataFrame:
    """Return work_id and flags of the table ``copublications``."""
    return works.select("work_id", *FLAGS)


def all_works(works: pl.DataFrame) -> pl.DataFrame:
    """Return all works as members of one slice."""
    every = pl.lit(ALL, pl.Enum([ALL]))
    return works.select("work_id", **dict.fromkeys(SLICE, every)).hstack(works.select(FLAGS))


def of_institutions(of_works: pl.DataFrame, side: str, works: pl.DataFrame, least: int) -> pl.DataFrame:
    """Return the works of each institution of a side with at least so many of `works`.

    Parameters
    ----------
    of_works : as `copub.measures.partners.institutions_of_works` returns it.
    """
    named = of_works.filter(pl.col("side") == side).select(
        "work_id", "key", slice="institution_name", slice_id="institution_id"
    )
    return large(named.join(flags_of_works(works), on="work_id"), least)


def of_entities(places: pl.DataFrame, works: pl.DataFrame, least: int) -> pl.DataFrame:
    """Return the works of each listed entity with at least so many of them.

    Parameters
    ----------
    places : as `listed_places` returns them.
    """
    named = places.select("work_id", **dict.fromkeys(SLICE, "entity_id")).unique()
    return large(named.join(flags_of_works(works), on="work_id"), least)


def of_pairs(pairs: Iterable[PairWorks]) -> pl.DataFrame:
    """Return the works of each pair of a panel, the key of the pair as slice."""
    return pl.concat(
        one.works.select("work_id", **dict.fromkeys(SLICE, pl.lit(one.pair.key))).hstack(one.works.select(FLAGS))
        for one in pairs
    )


def large(members: pl.DataFrame, least: int) -> pl.DataFrame:
    """Return the members of slices with at least so many works: the count of a smaller one may lead to a person."""
    return members.filter(pl.len().over("key") >= least)


def listed_places(hits: pl.DataFrame, study: Study, levels: Sequence[str]) -> pl.DataFrame:
    """Return work_id, author_seq and entity_id of the authors with a hit that makes a work listed."""
    return headline_hits(hits, study, levels).filter("counts").select("work_id", "author_seq", "entity_id").unique()


def rows_of_slices(
    wide: pl.DataFrame, groups: Sequence[str], columns: Sequence[str], always: Sequence[str]
) -> pl.DataFrame:
    """Return one row per slice and group from one row per slice with columns ``<group>|<column>``.

    Parameters
    ----------
    always : slices that have their rows without works too.
    """
    keys = pl.DataFrame({"key": list(always)}, schema={"key": pl.String})
    fixed = keys.select(**dict.fromkeys(SLICE, "key"))
    given = wide.with_columns(pl.col(SLICE).cast(pl.String))
    full = pl.concat([given, fixed.join(given, on="key", how="anti")], how="diagonal")
    return pl.concat(
        full.select(
            *SLICE,
            pl.lit(group).alias("group"),
            *(pl.col(f"{group}|{column}").fill_null(0).alias(column) for column in columns),
        )
        for group in groups
    )


def conform_slices(name: str, parts: Mapping[str, pl.DataFrame], least: int) -> pl.DataFrame:
    """Return the table `name` from its rows by kind of slice; of slices other than all works, groups of so many."""
    rows = pl.concat(part.with_columns(slice_kind=pl.lit(kind)) for kind, part in parts.items())
    kept = rows.filter((pl.col("slice_kind") == ALL) | (pl.col("works") >= least))
    return conform(name, kept.select(TABLES[name].schema.names()))


def conform_pairs(name: str, counted: pl.DataFrame) -> pl.DataFrame:
    """Return the table `name` of a panel from the rows of its pairs."""
    return conform(name, counted.rename({"slice": "pair"}).select(TABLES[name].schema.names()))
