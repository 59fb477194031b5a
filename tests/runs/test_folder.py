"""Rules of run folders: whole or not there; what is written can be read back."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from copub.errors import InputError
from copub.runs import Run, RunWriter, folder, sha256_of, tablefile
from copub.runs.folder import ESTIMATE
from copub.schema import TABLES, empty


def topics() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "work_id": ["W1"],
            "rank": [0],
            "topic_id": ["T1"],
            "topic_name": ["x"],
            "score": [0.5],
            "subfield": [None],
            "field": ["f"],
        },
        schema=TABLES["topics"].schema,
    )


def test_a_run_appears_only_when_it_is_finished(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, "s", "r")
    writer.table("topics", topics())
    assert not (tmp_path / "s" / "r").exists()
    run = writer.finish({"a": 1})
    assert run.folder == tmp_path / "s" / "r"
    assert run.manifest == {"a": 1, "files": run.manifest["files"], "seal": run.manifest["seal"]}
    assert run.tables["topics"].equals(topics())
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["r"]


def test_a_discarded_run_leaves_nothing(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, "s", "r")
    writer.table("topics", topics())
    writer.discard()
    assert list((tmp_path / "s").iterdir()) == []


def test_a_run_never_takes_the_place_of_another(tmp_path: Path) -> None:
    first = RunWriter(tmp_path, "s", "r").finish({})
    second = RunWriter(tmp_path, "s", "r").finish({})
    assert (first.folder.name, second.folder.name) == ("r", "r-2")


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for _ in range(2):
        writer = RunWriter(tmp_path, "s", "r")
        writer.table("topics", topics())
        run = writer.finish({})
        hashes.append((writer.written["topics"]["sha256"], sha256_of(run.folder / "tables" / "topics.parquet")))
    assert len(set(hashes[0] + hashes[1])) == 1


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 20])
def test_a_table_in_parts_gives_the_bytes_of_the_whole_one(
    tmp_path: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tablefile, "ROWS_AT_ONCE", 3)
    whole = pl.concat([topics().with_columns(work_id=pl.lit(f"W{n}")) for n in range(10)])
    writer = RunWriter(tmp_path, "s", "r")
    writer.table("topics", whole)
    as_one = writer.written["topics"]
    writer.table("topics", (whole[start : start + cut] for start in range(0, whole.height, cut)))
    assert writer.written["topics"] == as_one
    assert writer.read("topics").equals(whole)
    writer.table("topics", iter([whole.clear()]))
    assert writer.read("topics").schema == whole.schema
    writer.discard()


def test_columns_carry_their_meaning_in_the_file(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, "s", "r")
    for name in TABLES:
        writer.table(name, empty(name))
    run = writer.finish({})
    schema = pq.read_schema(run.folder / "tables" / "shares.parquet")
    field = schema.field("share")
    assert field.metadata[b"description"].startswith(b"numerator / denominator")
    assert all(json.dumps(schema.field(column.name).metadata[b"unit"].decode()) for column in TABLES["shares"].columns)


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run") as caught:
        folder.open_run(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_an_unknown_share_lists_the_known_ones(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, "s", "r")
    writer.table("shares", empty("shares"))
    run = writer.finish({"study": {"counting": "full"}})
    with pytest.raises(InputError, match="no share 'x'"):
        run.share("x")


def test_a_share_comes_with_the_corrected_share_or_the_one_from_reading_in_full_counting(demo_run: Run) -> None:
    row = demo_run.tables["adjusted"].filter(slice_kind="all", measure="critical").row(0, named=True)
    share = demo_run.share("critical")
    assert row["method"] == "evaluation"
    assert {name: share[name] for name in ESTIMATE} == {name: row[name] for name in ESTIMATE}
    assert demo_run.share("critical", "fractional-authors")["adjusted"] is None
    assert demo_run.share("listed_given_critical")["method"] is None


def test_a_reports_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written") as caught:
        RunWriter(tmp_path / "file", "s", "r")
    assert caught.value.where == str(tmp_path / "file")
    assert "--reports" in caught.value.hint


def test_a_run_shows_its_study_and_the_names_of_its_tables(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, "s", "r")
    writer.table("topics", topics())
    run = writer.finish({"study": {"id": "s", "title": "Sheep"}, "tables": writer.written})
    assert repr(run) == f"Run({str(run.folder)!r})\n  study   s: Sheep\n  tables  topics"
    assert repr(run.tables) == "Tables(topics)"


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"study": 1}', '{"study": {}, "tables": {"works": {}}}'])
def test_a_damaged_run_shows_what_is_wrong(tmp_path: Path, manifest: str) -> None:
    run = RunWriter(tmp_path, "s", "r").finish({})
    (run.folder / "manifest.json").write_text(manifest, encoding="utf-8")
    assert "cannot be read" in repr(Run(run.folder))
    assert "cannot be read" in repr(Run(tmp_path / "nowhere"))
