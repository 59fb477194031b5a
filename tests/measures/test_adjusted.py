"""The adjusted share equals a plain correction work by work, and its interval holds what it promises."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from copub.measures.adjusted import FEW, adjusted
from copub.measures.correction import adjust, from_labels
from copub.measures.errors import ErrorCounts, Errors

from .worlds import LIMITS, STUDY, measured, seeds

EVERY_SLICE = replace(STUDY, small_rate=0)

MEASURED = Errors(
    {"with abstract": ErrorCounts(88, 12, 12, 288), "title only": ErrorCounts(70, 10, 30, 190)},
    {"resolved": ErrorCounts(95, 2, 5, 398), "unresolved": ErrorCounts(80, 2, 20, 198)},
    "a made-up evaluation",
)
PERFECT = ErrorCounts(1e9, 0, 0, 1e9)
SURE = Errors(
    {"with abstract": PERFECT, "title only": PERFECT}, {"resolved": PERFECT, "unresolved": PERFECT}, "no errors"
)


def works_of(seed: int, size: int | None = None) -> pl.DataFrame:
    return measured(seed, size)["copublications"]


def by_hand(rows: list[dict[str, object]], errors: Errors) -> float:
    """Average over the judged works what each counts for."""
    total = 0.0
    for row in rows:
        c = errors.classifier["with abstract" if row["classified_from"] == "title and abstract" else "title only"]
        m = errors.matcher["resolved" if row["has_institution"] else "unresolved"]
        of_c = (row["is_critical"] - (1 - c.specificity)) / (c.sensitivity + c.specificity - 1)
        of_m = (row["is_listed"] - (1 - m.specificity)) / (m.sensitivity + m.specificity - 1)
        total += of_c * of_m
    return min(1.0, max(0.0, total / len(rows)))


@LIMITS
@given(seeds)
def test_the_estimate_is_the_mean_of_works_corrected_one_by_one(seed: int) -> None:
    works = works_of(seed)
    row = adjusted(STUDY, works, MEASURED).row(
        by_predicate=(pl.col("measure") == "critical_listed") & (pl.col("slice_kind") == "all"), named=True
    )
    judged = works.filter("classifiable").rows(named=True)
    assert row["not_judged"] == works.height - len(judged)
    assert row["adjusted"] == (pytest.approx(by_hand(judged, MEASURED), abs=1e-8) if judged else None)


def test_slices_of_few_works_are_not_adjusted_and_say_so() -> None:
    table = adjusted(replace(STUDY, small_rate=25), works_of(3, 40), MEASURED)
    few = table.filter(pl.col("slice_kind") != "all", pl.col("denominator") < 25)
    assert few.height > 0
    assert set(few["basis"]) == {FEW}
    assert few["adjusted"].null_count() == few["adjusted_low"].null_count() == few.height
    assert table.filter(slice_kind="all")["adjusted"].null_count() == 0


def test_perfect_instruments_leave_the_raw_share_as_it_is() -> None:
    works = works_of(3, 40).with_columns(classifiable=pl.lit(True))
    table = adjusted(EVERY_SLICE, works, SURE)
    for row in table.iter_rows(named=True):
        assert row["adjusted"] == pytest.approx(row["share"], abs=1e-6)
        assert row["adjusted_low"] <= row["adjusted"] <= row["adjusted_high"]
    assert set(table["method"]) == {"shipped evaluation"}


def test_without_an_evaluation_nothing_is_adjusted_and_it_says_so() -> None:
    table = adjusted(STUDY, works_of(3, 40), None)
    assert set(table["method"]) == {"none"}
    assert table["adjusted"].null_count() == table.height
    assert table["share"].null_count() == 0


def test_a_worse_measured_stratum_widens_the_interval() -> None:
    cells = {("with abstract", "resolved"): (700.0, 100.0, 150.0, 50.0)}
    worse = {("title only", "resolved"): cells["with abstract", "resolved"]}
    _, low, high = adjust(cells, MEASURED, (True, True), 0.95)
    _, low_title, high_title = adjust(worse, MEASURED, (True, True), 0.95)
    assert high_title - low_title > high - low


def test_an_instrument_that_tells_nothing_gives_an_interval_over_everything() -> None:
    blind = ErrorCounts(50, 50, 50, 50)
    errors = Errors({"with abstract": blind, "title only": blind}, MEASURED.matcher, "blind")
    found = adjust({("title only", "resolved"): (80.0, 0.0, 20.0, 0.0)}, errors, (True, False), 0.95)
    assert found == (None, 0.0, 1.0)


def test_a_sample_of_everything_has_no_interval() -> None:
    assert from_labels([(40, 40, 10), (60, 60, 3)], 0.95) == pytest.approx((0.13, 0.13, 0.13))


def test_the_labelled_estimate_weighs_each_stratum_by_its_works() -> None:
    share, low, high = from_labels([(900, 30, 3), (100, 20, 18)], 0.95)
    assert share == pytest.approx((900 * 3 / 30 + 100 * 18 / 20) / 1000)
    assert low < share < high


def test_a_labelled_sample_replaces_the_evaluation_for_the_whole_study() -> None:
    works = works_of(5, 40)
    rng = Random(1)
    truth = pl.DataFrame(
        {
            "work_id": works["work_id"],
            "critical": works["is_critical"],
            "listed": [rng.random() < 0.5 for _ in works["work_id"]],
        }
    )
    table = adjusted(EVERY_SLICE, works, MEASURED, truth)
    row = table.row(by_predicate=(pl.col("measure") == "listed") & (pl.col("slice_kind") == "all"), named=True)
    assert row["method"] == "labelled sample"
    assert row["adjusted"] == row["adjusted_low"] == row["adjusted_high"] == pytest.approx(truth["listed"].mean())
    assert set(table.filter(slice_kind="year")["method"]) == {"shipped evaluation"}


def test_a_sample_that_misses_a_decision_is_not_used() -> None:
    works = works_of(5, 40)
    only_listed = works.filter("is_listed").select("work_id", critical="is_critical", listed="is_listed")
    row = adjusted(STUDY, works, MEASURED, only_listed).filter(measure="listed", slice_kind="all")
    assert row["method"].to_list() == ["shipped evaluation"]


def test_labels_join_within_a_decision_where_a_band_of_scores_has_none() -> None:
    works = works_of(5, 40)
    far = works.filter(~pl.col("max_score").fill_null(0).is_between(0.2, 0.8))
    truth = far.select("work_id", critical="is_critical", listed="is_listed")
    if truth["critical"].n_unique() == 2:
        row = adjusted(STUDY, works, MEASURED, truth).filter(measure="critical", slice_kind="all")
        assert row["method"].to_list() == ["labelled sample"]


@LIMITS
@given(seeds)
def test_the_same_input_gives_the_same_digits(seed: int) -> None:
    works = works_of(seed)
    assert adjusted(STUDY, works, MEASURED).equals(adjusted(STUDY, works.reverse(), MEASURED))


def test_the_adjusted_interval_covers_the_truth_where_the_raw_one_does_not() -> None:
    """Small sister of benchmarks/coverage_of_intervals.py: one kind of world, 300 draws of it."""
    rng = np.random.default_rng(7)
    true, works, held, raw_held = np.array([0.64, 0.11, 0.16, 0.09]), 2000, 0, 0
    c, m = MEASURED.classifier["title only"], MEASURED.matcher["resolved"]
    for world in range(300):
        cells = np.zeros(4)
        for cell, count in enumerate(rng.multinomial(works, true)):
            critical = c.sensitivity if cell >= 2 else 1 - c.specificity
            listed = m.sensitivity if cell % 2 else 1 - m.specificity
            cells += rng.multinomial(count, np.outer([1 - critical, critical], [1 - listed, listed]).ravel())
        tp, tn = rng.binomial(100, c.sensitivity), rng.binomial(200, c.specificity)
        tp_m, tn_m = rng.binomial(100, m.sensitivity), rng.binomial(400, m.specificity)
        measured = Errors(
            {"title only": ErrorCounts(tp, 200 - tn, 100 - tp, tn), "with abstract": c},
            {"resolved": ErrorCounts(tp_m, 400 - tn_m, 100 - tp_m, tn_m), "unresolved": m},
            "drawn",
        )
        _, low, high = adjust({("title only", "resolved"): tuple(cells)}, measured, (True, True), 0.95, 1000, world)
        held += low <= true[3] <= high
        raw = cells[3] / works
        raw_held += abs(raw - true[3]) <= 1.96 * np.sqrt(raw * (1 - raw) / works)
    assert 0.92 <= held / 300 <= 0.98
    assert raw_held / 300 < 0.5
