"""Rules of the one CSV reader: every separator and encoding of spreadsheets, every fault with its line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import copub
from copub.cli.files import read_strings
from copub.csvtext import write_sheet
from copub.errors import Fault, FileError, InputError
from copub.lists.csvfile import parse_table, read_table
from copub.lists.decisions import read_decisions
from copub.lists.labels import read_labels
from copub.lists.ties import COLUMNS, load_ties
from copub.lists.watchlist import load_watchlist
from copub.review.texts import read_sheets
from copub.screening.document import read_document
from copub.screening.matcherevaluation import read_labels as read_strings_labelled
from copub.technology.externallabels import read_outside

cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=12)
HEAD = """[watchlist]
id = "own"
title = "T"
authority = "A"
edition = "1"
retrieved_on = "2026-01-01"
kind = "register"
completeness = "partial"
lacks = "much"
terms = "none"
sources = ["x"]
"""
ENCODINGS = {"utf-8": b"", "utf-8-sig": b"", "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def written(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(sorted(ENCODINGS)),
)
def test_what_any_spreadsheet_writes_comes_back(rows: list[list[str]], delimiter: str, end: str, encoding: str) -> None:
    text = written([["one", "two, three", "four"], *rows], delimiter, end)
    faults: list[Fault] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(ENCODINGS[encoding] + text.encode(encoding))
        table = read_table(path, faults, kind="file", strip=False)
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert not faults and [list(row.cells.values()) for row in table.rows] == filled


def test_the_separator_of_the_first_line_counts_and_excel_may_name_it() -> None:
    faults: list[Fault] = []
    for text in ("a;b\n1,2;3\n", "a\tb\n1,2\t3\n", 'a,b\n"1,2",3\n', "sep=;\na;b\n1,2;3\n", "a;b;;\n1,2;3;;\n"):
        table = parse_table(text, "t.csv", faults)
        assert (table.columns, table.rows[0].cells) == (("a", "b"), {"a": "1,2", "b": "3"}), text
    assert not faults
    assert parse_table("sep=;\na;b\n1;2;3\n", "t.csv", faults).rows == []
    assert faults == [Fault("t.csv:3", "3 cells, the header has 2", "quote cells with a semicolon")]


def test_all_faults_are_reported_with_their_lines() -> None:
    faults: list[Fault] = []
    table = parse_table('a,b\n1\n"x"y,2\n\n"two\nlines",3\n1,2,3\n4,"open\n5,6\n', "t.csv", faults)
    assert [fault.where for fault in faults] == ["t.csv:2", "t.csv:3", "t.csv:7", "t.csv:8"]
    assert faults[-1].what == "a quote is never closed"
    assert [row.where for row in table.rows] == ["t.csv:5"]


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a;b\n1;2\nMünchen;3\n".encode("cp1252"))
    with pytest.raises(InputError, match="not UTF-8") as error:
        read_table(path, [], kind="sheet")
    assert error.value.where == f"{path}:3" and "CSV UTF-8" in error.value.hint


def test_a_cell_without_end_is_a_fault_and_no_error_of_the_library() -> None:
    faults: list[Fault] = []
    parse_table(f"a,b\n{'x' * 1_000_001},2\n", "t.csv", faults)
    assert [fault.what for fault in faults] == ["a cell is longer than 1,000,000 characters"]


SHEETS = {
    "decisions": (
        [["value", "entity_id", "decision", "reviewer", "date"], ["A, B; C", "x", "Yes", "r", "2026-11-29"]],
        lambda path: read_decisions(path).row(0)[:3] == ("A, B; C", "x", "yes"),
    ),
    "labels": (
        [["work_id", "critical", "listed", "reader", "date", "stands_for"],
         ["W1", "yes", "no", "r", "2026-11-29", "2,5"]],
        lambda path: read_labels([path]).row(0, named=True)["stands_for"] == 2.5,
    ),
    "matcher": (
        [["raw_affiliation_string", "entity_slugs", "kind"], ["A, B; C", "x|y", "k"]],
        lambda path: read_strings_labelled(path).row(0) == ("A, B; C", ["x", "y"], "k"),
    ),
    "texts": (
        [["work_id", "drawn", "title", "abstract", "core", "applied", "reader", "date"],
         ["W1", "random", "a, b", "c; d", "x, y", "", "r", "2026-11-29"]],
        lambda path: read_sheets([path], ["x", "y"]).row(0, named=True)["core"] == ["x", "y"],
    ),
    "outside": (
        [["id", "label"], ["W1", "yes"]],
        lambda path: read_outside(path).row(0, named=True)["label"] is True,
    ),
    "strings": (
        [["raw_affiliation_string", "n"], [" A, B; C ", "1"], ["", "2"]],
        lambda path: read_strings(path, "raw_affiliation_string").to_list() == [" A, B; C "],
    ),
    "ties": (
        [list(COLUMNS), ["t", "A, B", "", "BE", "C; D", "", "CN", "mou", "2020", "", "", "", "s", "n"]],
        lambda path: load_ties(path)[0].institution_a == "A, B",
    ),
    "document": ([["No", "Name"], ["1", "A, B"]], lambda path: read_document(path)[1] == ["1", "A, B"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["decisions", "labels", "texts"])
@pytest.mark.parametrize("written_as", ["5.1.2026", "05.01.2026", "2026-01-05", "2026-1-5", "2026-01-05 00:00:00"])
def test_dates_are_read_as_spreadsheets_write_them(kind: str, written_as: str, tmp_path: Path) -> None:
    (head, row), _ = SHEETS[kind]
    path = tmp_path / "t.csv"
    path.write_text(written([head, [*(written_as if cell == "2026-11-29" else cell for cell in row)]], ";"))
    read = {"decisions": read_decisions, "labels": lambda path: read_labels([path]),
            "texts": lambda path: read_sheets([path], ["x", "y"])}[kind](path)  # fmt: skip
    assert read["date"].to_list() == ["2026-01-05"]


@pytest.mark.parametrize("written_as", ["1/5/2026", "5.13.2026", "46027", "5.1.26", "2026-01-05 10:00"])
def test_a_date_that_is_none_or_could_be_two_is_named(written_as: str, tmp_path: Path) -> None:
    (head, row), _ = SHEETS["decisions"]
    path = tmp_path / "t.csv"
    path.write_text(written([head, [*row[:-1], written_as]]))
    with pytest.raises(FileError, match="is no date"):
        read_decisions(path)


@pytest.mark.parametrize("kind", SHEETS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_command_reads_every_separator_and_a_byte_order_mark(kind: str, delimiter: str, tmp_path: Path) -> None:
    rows, is_read = SHEETS[kind]
    path = tmp_path / "t.csv"
    for mark in ("", "\ufeff"):
        path.write_text(mark + written(rows, delimiter), encoding="utf-8", newline="")
        assert is_read(path)


@pytest.mark.parametrize("kind", SHEETS)
def test_every_command_names_a_fault_with_its_line(kind: str, tmp_path: Path) -> None:
    rows, is_read = SHEETS[kind]
    path = tmp_path / "t.csv"
    path.write_text(written([*rows, ["1", '2"']]) + '"3"4\n', encoding="utf-8", newline="")
    with pytest.raises(FileError) as error:
        is_read(path)
    assert any(fault.where == f"{path}:{len(rows) + 2}" for fault in error.value.faults)


def test_strings_are_read_from_packed_files_and_a_missing_column_shows_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a;b\nx;y\n"))
    assert read_strings(path, "b").to_list() == ["y"]
    (tmp_path / "packed").write_bytes(gzip.compress(b"x;y\nz\n"))  # as a pipe of a packed file has no suffix
    assert read_strings(tmp_path / "packed", "b").to_list() == ["x;y", "z"]
    with pytest.raises(InputError, match="no column 'c'") as error:
        read_strings(path, "c")
    assert error.value.hint == "columns: a, b (read with a semicolon between them); see --column"


@pytest.mark.parametrize("encoded", [lambda text: text.encode("utf-16"), lambda text: gzip.compress(text.encode())])
def test_members_of_a_list_are_read_as_every_other_csv_file(encoded: Callable[[str], bytes], tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "own.csv").write_bytes(encoded("entity_id;name;country\nx;Université du Nord;FR\n"))
    (member,) = load_watchlist(tmp_path / "own.toml").entities
    assert member.entity.name == "Université du Nord"


def test_a_sheet_of_copub_saved_with_semicolons_is_taken_back(tmp_path: Path) -> None:
    sheet = pl.DataFrame({"value": ["=A, B", "C; D"], "entity_id": ["x", "y"], "decision": ["yes", "no"],
                          "reviewer": ["r", "r"], "date": ["2026-11-29", "2026-11-29"]})  # fmt: skip
    path = tmp_path / "t.csv"
    write_sheet(sheet, path)
    plain = read_decisions(path)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    path.write_text("\ufeff" + written(rows, ";"), encoding="utf-8", newline="")
    assert read_decisions(path).equals(plain) and plain["value"].to_list() == ["=A, B", "C; D"]


def test_there_is_one_csv_reader() -> None:
    """Tables that copub ships beside its modules are read where they are used."""
    folder = Path(copub.__file__).parent
    readers = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if any(call in path.read_text(encoding="utf-8") for call in ("csv.reader(", "scan_csv("))
    }
    assert readers == {"lists/csvfile.py"}
