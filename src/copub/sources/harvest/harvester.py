"""The harvest: all works of a query, complete and reconciled, from the source or from the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from copub.errors import InputError
from copub.sources.harvest.cache import Cache, Round
from copub.sources.harvest.gather import Gathered, gather_sweep, gather_whole
from copub.sources.harvest.log import describe
from copub.sources.harvest.query import CELLS, SIDES, WORLD, Query
from copub.sources.harvest.rerun import compare
from copub.sources.harvest.source import Source
from copub.sources.harvest.stream import Stream
from copub.sources.harvest.transport import Timing, Transport, address_of, is_loopback

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
    _gathered: Gathered = field(repr=False)

    def records(self) -> Stream:
        """Return every work once, with all queries that found it; pages are read as they are needed."""
        return self._gathered.records()


def harvest(
    query: Query,
    *,
    cache: Path,
    base_url: str,
    api_key: str | None = None,
    offline: bool = False,
    refresh: bool = False,
    sweep: bool = False,
    timing: Timing | None = None,
    now: Clock = _utc_now,
) -> Harvest:
    """Get all works of a query; what the cache holds is not asked again.

    Parameters
    ----------
    cache : folder of this query and this source alone.
    base_url : where the source is. api_key : sent in a header, kept nowhere.
    offline : use only the cache, its newest complete round.
    refresh : harvest anew, and compare with the last complete round. A round that was interrupted
        is finished first.
    sweep : as `refresh`, but fetch only works that are new or have another ``updated_date``; blind
        to changes that keep the date, and refused across epochs.
    timing : patience of the transport. now : the clock.

    Raises
    ------
    InputError : wrong key or address; the cache is in use, of another query, or incomplete.
    SourceUnavailableError : the source stopped; the same call resumes it later.
    """
    fresh = refresh or sweep
    if offline and fresh:
        raise InputError("offline and refresh exclude each other", where="--offline", hint="leave one of them out")
    transport = None if offline else Transport(base_url, api_key, timing=timing, now=now)
    with Cache(cache, query, source_name(base_url)) as folder:
        current = _complete_round(folder) if offline else _choose(folder, fresh, "sweep" if sweep else "whole", now())
        going = _Going(folder, query, now)
        gathered = going.through(current, transport)
        # caches of before the world was asked for stay whole without it
        asked = [*SIDES, *([WORLD] if transport or ("years", WORLD) in current.entries else [])]
        context = {name: gathered.source.years(name).facts["years"] for name in asked}
        # caches of before a study was a panel stay whole without the counts of its pairs
        pairs = {
            key: gathered.source.years_of_pair(key, of_pair)
            for key, of_pair in query.of_pairs().items()
            if transport or all(("years", cell, key) in current.entries for cell in CELLS)
        }
        if current.done is None:
            changes, reason = _changes(going, current.begun.get("base"), gathered)
            current.finish({"works": len(gathered.found_by), "changes": changes, "not_compared": reason})
        log = describe(gathered, context, transport, now()) | ({"pairs": pairs} if query.pairs else {})
    return Harvest(log, gathered)


def _changes(going: _Going, base: int | None, gathered: Gathered) -> tuple[dict[str, Any] | None, str]:
    """Return what changed since the round before, and why it could not be compared if that one is damaged."""
    if not base:
        return None, ""
    try:
        return compare(going.earlier(base), gathered), ""
    except InputError as error:
        return None, str(error)


def source_name(base_url: str) -> str:
    """Return the name of a source for the manifest: its host; the port of a loopback server varies."""
    if is_loopback(base_url):
        return "loopback"
    _, host, port = address_of(base_url)
    return host + (f":{port}" if port else "")


def _complete_round(folder: Cache) -> Round:
    for round_ in folder.rounds():
        if round_.done is not None:
            return round_
    raise InputError(
        "the cache holds no complete harvest",
        where=str(folder.folder),
        hint="run once without --offline; it resumes where it stopped",
    )


def _choose(folder: Cache, fresh: bool, mode: str, now: datetime) -> Round:
    """Return the round to work on: the newest, if it is under way or nothing fresh is wanted.

    A sweep under way gives way to a whole round: it may have been refused.
    """
    newest = next(folder.rounds(), None)
    base = None
    if newest is not None:
        under_way = newest.done is None
        if not fresh or (under_way and mode in ("sweep", newest.begun["mode"])):
            return newest
        base = newest.begun.get("base") if under_way else newest.number
    mode = mode if base else "whole"
    return folder.new_round({"mode": mode, "base": base, "day": now.strftime("%Y-%m-%d")})


class _Going:
    """Goes through rounds of one cache; a sweep leads to the round that it builds on."""

    def __init__(self, folder: Cache, query: Query, now: Clock) -> None:
        self._folder, self._query, self._now = folder, query, now

    def through(self, round_: Round, transport: Transport | None) -> Gathered:
        """Go through a round; without a transport, through what the cache holds of it."""
        source = Source(self._query, round_, transport, self._now)
        if round_.begun["mode"] != "sweep":
            return gather_whole(source)
        base = self.earlier(round_.begun.get("base"))
        today = self._now().strftime("%Y-%m-%d") if round_.done is None else round_.begun["day"]
        return gather_sweep(source, base, today)

    def earlier(self, number: int | None) -> Gathered:
        """Go through an earlier round of the cache. Raises `InputError` if it is damaged."""
        found = next((round_ for round_ in self._folder.rounds() if round_.number == number), None)
        if found is None:
            raise InputError(
                f"round {number} of the cache, on which a later one rests, is damaged or gone",
                where=str(self._folder.folder),
                hint="put the folder back, or harvest anew: --refresh",
            )
        return self.through(found, None)
