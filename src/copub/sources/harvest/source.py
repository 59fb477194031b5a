"""Asking with a memory: what the cache holds is not asked again, what is asked goes to the cache.

A harvest is the same sequence of questions each time; after an interruption it simply starts over
and gets its first answers from the journal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
import orjson

from copub.errors import InputError
from copub.sources.harvest.answershapes import SHAPES
from copub.sources.harvest.cache import Entry, Key, Round
from copub.sources.harvest.query import CELLS, SELECT, SWEEP_SELECT, Query
from copub.sources.harvest.transport import Reply, Transport
from copub.sources.rawrecord import on_a_deep_stack

NAMELESS = "?"  # begins the identity of a record that has no id
LIST_CUT = 100  # authors to which OpenAlex cuts the lists of authors in lists of works
_ID = re.compile(r"https://openalex\.org/(W[0-9]{1,18})")
_LONGEST_FACT = 40  # characters of a year or a date in the journal

Facts = dict[str, Any]


class Source:
    """The source of one round.

    Parameters
    ----------
    round_ : where answers are kept.
    transport : None when only the cache may be used.
    now : the clock, for dates of retrieval.

    `used` holds the answers that this harvest consists of, in order; `asked` counts those that
    came over the network in this session.
    """

    def __init__(self, query: Query, round_: Round, transport: Transport | None, now: Callable[[], datetime]) -> None:
        self.query, self.round = query, round_
        self._transport, self._now = transport, now
        self.used: dict[Key, Entry] = {}
        self.asked = 0

    def page(self, cell: str, span: str, cursor: str, *, sweep: bool = False) -> Entry:
        """Return one page of works of a cell."""
        select = SWEEP_SELECT if sweep else SELECT
        text = self.query.list_query(cell, span, cursor, select)
        return self._ask(("sweep" if sweep else "list", cell, span, cursor), "works", text, _list_facts)

    def forget(self, cell: str, span: str) -> None:
        """Forget the pages of a span of a cell: they lead nowhere, and must not be read from the cache again."""
        gone = [key for key in self.round.entries if key[0] in ("list", "sweep") and key[1:3] == (cell, span)]
        self.round.forget(gone)
        for key in gone:
            self.used.pop(key, None)

    def years(self, cell: str) -> Entry:
        """Return the works per year of a cell or of one side."""
        return self._ask(("years", cell), "works", self.query.years_query(cell), _year_facts)

    def years_of_pair(self, key: str, query: Query) -> dict[str, int]:
        """Return the works per year of a pair, over all ways of having both of its sides."""
        years: dict[str, int] = {}
        for cell in CELLS:
            found = self._ask(("years", cell, key), "works", query.years_query(cell), _year_facts).facts["years"]
            years |= {year: years.get(year, 0) + count for year, count in found.items()}
        return dict(sorted(years.items()))

    def single(self, work_id: str, *, why: str = "single") -> Entry:
        """Return a single work, with all its authors; its facts say whether it is there."""
        path = f"works/{quote(work_id, safe='')}"

        def facts(body: Any) -> Facts:
            return {"there": isinstance(body, dict) and short_id(body.get("id")) == work_id}

        return self._ask((why, work_id), path, self.query.single_query(), facts)

    def batch(self, ids: tuple[str, ...]) -> Entry:
        """Return works by id, at most a hundred."""
        which = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
        return self._ask(("batch", which), "works", self.query.ids_query(ids), _list_facts)

    def _ask(self, key: Key, path: str, text: str, facts: Callable[[Any], Facts]) -> Entry:
        entry = self.round.entries.get(key)
        if entry is None:
            entry = self._fetch(key, path, text, facts)
        self.used[key] = entry
        return entry

    def _fetch(self, key: Key, path: str, text: str, facts: Callable[[Any], Facts]) -> Entry:
        if self._transport is None:
            raise InputError(
                f"the cache does not hold the whole harvest (first gap: {' '.join(key[:3])})",
                where=str(self.round.folder.parent),
                hint="run once without --offline; it resumes where it stopped",
            )
        reply: Reply = self._transport.get(path, text, shape=SHAPES[key[0]][0])
        if reply.body is None and key[0] not in _MAY_BE_GONE:
            raise InputError(
                "there is no OpenAlex at this address (HTTP 404)", where=path, hint="check COPUB_OPENALEX_URL"
            )
        self.asked += 1
        return self.round.put(
            key,
            reply.content if reply.body is not None else b"",
            retrieved_at=self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            requests=reply.requests,
            credits=reply.credits,
            facts=facts(reply.body),
        )


_MAY_BE_GONE = ("single", "vanished")


def short_id(value: Any) -> str | None:
    """Return ``W…`` for a work's address, None for anything else."""
    match = _ID.fullmatch(value) if isinstance(value, str) else None
    return match.group(1) if match else None


def identity(value: Any) -> str:
    """Return ``W…`` for a work; for a record without an id, ``?`` and a hash of its content."""
    work_id = short_id(value.get("id")) if isinstance(value, dict) else None
    return work_id or NAMELESS + digest(value)


def digest(value: Any) -> str:
    """Return a hash of the content of a record, whatever the order of its keys."""
    try:
        packed = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # it reads values that are nested more deeply than it writes
        with on_a_deep_stack():
            packed = msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(packed).hexdigest()[:16]


def _list_facts(body: Any) -> Facts:
    """Return count, next cursor, and of each work: id, year, date, date of update; the cut ones."""
    works, cut = [], []
    for work in body["results"]:
        fields = work if isinstance(work, dict) else {}
        work_id = identity(work)
        works.append([work_id, *(_fact(fields.get(name)) for name in SWEEP_SELECT[1:])])
        authors = fields.get("authorships")
        if not work_id.startswith(NAMELESS) and isinstance(authors, list) and len(authors) == LIST_CUT:
            cut.append(work_id)
    meta = body["meta"]
    return {"count": meta["count"], "next": meta.get("next_cursor"), "works": works, "cut": cut}


def _year_facts(body: Any) -> Facts:
    years = {str(group["key"]): group["count"] for group in body["group_by"]}
    return {"count": body["meta"]["count"], "years": dict(sorted(years.items()))}


def _fact(value: Any) -> str | int | None:
    """Return a year or a date as the journal keeps it: whatever else is in its place is no such thing."""
    if isinstance(value, str):
        return value[:_LONGEST_FACT]
    return value if isinstance(value, int) and not isinstance(value, bool) else None
