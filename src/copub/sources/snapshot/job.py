"""One file of a snapshot: the piece of work that any machine can do alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from copub.errors import Fault
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


def extract_file(job: Job, moved: Callable[[float], Any] = lambda _: None) -> Done:
    """Read one file of a snapshot and return its part. The same job gives the same works everywhere.

    A damaged file is skipped as a whole: what came before the damage is not delivered.
    `moved` is called with the number of compressed bytes as they are read.
    """
    file = job.file
    writer = PartWriter()
    try:
        if not file.size:
            raise EOFError("it is empty")
        filesystem, _ = open_source(job.source)
        if file.kind == "parquet":
            with filesystem.open_input_file(file.path) as stream:
                records = scan_columns(stream, job.asked, writer, file.path, moved)
        else:
            with filesystem.open_input_stream(file.path, compression=None, buffer_size=AHEAD) as stream:
                records = scan_lines(stream, job.asked, writer, file.path, moved)
    except (*BROKEN_GZIP, *BROKEN_PARQUET, ValueError) as error:
        return Done(job, None, Fault(file.path, f"damaged or out of reach: {error}: skipped", _AGAIN))
    if file.records is not None and records != file.records:
        writer.faults.append(Fault(file.path, f"{records} records, the manifest says {file.records}", _AGAIN))
    return Done(job, writer.finish(records))
