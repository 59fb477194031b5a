"""What a harvest will cost, before it is begun: works, requests, credits, dollars, minutes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from copub.arguments import expect
from copub.sources.harvest.answershapes import Counted
from copub.sources.harvest.budget import CREDIT_USD
from copub.sources.harvest.query import CELLS, PER_PAGE, SIDES, Query
from copub.sources.harvest.transport import REQUESTS_PER_SECOND, Timing, Transport

# seconds for an answer of OpenAlex, taken as usual for a page of a hundred works and for one work
PAGE_SECONDS, SINGLE_SECONDS = 1.2, 0.4


@dataclass(frozen=True, slots=True)
class Estimate:
    """The price of a harvest.

    works : works of the query, and per way of finding them in `per_query`.
    long_lists : works of a hundred authors or more, each asked for singly and free of charge.
    calls : all requests; credits : those that are paid, at 0.0001 dollar each; dollars; minutes.
    budget_remaining : credits left today, budget_limit : credits of a day, None if the source does not say; fits :
    whether what is left suffices, days : days over which the harvest spreads, today included, None likewise.
    spent : credits that this estimate itself cost.
    """

    works: int
    per_query: dict[str, int]
    long_lists: int
    calls: int
    credits: int
    dollars: float
    minutes: float
    budget_remaining: int | None
    fits: bool | None
    spent: int
    budget_limit: int | None = None
    days: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the estimate, ready for JSON."""
        return asdict(self)


def estimate(query: Query, *, base_url: str, api_key: str | None = None, timing: Timing | None = None) -> Estimate:
    """Count the works of a query and reckon what harvesting them costs; one credit per question.

    Raises what `copub.sources.harvest.harvest` raises when the source does not answer.
    """
    expect(query, Query, "query", "a copub.sources.harvest.Query, such as copub.pipeline.query_of(study)")
    expect(base_url, str, "base_url", "the address of the source as text")
    transport = Transport(base_url, api_key, timing=timing)

    def count(text: str) -> int:
        body = transport.get("works", text, shape=Counted).body
        return int(body["meta"]["count"]) if body else 0

    per_query = {cell: count(query.years_query(cell)) for cell in CELLS}
    long_lists = sum(count(query.long_lists_query(cell)) for cell, works in per_query.items() if works)
    pages = sum(max(1, ceil(works / PER_PAGE)) for works in per_query.values())
    # per query, of the whole and of each pair, the counts per year; of each side and of the world the context counts
    credits = pages + len(CELLS) * (1 + len(query.pairs)) + len(SIDES) + 1
    calls = credits + long_lists
    seconds = credits * max(PAGE_SECONDS, 1 / REQUESTS_PER_SECOND) + long_lists * SINGLE_SECONDS
    left = transport.budget.remaining
    return Estimate(
        works=sum(per_query.values()),
        per_query=per_query,
        long_lists=long_lists,
        calls=calls,
        credits=credits,
        dollars=round(credits * CREDIT_USD, 4),
        minutes=round(seconds / 60, 1),
        budget_remaining=left,
        fits=None if left is None else credits <= left,
        spent=transport.credits,
        budget_limit=transport.budget.limit,
        days=days_of(credits, left, transport.budget.limit),
    )


def days_of(credits: int, left: int | None, limit: int | None) -> int | None:
    """Return the days over which so many credits spread: what is left today, then the budget of a day each day.

    None if the source does not state its budget, or gives none.
    """
    if left is None or not limit:
        return None
    return 1 + ceil(max(0, credits - left) / limit)
