"""Funders and awards that the records of works name: per funder, in all, per institution, per pair of a panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.corpus.work import FUNDERS
from copub.intervals import with_wilson
from copub.measures.members import (
    ALL,
    EVERY,
    FLAGS,
    GROUPS,
    all_works,
    conform_slices,
    of_entities,
    of_institutions,
    rows_of_slices,
)
from copub.parallel import Table, by_parts, own_rows
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

STATES_AWARDS = pl.col("field") != FUNDERS
"""The row is of a field that can name awards: a record with ``funders`` alone says nothing of awards."""
_COUNTS: Mapping[str, pl.Expr] = {
    "works": EVERY,
    "unknown": ~pl.col("states"),
    "denominator": pl.col("states"),
    "with_funder": pl.col("states") & pl.col("with_funder"),
    "numerator": pl.col("states") & pl.col("with_award"),
}
_MEMBERS_AT_ONCE = 1_000_000
"""Members that are joined with the awards of their works at once."""


def awards_of_works(awards: Table, works: pl.DataFrame) -> pl.DataFrame:
    """Return what the records of works name (`identified`).

    Parameters
    ----------
    awards : table ``awards``. works : table ``copublications`` (work_id is read).
    """
    return identified(rows_of_works(awards, works))


def rows_of_works(awards: Table, works: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of table ``awards`` of some works, as the records have them: what `identified` takes."""
    ids = works.select("work_id")
    return by_parts(
        awards,
        lambda part: part.join(own_rows(ids, part), on="work_id", how="semi", maintain_order="left").select(
            "work_id", "funder_id", "funder_name", "award_key", states=STATES_AWARDS
        ),
    )


def identified(rows: pl.DataFrame) -> pl.DataFrame:
    """Return funders and awards by what they are recognised.

    A funder is its id. One without an id is the funder that alone bears its name among these rows, else the name.

    Parameters
    ----------
    rows : as `rows_of_works` returns them.

    Returns
    -------
    work_id, states (the row is of a field for awards), funder_id, funder_name, funder (id, or name without one), award
    (a number for each funder and number of an award; null where no award of a funder is named).
    """
    bearers = rows.drop_nulls(["funder_id", "funder_name"]).group_by("funder_name")
    alone = bearers.agg(pl.col("funder_id").unique()).filter(pl.col("funder_id").list.len() == 1)
    bearer = alone.select("funder_name", bearer=pl.col("funder_id").list.first())
    return (
        rows.join(bearer, on="funder_name", how="left", maintain_order="left")
        .with_columns(pl.coalesce("funder_id", "bearer"))
        .with_columns(funder=pl.coalesce("funder_id", "funder_name"))
        .with_columns(award=(pl.col("funder") + "\n" + pl.col("award_key")).rank("dense"))
        .drop("bearer", "award_key")
        .cast(dict.fromkeys(("funder_id", "funder_name", "funder"), pl.Categorical()))
    )


