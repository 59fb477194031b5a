"""The headline under every combination of the switches, which switch moves it most, and what one switch changes.

Source of the idea: U. Simonsohn, J. P. Simmons, L. D. Nelson (2020), Specification curve
analysis, Nature Human Behaviour 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.intervals import DIGITS, with_intervals
from copub.measures.pairedchanges import Headline, Rest, changes
from copub.measures.switches import (
    EVERY_LEVEL,
    WITH,
    WITHOUT,
    Mask,
    Setting,
    Settings,
    Thresholds,
    critical_masks,
    eligible_works,
    listed_masks,
    populations,
    settings_of,
    with_sides,
)
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.measures.view import View
    from copub.study import Study

Array = NDArray[np.float64]
LISTED = ("watchlist", "risk_floor", "medical", "children", "tiers")
WEIGHED = ("counting", "author_cap", "types", "dual_affiliated", "duplicates")
CRITICAL = ("taxonomy", "operating_point")
PARTS: Mapping[tuple[str, str], pl.Expr] = {
    ("links", "bilateral works only"): pl.col("is_bilateral"),
    ("text", "works with an abstract only"): pl.col("abstract_status") == "full",
}
"""Parts of the study that are no switch of the grid, but are compared as one."""


class Specifications(NamedTuple):
    """The tables ``specifications`` and ``switch_effects``, and the rows of ``sensitivity``."""

    grid: pl.DataFrame
    switch_effects: pl.DataFrame
    moves: pl.DataFrame


def specifications(
    study: Study,
    flagged: pl.DataFrame,
    view: View,
    levels: Sequence[str],
    thresholds: Thresholds,
) -> Specifications:
    """Return the headline under every combination of the switches, and what each switch changes.

    Parameters
    ----------
    flagged : all co-publications with their flags (`copublications.flagged_works`).
    view : what these were made of.
    levels : risk levels of the headline watchlists, strongest first.
    thresholds : by taxonomy, operating point and area; operating points not named are not switched.
    """
    operating_points = sorted(
        {operating_point for by_operating_point in thresholds.values() for operating_point in by_operating_point}
    )
    settings = settings_of(study, levels, operating_points, both_repairs=view.hits_instead is not None)
    works = eligible_works(study, flagged)
    critical = critical_masks(works, view.assignments, settings, thresholds)
    own_alone = {switch: tuple(s for s in choices if s.own) for switch, choices in settings.items()}
    ((_, own_weight),) = populations(study, works, own_alone)
    parts, moved = [], _Moved(settings, critical, own_weight)
    near = works.select("work_id").filter(moved.is_near)
    for repairs in settings["repairs"]:
        hits = view.hits if repairs.own or view.hits_instead is None else view.hits_instead
        for hk_mo in settings["hk_mo"]:
            as_it_is = repairs.own and hk_mo.name != WITHOUT
            sided = works if as_it_is else with_sides(study, works, view.authorships, hk_mo.name, repairs.name == WITH)
            listed = listed_masks(study, near, hits, settings, levels, hk_mo.name)
            weights = moved.seen(populations(study, sided, settings))
            part = _products(moved.critical, listed, weights, moved.is_near)
            moved.add({"repairs": repairs, "hk_mo": hk_mo}, listed)
            parts.append(part.with_columns(pl.lit(hk_mo.name).alias("hk_mo"), pl.lit(repairs.name).alias("repairs")))
    own = pl.all_horizontal(
        pl.col(switch) == next(s.name for s in choices if s.own) for switch, choices in settings.items()
    )
    equal = pl.all_horizontal(
        pl.col(switch).is_in([s.name for s in choices if s.equal]) for switch, choices in settings.items()
    )
    table = conform(
        "specifications",
        with_intervals(pl.concat(parts), study.confidence)
        .drop("squares")
        .with_columns(
            own.alias("is_study"),
            (pl.col("denominator") < study.small_rate).alias("is_small"),
            equal.alias("is_defensible"),
        ),
    )
    of_parts = {name: works.select(keep.fill_null(False)).to_series().to_numpy() for name, keep in PARTS.items()}
    within = {name: moved.weighing(moved.own.has, own_weight * keep) for name, keep in of_parts.items()}
    rows = changes(moved.own, {**moved.others, **within}, study)
    left_out = {(switch, s.name) for switch, choices in settings.items() for s in choices if not s.equal}
    named = pl.struct("switch", "setting").map_elements(
        lambda row: (row["switch"], row["setting"]) not in left_out, return_dtype=pl.Boolean
    )
    defensible = switch_effects(table.filter(~pl.col("is_small"), "is_defensible"), settings)
    return Specifications(table, defensible, rows.with_columns(named.alias("is_defensible")))


class _Moved:
    """The headline with one switch moved at a time, gathered while the combinations are made.

    critical : masks over the works that are critical under some setting (`is_near`); the others never count.
    """

    def __init__(
        self, settings: Mapping[str, Settings], critical: Mapping[tuple[str, str], Mask], own_weight: Array
    ) -> None:
        self.own_names = {switch: next(s.name for s in choices if s.own) for switch, choices in settings.items()}
        self.is_near = _any_of(critical.values())
        self.critical = {key: mask[self.is_near] for key, mask in critical.items()}
        self.away = own_weight[~self.is_near]
        self.weights: dict[tuple[str, ...], tuple[Array, Rest]] = {}
        self.others: dict[tuple[str, str], Headline] = {}
        self.own = Headline(np.empty(0, dtype=np.bool_), np.empty(0))

    def _key(self, switches: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.own_names[switch] for switch in switches)

    def _parted(self, weight: Array) -> tuple[Array, Rest]:
        return weight[self.is_near], Rest.between(self.away, weight[~self.is_near])

    def weighing(self, has: Mask, weight: Array) -> Headline:
        """Return a headline in which all works have these weights."""
        return Headline(has, *self._parted(weight))

    def seen(self, weights: Iterable[tuple[tuple[str, ...], Array]]) -> Iterator[tuple[tuple[str, ...], Array]]:
        """Yield the weights, and keep those that differ from the study in at most one switch."""
        own = self._key(WEIGHED)
        self.weights = {}
        for key, weight in weights:
            if sum(name != mine for name, mine in zip(key, own, strict=True)) <= 1:
                self.weights[key] = self._parted(weight)
            yield key, weight

    def add(self, outer: Mapping[str, Setting], listed: Mapping[tuple[str, ...], Mask]) -> None:
        """Gather what one rule for repairs, Hong Kong and Macau gives: all moves under the study's own, else itself."""
        own = self._key(CRITICAL), self._key(LISTED), self._key(WEIGHED)

        def headline(critical_by: tuple[str, ...], on_lists: tuple[str, ...], weighed: tuple[str, ...]) -> Headline:
            return Headline(self.critical[critical_by[0], critical_by[1]] & listed[on_lists], *self.weights[weighed])

        moved = [(switch, setting.name) for switch, setting in outer.items() if not setting.own]
        if moved:
            if len(moved) == 1:
                self.others[moved[0]] = headline(*own)
            return
        self.own = headline(*own)
        for critical_by in self.critical:
            for switch in _moved_switch(CRITICAL, critical_by, own[0]):
                self.others[switch] = headline(critical_by, own[1], own[2])
        graded = {key[0] for key in listed if key[1] == own[1][1]}
        for on_lists in listed:
            # a list without levels counts as a whole, so that its floor is no second move
            same = on_lists if on_lists[0] in graded or on_lists[1] != EVERY_LEVEL else (on_lists[0], own[1][1])
            for switch in _moved_switch(LISTED, (*same[:2], *on_lists[2:]), own[1]):
                self.others[switch] = headline(own[0], on_lists, own[2])
        for weighed in self.weights:
            for switch in _moved_switch(WEIGHED, weighed, own[2]):
                self.others[switch] = headline(own[0], own[1], weighed)


