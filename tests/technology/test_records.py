"""Reading works for classify: OpenAlex works and plain records, faults named by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from copub.errors import FileError
from copub.schema import TABLES
from copub.sources.rawrecord import MOST_FAULTS
from copub.technology.plainrecords import read_records, topics_of


def _write(path: Path, records: list[object]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_titles_and_abstracts_come_as_plain_text(tmp_path: Path) -> None:
    index = {f"word{at}": [at] for at in range(10)}
    records = [
        {
            "id": "https://openalex.org/W1",
            "title": "CO<sub>2</sub> &amp; more",
            "language": "en",
            "abstract_inverted_index": index,
        },
        {"item": 7, "title": None},
    ]
    (frame,) = read_records(_write(tmp_path / "w.jsonl", records))
    assert frame["work_id"].to_list() == ["https://openalex.org/W1", "7"]
    assert frame["title"].to_list() == ["CO2 & more", ""]
    assert frame["abstract_status"].to_list() == ["full", "none"]


def test_topics_make_the_table_of_that_name(tmp_path: Path) -> None:
    topics = [{"id": "https://openalex.org/T2", "display_name": "B", "score": 0.5}, {"id": "T1", "score": None}]
    (frame,) = read_records(_write(tmp_path / "w.jsonl", [{"id": "W1", "title": "t", "topics": topics}, {"id": "W2"}]))
    table = topics_of(frame)
    assert table.columns == TABLES["topics"].schema.names()
    assert table.select("work_id", "rank", "topic_id", "score").rows() == [("W1", 0, "T2", 0.5), ("W1", 1, "T1", None)]


def test_records_without_an_id_are_named_by_line(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.jsonl", [{"id": "W1", "title": "t"}, {"title": "no id"}, [1]])
    with pytest.raises(FileError) as raised:
        list(read_records(path))
    assert "w.jsonl:2" in str(raised.value) and "w.jsonl:3" in str(raised.value)


def test_a_title_that_is_no_text_and_a_line_that_is_no_object_are_named(tmp_path: Path) -> None:
    records = [{"id": "W1", "title": ["a"]}, {"id": "W2", "abstract": {"a": [0]}}, 5, None, {"id": "W3", "title": None}]
    with pytest.raises(FileError) as raised:
        list(read_records(_write(tmp_path / "w.jsonl", records)))
    assert [fault.what for fault in raised.value.faults] == [
        "'title' is list, not text",
        "'abstract' is dict, not text",
        "this record is no JSON object but int",
        "this record is no JSON object but NoneType",
    ]


def test_all_faults_are_counted_and_the_first_twenty_listed(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="has 100 faults") as raised:
        list(read_records(_write(tmp_path / "w.jsonl", [{}] * 100)))
    assert (len(raised.value.faults), raised.value.more) == (20, 80)


def test_a_file_of_millions_of_records_that_are_no_works_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 2_000 + b"no JSON at all\n")
    with pytest.raises(FileError, match=f"has {MOST_FAULTS:,d} faults".replace(",", "")):
        list(read_records(path))
