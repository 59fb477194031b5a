"""A study may be a panel of pairs: what its keys mean, what is refused, and that a pair is a study of its own."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from copub.corpus import Entry
from copub.countries import COUNTRY_CODES
from copub.countrygroups import GROUPS, expanded, find_group
from copub.errors import FileError, InputError
from copub.pairs import parse_pairs
from copub.pipeline import query_of
from copub.runs.instruments import study_of
from copub.runs.manifest import build_manifest
from copub.runs.protocol import planned_comparisons
from copub.runs.shape import manifest_fault
from copub.study import Study, load_study, parse_study
from copub.study.question import resolve
from copub.study.template import new_study

MINIMAL = """
[study]
id = "t"
title = "t"
[sides.a]
name = "A"
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
GROUP = MINIMAL.replace('["BE"]', '["BENELUX", "FR"]')
EACH = GROUP.replace('"FR"]', '"FR"]\neach = true')


def panel(text: str = "", base: str = GROUP) -> Study:
    return parse_study(base + text, name="s.toml")


def faults_of(text: str, base: str = GROUP) -> str:
    with pytest.raises(FileError) as caught:
        panel(text, base)
    return "\n".join(str(fault) for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("countries", "what"),
    [
        ('["BE", "FR", "BE"]', "sides.a.countries: BE is named twice (name it once)"),
        ('["BENELUX", "benelux"]', "sides.a.countries: BENELUX is named twice"),
        ('["BENELUX", "LU"]', "sides.a.countries: LU is named twice: it is part of BENELUX"),
    ],
)
def test_a_country_that_a_side_names_twice_is_a_fault_with_its_line(countries: str, what: str) -> None:
    found = faults_of("", MINIMAL.replace('["BE"]', countries))
    assert found.startswith("s.toml:7: ") and what in found and "\n" not in found


def test_groups_of_a_side_may_have_countries_in_common() -> None:
    both = panel(base=MINIMAL.replace('["BE"]', '["BENELUX", "G7"]')).side_a.countries
    assert panel(base=MINIMAL.replace('["BE"]', '["EU27", "G7"]')).side_a.countries[:2] == ("AT", "BE")
    assert len(both) == len(set(both))


def test_a_country_or_a_list_that_is_named_twice_elsewhere_in_a_study_is_a_fault() -> None:
    assert "BE is named twice" in faults_of('[[pairs]]\na = ["BE", "BE"]\nb = "CN"\n[[pairs]]\na = "FR"\nb = "CN"')
    lists = MINIMAL.replace('["aspi-cdut-2019"]', '["aspi-cdut-2019", "aspi-cdut-2019"]')
    assert "screening.headline: aspi-cdut-2019 is named twice" in faults_of("", lists)


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.id)
def test_a_group_has_known_countries_a_date_and_a_source(group: object) -> None:
    found = GROUPS[group.id]  # type: ignore[attr-defined]
    assert set(found.codes) <= COUNTRY_CODES
    assert list(found.codes) == sorted(set(found.codes))
    assert date.fromisoformat(found.since)
    assert len(found.source) > 10


def test_the_members_of_the_groups_are_as_many_as_their_treaties_have() -> None:
    counts = {"EU27": 27, "EEA": 30, "EFTA": 4, "G7": 7, "FIVE-EYES": 5, "NATO": 32, "OECD": 38, "ASEAN": 11}
    assert {name: len(GROUPS[name].codes) for name in counts} == counts
    assert set(GROUPS["EEA"].codes) - set(GROUPS["EU27"].codes) == {"IS", "LI", "NO"}


def test_the_group_of_the_union_is_the_one_that_countries_are_answered_with() -> None:
    path = Path(__file__).resolve().parents[1] / "src" / "copub" / "country-groups.csv"
    (union,) = (row for row in csv.DictReader(path.open(encoding="utf-8")) if row["names"].startswith("EU|"))
    assert tuple(union["codes"].split("|")) == GROUPS["EU27"].codes


@pytest.mark.parametrize("text", ["FIVE-EYES", "five eyes", "FiveEyes"])
def test_a_group_is_found_in_any_spelling_of_its_id(text: str) -> None:
    assert find_group(text) is GROUPS["FIVE-EYES"]


def test_a_side_may_name_groups_and_countries() -> None:
    assert panel().side_a.countries == ("BE", "LU", "NL", "FR")
    assert expanded(["EU27", "BE", "NO"]) == (*GROUPS["EU27"].codes, "NO")
    (pair,) = parse_pairs(["EU27+NO:China"])
    assert (pair.side_a, pair.side_b) == ((*GROUPS["EU27"].codes, "NO"), ("CN",))
    assert parse_pairs(["EU27:CN"])[0].name == "EU27-CN"


def test_each_country_of_a_side_is_a_pair() -> None:
    assert [pair.key for pair in panel(base=EACH).pairs] == ["BE-CN", "FR-CN", "LU-CN", "NL-CN"]
    both = EACH.replace('["CN"]', '["CN", "RU"]\neach = true')
    assert [pair.key for pair in panel(base=both).pairs][:3] == ["BE-CN", "BE-RU", "FR-CN"]
    assert panel().pairs == ()


