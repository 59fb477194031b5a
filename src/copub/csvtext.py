"""The one writer of CSV: tables and results for other programs, and sheets that people fill in and give back.

A text that a spreadsheet would take for a formula gets a leading apostrophe, lists are joined by
semicolons, and booleans are TRUE and FALSE, which spreadsheets, R, pandas, polars and DuckDB read
as logical values.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from copub.writing import write_file

UNFIT = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FFFE}\x{FFFF}]"
"""Signs that XML cannot hold, and those that turn the direction of the text after them (a polars pattern)."""

FORMULA = r"^\s*[=+\-@|%]"
"""How a text starts that a spreadsheet may take for a formula."""

_QUOTED = rf"^'|{FORMULA}|^[\t\r]"
"""How a text of a sheet starts that gets an apostrophe, so that every text can be read back."""


def csv_of(frame: pl.DataFrame, *, head: bool = True) -> bytes:
    """Return a frame as UTF-8 CSV for other programs.

    Parameters
    ----------
    frame : columns of text, numbers, booleans, dates, and lists of texts.
    head : whether the first line has the names of the columns.

    Returns
    -------
    The text as bytes. Signs that cannot be printed are left out.
    """
    cleaned = [
        pl.col(name).cast(pl.List(pl.String)).list.eval(pl.element().str.replace_all(UNFIT, ""))
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.List)
    ]
    printed = frame.with_columns(pl.col(pl.String).str.replace_all(UNFIT, ""), *cleaned)
    return _written(printed, FORMULA, head=head).encode("utf-8")


def write_sheet(sheet: pl.DataFrame, path: Path) -> None:
    """Write a frame of texts for people to fill in; `unquoted` gives each text back as it was."""
    write_file(path, "\ufeff" + _written(sheet, _QUOTED))


def unquoted(cell: str) -> str:
    """Return the text of a cell of a sheet without the apostrophe that `write_sheet` put before it."""
    return cell[1:] if cell.startswith("'") and re.match(_QUOTED, cell[1:]) else cell


def _written(frame: pl.DataFrame, guarded: str, *, head: bool = True) -> str:
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype == pl.Boolean:
            column = column.cast(pl.String).str.to_uppercase()
        if isinstance(dtype, pl.List):
            column = column.cast(pl.List(pl.String)).list.drop_nulls().list.join("; ")
        if dtype == pl.String or isinstance(dtype, pl.List):
            column = pl.when(column.str.contains(guarded)).then("'" + column).otherwise(column)
        columns.append(column.alias(name))
    return frame.select(columns).write_csv(line_terminator="\r\n", include_header=head)
