"""Files that commands take and make: strings to screen; frames as Parquet, CSV or JSON Lines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copub.csvtext import FORMULA, UNFIT, csv_of
from copub.errors import Fault, FileError, InputError
from copub.lists.csvfile import read_table, read_text

_OLDEST = pl.CompatLevel.oldest()
SUFFIXES = (".parquet", ".csv", ".jsonl")


def read_strings(path: Path, column: str) -> pl.Series:
    """Return strings exactly as they stand: one per line (plain or .gz), or a column of a CSV file.

    Raises `InputError` if the file is missing, no UTF-8 text, or lacks the column; `FileError` with the faults of
    its lines.
    """
    if not {".csv", ".tsv"}.isdisjoint(path.suffixes):
        faults: list[Fault] = []
        table = read_table(path, faults, kind="file", strip=False)
        if column not in table.columns:
            raise InputError(f"no column {column!r}", where=str(path), hint=f"{table.heading}; see --column")
        if faults:
            raise FileError.first(faults, kind="file of strings")
        strings = [row[column] for row in table.rows if row[column]]
    else:
        lines = read_text(path, kind="file").split("\n")
        strings = [line.removesuffix("\r") for line in lines if line.strip()]
    return pl.Series("strings", strings, dtype=pl.String)


def check_out(path: Path, *inputs: Path) -> None:
    """Raise `InputError` if a frame cannot be written to `path` or would replace an input; before any work."""
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"cannot write {path.suffix or 'a file without suffix'}",
            where=str(path),
            hint=f"use one of {', '.join(SUFFIXES)}",
        )
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), hint="make it, or name another")
    if path.is_dir():
        raise InputError("this is a folder", where=str(path), hint="name a file")
    if path.exists() and any(given.exists() and path.samefile(given) for given in inputs):
        raise InputError("this is the file that is read: it would be replaced", where=str(path), hint="name another")


def as_printed(hits: pl.DataFrame) -> pl.DataFrame:
    """Return hits in strings with offsets that hold in the CSV file, where characters are added and dropped.

    A CSV file protects what a spreadsheet would take for a formula with an apostrophe and drops
    what cannot be printed, so the matched characters may stand elsewhere than in the string.
    """
    raw, text = pl.col("raw_affiliation_string"), pl.col("matched_text")
    apostrophe = raw.str.replace_all(UNFIT, "").str.contains(FORMULA).cast(pl.Int32)
    before = raw.str.head(pl.col("matched_start")).str.replace_all(UNFIT, "").str.len_chars().cast(pl.Int32)
    within = text.str.replace_all(UNFIT, "").str.len_chars().cast(pl.Int32)
    return hits.with_columns(matched_start=before + apostrophe, matched_end=before + apostrophe + within).select(
        hits.columns
    )


def write_out(frame: pl.DataFrame | Iterable[pl.DataFrame], path: Path) -> None:
    """Write a frame, whole or in parts, to a temporary name and rename it: what was there before is kept until then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        parts = iter([frame] if isinstance(frame, pl.DataFrame) else frame)
        first = next(parts)
        with temporary.open("wb") as file:
            if path.suffix == ".parquet":
                _write_parquet(file, chain([first], parts), first.to_arrow(compat_level=_OLDEST).schema)
            else:
                for number, part in enumerate(chain([first], parts)):
                    file.write(csv_of(part, head=number == 0) if path.suffix == ".csv" else _lines(part))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_parquet(file: BinaryIO, parts: Iterable[pl.DataFrame], schema: pa.Schema) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part.to_arrow(compat_level=_OLDEST))


def _lines(frame: pl.DataFrame) -> bytes:
    return frame.write_ndjson().encode("utf-8")
