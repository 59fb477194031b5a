"""Run assertions: the bounds that a study sets on figures of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from copub.errors import AssertionFailedError

if TYPE_CHECKING:
    from copub.study import Study

Tables = Mapping[str, pl.DataFrame]


def check_bounds(study: Study, tables: Tables) -> None:
    """Check the figures that the study bounds, all of them.

    Parameters
    ----------
    study : its `bounds` give [low, high] by the name of a figure (`FIGURES`).
    tables : coverage, shares and copublications of the run.

    Raises
    ------
    AssertionFailedError : a figure is outside its bounds, or cannot be computed; names figures, bounds and values.
    """
    breaches = []
    for name, (low, high) in study.bounds.items():
        value = FIGURES[name](tables)
        if value is None:
            breaches.append(f"{name} cannot be computed (no works); the bounds are [{low:g}, {high:g}]")
        elif not low <= value <= high:
            breaches.append(f"{name} is {value:.6g}, outside the bounds [{low:g}, {high:g}]")
    if breaches:
        raise AssertionFailedError(
            "; ".join(breaches),
            where=f"study {study.id}, [assertions]",
            hint="see what changed since the last good run (copub compare); never widen a bound to make a run pass",
        )


def _works(tables: Tables) -> float | None:
    found = tables["coverage"].filter(metric="works", slice_kind="all")["count"]
    return float(found[0]) if found.len() else None


def _copublications(tables: Tables) -> float | None:
    return float(tables["copublications"].height)


def _share(measure: str) -> Callable[[Tables], float | None]:
    def figure(tables: Tables) -> float | None:
        found = tables["shares"].filter(measure=measure, slice_kind="all", counting="full")["share"]
        return float(found[0]) if found.len() and found[0] is not None else None

    return figure


def _rate(has: pl.Expr) -> Callable[[Tables], float | None]:
    def figure(tables: Tables) -> float | None:
        rate = tables["copublications"].select(has.mean()).item()
        return None if rate is None else float(rate)

    return figure


FIGURES: Mapping[str, Callable[[Tables], float | None]] = {
    "works": _works,  # distinct works read, whatever the pair
    "copublications": _copublications,
    "critical_share": _share("critical"),
    "listed_share": _share("listed"),
    "critical_listed_share": _share("critical_listed"),
    "with_abstract_share": _rate(pl.col("abstract_status") == "full"),
    "with_institution_share": _rate(pl.col("has_institution")),
}
"""What a study can bound (`copub.study.BOUNDED`), counted in full."""
