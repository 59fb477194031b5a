"""Repairs of affiliations in a study: applied before matching if it says so, listed in any case."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from copub.schema import TABLES, conform
from copub.screening.repairs import repair, repair_authorships
from copub.study import Study
from copub.tables import Tables
from copub.tables.funnel import Funnel

REASON = "repair"


def repaired(tables: Tables, study: Study) -> tuple[Tables, pl.DataFrame]:
    """Return the tables as the study wants them, and the table ``repairs``.

    Where the study applies repairs, affiliations and sides follow them, and a work that keeps
    no affiliation on one of the sides leaves the study's population (`excluded_because` =
    repair). Works that a repair would bring into the pair are not among the records.
    """
    made = repair(tables.affiliations)
    listed = conform("repairs", made.repairs.with_columns(pl.lit(study.repairs).alias("is_applied")))
    if not study.repairs:
        return tables, listed
    authorships = repair_authorships(
        tables.authorships, tables.affiliations, made.affiliations, study.side_a.countries, study.side_b.countries
    )
    sides = authorships.group_by("work_id").agg(pl.col("on_side_a").any(), pl.col("on_side_b").any())
    lost = sides.filter(~(pl.col("on_side_a") & pl.col("on_side_b")))["work_id"]
    leaves = pl.col("in_population") & pl.col("work_id").is_in(lost.implode())
    works = tables.works.with_columns(
        pl.when(leaves).then(pl.lit(REASON)).otherwise("excluded_because").alias("excluded_because"),
        (pl.col("in_population") & ~leaves).alias("in_population"),
    )
    funnel = _lessened(tables.funnel, works.filter(pl.col("excluded_because") == REASON).height)
    return (
        replace(
            tables,
            works=works.select(TABLES["works"].schema.names()),
            authorships=authorships,
            affiliations=made.affiliations,
            funnel=funnel,
        ),
        listed,
    )


def _lessened(funnel: Funnel, count: int) -> Funnel:
    excluded = funnel.excluded.copy()
    if count:
        excluded[(REASON, "")] += count
    return replace(funnel, excluded=excluded)
