from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from bibliography import author, bibliography, pair, work
from scenarios import QUERY, QUICK, SCENARIOS, Scenario, corpus, expected, get, killed_scenario, play
from standin import Manners, Server
from standin_faults import Faults

from copub.corpus import TABULATED, Entry, tabulate
from copub.engine import engine_of
from copub.errors import InputError, SourceUnavailableError
from copub.sources.harvest import Harvest, Query, Record, harvest, stream
from copub.study import load_study

PAIR = bibliography(260, others=40)
IN_DEFAULT_TESTS = (
    "clean",
    "clean, 800 works: full last page",
    "one request in three fails, all kinds",
    "short page, no cursor, no flag",
    "short pages, also when asked again",
    "short first page of each query",
    "works move while they are read",
    "budget of 7 credits a day",
    "a page of the cache is damaged",
)


def _ids(harvested: Harvest) -> list[str]:
    return [record.value["id"].rpartition("/")[2] for record in harvested.records()]


def _by_name(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


def _all_lost_nothing(scenario: Scenario, folder: Path) -> float:
    row = play(scenario, folder)
    assert row.same, f"expected {row.expected}, got {row.got}"
    assert (row.duplicates, row.incomplete, row.missing) == (0, 0, 0)
    return row.ratio


@pytest.mark.parametrize("name", IN_DEFAULT_TESTS)
def test_no_fault_of_the_source_loses_or_repeats_a_work(name: str, tmp_path: Path) -> None:
    ratio = _all_lost_nothing(_by_name(name), tmp_path / "cache")
    assert ratio <= (1.1 if name.startswith("clean") else 3.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in SCENARIOS if one.name not in IN_DEFAULT_TESTS])
def test_no_rarer_fault_of_the_source_loses_or_repeats_a_work(name: str, tmp_path: Path) -> None:
    ratio = _all_lost_nothing(_by_name(name), tmp_path / "cache")
    assert ratio <= (1.1 if name.startswith("clean") else 1.3)


def _table_bytes(records: list[Record]) -> dict[str, bytes]:
    corpus = tabulate(records, Entry.of(load_study("belgium-china")))
    made = {}
    for name in ("works", "topics", "authorships", "affiliations"):
        buffer = io.BytesIO()
        corpus[name].write_parquet(buffer)
        made[name] = buffer.getvalue()
    return made


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_a_harvest_that_is_killed_goes_on_and_gets_the_same_records(kills: int, tmp_path: Path) -> None:
    scenario = killed_scenario(kills)
    works = scenario.works()
    with Server(works, faults=scenario.faults) as server:
        now = datetime.now(UTC).strftime("%Y-%m-%d")
        killed = list(scenario.run(server, tmp_path / "killed").records())
        asked = len(server.requests)
        whole = list(get(server, tmp_path / "whole").records())
        fresh = len(server.requests) - asked
    assert killed == whole
    assert _table_bytes(killed) == _table_bytes(whole)
    assert {record.retrieved_on for record in whole} <= {now, datetime.now(UTC).strftime("%Y-%m-%d")}
    assert fresh <= asked <= fresh + kills


def test_works_with_one_side_only_after_the_hundredth_author_are_found_and_complete(tmp_path: Path) -> None:
    with Server(corpus(50)) as server:
        harvested = get(server, tmp_path)
    authors = {record.value["id"][-6:]: len(record.value["authorships"]) for record in harvested.records()}
    assert {number: authors[number] for number in ("900003", "900006", "900020", "900021")} == {
        "900003": 150, "900006": 3000, "900020": 122, "900021": 150,
    }  # fmt: skip
    assert harvested.log["author_lists"] == {"cut": 8, "completed": 8, "left_cut": []}


def test_every_record_says_which_query_found_it_and_when(tmp_path: Path) -> None:
    works = [work(1 + kind, pair(kind * 10, kind)) for kind in range(4)]
    with Server(works) as server:
        records = list(get(server, tmp_path).records())
    assert {record.value["id"][-1]: record.found_by for record in records} == {
        "1": ("institutions",),
        "2": ("institutions-countries",),
        "3": ("countries-institutions",),
        "4": ("countries",),
    }
    assert all(record.where and len(record.retrieved_on) == 10 for record in records)


