"""Countries are found by every common spelling, and a wrong code is answered with the right one."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from copub import countries
from copub.countries import COUNTRIES, COUNTRY_CODES, code_fault, find_country, name_fault
from copub.countrygroups import GROUPS as GROUPS_WITH_NAMES
from copub.errors import FileError
from copub.lists.entity import CsvRow, entity_of
from copub.lists.ties import COLUMNS, read_ties
from copub.report.messages import languages
from copub.study import parse_study

FOLDER = Path(countries.__file__).parent
ROWS = list(csv.DictReader((FOLDER / "countries.csv").open(encoding="utf-8")))
GROUPS = list(csv.DictReader((FOLDER / "country-groups.csv").open(encoding="utf-8")))


def spellings(row: dict[str, str]) -> set[str]:
    cells = [row["code"], row["alpha3"], row["name"], *row["other_names"].split("|"), *row["wrong_codes"].split("|")]
    return {cell for cell in cells if cell}


def test_the_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(ROWS) == len(COUNTRY_CODES) == 249 + 1
    assert [row["code"] for row in ROWS] == sorted(COUNTRY_CODES)
    assert all(re.fullmatch("[A-Z]{2}", row["code"]) and re.fullmatch("[A-Z]{3}", row["alpha3"]) for row in ROWS)
    assert len({row["alpha3"] for row in ROWS}) == len({row["name"] for row in ROWS}) == len(ROWS)
    # counts of first letters, as the standard has them: a wrong letter shows
    assert Counter(row["alpha3"][0] for row in ROWS) == {
        "A": 17, "B": 21, "C": 21, "D": 6, "E": 7, "F": 6, "G": 18, "H": 6, "I": 10, "J": 4, "K": 8, "L": 11,
        "M": 24, "N": 12, "O": 1, "P": 14, "Q": 1, "R": 4, "S": 24, "T": 15, "U": 6, "V": 7, "W": 2, "X": 1, "Y":
        1, "Z": 3,
    }  # fmt: skip


def test_no_spelling_means_two_countries() -> None:
    simplified = [{countries._simplified(s) for s in spellings(row)} for row in ROWS]
    assert [s for s, n in Counter(s for one in simplified for s in one).items() if n > 1] == []
    groups = {countries._simplified(name) for group in GROUPS for name in group["names"].split("|")}
    assert not groups & set().union(*simplified)


def test_every_spelling_in_any_case_finds_its_country() -> None:
    for row in ROWS:
        for text in spellings(row):
            for written in (text, text.lower(), text.upper(), f"the {text}", f" {text} "):
                found = find_country(written)
                assert found and found.code == row["code"], written


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Netherlands", "NL"), ("the Netherlands", "NL"), ("South Korea", "KR"), ("Russia", "RU"), ("Iran", "IR"),
        ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("Türkiye", "TR"),
        ("Turkiye", "TR"), ("Turkey", "TR"), ("Côte d'Ivoire", "CI"), ("Cote d’Ivoire", "CI"), ("NLD", "NL"),
        ("irn", "IR"), ("UK", "GB"), ("U.K.", "GB"), ("EL", "GR"), ("USA", "US"), ("St. Lucia", "LC"),
        ("Bosnia & Herzegovina", "BA"), ("Korea, Republic of", "KR"), ("Republic of Poland", "PL"),
        ("Hong Kong", "HK"), ("Macao", "MO"), ("Taiwan", "TW"), ("China", "CN"), ("Kosovo", "XK"), ("GER", "DE"),
        ("TA", "SH"), ("Republic of China", "TW"), ("People's Republic of China", "CN"),
    ],
)  # fmt: skip
def test_names_and_wrong_codes_in_use_are_understood(text: str, code: str) -> None:
    found = find_country(text)
    assert found is not None
    assert found.code == code
    assert name_fault(text) is None
    assert f" is {code}" in str(code_fault(text))


@pytest.mark.parametrize("code", sorted(COUNTRY_CODES))
def test_a_right_code_has_no_fault(code: str) -> None:
    assert code_fault(code) is None
    assert COUNTRIES[code].code == code


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("UK", "'UK' is not an ISO 3166 country code: the United Kingdom is GB"),
        ("Nethrelands", "did you mean NL (Netherlands)?"),
        ("Korea", "write those that you mean: KP, KR"),
        ("EU", "write those that you mean: AT, BE, BG"),
        ("XX", "(examples:"),
        ("", "(examples:"),
        ("N" * 100_000, "(examples:"),
        (7, "7 is not"),
        (["NL"], "['NL'] is not"),
    ],
)
def test_what_is_not_a_code_is_answered(value: object, says: str) -> None:
    assert says in str(code_fault(value))


STUDY = """[study]
id = "t"
title = "t"
[sides.a]
name = "A"
countries = ["UK", "Netherlands"]
[sides.b]
name = "B"
countries = ["EL"]
[years]
from = 2010
to = 2020
[technology]
headline = "eu-2023-2113"
[screening]
headline = ["aspi-cdut-2019"]
"""


def test_a_study_file_is_answered_with_the_right_codes_and_their_lines() -> None:
    with pytest.raises(FileError) as caught:
        parse_study(STUDY, name="s.toml")
    assert [str(fault) for fault in caught.value.faults] == [
        "s.toml:6: sides.a.countries: 'Netherlands' is not an ISO 3166 country code: the Netherlands is NL",
        "s.toml:6: sides.a.countries: 'UK' is not an ISO 3166 country code: the United Kingdom is GB",
        "s.toml:9: sides.b.countries: 'EL' is not an ISO 3166 country code: Greece is GR",
    ]


def test_a_watchlist_is_answered_with_the_right_codes() -> None:
    faults: list[object] = []
    entity_of(CsvRow("l.csv:2", {"entity_id": "x", "country": "Iran", "not_places": "UK|Ghent"}), faults)  # type: ignore[arg-type]
    assert [str(fault) for fault in faults] == [
        "l.csv:2: country: 'Iran' is not an ISO 3166 country code: Iran is IR",
        "l.csv:2: not_places: 'UK' is not an ISO 3166 country code: the United Kingdom is GB",
    ]


def test_a_file_of_ties_is_answered_with_the_right_codes() -> None:
    values = {"tie_id": "t1", "country_a": "UK", "country_b": "CN", "kind": "agreement", "source": "x"}
    text = ",".join(COLUMNS) + "\n" + ",".join(values.get(column, "") for column in COLUMNS) + "\n"
    with pytest.raises(FileError, match=r"country_a: 'UK' is not .* the United Kingdom is GB"):
        read_ties(text)


def test_every_country_and_group_has_a_name_in_each_language_of_reports() -> None:
    for place in (*COUNTRIES.values(), *GROUPS_WITH_NAMES.values()):
        assert set(place.in_language) == set(languages())
        assert all(one.name and one.name == one.name.strip() for one in place.in_language.values())
        assert place.in_language["fr"].article in ("", "le", "la", "les", "l'"), place
        assert place.in_language["nl"].article in ("", "de", "het"), place
        vowel = place.in_language["fr"].name[0] in "AÂEÉIÎOUÔ"
        assert not vowel or place.in_language["fr"].article not in ("le", "la"), place


OWN_NAMES = {"fr": "CD CG GS HK MM MO PS RE SH SX VA VN", "nl": "CD CG HK MM MO PS SH"}
"""Countries that reports name in a shorter or plainer way than the Unicode CLDR does."""


@pytest.mark.parametrize("language", OWN_NAMES)
def test_names_of_countries_are_those_of_the_unicode_cldr(language: str) -> None:
    known = pytest.importorskip("babel").Locale(language).territories
    own = {code: country.in_language[language].name for code, country in COUNTRIES.items()}
    differing = {code for code, name in own.items() if name != known[code].replace("’", "'")}
    assert differing == set(OWN_NAMES[language].split())
