"""What harvest hands to tabulate: one raw record and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from copub.errors import Fault


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source.

    value : the parsed JSON value; a Work object, or whatever stood in its place.
    where : file and line, or query and page: what a person needs to find it again.
    found_by : names of the queries that found it; ("works-file",) for works files.
    retrieved_on : ISO date of retrieval; empty if unknown (works files).
    is_whole : the record was asked for singly, so that its author list is not cut.
    """

    value: Any
    where: str
    found_by: tuple[str, ...]
    retrieved_on: str = ""
    is_whole: bool = False


class Portion(Protocol):
    """Some records that are not read yet; picklable."""

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        """Yield the records; what cannot be read is added to `faults`."""


@runtime_checkable
class Portioned(Protocol):
    """Records that come in portions, which other processes can read."""

    def portions(self) -> Iterator[Portion]:
        """Yield the portions in order."""

    def complain(self, faults: Sequence[Fault]) -> None:
        """Raise if there are faults."""
