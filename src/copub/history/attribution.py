"""Splitting the change of a share into the parts of its causes.

The earlier run's works are turned into the later run's, cause by cause: a step moves every
component of every work for which its cause is a candidate and which has not moved yet. A
cause's part is the share after its step minus the share before it, so the parts add up to the
whole. The order is that of `copub.history.causes.CAUSES`. Beside each part is the cause's Shapley value,
its mean part over the orders of the causes, which does not depend on any one order. Source: L. S. Shapley
(1953), A value for n-person games, Contributions to the Theory of Games II.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from copub.draw import draw_order
from copub.history.causes import CAUSES, COMPONENTS
from copub.intervals import DIGITS

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
State = dict[str, Any]
"""Component -> array over the works; "weight" holds two columns, by authors and by countries."""

COUNTINGS = ("full", "fractional-authors", "fractional-countries")
MEASURES: Mapping[str, tuple[str, ...]] = {
    "critical": ("critical",),
    "listed": ("listed",),
    "critical_listed": ("critical", "listed"),
    "top_level": ("critical", "top level"),
}
"""Measure -> the flags that a work in its numerator has."""

ORDERS = 720
"""Orders of the causes over which a Shapley value is the mean: all of up to six causes, else this many drawn."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One cause applied: the components it moved (component -> works), the state after it."""

    cause: str
    moved: dict[str, Flags]
    state: State


def states_of(works: pl.DataFrame) -> tuple[State, State]:
    """Return the states of both runs over the same works, in the order of `works`.

    A work that only one run counts has that run's flags and weights in both states: it brings
    them along when it enters and takes them along when it leaves.
    """
    sides = []
    for own, other in (("a", "b"), ("b", "a")):
        counted = pl.col(f"in_population_{own}")

        def value(name: str, own: str = own, other: str = other, counted: pl.Expr = counted) -> pl.Expr:
            return pl.when(counted).then(pl.col(f"{name}_{own}")).otherwise(pl.col(f"{name}_{other}"))

        frame = works.select(
            counted.alias("population"),
            value("is_critical").fill_null(False).alias("critical"),
            value("is_listed").fill_null(False).alias("listed"),
            value("is_level_top").fill_null(False).alias("top level"),
            value("weight").fill_null(0.0).alias("weight"),
            value("weight_countries").fill_null(0.0).alias("weight_countries"),
        )
        state: State = {name: frame[name].to_numpy() for name in COMPONENTS if name != "weight"}
        sides.append(state | {"weight": frame.select("weight", "weight_countries").to_numpy()})
    return sides[0], sides[1]


def masks_of(works: pl.DataFrame, candidates: pl.DataFrame) -> dict[str, dict[str, Flags]]:
    """Return component -> cause -> the works for which the cause is a candidate."""
    numbered = works.select("work_id").with_row_index("row").join(candidates, on="work_id")
    masks: dict[str, dict[str, Flags]] = {name: {} for name in COMPONENTS}
    exploded = numbered.explode("causes").group_by("component", "causes").agg("row")
    for component, cause, rows in exploded.iter_rows():
        mask = np.zeros(works.height, dtype=np.bool_)
        mask[rows] = True
        masks[component][cause] = mask
    return masks


def acting(masks: Mapping[str, Mapping[str, Flags]]) -> tuple[str, ...]:
    """Return the causes that are a candidate anywhere, in the order in which they are applied."""
    found = {cause for by_cause in masks.values() for cause in by_cause}
    return tuple(cause.name for cause in CAUSES if cause.name in found)


def walk(before: State, after: State, masks: Mapping[str, Mapping[str, Flags]], order: Sequence[str]) -> Iterator[Step]:
    """Apply the causes in this order; the state after the last one is `after`."""
    state, left = before, {name: np.ones(len(before["population"]), dtype=np.bool_) for name in COMPONENTS}
    for cause in order:
        moved: dict[str, Flags] = {}
        state = dict(state)
        for component in COMPONENTS:
            mask = masks[component].get(cause)
            if mask is None:
                continue
            moved[component] = mask & left[component]
            left[component] = left[component] & ~mask
            chosen = moved[component][:, None] if component == "weight" else moved[component]
            state[component] = np.where(chosen, after[component], state[component])
        yield Step(cause, moved, state)


