"""Who is first, last and corresponding author of the listed works: authors of listed institutions, and of side A.

Counts of works, never of persons: nothing here says who an author is. A work counts once, however many of its
authors have a role.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from copub.corpus.duplicates import forms_of
from copub.corpus.population import authorships_under, on_side
from copub.intervals import DIGITS, with_wilson
from copub.measures.members import (
    ALL,
    EVERY,
    GROUPS,
    SLICE,
    all_works,
    conform_slices,
    large,
    of_institutions,
    of_pairs,
    rows_of_slices,
)
from copub.measures.presence import Array
from copub.parallel import Table, by_parts, columns_of, own_rows, split_by_work, with_own_buffers

if TYPE_CHECKING:
    from copub.measures.panelworks import PairWorks
    from copub.measures.view import View
    from copub.study import Study

ROLES: Mapping[str, pl.Expr] = {
    "first": pl.col("author_position") == "first",
    "last": pl.col("author_position") == "last",
    "corresponding": pl.col("is_corresponding"),
}
"""Role -> whether an author has it, as the record says."""
_GROUPS = {"listed": EVERY, "critical_listed": GROUPS["critical"]}
"""The members are listed works: the first group is all of them."""
_BY_CHANCE = np.array([*(1 / math.factorial(n) for n in range(20)), 0.0])
"""1 / n! by the number of authors; from 20 on it is nothing worth adding."""
_AUTHOR = ("work_id", "author_seq")
_HELD = ("numerator", "numerator_a", "expected", "alphabetical", "alphabetical_by_chance")
"""What is stated of the holders of a role; over fewer works than the floor for cells it could lead to a person."""
_COUNTS = (
    "works", "single_author", "cut", "unknown", "denominator", "numerator", "numerator_a", "alphabetical",
    "alphabetical_by_chance", "by_lot",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seats:
    """What the records of works say of the roles of authors.

    works : work_id, n_authors, is_cut, is_alphabetical. holders : work_id, author_seq, role, countries, on_side_a.
    """

    works: pl.DataFrame
    holders: pl.DataFrame


def seats_of(study: Study, seats: Table, works: pl.DataFrame) -> Seats:
    """Return what the records of these works say of the roles of authors.

    Parameters
    ----------
    seats : as `copub.measures.view.View` has them.
    works : work_id, n_authors, is_truncated of the works that are looked at.
    """
    holders: list[pl.DataFrame] = []
    sorted_works: list[pl.DataFrame] = []
    ids = works.select("work_id")
    for part in split_by_work(seats):
        own = part.join(own_rows(ids, part), on="work_id", how="semi", maintain_order="left")
        sided = authorships_under(own, study)
        holders += [
            sided.filter(has).select(*_AUTHOR, "countries", "on_side_a", role=pl.lit(role))
            for role, has in ROLES.items()
        ]
        names = own.sort(_AUTHOR).group_by("work_id", maintain_order=True).agg("author_name")
        order = [is_alphabetical(of_work) for of_work in names["author_name"].to_list()]
        sorted_works.append(names.select("work_id", is_alphabetical=pl.Series(order, dtype=pl.Boolean)))
    found = works.select("work_id", "n_authors", is_cut="is_truncated")
    return Seats(found.join(pl.concat(sorted_works), on="work_id", how="left"), pl.concat(holders))


def is_alphabetical(names: Sequence[str | None]) -> bool:
    """Return whether names are in alphabetical order of family names; not if one is missing.

    >>> is_alphabetical(["Jan Adams", "Bakker, Ann", "P. Claes"]), is_alphabetical(["Jan Zeman", "Ann Bakker"])
    (True, False)
    """
    before = ""
    for name in names:
        family = next(forms_of(name or ""), None)
        if family is None or family < before:
            return False
        before = family
    return True


def roles(study: Study, view: View, works: pl.DataFrame, of_works: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``roles``.

    Parameters
    ----------
    works : table ``copublications``.
    of_works : as `copub.measures.partners.institutions_of_works` returns it.
    listed : as `copub.measures.members.listed_places` returns them.
    """
    places = view.hits.filter("is_counted").select(*_AUTHOR, "watchlist", "entity_id", "risk_level").unique()
    headline = places.filter(pl.col("watchlist").is_in(study.watchlists))
    named = works.join(places, on="work_id", how="semi", maintain_order="left").select(
        "work_id", "n_authors", "is_truncated"
    )
    seats = seats_of(study, view.seats, named)
    own_side = seats.holders.filter("on_side_a")
    every = all_works(works.filter("is_listed"))
    found = {"all": held(study, seats, every, listed.select(_AUTHOR), own_side, [ALL])}
    for kind, column, of in (
        ("level", "risk_level", headline),
        ("watchlist", "watchlist", places),
        ("entity", "entity_id", listed),
    ):
        authors = of.select(*_AUTHOR, key=column).unique()
        members = authors.select("work_id", **dict.fromkeys(SLICE, "key")).unique()
        members = large(members.join(works.select("work_id", "is_critical"), on="work_id"), study.small_cell)
        found[kind] = held(study, seats, members, authors, own_side)
    found["institution_a"] = _of_partners(study, seats, view, works, of_works, listed)
    return conform_slices("roles", found, study.small_cell)