def _moved_switch(switches: Sequence[str], key: tuple[str, ...], own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the switch and setting in which a key differs from the study's own, if it is one alone."""
    differing = [(switch, name) for switch, name, mine in zip(switches, key, own, strict=True) if name != mine]
    if len(differing) == 1:
        yield differing[0]


def _products(
    critical: Mapping[tuple[str, str], Mask],
    listed: Mapping[tuple[str, ...], Mask],
    weights: Iterable[tuple[tuple[str, ...], Array]],
    is_near: Mask,
) -> pl.DataFrame:
    """Multiply all settings that share one rule for repairs, Hong Kong and Macau.

    The sum over works of weight x critical x listed is one matrix product per critical mask;
    only works that are critical and listed somewhere enter it.

    Parameters
    ----------
    critical, listed : masks over some of the works that have weights (`is_near`).
    """
    some = _any_of(listed.values()) & _any_of(critical.values())
    pops, sums, parts, places = [], [], [], np.flatnonzero(is_near)[some]
    for key, weight in weights:  # one at a time: each is as long as there are works
        pops.append(key)
        sums.append((weight.sum(), (weight * weight).sum()))
        parts.append(weight[places])
    weight_some, masks_some = np.array(parts), np.array([mask[some] for mask in listed.values()], dtype=np.float64)
    denominators, squares = np.array(sums).T
    numerators = np.stack([(weight_some * flags[some]) @ masks_some.T for flags in critical.values()])
    shape = numerators.shape  # critical x population x listed
    spread = {
        "numerator": numerators,
        "denominator": np.broadcast_to(denominators[None, :, None], shape),
        "squares": np.broadcast_to(squares[None, :, None], shape),
    }
    columns: dict[str, pl.Series] = {
        name: pl.Series(name, np.round(values, DIGITS).ravel()) for name, values in spread.items()
    }
    axes = ((0, CRITICAL, list(critical)), (1, WEIGHED, pops), (2, LISTED, list(listed)))
    for axis, names, keys in axes:
        index = np.broadcast_to(
            np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(3)]), shape
        ).ravel()
        for place, name in enumerate(names):
            columns[name] = pl.Series(name, [key[place] for key in keys], dtype=pl.String).gather(index)
    return pl.DataFrame(columns)


