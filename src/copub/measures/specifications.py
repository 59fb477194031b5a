"""The headline under every combination of the switches, and which switch moves it most.

Source of the idea: U. Simonsohn, J. P. Simmons, L. D. Nelson (2020), Specification curve
analysis, Nature Human Behaviour 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.intervals import DIGITS, with_intervals
from copub.measures.switches import (
    WITHOUT,
    Mask,
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
    from copub.screening.appliedrepairs import OtherRepairs
    from copub.study import Study

Array = NDArray[np.float64]
LISTED = ("watchlist", "risk_floor", "medical", "children", "tiers")
WEIGHED = ("counting", "author_cap", "types", "dual_affiliated", "duplicates")


def specifications(
    study: Study,
    flagged: pl.DataFrame,
    authorships: pl.DataFrame,
    assignments: pl.DataFrame,
    hits: pl.DataFrame,
    levels: Sequence[str],
    thresholds: Thresholds,
    other: OtherRepairs | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the tables ``specifications`` and ``influences``.

    Parameters
    ----------
    flagged : all co-publications with their flags (`copublications.flagged_works`).
    levels : risk levels of the headline watchlists, strongest first.
    thresholds : by taxonomy, operating point and area; operating points not named are not switched.
    other : the frames under the other rule for repairs; None leaves that switch as the study sets it.
    """
    operating_points = sorted(
        {operating_point for by_operating_point in thresholds.values() for operating_point in by_operating_point}
    )
    settings = settings_of(study, levels, operating_points, both_repairs=other is not None)
    works = eligible_works(study, flagged)
    critical = critical_masks(study, works, assignments, settings, thresholds)
    parts = []
    for repairs in settings["repairs"]:
        its_hits, its_authorships = hits, authorships
        if not repairs.own and other is not None:
            its_hits, its_authorships = other.hits_instead(hits), other.authorships_instead(authorships)
        for hk_mo in settings["hk_mo"]:
            as_it_is = repairs.own and hk_mo.name != WITHOUT
            sided = works if as_it_is else with_sides(study, works, its_authorships, hk_mo.name)
            listed = listed_masks(study, works, its_hits, settings, levels, hk_mo.name)
            part = _products(critical, listed, populations(study, sided, settings))
            parts.append(part.with_columns(pl.lit(hk_mo.name).alias("hk_mo"), pl.lit(repairs.name).alias("repairs")))
    grid = pl.concat(parts)
    own = pl.all_horizontal(
        pl.col(switch) == next(s.name for s in choices if s.own) for switch, choices in settings.items()
    )
    table = with_intervals(grid, study.confidence).drop("squares").with_columns(own.alias("is_study"))
    return conform("specifications", table), influences(table, settings)


def _products(
    critical: Mapping[tuple[str, str], Mask],
    listed: Mapping[tuple[str, ...], Mask],
    weights: Iterable[tuple[tuple[str, ...], Array]],
) -> pl.DataFrame:
    """Multiply all settings that share one rule for repairs, Hong Kong and Macau.

    The sum over works of weight x critical x listed is one matrix product per critical mask;
    only works that are critical and listed somewhere enter it.
    """
    some = _any_of(listed.values()) & _any_of(critical.values())
    pops, sums, parts = [], [], []
    for key, weight in weights:  # one at a time: each is as long as there are works
        pops.append(key)
        sums.append((weight.sum(), (weight * weight).sum()))
        parts.append(weight[some])
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
    axes = ((0, ("taxonomy", "operating_point"), list(critical)), (1, WEIGHED, pops), (2, LISTED, list(listed)))
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


def influences(grid: pl.DataFrame, settings: Mapping[str, Settings]) -> pl.DataFrame:
    """Return the table ``influences``: how far each switch moves the share.

    For each pair of settings of a switch the specifications that agree in everything else are
    matched; the difference of a pair is the mean absolute difference of their shares.
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
    frame = pl.DataFrame(rows, schema={c: d for c, d in TABLES["influences"].schema.items() if c != "rank"})
    order = frame.sort("mean_difference", "switch", descending=[True, False], nulls_last=True)
    return conform("influences", order.with_row_index("rank", offset=1))


def _matched_differences(grid: pl.DataFrame, switch: str, switches: list[str], names: list[str]) -> Array:
    if len(names) < 2:
        return np.empty(0)
    others = [name for name in switches if name != switch]
    codes = grid.select(pl.struct(others).rank("dense").alias("cell"), switch, "share")
    wide = codes.pivot(on=switch, index="cell", values="share", aggregate_function="first")
    present = [name for name in names if name in wide.columns]
    pairs = [(wide[one] - wide[two]).abs().drop_nulls().to_numpy() for one, two in combinations(present, 2)]
    return np.concatenate(pairs) if pairs else np.empty(0)
