"""Rules of a study file: all faults at once, each with its line and the known values."""

from __future__ import annotations

from pathlib import Path

import pytest

from copub.errors import FileError, InputError
from copub.shipped import shipped_names
from copub.study import SETTINGS, load_study, parse_study
from copub.study.question import ask, resolve
from copub.study.studykeys import RENAMED

MINIMAL = """
[study]
id = "t"
title = "t"
[sides.a]
name = "Belgium"
countries = ["BE"]
[sides.b]
name = "China"
countries = ["CN"]
[years]
from = 2010
to = 2020
[technology]
headline = "eu-2023-2113"
[screening]
headline = ["aspi-cdut-2019"]
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        resolve(parse_study(text, name="s.toml"))
    return [str(fault) for fault in caught.value.faults]


def test_a_minimal_study_has_the_defaults() -> None:
    study = parse_study(MINIMAL)
    assert (study.counting, study.author_cap, study.operating_point, study.confidence) == ("full", 0, "balanced", 0.95)


def test_every_fault_is_named_with_its_line_and_the_known_values() -> None:
    text = (
        MINIMAL.replace('["BE"]', '["be", "XX"]')
        .replace("from = 2010", "from = 2021")
        .replace('"eu-2023-2113"', '"eu-1999"')
        + '[counting]\nheadline = "half"\nconfidnece = 0.9\n'
    )
    faults = faults_of(text)
    assert [fault.split(": ")[0] for fault in faults] == [f"s.toml:{n}" for n in (7, 7, 13, 15, 19, 20)]
    joined = "\n".join(faults)
    for words in (
        "Belgium is BE",
        "'XX' is not an ISO 3166",
        "reversed: from 2021 to 2020",
        "shipped: ",
        "known: full",
        "unknown key 'counting.confidnece'",
    ):
        assert words in joined


def test_missing_keys_say_what_they_are_for() -> None:
    faults = faults_of("[study]\nid = 'x'\n")
    assert any("sides.a.countries is missing" in fault for fault in faults)
    assert all("(" in fault for fault in faults if "is missing" in fault)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "t"', 'id = "../x"', "no identifier"),
        ('countries = ["CN"]', 'countries = ["BE"]', "is on both sides"),
        ('countries = ["CN"]', "countries = []", "must not be empty"),
        ('countries = ["CN"]', 'countries = "CN"', "must be list of text"),
        ("from = 2010", "from = 210", "not between"),
        ("to = 2020", "to = true", "must be whole number"),
        ('title = "t"', 'title = ""', "must be text"),
    ],
)
def test_a_wrong_value_is_named(old: str, new: str, words: str) -> None:
    assert words in "\n".join(faults_of(MINIMAL.replace(old, new)))


def test_events_and_bounds_are_checked() -> None:
    text = MINIMAL + '[[events]]\ndate = "soon"\n[assertions]\nworks = [5, 1]\nwroks = [1, 2]\n'
    joined = "\n".join(faults_of(text))
    for words in ("is no date", "needs a label", "bounds of works are reversed", "no figure 'wroks'"):
        assert words in joined


def test_levels_and_areas_are_checked_against_the_lists_and_taxonomies_named() -> None:
    headline = 'headline = "eu-2023-2113"'
    text = MINIMAL.replace(headline, headline + "\nthresholds = { NOWHERE = 0.5 }") + 'levels = ["hihg"]\n'
    joined = "\n".join(faults_of(text))
    assert "unknown area 'NOWHERE'" in joined
    assert "unknown risk level 'hihg'" in joined


def test_the_top_level_must_be_one_that_counts() -> None:
    joined = "\n".join(faults_of(MINIMAL + 'levels = ["high"]\ntop_level = "very high"\n'))
    assert "'very high' is not among the levels that count" in joined


def test_an_unknown_study_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match="no study 'belgum-china'") as caught:
        load_study("belgum-china")
    assert "belgium-china" in str(caught.value)


def test_a_missing_study_file_is_named() -> None:
    with pytest.raises(InputError, match="no such study"):
        load_study("nowhere/at-all.toml")


@pytest.mark.parametrize("name", ["demo", "belgium-china", "belgium-vietnam", "eu-china"])
def test_shipped_studies_are_valid(name: str) -> None:
    assert name in shipped_names("studies")
    study = load_study(name)
    assert study.id == name
    assert study.synthetic == (name == "demo")
    assert len(study.hash) == 64


@pytest.mark.parametrize(
    ("name", "country"), [("netherlands-iran", "IR"), ("germany-russia", "RU"), ("eu-china", "CN")]
)
def test_shipped_studies_set_several_lists_of_side_b_side_by_side(name: str, country: str) -> None:
    asked = ask(name)
    assert asked.study.side_b.countries == (country,)
    assert len(asked.watchlists) >= 4
    assert all(watchlist.countries.get(country) for watchlist in asked.watchlists)


def test_the_shipped_belgium_china_study_counts_high_and_very_high() -> None:
    study = load_study("belgium-china")
    assert set(study.levels) == {"high", "very high"}
    assert (study.side_a.countries, study.side_b.countries) == (("BE",), ("CN",))
    assert (study.year_from, study.year_to) == (2000, 2025)
    assert "seven-sons" in study.other_watchlists


def test_a_study_may_lie_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    assert load_study(path).id == "t"


def test_every_setting_has_a_meaning_and_the_shipped_studies_write_out_what_moves_the_number() -> None:
    assert all(len(setting.meaning) > 10 for setting in SETTINGS)
    text = load_study("belgium-china").raw
    for key in (
        "exclude_types",
        "author_cap",
        "levels",
        "top_level",
        "tiers",
        "include_medical",
        "include_descendants",
        "operating_point",
    ):
        assert key in text


@pytest.mark.parametrize(("earlier", "now"), RENAMED.items())
def test_an_earlier_name_of_a_key_is_refused_with_the_new_one(earlier: str, now: str) -> None:
    table, key = earlier.split(".")
    value = '"balanced"' if key == "profile" else "true"
    text = MINIMAL.replace(f"[{table}]", f"[{table}]\n{key} = {value}") if f"[{table}]" in MINIMAL else ""
    with pytest.raises(FileError, match=f"unknown key '{earlier}' .it is now called {now}"):
        parse_study(text or f"{MINIMAL}\n[{table}]\n{key} = {value}\n")