def funders(study: Study, works: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``funders``: works that name each funder, those with an award of it, the headline among them.

    Parameters
    ----------
    works : table ``copublications``. named : as `awards_of_works` returns it.
    """
    stating = works.select("work_id", "is_critical_listed").join(named.filter("states"), on="work_id", how="semi")
    each = named.drop_nulls("funder")
    counted = (
        each.group_by("funder", "work_id")
        .agg(pl.col("funder_id").first(), awarded=pl.col("award").is_not_null().any())
        .join(works.select("work_id", *FLAGS), on="work_id")
        .group_by("funder")
        .agg(
            pl.col("funder_id").first(),
            *(is_in.sum().alias(group) for group, is_in in GROUPS.items()),
            *((is_in & pl.col("awarded")).sum().alias(f"{group}_with_award") for group, is_in in GROUPS.items()),
        )
        .rename({"all": "works", "all_with_award": "with_award"})
        .join(each.group_by("funder").agg(awards=pl.col("award").drop_nulls().n_unique()), on="funder")
        .join(_names(each), on="funder", how="left")
        .with_columns(stating=pl.lit(stating["is_critical_listed"].sum()))
    )
    shared = with_wilson(counted, "critical_listed", "works", study.confidence)
    ends = ("award_share", "award_share_low", "award_share_high")
    shared = with_wilson(shared, "critical_listed_with_award", "stating", study.confidence, ends)
    small = (pl.col("critical_listed") < study.small_cell) | (pl.col("works") < study.small_rate)
    return conform(
        "funders",
        shared.drop("stating")
        .with_columns(pl.coalesce("funder_name", "funder").alias("funder"), small.alias("is_small"))
        .drop("funder_name"),
    )


def _names(each: pl.DataFrame) -> pl.DataFrame:
    """Return the most frequent name of each funder."""
    return (
        each.drop_nulls("funder_name")
        .group_by("funder", "funder_name")
        .len()
        .sort(["len", "funder_name"], descending=[True, False])
        .group_by("funder", maintain_order=True)
        .agg(pl.col("funder_name").first())
    )


def funding(
    study: Study, works: pl.DataFrame, named: pl.DataFrame, of_works: pl.DataFrame, places: pl.DataFrame
) -> pl.DataFrame:
    """Return the table ``funding``: the works that name an award of a funder, in all and per institution.

    Parameters
    ----------
    works : table ``copublications``. named : as `awards_of_works` returns it.
    of_works : as `copub.measures.partners.institutions_of_works` returns it.
    places : as `copub.measures.members.listed_places` returns them.
    """
    members = {
        "entity": of_entities(places, works, study.small_cell),
        **{f"institution_{side}": of_institutions(of_works, side, works, study.small_cell) for side in ("a", "b")},
    }
    counted = {kind: funded(study, part, named) for kind, part in members.items()}
    return conform_slices(
        "funding", {"all": funded(study, all_works(works), named, [ALL]), **counted}, study.small_cell
    )


def funded(study: Study, members: pl.DataFrame, named: pl.DataFrame, always: Sequence[str] = ()) -> pl.DataFrame:
    """Return per slice and group of works how many name an award, and how many awards and funders they name.

    Parameters
    ----------
    members : works of slices (`copub.measures.members`). named : as `awards_of_works` returns it.
    always : slices that have their rows without works too.
    """
    known = named.group_by("work_id").agg(
        pl.col("states").any(),
        with_funder=pl.col("funder").is_not_null().any(),
        with_award=pl.col("award").is_not_null().any(),
    )
    by_award = named.drop_nulls("award").select("work_id", "award", funder=pl.col("funder").rank("dense"))
    wide = pl.concat(_counted(part, known, by_award) for part in _portions(members))
    rows = rows_of_slices(wide, list(GROUPS), (*_COUNTS, "funders", "awards"), always)
    rows = with_wilson(rows, "numerator", "denominator", study.confidence)
    small = (pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)
    return rows.with_columns(small.alias("is_small"))


def _portions(members: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield members in portions, each slice in one of them."""
    number = members.height // _MEMBERS_AT_ONCE + 1
    for portion in range(number):
        yield members.filter(pl.col("key").cast(pl.String).hash() % number == portion) if number > 1 else members


def _counted(members: pl.DataFrame, known: pl.DataFrame, by_award: pl.DataFrame) -> pl.DataFrame:
    stated = members.join(known, on="work_id", how="left").with_columns(
        pl.col("states", "with_funder", "with_award").fill_null(value=False)
    )
    sums = stated.group_by("key").agg(
        pl.col("slice", "slice_id").first().cast(pl.String),
        *(
            (group & has).sum().alias(f"{name}|{count}")
            for name, group in GROUPS.items()
            for count, has in _COUNTS.items()
        ),
    )
    distinct = (
        members.join(by_award, on="work_id")
        .group_by("key")
        .agg(
            pl.col(column).filter(group).n_unique().alias(f"{name}|{column}s")
            for name, group in GROUPS.items()
            for column in ("funder", "award")
        )
    )
    return sums.join(distinct, on="key", how="left")
