"""What the stand-in server says: envelopes, errors and headers, as OpenAlex words them.

Shapes follow recorded exchanges; the bodies of 429, 503 and 504, which nobody has recorded, follow
the source of OpenAlex's proxy.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

CREDIT_USD = 0.0001
PRICES = {"singleton": 0, "list": 1, "search": 10, "content": 100, "semantic": 10, "text": 100}
PARAMETERS = (
    "apc_sum, api_key, bypass_cache, cited_by_count_sum, corpus, cursor, data_version, filter, format, group_by, "
    "group_bys, include_xpac, mailto, page, per_page, q, sample, search, seed, select, sort, warm"
)
SELECTABLE = (
    "id, doi, title, display_name, relevance_score, publication_year, publication_date, ids, language, "
    "primary_location, sources, type, type_crossref, indexed_in, open_access, authorships, institution_assertions, "
    "institutions, countries_distinct_count, institutions_distinct_count, corresponding_author_ids, "
    "corresponding_institution_ids, apc_list, apc_paid, fwci, is_authors_truncated, has_fulltext, fulltext_origin, "
    "cited_by_count, citation_normalized_percentile, cited_by_percentile_year, biblio, is_retracted, is_paratext, "
    "is_xpac, primary_topic, topics, keywords, concepts, mesh, locations_count, locations, best_oa_location, "
    "sustainable_development_goals, awards, funders, datasets, versions, has_content, content_urls, "
    "referenced_works_count, referenced_works, related_works, abstract_inverted_index, cited_by_api_url, "
    "counts_by_year, updated_date, created_date"
)
_HTML = "<!doctype html>\n<html lang=en>\n<title>{title}</title>\n<h1>{head}</h1>\n<p>{text}</p>\n"


@dataclass(slots=True)
class Reply:
    """A reply to be sent. `charged` says whether the budget headers belong to it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    charged: bool = False


def json_reply(status: int, body: Any, headers: Mapping[str, str] | None = None, *, charged: bool = False) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, orjson.dumps(body), {"Content-Type": "application/json", **(headers or {})}, charged)


def html_reply(status: int, head: str, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a reply with a page, as servers and gateways send when something breaks."""
    page = _HTML.format(title=f"{status} {head}", head=head, text=text)
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


def not_found() -> Reply:
    """Return the page for an unknown, merged or deleted record."""
    reply = html_reply(
        404,
        "Not Found",
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling"
        " and try again.",
    )
    reply.charged = True
    return reply


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


def usd(credits: int) -> float:
    """Return credits in dollars."""
    return round(credits * CREDIT_USD, 4)


def seconds_to_midnight() -> int:
    """Return the seconds until the budget comes back."""
    now = datetime.now(UTC)
    return 86400 - (now.hour * 3600 + now.minute * 60 + now.second)


def write_cursor(values: Any) -> str:
    """Return an opaque cursor of sort values."""
    return base64.b64encode(orjson.dumps(orjson.dumps(values).decode())).decode()


def write_group_cursor(key: str) -> str:
    """Return the cursor behind a group: the last key, packed less than that of a list."""
    return base64.b64encode(orjson.dumps(key)).decode()


def read_group_cursor(text: str) -> str:
    """Return the last key of a cursor of groups; empty if it is no cursor of this server."""
    try:
        return str(orjson.loads(base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError):
        return ""


def read_cursor(text: str) -> Any:
    """Return the sort values of a cursor, None if it is no cursor of this server."""
    try:
        return orjson.loads(orjson.loads(base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError, TypeError):
        return None
