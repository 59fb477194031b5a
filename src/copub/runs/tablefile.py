"""A table as a Parquet file: the same bytes however its rows come, with the meaning of each column in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copub.progress import bar
from copub.schema import TABLES

ROWS_AT_ONCE = 100_000


def write_table(
    path: Path,
    name: str,
    table: pl.DataFrame | Iterable[pl.DataFrame],
    writing: Callable[[], AbstractContextManager[None]],
) -> None:
    """Write a table, whole or in parts, of which there is at least one.

    Parameters
    ----------
    name : one of `copub.schema.TABLES`, or another: then its columns bear no description.
    writing : wraps what touches the disk, not what makes the parts.
    """
    parts = _even([table] if isinstance(table, pl.DataFrame) else table)
    first: pl.DataFrame | None = next(parts)
    assert first is not None
    with writing():
        writer = pq.ParquetWriter(path, _described(name, first).schema, compression="zstd")
    try:
        with bar(label=f"write {name}", unit="rows") as shown:
            while first is not None:
                with writing():
                    writer.write_table(_described(name, first))
                shown.update(first.height)
                first = next(parts, None)
    finally:
        with writing():
            writer.close()


def _even(parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the same rows in parts of `ROWS_AT_ONCE`, however they come: the file must not depend on that."""
    rest: list[pl.DataFrame] = []
    empty: pl.DataFrame | None = None
    for part in parts:
        empty = part.clear()
        for piece in part.iter_slices(ROWS_AT_ONCE):
            rest.append(piece)
            # In slices: the whole table in Arrow's form would be a second copy of it in memory.
            if sum(frame.height for frame in rest) >= ROWS_AT_ONCE:
                rows = pl.concat(rest, rechunk=True)  # what is written depends on chunks
                yield rows[:ROWS_AT_ONCE]
                rest, empty = [rows[ROWS_AT_ONCE:]], None
    if any(frame.height for frame in rest):
        yield pl.concat(rest, rechunk=True)
    elif empty is not None:
        yield empty


def _described(name: str, frame: pl.DataFrame) -> pa.Table:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    if name not in TABLES:
        return table
    known = {column.name: column for column in TABLES[name].columns}
    fields = [
        field.with_metadata({"description": known[field.name].meaning, "unit": known[field.name].unit})
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata={"table": name, "row": TABLES[name].row}))