def _any_of(masks: Iterable[Mask]) -> Mask:
    """Return where any of the masks holds, without a second copy of all of them."""
    return reduce(np.logical_or, masks)


def switch_effects(grid: pl.DataFrame, settings: Mapping[str, Settings]) -> pl.DataFrame:
    """Return the table ``switch_effects``: how far each switch moves the share.

    For each pair of settings of a switch the specifications that agree in everything else are
    matched; the difference of a pair is the mean absolute difference of their shares. `grid` holds the
    specifications that count: over enough works, and with settings that are equally defensible.
    """
    rows = []
    for switch, choices in settings.items():
        medians = {
            name: value
            for name, value in grid.group_by(switch).agg(pl.col("share").median()).iter_rows()
            if value is not None
        }
        low, high = (
            (min(medians, key=lambda n: (medians[n], n)), max(medians, key=lambda n: (medians[n], n)))
            if medians
            else ("", "")
        )
        differences = _matched_differences(grid, switch, list(settings), [c.name for c in choices])
        rows.append(
            {
                "switch": switch,
                "settings": [choice.name for choice in choices],
                "left_out": [choice.name for choice in choices if not choice.equal],
                "lowest_setting": low or None,
                "lowest_median": medians.get(low),
                "highest_setting": high or None,
                "highest_median": medians.get(high),
                "range_of_medians": medians[high] - medians[low] if medians else None,
                "mean_difference": float(np.mean(differences)) if differences.size else None,
                "largest_difference": float(np.max(differences)) if differences.size else None,
                "matched": int(differences.size),
            }
        )
    frame = pl.DataFrame(rows, schema={c: d for c, d in TABLES["switch_effects"].schema.items() if c != "rank"})
    order = frame.sort("mean_difference", "switch", descending=[True, False], nulls_last=True)
    return conform("switch_effects", order.with_row_index("rank", offset=1))


def _matched_differences(grid: pl.DataFrame, switch: str, switches: list[str], names: list[str]) -> Array:
    if len(names) < 2:
        return np.empty(0)
    others = [name for name in switches if name != switch]
    codes = grid.select(pl.struct(others).rank("dense").alias("cell"), switch, "share")
    wide = codes.pivot(on=switch, index="cell", values="share", aggregate_function="first")
    present = [name for name in names if name in wide.columns]
    pairs = [(wide[one] - wide[two]).abs().drop_nulls().to_numpy() for one, two in combinations(present, 2)]
    return np.concatenate(pairs) if pairs else np.empty(0)