def test_a_work_found_by_two_queries_comes_once_and_names_both(tmp_path: Path) -> None:
    works = [work(1, pair(10, 3)), work(2, pair(20, 0))]

    def resolve(works: list[dict[str, Any]]) -> None:
        works[1]["authorships"] = pair(20, 1)

    with Server(works, edits={2: resolve}) as server:
        records = {record.value["id"][-1]: record.found_by for record in get(server, tmp_path).records()}
    assert records == {"1": ("countries",), "2": ("institutions", "institutions-countries")}


def test_the_expansion_corpus_stays_out_by_default(tmp_path: Path) -> None:
    works = [work(1, pair(10, 0)), work(2, pair(20, 0), is_xpac=True)]
    with Server(works) as server:
        assert _ids(get(server, tmp_path / "a")) == ["W1"]
        wide = Query(("BE",), ("CN",), 2000, 2025, expansion=True)
        got = harvest(wide, cache=tmp_path / "b", base_url=server.base_url, timing=QUICK)
    assert sorted(_ids(got)) == ["W1", "W2"]


def test_what_is_missing_is_named_by_query_year_and_month(tmp_path: Path) -> None:
    works = [work(1 + at, pair(at * 10, 0), date=f"2015-{1 + at % 12:02d}-05") for at in range(48)]
    # every page after the first, and every repetition, is cut short
    faults = Faults(at=dict.fromkeys((1, *range(6, 30)), "short-page"))
    with Server(works, faults=faults) as server:
        harvested = get(server, tmp_path)
    gone = {one["id"].rpartition("/")[2] for one in works} - set(_ids(harvested))
    assert gone
    assert harvested.log["n_missing"] == len(gone)
    for row in harvested.log["missing"]:
        assert (row["query"], row["year"]) == ("institutions", "2015")
        assert row["missing"] == row["expected"] - row["got"] > 0
    months = {row["month"]: row["missing"] for row in harvested.log["missing"]}
    dates = {one["id"].rpartition("/")[2]: one["publication_date"] for one in works}
    assert months == {month: sum(dates[one][5:7] == month for one in gone) for month in months}


def test_a_work_that_leaves_the_index_meanwhile_is_no_gap(tmp_path: Path) -> None:
    with Server(list(PAIR), edits={3: lambda works: works.__delitem__(0)}) as server:
        log = get(server, tmp_path).log
    assert log["n_missing"] == 0


