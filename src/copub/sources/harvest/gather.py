"""Going through a round: all pages, the proof that they are all, and the complete author lists.

A *whole* round fetches every work. A *sweep* fetches id and date of update of every work, and the
works themselves only where they are new or carry another date; the rest comes from the round that
it builds on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from copub.errors import InputError
from copub.progress import bar
from copub.sources.epochs import epoch_of
from copub.sources.harvest.cache import Entry
from copub.sources.harvest.query import CELLS, PER_PAGE
from copub.sources.harvest.reconcile import Gap, Tally, collect, reconcile
from copub.sources.harvest.source import NAMELESS, Source
from copub.sources.harvest.stream import Page, Stream, pages_of

FoundBy = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A round that was gone through.

    tallies : what came, per query. found_by : id -> queries that found it. since : when the oldest
    answer behind these records came. pages : what is to be read of each page, in order.
    """

    source: Source
    tallies: dict[str, Tally]
    found_by: FoundBy
    since: str
    pages: Callable[[], list[Page]]

    def records(self) -> Stream:
        """Return the records."""
        return Stream(self.pages)


def gather_whole(source: Source) -> Gathered:
    """Go through a whole round."""
    tallies = _collect_all(source, sweep=False)
    found_by = _found_by(tallies)
    pages = _used(source, "list")
    _complete(source, pages)
    return Gathered(source, tallies, found_by, _oldest(source), lambda: pages_of(source.round, pages, found_by))


def gather_sweep(source: Source, base: Gathered, today: str) -> Gathered:
    """Go through a sweep that builds on an earlier round.

    Raises `InputError` if OpenAlex's instruments changed between then and today: what they
    changed does not show in the dates of update.
    """
    if epoch_of(base.since) != epoch_of(today):
        raise InputError(
            f"a sweep cannot bridge epochs: the cache is of {epoch_of(base.since)}, today is {epoch_of(today)}",
            where=str(source.round.folder.parent),
            hint="harvest anew: --refresh without the sweep",
        )
    tallies = _collect_all(source, sweep=True)
    found_by = _found_by(tallies)
    known = _dates(base.tallies)
    changed = [one for one, date in _dates(tallies).items() if known.get(one) != date]
    stale = sorted((one for one in changed if not one.startswith(NAMELESS)), key=_number)
    lost = _fetch(source, stale)
    lost = _fetch(source, lost) if lost else lost
    _name_lost(tallies, lost + [one for one in changed if one.startswith(NAMELESS)])
    pages = _used(source, "batch")
    _complete(source, pages)
    fresh = frozenset(stale)

    def both() -> list[Page]:
        kept = [page.only(found_by, fresh) for page in base.pages()]
        return [*kept, *pages_of(source.round, pages, found_by)]

    return Gathered(source, tallies, found_by, min(base.since, _oldest(source)), both)


def _collect_all(source: Source, *, sweep: bool) -> dict[str, Tally]:
    tallies = {cell: Tally(cell) for cell in CELLS}
    with bar(label="harvest", total=0) as progress:

        def moved(entry: Entry) -> None:
            progress.update(len(entry.facts["works"]))

        for tally in tallies.values():
            tally.first_count = collect(source, tally, "", sweep=sweep, moved=moved)
            progress.total = sum(one.first_count for one in tallies.values())
        for tally in tallies.values():
            reconcile(source, tally, sweep=sweep, moved=moved)
    return tallies


def _complete(source: Source, pages: list[Entry]) -> None:
    """Ask singly, and free of charge, for the works whose author list came cut."""
    cut = {work_id for entry in pages for work_id in entry.facts["cut"]}
    for work_id in bar(sorted(cut, key=_number), label="complete author lists"):
        source.single(work_id)


def _fetch(source: Source, ids: list[str]) -> list[str]:
    """Ask for works by id; returns those that did not come."""
    came: set[str] = set()
    for start in bar(range(0, len(ids), PER_PAGE), label="fetch changed works", unit="pages"):
        came.update(row[0] for row in source.batch(tuple(ids[start : start + PER_PAGE])).facts["works"])
    return [work_id for work_id in ids if work_id not in came]


def _name_lost(tallies: dict[str, Tally], lost: list[str]) -> None:
    """Name the works that the sweep saw and that did not come when they were asked for."""
    for tally in tallies.values():
        here = sum(work_id in tally.works for work_id in lost)
        if here:
            tally.gaps.append(Gap(tally.cell, "", "", tally.got(), tally.got() - here))


def _used(source: Source, kind: str) -> list[Entry]:
    return [entry for entry in source.used.values() if entry.key[0] == kind]


def _oldest(source: Source) -> str:
    return min(entry.retrieved_at for entry in source.used.values())


def _found_by(tallies: dict[str, Tally]) -> FoundBy:
    found: FoundBy = {}
    for cell, tally in tallies.items():
        for work_id in tally.works:
            found[work_id] = (*found.get(work_id, ()), cell)
    return found


def _dates(tallies: dict[str, Tally]) -> dict[str, str]:
    return {work_id: row[2] for tally in tallies.values() for work_id, row in tally.works.items()}


def _number(work_id: str) -> int:
    return int(work_id[1:])
