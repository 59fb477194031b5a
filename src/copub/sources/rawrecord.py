"""What a source hands to tabulate: one raw record and where it came from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import orjson

from copub.errors import Fault

LONGEST_LINE = 40_000_000
"""Bytes of a line, or of a row: the largest works, with thousands of authors, have half of it."""
MOST_FAULTS = 1_000
"""Broken lines of a portion that are kept: a file with more is no works file."""
MOST_VALUES = 3_000_000
"""Values of a record: the works with most authors, about ten thousand, have a tenth of it."""
DEEPEST = 500
"""Levels of lists and objects in a record, works have six; well below what a reader of JSON can do on any stack."""
TOO_DEEP = f"it is nested more than {DEEPEST} levels deep; it is no work"

_OPENING, _CLOSING, _QUOTE = b'{}"'


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
    """Raise `ValueError` if a record is nested more deeply, or holds more values, than any work: they take all memory.

    How deeply the readers of JSON go depends on what called them, and on the version of Python: the text decides.
    """
    if len(text) > MOST_VALUES and text.count(b",") + text.count(b"[") + text.count(b"{") > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES:,} values; it is no work")
    if is_deep(text):
        raise ValueError(TOO_DEEP)


def is_deep(text: bytes) -> bool:
    """Return whether lists and objects of a JSON text are nested more than `DEEPEST` levels deep.

    Nearly all texts hold fewer lists and objects than that, which is counted fast.
    """
    if np.count_nonzero(_folded(text) == _OPENING) <= DEEPEST:
        return False
    if b"\\" in text:  # a quote after a backslash ends no string
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    folded = _folded(text)
    marks = folded[np.flatnonzero((folded == _OPENING) | (folded == _CLOSING) | (folded == _QUOTE))]
    outside = marks[np.cumsum(marks == _QUOTE, dtype=np.uint8) & 1 == 0]  # a string begins at each odd quote
    steps = (outside == _OPENING).view(np.int8) - (outside == _CLOSING).view(np.int8)
    return bool(np.cumsum(steps, dtype=np.int32).max(initial=0) > DEEPEST)


def _folded(text: bytes) -> npt.NDArray[np.uint8]:
    """Return the bytes of a text, with lists' brackets as objects' are: one bit sets them apart, in no other byte."""
    return np.frombuffer(text, dtype=np.uint8) | np.uint8(0x20)


@contextmanager
def on_a_deep_stack() -> Iterator[None]:
    """Let msgspec read and write, inside the block, all that orjson reads: 1,024 levels, whatever the stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 1_100)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


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
