"""What copub takes for granted about OpenAlex, one function each; all of them together cost under a cent.

They are run against the stand-in server always, and against the real API on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from copub.errors import InputError, SourceUnavailableError
from copub.sources.harvest.query import CELLS, SELECT, Query
from copub.sources.harvest.source import LIST_CUT, short_id
from copub.sources.harvest.transport import Transport

Check = Callable[[Transport], None]
ASSUMPTIONS: list[Check] = []
QUERY = Query(("BE",), ("CN", "HK", "MO"), 2019, 2019)
SMALL = Query(("LU",), ("CN", "HK", "MO"), 2018, 2019)
"""A pair of few works: every page of it is read twice, by the four queries and by one of the query language."""


def assumption(check: Check) -> Check:
    """Add a function to the list."""
    ASSUMPTIONS.append(check)
    return check


def _works(transport: Transport, text: str) -> dict[str, Any]:
    body = transport.get("works", text).body
    assert body is not None, "HTTP 404 for /works"
    return body


def _count(transport: Transport, filter_text: str) -> int:
    count = _works(transport, f"filter={filter_text.replace('|', '%7C')}&select=id&per-page=1")["meta"]["count"]
    assert isinstance(count, int)
    return count


@assumption
def all_selected_fields_exist(transport: Transport) -> None:
    work = _works(transport, QUERY.list_query("institutions"))["results"][0]
    missing = set(SELECT) - set(work)
    assert not missing, f"selected but not given: {sorted(missing)}"


@assumption
def a_page_holds_a_hundred_works_oldest_first(transport: Transport) -> None:
    dates = [work["publication_date"] for work in _works(transport, QUERY.list_query("institutions"))["results"]]
    assert len(dates) == 100
    assert dates == sorted(dates)


@assumption
def the_country_of_institutions_has_two_names(transport: Transport) -> None:
    counts = {
        _count(transport, f"{name}:BE,publication_year:2019")
        for name in ("institutions.country_code", "authorships.institutions.country_code")
    }
    assert len(counts) == 1


@assumption
def a_negated_list_of_countries_is_the_rest(transport: Transport) -> None:
    belgian = "institutions.country_code:BE,publication_year:2019"
    chinese = _count(transport, f"{belgian},authorships.institutions.country_code:CN|HK|MO")
    others = _count(transport, f"{belgian},authorships.institutions.country_code:!CN|HK|MO")
    assert chinese + others == _count(transport, belgian)
    assert chinese and others


@assumption
def a_field_can_be_named_twice(transport: Transport) -> None:
    both = _count(transport, "authorships.countries:BE,authorships.countries:CN|HK|MO,publication_year:2019")
    assert 0 < both < _count(transport, "authorships.countries:BE,publication_year:2019")


@assumption
def the_four_queries_hold_at_least_what_each_filter_sees(transport: Transport) -> None:
    union = sum(_works(transport, QUERY.years_query(cell))["meta"]["count"] for cell in CELLS)
    parsed = _count(transport, "authorships.countries:BE,authorships.countries:CN|HK|MO,publication_year:2019")
    assert union >= parsed


@assumption
def counts_per_year_add_up(transport: Transport) -> None:
    body = _works(transport, Query(("BE",), ("CN",), 2018, 2020).years_query("institutions"))
    assert {group["key"] for group in body["group_by"]} <= {"2018", "2019", "2020"}
    assert sum(group["count"] for group in body["group_by"]) == body["meta"]["count"]


@assumption
def months_add_up_to_the_year(transport: Transport) -> None:
    months = [_count(transport, QUERY.filter_text("institutions", f"2019-{month:02d}")) for month in range(1, 13)]
    assert sum(months) == _count(transport, QUERY.filter_text("institutions", "2019"))


@assumption
def a_list_ends_with_a_null_cursor_or_an_empty_page(transport: Transport) -> None:
    cursor: str | None = "*"
    ids: list[str] = []
    count = 0
    for _ in range(10):
        body = _works(transport, QUERY.list_query("institutions", "2019-03", cursor=cursor or ""))
        ids += [work["id"] for work in body["results"]]
        count, cursor = body["meta"]["count"], body["meta"]["next_cursor"]
        if cursor is None or not body["results"]:
            break
    assert cursor is None or not body["results"], "no end after ten pages"
    assert len(ids) == len(set(ids)) == count > 0


@assumption
def lists_are_cut_at_a_hundred_authors_and_single_works_are_whole_and_free(transport: Transport) -> None:
    works = _works(transport, "filter=authors_count:>149,publication_year:2019&select=id,authorships&per-page=1")
    listed = works["results"][0]
    assert len(listed["authorships"]) == LIST_CUT
    paid = transport.credits
    single = transport.get(f"works/{short_id(listed['id'])}", QUERY.single_query()).body
    assert single is not None and len(single["authorships"]) > 149
    assert transport.credits == paid


def oql(query: Query) -> str:
    """Return the co-publications of two sides as one query of OpenAlex's query language.

    Filters cannot say "or" across two fields; this language can, so that one query asks for what the four ask for.
    """

    def side(codes: tuple[str, ...]) -> str:
        named = f"is ({' or '.join(sorted(codes))})"
        return f"(authorships.institutions.country_code {named} or authorships.countries {named})"

    years = f"publication_year >= ({query.year_from}) and publication_year <= ({query.year_to})"
    return f"works where {side(query.side_a)} and {side(query.side_b)} and {years}"


def _of_oql(transport: Transport, text: str, **more: str) -> dict[str, Any]:
    body = transport.get("", urlencode({"oql": text, **more})).body
    assert body is not None, "HTTP 404 for a query at the root"
    return body


def _ids(page: Callable[[str], dict[str, Any]]) -> tuple[int, set[str]]:
    """Return the number of works that a list states, and the ids on all of its pages."""
    cursor, ids = "*", set[str]()
    for _ in range(10):
        body = page(cursor)
        ids |= {work["id"] for work in body["results"]}
        if not body["results"] or body["meta"]["next_cursor"] is None:
            return body["meta"]["count"], ids
        cursor = body["meta"]["next_cursor"]
    raise AssertionError("no end after ten pages")


def _per_year(body: dict[str, Any]) -> dict[str, int]:
    return {group["key"]: group["count"] for group in body["group_by"]}


@assumption
def one_query_of_the_query_language_finds_what_the_four_queries_find(transport: Transport) -> None:
    by_four, years, count = set[str](), dict[str, int](), 0
    for cell in CELLS:
        of_cell, ids = _ids(lambda cursor, cell=cell: _works(transport, SMALL.list_query(cell, "", cursor, ("id",))))
        assert not by_four & ids, f"in two of the four queries: {sorted(by_four & ids)[:5]}"
        by_four, count = by_four | ids, count + of_cell
        for year, works in _per_year(_works(transport, SMALL.years_query(cell))).items():
            years[year] = years.get(year, 0) + works
    text = oql(SMALL)
    view = {"select": "id", "sort": "publication_date:asc", "per-page": "100"}
    of_oql, by_one = _ids(lambda cursor: _of_oql(transport, text, cursor=cursor, **view))
    differences = {
        "works": (count, of_oql),
        "works per year": (years, _per_year(_of_oql(transport, f"{text} group by year"))),
        "ids that the other side lacks": (sorted(by_four - by_one), sorted(by_one - by_four)),
    }
    stated = [f"{what}: {four} by the four queries, {one} by one" for what, (four, one) in differences.items()]
    print(text, *stated, sep="\n")
    assert by_four, f"no works: {text}"
    assert count == of_oql == len(by_one), stated[0]
    assert years == differences["works per year"][1], stated[1]
    assert by_four == by_one, stated[2]


@assumption
def the_query_language_is_asked_at_the_root_only(transport: Transport) -> None:
    with pytest.raises(SourceUnavailableError, match="400"):
        transport.get("works", urlencode({"oql": oql(SMALL)}))


@assumption
def works_can_be_asked_for_by_id(transport: Transport) -> None:
    listed = _works(transport, QUERY.list_query("institutions"))["results"][:3]
    ids = tuple(sorted(work["id"].rpartition("/")[2] for work in listed))
    assert {work["id"] for work in _works(transport, QUERY.ids_query(ids))["results"]} == {one["id"] for one in listed}


@assumption
def the_expansion_corpus_is_out_unless_asked_for(transport: Transport) -> None:
    core = _works(transport, "filter=publication_year:2019&select=id,is_xpac&per-page=100")
    assert not any(work["is_xpac"] for work in core["results"])
    everything = _works(transport, "filter=publication_year:2019&select=id&per-page=1&corpus=all")
    assert everything["meta"]["count"] > core["meta"]["count"]


@assumption
def a_corpus_is_core_expansion_or_all(transport: Transport) -> None:
    counts = {
        corpus: _works(transport, f"filter=publication_year:2019&select=id&per-page=1&corpus={corpus}")["meta"]["count"]
        for corpus in ("core", "expansion", "all")
    }
    assert counts["core"] == _count(transport, "publication_year:2019")
    assert counts["core"] + counts["expansion"] == counts["all"]
    for refused in ("corpus=some", "corpus=all&include_xpac=true"):
        with pytest.raises(SourceUnavailableError, match="400"):
            transport.get("works", f"filter=publication_year:2019&select=id&per-page=1&{refused}")


@assumption
def an_unknown_work_is_not_there(transport: Transport) -> None:
    assert transport.get("works/W9999999999999").body is None


@assumption
def dates_of_update_need_a_paid_plan_or_are_counted(transport: Transport) -> None:
    try:
        count = _count(transport, "from_updated_date:2026-01-01,publication_year:2019")
    except InputError as error:
        assert "paid plan" in error.what
    else:
        assert count >= 0


@assumption
def the_budget_is_told_in_headers(transport: Transport) -> None:
    budget = transport.get("works", "select=id&per-page=1").budget
    assert budget.limit is not None and budget.remaining is not None
    assert budget.used == 1
    assert budget.resets_in is not None and 0 < budget.resets_in <= 86_400