def _of_partners(
    study: Study, seats: Seats, view: View, works: pl.DataFrame, of_works: pl.DataFrame, listed: pl.DataFrame
) -> pl.DataFrame:
    """Return the roles in the listed works of each institution of side A; its authors take the place of the side."""
    members = of_institutions(of_works, "a", works.filter("is_listed"), study.small_cell)
    in_works = members.select("work_id", "key")
    roled = seats.holders.select(_AUTHOR).unique()
    key = pl.coalesce("institution_id", "institution_name").alias("key")
    of_authors = by_parts(
        columns_of(view.affiliations, *_AUTHOR, "institution_id", "institution_name"),
        lambda part: with_own_buffers(part.join(roled, on=_AUTHOR, how="semi").select(*_AUTHOR, key).unique()),
    )
    own = seats.holders.join(of_authors, on=_AUTHOR).join(in_works.cast({"key": pl.String}), on=["work_id", "key"])
    return held(study, seats, members, listed.select(_AUTHOR), own)


def roles_of_pairs(study: Study, seats: Seats, pairs: Sequence[PairWorks]) -> pl.DataFrame:
    """Return the roles in the listed works of each pair of a panel, with the key of the pair as slice.

    Parameters
    ----------
    seats : of all listed works of the panel.
    """
    keys = [one.pair.key for one in pairs]
    members = of_pairs(pairs).filter("is_listed")
    listed = pl.concat(
        one.listed.join(one.works.select("work_id"), on="work_id", how="semi").select(*_AUTHOR, key=pl.lit(key))
        for key, one in zip(keys, pairs, strict=True)
    )
    own = pl.concat(
        seats.holders.filter(on_side(one.pair.side_a.countries)).with_columns(key=pl.lit(key))
        for key, one in zip(keys, pairs, strict=True)
    )
    return held(study, seats, members, listed, own, keys)


