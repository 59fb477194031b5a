"""Tables too large to be held as they are: kept packed in memory, and given back in order, part by part."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from copub.engine import writing_to_cache

WORKS_AT_ONCE = 50_000
"""Works of a part: a number that does not depend on the machine, so that files are the same on all of them."""
_PACKS_AT_ONCE = 10
Packed = bytes | Path
"""A frame as `pack` makes it, in memory or in a file."""


def pack(frame: pl.DataFrame) -> bytes:
    """Return a frame as Parquet in memory: a fraction of its size, also on the way between processes."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    return buffer.getvalue()


def unpack(packed: Packed, columns: list[str] | None = None) -> pl.DataFrame:
    """Return what `pack` was given, or these columns of it."""
    return pl.read_parquet(BytesIO(packed) if isinstance(packed, bytes) else packed, columns=columns)


def starts_of_parts(ids: pl.Series, works: int = WORKS_AT_ONCE) -> pl.Series:
    """Return the ids with which the second part and each further one of so many works begins."""
    return ids.sort().gather_every(works).slice(1)


def range_partition(packed: Iterable[Packed], schema: pl.Schema, starts: pl.Series) -> Iterator[pl.DataFrame]:
    """Yield a table by ranges of ``work_id``, in order; inside a range the rows are as they came.

    What is read is let go, so that the table is never whole in memory unless it is one part.

    Parameters
    ----------
    packed : frames as `pack` makes them, in memory or in files, in any order of ids; a deque is emptied on the way.
    starts : first id of every range but the first, sorted.
    """
    rest = packed if isinstance(packed, deque) else deque(packed)
    if starts.is_empty():
        yield pl.concat([pl.DataFrame(schema=schema), *map(unpack, rest)])
        return
    for parts in _dealt(rest, starts):
        yield pl.concat([pl.DataFrame(schema=schema), *map(unpack, parts)])


def _dealt(rest: deque[Packed], starts: pl.Series) -> Iterator[list[Packed]]:
    """Yield what belongs to each range, packed; what came in files is kept in files beside them on the way."""
    if not rest or isinstance(rest[0], bytes):
        yield from _ranges(rest, starts, lambda part: part)
        return
    beside = rest[0].parent.parent
    with TemporaryDirectory(dir=beside, prefix=".ranges-") as folder:
        names = map(str, count())

        def filed(part: bytes) -> Path:
            path = Path(folder) / next(names)
            with writing_to_cache(beside):
                path.write_bytes(part)
            return path

        yield from _ranges(rest, starts, filed)


def _ranges(rest: deque[Packed], starts: pl.Series, keep: Callable[[bytes], Packed]) -> Iterator[list[Packed]]:
    ranges: list[list[Packed]] = [[] for _ in range(starts.len() + 1)]
    while rest:
        some = pl.concat([unpack(rest.popleft()) for _ in range(min(_PACKS_AT_ONCE, len(rest)))])
        some = some.sort("work_id", maintain_order=True)
        edges = [0, *some["work_id"].search_sorted(starts, side="left").to_list(), some.height]
        for number, (begin, end) in enumerate(pairwise(edges)):
            if end > begin:
                ranges[number].append(keep(pack(some.slice(begin, end - begin))))
        del some
    for number in range(len(ranges)):
        yield ranges[number]
        ranges[number] = []
