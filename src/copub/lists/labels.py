"""Labels of a study's own works: what people decided who read a sheet of them, taken back from CSV files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from copub.csvtext import unquoted
from copub.errors import Fault, FileError
from copub.lists.csvfile import read_table

COLUMNS: Mapping[str, str] = {
    "work_id": "OpenAlex id of the work (W…)",
    "critical": "yes | no: the work is on a critical technology; empty = not decided",
    "listed": "yes | no: an affiliation of side B names an institution on the study's lists, at a level that counts",
    "top_level": "yes | no: one of them at the study's top level; empty = not looked at",
    "reader": "who read the work",
    "date": "when (YYYY-MM-DD)",
    "reason": "why",
    "stands_for": "works of the study that this one represents, as the sheet was drawn; leave as it is",
}
"""Columns of a sheet that people fill in or that its draw needs; further columns are left alone."""

NEEDED = ("work_id", "critical", "listed", "reader", "date")
LABELS = pl.Schema(
    {
        "work_id": pl.String,
        "critical": pl.Boolean,
        "listed": pl.Boolean,
        "top_level": pl.Boolean,
        "reader": pl.String,
        "date": pl.String,
        "reason": pl.String,
        "stands_for": pl.Float64,
    }
)
_ANSWERS: Mapping[str, bool | None] = {
    **dict.fromkeys(("yes", "true", "1"), True),
    **dict.fromkeys(("no", "false", "0"), False),
    "": None,
}
_KIND = "sheet of labelled works"
Row = dict[str, str]


def read_labels(paths: Sequence[Path], *, by_reader: bool = False) -> pl.DataFrame:
    """Read the labels out of filled sheets (`COLUMNS`): a frame like `LABELS`, sorted by work; undecided rows are out.

    Parameters
    ----------
    by_reader : keep one label of a work per reader; readers may differ then. Otherwise one label per work.

    Raises
    ------
    InputError : a file is missing or is no UTF-8 text.
    FileError : all faults of all sheets, with file and line: columns, answers, a label without
        reader or date, and labels of one work that contradict each other.
    """
    faults: list[Fault] = []
    found: dict[tuple[str, str], tuple[str, Row]] = {}
    for path in paths:
        for where, row in _rows(path, faults):
            if not row["critical"] and not row["listed"]:
                continue
            faults += _faults(where, row)
            key = row["work_id"], row["reader"] if by_reader else ""
            first, before = found.setdefault(key, (where, row))
            if _differ(before, row):
                faults.append(
                    Fault(where, f"contradicts {first} on {row['work_id']}", "settle it and keep one of them")
                )
            elif row["date"] > before["date"]:
                found[key] = where, row
    if faults:
        raise FileError(faults, kind=_KIND)
    return pl.DataFrame([_label(row) for _, row in found.values()], schema=LABELS).sort("work_id", "reader")


def is_label_sheet(path: Path) -> bool:
    """Say whether a file is a sheet of works rather than one of affiliations, by its first line."""
    return "work_id" in read_table(path, [], kind="sheet").columns


def labels_text(labels: pl.DataFrame) -> pl.DataFrame:
    """Return labels as a sheet of texts: what `read_labels` reads back."""
    answers = ("critical", "listed", "top_level")
    return labels.with_columns(
        *(
            pl.col(name).replace_strict({True: "yes", False: "no"}, return_dtype=pl.String).alias(name)
            for name in answers
        ),
        pl.col("stands_for").cast(pl.String),
    )


def _rows(path: Path, faults: list[Fault]) -> Iterator[tuple[str, Row]]:
    table = read_table(path, faults, kind=_KIND)
    missing = list(table.column_faults({}, NEEDED))
    faults += missing
    for row in () if missing else (row.dated() for row in table.rows):
        yield row.where, {name: unquoted(row[name]) for name in COLUMNS}


def _faults(where: str, row: Row) -> Iterator[Fault]:
    if not re.fullmatch(r"W\d+", row["work_id"]):
        yield Fault(where, f"work_id is {row['work_id']!r}", COLUMNS["work_id"])
    for name in ("critical", "listed", "top_level"):
        if row[name].lower() not in _ANSWERS:
            yield Fault(where, f"{name} is {row[name]!r}", "write yes, no, or nothing")
    if not (row["critical"] and row["listed"]):
        empty = "listed" if row["critical"] else "critical"
        yield Fault(where, f"{empty} is empty", "decide on both, or on neither")
    if _ANSWERS.get(row["top_level"].lower()) and _ANSWERS.get(row["listed"].lower()) is False:
        yield Fault(where, "top_level is yes, but listed is no", "an institution at the top level is a listed one")
    if not row["reader"]:
        yield Fault(where, "a label needs a reader", COLUMNS["reader"])
    try:
        datetime.date.fromisoformat(row["date"])
    except ValueError:
        yield Fault(where, f"date {row['date']!r} is no date", "write it as 2026-11-21")
    if row["stands_for"] and not re.fullmatch(r"[1-9]\d{0,8}([.,]\d+)?", row["stands_for"]):
        yield Fault(where, f"stands_for is {row['stands_for']!r}", "leave it as the sheet was drawn")


def _answers(row: Row) -> dict[str, bool | None]:
    answers = {name: _ANSWERS.get(row[name].lower()) for name in ("critical", "listed", "top_level")}
    # what is not listed is not listed at the top level either
    return answers | {"top_level": False if answers["listed"] is False else answers["top_level"]}


def _differ(one: Row, other: Row) -> bool:
    pairs = zip(_answers(one).values(), _answers(other).values(), strict=True)
    return any(a is not b for a, b in pairs if a is not None and b is not None)


def _label(row: Row) -> dict[str, str | bool | float | None]:
    drawn = row["stands_for"].replace(",", ".")  # as spreadsheets of most of Europe write it
    return {**row, **_answers(row), "stands_for": float(drawn) if drawn else None}
