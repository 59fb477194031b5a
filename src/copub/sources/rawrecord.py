"""What a source hands to tabulate: one raw record and where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import orjson

from copub.errors import Fault

LONGEST_LINE = 40_000_000
"""Bytes of a line, or of a row: the largest works, with thousands of authors, have half of it."""
MOST_FAULTS = 1_000
"""Broken lines of a portion that are kept: a file with more is no works file."""
MOST_VALUES = 3_000_000
"""Values of a record: the works with most authors, about ten thousand, have a tenth of it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source.

    value : a Work as JSON text (bytes), or as plain values; or whatever stood in its place.
    where : file and line, or query and page: what a person needs to find it again.
    found_by : names of the queries that found it; ("works-file",) for works files.
    retrieved_on : ISO date of retrieval; empty if unknown (works files).
    is_whole : the record was asked for singly, so that its author list is not cut.
    path : file and line with the folder, for messages only; `where` names the file alone.
    """

    value: Any
    where: str
    found_by: tuple[str, ...]
    retrieved_on: str = ""
    is_whole: bool = False
    path: str = ""


def parsed(records: Iterable[Record], faults: list[Fault]) -> Iterator[Record]:
    """Yield the records with plain values; those that are not JSON are added to `faults`."""
    for record in records:
        if not isinstance(record.value, bytes):
            yield record
            continue
        try:
            expect_bounded(record.value)
            yield replace(record, value=orjson.loads(record.value))
        except ValueError as error:
            faults.append(not_json(record, error))


def not_json(record: Record, error: Exception) -> Fault:
    """Return the fault of a record whose text is not JSON."""
    return Fault(record.path or record.where, f"not JSON: {error}", "fix or remove the line")


def expect_bounded(text: bytes) -> None:
    """Raise `ValueError` if a record of some size holds more values than a work has: they would take all memory."""
    if len(text) > MOST_VALUES and text.count(b",") + text.count(b"[") + text.count(b"{") > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES:,} values; it is no work")


class Portion(Protocol):
    """Some records that are not parsed yet; picklable."""

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        """Yield the records as JSON text or plain values; what breaks a file off is added to `faults`."""

    def in_file(self, path: Path) -> Portion:
        """Return the same portion, its text in this file if it is large."""


@runtime_checkable
class Portioned(Protocol):
    """Records that come in portions, which other processes can read."""

    def portions(self) -> Iterator[Portion]:
        """Yield the portions in order."""

    def complain(self, faults: Sequence[Fault]) -> None:
        """Raise if there are faults."""
