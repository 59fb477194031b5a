"""Damage and older runs: read as far as they go, or refused with what, where and a hint; new runs work."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.errors import InputError
from copub.history.compare import compare
from copub.history.rescoring import today
from copub.history.series import series
from copub.runs import Run, RunWriter, folder, open_run, stagecache
from copub.runs.keep import find_run, last_created, last_tables, list_runs, prune, runs_of, unreadable_runs
from copub.runs.manifest import build_manifest
from copub.runs.stagecache import MADE, StageCache
from copub.study import Study

from .test_commands import command
from .world import LATER, STUDY, make_run, plain_world


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path, plain_world(8).values())


def edited(run: Run, change: Callable[[dict[str, Any]], Any]) -> None:
    path = run.folder / "manifest.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


HARM: dict[str, Callable[[Run], Any]] = {
    "empty manifest": lambda run: (run.folder / "manifest.json").write_text(""),
    "torn manifest": lambda run: os.truncate(run.folder / "manifest.json", 300),
    "a list for a manifest": lambda run: (run.folder / "manifest.json").write_text("[]"),
    "bytes that are no text": lambda run: (run.folder / "manifest.json").write_bytes(b"\xff\xfe{}"),
    "no study": lambda run: edited(run, lambda values: values.pop("study")),
    "no tables": lambda run: edited(run, lambda values: values.update(tables=3)),
    "a newer format": lambda run: edited(run, lambda values: values.update(format=99)),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_run_whose_manifest_is_harmed_is_refused_and_hinders_no_other(tmp_path: Path, run: Run, harm: str) -> None:
    HARM[harm](run)
    good = make_run(tmp_path, plain_world(8).values(), LATER)
    with pytest.raises(InputError) as caught:
        open_run(run.folder)
    assert caught.value.hint
    assert str(run.folder) in caught.value.where
    assert [found.folder for found in runs_of(tmp_path, "world")] == [good.folder]
    assert [error.where for error in unreadable_runs(tmp_path, "world")] == [caught.value.where]
    assert list_runs(tmp_path, "world").height == 1
    assert last_tables(tmp_path, "world") is not None


def test_the_newest_run_is_not_guessed_where_a_run_cannot_be_read(tmp_path: Path, run: Run) -> None:
    good = make_run(tmp_path, plain_world(8).values(), LATER)
    HARM["torn manifest"](run)
    with pytest.raises(InputError, match="cannot be read") as caught:
        find_run("world", tmp_path)
    assert f"world/{good.folder.name}" in caught.value.hint
    assert find_run(f"world/{good.folder.name}", tmp_path) == good


def test_pruning_leaves_alone_what_it_cannot_read_and_says_so(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path, plain_world(8).values(), LATER)
    last = make_run(tmp_path, plain_world(8).values(), replace(LATER, created="2026-08-01T00:00:00+00:00"))
    HARM["a newer format"](run)
    assert command("runs", "prune", "world", "--keep", "1", "--delete", "--reports", tmp_path) == 0
    assert "left alone" in capsys.readouterr().err
    assert run.folder.is_dir()
    assert [found.folder for found in runs_of(tmp_path, "world")] == [last.folder]


@pytest.mark.parametrize("harm", ["cut", "no parquet", "empty", "gone"])
def test_a_harmed_table_is_named_with_its_file(tmp_path: Path, run: Run, harm: str) -> None:
    path = run.folder / "tables" / "hits.parquet"
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": content[:-20], "no parquet": b"work_id\nW1\n", "empty": b""}[harm])
    good = make_run(tmp_path, plain_world(8).values(), LATER)
    for one, other in ((run, good), (good, run)):
        with pytest.raises(InputError, match="hits") as caught:
            compare(Run(one.folder), Run(other.folder))
        assert str(run.folder) in caught.value.where
    assert last_tables(tmp_path, "world") is not None


def test_a_table_that_was_altered_and_can_still_be_read_is_named_beside_the_comparison(
    tmp_path: Path, run: Run
) -> None:
    path = run.folder / "tables" / "hits.parquet"
    pl.read_parquet(path).head(1).write_parquet(path)
    notes = compare(Run(run.folder), make_run(tmp_path, plain_world(8).values(), LATER)).notes
    assert "tables of the earlier run are not as it wrote them: hits" in notes


def test_a_table_of_an_older_copub_that_lacks_a_column_is_refused_with_the_remedy(tmp_path: Path, run: Run) -> None:
    path = run.folder / "tables" / "works.parquet"
    pl.read_parquet(path).drop("epoch").write_parquet(path)
    good = make_run(tmp_path, plain_world(8).values(), LATER)
    with pytest.raises(InputError, match=r"lacks a column.*epoch") as caught:
        compare(Run(run.folder), good)
    assert "made by copub 1.0" in caught.value.hint
    HARM["torn manifest"](good)
    assert last_tables(tmp_path, "world") is None
    pl.read_parquet(path).drop("publication_year").write_parquet(path)
    with pytest.raises(InputError, match="lacks a column"):
        series([Run(run.folder)], today(None))


def test_a_table_of_a_newer_copub_with_more_columns_is_read(tmp_path: Path, run: Run) -> None:
    path = run.folder / "tables" / "works.parquet"
    pl.read_parquet(path).with_columns(more=pl.lit(1)).write_parquet(path)
    good = make_run(tmp_path, plain_world(8).values(), LATER)
    assert compare(Run(run.folder), good).is_empty
    assert last_tables(tmp_path, "world") is not None


@pytest.mark.slow
def test_a_new_run_is_made_beside_a_damaged_one_of_the_same_study(
    tmp_path: Path, small_run: Run, all_years: Study, small_works: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[Any] = []
    monkeypatch.setattr("copub.pipeline.build_page", lambda tables, manifest, last: before.append(last) or "page")
    monkeypatch.setattr("copub.pipeline.build_workbook", lambda *_: b"workbook")
    for name in ("torn", "cut"):
        shutil.copytree(small_run.folder, tmp_path / "demo" / name)
    os.truncate(tmp_path / "demo" / "torn" / "manifest.json", 100)
    os.truncate(tmp_path / "demo" / "cut" / "tables" / "affiliations.parquet", 100)
    made = copub.run(all_years, works=[small_works], cache=small_run.folder.parents[2] / "cache", reports=tmp_path)
    assert made.manifest["tables"] == small_run.manifest["tables"]
    assert (made.folder / "report.html").read_text(encoding="utf-8") == "page"
    assert before == [None]


def test_a_run_folder_renamed_by_hand_is_found_under_its_new_name(tmp_path: Path, run: Run) -> None:
    moved = run.folder.rename(run.folder.with_name("the printed report"))
    assert find_run("world/the printed report", tmp_path).folder == moved
    assert list_runs(tmp_path, "world")["run"].to_list() == ["the printed report"]


def test_a_linked_run_is_read_and_pruning_removes_the_link_and_not_what_it_points_to(tmp_path: Path, run: Run) -> None:
    place = tmp_path / "reports"
    (place / "world").mkdir(parents=True)
    (place / "world" / "linked").symlink_to(run.folder, target_is_directory=True)
    newest = make_run(place, plain_world(8).values(), LATER)
    assert [found.folder.name for found in runs_of(place, "world")] == ["linked", newest.folder.name]
    prune(place, "world", keep=1, delete=True)
    assert not (place / "world" / "linked").exists()
    assert open_run(run.folder).tables["works"].height == 8


def test_two_calls_of_one_second_make_two_runs(tmp_path: Path) -> None:
    one, other = RunWriter(tmp_path, "world", "20260101-000000"), RunWriter(tmp_path, "world", "20260101-000000")
    assert one.target != other.target
    other.target = one.target  # as if both had looked at the same moment
    finished = [writer.finish({"study": {}, "tables": {}}).folder.name for writer in (one, other)]
    assert len(set(finished)) == 2
    assert all(name.startswith("20260101-000000") for name in finished)
    assert not list((tmp_path / "world").glob(".*"))


def test_a_clock_that_went_back_does_not_make_the_new_run_an_old_one(tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")
    made = make_run(tmp_path, plain_world(4).values(), replace(LATER, created=ahead))
    assert last_created(tmp_path, "world") == ahead
    manifest = build_manifest(STUDY, "run-2", last=ahead)
    assert made.manifest["created"] < manifest["created"]
    assert manifest["clock"] < ahead
    assert "clock" not in build_manifest(STUDY, "run-2", last="2001-01-01T00:00:00+00:00")
    edited(made, lambda values: values.update(created="last tuesday"))
    assert last_created(tmp_path, "world") == ""


def no_space(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_the_run_as_wrong_input_and_leaves_earlier_runs_alone(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RunWriter(tmp_path, "world", "new")
    monkeypatch.setattr(folder.pq, "ParquetWriter", no_space)
    with pytest.raises(InputError, match="No space left") as caught:
        writer.table("works", run.tables["works"])
    assert "free some space" in caught.value.hint
    writer.discard()
    assert [path.name for path in (tmp_path / "world").iterdir()] == [run.folder.name]


def no_space_for_polars(*_: object, **__: object) -> Any:
    raise pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)")


@pytest.mark.parametrize("full", [no_space, no_space_for_polars])
def test_a_full_disk_under_the_cache_of_stages_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: Callable[..., Any]
) -> None:
    monkeypatch.setattr(stagecache, "sha256_of", full)
    with pytest.raises(InputError, match=r"cache cannot be written: .*No space left"):
        StageCache(tmp_path).cached("screen", {}, lambda _: ({"found": lambda: pl.DataFrame({"a": [1]})}, {}))
    assert not list((tmp_path / stagecache.FOLDER).iterdir())


def test_what_goes_wrong_in_a_stage_is_not_taken_for_the_cache_s_fault_and_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> Any:
        yield pl.DataFrame({"a": [1]})
        raise FileNotFoundError(errno.ENOENT, "gone", "works.jsonl")

    with pytest.raises(FileNotFoundError):
        StageCache(tmp_path).cached("screen", {}, lambda _: ({"found": fails}, {}))
    assert not list((tmp_path / stagecache.FOLDER).iterdir())


def test_a_result_that_another_call_put_there_meanwhile_is_taken(tmp_path: Path) -> None:
    cache, frame = StageCache(tmp_path), pl.DataFrame({"a": [1]})

    def while_another_makes_the_same(_: Path) -> Any:
        StageCache(tmp_path).cached("screen", {}, lambda _: ({"found": lambda: frame}, {}))
        return {"found": lambda: frame}, {}

    made = cache.cached("screen", {}, while_another_makes_the_same)
    assert (made.origin, pl.read_parquet(made.paths["found"]).equals(frame)) == (MADE, True)
    assert len(list((tmp_path / stagecache.FOLDER).iterdir())) == 1


@pytest.mark.parametrize("entry", ["[]", "3", '{"facts": {}, "hashes": 3}', '{"facts": {}, "hashes": {"x": 1}}', ""])
def test_an_entry_of_another_shape_is_made_anew(tmp_path: Path, entry: str) -> None:
    cache, frame = StageCache(tmp_path), pl.DataFrame({"a": [1]})
    cache.cached("screen", {}, lambda _: ({"found": lambda: frame}, {}))
    place = next((tmp_path / stagecache.FOLDER).iterdir())
    (place / "entry.json").write_text(entry, encoding="utf-8")
    assert cache.cached("screen", {}, lambda _: ({"found": lambda: frame}, {})).origin == stagecache.DAMAGED
