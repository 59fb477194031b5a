from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import Fault, FileError, InputError
from copub.sources import worksfile
from copub.sources.worksfile import read_works

WORKS: list[Any] = [{"id": f"https://openalex.org/W{number}", "title": "é" * number} for number in range(700)]
PLAIN = b"\n".join(orjson.dumps(work) for work in WORKS) + b"\n"
PACKED = {"works.jsonl": PLAIN, "works.jsonl.gz": gzip.compress(PLAIN), "works.jsonl.zst": zstandard.compress(PLAIN)}


@pytest.mark.parametrize("name", PACKED)
def test_every_packing_gives_the_same_records_in_order(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PACKED[name])
    records = list(read_works([tmp_path / name]))
    assert [record.value for record in records] == WORKS
    assert records[2].where == f"{name}:3"
    assert records[2].found_by == ("works-file",)
    assert records[2].retrieved_on == ""


def test_several_zstandard_frames_in_one_file_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "w.zst"
    path.write_bytes(zstandard.compress(b'{"a": 1}\n{"a": ') + zstandard.compress(b"2}\n"))
    assert [record.value["a"] for record in read_works([path])] == [1, 2]


def test_a_last_line_without_line_end_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n   \n{"a": 2}')
    assert [(record.value["a"], record.where) for record in read_works([path])] == [(1, "w.jsonl:1"), (2, "w.jsonl:4")]


def test_values_that_are_no_objects_are_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_text('[1]\n"text"\nnull\n3\n{}\n')
    assert [record.value for record in read_works([path])] == [[1], "text", None, 3, {}]


def test_parquet_gives_nested_objects_and_leaves_a_string_abstract_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    rows = [
        {
            "id": f"W{number}",
            "authorships": [{"author": {"id": "A1"}, "institutions": [{"country_code": "BE"}]}],
            "abstract_inverted_index": '{"word": [0]}',
            "updated_date": __import__("datetime").datetime(2026, 1, 2, 3, 4, 5),
        }
        for number in range(600)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    records = list(read_works([path]))
    assert len(records) == 600
    assert records[599].where == "w.parquet:600"
    assert records[0].value["authorships"][0]["institutions"][0] == {"country_code": "BE"}
    assert records[0].value["abstract_inverted_index"] == '{"word": [0]}'
    assert records[0].value["updated_date"] == "2026-01-02T03:04:05"


def test_all_missing_files_are_named_at_once_and_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_works([tmp_path / "a.jsonl", tmp_path / "b.gz"])
    assert "a.jsonl" in str(caught.value) and "b.gz" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("name", "kind"), [("w.gz", "gzip"), ("w.zst", "Zstandard"), ("w.parquet", "Parquet")])
@pytest.mark.parametrize("content", [b"", b'{"a": 1}\n', b"PAR1 but nothing more"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, kind: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=kind):
        read_works([tmp_path / name])


@pytest.mark.parametrize("packed", [gzip.compress(PLAIN, mtime=0), zstandard.compress(PLAIN)])
def test_what_is_packed_is_read_under_any_name(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "works.jsonl").write_bytes(packed)
    assert [record.value for record in read_works([tmp_path / "works.jsonl"])] == WORKS


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b'[{"id": "W1"}]', "one JSON array", "jq -c '.[]'"),
        (b'[\n  {"id": "W1"}\n]\n', "one JSON array", "jq -c '.[]'"),
        (b'{"meta": {"count": 1}, "results": [{"id": "W1"}]}', "answer of the OpenAlex API", "jq -c '.results[]'"),
        (b'\xef\xbb\xbf{\n  "id": "W1",\n  "title": null\n}\n', "JSON spread over several lines", "jq -c '.'"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_one_json_text_instead_of_lines_is_one_clear_fault(
    tmp_path: Path, content: bytes, what: str, hint: str, pack: Any
) -> None:
    (tmp_path / "works.json").write_bytes(pack(content))
    with pytest.raises(InputError, match=what) as caught:
        read_works([tmp_path / "works.json"])
    assert hint in str(caught.value)


def test_a_folder_is_told_from_a_missing_file_and_its_works_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(PLAIN))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="folder") as caught:
        read_works([tmp_path])
    assert "b.jsonl.gz" in caught.value.hint and "notes" not in caught.value.hint


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no works file"):
        read_works([])


