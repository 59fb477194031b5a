"""Shares: every measure in every slice under every rule of counting, with interval and floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.intervals import with_intervals
from copub.measures.duplicategroups import first_of_group
from copub.packed import WORKS_AT_ONCE
from copub.parallel import own_rows
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

COUNTING_WEIGHT: Mapping[str, pl.Expr] = {
    "full": pl.lit(1.0),
    "fractional-authors": pl.col("weight"),
    "fractional-countries": pl.col("weight_countries"),
}

OWN_PART = ("listed_authors", "critical_listed_authors")
"""Measures that are a sum of parts of works, not of works: they have full counting only."""

LEVEL = {"listed", "critical_listed", "listed_given_critical", "critical_given_listed", *OWN_PART}
"""Measures that rest on the study's levels."""

_TRUE = pl.col("work_id").is_not_null()  # a column, so that sums run over the rows of a group
MEASURES: Mapping[str, tuple[pl.Expr, pl.Expr]] = {
    # measure: (works that have the property, works it is a share of)
    "critical": (pl.col("is_critical"), _TRUE),
    "listed": (pl.col("is_listed"), _TRUE),
    "critical_listed": (pl.col("is_critical_listed"), _TRUE),
    "top_level": (pl.col("is_top_level"), _TRUE),
    "critical_listed_lower": (pl.col("is_critical") & (pl.col("listing_category") == "lower level"), _TRUE),
    "critical_listed_unrated": (pl.col("is_critical") & (pl.col("listing_category") == "unrated"), _TRUE),
    "listed_lower": (pl.col("listing_category") == "lower level", _TRUE),
    "listed_unrated": (pl.col("listing_category") == "unrated", _TRUE),
    "top_level_given_critical_listed": (pl.col("is_top_level"), pl.col("is_critical_listed")),
    "listed_given_critical": (pl.col("is_critical_listed"), pl.col("is_critical")),
    "critical_given_listed": (pl.col("is_critical_listed"), pl.col("is_listed")),
    "listed_authors": (pl.col("listed_fraction"), _TRUE),
    "critical_listed_authors": (pl.col("is_critical") * pl.col("listed_fraction"), _TRUE),
}

AREA_MEASURES = ("critical", "critical_listed", "top_level")
SUMS = ("numerator", "denominator", "squares")

AUTHOR_CAPS = (100, 30)
FIXED: tuple[tuple[str, str], ...] = (
    ("all", "all"),
    ("bilateral", "bilateral"),
    ("bilateral", "multilateral"),
    ("abstract", "with abstract"),
    ("abstract", "title only"),
    ("author_cap", "none"),
    *(("author_cap", f"at most {cap}") for cap in AUTHOR_CAPS),
    ("duplicates", "kept"),
    ("dual", "dual-affiliated link only"),
    ("dual", "other links"),
)
"""Slices that every study has, be it with 0 works."""

ABSTRACT_STRATUM = (
    pl.when(pl.col("abstract_status") == "full").then(pl.lit("with abstract")).otherwise(pl.lit("title only"))
)

SHARED = (
    "work_id", "publication_year", "publication_date", "n_authors", "weight", "weight_countries", "is_bilateral",
    "is_dual_only", "abstract_status", "is_critical", "areas", "is_listed", "listing_category", "is_critical_listed",
    "is_top_level", "listed_fraction", "duplicate_group", "duplicate_order", "excluded_because",
)  # fmt: skip
"""What is read of the flagged works."""
_COUNTED = (
    "work_id", "weight", "weight_countries", "is_critical", "is_listed", "listing_category", "is_critical_listed",
    "is_top_level", "listed_fraction",
)  # fmt: skip
"""What the measures and the rules of counting read: a work is repeated for each of its institutions."""


def shares(
    study: Study,
    flagged: pl.DataFrame,
    institutions_of: pl.DataFrame,
    levels: tuple[str, ...],
    areas: Sequence[str],
) -> pl.DataFrame:
    """Return the table ``shares``.

    Parameters
    ----------
    study : what is asked.
    flagged : all co-publications with their flags (`copublications.flagged_works`).
    institutions_of : columns work_id, side, institution_name (one row per work and institution).
    levels : risk levels of the headline watchlists, strongest first.
    areas : area ids of the headline taxonomy; each has its row, be it 0.
    """
    slim = flagged.select(SHARED)
    works = slim.filter(pl.col("excluded_because").is_null())
    sliced = _sliced(study, slim, works, institutions_of)
    rows = with_intervals(pl.concat([_count(sliced), _count_areas(works, areas)]), study.confidence)
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


def slices() -> list[tuple[str, pl.Expr]]:
    """Return the kinds of slice and the expression that gives each work its slice (null: in none)."""
    return [
        ("all", pl.lit("all")),
        ("year", pl.col("publication_year").cast(pl.String)),
        ("bilateral", pl.when("is_bilateral").then(pl.lit("bilateral")).otherwise(pl.lit("multilateral"))),
        ("abstract", ABSTRACT_STRATUM),
        ("dual", pl.when("is_dual_only").then(pl.lit("dual-affiliated link only")).otherwise(pl.lit("other links"))),
    ]  # fmt: skip


