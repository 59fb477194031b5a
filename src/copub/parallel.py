"""Work in parts: one function over many parts on all cores, and cutting a table between works."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor

from copub.settings import memory_gb

ROWS_PER_GB = 125_000
"""Rows of a part of a table per GB of memory: what is built up on the way stays in the hundreds of megabytes."""
MAIN_GB, PROCESS_GB = 1.0, 0.5
"""What a run takes besides its processes while they work, and what each of these takes (docs/performance.md)."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Part], Result], parts: Iterable[Part], *, alone: int = 2) -> Iterator[Result]:
    """Yield `work(part)` for every part, in order; at most a few parts are in memory at once.

    Processes are started only if there are more than `alone` parts, more than one core, and memory
    (`copub.settings.memory_gb`) for more than one: they cost a second or two to start. `work` and
    its results must be picklable. An error of `parts` is raised once all parts before it are done.
    """
    failed: list[Exception] = []
    rest = _until_it_fails(parts, failed)
    first = list(islice(rest, alone + 1))
    number = processes()
    if len(first) <= alone or number == 1:
        yield from map(work, chain(first, rest))
        _raise_first(failed)
        return
    pool = Parallel(n_jobs=number, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1, max_nbytes=None)
    try:
        yield from pool(delayed(work)(part) for part in chain(first, rest))
    except BaseException:
        get_reusable_executor().shutdown(wait=False, kill_workers=True)  # what they do is of no use any more
        raise
    get_reusable_executor().shutdown(wait=True)  # idle, the processes would hold their memory for minutes
    _raise_first(failed)


def _until_it_fails(parts: Iterable[Part], failed: list[Exception]) -> Iterator[Part]:
    """Yield the parts; joblib reads them in a thread of its own, where an error would be lost."""
    try:
        yield from parts
    except Exception as error:  # noqa: BLE001  it is raised again, in the caller's thread
        failed.append(error)


def _raise_first(failed: Sequence[Exception]) -> None:
    for error in failed:
        raise error


def processes() -> int:
    """Return how many processes there are cores and memory for, at least 1."""
    cores: int = cpu_count()
    return max(1, min(cores, int((memory_gb() - MAIN_GB) / PROCESS_GB)))


def by_parts(frame: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Return what `work`, which treats works apart from each other, makes of a table, one part at a time."""
    return pl.concat(work(part) for part in split_by_work(frame))


def with_own_buffers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same frame with texts of its own: rows picked from a frame keep all its texts in memory."""
    return _frame_of(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the collector of cycles: while plain rows are built, it looks through all of them over and over."""
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


def split_by_work(frame: pl.DataFrame, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """Yield a table sorted by ``work_id`` in parts of about `rows` rows, no work in two of them.

    Without `rows`, as many as the memory of a run allows (`copub.settings.memory_gb`). A table in
    another order comes whole.
    """
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


def zip_by_work(
    works: pl.DataFrame, *others: pl.DataFrame, rows: int | None = None
) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Yield parts of a table with one row a work, sorted, each with the rows of the same works of other tables."""
    ordered = [
        other if other["work_id"].is_sorted() else other.sort("work_id", maintain_order=True) for other in others
    ]
    for part in split_by_work(works, rows):
        ids = part["work_id"]
        ends = ids.head(1), ids.tail(1)
        yield part, *(other[slice(*_edges(other["work_id"], *ends))] for other in ordered)


def _edges(ids: pl.Series, first: pl.Series, last: pl.Series) -> list[int]:
    return [*ids.search_sorted(first, side="left"), *ids.search_sorted(last, side="right")] or [0, 0]


def split_on_disk_by_work(path: Path, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """Yield a table as `split_by_work` does, but from a Parquet file sorted by ``work_id``, never whole in memory."""
    rest = pl.read_parquet(path, n_rows=0)
    for part in parts_on_disk(path, rows or _rows_at_once()):
        rest = pl.concat([rest, part])
        whole = int(rest["work_id"].search_sorted(rest["work_id"][-1], side="left"))
        if whole:
            yield rest[:whole]
            rest = with_own_buffers(rest[whole:])
    yield rest


def parts_on_disk(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file in parts of at most so many rows, in order."""
    with pq.ParquetFile(path) as file:
        yield from map(_frame_of, file.iter_batches(rows))


def _frame_of(rows: pa.RecordBatch | pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _rows_at_once() -> int:
    return int(ROWS_PER_GB * memory_gb())
