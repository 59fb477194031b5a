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

SHEETS = [
    "Answer",
    "Shares",
    "Panel",
    "Years",
    "Areas",
    "Institutions",
    "Pairs",
    "Funders",
    "Roles",
    "Works",
    "Columns",
]


def _open(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def book(world: Any) -> Any:
    return _open(build_workbook(*world))


def test_the_sheets_are_there_with_frozen_heads(book: Any) -> None:
    assert book.sheetnames == SHEETS
    assert {book[name].freeze_panes for name in SHEETS[1:]} == {"B2"}


def test_the_first_sheet_can_be_quoted(world: Any, book: Any) -> None:
    rows = list(book["Answer"].iter_rows(values_only=True))
    text = "\n".join(str(row[0] or "") for row in rows)
    assert "of 400 co-publications (" in text and ") of Belgium and China" in text
    assert "no finding about a person" in text and "SYNTHETIC" in text and world[1]["run_id"] in text
    head = next(place for place, row in enumerate(rows) if row[0] == "To quote")
    assert rows[head][1:] == ("Share", "Interval, from", "Interval, to")
    counted = world[0]["shares"].filter(slice_kind="all", measure="critical_listed", counting="full")
    quoted = {str(row[0]).split(".")[0]: row[1:] for row in rows[head + 1 :] if isinstance(row[1], float)}
    assert quoted["As counted"][0] == pytest.approx(counted["share"].item())


def test_heads_and_codes_are_in_words_and_years_have_one_row_each(world: Any, book: Any) -> None:
    tables, _ = world
    rows = list(book["Years"].iter_rows(values_only=True))
    assert rows[0][:5] == ("Year", "Co-publications", "Critical", "Listed", "Critical and listed")
    own = tables["trends"].filter(measure="critical_listed", counting="full").sort("year")
    assert [row[0] for row in rows[1:]] == own["year"].to_list()
    assert [row[4] for row in rows[1:]] == own["count"].to_list()
    assert book["Works"].max_row == tables["copublications"]["is_critical_listed"].sum() + 1
    codes = {code for name in SHEETS[:-1] for row in book[name].iter_rows(values_only=True) for code in row}
    assert not any(isinstance(code, bool) for code in codes)
    assert not codes & {"critical_listed", "fractional-authors", "ci_low", "EU-02-AI"}


def test_funders_and_roles_are_the_rows_of_their_tables_with_institutions_by_name(world: Any, book: Any) -> None:
    tables, _ = world
    kinds = pl.col("slice_kind").is_in(["all", "institution_a", "entity"]) & (pl.col("works") > 0)
    rows = list(book["Roles"].iter_rows(min_row=2, values_only=True))
    own = tables["roles"].filter(kinds)
    assert own.height and [row[4] for row in rows].count(None) == own["numerator"].null_count()
    assert sum(row[4] or 0 for row in rows) == own["numerator"].sum()
    assert rows[0][:3] == ("all works", "First author", "Involve a listed institution")
    names = dict(tables["hits"].select("entity_id", "entity_name").drop_nulls().iter_rows())
    listed = {names.get(entity, entity) for entity in own.filter(slice_kind="entity")["slice"]}
    assert listed == {row[0] for row in rows} - {"all works", *own.filter(slice_kind="institution_a")["slice"]}
    funders = list(book["Funders"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[1]) for row in funders] == list(
        tables["funders"]
        .sort("critical_listed", "works", "funder", descending=[True, True, False])
        .select("funder", "works")
        .iter_rows()
    )


def test_years_and_areas_have_a_chart_of_the_spreadsheet_s_own(world: Any, book: Any) -> None:
    assert {name: len(book[name]._charts) for name in SHEETS if book[name]._charts} == {
        "Panel": 1, "Years": 1, "Areas": 1,
    }  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(build_workbook(*world))) as parts:
        charts = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 3
    assert all(any(f"{name}!" in chart for chart in charts) for name in ("Panel", "Years", "Areas"))


@pytest.mark.parametrize(("language", "first"), [("fr", "Réponse"), ("nl", "Antwoord")])
def test_sheets_and_heads_are_in_the_language_of_the_study(make_world: Any, language: str, first: str) -> None:
    tables, manifest = make_world(20, language=language)
    book = _open(build_workbook(tables, manifest))
    assert book.sheetnames[0] == first
    english = {cell.value for name in SHEETS if name in book.sheetnames for cell in book[name][1]}
    assert not english & {"Year", "Share", "Interval, from", "Critical and listed", "Title"}


def test_shares_are_numbers_shown_as_per_cent(book: Any) -> None:
    sheet = book["Shares"]
    heads = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, heads.index("Share") + 1)
    assert isinstance(cell.value, float) and cell.number_format == "0.0%"


def test_the_dictionary_names_every_column(book: Any) -> None:
    rows = {tuple(row[:2]) for row in book["Columns"].iter_rows(min_row=2, values_only=True)}
    assert rows == {(table.name, column.name) for table in TABLES.values() for column in table.columns}


def test_the_same_run_gives_the_same_bytes(world: Any) -> None:
    assert build_workbook(*world) == build_workbook(*world)


@pytest.mark.parametrize("n", [0, 1])
def test_empty_and_tiny_runs_give_a_workbook(make_world: Any, n: int) -> None:
    without = [name for name in SHEETS if name != "Panel"]
    assert _open(build_workbook(*make_world(n))).sheetnames == (SHEETS if n else without)
    assert _open(build_workbook({}, {})).sheetnames == without


def test_hostile_texts_are_texts(hostile: Any) -> None:
    content = build_workbook(*hostile)
    book = _open(content)
    cells = [cell for name in SHEETS for row in book[name].iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert not [cell for cell in cells if cell.hyperlink]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert not any(b"External" in parts.read(name) for name in parts.namelist() if name.endswith(".rels"))


@pytest.mark.parametrize("character", ["x", "é", "\N{GRINNING FACE}"])
def test_a_text_longer_than_excel_allows_is_cut_and_not_lost(world: Any, character: str) -> None:
    """Excel allows 32,767 units of UTF-16 in a cell; a character outside the basic plane is two of them."""
    tables, manifest = world
    long = tables["copublications"].with_columns(pl.lit(character * 40_000).alias("title"))
    book = _open(build_workbook({**tables, "copublications": long}, manifest))
    texts = {cell.value for row in book["Works"].iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)}
    fits = 32_767 // (len(character.encode("utf-16-le")) // 2)
    assert character * fits in texts
