"""The harvest of a panel of 27: one query, its cost stated before it starts, spread over days, resumed without loss."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from bibliography import Work, author, work
from scenarios import QUICK, expected, get
from standin import Manners, Server

import copub
from copub.cli import main
from copub.cli.runs import estimate_lines
from copub.countrygroups import GROUPS
from copub.errors import SourceUnavailableError
from copub.history.verify import verify
from copub.pipeline import query_of
from copub.sources.harvest import estimate
from copub.sources.harvest.estimate import days_of
from copub.study import load_study

MEMBERS = GROUPS["EU27"].codes
QUERY = query_of(load_study("eu-china"))


def works_of_all(number: int = 1600) -> list[Work]:
    """Return works of every member with China, resolved or by printed address, and works of others."""
    made = []
    for place, code in zip(range(number), itertools.cycle([*MEMBERS, "US"]), strict=False):
        printed = place % 5 == 0
        authors = [author(4 * place, None if printed else code, code), author(4 * place + 1, "CN")]
        if place % 7 == 0:
            authors.append(author(4 * place + 2, MEMBERS[place % 27]))
        made.append(work(100_000 + place, authors, date=f"{2000 + place % 26}-03-01"))
    return made


WORKS = works_of_all()


def test_one_query_brings_the_works_of_all_pairs_and_the_estimate_states_its_cost(tmp_path: Path) -> None:
    with Server(WORKS) as server:
        price = estimate(QUERY, base_url=server.base_url, timing=QUICK)
        harvested = get(server, tmp_path, query=QUERY)
    found = {record.value["id"].rpartition("/")[2] for record in harvested.records()}
    assert found == expected(WORKS, QUERY)
    assert (price.works, price.credits) == (harvested.log["works"], harvested.log["cost"]["credits"])
    assert (price.budget_limit, price.days) == (1000, 1)
    for key, years in harvested.log["pairs"].items():
        code = key.partition("-")[0]
        own = expected(WORKS, replace(QUERY, side_a=(code,)))
        assert sum(years.values()) == len(own), key
    assert list(harvested.log["pairs"]) == [f"{code}-CN" for code in MEMBERS]
    assert estimate_lines(price, 27)[0] == "pairs    27, in one harvest"


def test_a_cache_of_before_a_study_was_a_panel_stays_whole(tmp_path: Path) -> None:
    with Server(WORKS[:200]) as server:
        get(server, tmp_path, query=replace(QUERY, pairs=()))
        assert get(server, tmp_path, query=QUERY, offline=True).log["pairs"] == {}
        assert len(get(server, tmp_path, query=QUERY).log["pairs"]) == 27
        assert len(get(server, tmp_path, query=QUERY, offline=True).log["pairs"]) == 27


def test_a_harvest_that_the_budget_of_a_day_does_not_cover_spreads_over_the_days_that_were_stated(
    tmp_path: Path,
) -> None:
    with Server(WORKS, manners=Manners(anonymous=1000)) as server:
        server.manners = Manners(anonymous=12)
        server.reset_budget()
        price = estimate(QUERY, base_url=server.base_url, timing=QUICK)
        assert price.days is not None and price.days > 2
        assert any(line.startswith(f"days     {price.days}, at 12 credits a day") for line in estimate_lines(price))
        first, days = len(server.requests), 1
        while True:
            try:
                harvested = get(server, tmp_path, query=QUERY)
                break
            except SourceUnavailableError as stopped:
                assert stopped.exit_code == 3 and stopped.resume_at is not None
                days += 1
                server.reset_budget()
        paid = list(server.requests[first:])
    assert days == price.days
    assert {record.value["id"].rpartition("/")[2] for record in harvested.records()} == expected(WORKS, QUERY)
    assert len(paid) == price.calls + days - 1  # each day but the last ends with a request that is refused


@pytest.mark.parametrize(
    ("credits", "left", "limit", "days"),
    [(600, 1000, 1000, 1), (600, 600, 1000, 1), (601, 600, 1000, 2), (2600, 600, 1000, 3), (5, None, None, None)],
)
def test_days_are_what_is_left_today_and_then_a_budget_each_day(
    credits: int, left: int | None, limit: int | None, days: int | None
) -> None:
    assert days_of(credits, left, limit) == days


def test_a_run_sets_the_works_of_each_pair_and_year_beside_the_count_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(WORKS[:300]) as server:
        monkeypatch.setenv("COPUB_OPENALEX_URL", server.base_url)
        places = {"cache": tmp_path / "cache", "reports": tmp_path / "reports"}
        run = copub.run("eu-china", until="measure", **places)
        asked = len(server.requests)
        own = copub.run("eu-china", pair="BE", until="measure", **places)
        assert len(server.requests) == asked
    years = run.tables["panel_years"]
    assert years["works"].to_list() == years["expected"].to_list()
    assert years["missing"].sum() == 0 and years["works"].sum() > 200
    assert years["pair"].n_unique() == 27
    assert {row["stage"]: row.get("result") for row in own.manifest["stages"]}["tabulate"] == "reused"
    assert verify(run, places["cache"]).is_same


def test_a_run_of_a_panel_states_its_cost_before_it_asks_for_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(WORKS[:200]) as server:
        monkeypatch.setenv("COPUB_OPENALEX_URL", server.base_url)
        words = ["run", "eu-china", "--until", "harvest", "--cache", str(tmp_path), "--reports", str(tmp_path / "r")]
        for lines in (1, 0):  # the second time the harvest has begun
            monkeypatch.setattr("sys.argv", ["copub", *words])
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code
            assert capsys.readouterr().err.count("pairs    27, in one harvest") == lines
