"""Writing a frame where the user asked for it: Parquet, CSV or JSON Lines by the suffix."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from copub.errors import CorrectInput

SUFFIXES = (".parquet", ".csv", ".jsonl")


def check_out(path: Path) -> None:
    """Raise `CorrectInput` if a frame cannot be written to `path`; before any work is done."""
    if path.suffix not in SUFFIXES:
        raise CorrectInput(
            f"cannot write {path.suffix or 'a file without suffix'}",
            where=str(path),
            mend=f"use one of {', '.join(SUFFIXES)}",
        )
    if not path.parent.is_dir():
        raise CorrectInput("there is no such folder", where=str(path.parent), mend="make it, or name another")


def write_out(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame to a temporary name and rename it: what was there before is kept until then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".parquet":
            frame.write_parquet(temporary)
        elif path.suffix == ".csv":
            safe_csv(frame).write_csv(temporary)
        else:
            frame.write_ndjson(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def safe_csv(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of plain cells: lists joined by |, and no text that a spreadsheet takes for a formula."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    joined = frame.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))
    text = pl.col(pl.String)
    return joined.with_columns(pl.when(text.str.contains(r"^[=+\-@\t\r]")).then("'" + text).otherwise(text))
