"""Refusals, faults and budgets in the words of OpenAlex.

Shapes follow recorded exchanges; the bodies of 429, 503 and 504, which nobody has recorded, follow
the source of OpenAlex's proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from copub.demo.server_replies import PRICES, Reply, json_reply, usd

_GATED = ("updated_date", "created_date")


def edge_reject(kind: str, message: str) -> Reply:
    """Return the refusal of the proxy, which never asks the server behind it."""
    body = {
        "error": "Invalid request rejected at the API edge",
        "error_source": "openalex-api-proxy",
        "message": message,
    }
    return json_reply(400, body, {"x-openalex-edge-reject": kind})


def wrong_key() -> Reply:
    """Return the refusal of an unknown, blank or padded key."""
    return json_reply(
        401, {"error": "Invalid or missing API key", "message": "API key not found"}, {"Cache-Control": "no-store"}
    )


def key_wanted() -> Reply:
    """Return the refusal of ``/rate-limit`` without a key."""
    message = "You must provide a valid API key to check rate limit status"
    return json_reply(401, {"error": "Authentication required", "message": message}, {"Cache-Control": "no-store"})


def plan_gate(what: str) -> Reply:
    """Return the refusal of a filter or sort that only paying plans have."""
    plans = "a Premium, Institutional, or Partner plan. See https://openalex.org/pricing for details."
    message = f"{what} requires {plans}"
    return json_reply(429, {"error": "Plan upgrade required", "message": message}, {"Cache-Control": "no-store"})


def too_many(message: str, wait: float, cost: int, limit: int, remaining: int, reset: int) -> Reply:
    """Return a 429 for a spent budget or for too many requests a second."""
    body = {
        "error": "Rate limit exceeded",
        "message": message,
        "retryAfter": wait,
        "costUsd": usd(cost),
        "dailyRemainingUsd": usd(remaining),
        "prepaidRemainingUsd": 0,
        "creditsRequired": cost,
        "creditsRemaining": remaining,
        "onetimeCreditsRemaining": 0,
    }
    headers = budget_headers("new", limit, remaining, None, reset) | {
        "Retry-After": str(max(1, round(wait))),
        "X-RateLimit-Credits-Required": str(cost),
        "X-RateLimit-Cost-Required-USD": f"{usd(cost):g}",
    }
    return json_reply(429, body, headers)


def throttled() -> Reply:
    """Return the 429 for a key that the operator has slowed down: no budget headers."""
    body = {"error": "Rate limit exceeded", "message": "This API key is limited to 1 request per second."}
    return json_reply(429, body, {"Retry-After": "1"})


def paused() -> Reply:
    """Return the 503 of a search cluster that recovers."""
    body = {"error": "Search temporarily unavailable", "message": "Search is paused. Please retry shortly."}
    return json_reply(503, body, {"Cache-Control": "no-store", "Retry-After": "1"})


def timed_out() -> Reply:
    """Return the 504 of a query that took too long."""
    message = "Your query took too long and was stopped before completing. You were not charged for this request."
    return json_reply(504, {"error": "Gateway timeout", "message": message, "reason": "query_timeout"})


def budget_headers(generation: str, limit: int, remaining: int, used: int | None, reset: int) -> dict[str, str]:
    """Return the budget headers of a generation: new, credits (January 2026), old (2025), none."""
    if generation == "none":
        return {}
    if generation == "old":
        return {"RateLimit-Limit": "100", "RateLimit-Remaining": "99", "RateLimit-Reset": "1"}
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }
    if used is not None:
        headers["X-RateLimit-Credits-Used"] = str(used)
    if generation == "credits":
        return headers
    if used is not None:
        headers["X-RateLimit-Cost-USD"] = f"{usd(used):g}"
    return headers | {
        "X-RateLimit-Limit-USD": f"{usd(limit):g}",
        "X-RateLimit-Remaining-USD": f"{usd(remaining):g}",
        "X-RateLimit-Onetime-Remaining": "0",
        "X-RateLimit-Prepaid-Remaining-USD": "0",
    }


def rate_limit(key: str, limit: int, remaining: int, now: datetime) -> Reply:
    """Return the answer of ``/rate-limit``."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    inner = {
        "daily_budget_usd": usd(limit),
        "daily_used_usd": usd(limit - remaining),
        "daily_remaining_usd": usd(remaining),
        "prepaid_balance_usd": 0,
        "prepaid_remaining_usd": 0,
        "prepaid_expires_at": None,
        "resets_at": midnight.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "resets_in_seconds": int((midnight - now).total_seconds()),
        "endpoint_costs_usd": {name: usd(price) for name, price in PRICES.items()},
        "credits_limit": limit,
        "credits_used": limit - remaining,
        "credits_remaining": remaining,
        "onetime_credits_balance": 0,
        "onetime_credits_remaining": 0,
        "onetime_credits_expires_at": None,
        "credit_costs": PRICES,
    }
    body = {"api_key": f"{key[:3]}...{key[-3:]}", "is_grandfathered": False, "rate_limit": inner}
    return json_reply(200, body, {"Cache-Control": "no-store"})


def seconds_to_midnight() -> int:
    """Return the seconds until the budget comes back."""
    now = datetime.now(UTC)
    return 86400 - (now.hour * 3600 + now.minute * 60 + now.second)


def check_parameters(params: Mapping[str, str]) -> Reply | None:
    """Return the refusal of the proxy, which looks at parameters before the budget; else None."""
    if "limit" in params:
        message = "The 'limit' parameter is not valid. Did you mean 'per-page'? e.g. /works?search=foo&per-page=5"
        return edge_reject("f1:limit_param", message)
    clauses = params.get("filter", "").split(",") if params.get("filter") else []
    if any(":" not in clause for clause in clauses):
        return edge_reject("f1:raw_comma_filter", "A filter value holds a comma. Quote or encode it.")
    for clause in clauses:
        name = clause.partition(":")[0].replace("-", "_")
        if name.removeprefix("from_").removeprefix("to_") in _GATED:
            return plan_gate(f'The "{clause}" filter')
    for part in params.get("sort", "").split(","):
        if part.partition(":")[0].replace("-", "_") in _GATED:
            return plan_gate(f'Sorting by "{part}"')
    return None
