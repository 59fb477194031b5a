from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harvest"))

from bibliography import Work, author, long_list, pair, work
from standin import Manners, Server, serve
from standin_faults import Faults

WORKS: list[Work] = [
    work(1, pair(10, 0), date="2010-01-05", cited_by_count=5, title="On <i>graphene</i>"),
    work(2, pair(20, 1), date="2010-02-28", cited_by_count=9, type="preprint"),
    work(3, pair(30, 2), date="2011-12-31", cited_by_count=1, is_retracted=True),
    work(4, pair(40, 3), date="2012-06-01", cited_by_count=7, language=None),
    work(5, long_list(500, 150, "CN"), date="2013-01-01"),
    work(6, [author(60, "HK"), author(61, "DE")], date="2014-01-01", is_xpac=True),
    work(7, [author(70, "HK"), author(71, "BE")], date="2014-01-02", publication_date=None),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(WORKS, manners=Manners(anonymous=100_000, keys={"good": 50})) as running:
        yield running


def _get(server: Server, target: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{server.base_url}/{target}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        timeout=20,
    )


def _ids(server: Server, filter_text: str, more: str = "") -> list[int]:
    body = _get(server, f"works?filter={filter_text}&select=id&sort=publication_date{more}").json()
    return [int(one["id"].rpartition("W")[2]) for one in body["results"]]


@pytest.mark.parametrize(
    ("filter_text", "ids"),
    [
        ("institutions.country_code:BE,institutions.country_code:CN", [1, 5]),
        ("authorships.institutions.country_code:be,institutions.country_code:cn", [1, 5]),
        ("institutions.country_code:BE+CN", [1, 5]),
        ("institutions.country_code:BE%2BCN", []),
        ("institutions.country_code:BE+CN|HK", [7]),
        ("institutions.country_code:BE,institutions.country_code:CN|HK", [1, 5, 7]),
        ("authorships.countries:BE,authorships.countries:CN", [1, 2, 3, 4]),
        ("institutions.country-code:!BE|CN", [4]),
        ("institutions.country_code:!BE,authorships.countries:BE", [3, 4]),
        ("publication_year:2010", [1, 2]),
        ("publication_year:2011-2012", [3, 4]),
        ("publication_year:>2012", [5, 7]),
        ("publication_year:<2011", [1, 2]),
        ("publication_year:-2010", [1, 2]),
        ("from_publication_date:2010-02-28,to_publication_date:2012-06-01", [2, 3, 4]),
        ("authors_count:>99", [5]),
        ("authors_count:150", [5]),
        ("type:preprint|review", [2]),
        ("type:!article", [2]),
        ("is_retracted:true", [3]),
        ("language:null", [4]),
        ("language:!null,publication_year:2012", []),
        ("openalex:W1|https://openalex.org/W3|w4", [1, 3, 4]),
        ("ids.openalex:W2", [2]),
        ("doi:10.5555/2", [2]),
        ("authorships.author.id:A31", [3]),
        ("title.search:graphene", [1]),
    ],
)
def test_the_grammar_of_filters_is_that_of_openalex(server: Server, filter_text: str, ids: list[int]) -> None:
    assert _ids(server, filter_text) == ids


@pytest.mark.parametrize(("more", "ids"), [
    ("", [7]), ("&corpus=core", [7]), ("&corpus=expansion", [6]), ("&corpus=all", [6, 7]),
    ("&include_xpac=true", [6, 7]),
])  # fmt: skip
def test_the_expansion_corpus_is_out_unless_asked_for(server: Server, more: str, ids: list[int]) -> None:
    assert sorted(_ids(server, "publication_year:2014", more)) == ids


@pytest.mark.parametrize(
    ("target", "error", "stated"),
    [
        ("works?filter=nosuch:1", "Invalid query parameters error.", "nosuch is not a valid field"),
        ("works?select=nosuch", "Invalid query parameters error.", "nosuch is not a valid select field"),
        ("works?select=authorships.countries", "Invalid query parameters error.", "not a valid select field"),
        ("works/W1?select=nosuch", "Invalid query parameters error.", "nosuch is not a valid select field"),
        ("works?nosuch=1", "Invalid query parameters error.", "nosuch is not a valid parameter"),
        ("works?group_by=type&select=id", "Invalid query parameters error.", "select"),
        ("works?group_by=nosuch", "Invalid query parameters error.", "nosuch is not a valid field"),
        ("works?group_by=is_retracted&cursor=*", "Invalid query parameters error.", "cursor"),
        ("works?sort=nosuch", "Invalid query parameters error.", "sort"),
        ("works?filter=type:", "Invalid query parameters error.", "empty"),
        ("works?filter=publication_year:soon", "Invalid query parameters error.", "number"),
        ("works?filter=type:" + "|".join(map(str, range(101))), "Invalid query parameters error.", "Maximum"),
        ("works?data-version=1", "Invalid query parameters error.", "data-version"),
        ("works?corpus=all&include_xpac=true", "Invalid query parameters error.", "mixed"),
        ("works?corpus=none", "Invalid query parameters error.", "corpus"),
        ("works?per-page=0", "Pagination error.", "between 1 and 200"),
        ("works?per-page=201", "Pagination error.", "between 1 and 200"),
        ("works?per-page=ten", "Pagination error.", "between 1 and 200"),
        ("works?page=0", "Pagination error.", "greater than 0"),
        ("works?page=51&per-page=200", "Pagination error.", "10,000"),
        ("works?page=2&cursor=*", "Pagination error.", "page"),
        ("works?cursor=null", "Pagination error.", "Cursor is null"),
        ("works?cursor=garbage", "Pagination error.", "Invalid cursor value"),
        ("works?limit=5", "Invalid request rejected at the API edge", "per-page"),
        ("works?filter=title.search:a,b", "Invalid request rejected at the API edge", "comma"),
        ("works?filter=" + "x" * 8200, "Request URL too long", "8190"),
    ],
)
def test_a_wrong_request_is_a_400_that_says_why(server: Server, target: str, error: str, stated: str) -> None:
    reply = _get(server, target)
    assert reply.status_code == 400
    assert reply.json()["error"] == error
    assert stated in reply.json()["message"]


def test_wrong_parameters_were_a_403_before_november_2025() -> None:
    with Server(WORKS, manners=Manners(error_status=403)) as server:
        assert _get(server, "works?filter=nosuch:1").status_code == 403


def test_parameters_without_effect_are_accepted(server: Server) -> None:
    assert _get(server, "works?mailto=a@b.org&data-version=2&PER_PAGE=3").json()["meta"]["per_page"] == 3


def test_twenty_five_works_come_when_nothing_is_said_and_100_is_the_documented_most(server: Server) -> None:
    assert _get(server, "works").json()["meta"]["per_page"] == 25
    with Server(WORKS, manners=Manners(per_page_most=100)) as strict:
        assert _get(strict, "works?per-page=101").status_code == 400
        assert _get(strict, "works?per-page=100").status_code == 200


def _walk(server: Server, per_page: int) -> tuple[list[int], int]:
    ids, cursor, pages = [], "*", 0
    while cursor is not None:
        meta_results = requests.get(
            f"{server.base_url}/works",
            params={"cursor": cursor, "per-page": per_page, "sort": "publication_date"},
            timeout=20,
        ).json()
        ids += [int(one["id"].rpartition("W")[2]) for one in meta_results["results"]]
        cursor = meta_results["meta"]["next_cursor"]
        pages += 1
    return ids, pages


@pytest.mark.parametrize(
    ("ending", "per_page", "pages"), [("null", 4, 2), ("null", 3, 3), ("empty", 4, 3), ("empty", 3, 3)]
)
def test_cursors_end_as_they_did_before_and_after_april_2026(ending: str, per_page: int, pages: int) -> None:
    with Server(WORKS, manners=Manners(cursor_ending=ending)) as server:
        assert _walk(server, per_page) == ([1, 2, 3, 4, 5, 7], pages)


def test_a_cursor_is_a_place_in_the_order_not_a_number_of_works(server: Server) -> None:
    with Server([dict(one) for one in WORKS], edits={2: lambda works: works.__delitem__(0)}) as moving:
        first = _get(moving, "works?cursor=*&per-page=2&sort=publication_date").json()
        second = requests.get(
            f"{moving.base_url}/works",
            params={"cursor": first["meta"]["next_cursor"], "per-page": 2, "sort": "publication_date"},
            timeout=20,
        ).json()
    assert [one["id"][-1] for one in second["results"]] == ["3", "4"]
    assert (first["meta"]["count"], second["meta"]["count"]) == (6, 5)


def test_lists_are_cut_at_a_hundred_authors_without_a_flag_and_single_works_are_whole(server: Server) -> None:
    (listed,) = _get(server, "works?filter=openalex:W5").json()["results"]
    assert len(listed["authorships"]) == 100 and "is_authors_truncated" not in listed
    assert len(_get(server, "works/W5").json()["authorships"]) == 150
    assert "is_authors_truncated" not in _get(server, "works/W5?select=id,is_authors_truncated").json()


@pytest.mark.parametrize("name", ["W1", "w1", "https://openalex.org/W1", "doi:10.5555/1", "https://doi.org/10.5555/1"])
def test_a_single_work_is_found_under_all_its_names(server: Server, name: str) -> None:
    reply = _get(server, f"works/{name}?select=id")
    assert reply.json() == {"id": "https://openalex.org/W1"}
    assert reply.headers["X-RateLimit-Credits-Used"] == "0"


@pytest.mark.parametrize("target", ["works/W999", "works/doi:10.1/none", "nosuch", ""])
def test_what_is_not_there_is_a_404_page(server: Server, target: str) -> None:
    reply = _get(server, target)
    assert reply.status_code == 404
    assert reply.headers["Content-Type"].startswith("text/html") and "Not Found" in reply.text


def test_groups_have_their_own_envelope_and_addresses_as_keys(server: Server) -> None:
    body = _get(server, "works?group_by=authorships.countries").json()
    assert list(body) == ["meta", "group_by"]
    assert body["group_by"][0] == {"key": "https://openalex.org/countries/BE", "key_display_name": "BE", "count": 6}
    years = _get(server, "works?group-by=publication_year").json()["group_by"]
    assert {group["key"]: group["count"] for group in years} == {
        "2010": 2, "2011": 1, "2012": 1, "2013": 1, "2014": 1,
    }  # fmt: skip
    assert _get(server, "works?group_by=type").json()["group_by"][0]["key"] == "https://openalex.org/types/article"


def test_groups_of_the_unknown_come_only_when_asked_for(server: Server) -> None:
    def keys(field: str) -> set[str]:
        return {group["key"] for group in _get(server, f"works?group_by={field}").json()["group_by"]}

    assert keys("language") == {"en"}
    assert keys("language:include_unknown") == {"en", "unknown"}
    assert keys("is_retracted") == {"true", "false"}


def test_groups_with_a_cursor_have_one_more_until_a_page_is_empty(server: Server) -> None:
    first = _get(server, "works?group_by=publication_year&cursor=*&per_page=3").json()
    assert [group["key"] for group in first["group_by"]] == ["2010", "2011", "2012"]
    keys, cursor = [], "*"
    while cursor is not None:
        page = requests.get(
            f"{server.base_url}/works",
            params={"group_by": "publication_year", "cursor": cursor, "per_page": 3},
            timeout=20,
        ).json()
        keys += [group["key"] for group in page["group_by"]]
        cursor = page["meta"]["next_cursor"]
    assert keys == ["2010", "2011", "2012", "2013", "2014"]


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"api_key": "wrong"}, {"api-key": "wrong"},
])  # fmt: skip
def test_a_wrong_or_blank_key_is_refused(server: Server, headers: dict[str, str]) -> None:
    reply = requests.get(f"{server.base_url}/works", headers=headers, timeout=20)
    assert (reply.status_code, reply.json()["message"]) == (401, "API key not found")


