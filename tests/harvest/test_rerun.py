from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bibliography import author, bibliography, long_list, pair, work
from scenarios import get
from standin import Manners, Server
from standin_faults import Faults

from copub.errors import InputError, SourceUnavailableError
from copub.sources.harvest import query, source
from copub.sources.harvest.harvester import Harvest
from copub.sources.harvest.query import LATER, SELECT

SPRING = datetime(2026, 4, 1, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, tzinfo=UTC)


def _works() -> list[dict[str, Any]]:
    return [*bibliography(150, others=10), work(7001, long_list(70_000, 120, "CN")), work(7002, pair(90_000, 0))]


def _second_year(works: list[dict[str, Any]]) -> None:
    """One work gone, one out of the pair, one new, one changed and dated, one changed in silence."""
    by_id = {one["id"].rpartition("/")[2]: one for one in works}
    works.remove(by_id["W7002"])
    by_id["W3"]["authorships"] = [author(1, "DE")]
    by_id["W4"] |= {"title": "Changed", "updated_date": "2026-10-10T00:00:00"}
    by_id["W5"]["title"] = "Changed in silence"
    works.append(work(8001, pair(80_000, 2)))
    works.append(work(8002, long_list(81_000, 130, "CN")))


def _tombstones(log: dict[str, Any]) -> dict[str, str]:
    return {stone["id"]: stone["status"] for stone in log["changes"]["tombstones"]}


def test_a_refresh_finds_all_changes_by_content_and_keeps_tombstones(tmp_path: Path) -> None:
    with Server(_works()) as server:
        first = get(server, tmp_path)
        assert first.log["changes"] is None
        _second_year(server.library.works)
        server.library.refresh()
        second = get(server, tmp_path, refresh=True)
        third = get(server, tmp_path, refresh=True)
    changes = second.log["changes"]
    assert {key: changes[key] for key in ("added", "changed", "changed_with_same_date", "unchanged", "vanished")} == {
        "added": 2, "changed": 2, "changed_with_same_date": 1, "unchanged": 148, "vanished": 2,
    }  # fmt: skip
    assert _tombstones(second.log) == {"W3": "left the pair", "W7002": "deleted or merged"}
    assert third.log["changes"]["changed"] == third.log["changes"]["vanished"] == 0
    assert _tombstones(third.log) == _tombstones(second.log)
    assert [first.log["round"], second.log["round"], third.log["round"]] == [1, 2, 3]


def test_a_cache_from_before_awards_were_asked_for_is_used_and_no_work_has_changed_when_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def awards(harvested: Harvest) -> list[bool]:
        return ["awards" in record.value for record in harvested.records()]

    works = [one | {"awards": [{"funder_id": "https://openalex.org/F1", "funder_award_id": "1"}]} for one in _works()]
    with Server(works) as server:
        with monkeypatch.context() as earlier:
            for module in (query, source):
                earlier.setattr(module, "SELECT", tuple(field for field in SELECT if field not in LATER))
            assert not any(awards(get(server, tmp_path)))
        assert not any(awards(get(server, tmp_path, offline=True)))
        refreshed = get(server, tmp_path, refresh=True)
    assert refreshed.log["changes"]["changed"] == 0 and all(awards(refreshed))


def test_a_work_that_comes_back_loses_its_tombstone(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path)
        gone = server.library.works.pop()
        server.library.refresh()
        assert _tombstones(get(server, tmp_path, refresh=True).log) == {"W7002": "deleted or merged"}
        server.library.works.append(gone)
        server.library.refresh()
        assert _tombstones(get(server, tmp_path, refresh=True).log) == {}


