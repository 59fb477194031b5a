"""One function over many parts, on all cores, in the order of the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from joblib import Parallel, cpu_count, delayed

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
    # Each process gets its share of the cores, not all of them for its own threads.
    processes = Parallel(n_jobs=cores, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    yield from processes(delayed(work)(part) for part in chain(first, rest))
