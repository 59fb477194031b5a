"""The synthetic corpus: complete records, a truth that holds, every oddity where it should be."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import polars as pl
import pytest

from copub.corpus import Entry, tabulate
from copub.corpus.population import population
from copub.demo import build_corpus, true_shares, true_values
from copub.demo.places import PREFIX, institutions
from copub.demo.plan import EXCLUDED_TYPES
from copub.errors import InputError
from copub.lists.taxonomy import load_taxonomy
from copub.lists.watchlist import Watchlist, load_watchlist
from copub.sources.rawrecord import Record
from copub.study import load_study

Work = dict[str, Any]


@pytest.fixture(scope="module")
def demo_list() -> Watchlist:
    return load_watchlist("demo-list")


def _digest(works: list[Work]) -> str:
    return hashlib.sha256(json.dumps(works).encode()).hexdigest()


def _countries(work: Work) -> set[str]:
    return {
        country
        for author in work["authorships"]
        for country in (*author["countries"], *(i["country_code"] for i in author["institutions"]))
        if country
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(works: list[Work]) -> None:
    code = (
        "import json,hashlib; from copub.demo import build_corpus; "
        "print(hashlib.sha256(json.dumps(build_corpus()).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == _digest(works)


@pytest.mark.slow
def test_another_seed_gives_another_corpus(works: list[Work]) -> None:
    other = build_corpus(seed=5)
    assert _digest(other) != _digest(works)
    assert true_values(other, seed=5).height == len(other)


def test_about_five_thousand_works_of_which_about_two_thousand_are_in_the_pair(
    works: list[Work], truth: pl.DataFrame
) -> None:
    assert 4900 <= len(works) <= 5100
    assert 1950 <= truth["in_population"].sum() <= 2050
    assert len({work["id"] for work in works}) == len(works)


def test_years_run_from_2000_to_2025_and_grow(truth: pl.DataFrame) -> None:
    years = truth["publication_year"].drop_nulls()
    assert (years.min(), years.max()) == (2000, 2025)
    first, last = (
        truth.filter(pl.col("publication_year").is_between(*span)).height for span in ((2000, 2009), (2016, 2025))
    )
    assert last > 2 * first


def test_planted_shares_lie_where_the_study_expects_them_and_rise(truth: pl.DataFrame) -> None:
    study, shares = load_study("demo"), true_shares(2000, 2025)
    population = truth.filter("in_population")
    assert shares["critical_listed"] == pytest.approx(population["is_critical_listed"].mean())
    assert 0.10 <= shares["critical_listed"] <= 0.14
    assert study.bounds["listed_share"][0] < shares["listed"] < study.bounds["listed_share"][1]
    assert study.bounds["copublications"][0] <= population.height <= study.bounds["copublications"][1]
    early, late = true_shares(2000, 2010), true_shares(2018, 2025)
    assert early["critical_listed"] < late["critical_listed"]


def test_critical_and_listed_go_together_a_little(truth: pl.DataFrame) -> None:
    population = truth.filter("in_population")
    listed = {c: population.filter(pl.col("is_critical") == c)["is_listed"].mean() for c in (True, False)}
    assert 0.05 < listed[True] - listed[False] < 0.25


def test_shares_of_years_outside_the_corpus_are_refused() -> None:
    with pytest.raises(InputError, match="no work of the pair from 1990 to 1995"):
        true_shares(1990, 1995)


def test_truth_of_a_strange_work_is_refused() -> None:
    with pytest.raises(InputError, match="1 work without true values, such as W2741809807"):
        true_values([{"id": "https://openalex.org/W2741809807"}])


def test_truth_of_some_works_has_a_row_for_each(works: list[Work]) -> None:
    assert true_values([{"id": work["id"]} for work in works[10:20]]).height == 10


def test_the_pair_is_what_the_full_author_lists_show(works: list[Work], facts: dict[str, dict[str, Any]]) -> None:
    shown = {work["id"]: {"BE", "CN"} <= _countries(work) for work in works}
    assert shown == {id: row["in_pair"] for id, row in facts.items()}


def test_tabulate_finds_the_planted_population_and_duplicates(works: list[Work], truth: pl.DataFrame) -> None:
    records = (Record(work, f"demo:{n}", ("works-file",)) for n, work in enumerate(works))
    study = load_study("demo")
    corpus = tabulate(records, Entry.of(study))
    counted = population(study, corpus["works"], corpus["authorships"]).select(
        "work_id", in_population=pl.col("excluded_because").is_null()
    )
    found = counted.join(corpus["works"].select("work_id", "duplicate_of"), on="work_id")
    planted = truth.filter("in_pair").select("work_id", "in_population", "duplicate_of")
    assert found.sort("work_id").equals(planted.sort("work_id"))


def test_nothing_of_the_truth_stands_in_the_records(works: list[Work]) -> None:
    text = json.dumps(works)
    for word in ('"EU-0', "EU-10-", '"very high"', "unrated", "lookalike", "unfindable", "is_critical"):
        assert word not in text


def test_listed_institutions_are_found_as_planted(
    works: list[Work], facts: dict[str, dict[str, Any]], demo_list: Watchlist
) -> None:
    entities = {member.entity.id: member for member in demo_list.entities}
    for work in works:
        row = facts[work["id"]]
        found = {tier for tier, id in _traces(work, demo_list)}
        named = {id for _, id in _traces(work, demo_list)}
        if row["entity"] is None or row["tier"] == "unfindable":
            assert not found, work["id"]
            continue
        assert entities[row["entity"]].level == row["max_risk_level"]
        assert named == {row["entity"]}, work["id"]
        strongest = next(tier for tier in ("identifier", "lineage", "name") if tier in found)
        assert strongest == row["tier"], work["id"]


def _traces(work: Work, demo_list: Watchlist) -> set[tuple[str, str]]:
    """Return every trace of a listed institution in the record, by plain comparison."""
    found = set()
    resolved = {i["id"].rpartition("/")[2] for a in work["authorships"] for i in a["institutions"]}
    lineage = {p.rpartition("/")[2] for a in work["authorships"] for i in a["institutions"] for p in i["lineage"]}
    printed = " | ".join(dict.fromkeys(s for a in work["authorships"] for s in a["raw_affiliation_strings"]))
    longer = institutions()["south-donglu"]  # not listed, but its name holds that of a listed one
    printed = printed.replace(longer.name, "").replace(longer.name_zh, "")
    for member in demo_list.entities:
        entity = member.entity
        if resolved & set(entity.openalex):
            found.add(("identifier", entity.id))
        elif lineage & set(entity.openalex):
            found.add(("lineage", entity.id))
        if any(name.text in printed for name in entity.names):
            found.add(("name", entity.id))
    return found


def test_each_tier_and_level_is_planted_often_enough_to_be_seen(truth: pl.DataFrame) -> None:
    population = truth.filter("in_population")
    tiers = dict(population["tier"].drop_nulls().value_counts().iter_rows())
    levels = dict(population["max_risk_level"].drop_nulls().value_counts().iter_rows())
    assert set(tiers) == {"identifier", "lineage", "name", "unfindable"} and min(tiers.values()) >= 20
    assert set(levels) == {"very high", "high", "medium", "low", "unrated"} and min(levels.values()) >= 20


def test_all_ten_areas_and_all_kinds_are_planted(truth: pl.DataFrame) -> None:
    areas = Counter(area for areas in truth["areas"] for area in areas)
    assert set(areas) == set(load_taxonomy("eu-2023-2113").area_ids)
    assert min(areas.values()) >= 40
    assert set(truth["kind"]) == {"core", "other", "lookalike", "applied", "passing"}
    assert truth.filter(pl.col("kind") == "core")["is_critical"].all()
    assert not truth.filter(pl.col("kind") != "core")["is_critical"].any()


def test_a_quarter_to_a_third_of_the_pair_has_a_title_only(works: list[Work], facts: dict[str, dict[str, Any]]) -> None:
    pair = [work for work in works if facts[work["id"]]["in_population"]]
    bare = sum(not work["abstract_inverted_index"] for work in pair) / len(pair)
    assert 0.24 <= bare <= 0.32


@pytest.mark.slow
def test_keywords_alone_neither_find_all_critical_texts_nor_only_those(
    works: list[Work], facts: dict[str, dict[str, Any]]
) -> None:
    terms = [
        str(t).removeprefix("cs:")
        for a in load_taxonomy("eu-2023-2113").areas
        for g in a.technologies
        for t in g.strong
    ]
    plain = [f" {term.lower()} " for term in terms if not term.endswith("*")]
    hits = Counter()
    for work in works:
        kind = facts[work["id"]]["kind"]
        index = work["abstract_inverted_index"]
        words = " ".join(index) if isinstance(index, dict) else ""
        text = (
            f" {work['title']} {words} ".lower().replace("-", " ").replace(":", " ").replace(",", " ").replace(".", " ")
        )
        hits[kind, any(term in text for term in plain)] += 1
    assert 0.2 < hits["core", True] / (hits["core", True] + hits["core", False]) < 0.85
    assert hits["lookalike", True] + hits["passing", True] + hits["applied", True] > 20


def test_titles_repeat_only_where_that_is_planted(works: list[Work], facts: dict[str, dict[str, Any]]) -> None:
    ordinary = [
        w["title"]
        for w in works
        if facts[w["id"]]["oddity"] not in ("paratext", "same-doi", "same-title") and w["title"]
    ]
    assert len(ordinary) - len(set(ordinary)) == 0


def test_everything_is_in_made_up_ranges_and_says_synthetic(works: list[Work]) -> None:
    for work in works:
        assert work["id"].startswith(PREFIX + "W900000")
        assert (work["doi"] or "https://doi.org/10.5555/").startswith("https://doi.org/10.5555/")
        assert "SYNTHETIC" in work["primary_location"]["raw_source_name"]
    assert all("o" in place.ror[1:] for place in institutions().values() if place.ror)


def test_the_demo_study_leaves_out_the_types_that_the_plan_calls_excluded() -> None:
    assert set(load_study("demo").exclude_types) == set(EXCLUDED_TYPES)
    assert load_study("demo").synthetic