def held(
    study: Study,
    seats: Seats,
    members: pl.DataFrame,
    listed: pl.DataFrame,
    own: pl.DataFrame,
    always: Sequence[str] = (),
) -> pl.DataFrame:
    """Return per slice, group and role in how many works an author of a listed institution, or of side A, has the role.

    Parameters
    ----------
    members : listed works of slices (`copub.measures.members`), with is_critical.
    listed : work_id, author_seq of the authors of listed institutions; with the key of the slice where slices differ.
    own : those of `Seats.holders` that are of side A; with the key of the slice where slices differ.
    always : slices that have their rows without works too.
    """
    plain = members.with_columns(pl.col(SLICE).cast(pl.String)).select("work_id", *SLICE, "is_critical")
    parts = [_of_role(role, seats, plain, listed.unique(), own) for role in ROLES]
    rows = pl.concat(
        rows_of_slices(part, list(_GROUPS), _COUNTS, always).with_columns(role=pl.lit(role))
        for role, part in zip(ROLES, parts, strict=True)
    )
    expected = pl.col("by_lot") / pl.col("denominator")
    few = pl.col("denominator") < study.small_cell
    rows = rows.with_columns(expected.fill_nan(None).round(DIGITS).alias("expected")).with_columns(
        pl.when(~few).then(pl.col(name).cast(pl.Float64).round(DIGITS)).alias(name) for name in _HELD
    )
    rows = with_wilson(rows, "numerator", "denominator", study.confidence)
    rows = with_wilson(rows, "numerator_a", "denominator", study.confidence, ("share_a", "share_a_low", "share_a_high"))
    small = few | (pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)
    return rows.with_columns(small.alias("is_small"))


def _of_role(role: str, seats: Seats, members: pl.DataFrame, listed: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Return one row per slice with the sums of both groups."""
    by = ["work_id", *(["key"] if "key" in listed.columns else [])]
    by_own = ["work_id", *(["key"] if "key" in own.columns else [])]
    holders = seats.holders.filter(role=role)
    in_works = (
        members.join(seats.works, on="work_id")
        .join(holders.group_by("work_id").agg(holders=pl.len()), on="work_id", how="left")
        .join(listed.group_by(by).agg(listed=pl.len()), on=by, how="left")
        .join(holders.join(listed, on=_AUTHOR).select(by).unique().with_columns(has=True), on=by, how="left")
        .join(own.filter(role=role).select(by_own).unique().with_columns(has_a=True), on=by_own, how="left")
        .with_columns(pl.col("holders", "listed").fill_null(0), pl.col("has", "has_a").fill_null(value=False))
    )
    single, cut = pl.col("n_authors") == 1, pl.col("is_cut")
    known = ~single & ~cut & (pl.col("holders") > 0)
    counted = in_works.with_columns(
        works=EVERY,
        single_author=single,
        cut=~single & cut,
        unknown=~single & ~cut & (pl.col("holders") == 0),
        denominator=known,
        numerator=known & pl.col("has"),
        numerator_a=known & pl.col("has_a"),
        alphabetical=known & pl.col("is_alphabetical"),
        alphabetical_by_chance=pl.when(known).then(_orders(in_works["n_authors"])).otherwise(0.0),
        by_lot=pl.when(known).then(by_lot(in_works)).otherwise(0.0),
    )
    return counted.group_by("key").agg(
        pl.col("slice", "slice_id").first(),
        # sorted, so that sums of parts do not depend on the order of works
        *(
            pl.col(count).filter(group).sort().sum().alias(f"{name}|{count}")
            for name, group in _GROUPS.items()
            for count in _COUNTS
        ),
    )


def _orders(authors: pl.Series) -> pl.Series:
    """Return the chance that authors are in alphabetical order if their order has nothing to do with their names."""
    return pl.Series(_BY_CHANCE[np.minimum(authors.to_numpy(), len(_BY_CHANCE) - 1)])


def by_lot(works: pl.DataFrame) -> pl.Series:
    """Return the chance that one of the listed authors of a work has a role that falls to as many authors by lot.

    Parameters
    ----------
    works : n_authors, holders (authors with the role) and listed (authors of listed institutions) of each work.

    1 - C(n - l, k) / C(n, k), of n authors l are listed and k have the role (hypergeometric distribution).
    """
    n, k, listed = (works[name].to_numpy().astype(np.float64) for name in ("n_authors", "holders", "listed"))
    none: Array = np.ones_like(n)
    for place in range(int(k.max(initial=0))):
        is_drawn = place < np.minimum(k, n)
        left = np.where(is_drawn, n - place, 1)
        none *= np.where(is_drawn, np.maximum(left - listed, 0) / left, 1)
    return pl.Series(1 - none)