@pytest.mark.parametrize("query", ["api_key=wrong", "api_key=", "api-key=good%0A"])
def test_a_wrong_or_padded_key_in_the_address_is_refused(server: Server, query: str) -> None:
    assert _get(server, f"works?{query}").status_code == 401


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer good"}, {"api_key": "good"}, {"API-Key": "good"}])
def test_a_key_is_taken_from_any_of_its_headers(server: Server, headers: dict[str, str]) -> None:
    reply = requests.get(f"{server.base_url}/works?per-page=1", headers=headers, timeout=20)
    assert reply.headers["X-RateLimit-Limit"] == "50"


def test_the_budget_counts_down_by_the_price_of_each_call_and_then_refuses() -> None:
    with Server(WORKS, manners=Manners(anonymous=12)) as server:
        left = [
            _get(server, target).headers["X-RateLimit-Remaining"]
            for target in ("works", "works/W1", "works?search=graphene", "works?filter=nosuch:1")
        ]
        spent = _get(server, "works")
        single = _get(server, "works/W1")
    assert left == ["11", "11", "1", "0"]
    assert spent.status_code == 429
    assert int(spent.headers["Retry-After"]) == int(spent.headers["X-RateLimit-Reset"]) <= 86_400
    assert (spent.json()["creditsRequired"], spent.json()["creditsRemaining"]) == (1, 0)
    assert "X-RateLimit-Credits-Used" not in spent.headers
    assert single.status_code == 200


