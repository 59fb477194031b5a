"""Reading a finished round: every work once, complete, page by page.

Which works a page holds is in the journal, so what is to be read of each page is known before
any page is opened, and pages can be read in other processes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import orjson

from copub.errors import Fault
from copub.progress import bar
from copub.sources.harvest.cache import Entry, Round, read_text
from copub.sources.rawrecord import Record, on_a_deep_stack

PAGES_AT_ONCE = 20
"""Pages of a portion: about two thousand works."""


class _Results(msgspec.Struct):
    """What is read of a list answer: its records, not parsed."""

    results: list[msgspec.Raw]


_results = msgspec.json.Decoder(_Results)


@dataclass(frozen=True, slots=True)
class Pick:
    """One work of a page: its place there, id, the queries that found it, its own answer if it was asked for singly."""

    number: int
    work_id: str
    found_by: tuple[str, ...]
    single: Entry | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a round, and the works to be read from it."""

    folder: Path
    entry: Entry
    picks: tuple[Pick, ...]

    def records(self) -> Iterator[Record]:
        """Yield the records; cut author lists are replaced by whole ones."""
        entry = self.entry
        where = " ".join(part for part in entry.key[:3] if part)
        results = _split(read_text(self.folder, entry))
        for pick in self.picks:
            at = pick.single or entry
            value = read_text(self.folder, at) if pick.single else bytes(results[pick.number])
            place = f"{where}, {at.file}, record {pick.number}"
            yield Record(value, place, pick.found_by, at.retrieved_at[:10], is_whole=at is not entry)

    def only(self, found_by: Mapping[str, tuple[str, ...]], but: Collection[str]) -> Page:
        """Return the page with those works that `found_by` knows and `but` does not name."""
        known = (p for p in self.picks if p.work_id in found_by and p.work_id not in but)
        return replace(self, picks=tuple(replace(p, found_by=found_by[p.work_id]) for p in known))


def _split(text: bytes) -> list[msgspec.Raw]:
    """Return the records of a list answer, be one nested ever so deeply: it is named when it is read."""
    try:
        return _results.decode(text).results
    except RecursionError:
        with on_a_deep_stack():
            return _results.decode(text).results


@dataclass(frozen=True, slots=True)
class Pages:
    """Some pages in order."""

    pages: tuple[Page, ...]

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        """Yield the records; a page of the cache has no `faults`, for it was whole when it came."""
        for page in self.pages:
            yield from page.records()

    def in_file(self, path: Path) -> Pages:
        """Return the portion as it is: its pages are in files."""
        return self


@dataclass(frozen=True, slots=True)
class Stream:
    """The records of a harvest, in order: one at a time, or in portions that other processes can read."""

    pages: Callable[[], Sequence[Page]]

    def __iter__(self) -> Iterator[Record]:
        for portion in self.portions():
            yield from (replace(record, value=orjson.loads(record.value)) for record in portion.records([]))

    def portions(self) -> Iterator[Pages]:
        """Yield the pages in portions that are not opened yet."""
        pages = [page for page in self.pages() if page.picks]
        for start in bar(range(0, len(pages), PAGES_AT_ONCE), label="read pages", unit="portions"):
            yield Pages(tuple(pages[start : start + PAGES_AT_ONCE]))

    def complain(self, faults: Sequence[Fault]) -> None:
        """Do nothing: there are no faults; a damaged page raises as it is read."""


def pages_of(round_: Round, entries: Collection[Entry], found_by: Mapping[str, tuple[str, ...]]) -> list[Page]:
    """Return what is to be read of the answers of a round: each id once, at its first place.

    Parameters
    ----------
    round_ : where the answers lie. entries : list answers, in order.
    found_by : identity -> names of the queries that found it; works not named here are left out.
    """
    seen: set[str] = set()
    pages = []
    for entry in entries:
        picks = []
        for number, (work_id, *_) in enumerate(entry.facts["works"]):
            if work_id not in seen and work_id in found_by:
                seen.add(work_id)
                picks.append(Pick(number, work_id, found_by[work_id], _single(round_, work_id)))
        pages.append(Page(round_.folder, _slim(entry), tuple(picks)))
    return pages


def _single(round_: Round, work_id: str) -> Entry | None:
    single = round_.entries.get(("single", work_id))
    return _slim(single) if single is not None and single.facts["there"] else None


def _slim(entry: Entry) -> Entry:
    """Return an answer without its facts: pages go to other processes."""
    return replace(entry, facts={})