def test_pairs_are_parts_of_both_sides() -> None:
    study = panel('[[pairs]]\na = "BENELUX"\nb = "CN"\n[[pairs]]\na = ["FR", "NL"]\nb = ["CN"]\n')
    assert [pair.key for pair in study.pairs] == ["BENELUX-CN", "FR+NL-CN"]
    assert [pair.side_a.name for pair in study.pairs] == ["Benelux", "France and Netherlands"]
    assert study.pairs[0].side_b.name == "China"  # the name that the study gives the side


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[pairs]]\na = "DE"\nb = "CN"\n', "DE is not on side A"),
        ('[[pairs]]\na = "FR"\n', "a pair needs b"),
        ('[[pairs]]\na = "FR"\nb = 7\n', "a pair needs b"),
        ('[[pairs]]\na = "France"\nb = "CN"\n', "France is FR"),
        ('[[pairs]]\na = "FR"\nb = "CN"\nc = "x"\n', "unknown key 'c' in a pair"),
        ('[[pairs]]\na = "FR"\nb = "CN"\n', "two pairs or more"),
        ('[[pairs]]\na = "FR"\nb = "CN"\n' * 2, "FR-CN is named twice"),
        ('[panel]\nreference = "FR"\n', "names no pair"),
    ],
)
def test_a_wrong_pair_is_named(text: str, words: str) -> None:
    assert words in faults_of(text)


def test_a_panel_needs_two_pairs_and_one_way_to_name_them() -> None:
    assert "two pairs or more" in faults_of("", MINIMAL.replace('["BE"]', '["BE"]\neach = true'))
    assert "exclude each other" in faults_of('[[pairs]]\na = "FR"\nb = "CN"\n', EACH)
    assert "known: BE-CN, FR-CN" in faults_of('[panel]\nreference = "CN"\n', EACH).replace("BE, FR, LU, NL, ", "")


def test_the_reference_is_named_by_the_country_that_only_it_has_or_by_both() -> None:
    for name in ("BE", "BE-CN"):
        assert panel(f'[panel]\nreference = "{name}"\n', EACH).reference == "BE-CN"
    assert panel(base=EACH).reference == ""


def test_a_pair_of_a_panel_asks_what_its_own_study_file_asks() -> None:
    own = load_study("belgium-china")
    pair = load_study("eu-china").of_pair("BE", "CN")
    assert (pair.id, pair.side_a.countries, pair.side_b.countries) == ("eu-china-be-cn", ("BE",), ("CN",))
    assert pair.pairs == () and pair.bounds == {}
    for name in ("exclude_types", "levels", "top_level", "tiers", "apply_repairs", "year_from", "year_to", "taxonomy"):
        assert getattr(pair, name) == getattr(own, name), name


def test_a_pair_shares_the_records_of_its_panel() -> None:
    whole = load_study("eu-china")
    pair = whole.of_pair("BE")
    assert query_of(pair) == query_of(whole)
    assert len(query_of(whole).pairs) == 27 and query_of(whole).hash == query_of(replace(whole, pairs=())).hash
    assert Entry.of(pair) == Entry.of(whole)
    assert (pair.whole.id, whole.whole.id) == ("eu-china", "eu-china")


def test_an_unknown_pair_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="names no pair") as caught:
        load_study("eu-china").of_pair("XX")
    assert "BE-CN" in str(caught.value)
    with pytest.raises(InputError, match="no panel"):
        load_study("belgium-china").of_pair("BE")


def test_the_id_of_a_pair_fits_the_longest_id() -> None:
    study = replace(panel('[[pairs]]\na = ["FR", "NL", "BE"]\nb = "CN"\n[[pairs]]\na = "LU"\nb = "CN"\n'), id="x" * 64)
    assert {len(study.of_pair(pair.key).id) for pair in study.pairs} == {64}
    assert study.of_pair("FR+NL+BE-CN").id.endswith("-fr-nl-be-cn")


def test_a_manifest_gives_back_the_panel_and_the_pair() -> None:
    whole = load_study("eu-china")
    for study in (whole, whole.of_pair("BE")):
        manifest = build_manifest(study, "r", source={}, tables={}, taxonomies=[], watchlists=[])
        again = study_of(manifest)
        assert (again.pairs, again.reference, again.part_of) == (study.pairs, study.reference, study.part_of)
        assert not manifest_fault({**manifest, "funnel": [], "stages": []})


def test_a_new_study_may_be_a_panel_of_a_group() -> None:
    study = parse_study(new_study(parse_pairs(["G7:CN"])[0], study_id="x", years=(2010, 2024), each=True))
    assert len(study.pairs) == 7
    assert study.reference == "CA-CN"
    assert study.side_a.name == "G7"
    assert "the G7 (7 countries) on one side and China" in study.question


def test_a_protocol_of_a_panel_plans_the_comparisons_of_its_pairs() -> None:
    planned = {group["what"]: group["items"] for group in planned_comparisons(resolve(load_study("eu-china")))}
    assert len(planned["pairs of the panel, by rank and difference"]) == 27 * 4
    assert len(planned["dated events in pairs against the rest of the panel"]) == 27 * 4
    alone = {group["what"] for group in planned_comparisons(resolve(load_study("belgium-china")))}
    assert not {name for name in alone if "panel" in name}
