"""The lists of deleted and of merged works of a snapshot: hundreds of megabytes, so they are streamed past the works
found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.fs as pafs

from copub.errors import Fault
from copub.sources.snapshot.storage import AHEAD

BROKEN_LIST = (pa.ArrowException, OSError, EOFError)
_COLUMNS = ("work_id", "id")


def deleted_among(filesystem: pafs.FileSystem, path: str, numbers: pl.Series) -> pl.Series:
    """Return those of `numbers` (of work ids) that are in the list, sorted.

    Parameters
    ----------
    path : ``deleted_ids.csv`` or a list of ``merged_ids``, also in gzip: ids of works, short or long, under
        ``work_id`` or ``id``, or first.

    Raises
    ------
    pyarrow.ArrowException, OSError : the list is damaged or cannot be read.
    """
    wanted = np.sort(numbers.to_numpy())
    found = [pl.Series([], dtype=pl.Int64)]
    with filesystem.open_input_stream(path, buffer_size=AHEAD) as stream, pacsv.open_csv(stream) as reader:
        for batch in reader if len(wanted) else ():
            column = batch[next((name for name in _COLUMNS if name in batch.schema.names), 0)]
            ids = pl.Series(pl.from_arrow(column)).cast(pl.String).str.extract(r"(\d+)\s*$").cast(pl.Int64).drop_nulls()
            places = np.minimum(np.searchsorted(wanted, ids.to_numpy()), len(wanted) - 1)
            found.append(ids.filter(wanted[places] == ids.to_numpy()))
    return pl.concat(found).unique().sort()


def listed_among(
    filesystem: pafs.FileSystem, lists: Sequence[str], numbers: pl.Series, kind: str
) -> tuple[pl.Series, list[Fault]]:
    """Return those of the works found that some lists name, and the lists that cannot be read.

    Parameters
    ----------
    kind : "deleted" or "merged", for messages.
    """
    found, faults = [pl.Series([], dtype=pl.Int64)], []
    for path in lists:
        try:
            found.append(deleted_among(filesystem, path, numbers))
        except BROKEN_LIST as error:
            what = f"the list of {kind} works is damaged, so they may remain: {error}"
            faults.append(Fault(path, what, "get it again, or remove it, then repeat the command"))
    return pl.concat(found).unique().sort(), faults
