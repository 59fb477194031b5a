"""Rules of looking up: the study's own rows, readable names, nothing where there is nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from copub.report.answers import _rests_on
from copub.report.facts import facts_of


@pytest.mark.parametrize(
    ("area", "name"),
    [
        ("EU-02-AI", "Artificial intelligence"),  # as the manifest names it
        ("EU-10-MATERIALS-MANUFACTURING", "Materials manufacturing"),
        ("EU-99-AI", "AI"),
        ("quantum", "Quantum"),
        ("any area", "Any area"),
        ("EU-01", "EU-01"),
        ("", ""),
    ],
)
def test_areas_have_readable_names(world: Any, area: str, name: str) -> None:
    assert facts_of(*world).area(area) == name


def test_levels_go_from_strong_to_weak_and_unknown_ones_last(world: Any) -> None:
    levels = ["none", "unrated", "low", "category 2", "very high", "high", "medium"]
    assert sorted(levels, key=facts_of(*world).by_level) == [
        "very high", "high", "medium", "low", "unrated", "none", "category 2",
    ]  # fmt: skip


def test_levels_of_a_list_of_ones_own_go_in_the_order_of_that_list(world: Any) -> None:
    tables, manifest = world
    lists = [{"id": "mine", "levels": ["red", "amber", "green", "unrated"]}, {"id": "other", "levels": ["listed"]}]
    facts = facts_of(tables, {**manifest, "watchlists": lists})
    levels = ["none", "unrated", "listed", "green", "amber", "red"]
    assert sorted(levels, key=facts.by_level) == ["red", "amber", "green", "listed", "unrated", "none"]


@pytest.mark.parametrize("levels", [["A+", "A"], ["A", "A+"]])
def test_a_level_with_a_plus_is_one_of_the_studys_own(world: Any, levels: list[str]) -> None:
    tables, manifest = world
    renamed = tables["shares"].with_columns(risk_level=pl.lit("A++A"))
    facts = facts_of({**tables, "shares": renamed}, {**manifest, "study": {**manifest["study"], "levels": levels}})
    assert facts.share("critical_listed") is not None


def test_a_study_without_levels_takes_the_rows_over_all_of_them(world: Any) -> None:
    tables, manifest = world
    study = {**manifest["study"], "levels": []}
    assert facts_of(tables, {**manifest, "study": study}).share("critical_listed") is not None


def test_an_empty_manifest_says_nothing() -> None:
    facts = facts_of({}, {})
    assert (facts.a, facts.b, facts.years, facts.counting, facts.title) == ("A", "B", "–", "full", "copub")
    assert facts.share("critical_listed") is None and facts.entries("watchlists") == []


def test_one_year_is_written_once(world: Any) -> None:
    tables, manifest = world
    assert facts_of(tables, {**manifest, "study": {"years": [2024, 2024]}}).years == "2024"


def test_each_list_says_how_many_institutions_of_side_b_it_names(world: Any) -> None:
    tables, manifest = world
    lists = [
        {"id": "world", "title": "World", "countries": {"IR": 26, "RU": 37}},
        {"id": "china", "title": "China", "countries": {"CN": 159}},
        {"id": "old", "title": "A list of an older run"},
    ]
    study = {**manifest["study"], "side_b": {"name": "Iran", "countries": ["IR"]}, "watchlists": ["world"]}
    facts = facts_of(tables, {**manifest, "study": study, "watchlists": lists})
    pairs = dict(_rests_on(facts, None))
    headline, others = (pairs[facts.words.say(f"label.{key}_lists")] for key in ("headline", "other"))
    assert headline == ("World: 26 institutions of side B",)
    assert others == ("China: 0 institutions of side B", "A list of an older run")
