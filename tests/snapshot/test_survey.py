"""The works of a snapshot are found in every layout and checked against the manifest."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from copub.errors import InputError
from copub.sources.snapshot.snapshotmanifest import Promise, parse_manifest
from copub.sources.snapshot.storage import open_source
from copub.sources.snapshot.survey import Snapshot, survey


def look(root: Path | str) -> Snapshot:
    return survey(*open_source(str(root)))


@pytest.mark.parametrize("layout", ["jsonl", "legacy", "parquet"])
def test_every_layout_is_found_from_its_top_and_from_its_works(layout: str, builder: Any) -> None:
    root = builder.snapshot(layout, [builder.works(4), builder.works(5, 10), builder.works(6, 20)])
    snapshot = look(root)
    assert snapshot.folder.endswith("/works")
    assert look(snapshot.folder).files == snapshot.files
    assert look(Path(snapshot.folder).parent).files == snapshot.files
    assert [file.records for file in snapshot.files] == [4, 5, 6]
    assert [file.name for file in snapshot.files] == sorted(file.name for file in snapshot.files)
    assert {file.kind for file in snapshot.files} == {"parquet" if layout == "parquet" else "jsonl"}
    assert snapshot.date == ("" if layout == "legacy" else "2026-09-23")
    assert not snapshot.faults
    assert not snapshot.warnings


def test_a_snapshot_without_manifest_is_read_with_a_warning(builder: Any) -> None:
    snapshot = look(builder.snapshot("jsonl", [builder.works(4)], manifest=False))
    assert len(snapshot.files) == 1
    assert "no manifest" in snapshot.warnings[0]
    assert not snapshot.faults


def test_files_that_are_missing_replaced_or_extra_are_named_and_not_read(builder: Any) -> None:
    root = builder.snapshot("jsonl", [builder.works(4, n) for n in (1, 10, 20, 30)])
    first, second, third, fourth = sorted(root.rglob("*.gz"))
    second.unlink()
    third.write_bytes(gzip.compress(b"{}"))
    extra = fourth.with_name("part_0009.gz")
    extra.write_bytes(gzip.compress(b"{}"))
    snapshot = look(root)
    assert [file.path for file in snapshot.files] == [str(first), str(fourth)]
    assert [(fault.where, "missing" in fault.what) for fault in snapshot.faults] == [
        (str(second), True),
        (str(third), False),
    ]
    assert snapshot.warnings == (f"{extra}: not in the manifest, so not read",)


def test_a_folder_that_is_missing_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        look(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "works.gz").touch()
    with pytest.raises(InputError, match="a file, not a folder"):
        look(tmp_path / "works.gz")


def test_a_folder_without_works_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "data/jsonl/authors/updated_date=2026-01-01").mkdir(parents=True)
    with pytest.raises(InputError, match="no works of a snapshot are here"):
        look(tmp_path)


def test_two_formats_under_one_top_must_be_told_apart(builder: Any, tmp_path: Path) -> None:
    root = builder.snapshot("jsonl", [builder.works(1)])
    builder.snapshot("parquet", [builder.works(1)]).joinpath("data/parquet").rename(root / "data/parquet")
    with pytest.raises(InputError, match="several sets of works") as caught:
        look(root)
    assert "data/jsonl/works" in caught.value.where
    assert "data/parquet/works" in caught.value.where


def test_partitions_with_files_of_no_known_kind_are_an_unknown_layout(tmp_path: Path) -> None:
    (tmp_path / "updated_date=2026-01-01").mkdir()
    (tmp_path / "updated_date=2026-01-01" / "part_0000.csv").touch()
    with pytest.raises(InputError, match="unknown layout"):
        look(tmp_path)


def test_partitions_with_both_kinds_of_files_are_refused(builder: Any) -> None:
    root = builder.snapshot("jsonl", [builder.works(1)])
    builder.write(next(root.rglob("*.gz")).with_name("part_0000.parquet"), builder.works(1))
    with pytest.raises(InputError, match="mixed"):
        look(root)


def test_other_kinds_of_addresses_are_refused() -> None:
    with pytest.raises(InputError, match="ftp:// are unknown"):
        look("ftp://example.org/openalex")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "no JSON"),
        (b"[]", "lists no files"),
        (b'{"files": [{"meta": {}}]}', "lists no files"),
        (b'{"entity": "authors", "files": []}', "these are authors, not works"),
    ],
)
def test_a_file_that_is_no_manifest_of_works_is_wrong_input(text: bytes, says: str, builder: Any) -> None:
    root = builder.snapshot("jsonl", [builder.works(1)])
    (root / "data/jsonl/works/manifest.json").write_bytes(text)
    with pytest.raises(InputError, match=says) as caught:
        look(root)
    assert caught.value.where.endswith("manifest.json")


def test_old_manifests_promise_what_they_say_and_nothing_else() -> None:
    entries = [
        {"url": "s3://openalex/data/works/updated_date=2023-01-01/part_000.gz", "meta": {"record_count": 3}},
        {"url": "s3://openalex/data/works/updated_date=2023-01-01/part_001.gz"},
    ]
    manifest = parse_manifest(json.dumps({"entries": entries, "meta": {}}).encode(), where="manifest")
    assert manifest.files == {
        "updated_date=2023-01-01/part_000.gz": Promise(None, 3),
        "updated_date=2023-01-01/part_001.gz": Promise(None, None),
    }


def test_the_manifest_of_the_documentation_is_understood(real_data: Path) -> None:
    text = (real_data / "api" / "sample_manifest_works_from_docs.json").read_bytes()
    manifest = parse_manifest(text, where="sample")
    assert manifest.date == "2026-06-25"
    assert manifest.files == {"updated_date=2026-06-24/part_0000.gz": Promise(936733, 499)}


def test_a_manifest_named_without_suffix_is_read_too(builder: Any) -> None:
    root = builder.snapshot("legacy", [builder.works(3)])
    works = root / "data/works"
    (works / "manifest.json").rename(works / "manifest")
    assert look(root).files[0].records == 3
