"""What an answer means for the harvest: use it, ask again, or stop, and with which message.

The verdict is read from status, headers and the ``error`` key, never from the wording of a
message. Source of the rules: OpenAlex's own proxy and server, and recorded exchanges.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copub.jsonshape import parse_json
from copub.sources.harvest.budget import UNTOLD, Budget, asks_to_wait, read_budget, retry_after, whole

# a wait that is asked for and longer than this is no hiccup: stop, and say when to come back
LONGEST_WAIT = 120.0
PLAN_GATE = "Plan upgrade required"


class Meaning(enum.Enum):
    """What the harvest has to do with an answer."""

    USE = "use it"
    GONE = "there is no such record"
    AGAIN = "ask again"
    SPENT = "the budget is spent, or a long wait is asked for"
    PAID = "a paid plan is needed"
    KEY = "the key is wrong"
    REFUSED = "the request is refused"
    ELSEWHERE = "the answer is at another address"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A meaning, the parsed body if there is one, the wait asked for in seconds, the budget."""

    meaning: Meaning
    body: Any = None
    wait: float | None = None
    budget: Budget = UNTOLD
    reason: str = ""


def verdict_of(status: int, headers: Mapping[str, str], content: bytes) -> Verdict:
    """Return what an HTTP answer means."""
    budget, wait = read_budget(headers), retry_after(headers)
    body = _parse(content)
    stated = body if isinstance(body, dict) else {}
    reason = f"HTTP {status}" + (f", {stated['error']}" if isinstance(stated.get("error"), str) else "")
    if status == 200:
        if not isinstance(body, dict):
            return Verdict(Meaning.AGAIN, None, wait, budget, "HTTP 200 with a broken body")
        return Verdict(Meaning.USE, body, wait, budget)
    if status == 429:
        meaning = _too_many(stated, wait, budget, may_want_plan=not asks_to_wait(headers))
        return Verdict(meaning, body, wait, _with_body(budget, stated), reason)
    return Verdict(_by_status(status, wait), body, wait, budget, reason)


def _by_status(status: int, wait: float | None) -> Meaning:
    if status in (401,):
        return Meaning.KEY
    if status in (404, 410):
        return Meaning.GONE
    if 300 <= status < 400:
        return Meaning.ELSEWHERE
    if status == 408 or status >= 500:
        return Meaning.SPENT if wait is not None and wait > LONGEST_WAIT else Meaning.AGAIN
    return Meaning.REFUSED


def _too_many(stated: Mapping[str, Any], wait: float | None, budget: Budget, *, may_want_plan: bool) -> Meaning:
    reported = _with_body(budget, stated)
    if stated.get("error") == PLAN_GATE or (may_want_plan and reported == UNTOLD):
        return Meaning.PAID
    if reported.is_spent or (wait is not None and wait > LONGEST_WAIT):
        return Meaning.SPENT
    return Meaning.AGAIN


def _with_body(budget: Budget, stated: Mapping[str, Any]) -> Budget:
    """Return the budget of the headers, filled from the keys of a 429 body."""

    def reported(own: int | None, key: str) -> int | None:
        value = stated.get(key)
        return whole(value) if own is None else own

    return Budget(
        budget.limit,
        reported(budget.remaining, "creditsRemaining"),
        budget.used,
        reported(budget.required, "creditsRequired"),
        budget.resets_in,
    )


def _parse(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None
