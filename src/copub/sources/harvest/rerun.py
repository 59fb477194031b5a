"""What changed between two harvests of the same query, by content, and what became of the vanished.

Dates of update are not enough: OpenAlex re-matched 54 million works and left their dates alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from copub.sources.harvest.gather import Gathered
from copub.sources.harvest.query import LATER
from copub.sources.harvest.source import NAMELESS, Source, digest, identity
from copub.sources.rawrecord import Record

DELETED, LEFT = "deleted or merged", "left the pair"
_NOT_CONTENT = ("updated_date", *LATER)
_Digests = dict[str, tuple[str, str]]


def compare(before: Gathered, after: Gathered) -> dict[str, Any]:
    """Return the changes, ready for JSON: counts, and a tombstone for each vanished work.

    The vanished are asked for singly: 404 means deleted or merged, anything else that the work
    is no longer a co-publication of the two sides, or of the years.
    """
    old, new = _digests(before.records()), _digests(after.records())
    both = old.keys() & new.keys()
    changed = [work_id for work_id in both if old[work_id][0] != new[work_id][0]]
    return {
        "against_round": before.source.round.number,
        "added": len(new.keys() - old.keys()),
        "changed": len(changed),
        "changed_with_same_date": sum(old[work_id][1] == new[work_id][1] for work_id in changed),
        "unchanged": len(both) - len(changed),
        "vanished": len(old.keys() - new.keys()),
        "tombstones": _tombstones(before, after.source, sorted(old.keys() - new.keys(), key=_number), new),
    }


def _tombstones(before: Gathered, source: Source, vanished: list[str], present: _Digests) -> list[dict[str, str]]:
    """Return all tombstones: the old ones, but for works that came back, and the new ones."""
    earlier = ((before.source.round.done or {}).get("changes") or {}).get("tombstones", [])
    stones = [stone for stone in earlier if stone["id"] not in present]
    for work_id in vanished:
        entry = source.single(work_id, why="vanished")
        stones.append(
            {
                "id": work_id,
                "status": LEFT if entry.facts["there"] else DELETED,
                "last_seen_in_round": str(before.source.round.number),
                "noticed": entry.retrieved_at[:10],
            }
        )
    return sorted(stones, key=lambda stone: _number(stone["id"]))


def _digests(records: Iterable[Record]) -> _Digests:
    """Return id -> (hash of the content, date of update).

    Not part of the content are that date, and what only newer versions of copub ask for: a work has not changed
    because more of it is read.
    """
    digests: _Digests = {}
    for record in records:
        work_id = identity(record.value)
        if work_id.startswith(NAMELESS):
            continue
        content = {name: value for name, value in record.value.items() if name not in _NOT_CONTENT}
        digests[work_id] = (digest(content), str(record.value.get("updated_date")))
    return digests


def _number(work_id: str) -> int:
    return int(work_id[1:])
