"""How many works to read for which width: the table ``reading_plan``, by simulation for the study at hand.

The truth of the works is made up as the pooled error rates have it, sheets are drawn as `copub review works`
draws them, and the labelled estimate is computed from each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from copub.intervals import DIGITS
from copub.lines import amount
from copub.lists.errorcounts import Errors
from copub.measures.adjusted import Labels, decisions, sheet_works
from copub.measures.correction import Array, Read, adjust, from_labels, truth_given_decision
from copub.measures.strata import Key, allocate
from copub.names import READING_STRATA
from copub.randomdraws import draws_of, hypergeometric_cells, multinomial
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

SIZES = (100, 200, 400, 800)
SHEETS = 20
"""Sheets drawn for each size; the width of an interval varies little from one to the next."""
DRAWS = 500
SEED = 1977
PLANNED = ("critical", "critical_listed")
HEADLINE = "critical_listed"


def reading_plan(study: Study, works: pl.DataFrame, errors: Errors | None) -> pl.DataFrame:
    """Return the table ``reading_plan``: the mean width of the labelled interval by works read.

    Parameters
    ----------
    works : table ``copublications`` as `copub.measures.adjusted.prepared` returns it.
    errors : the evaluation sets; None gives a table without rows, for nothing says how the instruments err.
    """
    to_read = sheet_works(works)
    rows: list[dict[str, Any]] = []
    if errors is not None and to_read.height:
        strata = _expected(to_read, truth_given_decision(decisions(to_read), errors))
        for size in (*(size for size in SIZES if size < to_read.height), to_read.height):
            rows += [
                {"measure": measure, "works_read": size, "of": to_read.height, "width": width}
                for measure, width in _widths(study, strata, works.height - to_read.height, size).items()
            ]
    frame = pl.DataFrame(rows, schema=TABLES["reading_plan"].schema)
    return conform("reading_plan", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def works_to_lead(study: Study, works: pl.DataFrame, errors: Errors | None) -> int:
    """Return from how many works read on the share rests on reading instead of the evaluation sets.

    It is the smallest number for which the interval of the headline from reading is expected to be no wider than
    the corrected one. That follows from what the instruments decided and from the evaluation sets, so it is the
    same whatever the readers answer: to choose the narrower interval after the labels are seen would make it
    hold the true share less often than it states. 0 where no corrected interval can be given.

    Parameters
    ----------
    works : table ``copublications`` as `copub.measures.adjusted.prepared` returns it.
    """
    to_read = sheet_works(works)
    if errors is None or works.height < study.small_rate or not to_read.height:
        return 0
    given = decisions(works)
    _, low, high = adjust(given, errors, study.confidence)[HEADLINE]
    strata = _expected(to_read, truth_given_decision(given, errors))
    known = works.height - to_read.height
    few, enough = len(strata) - 1, to_read.height  # with fewer works than strata there is no estimate
    while enough - few > 1:
        middle = (few + enough) // 2
        if _widths(study, strata, known, middle)[HEADLINE] <= high - low:
            enough = middle
        else:
            few = middle
    return enough


def leading(study: Study, works: pl.DataFrame, errors: Errors | None, labels: Labels | None) -> Labels | None:
    """Return labels as they were, or, if too few works were read (`works_to_lead`), with that as what is lacking."""
    if labels is None or labels.lacking:
        return labels
    needed = works_to_lead(study, works, errors)
    if labels.read >= needed:
        return labels
    return replace(labels, lacking=f"{amount(labels.read, 'work')} read, {needed} needed for a narrower interval")


def _expected(works: pl.DataFrame, truth: Mapping[tuple[str, str], Array]) -> dict[Key, Array]:
    """Return for each stratum of a sheet how many of its works are expected in each cell of the truth."""
    strata: dict[Key, Array] = {}
    grouped = works.group_by(*READING_STRATA, "text", "affiliation", "classifiable", "listing").len()
    for critical, listed, near, text, place, can_be, listing, count in grouped.sort(pl.all()).iter_rows():
        of_decision = truth[text if can_be else "", place][3 * int(critical and can_be) + listing]
        key = (critical, listed, near)
        strata[key] = strata.get(key, np.zeros(6)) + count * of_decision
    return strata


def _widths(study: Study, strata: Mapping[Key, Array], known: int, size: int) -> dict[str, float]:
    if size == round(math.fsum(cells.sum() for cells in strata.values())):
        return dict.fromkeys(PLANNED, 0.0)  # nothing is left to draw
    rng = draws_of(SEED)
    taken = allocate({key: round(cells.sum()) for key, cells in strata.items()}, size)
    found: dict[str, list[float]] = {measure: [] for measure in PLANNED}
    of_known = np.array([[known, 0, 0], [0, 0, 0]], dtype=np.float64)
    for _ in range(SHEETS):
        read = [Read(known, of_known, of_known + 1)]
        for key, cells in strata.items():
            truth = multinomial(rng, round(cells.sum()), cells / cells.sum())
            sheet = hypergeometric_cells(rng, truth, taken[key]).reshape(2, 3).astype(np.float64)
            read.append(Read(int(truth.sum()), sheet, sheet))
        estimates = from_labels(read, study.confidence, DRAWS)
        for measure in PLANNED:
            _, low, high = estimates[measure]
            found[measure].append(high - low)
    return {measure: float(np.mean(widths)) for measure, widths in found.items()}
