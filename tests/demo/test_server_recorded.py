"""The server's replies beside recorded exchanges with OpenAlex: same shape, same words, same headers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from standin import Manners, Server
from standin_faults import Faults

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def api(real_data: Path) -> Path:
    return real_data / "api"


@pytest.fixture(scope="module")
def works(api: Path) -> list[dict[str, Any]]:
    with gzip.open(api / "realworks_245.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def _recorded(api: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((api / name).read_text())
    return loaded


def _budget_names(headers: Any) -> set[str]:
    return {name.lower() for name in headers if "ratelimit" in name.lower()}


def _get(server: Server, target: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.base_url}/{target}", headers=headers, timeout=20)


def test_a_list_has_the_recorded_envelope(api: Path) -> None:
    recorded = _recorded(api, "2026-03_works_list_2results.json")
    with Server(recorded["results"]) as server:
        body = _get(server, "works?per_page=2").json()
    assert list(body) == list(recorded)
    assert list(body["meta"]) == list(recorded["meta"])
    assert body["group_by"] == recorded["group_by"]
    same = {"page", "per_page", "groups_count", "cost_usd"}
    assert {key: body["meta"][key] for key in same} == {key: recorded["meta"][key] for key in same}
    by_id = {work["id"]: work for work in recorded["results"]}
    assert all(list(work) == list(by_id[work["id"]]) and work == by_id[work["id"]] for work in body["results"])


def test_a_single_work_is_given_as_recorded(api: Path) -> None:
    recorded = _recorded(api, "2026-03_work_W2741809807_singleton.json")
    with Server([recorded]) as server:
        assert _get(server, "works/W2741809807").json() == recorded


def test_all_real_works_can_be_served_filtered_and_grouped(works: list[dict[str, Any]]) -> None:
    with Server(works, manners=Manners(anonymous=9999)) as server:
        groups = _get(server, "works?group_by=publication_year").json()
        counts = {
            group["key"]: _get(server, f"works?filter=publication_year:{group['key']}").json()["meta"]["count"]
            for group in groups["group_by"]
        }
        whole = [_get(server, f"works/{work['id']}").json() for work in works]
    assert counts == {group["key"]: group["count"] for group in groups["group_by"]}
    assert whole == works


def test_groups_have_the_recorded_envelope(api: Path, works: list[dict[str, Any]]) -> None:
    recorded = _recorded(api, "vcr_pro_request_biodiversity_and_group_by_type_0_200.json")["body"]
    with Server(works) as server:
        body = _get(server, "works?group_by=type&per_page=200&cursor=*").json()
    assert list(body) == list(recorded)
    assert list(body["meta"]) == list(recorded["meta"])
    assert {tuple(group) for group in body["group_by"]} == {tuple(group) for group in recorded["group_by"]}
    assert body["meta"]["next_cursor"] is not None and recorded["meta"]["next_cursor"] is not None
    assert body["group_by"][0]["key"].startswith("https://openalex.org/types/")
    assert [group["key"] for group in recorded["group_by"]] == sorted(group["key"] for group in recorded["group_by"])


def test_the_older_end_of_a_list_is_as_recorded(api: Path) -> None:
    pages = [_recorded(api, f"vcr_pro_snowball_{number}_200.json")["body"] for number in (3, 4)]
    with Server(pages[0]["results"], manners=Manners(cursor_ending="empty")) as server:
        cursor, replies = "*", []
        for _ in pages:
            query = {"filter": "openalex:W3045921891|W3046863325", "per_page": 200, "cursor": cursor}
            replies.append(requests.get(f"{server.base_url}/works", params=query, timeout=20).json())
            cursor = replies[-1]["meta"]["next_cursor"]
    for reply, page in zip(replies, pages, strict=True):
        assert [key for key in reply["meta"] if key != "cost_usd"] == list(page["meta"])
        assert (reply["meta"]["count"], reply["meta"]["page"]) == (page["meta"]["count"], page["meta"]["page"])
        assert (reply["meta"]["next_cursor"] is None) == (page["meta"]["next_cursor"] is None)
        assert {work["id"] for work in reply["results"]} == {work["id"] for work in page["results"]}


def test_a_wrong_select_is_refused_in_the_recorded_words(api: Path) -> None:
    recorded = _recorded(api, "vcr_opt_select_fields_0_400.json")
    with Server([{"id": "https://openalex.org/W1775749144"}]) as server:
        reply = _get(server, "works/W1775749144?select=DOESNTEXIST")
    assert (reply.status_code, reply.json()) == (recorded["status"], recorded["body"])
    assert _budget_names(reply.headers) == _budget_names(recorded["headers"])


def test_a_wrong_filter_is_refused_in_the_recorded_words(api: Path) -> None:
    recorded = _recorded(api, "vcr_pro_snowball_0_400.json")
    with Server([]) as server:
        reply = _get(server, "works?filter=DOESNTEXIST:1")
    head = "DOESNTEXIST is not a valid field. Valid fields are underscore or hyphenated versions of: "
    assert reply.status_code == recorded["status"]
    assert reply.json()["error"] == recorded["body"]["error"]
    assert reply.json()["message"].startswith(head) and recorded["body"]["message"].startswith(head)
    named = set(reply.json()["message"].removeprefix(head).split(", "))
    known = set(recorded["body"]["message"].removeprefix(head).split(", "))
    missing = {name for name in named - known if not name.startswith("institutions.")}
    assert missing <= {"openalex_id", "authorships.countries"} - known


def test_a_wrong_key_is_refused_in_the_recorded_words(api: Path) -> None:
    recorded = _recorded(api, "vcr_pro_rate_limit_status_401_0_401.json")
    with Server([]) as server:
        reply = _get(server, "rate-limit?api_key=wrong")
    assert (reply.status_code, reply.json()) == (recorded["status"], recorded["body"])
    assert reply.headers["Cache-Control"] == recorded["headers"]["cache-control"]
    assert _budget_names(reply.headers) == set()


def test_budget_headers_are_the_recorded_ones(api: Path) -> None:
    recorded = _recorded(api, "vcr_pro_request_list_count_0_200.json")
    with Server([]) as server:
        names = _budget_names(_get(server, "works").headers)
    assert names == _budget_names(recorded["headers"])


def test_an_unknown_work_gets_the_recorded_page(api: Path) -> None:
    with gzip.open(api / "recorded_interactions.jsonl.gz", "rt") as lines:
        recorded = next(one for one in map(json.loads, lines) if one["status"] == 404)
    with Server([]) as server:
        reply = _get(server, "works/W1")
    assert reply.text == recorded["body"]
    assert reply.headers["Content-Type"] == recorded["headers"]["content-type"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("429-budget", "429_daily_budget_free_key"),
        ("429-second", "429_per_second_free_key"),
        ("429-plan", "429_plan_gate_filter"),
        ("503-retry-after", "503_anonymous_search_paused"),
        ("504-json", "504_query_timeout"),
    ],
)
def test_errors_that_nobody_recorded_follow_the_source_of_the_proxy(api: Path, kind: str, name: str) -> None:
    wanted = _recorded(api, "constructed_error_bodies_from_source.json")[name]
    with Server([], faults=Faults(at={1: kind})) as server:
        reply = _get(server, "works")
    assert reply.status_code == wanted["status"]
    assert list(reply.json()) == list(wanted["body"])
    assert reply.json()["error"] == wanted["body"]["error"]
    assert set(map(str.lower, wanted["headers"])) <= set(map(str.lower, reply.headers))
    assert _budget_names(reply.headers) == _budget_names(wanted["headers"])


def test_the_budget_page_has_the_shape_of_the_contract(api: Path) -> None:
    wanted = _recorded(api, "constructed_error_bodies_from_source.json")["200_rate_limit_endpoint"]["body"]
    with Server([], manners=Manners(keys={"good-key": 50})) as server:
        body = _get(server, "rate-limit", Authorization="Bearer good-key").json()
    assert list(body) == list(wanted)
    assert list(body["rate_limit"]) == list(wanted["rate_limit"])
    assert body["rate_limit"]["credit_costs"] == wanted["rate_limit"]["credit_costs"]
    assert body["rate_limit"]["endpoint_costs_usd"] == wanted["rate_limit"]["endpoint_costs_usd"]
