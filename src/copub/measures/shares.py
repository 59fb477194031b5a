"""Shares: every measure in every slice under every rule of counting, with interval and floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from copub.measures.intervals import with_intervals
from copub.schema import conform
from copub.study import Study

COUNTING_WEIGHT: Mapping[str, pl.Expr] = {
    "full": pl.lit(1.0),
    "fractional-authors": pl.col("weight"),
    "fractional-countries": pl.col("weight_countries"),
}

LEVEL = {"listed", "critical_listed", "listed_given_critical", "critical_given_listed"}
"""Measures that rest on the study's levels."""

_TRUE = pl.col("work_id").is_not_null()  # a column, so that sums run over the rows of a group
MEASURES: Mapping[str, tuple[pl.Expr, pl.Expr]] = {
    # measure: (works that have the property, works it is a share of)
    "critical": (pl.col("is_critical"), _TRUE),
    "listed": (pl.col("is_listed"), _TRUE),
    "critical_listed": (pl.col("is_critical_listed"), _TRUE),
    "top_level": (pl.col("is_top_level"), _TRUE),
    "critical_listed_lower": (pl.col("is_critical") & (pl.col("listed_band") == "lower level"), _TRUE),
    "critical_listed_unrated": (pl.col("is_critical") & (pl.col("listed_band") == "unrated"), _TRUE),
    "listed_lower": (pl.col("listed_band") == "lower level", _TRUE),
    "listed_unrated": (pl.col("listed_band") == "unrated", _TRUE),
    "top_level_given_critical_listed": (pl.col("is_top_level"), pl.col("is_critical_listed")),
    "listed_given_critical": (pl.col("is_critical_listed"), pl.col("is_critical")),
    "critical_given_listed": (pl.col("is_critical_listed"), pl.col("is_listed")),
}

AUTHOR_CAPS = (100, 30)


def shares(
    study: Study,
    copublications: pl.DataFrame,
    institutions_of: pl.DataFrame,
    levels: tuple[str, ...],
    areas: Sequence[str],
) -> pl.DataFrame:
    """Return the table ``shares``.

    Parameters
    ----------
    study : what is asked.
    copublications : table ``copublications``.
    institutions_of : columns work_id, side, institution_name (one row per work and institution).
    levels : risk levels of the headline watchlists, strongest first.
    areas : area ids of the headline taxonomy; each has its row, be it 0.
    """
    sliced = pl.concat(
        [_one(copublications, kind, piece) for kind, piece in slices(copublications)]
        + [_by_institution(copublications, institutions_of, side) for side in ("a", "b")]
    )
    counted = pl.concat([_count(sliced, measure, counting) for measure in MEASURES for counting in COUNTING_WEIGHT])
    by_area = [
        _count_areas(copublications, measure, counting, areas)
        for measure in ("critical", "critical_listed", "top_level")
        for counting in COUNTING_WEIGHT
    ]
    rows = with_intervals(pl.concat([counted, *by_area]), study.confidence)
    return conform(
        "shares",
        rows.drop("squares").with_columns(
            pl.lit(study.taxonomy).alias("taxonomy"),
            pl.lit("+".join(study.watchlists)).alias("watchlist"),
            risk_level_of(study, levels).alias("risk_level"),
            pl.when(pl.col("denominator") == 0)
            .then(pl.lit("none"))
            .when(pl.col("counting") == "full")
            .then(pl.lit("wilson"))
            .otherwise(pl.lit("wilson-effective"))
            .alias("interval"),
            pl.lit(study.confidence).alias("confidence"),
            ((pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)).alias("is_small"),
        ),
    )


def risk_level_of(study: Study, levels: tuple[str, ...]) -> pl.Expr:
    """Return the levels that a measure counts, joined by +; empty where levels play no part."""
    counted = study.levels or levels
    lower = [level for level in levels if level not in counted and level != "unrated"]
    return (
        pl.when(pl.col("measure").is_in(["top_level", "top_level_given_critical_listed"]))
        .then(pl.lit(study.top_level))
        .when(pl.col("measure").is_in(sorted(LEVEL)))
        .then(pl.lit("+".join(counted)))
        .when(pl.col("measure").str.ends_with("_lower"))
        .then(pl.lit("+".join(lower)))
        .when(pl.col("measure").str.ends_with("_unrated"))
        .then(pl.lit("unrated"))
        .otherwise(pl.lit(""))
    )


def slices(works: pl.DataFrame) -> list[tuple[str, pl.Expr]]:
    """Return the kinds of slice and the expression that gives each work its slice (null: in none)."""
    kept = pl.lit("kept")
    return [
        ("all", pl.lit("all")),
        ("year", pl.col("publication_year").cast(pl.String)),
        ("bilateral", pl.when("is_bilateral").then(pl.lit("bilateral")).otherwise(pl.lit("multilateral"))),
        *(("author_cap", pl.when(pl.col("n_authors") <= cap).then(pl.lit(f"at most {cap}"))) for cap in AUTHOR_CAPS),
        ("abstract", pl.when(pl.col("abstract_status") == "full").then(pl.lit("with abstract")).otherwise(pl.lit("title only"))),
        ("duplicates", pl.when(pl.col("duplicate_of").is_null()).then(kept)),
        ("dual", pl.when("is_dual_only").then(pl.lit("dual-affiliated link only")).otherwise(pl.lit("other links"))),
    ]  # fmt: skip


def _one(works: pl.DataFrame, kind: str, piece: pl.Expr) -> pl.DataFrame:
    return works.with_columns(pl.lit(kind).alias("slice_kind"), piece.cast(pl.String).alias("slice")).filter(
        pl.col("slice").is_not_null()
    )


def _by_institution(works: pl.DataFrame, institutions_of: pl.DataFrame, side: str) -> pl.DataFrame:
    names = institutions_of.filter(pl.col("side") == side).select("work_id", pl.col("institution_name").alias("slice"))
    return works.join(names.unique(), on="work_id").select(
        *works.columns, pl.lit(f"institution_{side}").alias("slice_kind"), "slice"
    )


def _count(sliced: pl.DataFrame, measure: str, counting: str) -> pl.DataFrame:
    has, of = MEASURES[measure]
    weight = COUNTING_WEIGHT[counting]
    # A slice in which nothing qualifies for the denominator still gets its row, with 0 in it.
    return sliced.group_by("slice_kind", "slice", maintain_order=True).agg(
        pl.lit(measure).alias("measure"),
        pl.lit(counting).alias("counting"),
        (weight * (has & of)).sum().alias("numerator"),
        (weight * of).sum().alias("denominator"),
        (weight * weight * of).sum().alias("squares"),
    )


def _count_areas(works: pl.DataFrame, measure: str, counting: str, areas: Sequence[str]) -> pl.DataFrame:
    """Count works per area, as a share of all works: a work of two areas counts in both."""
    has, of = MEASURES[measure]
    weight = COUNTING_WEIGHT[counting]
    total = works.select((weight * of).sum().alias("denominator"), (weight * weight * of).sum().alias("squares"))
    counted = (
        works.explode("areas").group_by(pl.col("areas").alias("slice")).agg((weight * has).sum().alias("numerator"))
    )
    return (
        pl.DataFrame({"slice": list(areas)}, schema={"slice": pl.String})
        .join(counted, on="slice", how="left")
        .join(total, how="cross")
        .select(
            pl.lit("area").alias("slice_kind"),
            "slice",
            pl.lit(measure).alias("measure"),
            pl.lit(counting).alias("counting"),
            pl.col("numerator").fill_null(0.0),
            "denominator",
            "squares",
        )
    )
