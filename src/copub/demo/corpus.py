"""A synthetic corpus with known true values, for the study `demo`.

About 5,000 works as OpenAlex would give them, about 2,000 of them with a Belgian and a Chinese
author. Institutions, people, journals and texts are invented, on both sides. What is true of
each work (its areas, whether a listed institution takes part) is known because the work was
made so; it is next to the records, never in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from copub.demo.places import institutions
from copub.demo.plan import EXCLUDED_TYPES, FIRST_YEAR, LAST_YEAR, SEED, Plan, plan_corpus, work_id
from copub.demo.syntheticrecords import copied, record
from copub.demo.synthetictexts import Writer
from copub.errors import InputError
from copub.lines import amount
from copub.parallel import no_collection

COUNTED_LEVELS = ("very high", "high")
TOP_LEVEL = "very high"

_TRUTH: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "work_id": pl.String,
    "publication_year": pl.Int32,
    "in_pair": pl.Boolean,
    "in_population": pl.Boolean,
    "kind": pl.String,
    "areas": pl.List(pl.String),
    "is_critical": pl.Boolean,
    "entity": pl.String,
    "max_risk_level": pl.String,
    "tier": pl.String,
    "is_listed": pl.Boolean,
    "is_critical_listed": pl.Boolean,
    "is_top_level": pl.Boolean,
    "oddity": pl.String,
    "duplicate_of": pl.String,
}
TRUTH = pl.Schema(_TRUTH)
"""Columns of the true values; those of the same name mean what they mean in `copub.schema`.

kind : core | other | lookalike | applied | passing, why the work is critical or only looks so.
entity, tier : the listed institution that the record has, whatever its level, and how it can be found:
    identifier | lineage | name | unfindable (its printed name is garbled).
oddity : the oddity in the record (`copub.demo.oddities.ODDITIES`).
"""


def build_corpus(seed: int = SEED) -> list[dict[str, Any]]:
    """Return the synthetic works, complete OpenAlex Work objects, the same for the same seed."""
    writer = Writer()
    works: list[dict[str, Any]] = []
    with no_collection():
        for plan in plan_corpus(seed):
            works.append(record(plan, writer, seed) if plan.twin is None else copied(plan, works[plan.twin]))
    return works


def true_values(works: Iterable[Mapping[str, Any]], seed: int = SEED) -> pl.DataFrame:
    """Return the true values of each of `works`, one row per work id, sorted by it.

    `works` need only have their key ``id``; `seed` is that of the corpus. Columns: `TRUTH`.
    The population is that of the study `demo`: pair, 2000 to 2025, no excluded type, core corpus.

    Raises `InputError` if a work does not stem from the corpus of that seed.
    """
    plans = {plan.work_id: plan for plan in plan_corpus(seed)}
    ids = {str(work["id"]).rpartition("/")[2] for work in works}
    strange = sorted(ids - set(plans))
    if strange:
        raise InputError(
            f"{amount(len(strange), 'work')} without true values, such as {strange[0]}",
            where="the synthetic corpus",
            hint="give only works of build_corpus, and the seed with which they were built",
        )
    rows = [_truth(plans[id]) for id in sorted(ids)]
    return pl.DataFrame(rows, schema=TRUTH, orient="row")


def true_shares(year_from: int, year_to: int, seed: int = SEED) -> dict[str, float]:
    """Return the true shares of the co-publications of these years (0 to 1), by measure.

    The measures bear the names of the table `shares`: critical, listed, critical_listed,
    top_level, and listed_lower and listed_unrated for works with no stronger institution.
    Raises `InputError` if no work of the population lies in these years.
    """
    works = [{"id": plan.work_id} for plan in plan_corpus(seed)]
    in_years = pl.col("publication_year").is_between(year_from, year_to)
    truth = true_values(works, seed).filter("in_population", in_years)
    if truth.is_empty():
        raise InputError(
            f"the synthetic corpus has no work of the pair from {year_from} to {year_to}",
            hint=f"its years are {FIRST_YEAR} to {LAST_YEAR}",
        )
    level = pl.col("max_risk_level")
    shares = truth.select(
        critical=pl.col("is_critical").mean(),
        listed=pl.col("is_listed").mean(),
        critical_listed=pl.col("is_critical_listed").mean(),
        top_level=pl.col("is_top_level").mean(),
        listed_lower=level.is_in(["medium", "low"]).fill_null(False).mean(),
        listed_unrated=level.eq("unrated").fill_null(False).mean(),
    )
    return {measure: float(share) for measure, share in shares.row(0, named=True).items()}


def _truth(plan: Plan) -> dict[str, Any]:
    year = None if plan.oddity == "year-null" else plan.year
    is_critical, is_listed = bool(plan.areas), plan.level in COUNTED_LEVELS
    return {
        "work_id": plan.work_id,
        "publication_year": year,
        "in_pair": plan.in_pair,
        "in_population": plan.group == "pair" and year is not None and plan.type not in EXCLUDED_TYPES,
        "kind": plan.kind,
        "areas": sorted(plan.areas),
        "is_critical": is_critical,
        "entity": institutions()[plan.listed].entity if plan.listed else None,
        "max_risk_level": plan.level or None,
        "tier": plan.tier or None,
        "is_listed": is_listed,
        "is_critical_listed": is_critical and is_listed,
        "is_top_level": is_critical and plan.level == TOP_LEVEL,
        "oddity": plan.oddity or None,
        "duplicate_of": None if plan.twin is None else work_id(plan.twin),
    }
