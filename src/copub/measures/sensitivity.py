"""Sensitivity: the headline with one switch moved at a time, computed from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from copub.measures.copublications import UNRATED
from copub.measures.intervals import with_intervals
from copub.measures.shares import AUTHOR_CAPS, COUNTING_WEIGHT
from copub.schema import conform

if TYPE_CHECKING:
    from copub.study import Study

_EVERY = pl.col("work_id").is_not_null()


def sensitivity(study: Study, works: pl.DataFrame, hits: pl.DataFrame, levels: tuple[str, ...]) -> pl.DataFrame:
    """Return the table ``sensitivity``.

    Parameters
    ----------
    works : table ``copublications``.
    hits : table ``hits``; identifier and name tiers, medical units and children are switched here.
    levels : risk levels of the headline watchlists, strongest first.
    """
    rows = [
        _headline(works, switch, setting, keep, listed, counting)
        for switch, setting, keep, listed, counting in _moves(study, hits, levels)
    ]
    frame = with_intervals(pl.concat(rows), study.confidence)
    own = frame.filter(pl.col("switch") == "base")["share"][0]
    return conform(
        "sensitivity",
        frame.drop("squares").with_columns((pl.col("share") - pl.lit(own, dtype=pl.Float64)).alias("difference")),
    )


def _moves(
    study: Study, hits: pl.DataFrame, levels: tuple[str, ...]
) -> Iterator[tuple[str, str, pl.Expr, pl.Expr, str]]:
    """Yield switch, setting, works kept, works listed, counting rule."""
    listed = pl.col("is_listed")
    counted = list(study.levels or levels)
    yield "base", "the study as it stands", _EVERY, listed, study.counting
    for counting in COUNTING_WEIGHT:
        yield "counting", counting, _EVERY, listed, counting
    for cap in AUTHOR_CAPS:
        yield "author cap", f"at most {cap} authors", pl.col("n_authors") <= cap, listed, study.counting
    yield "links", "bilateral works only", pl.col("is_bilateral"), listed, study.counting
    yield (
        "links",
        "without works linked by dual-affiliated authors only",
        ~pl.col("is_dual_only"),
        listed,
        study.counting,
    )
    yield "duplicates", "first of each group only", pl.col("duplicate_of").is_null(), listed, study.counting
    yield "text", "works with an abstract only", pl.col("abstract_status") == "full", listed, study.counting
    rated = [level for level in levels if level != UNRATED]
    choices = {f"{level} and above": rated[: position + 1] for position, level in enumerate(rated)}
    if UNRATED in levels:
        choices["every entity, rated or not"] = list(levels)
    for setting, chosen in choices.items():
        yield "levels", setting, _EVERY, _listed(study, hits, chosen), study.counting
    for setting, keep in (
        ("identifier only", pl.col("tier") == "identifier"),
        ("identifier and lineage", pl.col("tier").is_in(["identifier", "lineage"])),
    ):
        yield "tiers", setting, _EVERY, _listed(study, hits.filter(keep), counted), study.counting
    yield (
        "medical units",
        "left out",
        _EVERY,
        _listed(study, hits.filter(~pl.col("is_medical")), counted),
        study.counting,
    )
    children = hits.filter(pl.col("via_entity").is_null() & (pl.col("tier") != "lineage"))
    yield "children", "left out", _EVERY, _listed(study, children, counted), study.counting


def _listed(study: Study, hits: pl.DataFrame, levels: list[str]) -> pl.Expr:
    works = hits.filter(
        pl.col("is_counted")
        & pl.col("watchlist").is_in(study.watchlists)
        & pl.col("entity_country").is_in(study.side_b.countries)
        & pl.col("risk_level").is_in(levels)
    )["work_id"].unique()
    return pl.col("work_id").is_in(works.implode())


def _headline(
    works: pl.DataFrame, switch: str, setting: str, keep: pl.Expr, listed: pl.Expr, counting: str
) -> pl.DataFrame:
    weight = COUNTING_WEIGHT[counting]
    return works.filter(keep).select(
        pl.lit(switch).alias("switch"),
        pl.lit(setting).alias("setting"),
        (weight * (pl.col("is_critical") & listed)).sum().alias("numerator"),
        (weight * _EVERY).sum().alias("denominator"),
        (weight * weight * _EVERY).sum().alias("squares"),
    )
