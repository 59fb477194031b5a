"""An atlas is the same to the byte however it was built, and says what it could not read."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copub.atlas import Atlas, Rules, build, open_atlas
from copub.atlas import building as building_module
from copub.atlas.snapshotpart import read_part
from copub.errors import InputError, SourceUnavailableError
from copub.sources.snapshot.jsonlines import two_codes
from copub.sources.snapshot.selection import countries_of_work

from .small import files_in, write_snapshot


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building_module, "GROUPS_ALONE", 1)
    build(snapshot, tmp_path / "two", rules, workers=2)
    assert files_in(tmp_path / "two") == files_in(atlas.folder)


@pytest.mark.slow
def test_dask_workers_give_the_bytes_of_one_process(atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: copub[cluster]")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        build(snapshot, tmp_path / "dask", rules, scheduler=cluster.scheduler_address)
    assert files_in(tmp_path / "dask") == files_in(atlas.folder)


def test_a_build_that_was_stopped_resumes_at_the_file(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def stopping(rules: Rules, part: Any) -> Any:
        given.append(part[1].name)
        if len(given) == 3:
            raise KeyboardInterrupt
        return read_part(rules, part)

    monkeypatch.setattr(building_module, "read_part", stopping)
    with pytest.raises(KeyboardInterrupt):
        build(snapshot, tmp_path / "atlas", rules, workers=1)
    with pytest.raises(InputError, match="no finished atlas"):
        open_atlas(tmp_path / "atlas")
    build(snapshot, tmp_path / "atlas", rules, workers=1)
    assert len(given) == 3 + 2
    assert files_in(tmp_path / "atlas") == files_in(atlas.folder)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not known there")
def test_a_killed_build_leaves_nothing_that_changes_the_next(atlas: Atlas, snapshot: Path, tmp_path: Path) -> None:
    target = tmp_path / "atlas"
    command = [sys.executable, "-m", "copub", "atlas", "build", "--study", "demo", "--workers", "1", "--quiet"]
    command += ["--from", str(snapshot), "--to", str(target)]
    with subprocess.Popen(command) as process:
        end = time.monotonic() + 120
        while not list((target / ".parts").glob("[0-9a-f]*")):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    subprocess.run(command, check=True)
    whole, again = files_in(atlas.folder), files_in(target)
    assert {name for name in whole if whole[name] != again[name]} <= {"manifest.json"}  # it names the bounds
    assert open_atlas(target).manifest["files"] == atlas.manifest["files"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not known there")
def test_a_killed_dask_worker_changes_nothing(atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: copub[cluster]")
    flag = tmp_path / "killed"

    def dying(rules: Rules, part: Any) -> Any:
        import os
        import signal
        from pathlib import Path

        from copub.atlas.snapshotpart import read_part

        if part[1].name.startswith("updated_date=2026-01-02") and not Path(flag).exists():
            Path(flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return read_part(rules, part)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building_module, "read_part", dying)
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            build(snapshot, tmp_path / "dask", rules, scheduler=cluster.scheduler_address)
    assert flag.exists()
    assert files_in(tmp_path / "dask") == files_in(atlas.folder)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not known there")
def test_a_killed_process_is_named_and_the_next_build_resumes(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path
) -> None:
    def dying(rules: Rules, part: Any) -> Any:
        import os
        import signal

        from copub.atlas.snapshotpart import read_part

        if part[1].name.startswith("updated_date=2026-01-04"):
            os.kill(os.getpid(), signal.SIGKILL)
        return read_part(rules, part)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building_module, "read_part", dying)
        with pytest.raises(InputError, match="ended from outside"):
            build(snapshot, tmp_path / "atlas", rules, workers=2)
    build(snapshot, tmp_path / "atlas", rules, workers=2)
    assert files_in(tmp_path / "atlas") == files_in(atlas.folder)


def test_a_damaged_file_is_named_and_read_again_once_it_is_whole(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(snapshot, tmp_path / "snapshot"))
    damaged = max(copy.rglob("*.gz"))
    whole, stat = damaged.read_bytes(), damaged.stat()
    damaged.write_bytes(whole[:-20])
    built = build(copy, tmp_path / "atlas", rules, workers=1)
    with pytest.raises(SourceUnavailableError, match="skipped in the snapshot: 1"):
        built.check()
    assert not open_atlas(tmp_path / "atlas").manifest["complete"]
    damaged.write_bytes(whole)
    os.utime(damaged, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    build(copy, tmp_path / "atlas", rules, workers=1).check()
    assert files_in(tmp_path / "atlas") == files_in(atlas.folder)


def test_lines_that_are_no_works_are_named(works: list[dict[str, Any]], rules: Rules, tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "snapshot", [works[:40], [{"id": "none"} | works[0] | {"id": "W"}]])
    path = min(snapshot.rglob("*.gz"))
    path.write_bytes(path.read_bytes() + gzip.compress(b'{"a": ["BE", "CN"\n'))
    built = build(snapshot, tmp_path / "atlas", rules, workers=1)
    places = [fault.where for fault in built.faults]
    assert places == ["updated_date=2026-01-01/part_0000.gz:41", "updated_date=2026-01-02/part_0000.gz:1"]
    assert str(tmp_path) not in orjson.dumps(built.manifest).decode()


def test_older_copies_and_deleted_works_do_not_count(atlas: Atlas, works: list[dict[str, Any]]) -> None:
    numbers = {int(work["id"].rpartition("/")[2][1:]) for work in works}
    stored = atlas.works().select("number", "title").collect()
    assert stored["number"].is_unique().all() and set(stored["number"]) <= numbers
    assert "An older copy" not in stored["title"].to_list()
    left_out = atlas.manifest["works"]["left_out"]
    assert left_out["deleted"] == 3 and left_out["older copy"] > 0
    international = {work["id"] for work in works if len(countries_of_work(work)) > 1}
    counts = atlas.manifest["works"]
    assert counts["international"] - left_out["older copy"] == len(international)


def test_copies_in_one_file_count_once_as_the_last(
    works: list[dict[str, Any]], rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copub.atlas.snapshotpart.CHUNK_WORKS", 7)
    older = [work | {"title": "An older copy"} for work in works[:10]]
    plain, doubled = (
        build(write_snapshot(tmp_path / name, [lines]), tmp_path / f"{name}-atlas", rules, workers=1).folder
        for name, lines in (("plain", works[:60]), ("doubled", [*older, works[3] | {"title": "x"}, *works[:60]]))
    )
    for table in ("works", "listings", "cells"):
        assert files_in(plain / table) == files_in(doubled / table)


def test_works_of_two_countries_pass_the_test_on_raw_lines(works: list[dict[str, Any]]) -> None:
    lines = [orjson.dumps(work) for work in works]
    escaped = [line.replace(b'"CN"', rb'"\u0043N"') for line in lines]
    for texts in (lines, escaped):
        passed = set(two_codes(pl.Series(texts, dtype=pl.Binary)))
        assert passed >= {n for n, work in enumerate(works) if len(countries_of_work(work)) > 1}


def test_synthetic_works_are_marked_whatever_the_rules(atlas: Atlas) -> None:
    assert atlas.manifest["synthetic"]


def test_another_list_of_deleted_works_makes_another_atlas(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(snapshot, tmp_path / "snapshot"))
    build(copy, tmp_path / "atlas", rules, workers=1)
    (copy / "data" / "jsonl" / "works" / "deleted_ids.csv").write_text("work_id\nW1\n", encoding="utf-8")
    with pytest.raises(InputError, match="other records"):
        build(copy, tmp_path / "atlas", rules, workers=1)
    build(copy, tmp_path / "new", rules, workers=1)
    counted = [open_atlas(folder).manifest["works"]["counted"] for folder in (tmp_path / "new", atlas.folder)]
    assert counted[0] > counted[1]


def test_an_atlas_is_not_put_among_the_files_of_the_snapshot(snapshot: Path, rules: Rules) -> None:
    before = sorted(snapshot.rglob("*"))
    with pytest.raises(InputError, match="among the files of the snapshot"):
        build(snapshot, snapshot / "data" / "jsonl" / "works" / "atlas", rules, workers=1)
    assert sorted(snapshot.rglob("*")) == before


def test_a_folder_with_other_files_is_refused(snapshot: Path, rules: Rules, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="other files"):
        build(snapshot, tmp_path, rules, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_finished_atlas_is_not_built_again_unless_a_table_is_damaged(
    atlas: Atlas, snapshot: Path, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(atlas.folder, tmp_path / "atlas"))
    given: list[Any] = []
    monkeypatch.setattr(building_module, "read_part", lambda rules, part: given.append(part) or read_part(rules, part))
    assert build(snapshot, copy, rules, workers=1).manifest == atlas.manifest
    assert given == []
    (copy / "cells" / "2020.parquet").write_bytes(b"torn")
    build(snapshot, copy, rules, workers=1)
    assert len(given) == 4
    assert files_in(copy) == files_in(atlas.folder)


def test_parquet_files_give_the_cells_of_json_lines(works: list[dict[str, Any]], rules: Rules, tmp_path: Path) -> None:
    some = [json.loads(json.dumps(work)) for work in works[:120]]
    write_snapshot(tmp_path / "lines", [some[:70], some[70:]])
    for number, part in enumerate((some[:70], some[70:]), start=1):
        path = tmp_path / "columns" / "data" / "parquet" / "works" / f"updated_date=2026-01-0{number}" / "part.parquet"
        path.parent.mkdir(parents=True)
        rows = [work | {"abstract_inverted_index": json.dumps(work.get("abstract_inverted_index"))} for work in part]
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=16)
    folders = [tmp_path / f"{name}-atlas" for name in ("lines", "columns")]
    for name, folder in zip(("lines", "columns"), folders, strict=True):
        build(tmp_path / name, folder, rules, workers=1).check()
    assert files_in(folders[0] / "cells") == files_in(folders[1] / "cells")


def test_a_finished_atlas_of_other_records_is_refused(
    atlas: Atlas, works: list[dict[str, Any]], rules: Rules, tmp_path: Path
) -> None:
    other = write_snapshot(tmp_path / "other", [works[:20]])
    before = files_in(atlas.folder)
    with pytest.raises(InputError, match="other records, rules or code"):
        build(other, atlas.folder, rules, workers=1)
    assert files_in(atlas.folder) == before
