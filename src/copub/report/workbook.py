"""The Excel workbook: the run's main tables for people who continue in a spreadsheet.

Text from outside is written as text: no cell is a formula or a link. The bytes depend on tables and
manifest alone.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xlsxwriter

from copub.report.background import NOTES
from copub.report.facts import Facts, facts_of
from copub.report.partnersections import named_pairs
from copub.report.plaintext import joined, printable
from copub.report.summary import headline_lines
from copub.report.workevidence import critical_listed
from copub.schema import TABLES

_CREATED = dt.datetime(2000, 1, 1)  # a fixed date: the same run gives the same bytes
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
_LONG = ("title", "question", "meaning", "note", "evidence")


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    frame: pl.DataFrame


def build_workbook(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> bytes:
    """Return the workbook (.xlsx) of a run.

    Sheets: read me, headline, by year, by area, institutions, pairs, works (critical and listed),
    data dictionary. Raises `InputError` for a language without words.
    """
    facts = facts_of(tables, manifest)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, _OPTIONS)
    book.set_properties({"title": printable(facts.title), "author": "copub", "created": _CREATED})
    formats = _formats(book)
    _write_lines(book, formats, _read_me(facts, headline_lines(tables, manifest)))
    for sheet in _sheets(facts):
        _write_frame(book, formats, sheet)
    book.close()
    return buffer.getvalue()


def _sheets(facts: Facts) -> list[_Sheet]:
    shares = facts.table("shares")
    return [
        _Sheet("headline", shares.filter(pl.col("slice_kind") == "all")),
        _Sheet("by year", facts.table("trends")),
        _Sheet("by area", shares.filter(pl.col("slice_kind") == "area").with_columns(
            area_name=pl.col("slice").map_elements(facts.area, return_dtype=pl.String))),
        _Sheet("institutions", facts.table("institutions")),
        _Sheet("pairs", named_pairs(facts)),
        _Sheet("works", critical_listed(facts)),
        _Sheet("data dictionary", _dictionary()),
    ]  # fmt: skip


def _dictionary() -> pl.DataFrame:
    rows = [
        {
            "table": table.name,
            "column": column.name,
            "type": str(column.dtype),
            "unit": column.unit,
            "meaning": column.meaning,
        }
        for table in TABLES.values()
        for column in table.columns
    ]
    return pl.DataFrame(rows)


def _read_me(facts: Facts, lines: Sequence[str]) -> list[str]:
    manifest = facts.manifest
    about = [str(manifest[key]) for key in ("run_id", "copub_version", "created") if manifest.get(key)]
    notes = [facts.words.say(f"note.{key}") for key in NOTES]
    return [facts.title, str(facts.study.get("question") or ""), "", *lines, "", *notes, "", *about]


def _formats(book: xlsxwriter.Workbook) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "plain": book.add_format({"valign": "top"}),
        "share": book.add_format({"num_format": "0.0%", "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "decimal": book.add_format({"num_format": "#,##0.0##", "valign": "top"}),
        "year": book.add_format({"num_format": "0", "valign": "top"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
    }


def _write_lines(book: xlsxwriter.Workbook, formats: Mapping[str, Any], lines: Sequence[str]) -> None:
    sheet = book.add_worksheet("read me")
    sheet.set_column(0, 0, 110)
    for place, line in enumerate(lines):
        sheet.write_string(place, 0, printable(line), formats["title" if place == 0 else "text"])


def _write_frame(book: xlsxwriter.Workbook, formats: Mapping[str, Any], content: _Sheet) -> None:
    sheet, frame = book.add_worksheet(content.name), content.frame
    sheet.freeze_panes(1, 1)
    if frame.height:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
    for place, (name, dtype) in enumerate(frame.schema.items()):
        sheet.write_string(0, place, name, formats["head"])
        sheet.set_column(place, place, 60 if name in _LONG else 34 if "name" in name else 15)
        look = formats[_look(name, dtype)]
        for row, value in enumerate(frame[name].to_list(), start=1):
            _write_cell(sheet, row, place, value, look)


def _look(name: str, dtype: pl.DataType) -> str:
    if name in ("share", "ci_low", "ci_high", "with_abstract", "with_institution"):
        return "share"
    if name in ("year", "publication_year", "base_year"):
        return "year"
    if dtype.is_float():
        return "decimal"
    if dtype.is_integer():
        return "whole"
    return "date" if dtype == pl.Date else "plain"


def _write_cell(sheet: Any, row: int, column: int, value: Any, look: Any) -> None:
    if value is None or value != value:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, look)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, look)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), look)
    else:
        text = joined(value) if isinstance(value, list) else str(value)
        sheet.write_string(row, column, printable(text), look)