@pytest.mark.parametrize(
    ("generation", "names"),
    [
        ("none", set()),
        ("old", {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}),
        ("credits", {f"x-ratelimit-{name}" for name in ("limit", "remaining", "reset", "credits-used")}),
    ],
)
def test_budget_headers_of_every_generation_can_be_had(generation: str, names: set[str]) -> None:
    with Server(WORKS, manners=Manners(headers=generation)) as server:
        headers = _get(server, "works").headers
    assert {name.lower() for name in headers if "ratelimit" in name.lower()} == names


def test_the_state_of_the_budget_is_told_to_holders_of_a_key() -> None:
    with Server(WORKS, manners=Manners(keys={"good-key": 50})) as server:
        _get(server, "works", Authorization="Bearer good-key")
        reported = _get(server, "rate-limit", Authorization="Bearer good-key").json()
        refused = _get(server, "rate-limit")
    assert reported["api_key"] == "goo...key"
    assert (reported["rate_limit"]["credits_used"], reported["rate_limit"]["credits_remaining"]) == (1, 49)
    assert (refused.status_code, refused.json()["error"]) == (401, "Authentication required")


@pytest.mark.parametrize(
    "query", ["filter=from_updated_date:2026-01-01", "filter=to-created-date:2026-01-01", "sort=updated_date:desc"]
)
def test_dates_of_update_are_for_paying_plans(server: Server, query: str) -> None:
    reply = _get(server, f"works?{query}")
    assert (reply.status_code, reply.json()["error"]) == (429, "Plan upgrade required")
    assert not any(name.lower().startswith(("retry-after", "x-ratelimit")) for name in reply.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_but_get_is_allowed(server: Server, method: str) -> None:
    assert requests.request(method, f"{server.base_url}/works", timeout=20).status_code == 405


def _raw(server: Server) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    try:
        connection.request("GET", "/works")
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("kind", "status", "json_error"),
    [
        ("500-html", 500, None),
        ("502-html", 502, None),
        ("503-html", 503, None),
        ("503-retry-after", 503, "Search temporarily unavailable"),
        ("504-json", 504, "Gateway timeout"),
        ("200-html", 200, None),
        ("429-second", 429, "Rate limit exceeded"),
        ("429-budget", 429, "Rate limit exceeded"),
        ("429-plan", 429, "Plan upgrade required"),
        ("429-key", 429, "Rate limit exceeded"),
        ("401-key", 401, "Invalid or missing API key"),
    ],
)
def test_faults_come_when_asked_for_and_only_then(kind: str, status: int, json_error: str | None) -> None:
    with Server(WORKS, faults=Faults(at={2: kind})) as server:
        assert _raw(server)[0] == 200
        got, headers, body = _raw(server)
        assert _raw(server)[0] == 200
    assert got == status
    if json_error is None:
        assert headers["content-type"].startswith("text/html")
    else:
        assert json.loads(body)["error"] == json_error
    assert ("retry-after" in headers) == (kind in ("503-retry-after", "429-second", "429-budget", "429-key"))


