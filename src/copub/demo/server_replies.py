"""Replies of the demo's server and its cursors, in the words and shapes of OpenAlex (recorded exchanges)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A reply to be sent. `charged` says whether OpenAlex takes credits for it."""

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


def usd(credits: int) -> float:
    """Return credits in dollars."""
    return round(credits * CREDIT_USD, 4)


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
