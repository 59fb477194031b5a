"""What the works of each run would be under the other run's settings, computed from the tables."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from copub.history.runpair import Pair
from copub.history.states import WEIGHTS, critical_under, listed_under, reasons_under, thresholds_of, weights_under
from copub.runs.instruments import CRITICAL_SETTINGS, LISTED_SETTINGS, SIDES

NEVER = pl.lit(False)


def differ(column: str) -> pl.Expr:
    """Return whether a column differs between the earlier run (``_a``) and the later one (``_b``)."""
    return pl.col(f"{column}_a").ne_missing(pl.col(f"{column}_b"))


def with_counterfactuals(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    """Add what each run's works would be under the other run's settings."""
    a, b, own_a, own_b = pair.before, pair.after, pair.study_before, pair.study_after
    for name, run, study in (
        ("a_under_a", a, own_a),
        ("a_under_b", a, own_b),
        ("b_under_b", b, own_b),
        ("b_under_a", b, own_a),
    ):
        works = works.join(reasons_under(run, study).rename({"reason": name}), on="work_id", how="left")
    works = works.with_columns(
        pl.col(f"in_population_{side}").fill_null(False).alias(f"in_population_{side}") for side in "ab"
    )
    works = _weights_moved(pair, works)
    works = _critical_moved(pair, works)
    return _standing_moved(pair, works)


def _weights_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    repaired = pl.col("work_id").is_in(pair.repairs.works) if pair.differs("apply_repairs") else NEVER
    if not pair.differs(*SIDES):
        return works.with_columns(repaired.alias("weight_by_settings"))
    for suffix, run, study in (("a", pair.before, pair.study_after), ("b", pair.after, pair.study_before)):
        other = weights_under(run, study).rename({weight: f"{weight}_{suffix}_other" for weight in WEIGHTS})
        works = works.join(other, on="work_id", how="left")
    moved = [
        pl.col(f"{weight}_{side}").ne_missing(pl.col(f"{weight}_{side}_other")) for weight in WEIGHTS for side in "ab"
    ]
    return works.with_columns(pl.any_horizontal(repaired, *moved).alias("weight_by_settings"))


def _critical_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    name = "critical_by_settings"
    if not pair.differs(*CRITICAL_SETTINGS):
        return works.with_columns(NEVER.alias(name))
    if pair.differs("taxonomy"):
        return works.with_columns(pl.lit(True).alias(name))
    for suffix, run, other in (("a", pair.before, pair.after), ("b", pair.after, pair.before)):
        under = critical_under(run, pair.study_before, thresholds_of(other, pair.study_before))
        works = works.join(under.rename({"is_critical": f"critical_{suffix}_other"}), on="work_id", how="left")
    moved = [pl.col(f"is_critical_{side}") != pl.col(f"critical_{side}_other").fill_null(False) for side in "ab"]
    return works.with_columns(pl.any_horizontal(moved).alias(name))


def _standing_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    flags = ("is_listed", "is_level_top")
    if not pair.differs(*LISTED_SETTINGS):
        return works.with_columns(NEVER.alias(f"{flag}_by_settings") for flag in flags)
    # dates and repairs act before the table of hits; they cannot be exchanged after the fact
    repaired = pl.col("work_id").is_in(pair.repairs.works) if pair.differs("apply_repairs") else NEVER
    beyond = pl.lit(True) if pair.differs("listed_at_publication_only") else repaired
    for suffix, run, own, other in (
        ("a", pair.before, pair.study_before, pair.study_after),
        ("b", pair.after, pair.study_after, pair.study_before),
    ):
        for name, study in (("own", own), ("other", replace(other, watchlists=own.watchlists))):
            under = listed_under(run, own, study).rename({flag: f"{flag}_{suffix}_{name}" for flag in flags})
            works = works.join(under, on="work_id", how="left")
    return works.with_columns(
        pl.any_horizontal(
            beyond,
            *(
                pl.col(f"{flag}_{side}_own").fill_null(False) != pl.col(f"{flag}_{side}_other").fill_null(False)
                for side in "ab"
            ),
        ).alias(f"{flag}_by_settings")
        for flag in flags
    )
