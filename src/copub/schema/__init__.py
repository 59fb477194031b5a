"""Every output column once: name, type, unit, meaning. The data dictionary is made from here.

``tables.csv`` says what one row of each table is and how it is sorted, ``columns.csv`` describes
the columns in their order. Stages end with `conform`, so that a table on disk has exactly these.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from copub.errors import CopubError

TEXTS = pl.List(pl.String)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: name, polars type, meaning, unit (empty where there is none)."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: name, what one row is, the columns by which it is sorted, its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """Return the polars schema of the table."""
        return pl.Schema({column.name: column.dtype for column in self.columns})


class UnknownShape(CopubError):
    """A stage made a table that differs from the schema: a fault of copub."""


_TYPES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "String": pl.String,
    "Boolean": pl.Boolean,
    "Int32": pl.Int32,
    "Int64": pl.Int64,
    "Float64": pl.Float64,
    "Date": pl.Date,
    "List(String)": TEXTS,
}


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _read_tables() -> dict[str, Table]:
    columns: dict[str, list[Column]] = {}
    for row in _rows("columns.csv"):
        column = Column(row["column"], _TYPES[row["type"]], row["meaning"], row["unit"])
        columns.setdefault(row["table"], []).append(column)
    return {
        row["table"]: Table(row["table"], row["row"], tuple(row["key"].split("|")), tuple(columns[row["table"]]))
        for row in _rows("tables.csv")
    }


TABLES: Mapping[str, Table] = _read_tables()
"""Every table by name, as ``tables.csv`` and ``columns.csv`` beside this module describe them."""


def empty(name: str) -> pl.DataFrame:
    """Return the table of that name without rows."""
    return pl.DataFrame(schema=TABLES[name].schema)


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with exactly the columns, types and sort order of the table `name`.

    Raises `UnknownShape` if a column is missing or one too many.
    """
    table = TABLES[name]
    missing = sorted(set(table.schema) - set(frame.columns))
    extra = sorted(set(frame.columns) - set(table.schema))
    if missing or extra:
        raise UnknownShape(
            f"table {name} lacks {missing} and has {extra} too many",
            where="copub.schema",
            hint="please report this as a fault of copub",
        )
    return frame.select(pl.col(c.name).cast(c.dtype) for c in table.columns).sort(
        table.key, nulls_last=True, maintain_order=True
    )


def data_dictionary() -> str:
    """Return the data dictionary of all tables as Markdown."""
    parts = ["# Data dictionary\n\nMade from `copub.schema`; do not edit by hand.\n"]
    for table in TABLES.values():
        parts.append(f"## {table.name}\n\nOne row is {table.row}. Sorted by {', '.join(table.key)}.\n")
        rows = ["| column | type | unit | meaning |", "|---|---|---|---|"]
        for column in table.columns:
            meaning = column.meaning.replace("|", "\\|")
            rows.append(f"| `{column.name}` | {column.dtype} | {column.unit} | {meaning} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)
