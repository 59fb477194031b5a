"""Medians and ranks with intervals from resampling the works (bootstrap).

Source: B. Efron, R. J. Tibshirani (1993), An Introduction to the Bootstrap, percentile interval.
Works that are alike in what a figure reads are drawn together, so that the cost does not grow
with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.intervals import DIGITS
from copub.randomdraws import draws_of, multinomial
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]

DRAWS = 1000
SEED = 1979
RANKED_INSTITUTIONS = 20

GROUPS = {
    "all": pl.col("work_id").is_not_null(),
    "critical": pl.col("is_critical"),
    "listed": pl.col("is_listed"),
    "critical_listed": pl.col("is_critical_listed"),
}


def bootstrap(study: Study, works: pl.DataFrame, of_works: pl.DataFrame, areas: Sequence[str]) -> pl.DataFrame:
    """Return the table ``bootstrap``.

    Parameters
    ----------
    works : table ``copublications``.
    of_works : institutions of works (`partners.institutions_of_works`).
    areas : area ids of the headline taxonomy.
    """
    rows: list[dict[str, Any]] = []
    for group, belongs in GROUPS.items():
        part = works.filter(belongs)
        for name, column in (("median authors", "n_authors"), ("median countries", "n_countries")):
            rows.append({"statistic": name, "group": group, "item": "", **_median(study, part[column].drop_nulls())})
    critical = works.filter("is_critical")
    rows += _ranks(study, "rank of area", "critical", critical.select("work_id", pl.col("areas").alias("items")), areas)
    rows += _institution_ranks(study, works, of_works)
    schema = {name: kind for name, kind in TABLES["bootstrap"].schema.items() if name != "is_small"}
    frame = pl.DataFrame(rows, schema=schema).with_columns((pl.col("works") < study.small_rate).alias("is_small"))
    return conform("bootstrap", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def draw(
    counts: Array, statistic: Callable[[Array], Array], value: Array, confidence: float
) -> tuple[Array, Array, Array]:
    """Return a statistic with the ends of its percentile interval.

    Parameters
    ----------
    counts : works of each kind.
    statistic : from draws x kinds to draws x figures.
    value : the figures as observed.
    """
    rng = draws_of(SEED)
    total = int(counts.sum())
    again = multinomial(rng, total, counts / total, DRAWS).astype(np.float64)
    ends = np.nanquantile(statistic(again), [0.5 - confidence / 2, 0.5 + confidence / 2], axis=0)
    return value, ends[0], ends[1]


def _figures(study: Study, counts: Array, statistic: Callable[[Array], Array]) -> list[dict[str, Any]]:
    value = statistic(counts[None, :])[0]
    values, low, high = draw(counts, statistic, value, study.confidence)
    works = int(counts.sum())
    return [
        {"value": float(v), "ci_low": float(a), "ci_high": float(b), "works": works}
        for v, a, b in zip(values, low, high, strict=True)
    ]


_NOTHING: dict[str, Any] = {"value": None, "ci_low": None, "ci_high": None, "works": 0}


def _median(study: Study, values: pl.Series) -> dict[str, Any]:
    if values.is_empty():
        return _NOTHING
    kinds = values.value_counts().sort(values.name)
    points = kinds[values.name].to_numpy().astype(np.float64)

    def median(counts: Array) -> Array:
        below = counts.cumsum(axis=1)
        total = below[:, -1:]
        # the two middle works, which are one and the same if their number is odd
        middle = [(below <= np.floor((total - 1 + more) / 2)).sum(axis=1) for more in (0, 1)]
        centre: Array = (points[middle[0]] + points[middle[1]]) / 2
        return centre[:, None]

    return _figures(study, kinds["count"].to_numpy().astype(np.float64), median)[0]


def _ranks(
    study: Study, statistic: str, group: str, of_works: pl.DataFrame, items: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the rank of each item by works, 1 = most; ties share the better rank."""
    kinds = of_works.group_by("items").len().sort("items")
    if kinds.is_empty() or not items:
        return []
    holds = np.array([[item in (has or ()) for item in items] for has in kinds["items"].to_list()], dtype=np.float64)

    def rank(counts: Array) -> Array:
        works = counts @ holds
        places: Array = (1.0 + (works[:, None, :] > works[:, :, None]).sum(axis=2)).astype(np.float64)
        return places

    found = _figures(study, kinds["len"].to_numpy().astype(np.float64), rank)
    each = (holds * kinds["len"].to_numpy()[:, None]).sum(axis=0)
    return [
        {"statistic": statistic, "group": group, "item": item, **row, "works": int(works)}
        for item, row, works in zip(items, found, each, strict=True)
    ]


def _institution_ranks(study: Study, works: pl.DataFrame, of_works: pl.DataFrame) -> list[dict[str, Any]]:
    on_side = of_works.filter(side="b").select("work_id", pl.col("institution_name").cast(pl.String)).unique()
    largest = on_side.group_by("institution_name").len().sort(["len", "institution_name"], descending=[True, False])
    top = largest["institution_name"].head(RANKED_INSTITUTIONS)
    named = (
        on_side.filter(pl.col("institution_name").is_in(top.implode()))
        .group_by("work_id")
        .agg(pl.col("institution_name").sort().alias("items"))
    )
    every = works.select("work_id").join(named, on="work_id", how="left")
    return _ranks(study, "rank of institution", "all", every, top.to_list())
