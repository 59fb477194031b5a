"""The analysis-ready table: one row per work of the study's denominator, with all its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from copub.measures.duplicategroups import COLUMNS as DUPLICATES
from copub.measures.duplicategroups import with_groups
from copub.packed import WORKS_AT_ONCE
from copub.parallel import in_step
from copub.schema import conform

if TYPE_CHECKING:
    from copub.corpus import Tables
    from copub.study import Study
    from copub.technology import Classification

TEXTS = pl.List(pl.String)
UNRATED = "unrated"


def copublications(flagged: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``copublications``: the flagged works that are in the study's denominator."""
    kept = flagged.filter(pl.col("excluded_because").is_null())
    return conform("copublications", kept.drop("excluded_because", "is_xpac", "is_paratext", *DUPLICATES))


def flagged_works(
    study: Study,
    tables: Tables,
    classification: Classification,
    hits: pl.DataFrame,
    levels: Sequence[str],
    reviewed: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return all co-publications with the columns of table ``copublications``, whether counted or not.

    Works that the study leaves out say why in ``excluded_because``; with ``is_xpac``,
    ``is_paratext`` and the groups of duplicates that is what other choices of works need. Sorted by work_id.

    Parameters
    ----------
    study : what is asked.
    tables : works, authorships and affiliations of all co-publications.
    classification : assignments and basis of judgement.
    hits : table ``hits``, over all watchlists of the study.
    levels : risk levels of the headline watchlists, strongest first.
    reviewed : review status by work_id, where people have decided.
    """
    found = _judged(study, tables, classification, hits, levels)
    no_texts = pl.lit([], dtype=TEXTS)
    flagged = found.join(_status(reviewed or {}), on="work_id", how="left").with_columns(
        pl.col("is_critical", "is_listed", "is_level_top").fill_null(False),
        pl.col("areas", "entities", "watchlists", "tiers").fill_null(no_texts),
        pl.col("listed_band").fill_null("none"),
        pl.col("review_status").fill_null("unreviewed"),
        pl.col("has_institution", "has_affiliation", "classifiable").fill_null(False),
        pl.col("classified_from").fill_null("nothing"),
    )
    return (
        flagged.with_columns(
            (pl.col("is_critical") & pl.col("is_listed")).alias("is_critical_listed"),
            (pl.col("is_critical") & pl.col("is_level_top")).alias("is_top_level"),
        )
        .drop("is_level_top")
        .sort("work_id")
    )


def _judged(
    study: Study, tables: Tables, classification: Classification, hits: pl.DataFrame, levels: Sequence[str]
) -> pl.DataFrame:
    """Return all co-publications with what each stage found of them; null where it found nothing."""
    works = tables.works.select(
        "work_id", "doi", "title", "publication_year", "publication_date", "type", "language",
        "source_name", "publisher", "n_authors", "n_countries", "is_truncated", "is_retracted",
        "abstract_status", "duplicate_of", "epoch", "excluded_because", "is_xpac", "is_paratext",
    )  # fmt: skip
    critical = critical_works(classification.assignments, study.taxonomy)
    listed = listed_works(hits, study, levels)
    on_lists = (
        hits.filter("is_counted").group_by("work_id").agg(pl.col("watchlist").unique().sort().alias("watchlists"))
    )
    countries = [*study.side_a.countries, *study.side_b.countries]

    def judged(part: pl.DataFrame, authorships: pl.DataFrame, affiliations: pl.DataFrame) -> pl.DataFrame:
        for found in (
            authors_by_side(authorships, countries),
            institutions_resolved(authorships, affiliations),
            classification.basis,
            critical,
            listed,
            on_lists,
        ):
            part = part.join(found, on="work_id", how="left", maintain_order="left")
        return part

    ordered = with_groups(works).sort("work_id")
    parts = in_step(ordered, tables.authorships, tables.affiliations, rows=WORKS_AT_ONCE)
    return pl.concat(judged(*part) for part in parts)


def _status(reviewed: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"work_id": list(reviewed), "review_status": list(reviewed.values())},
        schema={"work_id": pl.String, "review_status": pl.String},
    )


def authors_by_side(authorships: pl.DataFrame, countries: Sequence[str]) -> pl.DataFrame:
    """Return per work the authors of each side, the weights of fractional counting, and its kind.

    weight = authors on side A or B / all authors; weight_countries = 1 / number of countries.
    A work is linked by a dual-affiliated author only (`is_dual_only`) if one side has a single
    author and that author is on the other side too. `countries` are those of both sides.
    """
    on_a, on_b = pl.col("on_side_a"), pl.col("on_side_b")
    return (
        authorships.with_columns(
            (pl.col("countries").list.set_difference(list(countries)).list.len() > 0).alias("elsewhere")
        )
        .group_by("work_id")
        .agg(
            on_a.sum().cast(pl.Int32).alias("n_authors_a"),
            on_b.sum().cast(pl.Int32).alias("n_authors_b"),
            ((on_a | on_b).sum() / pl.len()).alias("weight"),
            (1.0 / pl.col("countries").explode().drop_nulls().n_unique()).alias("weight_countries"),
            (~pl.col("elsewhere").any()).alias("is_bilateral"),
            ((on_a & on_b).any() & ((on_a.sum() == 1) | (on_b.sum() == 1))).alias("is_dual_only"),
        )
    )


def institutions_resolved(authorships: pl.DataFrame, affiliations: pl.DataFrame) -> pl.DataFrame:
    """Return per work whether every side-B author has a resolved institution, and whether each has that or a string."""
    has_id, has_string = (pl.col(name).is_not_null() for name in ("institution_id", "raw_affiliation_string"))
    resolved = affiliations.group_by("work_id", "author_seq").agg(
        has_id.any().alias("resolved"), (has_id | has_string).any().alias("readable")
    )
    return (
        authorships.filter("on_side_b")
        .join(resolved, on=["work_id", "author_seq"], how="left")
        .group_by("work_id")
        .agg(
            pl.col("resolved").fill_null(False).all().alias("has_institution"),
            pl.col("readable").fill_null(False).all().alias("has_affiliation"),
        )
    )


def critical_works(assignments: pl.DataFrame, taxonomy: str) -> pl.DataFrame:
    """Return per work with any evidence: is_critical, max_score and the assigned areas."""
    return (
        assignments.filter(pl.col("taxonomy") == taxonomy)
        .group_by("work_id")
        .agg(
            pl.col("assigned").any().alias("is_critical"),
            pl.col("score").max().alias("max_score"),
            pl.col("area").filter("assigned").unique().sort().alias("areas"),
        )
    )


def listed_works(hits: pl.DataFrame, study: Study, levels: Sequence[str]) -> pl.DataFrame:
    """Return per work with a counted hit of a headline watchlist its standing on these lists.

    A hit on side B counts at the levels that the study names. Lower and unrated levels are
    kept apart as a band: never mixed in, never dropped.
    """
    counted = list(study.levels) or list(levels)
    rank = {level: position for position, level in enumerate(levels)}
    relevant = hits.filter(pl.col("is_counted") & pl.col("watchlist").is_in(study.watchlists)).with_columns(
        pl.col("risk_level").is_in(counted).alias("counts"),
        pl.col("risk_level").replace_strict(rank, default=len(rank), return_dtype=pl.Int32).alias("rank"),
    )
    names = {position: level for level, position in rank.items()}
    return (
        relevant.group_by("work_id")
        .agg(
            pl.col("counts").any().alias("is_listed"),
            (pl.col("counts") & (pl.col("risk_level") == study.top_level)).any().alias("is_level_top"),
            pl.col("rank").min().alias("best"),
            (pl.col("risk_level") != UNRATED).any().alias("rated"),
            pl.col("entity_id").unique().sort().alias("entities"),
            pl.col("tier").filter("counts").unique().sort().alias("tiers"),
        )
        .with_columns(
            pl.col("best").replace_strict(names, default=None, return_dtype=pl.String).alias("max_risk_level"),
            pl.when("is_listed")
            .then(pl.lit("counted"))
            .when("rated")
            .then(pl.lit("lower level"))
            .otherwise(pl.lit("unrated"))
            .alias("listed_band"),
        )
        .drop("best", "rated")
    )