def has(state: State, measure: str) -> Flags:
    """Return the works of the population in the numerator of a measure."""
    flags: Flags = np.array(state["population"], dtype=np.bool_)
    for flag in MEASURES[measure]:
        flags = flags & state[flag]
    return flags


def sums(state: State) -> dict[Key, tuple[float, float]]:
    """Return (measure, counting) -> numerator and denominator."""
    population = state["population"]
    weights: tuple[Values, ...] = (np.ones(len(population)), state["weight"][:, 0], state["weight"][:, 1])
    return {
        (measure, counting): (_sum(weight[has(state, measure)]), _sum(weight[population]))
        for measure in MEASURES
        for counting, weight in zip(COUNTINGS, weights, strict=True)
    }


def _sum(weights: Values) -> float:
    # rounded as the sums behind the table shares are, so that both tell the same number
    return round(float(weights.sum()), DIGITS)


def chain(states: Sequence[State]) -> dict[Key, list[float | None]]:
    """Return (measure, counting) -> the share in each state; over no works, the share before stays."""
    shares: dict[Key, list[float | None]] = {}
    for state in states:
        for key, (numerator, denominator) in sums(state).items():
            row = shares.setdefault(key, [])
            row.append(numerator / denominator if denominator else (row[-1] if row else None))
    return shares


