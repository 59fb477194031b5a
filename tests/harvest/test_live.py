"""Does the contract with OpenAlex still hold? ``COPUB_LIVE=1 pytest -m live tests/harvest/test_live.py``.

Needs a network; a free key (OPENALEX_API_KEY) is used if there is one. Costs less than a cent, and
each failure names the assumption that no longer holds. The same assumptions are checked against
the stand-in server without a network.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from assumptions import ASSUMPTIONS, Check
from bibliography import author, long_list, pair, work
from standin import Server

from copub.errors import InputError
from copub.sources.harvest.transport import Timing, Transport, source_key, source_url

CENT = 100  # credits
NAMES = [check.__name__ for check in ASSUMPTIONS]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Transport]:
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
    with Server(works) as server:
        yield Transport(server.base_url, timing=Timing(per_second=0))


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
