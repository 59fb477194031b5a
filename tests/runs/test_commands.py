"""Rules of the commands on runs that are done: exit codes, words, JSON."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.cli import app
from copub.cli.app import call
from copub.history.series import SERIES
from copub.runs import Run
from copub.runs.keep import is_pinned
from copub.study import Study

from .world import LATER, make_run, plain_world


def command(*arguments: str | Path) -> int:
    words = [str(argument) for argument in arguments]
    return call(lambda: app(words, standalone_mode=False), as_json="--json" in words)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    after = plain_world(8)
    del after["W1"]
    folder = tmp_path_factory.mktemp("two") / "reports"
    make_run(folder, plain_world(8).values(), whole=True)
    make_run(folder, after.values(), LATER, whole=True)
    return folder


@pytest.fixture
def reports(two_runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_runs, tmp_path / "reports"))


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_compare_writes_beside_the_second_run_and_prints_the_causes(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("compare", "world/run", "world", "--reports", reports) == 0
    printed = capsys.readouterr().out
    assert "works added 0, removed 1, changed 0" in printed
    assert (reports / "world" / "comparisons" / "run--run-2" / "comparison.html").is_file()
    assert command("compare", "world/run", "world", "--reports", reports, "--out", reports / "here", "--json") == 0
    facts = answer(capsys)
    assert {part["cause"] for part in facts["parts"]} == {"left the pair"}
    assert facts["page"] == str(reports / "here" / "comparison.html")


def test_a_comparison_is_no_run(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("compare", "world/run", "world", "--reports", reports)
    capsys.readouterr()
    assert command("runs", "list", "--reports", reports, "--json") == 0
    assert [row["run"] for row in answer(capsys)["world"]] == ["run", "run-2"]


def test_list_pin_unpin_and_prune_act_on_what_they_name_and_only_on_demand(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(reports / "world" / "run")
    assert command("runs", "pin", "world/run", "--reason", "printed", "--reports", reports) == 0
    assert is_pinned(first)
    assert command("runs", "list", "world", "--reports", reports) == 0
    assert "8 works  22.73%  pinned" in capsys.readouterr().out
    assert command("runs", "unpin", "world/run", "--reports", reports) == 0
    capsys.readouterr()
    assert command("runs", "prune", "world", "--keep", "1", "--reports", reports) == 0
    assert "nothing is removed without --delete" in capsys.readouterr().out
    assert first.folder.exists()
    assert command("runs", "prune", "world", "--keep", "1", "--delete", "--reports", reports, "--json") == 0
    assert answer(capsys) == {
        "removed": True, "gone": [str(first.folder)], "kept": [str(reports / "world" / "run-2")],
    }  # fmt: skip
    assert not first.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compare", "world/none", "world"), "there is: world/run"),
        (("runs", "prune", "elsewhere"), "known: world"),
        (("runs", "list", "elsewhere"), "known: world"),
        (("trend", "elsewhere"), "known: world"),
        (("trend", "world", "--out", "series.txt"), ".parquet or .csv"),
        (("verify", "world", "a.jsonl"), "put --works before"),
        (("runs", "prune", "world", "--keep", "0"), "keep at least 1"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_there_is(
    reports: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert command(*arguments, "--reports", reports) == 2
    assert words in capsys.readouterr().err


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, small_run: Run, all_years: Study, small_works: Path) -> Path:
    place = tmp_path_factory.mktemp("small")
    shutil.copytree(small_run.folder.parents[2], place, dirs_exist_ok=True)
    study = replace(all_years, operating_point="precision")
    copub.run(study, works=[small_works], cache=place / "cache", reports=place / "reports", until="measure")
    return place


def test_verify_ends_with_0_if_the_same_and_with_4_if_not(
    small: Path, small_works: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--works", small_works, "--cache", small / "cache", "--reports", small / "reports")
    assert command("verify", "demo", *options, "--quiet") == 0
    assert "The same to the byte" in capsys.readouterr().out
    manifest = copub.open_run(max((small / "reports" / "demo").iterdir())).folder / "manifest.json"
    whole = manifest.read_text(encoding="utf-8")
    values = json.loads(whole)
    values["tables"]["hits"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(values), encoding="utf-8")
    try:
        assert command("verify", manifest.parent, *options, "--json") == 4
        facts = answer(capsys)
        assert (facts["same"], facts["first_difference"]) == (False, "screen")
    finally:
        manifest.write_text(whole, encoding="utf-8")


def test_trend_sets_todays_share_beside_each_runs_own(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = small / "series.csv"
    assert command("trend", "demo", "--reports", small / "reports", "--out", out, "--json") == 0
    rows = answer(capsys)["runs"]
    # both runs hold the same records: today's line is level, whatever the operating points were
    assert rows[0]["today_share"] == rows[1]["today_share"] == rows[1]["share"]
    assert rows[0]["share"] != rows[1]["share"]
    assert rows[1]["changed"] == ["setting operating_point: balanced, then precision"]
    assert pl.read_csv(out).columns == SERIES.schema.names()
    assert command("trend", "demo", "--reports", small / "reports", "--out", small / "series.parquet") == 0
    assert pl.read_parquet(small / "series.parquet").schema == SERIES.schema
    assert "with today's instruments" in capsys.readouterr().out


def test_comparing_two_real_runs_names_the_setting_that_moved_them(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = sorted(path.name for path in (small / "reports" / "demo").iterdir() if path.name != "comparisons")
    assert command("compare", f"demo/{first}", f"demo/{second}", "--reports", small / "reports", "--json") == 0
    facts = answer(capsys)
    assert {part["cause"] for part in facts["parts"]} == {"study settings"}
    assert facts["works"]["added"] == facts["works"]["removed"] == 0
