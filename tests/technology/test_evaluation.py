"""Evaluation: counts, intervals, strata, look-alikes, agreement; labels with faults are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import FileError, InputError
from copub.technology.classifierevaluation import (
    ANY,
    check_areas,
    cohen_kappa,
    evaluate,
    f1_interval,
    read_labels,
    share_of,
    to_json,
)

AREAS = ("A", "B")


def _labels(path: Path, rows: list[dict[str, object]]) -> pl.DataFrame:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_labels(path)


@pytest.fixture
def labels(tmp_path: Path) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {"item": f"P{n}", "title": "t", "abstract": "x" if n % 2 else "", "core": ["A"], "disputed": [], "applied": [],
         "stratum": "one"} for n in range(16)
    ]  # fmt: skip
    rows += [
        {"item": "N1", "title": "t", "core": [], "disputed": [], "applied": ["A"], "stratum": "two"},
        {"item": "N2", "title": "t", "core": ["B"], "disputed": [], "applied": [], "stratum": "two"},
        {"item": "D1", "title": "t", "core": [], "disputed": ["A"], "applied": [], "stratum": "two"},
    ]
    return _labels(tmp_path / "labels.jsonl", rows)


def _assignments(assigned: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"work_id": work, "area": area, "score": 0.9, "assigned": True} for work, area in assigned],
        schema={"work_id": pl.String, "area": pl.String, "score": pl.Float64, "assigned": pl.Boolean},
    )


def test_counts_leave_disputed_pairs_out(labels: pl.DataFrame) -> None:
    found = [(f"P{n}", "A") for n in range(12)] + [("N1", "A"), ("N2", "A"), ("D1", "A")]
    result = evaluate(labels, _assignments(found), AREAS)
    row = result.areas.filter(area="A").row(0, named=True)
    assert (row["tp"], row["fp"], row["fn"], row["works"]) == (12, 2, 4, 18)
    assert row["precision"] == pytest.approx(12 / 14)
    assert row["precision_low"] < row["precision"] < row["precision_high"]
    assert row["f1"] == pytest.approx(24 / 30)
    assert row["evaluated"]
    assert not result.areas.filter(area="B")["evaluated"].item()


def test_any_area_takes_a_work_once_and_leaves_a_mere_dispute_out(labels: pl.DataFrame) -> None:
    found = [(f"P{n}", area) for n in range(16) for area in AREAS] + [("D1", "A")]
    row = evaluate(labels, _assignments(found), AREAS).areas.filter(area=ANY).row(0, named=True)
    assert (row["works"], row["tp"], row["fp"], row["fn"]) == (18, 16, 0, 1)


def test_the_inclusive_reading_counts_applied_works(labels: pl.DataFrame) -> None:
    result = evaluate(labels, _assignments([("N1", "A")]), AREAS, reading="inclusive")
    row = result.areas.filter(area="A").row(0, named=True)
    assert (row["positives"], row["tp"]) == (18, 1)


def test_strata_sweep_calibration_and_look_alikes_are_tables(labels: pl.DataFrame) -> None:
    result = evaluate(labels, _assignments([("N2", "A"), ("N1", "A"), ("P1", "A")]), AREAS)
    assert set(result.strata["stratum"]) == {"title", "title and abstract", "one", "two"}
    assert result.look_alikes.rows() == [("A", "B", 1), ("A", "none", 1)]
    assert result.sweep["threshold"].to_list() == sorted(result.sweep["threshold"])
    assert result.calibration["pairs"].sum() == 2 * 19 - 1
    assert set(orjson.loads(to_json(result))) == {"areas", "strata", "calibration", "sweep", "look_alikes"}


def test_labels_with_faults_are_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError) as raised:
        _labels(tmp_path / "bad.jsonl", [{"title": "no id", "core": []}, {"item": "x", "core": "A"}, {"item": "y"}])
    assert str(raised.value).count("bad.jsonl:") == 3


@pytest.mark.parametrize("odd", ["T10001", ["T10001"], {"id": "T10001"}, 7])
def test_topics_of_a_label_that_are_no_list_of_objects_are_a_fault_and_not_left_out(tmp_path: Path, odd: Any) -> None:
    with pytest.raises(FileError) as raised:
        _labels(tmp_path / "l.jsonl", [{"item": "a", "title": "t", "core": [], "topics": odd}])
    assert "topics is no list of topics" in str(raised.value)


def test_a_share_has_its_wilson_interval_and_none_over_nothing() -> None:
    share, low, high = share_of(8, 10)
    assert (share, round(low, 3), round(high, 3)) == (0.8, 0.49, 0.943)
    assert all(math.isnan(value) for value in share_of(0, 0))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_an_f1_interval_lies_in_0_to_1_and_is_the_same_twice(pairs: list[tuple[bool, bool]]) -> None:
    truth, found = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    value, low, high = f1_interval(truth, found)
    assert 0 <= low <= high <= 1
    assert 0 <= value <= 1
    assert f1_interval(truth, found) == (value, low, high)


def test_kappa_is_one_for_equal_readings_and_zero_for_chance() -> None:
    yes, no = np.array([True, False, True, False]), np.array([True, True, False, False])
    assert cohen_kappa(yes, yes) == 1.0
    assert cohen_kappa(yes, no) == 0.0
    assert math.isnan(cohen_kappa(np.array([], dtype=bool), np.array([], dtype=bool)))


def test_an_item_labelled_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    row: dict[str, object] = {"item": "a", "title": "t", "core": []}
    with pytest.raises(FileError) as raised:
        _labels(tmp_path / "l.jsonl", [row, {**row, "item": "b"}, row])
    (fault,) = raised.value.faults
    assert fault.where.endswith(":3")
    assert "labelled already" in fault.what and fault.what.endswith(":1")


def test_labels_that_are_no_areas_are_refused_as_they_would_count_as_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"item": "a", "title": "t", "core": ["EU-02-AI"], "disputed": ["EU-2-AI"]}]
    with pytest.raises(FileError, match="1 fault"):
        check_areas(_labels(tmp_path / "l.jsonl", rows), ["EU-02-AI"])
    with pytest.raises(FileError, match="1 fault"):
        _labels(tmp_path / "l.jsonl", [{"item": "a", "title": "t", "core": [5]}])
    with pytest.raises(InputError, match="no label"):
        _labels(tmp_path / "l.jsonl", [])
