from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.sources.harvest.budget import UNTOLD, Budget, next_midnight, read_budget, retry_after
from copub.sources.harvest.verdict import Meaning, verdict_of

NEW = {"X-RateLimit-Limit": "10000", "X-RateLimit-Remaining": "9412", "X-RateLimit-Credits-Used": "1",
       "X-RateLimit-Reset": "30142"}  # fmt: skip


def _judge(status: int, body: object = None, **headers: str) -> Meaning:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verdict_of(status, {name.replace("_", "-"): value for name, value in headers.items()}, content).meaning


@pytest.mark.parametrize(
    ("headers", "budget"),
    [
        (NEW, Budget(10000, 9412, 1, None, 30142)),
        ({name.lower(): value for name, value in NEW.items()}, Budget(10000, 9412, 1, None, 30142)),
        ({"ratelimit-limit": "100000", "ratelimit-remaining": "99949"}, Budget(100000, 99949)),
        ({"ratelimit-limit": "5", "ratelimit-remaining": "9", "ratelimit-reset": "1"}, UNTOLD),
        ({"x-api-pool": "common"}, UNTOLD),
        ({"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "inf"}, UNTOLD),
    ],
)
def test_the_budget_is_read_whatever_the_generation_of_the_headers(headers: dict[str, str], budget: Budget) -> None:
    assert read_budget(headers) == budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        ("54000", 54000.0),
        ("-3", 0.0),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
        ("soon", None),
        ("1e400", None),
    ],
)
def test_retry_after_is_read_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    assert 7_100 < (retry_after({"Retry-After": later}) or 0) <= 7_200
    assert _judge(429, b"", Retry_After=later) is Meaning.SPENT


def test_a_429_with_a_pause_that_cannot_be_read_is_no_plan_gate() -> None:
    assert _judge(429, b"", Retry_After="1e400") is Meaning.AGAIN


def test_the_budget_comes_back_at_midnight_utc() -> None:
    assert next_midnight(datetime(2026, 12, 31, 13, 5, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"meta": {"coun', b"[1, 2]", b"null"])
def test_a_200_that_is_no_whole_object_is_asked_again(body: bytes) -> None:
    assert _judge(200, body) is Meaning.AGAIN


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_faults_of_the_server_are_asked_again(status: int) -> None:
    assert _judge(status, b"<html></html>") is Meaning.AGAIN
    assert _judge(status, b"", Retry_After="60") is Meaning.AGAIN
    assert _judge(status, b"", Retry_After="7200") is Meaning.SPENT


def test_a_429_is_told_apart_by_headers_alone_when_the_body_is_a_page() -> None:
    page = b"<html>Too many</html>"
    spent = {"X_RateLimit_Remaining": "0", "X_RateLimit_Credits_Required": "1"}
    assert _judge(429, page, Retry_After="60", **spent) is Meaning.SPENT
    assert _judge(429, page, Retry_After="54000") is Meaning.SPENT
    assert _judge(429, page, Retry_After="1", X_RateLimit_Remaining="9") is Meaning.AGAIN
    assert _judge(429, page, Retry_After="1") is Meaning.AGAIN
    assert _judge(429, page) is Meaning.PAID


def test_a_429_is_told_apart_by_the_keys_of_its_body_when_headers_are_missing() -> None:
    assert _judge(429, {"creditsRequired": 10, "creditsRemaining": 9}) is Meaning.SPENT
    assert _judge(429, {"creditsRequired": 1, "creditsRemaining": 9}) is Meaning.AGAIN
    assert _judge(429, {"error": "Plan upgrade required"}, Retry_After="1") is Meaning.PAID


@given(status=st.integers(100, 599), content=st.binary(max_size=60), headers=st.dictionaries(st.text(), st.text()))
def test_every_answer_gets_a_verdict(status: int, content: bytes, headers: dict[str, str]) -> None:
    verdict = verdict_of(status, headers, content)
    assert verdict.meaning is not Meaning.USE or (status == 200 and isinstance(verdict.body, dict))


MEANINGS = {
    "429_daily_budget_free_key": Meaning.SPENT,
    "429_per_second_free_key": Meaning.AGAIN,
    "429_plan_gate_filter": Meaning.PAID,
    "429_plan_gate_sort": Meaning.PAID,
    "503_anonymous_search_paused": Meaning.AGAIN,
    "504_query_timeout": Meaning.AGAIN,
    "400_url_too_long": Meaning.REFUSED,
    "400_edge_limit_param": Meaning.REFUSED,
    "400_pagination_10k": Meaning.REFUSED,
    "400_per_page": Meaning.REFUSED,
    "401_bad_key": Meaning.KEY,
    "401_rate_limit_endpoint_without_key": Meaning.KEY,
    "404_unknown_or_merged_work": Meaning.GONE,
    "200_rate_limit_endpoint": Meaning.USE,
}


@pytest.mark.real
def test_the_errors_of_the_contract_are_told_apart(real_data: Path) -> None:
    bodies = json.loads((real_data / "api" / "constructed_error_bodies_from_source.json").read_text())
    got = {}
    for name, one in bodies.items():
        if not name.startswith("_"):
            content = one["body_text"].encode() if "body_text" in one else json.dumps(one["body"]).encode()
            got[name] = verdict_of(one["status"], one["headers"], content).meaning
    assert got == MEANINGS


@pytest.mark.real
def test_all_recorded_exchanges_are_judged_by_their_status(real_data: Path) -> None:
    counts: Counter[tuple[int, Meaning]] = Counter()
    with gzip.open(real_data / "api" / "recorded_interactions.jsonl.gz", "rt") as lines:
        for line in lines:
            one = json.loads(line)
            headers = one["headers"] if isinstance(one["headers"], dict) else {}
            counts[one["status"], verdict_of(one["status"], headers, one["body"].encode()).meaning] += 1
    unusable = counts.pop((200, Meaning.AGAIN), 0)
    assert counts == {
        (200, Meaning.USE): 606 - unusable,
        (400, Meaning.REFUSED): 6,
        (401, Meaning.KEY): 4,
        (403, Meaning.REFUSED): 3,
        (404, Meaning.GONE): 1,
    }
    print("recorded answers with status 200 and no JSON object:", unusable)


@pytest.mark.parametrize("status", [404, 410])
def test_a_work_that_the_source_no_longer_has_is_gone(status: int) -> None:
    assert _judge(status, {"error": "Not Found"}) is Meaning.GONE
