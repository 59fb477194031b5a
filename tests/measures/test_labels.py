"""Labels of a study's works: what a sheet may hold, and that all its faults are named at once."""

from __future__ import annotations

import string
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.csvtext import write_sheet
from copub.errors import FileError, InputError
from copub.lists.labels import LABELS, is_label_sheet, labels_text, read_labels

from .worlds import LIMITS

HEAD = "work_id,critical,listed,top_level,reader,date,stands_for\n"


def sheet(folder: Path, text: str, name: str = "sheet.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_are_yes_no_or_nothing_and_undecided_works_are_left_out(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEAD + "W2,yes,No,,Ann,2026-11-20,2.5\nW1,TRUE,1,yes,Ann,2026-11-20,\nW3,,,,,,7\n\n")
    assert read_labels([path]).rows() == [
        ("W1", True, True, True, "Ann", "2026-11-20", "", None),
        ("W2", True, False, False, "Ann", "2026-11-20", "", 2.5),
    ]


def test_semicolons_of_a_spreadsheet_and_further_columns_are_taken(tmp_path: Path) -> None:
    text = "\ufeffwork_id;my remark;critical;listed;reader;date\nW1;a, b;yes;no;Ann;2026-11-20\n"
    assert read_labels([sheet(tmp_path, text)])["critical"].to_list() == [True]


def test_all_faults_of_all_sheets_are_named_with_their_lines(tmp_path: Path) -> None:
    one = sheet(
        tmp_path,
        HEAD + "W1,maybe,no,,Ann,2026-11-20,1\nW2,yes,,,Ann,2026-11-20,1\nX3,yes,no,yes,,20/11/2026,many\nW4,yes\n",
    )
    two = sheet(tmp_path, HEAD + "W5,yes,no,,Ann,2026-11-20,1\nW5,no,no,,Bea,2026-11-21,1\n", "two.csv")
    with pytest.raises(FileError) as error:
        read_labels([one, two])
    for part in (
        "sheet.csv:2: critical is 'maybe'",
        "sheet.csv:3: listed is empty (decide on both, or on neither)",
        "sheet.csv:4: work_id is 'X3'",
        "sheet.csv:4: top_level is yes, but listed is no",
        "sheet.csv:4: a label needs a reader",
        "sheet.csv:4: date '20/11/2026' is no date",
        "sheet.csv:4: stands_for is 'many'",
        "sheet.csv:5: 2 cells, the header has 7",
        "two.csv:3: contradicts",
    ):
        assert part in str(error.value), part


def test_missing_columns_and_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(FileError) as error:
        read_labels([sheet(tmp_path, "work_id,critical\nW1,yes\n")])
    assert all(f"column {name!r} is missing" in str(error.value) for name in ("listed", "reader", "date"))
    with pytest.raises(InputError, match="there is no such sheet"):
        read_labels([tmp_path / "none.csv"])
    (tmp_path / "latin.csv").write_bytes(b"work_id,critical\nW1,\xe9\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_labels([tmp_path / "latin.csv"])


def test_two_readers_who_agree_are_one_label_with_the_later_date(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEAD + "W1,yes,no,,Ann,2026-11-20,1\nW1,yes,no,no,Bea,2026-11-21,1\n")
    assert read_labels([path]).select("work_id", "reader").rows() == [("W1", "Bea")]


@pytest.mark.parametrize("drawn", ["0", "0.0", "0,5", "-1", "1e9", "nan", "01"])
def test_a_work_represents_at_least_itself(tmp_path: Path, drawn: str) -> None:
    path = sheet(tmp_path, HEAD + f'W1,yes,no,,Ann,2026-11-20,"{drawn}"\n')
    with pytest.raises(FileError, match="leave it as the sheet was drawn"):
        read_labels([path])


def test_a_sheet_of_works_is_told_from_one_of_affiliations(tmp_path: Path) -> None:
    assert is_label_sheet(sheet(tmp_path, '"work_id";critical;listed\n'))
    assert not is_label_sheet(sheet(tmp_path, "sample,value,entity_id\n"))


def labels(*rows: tuple[str, bool, bool, bool | None, str, str, str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=LABELS, orient="row")


words = st.text(string.ascii_letters + " =+-@'\",;é", min_size=1, max_size=12).map(str.strip).filter(bool)
rows = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans(), words, st.dates().map(str), st.integers(1, 999)), max_size=8
)


@LIMITS
@given(rows)
def test_labels_that_are_written_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[bool, bool, bool, str, str, int]]
) -> None:
    table = labels(
        *(
            (f"W{at}", critical, listed, listed and top, reader, day, "", float(weight))
            for at, (critical, listed, top, reader, day, weight) in enumerate(made)
        )
    )
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    write_sheet(labels_text(table), path)
    assert read_labels([path]).equals(table.sort("work_id"))
