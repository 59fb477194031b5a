"""Cutting a table between works, so that it is worked on part by part."""

from __future__ import annotations

import ctypes
import gc
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from copub.settings import memory_gb

ROWS_PER_GB = 50_000
"""Rows of a part of a table per GB of memory: what is built up on the way stays in the hundreds of megabytes."""


def as_is(part: pl.DataFrame) -> pl.DataFrame:
    """Return the same rows."""
    return part


ROWS_OF_PART = 50_000
"""Rows of a part that is read from disk: what is made of it on the way is many times its size."""


@dataclass(frozen=True)
class Parted:
    """A table sorted by ``work_id`` that is read from its Parquet file part by part, never whole.

    path : the file. columns : what is read of it. under : what is made of the rows of a part, each work by itself.
    needed : columns that `under` reads.
    """

    path: Path
    columns: tuple[str | pl.Expr, ...]
    under: Callable[[pl.DataFrame], pl.DataFrame] = as_is
    needed: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the table in parts, no work in two of them."""
        roots = {root for column in self.columns for root in _roots(column)}
        for part in split_on_disk_by_work(self.path, ROWS_OF_PART, sorted(roots)):
            yield self.under(part.select(self.columns))

    def between(self, first: str, last: str) -> pl.DataFrame:
        """Return the rows of the works from one id to another."""
        inside = pl.scan_parquet(self.path).filter(pl.col("work_id").is_between(pl.lit(first), pl.lit(last)))
        return self.under(inside.select(self.columns).collect())


ROWS_OF_PIECE = 200_000
"""Rows of a part that another process reads: so many that starting it pays, so few that all processes have some."""


@dataclass(frozen=True)
class Piece:
    """A part of a table: in memory, or the works from one id to another in a Parquet file. Picklable."""

    table: pl.DataFrame | Path
    first: str = ""
    last: str = ""

    def read(self) -> pl.DataFrame:
        """Return the rows."""
        if isinstance(self.table, pl.DataFrame):
            return self.table
        return Parted(self.table, (pl.all(),)).between(self.first, self.last)


def pieces_of(table: pl.DataFrame | Path) -> Iterator[Piece]:
    """Yield the parts of a table sorted by ``work_id``, no work in two of them."""
    if isinstance(table, pl.DataFrame):
        yield from map(Piece, split_by_work(table, ROWS_OF_PIECE))
        return
    for part in split_on_disk_by_work(table, ROWS_OF_PIECE, columns=["work_id"]):
        if not part.is_empty():
            yield Piece(table, part["work_id"][0], part["work_id"][-1])


Table = pl.DataFrame | Parted
"""A table in memory, or one that is read part by part."""


def _roots(column: str | pl.Expr) -> list[str]:
    return [column] if isinstance(column, str) else column.meta.root_names()


def columns_of(table: Table, *names: str) -> Table:
    """Return some columns of a table: of one on disk, the others are not even read."""
    if isinstance(table, pl.DataFrame):
        return table.select(names)
    wanted = {*names, *table.needed}
    return replace(table, columns=tuple(column for column in table.columns if _name(column) in wanted))


def _name(column: str | pl.Expr) -> str:
    return column if isinstance(column, str) else column.meta.output_name()


def by_parts(table: Table, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Return what `work`, which treats works apart from each other, makes of a table, one part at a time."""
    return pl.concat(work(part) for part in split_by_work(table))


def summed(parts: Iterable[pl.DataFrame], *by: str) -> pl.DataFrame:
    """Return the sums of all other columns by these columns of texts over all parts; only the sums are held."""
    total: list[pl.DataFrame] = []
    for part in parts:
        total = [with_own_buffers(pl.concat([*total, part]).group_by(by).agg(pl.all().sum()))]
    return total[0]


