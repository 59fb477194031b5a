"""Institutions rolled up by lineage: each with all that is below it in OpenAlex's hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from copub.parallel import Table, columns_of, own_rows, split_by_work, summed
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

_READ = ("work_id", "institution_id", "institution_name", "country_code", "lineage")
_CHILD = ("side", "up", "institution_id")


def institution_families(study: Study, affiliations: Table, works: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``institution_families``.

    Parameters
    ----------
    affiliations : table ``affiliations``; its lineage names an institution and its parents.
    works : table ``copublications``.

    A work counts once for every institution in the lineage of one of its institutions, so a
    parent holds the works of its children. The side is that of the child. A parent that never
    is in an affiliation itself has no name here.
    """
    sides = dict.fromkeys(study.side_a.countries, "a") | dict.fromkeys(study.side_b.countries, "b")
    flags = works.select("work_id", "is_critical", "is_listed", "is_critical_listed")
    sums = ("works", "critical", "listed", "critical_listed")
    counted: list[pl.DataFrame] = []
    children: list[pl.DataFrame] = []
    names: list[pl.DataFrame] = []
    for every in split_by_work(columns_of(affiliations, *_READ)):
        part = every.drop_nulls("institution_id")
        own = own_rows(flags, part)
        members = _members(part, own, sides)
        works_of = members.select("work_id", "side", "up").unique().join(own, on="work_id")
        of_part = works_of.group_by("side", "up").agg(
            pl.len().alias("works"), *(pl.col(f"is_{name}").sum().alias(name) for name in sums[1:])
        )
        counted = [summed([*counted, of_part], "side", "up")]
        children = [summed([*children, members.group_by("side", "up", "institution_id").len()], *_CHILD)]
        named = part.drop_nulls("institution_name").group_by("institution_id", "institution_name").len()
        names = [summed([*names, named], "institution_id", "institution_name")]
    below = children[0].group_by("side", "up").agg(pl.len().cast(pl.Int32).alias("members"))
    totals = (
        counted[0]
        .with_columns(pl.col(sums).cast(pl.Int32))
        .join(below, on=["side", "up"])
        .join(_names(names[0]), left_on="up", right_on="institution_id", how="left")
        .rename({"up": "institution_id"})
    )
    return conform("institution_families", totals.with_columns((pl.col("works") < study.small_cell).alias("is_small")))


def _members(named: pl.DataFrame, flags: pl.DataFrame, sides: Mapping[str, str]) -> pl.DataFrame:
    """Return work_id, institution_id, side and ``up``: the institution itself and each of its parents."""
    return (
        named.join(flags.select("work_id"), on="work_id", how="semi")
        .select(
            "work_id",
            "institution_id",
            pl.col("country_code").replace_strict(sides, default=None, return_dtype=pl.String).alias("side"),
            pl.concat_list(pl.concat_list("institution_id"), pl.col("lineage").fill_null([])).list.unique().alias("up"),
        )
        .filter(pl.col("side").is_not_null())
        .explode("up", keep_nulls=False, empty_as_null=False)
    )


def _names(counted: pl.DataFrame) -> pl.DataFrame:
    """Return the most frequent name of each institution."""
    return (
        counted.sort(["len", "institution_name"], descending=[True, False])
        .group_by("institution_id", maintain_order=True)
        .agg(pl.col("institution_name").first())
    )
