"""Reading a finished round: every work once, complete, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from copub.harvest.cache import Entry, Round
from copub.harvest.record import Record
from copub.harvest.source import identity


def stream(
    round_: Round,
    pages: Collection[Entry],
    found_by: Mapping[str, tuple[str, ...]],
) -> Iterator[Record]:
    """Yield the records of the pages, each id once; cut author lists are replaced by whole ones.

    Parameters
    ----------
    round_ : where the answers lie. pages : list answers, in order.
    found_by : identity -> names of the queries that found it.
    """
    seen: set[str] = set()
    for entry in pages:
        where = " ".join(part for part in entry.key[:3] if part)
        for number, value in enumerate(round_.read(entry)["results"]):
            work_id = identity(value)
            if work_id in seen or work_id not in found_by:
                continue
            seen.add(work_id)
            whole, at = _whole(round_, work_id, value, entry)
            place = f"{where}, {at.file}, record {number}"
            yield Record(whole, place, found_by[work_id], _date(at), is_whole=at is not entry)


def _whole(round_: Round, work_id: str, value: Any, entry: Entry) -> tuple[Any, Entry]:
    single = round_.entries.get(("single", work_id))
    if single is None or not single.facts["there"]:
        return value, entry
    return round_.read(single), single


def _date(entry: Entry) -> str:
    return entry.retrieved_at[:10]