def test_connections_and_bodies_break_when_asked_for() -> None:
    with Server(WORKS, faults=Faults(at={1: "reset", 2: "cut-body", 3: "truncated-json"})) as server:
        with pytest.raises(ConnectionError):
            _raw(server)
        with pytest.raises(http.client.IncompleteRead):
            _raw(server)
        status, _, body = _raw(server)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_a_short_page_looks_like_the_end_of_the_list() -> None:
    with Server(WORKS, faults=Faults(at={1: "short-page"})) as server:
        body = _get(server, "works?cursor=*&per-page=4").json()
    assert (len(body["results"]), body["meta"]["count"], body["meta"]["next_cursor"]) == (2, 6, None)


def test_a_share_of_the_requests_fails_the_same_way_each_time() -> None:
    faults = Faults(rate=0.3, kinds=("500-html", "reset"), seed=4)
    kinds = [faults.kind(number) for number in range(2000)]
    assert kinds == [faults.kind(number) for number in range(2000)]
    assert 500 < sum(map(bool, kinds)) < 700


def test_bodies_are_packed_for_those_who_take_them(server: Server) -> None:
    assert _get(server, "works").headers["Content-Encoding"] == "gzip"
    assert "content-encoding" not in _raw(server)[1]


def test_serve_gives_an_address_on_this_machine_and_closes_it() -> None:
    with serve(WORKS) as base_url:
        assert urlsplit(base_url).hostname == "127.0.0.1"
        count: Any = requests.get(f"{base_url}/works", timeout=20).json()["meta"]["count"]
    assert count == 6
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{base_url}/works", timeout=5)
