"""Who with whom: institutions of each side, and pairs of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.parallel import Table, by_parts, columns_of, own_rows, split_by_work, with_own_buffers
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study


_SMALL: Mapping[str, pl.DataType] = {
    "side": pl.Enum(["a", "b"]),
    **dict.fromkeys(("key", "institution_id", "institution_name", "country_code"), pl.Categorical()),
}
"""There are several rows per work, and few institutions: each name is kept once."""
OWN_FIELDS = ("institution_id", "ror", "lineage", "institution_name")
"""A hit in these says something of the institution; a raw string may name another body beside it."""
_NAMED = ("work_id", "author_seq", "institution_id", "institution_name", "country_code")


def institutions_of_works(study: Study, affiliations: Table, works: pl.DataFrame) -> pl.DataFrame:
    """Return one row per work, side and institution: its name, id, country and share of the authors.

    Parameters
    ----------
    affiliations : table ``affiliations``.
    works : table ``copublications`` (work_id, n_authors are read).

    An author with several institutions gives each an equal part. Institutions without an id
    are distinguished by name; one id keeps its most frequent name.
    """
    sides = dict.fromkeys(study.side_a.countries, "a") | dict.fromkeys(study.side_b.countries, "b")
    numbers = works.select("work_id", "n_authors")
    counted: list[pl.DataFrame] = []
    parts: list[pl.DataFrame] = []
    for part in split_by_work(columns_of(affiliations, *_NAMED)):
        named = _named(part, own_rows(numbers, part), sides)
        counted.append(with_own_buffers(named.group_by("key", "institution_name").len()))
        parts.append(
            named.group_by("work_id", "side", "key")
            .agg(
                pl.col("part").sort().sum(),
                pl.col("institution_id").first(),
                pl.col("country_code").sort().first(),
            )
            # no work is in two parts, and these are in the order of works
            .sort("work_id", "side", "key")
            .cast({name: dtype for name, dtype in _SMALL.items() if name != "institution_name"})
        )
    names = (
        pl.concat(counted)
        .group_by("key", "institution_name")
        .agg(pl.col("len").sum())
        .sort(["len", "institution_name"], descending=[True, False])
        .group_by("key", maintain_order=True)
        .agg(pl.col("institution_name").first())
        .cast({name: _SMALL[name] for name in ("key", "institution_name")})
    )
    return pl.concat([part.join(names, on="key", maintain_order="left") for part in _taken(parts)])


def _taken(parts: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the parts in order and let each go: with names they take more memory."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _named(affiliations: pl.DataFrame, works: pl.DataFrame, sides: Mapping[str, str]) -> pl.DataFrame:
    """Return one row per work, author and institution of a side, with its part of the work."""
    return (
        affiliations.select(_NAMED)
        .filter(pl.col("institution_name").is_not_null())
        .join(works, on="work_id")
        .with_columns(pl.coalesce("institution_id", "institution_name").alias("key"))
        .group_by("work_id", "author_seq", "key", maintain_order=True)
        .agg(
            pl.col("institution_id", "institution_name", "n_authors").first(),
            pl.col("country_code").drop_nulls().sort().first(),
        )
        .with_columns(
            (1.0 / pl.len().over("work_id", "author_seq") / pl.col("n_authors")).alias("part"),
            pl.col("country_code").replace_strict(sides, default=None, return_dtype=pl.String).alias("side"),
        )
        .filter(pl.col("side").is_not_null())
    )


def levels_of_institutions(
    hits: pl.DataFrame, affiliations: Table, study: Study, levels: Sequence[str]
) -> pl.DataFrame:
    """Return per institution (key) the listed entity that it is, and its strongest level.

    Only hits on the institution itself count here (identifier, lineage, or its display name),
    not names found in raw strings, which may name another body beside it.
    """
    rank = {level: position for position, level in enumerate(levels)}
    own = hits.filter(
        pl.col("is_counted") & pl.col("watchlist").is_in(study.watchlists) & pl.col("field").is_in(OWN_FIELDS)
    )
    place = ["work_id", "author_seq", "affiliation_seq"]
    key = pl.coalesce("institution_id", "institution_name").alias("key")
    named = columns_of(affiliations, *place, "institution_id", "institution_name")
    keys = by_parts(
        named, lambda part: with_own_buffers(part.select(*place, key).join(own.select(place), on=place, how="semi"))
    )
    return (
        own.join(keys, on=place)
        .select("key", "entity_id", "risk_level")
        .unique()
        .sort(pl.col("risk_level").replace_strict(rank, default=len(rank), return_dtype=pl.Int32), "entity_id")
        .group_by("key", maintain_order=True)
        .agg(pl.col("entity_id").first(), pl.col("risk_level").first())
        .cast({"key": _SMALL["key"]})
    )


def institutions(study: Study, of_works: pl.DataFrame, works: pl.DataFrame, own_levels: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``institutions``."""
    flags = works.select("work_id", "is_critical", "is_listed", "is_critical_listed")
    counted = (
        of_works.join(flags, on="work_id")
        .group_by("side", "key")
        .agg(
            pl.col("institution_id").first(),
            pl.col("institution_name").first(),
            pl.col("country_code").sort().first(),
            pl.len().cast(pl.Int32).alias("works"),
            pl.col("part").sort().sum().alias("works_fractional"),
            pl.col("is_critical").sum().cast(pl.Int32).alias("critical"),
            pl.col("is_listed").sum().cast(pl.Int32).alias("listed"),
            pl.col("is_critical_listed").sum().cast(pl.Int32).alias("critical_listed"),
        )
        .join(own_levels, on="key", how="left")
    )
    return conform(
        "institutions",
        counted.drop("key").with_columns((pl.col("works") < study.small_cell).alias("is_small")),
    )


def pairs(study: Study, of_works: pl.DataFrame, works: pl.DataFrame, own_levels: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``pairs``: institutions of side A and side B that are in the same work."""
    side_a = of_works.filter(pl.col("side") == "a").select(
        "work_id",
        pl.col("key").alias("key_a"),
        pl.col("institution_id").alias("institution_a_id"),
        pl.col("institution_name").alias("institution_a"),
    )
    side_b = of_works.filter(pl.col("side") == "b").select(
        "work_id",
        "key",
        pl.col("institution_id").alias("institution_b_id"),
        pl.col("institution_name").alias("institution_b"),
    )
    flags = works.select("work_id", "is_critical", "is_critical_listed")
    counted = (
        side_a.join(side_b, on="work_id")
        .join(flags, on="work_id")
        .group_by("key_a", "key")
        .agg(
            pl.col("institution_a", "institution_a_id", "institution_b", "institution_b_id").first(),
            pl.len().cast(pl.Int32).alias("works"),
            pl.col("is_critical").sum().cast(pl.Int32).alias("critical"),
            pl.col("is_critical_listed").sum().cast(pl.Int32).alias("critical_listed"),
        )
        .join(own_levels.select("key", "risk_level"), on="key", how="left")
    )
    return conform(
        "pairs",
        counted.drop("key", "key_a").with_columns((pl.col("works") < study.small_cell).alias("is_small")),
    )