def test_a_sweep_fetches_only_the_new_and_the_dated_and_says_to_what_it_is_blind(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path)
        _second_year(server.library.works)
        server.library.refresh()
        before = len(server.requests)
        swept = get(server, tmp_path, sweep=True)
        asked = [one for one in server.requests[before:] if "openalex" in one]
        whole = get(server, tmp_path / "other")
    assert len(asked) == 1 and all(f"W{number}" in asked[0] for number in (4, 8001, 8002))
    assert "re-match" in swept.log["blind_to"] and swept.log["mode"] == "sweep"
    got = {record.value["id"]: record.value for record in swept.records()}
    wanted = {record.value["id"]: record.value for record in whole.records()}
    silent = got.pop("https://openalex.org/W5"), wanted.pop("https://openalex.org/W5")
    assert got == wanted
    assert [one["title"] for one in silent] == ["Work 5", "Changed in silence"]
    assert len(got["https://openalex.org/W8002"]["authorships"]) == 130
    assert len(got["https://openalex.org/W7001"]["authorships"]) == 120


def test_a_sweep_can_build_on_a_sweep(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path)
        _second_year(server.library.works)
        server.library.refresh()
        get(server, tmp_path, sweep=True)
        server.library.works.append(work(8003, pair(99_000, 1)))
        server.library.refresh()
        again = get(server, tmp_path, sweep=True)
        offline = get(server, tmp_path, offline=True)
    ids = {record.value["id"][-5:] for record in again.records()}
    assert {"W8001", "W8003"} <= ids
    assert again.log["changes"]["added"] == 1
    assert list(offline.records()) == list(again.records())


def test_a_sweep_of_an_empty_cache_is_a_whole_harvest(tmp_path: Path) -> None:
    with Server(_works()) as server:
        assert get(server, tmp_path, sweep=True).log["mode"] == "whole"


def test_a_sweep_does_not_bridge_an_epoch_and_a_whole_harvest_does(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path, now=lambda: SPRING)
        with pytest.raises(InputError, match="epochs") as caught:
            get(server, tmp_path, sweep=True, now=lambda: AUTUMN)
        assert "--refresh" in str(caught.value)
        log = get(server, tmp_path, refresh=True, now=lambda: AUTUMN).log
    assert log["mode"] == "whole" and log["changes"]["against_round"] == 1
    assert log["epochs"] == ["affiliations 2026-09-28, topics 2026-10"]


def test_a_sweep_made_before_a_change_of_epoch_can_still_be_read_after_it(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path, now=lambda: SPRING)
        swept = get(server, tmp_path, sweep=True, now=lambda: SPRING)
        later = get(server, tmp_path, offline=True, now=lambda: AUTUMN)
    assert list(later.records()) == list(swept.records())


def test_works_that_do_not_come_when_asked_for_are_asked_again_and_then_named(tmp_path: Path) -> None:
    with Server(_works(), faults=Faults()) as server:
        get(server, tmp_path)
        works = server.library.works
        works += [work(8000 + at, pair(80_000 + at * 2, 0)) for at in range(6)]
        server.library.refresh()
        made = len(server.requests)
        # five pages, four counts, then the batch; it comes half, and half again
        server.faults = Faults(at={made + 10: "short-page", made + 11: "short-page"})
        log = get(server, tmp_path, sweep=True).log
    batches = [one for one in server.requests[made:] if "openalex" in one]
    assert len(batches) == 2
    assert log["n_missing"] == 2


def test_an_interrupted_refresh_is_finished_first_and_offline_keeps_to_the_complete_one(tmp_path: Path) -> None:
    with Server(_works(), manners=Manners(anonymous=30)) as server:
        first = get(server, tmp_path)
        server.remaining[""] = 5
        with pytest.raises(SourceUnavailableError):
            get(server, tmp_path, refresh=True)
        assert get(server, tmp_path, offline=True).log["round"] == 1
        server.reset_budget()
        made = len(server.requests)
        second = get(server, tmp_path)
        assert len(server.requests) - made < first.log["cost"]["requests"]
    assert second.log["round"] == 2
    assert second.log["changes"]["unchanged"] == first.log["works"]


def test_a_round_is_never_changed_by_the_next_one(tmp_path: Path) -> None:
    with Server(_works()) as server:
        get(server, tmp_path)
        before = {path: path.read_bytes() for path in (tmp_path / "0001").iterdir()}
        _second_year(server.library.works)
        server.library.refresh()
        get(server, tmp_path, refresh=True)
    assert {path: path.read_bytes() for path in (tmp_path / "0001").iterdir()} == deepcopy(before)