def parts(before: State, after: State, masks: Mapping[str, Mapping[str, Flags]]) -> list[dict[str, Any]]:
    """Return one row per measure, counting rule and cause that moved something.

    Keys: measure, counting, position, cause; share_before, share_after, part; shapley (null where the share
    before is not defined); works, entered, left (works moved), gained, lost (works of the population whose
    measure turned).
    """
    order = acting(masks)
    steps = list(walk(before, after, masks, order))
    shares = chain([before, *(step.state for step in steps)])
    values = shapley(before, after, masks, order)
    rows = []
    previous = before
    for position, step in enumerate(steps):
        counts = _counts(previous, step)
        for measure, counting in shares:
            row = shares[measure, counting]
            rows.append(
                {
                    "measure": measure,
                    "counting": counting,
                    "position": position,
                    "cause": step.cause,
                    "share_before": row[position],
                    "share_after": row[position + 1],
                    "part": _minus(row[position + 1], row[position]),
                    "shapley": values[step.cause][measure, counting],
                    **counts,
                    **_turned(previous, step.state, measure),
                }
            )
        previous = step.state
    return rows


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def orders_of(causes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all orders of a few causes, or `ORDERS` of them by a hash: the same on every machine."""
    if factorial(len(causes)) <= ORDERS:
        return list(permutations(causes))
    return [tuple(sorted(causes, key=lambda cause: draw_order(cause, f"order {n}"))) for n in range(ORDERS)]


def shapley(
    before: State, after: State, masks: Mapping[str, Mapping[str, Flags]], order: Sequence[str]
) -> dict[str, dict[Key, float | None]]:
    """Return cause -> (measure, counting) -> its mean part over the orders of the causes (`orders_of`).

    Works that are alike in all that a step can see are moved as one. In each order the parts add up to the
    difference, and so do their means.
    """
    alike = _alike(before, after, masks, order)
    shares_after = cache(lambda chosen: _shares_after(alike, chosen))
    keys = list(product(MEASURES, COUNTINGS))
    totals = {cause: np.zeros(len(keys)) for cause in order}
    orders = orders_of(order)
    for sequence in orders:
        chosen, share = 0, shares_after(0)
        for cause in sequence:
            chosen |= 1 << order.index(cause)
            found = shares_after(chosen)
            now = np.where(np.isnan(found), share, found)  # over no works, the share before stays
            totals[cause] += now - share
            share = now
    return {
        cause: {key: None if np.isnan(value) else float(value) for key, value in zip(keys, row, strict=True)}
        for cause, row in ((cause, total / len(orders)) for cause, total in totals.items())
    }


@dataclass(frozen=True, slots=True)
class _Alike:
    """Groups of works whose flags and candidate causes are the same.

    before, after : their states; "weight" holds the sums over each group of 1 and of both weights.
    bits : component -> the candidate causes of each group, one bit for each cause.
    """

    before: State
    after: State
    bits: Mapping[str, npt.NDArray[np.int64]]


def _alike(before: State, after: State, masks: Mapping[str, Mapping[str, Flags]], order: Sequence[str]) -> _Alike:
    none = np.zeros(len(before["population"]), dtype=np.int64)
    bits = {
        name: none + sum(mask.astype(np.int64) << order.index(c) for c, mask in masks[name].items()) for name in masks
    }
    flags = [name for name in COMPONENTS if name != "weight"]
    rows = np.column_stack(
        [*(bits[name] for name in COMPONENTS), *(side[n] for side in (before, after) for n in flags)]
    )
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)

    def gathered(state: State) -> State:
        columns = [np.ones(len(none)), *state["weight"].T]
        sums_of = [np.bincount(group, weights=column, minlength=len(first)) for column in columns]
        return {name: state[name][first] for name in flags} | {"weight": np.column_stack(sums_of)}

    return _Alike(gathered(before), gathered(after), {name: bits[name][first] for name in COMPONENTS})


def _shares_after(alike: _Alike, chosen: int) -> Values:
    """Return the shares after a set of causes (as bits), in whatever order, by measure and counting; over none, NaN."""
    state: State = {}
    for name in COMPONENTS:
        moved = (alike.bits[name] & chosen) != 0
        chosen_rows = moved[:, None] if name == "weight" else moved
        state[name] = np.where(chosen_rows, alike.after[name], alike.before[name])
    numerators = np.array([has(state, measure).astype(np.float64) @ state["weight"] for measure in MEASURES])
    denominators = (state["population"].astype(np.float64) @ state["weight"]).round(DIGITS)
    some = np.where(denominators > 0, denominators, np.nan)
    return np.asarray((numerators.round(DIGITS) / some).reshape(-1))


def _counts(previous: State, step: Step) -> dict[str, int]:
    touched = np.zeros(len(previous["population"]), dtype=np.bool_)
    for mask in step.moved.values():
        touched |= mask
    was, now = previous["population"], step.state["population"]
    return {"works": int(touched.sum()), "entered": int((~was & now).sum()), "left": int((was & ~now).sum())}


def _turned(previous: State, state: State, measure: str) -> dict[str, int]:
    stays = previous["population"] & state["population"]
    was, now = has(previous, measure), has(state, measure)
    return {"gained": int((stays & ~was & now).sum()), "lost": int((stays & was & ~now).sum())}


def moves(works: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return one row per work and component that moved: work_id, component, before, after, cause, also_possible.

    before and after are 0 or 1, or the weight by authors; null where a run does not count the work.
    """
    columns = {"critical": "is_critical", "listed": "is_listed", "top level": "is_level_top", "weight": "weight"}
    joined = candidates.join(works, on="work_id", how="left")

    def value(side: str) -> pl.Expr:
        chosen = pl.col(f"in_population_{side}").cast(pl.Float64)
        for component, column in columns.items():
            here = pl.col(f"{column}_{side}").cast(pl.Float64)
            chosen = pl.when(pl.col("component") == component).then(here).otherwise(chosen)
        return chosen

    return joined.select(
        "work_id",
        "component",
        value("a").alias("before"),
        value("b").alias("after"),
        pl.col("causes").list.first().alias("cause"),
        pl.col("causes").list.slice(1).alias("also_possible"),
    )
