"""Work in parts: one function over many parts on all cores, and cutting a table between works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

import polars as pl
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor

ROWS = 500_000
"""Rows of a part of a table: what is built up on the way stays in the hundreds of megabytes."""

Part = TypeVar("Part")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Part], Result], parts: Iterable[Part], *, alone: int = 2) -> Iterator[Result]:
    """Yield `work(part)` for every part, in order; at most a few parts are in memory at once.

    Processes are started only if there are more than `alone` parts and more than one core: they
    cost a second or two to start. `work` and its results must be picklable.
    """
    rest = iter(parts)
    first = list(islice(rest, alone + 1))
    cores = cpu_count()
    if len(first) <= alone or cores == 1:
        yield from map(work, chain(first, rest))
        return
    processes = Parallel(n_jobs=cores, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1, max_nbytes=None)
    yield from processes(delayed(work)(part) for part in chain(first, rest))
    get_reusable_executor().shutdown(wait=True)  # idle, the processes would hold their memory for minutes


def by_parts(frame: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Return what `work`, which treats works apart from each other, makes of a table, one part at a time."""
    return pl.concat(work(part) for part in between_works(frame))


def between_works(frame: pl.DataFrame, rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """Yield a table sorted by ``work_id`` in parts of about `rows` rows, no work in two of them.

    A table in another order comes whole.
    """
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