def test_counts_per_year_and_context_counts_agree_with_looking_at_every_work(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        log = get(server, tmp_path).log
    wanted = [one for one in PAIR if one["id"].rpartition("/")[2] in expected(PAIR)]
    for year in range(2000, 2026):
        rows = [row["years"][str(year)] for row in log["queries"].values() if str(year) in row["years"]]
        assert sum(row["got"] for row in rows) == sum(one["publication_year"] == year for one in wanted)
        assert all(row["got"] == row["expected"] for row in rows)
        here = [{code for a in one["authorships"] for code in a["countries"]} for one in PAIR
                if one["publication_year"] == year]  # fmt: skip
        assert log["context"]["a"].get(str(year), 0) == sum("BE" in codes for codes in here)
        assert log["context"]["b"].get(str(year), 0) == sum("CN" in codes for codes in here)
        world = [one for one in PAIR if one["publication_year"] == year and one["countries_distinct_count"]]
        assert log["context"]["world"].get(str(year), 0) == len(world)


def test_a_budget_spent_in_the_middle_stops_and_the_next_call_repeats_no_page(tmp_path: Path) -> None:
    with Server(PAIR, manners=Manners(anonymous=5)) as server:
        with pytest.raises(SourceUnavailableError) as caught:
            get(server, tmp_path)
        assert caught.value.exit_code == 3 and caught.value.resume_at is not None
        before = set(server.requests[:-1])
        server.reset_budget()
        server.remaining[""] = 100
        harvested = get(server, tmp_path)
        after = server.requests[6:]
    assert set(_ids(harvested)) == expected(PAIR)
    assert not before & set(after)


def test_a_complete_cache_is_used_without_a_single_request(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        first = get(server, tmp_path)
        made = len(server.requests)
        second = get(server, tmp_path)
        assert len(server.requests) == made
    assert list(first.records()) == list(second.records())
    assert second.log["cost"]["answers_this_time"] == 0
    assert second.log["pages"] == first.log["pages"]


def test_offline_uses_only_the_cache_and_tells_its_age(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        first = get(server, tmp_path, now=lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    late = harvest(
        QUERY,
        cache=tmp_path,
        base_url=server.base_url,
        offline=True,
        now=lambda: datetime(2026, 11, 21, 13, tzinfo=UTC),
    )
    assert list(late.records()) == list(first.records())
    assert late.log["age_days"] == 20
    assert (late.log["first_retrieval"], late.log["epochs"]) == (
        "2026-11-01T12:00:00Z",
        ["affiliations 2026-09-28, topics 2026-10"],
    )


def test_offline_refuses_an_incomplete_harvest_and_says_what_to_do(tmp_path: Path) -> None:
    with Server(PAIR, manners=Manners(anonymous=5)) as server, pytest.raises(SourceUnavailableError):
        get(server, tmp_path)
    with pytest.raises(InputError, match="no complete harvest") as caught:
        harvest(QUERY, cache=tmp_path, base_url=server.base_url, offline=True)
    assert "without --offline" in str(caught.value)


def test_offline_refuses_a_complete_harvest_with_a_damaged_page(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        get(server, tmp_path)
    next(tmp_path.glob("0001/*.zst")).write_bytes(b"")
    with pytest.raises(InputError, match="whole harvest"):
        harvest(QUERY, cache=tmp_path, base_url=server.base_url, offline=True)


def test_offline_and_refresh_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exclude"):
        harvest(QUERY, cache=tmp_path, base_url="http://127.0.0.1:9", offline=True, refresh=True)


def test_a_page_that_fails_its_hash_is_asked_again_alone_and_reported(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        first = set(_ids(get(server, tmp_path)))
        made = len(server.requests)
        (tmp_path / "0001" / "000002.json.zst").write_bytes(b"damaged")
        second = get(server, tmp_path)
        assert len(server.requests) == made + 1
    assert second.log["reasked_pages"] == ["000002.json.zst"]
    assert set(_ids(second)) == first


def test_an_address_that_is_no_openalex_is_named(tmp_path: Path) -> None:
    with Server(PAIR) as server, pytest.raises(InputError, match="no OpenAlex at this address"):
        harvest(QUERY, cache=tmp_path, base_url=server.base_url + "/api", timing=QUICK)


def test_a_long_list_whose_single_record_is_gone_stays_cut_and_is_named(tmp_path: Path) -> None:
    with Server(corpus(20)) as server:
        answer = server.answer
        server.answer = lambda method, target, headers: answer(  # type: ignore[method-assign]
            method, target.replace("works/W900003", "works/W1234567890"), headers
        )
        harvested = get(server, tmp_path)
    lists = {record.value["id"][-7:]: len(record.value["authorships"]) for record in harvested.records()}
    assert lists["W900003"] == 100
    assert harvested.log["author_lists"]["left_cut"] == ["W900003"]


def test_a_planted_key_is_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    key = "planted-0123456789"
    works = [*PAIR, work(99_999, [author(1, "BE"), author(2, "CN")], title="a work")]
    with Server(works, manners=Manners(keys={key: 1000}), faults=Faults(rate=0.3)) as server:
        harvested = get(server, tmp_path, api_key=key)
        assert server.remaining[key] < 1000
    assert not any(key in request for request in server.requests)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            text = zstandard.ZstdDecompressor().decompress(content) if path.suffix == ".zst" else content
            assert key.encode() not in text and key not in path.name
    assert key.encode() not in orjson.dumps(harvested.log)
    assert key not in "".join(capfd.readouterr())


def test_the_log_is_ready_for_json_and_lists_every_page_with_hash_and_date(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        log = get(server, tmp_path).log
    assert orjson.loads(orjson.dumps(log)) == log
    assert {len(page["sha256"]) for page in log["pages"]} == {64}
    assert len(log["pages"]) == log["cost"]["requests"] == len(server.requests)
    assert log["cost"]["credits"] == 1000 - server.remaining[""]


def test_records_without_an_id_are_passed_on_once_and_counted(tmp_path: Path) -> None:
    nameless = [work(1, pair(10, 0), date="2015-01-01") | {"id": None, "title": title} for title in ("one", "two")]
    with Server([*PAIR, *nameless], faults=Faults(at={1: "short-page"})) as server:
        harvested = get(server, tmp_path)
    values = [record.value for record in harvested.records()]
    assert sorted(value["title"] for value in values if value["id"] is None) == ["one", "two"]
    assert len(values) == len(expected(PAIR)) + 2
    assert harvested.log["queries"]["institutions"]["without_id"] == 2
    assert harvested.log["n_missing"] == 0


def test_counts_per_year_that_do_not_add_up_are_not_trusted(tmp_path: Path) -> None:
    works = [work(1 + at, pair(at * 10, 0), date=f"{2000 + at % 3}-05-05") for at in range(150)]
    with Server(works, faults=Faults(at={1: "short-page"})) as server:
        groups = server.library.groups
        server.library.groups = lambda *_: dict(list(groups(*_).items())[:1])  # type: ignore[method-assign]
        harvested = get(server, tmp_path)
    assert len(_ids(harvested)) == len(set(_ids(harvested))) == 150
    assert harvested.log["queries"]["institutions"]["expected"] == 150
    assert harvested.log["missing"] == []


def test_every_key_of_the_log_is_explained(tmp_path: Path) -> None:
    with Server(PAIR) as server:
        log = get(server, tmp_path).log
    page = (Path(__file__).parents[2] / "docs" / "harvest.md").read_text(encoding="utf-8")
    assert [key for key in log if f"`{key}`" not in page] == []


def test_a_gap_that_no_month_shows_is_named_by_its_year(tmp_path: Path) -> None:
    works = [work(1 + at, pair(at * 10, 0), date=f"2015-{1 + at % 12:02d}-05") for at in range(60)]
    works[7]["publication_date"] = None
    with Server(works, faults=Faults(at={1: "short-page", 6: "short-page"})) as server:
        log = get(server, tmp_path).log
    assert log["missing"] == [
        {"query": "institutions", "year": "2015", "month": "", "expected": 60, "got": 59, "missing": 1}
    ]


def test_a_cursor_that_comes_back_ends_the_list_and_the_gap_is_named(tmp_path: Path) -> None:
    works = [work(1 + at, pair(at * 10, 0)) for at in range(250)]
    with Server(works) as server:
        answer = server.answer

        def stuck(method: str, target: str, headers: Any) -> Any:
            reply, fault = answer(method, target, headers)
            body = orjson.loads(reply.body)
            if body.get("results") and body["meta"]["next_cursor"]:
                body["meta"]["next_cursor"] = "*"
                reply.body = orjson.dumps(body)
            return reply, fault

        server.answer = stuck  # type: ignore[method-assign]
        log = get(server, tmp_path).log
    assert (log["works"], log["n_missing"]) == (100, 150)
    assert len(server.requests) < 30


def test_pages_read_in_portions_give_the_tables_of_single_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PAGES_AT_ONCE", 1)
    with Server(PAIR) as server:
        harvested = get(server, tmp_path)
    entry = Entry.of(load_study("belgium-china"))
    with engine_of(workers=1):
        parted, single = tabulate(harvested.records(), entry), tabulate(iter(harvested.records()), entry)
    assert len(list(harvested.records().portions())) > 3
    assert parted.funnel == single.funnel
    assert all(parted[name].equals(single[name]) for name in TABULATED)