def test_broken_lines_are_reported_together_after_the_last_record(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"a": 1}\n{"a": \n{"a": 2}\nNaN\n')
    second.write_bytes(b'{"a": "\xff"}\n{"a": 3}\n')
    got = []
    with pytest.raises(FileError) as caught:
        for record in read_works([first, second]):
            got.append(record.value["a"])
    assert got == [1, 2, 3]
    assert [fault.where for fault in caught.value.faults] == [f"{first}:2", f"{first}:4", f"{second}:1"]


def test_a_long_list_of_broken_lines_is_cut_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{\n" * 50)
    with pytest.raises(FileError) as caught:
        list(read_works([path]))
    assert (len(caught.value.faults), caught.value.more) == (20, 30)
    assert "30 more" in str(caught.value)


@pytest.mark.parametrize("name", ["works.jsonl.gz", "works.jsonl.zst"])
def test_a_packed_file_that_breaks_off_is_a_fault_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[name][: len(PACKED[name]) * 2 // 3])
    got = []
    with pytest.raises(FileError, match="fault") as caught:
        for record in read_works([path]):
            got.append(record.value)
    assert got == WORKS[: len(got)]
    assert [fault.where for fault in caught.value.faults] == [f"{path}:{len(got) + 1}"]


def test_a_parquet_file_that_is_damaged_inside_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    rows = [{"id": f"W{number}", "title": f"title {number * 7919}"} for number in range(3000)]
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[40:4000] = bytes(3960)
    path.write_bytes(content)
    with pytest.raises(FileError, match="fault"):
        list(read_works([path]))


@given(values=st.lists(st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text() | st.none()), max_size=20))
def test_what_is_written_as_json_lines_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "w.jsonl.zst"
    path.write_bytes(zstandard.compress("".join(json.dumps(value) + "\n" for value in values).encode()))
    assert [record.value for record in read_works([path])] == values


@pytest.mark.real
def test_all_real_works_are_read(real_data: Path) -> None:
    paths = [real_data / "real" / name for name in ("works.jsonl.gz", "works_be_cn_reconstructed.jsonl.gz")]
    count = 0
    for record in read_works(paths):
        assert record.value["id"].startswith("https://openalex.org/W")
        count += 1
    assert count == 15_836
    assert record.where == "works_be_cn_reconstructed.jsonl.gz:340"


@pytest.mark.parametrize(
    "head", ["id,title,doi", "\ufeffid;title;doi", '"id"\t"title"\t"doi"', "Work id, Display name"]
)
def test_a_csv_export_is_named_as_such_with_what_to_give_instead(tmp_path: Path, head: str) -> None:
    path = tmp_path / "works.csv"
    path.write_text(f"{head}\nW1,A title,10.1/x\n", encoding="utf-8")
    with pytest.raises(InputError, match="CSV") as caught:
        read_works([path])
    assert "one per line" in caught.value.hint


@pytest.mark.parametrize("cut", [10, 500, 2_000])
def test_a_zstandard_file_that_breaks_off_is_never_taken_for_a_whole_one(tmp_path: Path, cut: int) -> None:
    lines = b"".join(
        b'{"id": "W%d", "title": "%s"}\n' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in range(500)
    )
    path = tmp_path / "w.jsonl.zst"
    path.write_bytes(zstandard.compress(lines)[:-cut])
    with pytest.raises(FileError, match="breaks off") as caught:
        list(read_works([path]))
    assert caught.value.faults[-1].where.startswith(f"{path}:")


def test_a_line_without_end_is_named_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worksfile, "LONGEST_LINE", 20 << 20)
    path = tmp_path / "w.jsonl.zst"
    path.write_bytes(zstandard.compress(b'{"id": "W1"}\n' + b"x" * (200 << 20)))
    with pytest.raises(FileError, match="longer than") as caught:
        list(read_works([path]))
    assert caught.value.faults[-1].where == f"{path}:2"


@pytest.mark.parametrize("before", [0, 1, 5, 60, 61, 62])
@pytest.mark.parametrize("end", ["\n", ""])
def test_how_long_a_line_may_be_does_not_depend_on_where_it_stands(
    end: str, before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worksfile, "PORTION", 800)
    monkeypatch.setattr(worksfile, "LONGEST_LINE", 1_000)
    path = tmp_path / "w.jsonl"
    long = json.dumps({"id": "W0", "x": ""})
    for room, number in ((0, before + 1), (1, before)):
        line = long[:-2] + "x" * (1_000 - len(long) + room) + '"}'
        path.write_text('{"id": "W1"}\n' * before + line + end, encoding="utf-8")
        faults: list[Fault] = []
        read = [record for portion in read_works([path]).portions() for record in portion.records(faults)]
        assert (len(read), len(faults)) == (number, room)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00", "an Excel workbook or a ZIP archive"),
        (b"@article{x,\n title={a}\n}\n", "a BibTeX file"),
        (b"\xef\xbb\xbfTY  - JOUR\r\nTI  - x\r\n", "a RIS file"),
        (b"FN Clarivate Analytics Web of Science\nVR 1.0\n", "an export of the Web of Science"),
        (b"<?xml version='1.0'?><a/>", "an XML or HTML file"),
        ('{"id": "https://openalex.org/W1"}\n'.encode("utf-16"), "UTF-16 text"),
        (b"id\nhttps://openalex.org/W1\n", "a CSV file"),
        (b'"Author(s) ID";"Title (en)"\n1;2\n', "a CSV file"),
        (gzip.compress(b"DOI\tTitle\n1\t2\n", mtime=0), "a CSV file"),
    ],
)
def test_an_export_in_another_format_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / ("works.csv.gz" if content.startswith(b"\x1f\x8b") else "works.csv")
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"this is {says}"):
        read_works([path])


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_no_record_is_taken_for_another_format(record: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "works.csv"
        path.write_text(json.dumps({"id": "https://openalex.org/W1", **record}) + "\n", encoding="utf-8")
        assert len(list(read_works([path]))) == 1


AUTHORSHIPS = [{"countries": ["BE", "CN"], "raw_affiliation_strings": ["KU Leuven"]}]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("title", pa.array([b"Sheep"])),
        ("title", pa.array([b"Sheep"], pa.large_binary())),
        ("authorships", pa.array([json.dumps(AUTHORSHIPS).encode()])),
        ("authorships", pa.array([[{"countries": [b"BE", b"CN"], "raw_affiliation_strings": [b"KU Leuven"]}]])),
    ],
)
def test_texts_that_a_program_wrote_as_bytes_are_texts(name: str, column: pa.Array, tmp_path: Path) -> None:
    plain = {"id": ["W1"], "title": ["Sheep"], "authorships": [AUTHORSHIPS]}
    pq.write_table(pa.table(plain | {name: column}), tmp_path / "w.parquet")
    (record,) = read_works([tmp_path / "w.parquet"])
    authorships = record.value["authorships"]
    assert record.value["title"] == "Sheep"
    assert (json.loads(authorships) if isinstance(authorships, str) else authorships) == AUTHORSHIPS


