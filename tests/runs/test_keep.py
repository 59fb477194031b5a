"""Rules of keeping runs: found by name, pinned for good, pruned only on demand."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import copub
from copub.errors import InputError
from copub.runs import Run, sha256_of
from copub.runs.keep import find_run, is_pinned, list_runs, pin, prune, runs_of, studies_of, unpin

from .world import EARLIER, make_run, plain_world


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world, folder = plain_world(8).values(), tmp_path_factory.mktemp("three")
    # written in another order than created
    days = ("2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00")
    for day in days:
        make_run(folder, world, replace(EARLIER, created=day), whole=day == days[1])
    return folder


@pytest.fixture
def three_runs(written: Path, tmp_path: Path) -> list[Run]:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return [Run(tmp_path / "world" / name) for name in ("run-3", "run", "run-2")]


def test_runs_are_listed_oldest_first_with_headline_and_pin(tmp_path: Path, three_runs: list[Run]) -> None:
    pin(three_runs[0], "the printed report")
    listed = list_runs(tmp_path, "world")
    assert listed["run"].to_list() == [run.folder.name for run in three_runs]
    assert listed["pinned"].to_list() == [True, False, False]
    assert listed["works"].to_list() == [8, 8, 8]
    assert listed["share"].to_list() == [None, None, three_runs[2].share()["share"]]


def test_a_run_is_found_by_folder_by_name_and_as_the_newest_of_its_study(tmp_path: Path, three_runs: list[Run]) -> None:
    oldest, _, newest = three_runs
    assert find_run(str(oldest.folder), tmp_path) == oldest
    assert find_run(f"world/{oldest.folder.name}", tmp_path) == oldest
    assert find_run("world", tmp_path) == newest
    assert studies_of(tmp_path) == ["world"]


def test_python_opens_a_run_as_the_command_line_names_it(
    tmp_path: Path, three_runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest, _, newest = three_runs
    named = {"world": newest, tmp_path / "world": newest, f"world/{oldest.folder.name}": oldest, oldest.folder: oldest}
    monkeypatch.setenv("COPUB_REPORTS", str(tmp_path))
    assert {name: copub.open_run(name).folder for name in named} == {name: run.folder for name, run in named.items()}
    monkeypatch.delenv("COPUB_REPORTS")
    assert copub.open_run("world", reports=tmp_path) == newest
    monkeypatch.chdir(tmp_path)
    assert copub.open_run("world").folder.name == newest.folder.name
    with pytest.raises(InputError, match="there is no run 'elsewhere'"):
        copub.open_run("elsewhere")


def test_a_study_of_that_name_among_the_reports_comes_before_a_folder_here(
    tmp_path: Path, three_runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "elsewhere", plain_world(8).values())
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find_run("world", tmp_path) == three_runs[2]


@pytest.mark.parametrize(("name", "known"), [("world/none", "world/run"), ("other", "world"), ("", "world")])
def test_an_unknown_run_is_refused_with_the_list_of_known_ones(
    tmp_path: Path, three_runs: list[Run], name: str, known: str
) -> None:
    with pytest.raises(InputError) as caught:
        find_run(name, tmp_path)
    assert known in caught.value.hint


def test_a_pin_changes_no_table_and_can_be_taken_off(three_runs: list[Run]) -> None:
    run = three_runs[0]
    before = {path: sha256_of(path) for path in run.folder.rglob("*") if path.is_file()}
    pin(run, "why")
    assert is_pinned(run)
    unpin(run)
    unpin(run)
    assert not is_pinned(run)
    assert before == {path: sha256_of(path) for path in run.folder.rglob("*") if path.is_file()}


def test_pruning_shows_and_removes_nothing_unless_told(tmp_path: Path, three_runs: list[Run]) -> None:
    shown = prune(tmp_path, "world", keep=1)
    assert [run.folder for run in shown.gone] == [run.folder for run in three_runs[:2]]
    assert not shown.removed
    assert len(runs_of(tmp_path, "world")) == 3


def test_pruning_keeps_the_newest_and_the_pinned(tmp_path: Path, three_runs: list[Run]) -> None:
    pin(three_runs[0])
    done = prune(tmp_path, "world", keep=1, delete=True)
    assert done.removed
    assert [run.folder for run in runs_of(tmp_path, "world")] == [three_runs[0].folder, three_runs[2].folder]
    assert not three_runs[1].folder.exists()
    assert not list((tmp_path / "world").glob(".*"))


def test_pruning_keeps_a_run_in_whose_folder_somebody_has_put_a_file(tmp_path: Path, three_runs: list[Run]) -> None:
    note = three_runs[0].folder / "my-notes.txt"
    note.write_text("a week of work", encoding="utf-8")
    done = prune(tmp_path, "world", keep=1, delete=True)
    assert note.read_text(encoding="utf-8") == "a week of work"
    assert [(run.folder, others) for run, others in done.held] == [(three_runs[0].folder, ["my-notes.txt"])]
    assert not three_runs[1].folder.exists()


def test_pruning_to_no_run_is_refused(tmp_path: Path, three_runs: list[Run]) -> None:
    with pytest.raises(InputError, match="cannot keep 0"):
        prune(tmp_path, "world", keep=0, delete=True)
    assert len(runs_of(tmp_path, "world")) == 3


def test_pruning_sweeps_up_after_killed_calls_but_not_after_running_ones(tmp_path: Path, three_runs: list[Run]) -> None:
    folder = tmp_path / "world"
    gone = 2**22 + 1  # above the highest process number
    for name in (f".partial-run-9-{gone}", ".removed-run-8", f".partial-run-9-{os.getpid()}", ".partial-run"):
        (folder / name).mkdir()
    assert [path.name for path in prune(tmp_path, "world", keep=9).leftovers] == [
        f".partial-run-9-{gone}",
        ".removed-run-8",
    ]
    prune(tmp_path, "world", keep=9, delete=True)
    assert sorted(path.name for path in folder.glob(".*")) == [".partial-run", f".partial-run-9-{os.getpid()}"]


def test_a_stray_file_with_the_name_of_a_leftover_stops_no_pruning_and_stays(
    tmp_path: Path, three_runs: list[Run]
) -> None:
    strays = [tmp_path / "world" / name for name in (".removed-x", f".partial-x-{2**22 + 1}")]
    for stray in strays:
        stray.write_text("a person put this here", encoding="utf-8")
    done = prune(tmp_path, "world", keep=1, delete=True)
    assert (len(done.gone), done.leftovers) == (2, ())
    assert not any(run.folder.exists() for run in three_runs[:2]) and all(stray.is_file() for stray in strays)


def test_a_study_without_runs_has_an_empty_list(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere", "world").is_empty()
    assert prune(tmp_path, "world", keep=1, delete=True).gone == ()
