from __future__ import annotations

from pathlib import Path

import pytest
from bibliography import bibliography
from scenarios import QUERY, QUICK, corpus, get
from standin import Manners, Server

from copub.sources.harvest import Query, epoch_of, estimate


def test_the_estimate_is_what_the_harvest_then_costs(tmp_path: Path) -> None:
    with Server(corpus(700)) as server:
        reckoned = estimate(QUERY, base_url=server.base_url, timing=QUICK)
        spent = len(server.requests)
        log = get(server, tmp_path).log
    assert reckoned.works == log["works"]
    assert reckoned.long_lists == log["author_lists"]["cut"]
    assert (reckoned.calls, reckoned.credits) == (log["cost"]["requests"], log["cost"]["credits"])
    assert reckoned.dollars == pytest.approx(reckoned.credits * 0.0001)
    assert reckoned.minutes > 0
    assert reckoned.spent == spent == 8
    assert (reckoned.budget_remaining, reckoned.fits) == (992, True)
    assert reckoned.as_dict()["per_query"].keys() == log["queries"].keys()


def test_a_budget_that_does_not_suffice_is_told(tmp_path: Path) -> None:
    with Server(bibliography(900), manners=Manners(anonymous=15)) as server:
        assert estimate(QUERY, base_url=server.base_url, timing=QUICK).fits is False


def test_without_budget_headers_the_estimate_does_not_guess(tmp_path: Path) -> None:
    with Server(bibliography(9), manners=Manners(headers="none")) as server:
        reckoned = estimate(Query(("BE",), ("VN",), 2000, 2025), base_url=server.base_url, timing=QUICK)
    assert (reckoned.works, reckoned.fits, reckoned.budget_remaining) == (0, None, None)


@pytest.mark.parametrize(
    ("date", "epoch"),
    [
        ("", "unknown"),
        ("2025-11-17", "affiliations before 2026-09-28, topics before 2026-10"),
        ("2026-09-27T23:59:59Z", "affiliations before 2026-09-28, topics before 2026-10"),
        ("2026-09-28", "affiliations 2026-09-28, topics before 2026-10"),
        ("2026-09-30", "affiliations 2026-09-28, topics before 2026-10"),
        ("2026-10-01", "affiliations 2026-09-28, topics 2026-10"),
        ("2027-01-01", "affiliations 2026-09-28, topics 2026-10"),
    ],
)
def test_the_epoch_names_both_instruments(date: str, epoch: str) -> None:
    assert epoch_of(date) == epoch
