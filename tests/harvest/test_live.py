"""Does the contract with OpenAlex still hold? ``COPUB_LIVE=1 pytest -m live tests/harvest/test_live.py``.

Needs a network; a free key (OPENALEX_API_KEY) is used if there is one. Costs less than a cent, and
each failure names the assumption that no longer holds. The same assumptions are checked against
the stand-in server without a network.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from assumptions import (
    ASSUMPTIONS,
    SMALL,
    Check,
    one_query_of_the_query_language_finds_what_the_four_queries_find,
    oql,
)
from bibliography import Work, author, long_list, pair, work
from standin import Server

from copub.errors import InputError, SourceUnavailableError
from copub.sources.harvest.transport import Timing, Transport, source_key, source_url

CENT = 100  # credits
NAMES = [check.__name__ for check in ASSUMPTIONS]


@pytest.fixture(scope="module")
def stand_in_address() -> Iterator[str]:
    draw = random.Random(5)
    dates = [
        f"{year}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}" for year in range(2018, 2021) for _ in range(160)
    ]
    works = [work(1 + at, pair(at * 10, at % 4 if at % 3 == 0 else 0), date=date) for at, date in enumerate(dates)]
    works += [
        work(7000, [author(1, "BE")], date="2019-04-04"),
        work(7001, long_list(90_000, 200, "CN"), date="2019-05-05"),
    ]
    works.append(work(7002, pair(99_000, 0), date="2019-06-06", is_xpac=True))
    works += [work(8000 + at, _of_luxembourg(at), date=date) for at, date in enumerate(dates[:320])]
    with Server(works) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def stand_in(stand_in_address: str) -> Transport:
    return Transport(stand_in_address, timing=Timing(per_second=0))


def _of_luxembourg(at: int) -> list[Work]:
    """Return authors of a pair in one of the four ways, of which the last is alone; and long lists now and then."""
    first = 200_000 + at * 300
    if at % 40 == 0:
        return [author(first, "LU"), *long_list(first + 1, 150, "CN")]
    luxembourg = author(first, "LU") if at % 2 else author(first, None, "LU")
    return [luxembourg, author(first + 1, *(("CN",), (None, "HK"), ("MO", "CN"), ("DE",))[at // 2 % 4])]


@pytest.fixture(scope="module")
def openalex() -> Transport:
    if os.environ.get("COPUB_LIVE") != "1":
        pytest.skip("asks the real OpenAlex: set COPUB_LIVE=1")
    return Transport(source_url(), source_key())


@pytest.mark.parametrize("check", ASSUMPTIONS, ids=NAMES)
def test_the_stand_in_keeps_the_contract(check: Check, stand_in: Transport) -> None:
    check(stand_in)
    assert stand_in.credits <= CENT


@pytest.mark.live
@pytest.mark.parametrize("check", ASSUMPTIONS, ids=NAMES)
def test_openalex_keeps_the_contract(check: Check, openalex: Transport) -> None:
    check(openalex)
    assert openalex.credits <= CENT


@pytest.mark.live
def test_openalex_refuses_a_wrong_key(openalex: Transport) -> None:
    with pytest.raises(InputError, match="key"):
        Transport(source_url(), "copub-live-test-wrong-key").get("works", "select=id&per-page=1")


def _is_the_same_by_post(address: str, transport: Transport, key: str | None) -> None:
    asked = {"oql": oql(SMALL), "select": "id", "per_page": 1}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    posted = requests.post(f"{address}/", json=asked, headers=headers, timeout=60).json()
    got = transport.get("", urlencode(asked)).body
    assert got is not None
    assert posted.keys() == got.keys()
    assert posted["meta"]["count"] == got["meta"]["count"] > 0
    assert posted["results"] == got["results"]


def test_the_stand_in_takes_a_query_as_json_too(stand_in_address: str, stand_in: Transport) -> None:
    _is_the_same_by_post(stand_in_address, stand_in, None)


@pytest.mark.live
def test_openalex_takes_a_query_as_json_too(openalex: Transport) -> None:
    _is_the_same_by_post(source_url(), openalex, source_key())


@pytest.mark.parametrize("text", ["works", "works where publication_year (2019)", "works where title is (a", ""])
def test_the_stand_in_refuses_what_it_cannot_read(text: str, stand_in: Transport) -> None:
    with pytest.raises(SourceUnavailableError, match="400"):
        stand_in.get("", urlencode({"oql": text}))


def test_a_difference_between_the_query_language_and_the_four_queries_is_named() -> None:
    works = [work(at, [author(at * 10, "LU"), author(at * 10 + 1, "CN")], date="2018-05-05") for at in range(1, 4)]
    with Server(works, edits={9: lambda held: held.pop()}) as server:
        asking = Transport(server.base_url, timing=Timing(per_second=0))
        with pytest.raises(AssertionError, match="works: 3 by the four queries, 2 by one"):
            one_query_of_the_query_language_finds_what_the_four_queries_find(asking)
