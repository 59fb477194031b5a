"""Rules of the one CSV writer: logical values everywhere, no formulas, sheets come back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import copub
from copub.cli.files import write_out
from copub.csvtext import csv_of, unquoted, write_sheet

FRAME = pl.DataFrame(
    {"is_counted": [True, False, None], "level": ["high", "=1+1", None], "areas": [["a", "=b"], ["=c"], None]}
)
TEXTS = pl.Schema({"text": pl.String(), "empty": pl.String()})


def test_booleans_are_true_and_false_in_capitals_and_nulls_are_empty(tmp_path: Path) -> None:
    lines = csv_of(FRAME).decode().splitlines()
    assert lines == ["is_counted,level,areas", "TRUE,high,a; =b", "FALSE,'=1+1,'=c", ",,"]
    write_out(FRAME, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == csv_of(FRAME)


def test_polars_reads_the_booleans_back() -> None:
    assert pl.read_csv(csv_of(FRAME))["is_counted"].to_list() == [True, False, None]


def test_no_module_but_one_writes_csv() -> None:
    source = Path(copub.__file__).parent
    writers = [
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*.py"))
        if any(call in path.read_text(encoding="utf-8") for call in (".write_csv(", "csv.writer(", "csv.DictWriter("))
    ]
    assert writers == ["csvtext.py"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8), max_size=5))
def test_every_text_of_a_sheet_comes_back_and_none_is_a_formula(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.csv"
        write_sheet(pl.DataFrame({"text": texts, "empty": [""] * len(texts)}, schema=TEXTS), path)
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))[1:]
    assert [unquoted(cell) for cell, _ in rows] == texts
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell, _ in rows)


@pytest.mark.parametrize("typed", ["'quoted' university", "plain", "'", ""])
def test_a_text_that_a_person_typed_is_not_changed(typed: str) -> None:
    assert unquoted(typed) == typed
