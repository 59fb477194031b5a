"""The log of a harvest: what a manifest and the first screen of a report say about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from copub.sources.epochs import epoch_of
from copub.sources.harvest.cache import Entry
from copub.sources.harvest.gather import Gathered
from copub.sources.harvest.reconcile import Tally
from copub.sources.harvest.source import NAMELESS, Source
from copub.sources.harvest.transport import Transport

BLIND = "works that changed without a new updated_date, as most did in OpenAlex's re-match of 2026-09-28"


def describe(
    gathered: Gathered,
    context: Mapping[str, Mapping[str, int]],
    transport: Transport | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the log, ready for JSON."""
    source, tallies = gathered.source, gathered.tallies
    entries = list(source.used.values())
    missing = [gap.as_row() for tally in tallies.values() for gap in tally.gaps]
    return {
        "query": source.query.description,
        "query_hash": source.query.hash,
        "round": source.round.number,
        "mode": source.round.begun["mode"],
        "blind_to": BLIND if source.round.begun["mode"] == "sweep" else "",
        "works": len(gathered.found_by),
        "queries": {cell: _cell(source, tally) for cell, tally in tallies.items()},
        "missing": missing,
        "n_missing": sum(int(row["missing"]) for row in missing),
        "author_lists": _singles(entries),
        "context": _context(context),
        "cost": _cost(entries, source, transport),
        "reasked_pages": source.round.damaged,
        "changes": (source.round.done or {}).get("changes"),
        **({"not_compared": reason} if (reason := (source.round.done or {}).get("not_compared")) else {}),
        **_dates(gathered.since, entries, now),
        "pages": [_page(entry) for entry in entries],
    }


def _cell(source: Source, tally: Tally) -> dict[str, Any]:
    came = tally.got_per_year()
    return {
        "filter": source.query.filter_text(tally.cell),
        "expected_at_start": tally.first_count,
        "expected": tally.expected,
        "got": tally.got(),
        "without_id": sum(work_id.startswith(NAMELESS) for work_id in tally.works),
        "years": {
            year: {"expected": tally.years.get(year, 0), "got": came.get(year, 0)}
            for year in sorted({*tally.years, *came})
        },
        "harvested_again": tally.repaired,
    }


def _singles(entries: list[Entry]) -> dict[str, Any]:
    singles = [entry for entry in entries if entry.key[0] == "single"]
    return {
        "cut": len(singles),
        "completed": sum(entry.facts["there"] for entry in singles),
        "left_cut": [entry.key[1] for entry in singles if not entry.facts["there"]],
    }


def _context(context: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Return all works of each side per year, found by institutions plus by address, and those of the world."""
    sides: dict[str, dict[str, int]] = {}
    for name, years in context.items():
        side = sides.setdefault(name.partition("-")[0], {})
        for year, count in years.items():
            side[year] = side.get(year, 0) + count
    return {side: dict(sorted(years.items())) for side, years in sides.items()}


def _cost(entries: list[Entry], source: Source, transport: Transport | None) -> dict[str, Any]:
    return {
        "requests": sum(entry.requests for entry in entries),
        "credits": sum(entry.credits for entry in entries),
        "answers": len(entries),
        "answers_this_time": source.asked,
        "requests_this_time": transport.requests if transport else 0,
        "retried_this_time": transport.retried if transport else 0,
        "seconds_waiting_this_time": round(transport.seconds, 3) if transport else 0.0,
        "budget_remaining": transport.budget.remaining if transport else None,
    }


def _dates(since: str, entries: list[Entry], now: datetime) -> dict[str, Any]:
    last = max(entry.retrieved_at for entry in entries)
    return {
        "first_retrieval": since,
        "last_retrieval": last,
        "age_days": (now.astimezone(UTC) - datetime.fromisoformat(since)).days,
        "epochs": sorted({epoch_of(since), epoch_of(last)}),
    }


def _page(entry: Entry) -> dict[str, str]:
    return {
        "asked": " ".join(part for part in entry.key if part),
        "file": entry.file,
        "sha256": entry.sha256,
        "retrieved_at": entry.retrieved_at,
    }
