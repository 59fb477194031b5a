"""The harvest: all works of a query, complete and reconciled, from the source or from the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from copub.harvest.cache import Cache, Entry
from copub.harvest.log import describe
from copub.harvest.query import CELLS, SIDES, Query
from copub.harvest.reconcile import Tally, collect, reconcile
from copub.harvest.record import Record
from copub.harvest.source import Source
from copub.harvest.stream import stream
from copub.harvest.transport import Timing, Transport, is_loopback
from copub.progress import bar

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Harvest:
    """A complete harvest.

    log : what was asked, expected, got, missing, repaired and paid, ready for JSON; its keys
        are explained in docs/harvest.md.
    """

    log: dict[str, Any]
    _stream: Callable[[], Iterator[Record]] = field(repr=False)

    def records(self) -> Iterator[Record]:
        """Yield every work once, with all queries that found it; pages are read one at a time."""
        return self._stream()


def harvest(
    query: Query,
    *,
    cache: Path,
    base_url: str,
    api_key: str | None = None,
    offline: bool = False,
    refresh: bool = False,
    timing: Timing | None = None,
    now: Clock = _utc_now,
) -> Harvest:
    """Get all works of a query; what the cache holds is not asked again.

    Parameters
    ----------
    cache : folder of this query and this source alone.
    base_url : where the source is. api_key : sent in a header, kept nowhere.
    offline : use only the cache. refresh : harvest anew and compare with the last harvest.
    timing : patience of the transport. now : the clock.

    Raises
    ------
    CorrectInput : wrong key or address; the cache is in use, of another query, or incomplete.
    ResumeLater : the source stopped; the same call goes on later.
    """
    transport = None if offline else Transport(base_url, api_key, timing=timing, now=now)
    with Cache(cache, query, source_name(base_url)) as folder:
        rounds = folder.rounds()
        current = rounds[-1] if rounds else None
        if current is None or (current.done is not None and refresh):
            current = folder.new_round()
        source = Source(query, current, transport, now)
        tallies = _collect_all(source)
        context = {side: source.years(side).facts["years"] for side in SIDES}
        _complete(source)
        if current.done is None:
            current.finish({"works": len(_found_by(tallies))})
        log = describe(source, tallies, context, transport, now())
    pages = [entry for entry in source.used.values() if entry.key[0] == "list"]
    found_by = _found_by(tallies)
    return Harvest(log, lambda: stream(source.round, pages, found_by))


def source_name(base_url: str) -> str:
    """Return the name of a source for the manifest: its host; the port of a loopback server varies."""
    if is_loopback(base_url):
        return "loopback"
    parts = urlsplit(base_url)
    return (parts.hostname or "").lower() + (f":{parts.port}" if parts.port else "")


def _collect_all(source: Source) -> dict[str, Tally]:
    tallies = {cell: Tally(cell) for cell in CELLS}
    with bar(label="harvest", total=0) as progress:

        def moved(entry: Entry) -> None:
            progress.update(len(entry.facts["works"]))

        for tally in tallies.values():
            tally.first_count = collect(source, tally, "", sweep=False, moved=moved)
            progress.total = sum(one.first_count for one in tallies.values())
        for tally in tallies.values():
            reconcile(source, tally, sweep=False, moved=moved)
    return tallies


def _complete(source: Source) -> None:
    """Ask singly, and free of charge, for the works whose author list came cut."""
    cut = {work_id for entry in source.used.values() for work_id in entry.facts.get("cut", ())}
    for work_id in bar(sorted(cut, key=_number), label="complete author lists"):
        source.single(work_id)


def _number(work_id: str) -> int:
    return int(work_id[1:])


def _found_by(tallies: dict[str, Tally]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cell, tally in tallies.items():
        for work_id in tally.works:
            found[work_id] = (*found.get(work_id, ()), cell)
    return found