def _sliced(
    study: Study, flagged: pl.DataFrame, works: pl.DataFrame, institutions_of: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Yield the works with slice_kind and slice, kind by kind and part by part: together they are many times the works.

    The parts are the same on every machine, for sums of weights are added in their order.
    """
    # Under an author cap are also works that the study's own cap leaves out.
    capped = flagged.filter(pl.col("excluded_because").is_null() | (pl.col("excluded_because") == "author cap"))
    for part in _parts(capped):
        yield _one(part, "author_cap", pl.lit("none"))
        for cap in AUTHOR_CAPS:
            yield _one(part.filter(pl.col("n_authors") <= cap), "author_cap", pl.lit(f"at most {cap}"))
    large = {side: _large(institutions_of.filter(pl.col("side") == side), study.small_cell) for side in ("a", "b")}
    for part in _parts(works.with_columns(is_first=first_of_group(works))):
        for kind, piece in slices():
            yield _one(part, kind, piece)
        yield _one(part.filter("is_first"), "duplicates", pl.lit("kept"))
        for side, names in large.items():
            of_side = part.select(_COUNTED).join(own_rows(names, part), on="work_id")
            yield of_side.with_columns(slice_kind=pl.lit(f"institution_{side}"))


def _parts(works: pl.DataFrame) -> Iterator[pl.DataFrame]:
    yield from works.iter_slices(WORKS_AT_ONCE) if works.height else (works,)


def _one(works: pl.DataFrame, kind: str, piece: pl.Expr) -> pl.DataFrame:
    return works.with_columns(pl.lit(kind).alias("slice_kind"), piece.cast(pl.String).alias("slice")).filter(
        pl.col("slice").is_not_null()
    )


def _large(of_side: pl.DataFrame, least: int) -> pl.DataFrame:
    """Return work_id and slice of the works of each institution with as many of them as the floor for cells asks.

    Smaller institutions have no share worth printing; their counts are in table ``institutions``.
    """
    names = of_side.select("work_id", slice="institution_name").unique(maintain_order=True)
    return names.filter(pl.len().over("slice") >= least)


def _count(sliced: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Count every measure in every slice; the fixed slices have their rows even without works."""
    kinds = [
        (measure, counting)
        for measure in MEASURES
        for counting in COUNTING_WEIGHT
        if counting == "full" or measure not in OWN_PART
    ]
    sums = {}
    for measure, counting in kinds:
        (has, of), weight = MEASURES[measure], COUNTING_WEIGHT[counting]
        sums[f"{measure}|{counting}"] = (weight * has * of).sum()
        # many measures are shares of the same works
        sums[f"{of}|{counting}|denominator"] = (weight * of).sum()
        sums[f"{of}|{counting}|squares"] = (weight * weight * of).sum()
    keys = ["slice_kind", "slice"]
    parts = [part.group_by(keys).agg(**sums).cast({"slice": pl.String}) for part in sliced]
    found = pl.concat(parts, how="vertical_relaxed").group_by(keys, maintain_order=True).agg(pl.all().sum())
    fixed = pl.DataFrame(FIXED, schema=keys, orient="row")
    full = pl.concat([found, fixed.join(found, on=keys, how="anti")], how="diagonal")
    return pl.concat(
        full.select(
            *keys,
            pl.lit(measure).alias("measure"),
            pl.lit(counting).alias("counting"),
            pl.col(f"{measure}|{counting}").fill_null(0.0).alias("numerator"),
            *(
                pl.col(f"{MEASURES[measure][1]}|{counting}|{name}").fill_null(0.0).alias(name)
                for name in ("denominator", "squares")
            ),
        )
        for measure, counting in kinds
    )


def _count_areas(works: pl.DataFrame, areas: Sequence[str]) -> pl.DataFrame:
    """Count works per area, as a share of all works: a work of two areas counts in both."""
    parts: list[pl.DataFrame] = []
    read = works.select("work_id", "weight", "weight_countries", "areas", *(f"is_{name}" for name in AREA_MEASURES))
    exploded = read.filter(pl.col("areas").list.len() > 0).explode("areas", keep_nulls=False, empty_as_null=False)
    listed = pl.DataFrame({"slice": list(areas)}, schema={"slice": pl.String})
    for measure in AREA_MEASURES:
        has, of = MEASURES[measure]
        for counting, weight in COUNTING_WEIGHT.items():
            total = works.select(
                (weight * of).sum().alias("denominator"), (weight * weight * of).sum().alias("squares")
            )
            counted = exploded.group_by(pl.col("areas").alias("slice")).agg((weight * has).sum().alias("numerator"))
            parts.append(
                listed.join(counted, on="slice", how="left")
                .join(total, how="cross")
                .select(
                    pl.lit("area").alias("slice_kind"),
                    "slice",
                    pl.lit(measure).alias("measure"),
                    pl.lit(counting).alias("counting"),
                    *(pl.col(sum_).fill_null(0.0) for sum_ in SUMS),
                )
            )
    return pl.concat(parts)