BAD_TEXT = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"ok\xff\xff")]
)


@pytest.mark.parametrize(
    "column", [BAD_TEXT, pa.array([0, 10**7], pa.date32()), pa.array([0, 2**62], pa.timestamp("us"))]
)
def test_a_value_of_a_row_that_cannot_be_read_is_named_with_its_row(column: pa.Array, tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    pq.write_table(pa.table({"id": ["W1", "W2"], "x": column}), path)
    with pytest.raises(FileError) as caught:
        list(read_works([path]))
    assert [fault.where for fault in caught.value.faults] == [f"{path}:2"]


def test_an_export_with_one_value_per_column_is_named(tmp_path: Path) -> None:
    flat = {"id": "https://openalex.org/W1", "title": "Sheep", "authorships.countries": "BE|CN"}
    (tmp_path / "w.jsonl").write_text(json.dumps(flat) + "\n")
    pq.write_table(pa.table({key: [value] for key, value in flat.items()}), tmp_path / "w.parquet")
    for name in ("w.jsonl", "w.parquet"):
        with pytest.raises(InputError, match="this is a flattened export"):
            read_works([tmp_path / name])


@pytest.mark.parametrize("read", [0, 1, 4])
@pytest.mark.parametrize("change", ["fewer bytes", "as many bytes", "removed"])
def test_a_works_file_that_changes_is_named_before_anything_is_read_of_the_change(
    change: str, read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worksfile, "PORTION", 2_000)
    path = tmp_path / "works.jsonl"
    path.write_bytes(PLAIN)
    os.utime(path, (1, 1))
    portions = read_works([path]).portions()
    seen = [next(portions).text for _ in range(read)]  # type: ignore[union-attr]
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(b"?" * len(PLAIN) if change == "as many bytes" else b"?")
    with pytest.raises(InputError, match="changed while it was read") as caught:
        list(portions)
    assert caught.value.where == str(path)
    assert PLAIN.startswith(b"".join(seen))  # type: ignore[arg-type]
