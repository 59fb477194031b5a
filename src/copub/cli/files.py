"""Files that commands take and make: strings to screen; frames as Parquet, CSV or JSON Lines."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copub.csvtext import FORMULA, UNFIT, csv_of
from copub.errors import Fault, FileError, InputError
from copub.lists import outputplace
from copub.lists.csvfile import GZIP, UTF16, read_table, read_text
from copub.settings import memory_gb
from copub.writing import replacing

_OLDEST = pl.CompatLevel.oldest()
SUFFIXES = (".parquet", ".csv", ".jsonl")
LONGEST_STRING = 1 << 20
"""Bytes of a string to be screened: the longest affiliations have a hundredth of it."""
_MEMORY_PER_BYTE = 8  # what strings take in memory, to their bytes in a file
_PIECE = 1 << 20


def read_strings(path: Path, column: str) -> pl.Series:
    """Return strings exactly as they are: one per line (plain or .gz), or a column of a CSV file.

    Raises `InputError` if the file is missing, no UTF-8 text, or lacks the column; `FileError` with the faults of
    its lines.
    """
    if not {".csv", ".tsv"}.isdisjoint(map(str.lower, path.suffixes)):
        faults: list[Fault] = []
        table = read_table(path, faults, kind="file", strip=False)
        if column not in table.columns:
            raise InputError(f"no column {column!r}", where=str(path), hint=f"{table.heading}; see --column")
        if faults:
            raise FileError.first(faults, kind="file of strings")
        strings = [row[column] for row in table.rows if row[column]]
    else:
        strings = list(_strings(path))
    return pl.Series("strings", strings, dtype=pl.String)


def _strings(path: Path) -> Iterator[str]:
    """Yield the lines that are not blank. Raises `InputError` if one is too long, or all together are."""
    most, size, number, rest = int(memory_gb() * 1e9 / _MEMORY_PER_BYTE), 0, 0, b""
    try:
        with path.open("rb") as raw, gzip.open(raw) if raw.peek(2).startswith(GZIP) else raw as file:
            while piece := file.read(_PIECE):
                if not size and piece.startswith(UTF16):
                    yield from _not_blank(read_text(path, kind="file").split("\n"))
                    return
                piece = piece.removeprefix(codecs.BOM_UTF8) if not size else piece
                size += len(piece)
                *lines, rest = (rest + piece).split(b"\n") if piece.strip() else [b"", rest + piece.strip()]
                if size > most or len(rest) > LONGEST_STRING:
                    raise _too_much(path, size > most, most)
                yield from _not_blank(_decoded(lines, path, number))
                number += piece.count(b"\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file cannot be read: {reason}", where=str(path), hint="check the path") from None
    except (EOFError, zlib.error) as error:
        raise InputError(f"the file cannot be read: {error}", where=str(path), hint="get it again") from None
    yield from _not_blank(_decoded([rest], path, number))


def _not_blank(lines: Iterable[str]) -> Iterator[str]:
    return (line.removesuffix("\r") for line in lines if line.strip())


def _decoded(lines: Sequence[bytes], path: Path, before: int) -> Iterator[str]:
    for number, line in enumerate(lines, start=before + 1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError("the file is not UTF-8 text", where=f"{path}:{number}", hint="save it as UTF-8") from None


def _too_much(path: Path, all_together: bool, most: int) -> InputError:
    if all_together:
        what, hint = f"the strings have more than {most / 1e6:,.0f} MB", "screen them in several files, or raise"
        return InputError(what, where=str(path), hint=f"{hint} COPUB_MEMORY (GB)")
    what = f"a line is longer than {LONGEST_STRING:,} bytes; it is no affiliation"
    return InputError(what, where=str(path), hint="give one string per line")


def check_out(path: Path, *inputs: Path) -> None:
    """Raise `InputError` if a frame cannot be written to `path` or must not be; before any work."""
    outputplace.check_out(path, *inputs, suffixes=SUFFIXES)


def as_printed(hits: pl.DataFrame) -> pl.DataFrame:
    """Return hits in strings with offsets that hold in the CSV file, where characters are added and dropped.

    A CSV file protects what a spreadsheet would take for a formula with an apostrophe and drops
    what cannot be printed, so the matched characters may be elsewhere than in the string.
    """
    raw, text = pl.col("raw_affiliation_string"), pl.col("matched_text")
    apostrophe = raw.str.replace_all(UNFIT, "").str.contains(FORMULA).cast(pl.Int32)
    before = raw.str.head(pl.col("matched_start")).str.replace_all(UNFIT, "").str.len_chars().cast(pl.Int32)
    within = text.str.replace_all(UNFIT, "").str.len_chars().cast(pl.Int32)
    return hits.with_columns(matched_start=before + apostrophe, matched_end=before + apostrophe + within).select(
        hits.columns
    )


def write_out(frame: pl.DataFrame | Iterable[pl.DataFrame], path: Path) -> None:
    """Write a frame, whole or in parts; what was there before is kept until it is whole.

    Raises `InputError` if another file is there than a table with the same columns.
    """
    parts = iter([frame] if isinstance(frame, pl.DataFrame) else frame)
    first = next(parts)
    outputplace.check_earlier(path, "table with the same columns", partial(_has_columns, frame=first.clear()))
    with replacing(path) as temporary, temporary.open("wb") as file:
        if path.suffix.lower() == ".parquet":
            _write_parquet(file, chain([first], parts), first.to_arrow(compat_level=_OLDEST).schema)
        else:
            for number, part in enumerate(chain([first], parts)):
                file.write(csv_of(part, head=number == 0) if path.suffix.lower() == ".csv" else _lines(part))


def _has_columns(path: Path, frame: pl.DataFrame) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        try:
            return list(pq.read_schema(path).names) == frame.columns
        except (pa.ArrowException, OSError):
            return False
    if suffix != ".csv":
        return outputplace.is_json_with(path, frame.columns)
    head = csv_of(frame)
    with path.open("rb") as file:
        return file.read(len(head)) == head


def _write_parquet(file: BinaryIO, parts: Iterable[pl.DataFrame], schema: pa.Schema) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part.to_arrow(compat_level=_OLDEST))


def _lines(frame: pl.DataFrame) -> bytes:
    return frame.write_ndjson().encode("utf-8")
