"""Whether classifier and matcher err on the same works is computed from labels, or stated to be untested."""

from __future__ import annotations

import polars as pl
import pytest

from copub.lists.labels import LABELS
from copub.measures.adjusted import labels_of_works, prepared
from copub.measures.dependence import dependence
from copub.technology.taught import TAUGHT

from .worlds import STUDY, measured


def decided(cells: dict[tuple[bool, bool, bool, bool], int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return works and labels of all of them: how many are decided (critical, listed) and truly so."""
    some = measured(3, 40)["copublications"].head(1)
    rows, labels = [], []
    for (found_c, found_l, true_c, true_l), count in cells.items():
        for _ in range(count):
            name = f"W{len(rows) + 1}"
            rows.append({"work_id": name, "is_critical": found_c, "is_listed": found_l})
            labels.append((name, true_c, true_l, False, "A. Reader", "2026-11-20", "", None))
    works = pl.concat([some] * len(rows)).with_columns(
        pl.Series(name, [row[name] for row in rows]) for name in ("work_id", "is_critical", "is_listed")
    )
    return works.with_columns(max_score=pl.lit(0.0)), pl.DataFrame(labels, schema=LABELS, orient="row")


CELLS = {
    # decided critical, decided listed, truly critical, truly listed
    (True, True, True, True): 90, (True, False, True, False): 60, (False, False, True, False): 60,
    (False, True, True, True): 10, (True, True, False, True): 30, (True, False, False, False): 10,
    (False, False, False, False): 200, (False, True, False, True): 70, (False, False, False, True): 10,
}  # fmt: skip


def test_rates_and_differences_are_those_of_the_labels_where_every_work_is_read() -> None:
    works, labelled = decided(CELLS)
    known = prepared(STUDY, works)
    table = dependence(STUDY, known, labels_of_works(known, labelled))
    found = {(row["instrument"], row["rate"]): row for row in table.iter_rows(named=True)}

    def rate(instrument: int, truth: bool, other: bool) -> float:
        of = {cell: n for cell, n in CELLS.items() if cell[2 + instrument] == truth and cell[3 - instrument] == other}
        return sum(n for cell, n in of.items() if cell[instrument] == truth) / sum(of.values())

    for number, instrument in enumerate(("classifier", "matcher")):
        for truth, name in ((True, "sensitivity"), (False, "specificity")):
            row = found[instrument, name]
            assert row["among"] == pytest.approx(rate(number, truth, True))
            assert row["among_others"] == pytest.approx(rate(number, truth, False))
            assert row["low"] == row["high"] == pytest.approx(rate(number, truth, True) - rate(number, truth, False))
            assert row["works"] == works.height and row["status"] == "tested"
    assert found["classifier", "sensitivity"]["differs"] and found["classifier", "sensitivity"]["by"] == "listed"


def test_a_sample_says_so_with_an_interval_that_holds_the_whole() -> None:
    works, labelled = decided({cell: 4 * n for cell, n in CELLS.items()})
    known = prepared(STUDY, works)
    part = labelled.sample(400, seed=1, shuffle=True)
    row = dependence(STUDY, known, labels_of_works(known, part)).row(1, named=True)
    assert (row["instrument"], row["rate"]) == ("classifier", "specificity")
    assert row["low"] < 80 / 110 - 200 / 210 < row["high"] and row["high"] - row["low"] > 0.02


def test_without_labels_it_is_untested_and_training_works_test_nothing() -> None:
    works, labelled = decided(CELLS)
    known = prepared(STUDY, works)
    assert set(dependence(STUDY, known, None)["status"]) == {"untested"}
    taught = pl.DataFrame({"item": works["work_id"], "critical": [True] * works.height}, schema=TAUGHT)
    known = prepared(STUDY, works, None, taught)
    table = dependence(STUDY, known, labels_of_works(known, labelled))
    assert set(table["status"]) == {"untested"}
