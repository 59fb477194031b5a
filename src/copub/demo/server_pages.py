"""How the server of the demo answers: lists with paging and cursors, groups, single works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copub.demo import server_replies as replies
from copub.demo.server_library import (
    BOOLEANS,
    LIST_CUT,
    PAGE_ERROR,
    QUERY_ERROR,
    BadRequest,
    Library,
    Work,
    after,
)
from copub.demo.server_replies import Reply

MOST_RECORDS = 10_000
MOST_GROUPS = 200
_RESPONSE_MS = 10  # a constant: replies are the same each time


def answer_list(
    library: Library,
    params: Mapping[str, str],
    *,
    per_page_most: int = 200,
    ending: str = "null",
    short: bool = False,
) -> Reply:
    """Return a page of works, or of groups; `short` cuts the page in the middle, without a flag."""
    _known(params)
    corpus = _corpus(params)
    found = library.find(params.get("filter", ""), corpus, params.get("sort", ""))
    if "group_by" in params:
        return _groups(library, [number for _, number in found], params)
    per_page = _per_page(params, per_page_most)
    fields = _select(params)
    cursor = params.get("cursor")
    meta: dict[str, Any] = {"count": len(found), "db_response_time_ms": _RESPONSE_MS}
    if cursor is None:
        page = _page_number(params, per_page)
        start = (page - 1) * per_page
        meta |= {"page": page, "per_page": per_page}
    else:
        start = _start(found, cursor, params)
        meta |= {"page": None, "per_page": per_page}
    hits = found[start : start + per_page]
    if short:
        hits = hits[: max(1, len(hits) // 2)]
    if cursor is not None:
        more = bool(hits) if ending == "empty" else len(hits) == per_page
        meta["next_cursor"] = replies.write_cursor(hits[-1][0]) if more and not short else None
    meta |= {"groups_count": None, "cost_usd": replies.usd(replies.PRICES["list"])}
    results = [_shown(library.works[number], fields, whole=False) for _, number in hits]
    return replies.json_reply(200, {"meta": meta, "results": results, "group_by": []}, charged=True)


def answer_single(library: Library, name: str, params: Mapping[str, str]) -> Reply:
    """Return a single work with all its authors, or the page that says it is not there."""
    fields = _select(params)
    work = library.by_id(name)
    if work is None:
        return replies.not_found()
    return replies.json_reply(200, _shown(work, fields, whole=True), charged=True)


def _known(params: Mapping[str, str]) -> None:
    known = set(replies.PARAMETERS.split(", ")) | {"data_version"}
    for name in params:
        if name not in known and not name.startswith("search."):
            message = f"{name} is not a valid parameter. Valid parameters are: {replies.PARAMETERS}."
            raise BadRequest(QUERY_ERROR, message)
    if params.get("data_version") == "1":
        raise BadRequest(QUERY_ERROR, "data-version=1 is no longer served.")


def _corpus(params: Mapping[str, str]) -> str:
    named = params.get("corpus")
    if named is not None and "include_xpac" in params:
        raise BadRequest(QUERY_ERROR, "corpus and include_xpac cannot be mixed.")
    if named is not None and named.lower() not in ("core", "expansion", "all"):
        raise BadRequest(QUERY_ERROR, f"{named} is not a valid corpus. Valid values are: core, expansion, all.")
    if params.get("include_xpac", "").lower() == "true":
        return "all"
    return named.lower() if named else "core"


def _per_page(params: Mapping[str, str], most: int) -> int:
    text = params.get("per_page", "25")
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise BadRequest(PAGE_ERROR, f"per-page parameter must be between 1 and {most}.")
    return int(text)


def _page_number(params: Mapping[str, str], per_page: int) -> int:
    text = params.get("page", "1")
    if not text.isdecimal() or int(text) < 1:
        raise BadRequest(PAGE_ERROR, "Page parameter must be greater than 0.")
    if int(text) * per_page > MOST_RECORDS:
        raise BadRequest(
            PAGE_ERROR,
            "Maximum results size of 10,000 records is exceeded. Cursor pagination is required for records beyond"
            " 10,000. See: https://developers.openalex.org/guides/page-through-results",
        )
    return int(text)


def _start(found: list[tuple[tuple[float, ...], int]], cursor: str, params: Mapping[str, str]) -> int:
    if params.get("page", "1") != "1":
        raise BadRequest(PAGE_ERROR, "Cannot use page parameter with cursor.")
    if cursor == "*":
        return 0
    if cursor.lower() in ("null", "none"):
        raise BadRequest(PAGE_ERROR, "Cursor is null. The end of the list is reached.")
    values = replies.read_cursor(cursor)
    if not isinstance(values, list):
        raise BadRequest(PAGE_ERROR, "Invalid cursor value")
    return after(found, tuple(values))


def _select(params: Mapping[str, str]) -> tuple[str, ...]:
    if "select" not in params:
        return ()
    fields = tuple(params["select"].split(","))
    valid = replies.SELECTABLE.split(", ")
    for name in fields:
        if name not in valid:
            raise BadRequest(
                QUERY_ERROR,
                f"{name} is not a valid select field. Valid fields for select are: {replies.SELECTABLE}.",
            )
    return fields


def _shown(work: Work, fields: tuple[str, ...], *, whole: bool) -> Work:
    """Return a work as it is shown: in lists without the authors after the hundredth."""
    shown = {name: work[name] for name in fields if name in work} if fields else dict(work)
    authorships = shown.get("authorships")
    if not whole and isinstance(authorships, list) and len(authorships) > LIST_CUT:
        shown["authorships"] = authorships[:LIST_CUT]
    return shown


def _groups(library: Library, chosen: list[int], params: Mapping[str, str]) -> Reply:
    if "select" in params:
        raise BadRequest(QUERY_ERROR, "select does not work with group_by.")
    field, _, option = params["group_by"].partition(":")
    cursor = params.get("cursor")
    if cursor is not None and field in BOOLEANS:
        raise BadRequest(QUERY_ERROR, f"Cannot group by {field} with a cursor.")
    per_page = _per_page({"per_page": str(MOST_GROUPS), **params}, MOST_GROUPS)
    counts = library.groups(chosen, field, option == "include_unknown")
    meta: dict[str, Any] = {"count": len(chosen), "db_response_time_ms": _RESPONSE_MS}
    if cursor is None:
        keys = sorted(counts, key=lambda key: (-counts[key], key))[:per_page]
        meta |= {"page": 1, "per_page": per_page}
    else:
        last = "" if cursor == "*" else replies.read_group_cursor(cursor)
        keys = sorted(key for key in counts if _name(key) > last)[:per_page]
        meta |= {"page": None, "per_page": per_page}
        meta["next_cursor"] = replies.write_group_cursor(_name(keys[-1])) if keys else None
    meta |= {"groups_count": len(keys), "cost_usd": replies.usd(replies.PRICES["list"])}
    groups = [{"key": key, "key_display_name": _name(key), "count": counts[key]} for key in keys]
    return replies.json_reply(200, {"meta": meta, "group_by": groups}, charged=True)


def _name(key: str) -> str:
    return key.rpartition("/")[2]
