"""Sensitivity: the headline with one switch moved at a time, read from the grid of all combinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from copub.intervals import with_intervals
from copub.measures.shares import COUNTING_WEIGHT
from copub.measures.switches import EVERY_LEVEL
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

SWITCHES: Mapping[str, str] = {
    "taxonomy": "taxonomy",
    "operating_point": "operating_point",
    "watchlist": "watchlist",
    "risk_floor": "levels",
    "medical": "medical units",
    "children": "children",
    "tiers": "tiers",
    "counting": "counting",
    "author_cap": "author cap",
    "types": "types",
    "hk_mo": "Hong Kong and Macau",
    "dual_affiliated": "works linked by one dual-affiliated author",
    "duplicates": "duplicates",
    "repairs": "repairs of affiliations",
}
"""Columns of table ``specifications``, and what the switch is called here."""

_PARTS: Mapping[tuple[str, str], pl.Expr] = {
    ("links", "bilateral works only"): pl.col("is_bilateral"),
    ("text", "works with an abstract only"): pl.col("abstract_status") == "full",
}
"""Parts of the study that are no switch of the grid."""

_COLUMNS = ("switch", "setting", "numerator", "denominator", "share", "ci_low", "ci_high")


def sensitivity(study: Study, works: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``sensitivity``.

    Parameters
    ----------
    works : table ``copublications``.
    grid : table ``specifications``.
    """
    base = grid.filter("is_study")
    rows = [base.with_columns(pl.lit("base").alias("switch"), pl.lit("the study as it stands").alias("setting"))]
    for switch, name in SWITCHES.items():
        moved = grid.filter(_only(switch, base.row(0, named=True)) & ~pl.col("is_study"))
        rows.append(moved.with_columns(pl.lit(name).alias("switch"), pl.col(switch).alias("setting")))
    counted = pl.concat([_part(study, works, *name, keep) for name, keep in _PARTS.items()])
    rows.append(with_intervals(counted, study.confidence))
    frame = pl.concat(row.select(_COLUMNS) for row in rows)
    own = pl.lit(base["share"][0], dtype=pl.Float64)
    return conform("sensitivity", frame.with_columns((pl.col("share") - own).alias("difference")))


def _only(switch: str, base: Mapping[str, object]) -> pl.Expr:
    """Return whether a combination is the study's own in every other switch.

    A list without levels has no floor but that of every entity.
    """

    def is_own(name: str) -> pl.Expr:
        return pl.col(name).eq(pl.lit(base[name]))

    others = [is_own(name) for name in TABLES["specifications"].key if name not in (switch, "risk_floor")]
    own_floor = is_own("risk_floor")
    if switch == "watchlist":
        every = pl.col("risk_floor").eq(EVERY_LEVEL)
        others.append(pl.when(own_floor.any().over("watchlist")).then(own_floor).otherwise(every))
    elif switch != "risk_floor":
        others.append(own_floor)
    return pl.all_horizontal(others)


def _part(study: Study, works: pl.DataFrame, switch: str, setting: str, keep: pl.Expr) -> pl.DataFrame:
    weight = COUNTING_WEIGHT[study.counting]
    every = pl.col("work_id").is_not_null()
    return works.filter(keep).select(
        pl.lit(switch).alias("switch"),
        pl.lit(setting).alias("setting"),
        (weight * pl.col("is_critical_listed")).sum().alias("numerator"),
        (weight * every).sum().alias("denominator"),
        (weight * weight * every).sum().alias("squares"),
    )