def with_own_buffers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same frame with texts of its own: rows picked from a frame keep all its texts in memory."""
    return _frame_of(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


def series_of_texts(name: str, lists: Sequence[Sequence[str]]) -> pl.Series:
    """Return lists of texts as a column: fast, where polars would make a series of every single list.

    Arrow is given the numbers as bytes: to look at Python values it loads pandas wherever that is installed.
    """
    ends = array("q", accumulate(map(len, lists), initial=0))
    texts = pl.Series(list(chain.from_iterable(lists)), dtype=pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    kind = pa.large_list(pa.large_string())
    made = pa.Array.from_buffers(kind, len(lists), [None, pa.py_buffer(ends)], children=[texts])
    return pl.Series(name, made, pl.List(pl.String))


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the garbage collector: while plain rows are built, it looks through all of them over and over."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def release_memory() -> None:
    """Give the system the memory that was let go: Arrow keeps it, and so does the C library between small things."""
    gc.collect(1)  # the young generations: frames are in no old cycle, and a full collection takes long
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not every C library has it
        if trim is not None:
            trim(0)


def split_by_work(frame: Table, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """Yield a table sorted by ``work_id`` in parts of about `rows` rows, no work in two of them.

    Without `rows`, as many as the memory of a run allows (`copub.settings.memory_gb`). A table in
    another order comes whole.
    """
    if isinstance(frame, Parted):
        yield from frame
        return
    rows = rows or _rows_at_once()
    ids = frame["work_id"]
    if frame.height <= rows or not ids.is_sorted():
        yield frame
        return
    start = 0
    while start < frame.height:
        last = ids[min(start + rows, frame.height) - 1]
        end = int(ids.search_sorted(last, side="right"))
        yield frame[start:end]
        start = end


def zip_by_work(works: Table, *others: Table, rows: int | None = None) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Yield parts of a table with one row per work, sorted, each with the rows of the same works of other tables."""
    ordered = [_sorted(other) for other in others]
    for part in split_by_work(_sorted(works), rows):
        yield part, *(rows_of(other, part["work_id"]) for other in ordered)


def own_rows(works: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `works`, sorted, from the first to the last work of a part: to join with all takes longer."""
    ids = part["work_id"]
    return rows_of(works, ids) if ids.is_sorted() else works


def _sorted(table: Table) -> Table:
    if isinstance(table, Parted) or table["work_id"].is_sorted():
        return table
    return table.sort("work_id", maintain_order=True)


def rows_of(table: Table, ids: pl.Series) -> pl.DataFrame:
    """Return the rows of the works from the first to the last of these ids, which are sorted."""
    if isinstance(table, Parted):
        return table.between(ids[0], ids[-1]) if ids.len() else next(iter(table)).clear()
    return table[slice(*_edges(table["work_id"], ids.head(1), ids.tail(1)))]


def _edges(ids: pl.Series, first: pl.Series, last: pl.Series) -> list[int]:
    return [*ids.search_sorted(first, side="left"), *ids.search_sorted(last, side="right")] or [0, 0]


def split_on_disk_by_work(
    path: Path, rows: int | None = None, columns: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield a table as `split_by_work` does, but from a Parquet file sorted by ``work_id``, never whole in memory."""
    rest = pl.read_parquet(path, n_rows=0, columns=None if columns is None else list(columns))
    for part in parts_on_disk(path, rows or _rows_at_once(), columns):
        rest = pl.concat([rest, part])
        whole = int(rest["work_id"].search_sorted(rest["work_id"][-1], side="left"))
        if whole:
            yield rest[:whole]
            rest = with_own_buffers(rest[whole:])
    yield rest


def parts_on_disk(path: Path, rows: int, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file, or some columns of it, in parts of at most so many rows, in order."""
    with pq.ParquetFile(path, pre_buffer=False) as file:  # else all that was read stays in memory until the end
        yield from map(_frame_of, file.iter_batches(rows, columns=columns))


def _frame_of(rows: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _rows_at_once() -> int:
    return int(ROWS_PER_GB * memory_gb())
