"""One file of a snapshot: the piece of work that any machine can do alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from copub.errors import Fault
from copub.lines import amount
from copub.sources.snapshot.columns import BROKEN_PARQUET, scan_columns
from copub.sources.snapshot.jsonlines import BROKEN_GZIP, scan_lines
from copub.sources.snapshot.part import PartWriter
from copub.sources.snapshot.selection import Asked
from copub.sources.snapshot.storage import AHEAD, open_source
from copub.sources.snapshot.survey import WorksFile

_AGAIN = "get the file again, then repeat the command: only what is missing is done"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be read, the source it lies on, and what is asked of it."""

    source: str
    file: WorksFile
    asked: Asked


@dataclass(frozen=True, slots=True)
class Done:
    """The part made from a file; or, if the file is damaged, no part and the reason."""

    job: Job
    part: bytes | None
    damage: Fault | None = None


Scan = Callable[[Any], int]
"""Reads an open file of a snapshot and returns the number of records in it."""
DAMAGES = (*BROKEN_GZIP, *BROKEN_PARQUET, ValueError)
"""What `scan_file` raises of a file that is damaged or out of reach."""


def extract_file(job: Job, moved: Callable[[float], Any] = lambda _: None) -> Done:
    """Read one file of a snapshot and return its part. The same job gives the same works everywhere.

    A damaged file is skipped as a whole: what came before the damage is not delivered.
    `moved` is called with the number of compressed bytes as they are read.
    """
    file = job.file
    writer = PartWriter()
    try:
        records = scan_file(
            job.source,
            file,
            lines=lambda stream: scan_lines(stream, job.asked, writer, file.path, moved),
            columns=lambda stream: scan_columns(stream, job.asked, writer, file.path, moved),
        )
    except DAMAGES as error:
        return Done(job, None, damaged(file, error))
    writer.faults += miscounted(file, records)
    return Done(job, writer.finish(records))


def scan_file(source: str, file: WorksFile, *, lines: Scan, columns: Scan) -> int:
    """Open a file of a snapshot, let it be read as JSON Lines or as Parquet, and return the number of its records.

    Raises one of `DAMAGES` if the file is damaged or out of reach.
    """
    if not file.size:
        raise EOFError("it is empty")
    filesystem, _ = open_source(source)
    if file.kind == "parquet":
        with filesystem.open_input_file(file.path) as stream:
            return columns(stream)
    with filesystem.open_input_stream(file.path, compression=None, buffer_size=AHEAD) as stream:
        return lines(stream)


def damaged(file: WorksFile, error: Exception) -> Fault:
    """Return the fault of a file that cannot be read whole."""
    return Fault(file.path, f"damaged or out of reach: {error}: skipped", _AGAIN)


def miscounted(file: WorksFile, records: int) -> list[Fault]:
    """Return the fault of a file with another number of records than the manifest promises, if it has."""
    if file.records is None or records == file.records:
        return []
    return [Fault(file.path, f"{amount(records, 'record')}, the manifest says {file.records}", _AGAIN)]
