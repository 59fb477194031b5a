"""The shipped studies on the real records: the funnel, the tables, the same bytes twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.cli.runs import run_lines
from copub.measures.measure import OPTIONAL
from copub.schema import TABLES

pytestmark = pytest.mark.real


def test_the_funnel_of_belgium_china_is_that_of_the_records(belgium_china: copub.Run) -> None:
    steps = {step["step"]: step["count"] for step in belgium_china.manifest["funnel"]}
    assert steps["records read"] == 15_836
    assert steps["co-publications found"] == 351
    assert steps["left out: year"] == 31
    assert steps["left out: paratext title"] == 10
    left_out = sum(steps.get(f"left out: {reason}", 0) for reason in ("type", "paratext title", "repair"))
    assert steps["left out: repair"] > 0
    assert steps["co-publications counted"] == 320 - left_out


def test_what_is_printed_of_belgium_china_is_15_lines_of_80_columns_and_a_path(belgium_china: copub.Run) -> None:
    *lines, path = run_lines(belgium_china)
    assert len(lines) <= 15 and max(map(len, lines)) <= 80
    assert path == str(belgium_china.folder / "report.html")


def test_works_of_an_excluded_type_are_counted_and_named(belgium_china: copub.Run) -> None:
    works = (
        belgium_china.tables["population"]
        .filter(excluded_because="type")
        .join(belgium_china.tables["works"], on="work_id")
    )
    named = belgium_china.tables["coverage"].filter(
        pl.col("metric") == "left out: type", pl.col("slice_kind") == "type"
    )
    assert works.height == named["count"].sum() > 0
    assert set(named["slice"]) == set(works["type"])


def test_all_tables_are_there_in_the_shape_of_the_schema(belgium_china: copub.Run) -> None:
    assert set(belgium_china.tables) == set(TABLES) - OPTIONAL
    assert all(frame.schema == TABLES[name].schema for name, frame in belgium_china.tables.items())


@pytest.mark.slow
def test_a_second_call_gives_byte_identical_tables(
    belgium_china: copub.Run, works_files: list[Path], tmp_path: Path
) -> None:
    again = copub.run("belgium-china", works=works_files, reports=tmp_path / "r", cache=tmp_path / "c")
    assert again.manifest["tables"] == belgium_china.manifest["tables"]


@pytest.mark.slow
def test_the_whole_run_takes_under_1_gb(works_files: list[Path], tmp_path: Path) -> None:
    # In a process of its own: the memory of the other tests is not the run's.
    command = [sys.executable, "-m", "copub", "run", "belgium-china", "--json", "--works", *map(str, works_files)]
    done = subprocess.run(
        [*command, "--reports", str(tmp_path / "r"), "--cache", str(tmp_path / "c")],
        capture_output=True,
        text=True,
        check=True,
    )
    stages = json.loads(done.stdout)["stages"]
    assert max(row["peak_mb"] for row in stages) < 1000


def test_lower_and_unrated_levels_stand_beside_the_listed_ones(belgium_china: copub.Run) -> None:
    works = belgium_china.tables["copublications"]
    bands = dict(works.group_by("listing_category").len().iter_rows())
    assert bands["counted"] == works["is_listed"].sum() > 0
    assert bands["lower level"] > 0
    assert bands["unrated"] > 0
    assert set(works.filter("is_listed")["max_risk_level"]) <= {"very high", "high"}


def test_the_works_that_eyes_found_plausible_are_listed_with_the_right_entity(belgium_china: copub.Run) -> None:
    expected = {
        "W2140217747": "harbin-institute-of-technology",
        "W2292343140": "harbin-institute-of-technology",
        "W2158712894": "northwestern-polytechnical-university",
        "W2547299165": "northwestern-polytechnical-university",
        "W2252896228": "beijing-institute-of-technology",
        "W2495172718": "beijing-institute-of-technology",
    }
    entities = dict(belgium_china.tables["copublications"].select("work_id", "entities").iter_rows())
    for work_id, entity in expected.items():
        assert entity in entities[work_id], work_id


@pytest.mark.slow
def test_eu_china_runs_on_the_raw_works(works_files: list[Path], tmp_path: Path) -> None:
    run = copub.run("eu-china", works=works_files[:1], reports=tmp_path)
    steps = {step["step"]: step["count"] for step in run.manifest["funnel"]}
    assert steps["records read"] == 15_496
    assert steps["co-publications counted"] > 100
    assert run.share("critical_listed")["denominator"] == steps["co-publications counted"]
    panel = run.tables["panel"].filter(measure="critical_listed", counting="full")
    assert panel.height == 27
    works = run.share("critical_listed")["denominator"]
    assert set(panel["denominator"] + panel["rest_denominator"]) == {works}  # a work is of a pair, or of its rest
    assert (run.folder / "report.html").stat().st_size < 6_000_000
    own = copub.run("eu-china", pair="BE", works=works_files[:1], reports=tmp_path)
    assert {row["stage"]: row.get("result") for row in own.manifest["stages"]}["screen"] == "reused"
    belgium = panel.row(by_predicate=pl.col("pair") == "BE-CN", named=True)
    for name, value in own.share("critical_listed").items():
        if name in ("numerator", "denominator", "share", "ci_low", "ci_high"):
            assert belgium[name] == pytest.approx(value), name
