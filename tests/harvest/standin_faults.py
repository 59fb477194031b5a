"""Faults on demand: what goes wrong, and at which requests.

A fault is asked for by name. Some replace the reply, some damage it on its way, some change what
a page says, and one closes the connection.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import standin_replies as refusals

from copub.demo.server_replies import Reply, html_reply

_BROKEN = "The server could not complete your request."
REPLACED: Mapping[str, Callable[[], Reply]] = {
    "500-html": lambda: html_reply(500, "Internal Server Error", _BROKEN),
    "502-html": lambda: html_reply(502, "Bad Gateway", _BROKEN),
    "503-html": lambda: html_reply(503, "Application error", _BROKEN),
    "503-retry-after": refusals.paused,
    "504-json": refusals.timed_out,
    "200-html": lambda: html_reply(200, "One moment", _BROKEN),
    "429-second": lambda: refusals.too_many(
        "Rate limit exceeded: 30 requests per second. Please slow down.", 0.033, 1, 10_000, 9_412, 30_142
    ),
    "429-budget": lambda: refusals.too_many(
        "Insufficient budget. Resets at midnight UTC.", 30_142, 1, 10_000, 0, 30_142
    ),
    "429-plan": lambda: refusals.plan_gate('The "from_updated_date:2026-01-01" filter'),
    "429-key": refusals.throttled,
    "401-key": refusals.wrong_key,
    "redirect": lambda: Reply(302, b"", {"Location": "http://127.0.0.2:9/works"}),
}
# applied where the reply is made or sent
DAMAGED = ("reset", "truncated-json", "cut-body", "slow-body", "endless-body", "short-page")
KINDS = (*REPLACED, *DAMAGED)


@dataclass(frozen=True, slots=True)
class Faults:
    """Which requests go wrong, and how.

    at : number of a request (from 1) -> kind. rate : share of the other requests that fail, drawn
    by `seed`, with a kind of `kinds`. slow : seconds that a slow body takes.
    """

    at: Mapping[int, str] = field(default_factory=dict)
    rate: float = 0.0
    kinds: tuple[str, ...] = ("500-html",)
    seed: int = 1
    slow: float = 1.0

    def __post_init__(self) -> None:
        unknown = ({*self.at.values(), *self.kinds}) - set(KINDS)
        if unknown:
            raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")

    def kind(self, number: int) -> str:
        """Return the fault of a request; empty if all goes well."""
        if number in self.at:
            return self.at[number]
        if not self.rate:
            return ""
        draw = random.Random(f"{self.seed}:{number}")
        return draw.choice(self.kinds) if draw.random() < self.rate else ""
