"""Areas by risk level, and the pair's weight against each side's whole output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

ANY_AREA, NO_LEVEL = "any area", "none"
CONTEXT_SCHEMA = pl.Schema({"side": pl.String, "year": pl.Int32, "works": pl.Int64})


def area_levels(study: Study, works: pl.DataFrame, areas: Sequence[str], levels: Sequence[str]) -> pl.DataFrame:
    """Return the table ``area_levels``: works by area and by the highest level named in them.

    A work of two areas counts in both, and once in "any area". Every cell has its row.
    """
    marked = works.filter("is_critical").select(
        "work_id", "weight", pl.col("max_risk_level").cast(pl.String).fill_null(NO_LEVEL).alias("risk_level"), "areas"
    )
    each = marked.explode("areas", keep_nulls=False, empty_as_null=False).rename({"areas": "area"})
    every = marked.drop("areas").with_columns(pl.lit(ANY_AREA).alias("area"))
    cells = pl.DataFrame({"area": [*areas, ANY_AREA]}, schema={"area": pl.String}).join(
        pl.DataFrame({"risk_level": [*levels, NO_LEVEL]}, schema={"risk_level": pl.String}), how="cross"
    )
    counted = (
        pl.concat([each.select(every.columns), every])
        .group_by("area", "risk_level")
        .agg(pl.len().cast(pl.Int32).alias("works"), pl.col("weight").sum().round(9).alias("works_fractional"))
    )
    full = cells.join(counted, on=["area", "risk_level"], how="left").with_columns(
        pl.col("works").fill_null(0), pl.col("works_fractional").fill_null(0.0)
    )
    total = pl.col("works").sum().over("area")
    return conform(
        "area_levels",
        full.with_columns(
            pl.when(total > 0).then(pl.col("works") / total).alias("share_of_area"),
            (pl.col("works") < study.small_cell).alias("is_small"),
        ),
    )


def collaboration_indices(study: Study, works: pl.DataFrame, context: pl.DataFrame | None) -> pl.DataFrame:
    """Return the table ``collaboration_indices``: the pair's works against each side's whole output, per year.

    Parameters
    ----------
    works : table ``copublications``.
    context : whole output: columns side ("a", "b", and "world" where known), year, works. None
        (works files) gives a table without rows.

    salton = n_ab / sqrt(n_a n_b), a cosine. association_strength = n_ab n_world / (n_a n_b): works found over works
    expected if the countries of a work were drawn independently (van Eck and Waltman 2009). Works of one
    country fill the whole outputs, so that pairs of countries stay below 1; it serves to compare years and pairs.
    """
    if context is None:
        return conform("collaboration_indices", pl.DataFrame(schema=TABLES["collaboration_indices"].schema))
    given = context.select(pl.col(name).cast(dtype) for name, dtype in CONTEXT_SCHEMA.items())
    years = pl.DataFrame({"year": range(study.year_from, study.year_to + 1)}, schema={"year": pl.Int32})
    pair = works.group_by(pl.col("publication_year").alias("year")).agg(
        pl.len().cast(pl.Int64).alias("works"),
        pl.col("is_critical_listed").sum().cast(pl.Int64).alias("critical_listed"),
    )
    full = years.join(pair, on="year", how="left").with_columns(pl.col("works", "critical_listed").fill_null(0))
    for side in ("a", "b", "world"):
        of_side = given.filter(side=side).group_by("year").agg(pl.col("works").sum().alias(f"output_{side}"))
        full = full.join(of_side, on="year", how="left")
    a, b, world, n = (pl.col(name) for name in ("output_a", "output_b", "output_world", "works"))
    known = (a > 0) & (b > 0)
    return conform(
        "collaboration_indices",
        full.with_columns(
            pl.when(a > 0).then(n / a).alias("share_of_a"),
            pl.when(b > 0).then(n / b).alias("share_of_b"),
            pl.when(known).then(n / (a.cast(pl.Float64) * b.cast(pl.Float64)).sqrt()).alias("salton"),
            pl.when(known).then(n * (world / a.cast(pl.Float64)) / b.cast(pl.Float64)).alias("association_strength"),
            (n < study.small_rate).alias("is_small"),
        ),
    )
