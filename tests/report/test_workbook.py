"""Rules of the workbook: the sheets people expect, numbers as numbers, texts as texts, the same bytes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import polars as pl
import pytest

from copub.report.workbook import build_workbook
from copub.schema import TABLES

SHEETS = ["read me", "headline", "by year", "by area", "institutions", "pairs", "works", "data dictionary"]


def _open(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def book(world: Any) -> Any:
    return _open(build_workbook(*world))


def test_the_sheets_are_there_with_frozen_heads(book: Any) -> None:
    assert book.sheetnames == SHEETS
    assert {book[name].freeze_panes for name in SHEETS[1:]} == {"B2"}


def test_the_first_sheet_says_the_result_and_the_notes(book: Any) -> None:
    text = "\n".join(str(row[0] or "") for row in book["read me"].iter_rows(values_only=True))
    assert "of 400 co-publications (" in text and ") of Belgium and China" in text
    assert "no finding about a person" in text and "SYNTHETIC" in text


def test_every_row_and_column_of_a_table_is_there(world: Any, book: Any) -> None:
    tables, _ = world
    rows = list(book["by year"].iter_rows(values_only=True))
    assert list(rows[0]) == list(TABLES["trends"].schema)
    assert len(rows) == tables["trends"].height + 1
    assert book["works"].max_row == tables["copublications"]["is_critical_listed"].sum() + 1


def test_shares_are_numbers_shown_as_per_cent(book: Any) -> None:
    sheet = book["headline"]
    heads = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, heads.index("share") + 1)
    assert isinstance(cell.value, float) and cell.number_format == "0.0%"


def test_the_dictionary_names_every_column(book: Any) -> None:
    rows = {tuple(row[:2]) for row in book["data dictionary"].iter_rows(min_row=2, values_only=True)}
    assert rows == {(table.name, column.name) for table in TABLES.values() for column in table.columns}


def test_the_same_run_gives_the_same_bytes(world: Any) -> None:
    assert build_workbook(*world) == build_workbook(*world)


@pytest.mark.parametrize("n", [0, 1])
def test_empty_and_tiny_runs_give_a_workbook(make_world: Any, n: int) -> None:
    assert _open(build_workbook(*make_world(n))).sheetnames == SHEETS
    assert _open(build_workbook({}, {})).sheetnames == SHEETS


def test_hostile_texts_are_texts(hostile: Any) -> None:
    content = build_workbook(*hostile)
    book = _open(content)
    cells = [cell for name in SHEETS for row in book[name].iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.hyperlink]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert not [part for part in parts.namelist() if "rels/sheet" in part]


@pytest.mark.parametrize("character", ["x", "é", "\N{GRINNING FACE}"])
def test_a_text_longer_than_excel_allows_is_cut_and_not_lost(world: Any, character: str) -> None:
    """Excel allows 32,767 units of UTF-16 in a cell; a character outside the basic plane is two of them."""
    tables, manifest = world
    long = tables["copublications"].with_columns(pl.lit(character * 40_000).alias("title"))
    book = _open(build_workbook({**tables, "copublications": long}, manifest))
    texts = {cell.value for row in book["works"].iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)}
    fits = 32_767 // (len(character.encode("utf-16-le")) // 2)
    assert character * fits in texts
