"""A study for any pair is written without a checkout: valid, commented, and never over a file that is there."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from copub.cli import main
from copub.countries import COUNTRIES, listing
from copub.lists.taxonomy import load_taxonomy
from copub.lists.watchlist import load_watchlist
from copub.pairs import parse_pairs
from copub.shipped import shipped_folder, shipped_names
from copub.study import SETTINGS, load_study, parse_study, template
from copub.study.template import coverage_of, new_study

README = Path(__file__).resolve().parents[2] / "README.md"


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["copub", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.fixture
def copub(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(monkeypatch, capsys, *words)


def text_for(sides: str) -> str:
    return new_study(parse_pairs([sides])[0], study_id="x", years=(2010, 2024))


def test_init_writes_a_study_for_any_pair(copub: Any) -> None:
    code, out, err = copub("init", "nl-ir.toml", "--sides", "Netherlands:Iran", "--years", "2010:2024")
    assert (code, err) == (0, "")
    study = load_study("nl-ir.toml")
    assert (study.id, study.year_from, study.year_to) == ("nl-ir", 2010, 2024)
    assert [(side.name, side.countries) for side in (study.side_a, study.side_b)] == [
        ("Netherlands", ("NL",)), ("Iran", ("IR",)),
    ]  # fmt: skip
    assert "of the Netherlands and Iran is on critical" in study.question
    assert not (study.published or study.ties or study.events or study.bounds or study.labelled)
    lines = out.splitlines()
    assert lines[0] == "written: nl-ir.toml"
    assert lines[-2:] == ["  copub estimate nl-ir.toml", "  copub run nl-ir.toml"]
    assert max(map(len, lines)) <= 80
    assert [path.name for path in Path().iterdir()] == ["nl-ir.toml"]


@pytest.mark.parametrize(
    "sides", ["FR:VN", "US+CA:RU+BY", "CN:JP", "HK:TW", "GB:" + "+".join(["DE", "FR", "IT", "ES", "PL"])]
)
def test_the_study_of_every_pair_is_valid_and_holds_nothing_of_belgium(sides: str) -> None:
    text = text_for(sides)
    study = parse_study(text)
    assert [study.side_a.countries, study.side_b.countries] == [tuple(s.split("+")) for s in sides.split(":")]
    assert not re.search(r'belg|flem|flanders|brussels|"be"|briefing', text, re.IGNORECASE)
    assert all(len(line) <= 120 for line in text.splitlines() if line.startswith("#"))


def test_the_file_names_every_shipped_list_and_every_key() -> None:
    text = text_for("NL:IR")
    own = ("demo-list", "related-units")
    for folder, left in (("taxonomies/technologies", ()), ("taxonomies/watchlists", own)):
        for name in shipped_names(folder):
            assert (f"#   {name} " in text) == (name not in left), name
    assert load_taxonomy("eu-2023-2113").title in text
    filled = tomllib.loads(re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE))
    assert set(keys(filled)) == {setting.key for setting in SETTINGS} - {"study.synthetic"}


def keys(table: dict[str, Any], above: str = "") -> Iterator[str]:
    known = {setting.key for setting in SETTINGS}
    for key, value in table.items():
        name = f"{above}{key}"
        if name in known:
            yield name
        else:
            assert isinstance(value, dict), f"{name} is not a key of a study"
            yield from keys(value, f"{name}.")


def test_the_example_of_the_documents_is_a_whole_study() -> None:
    document = (README.parent / "docs" / "study.md").read_text(encoding="utf-8")
    found = re.search(r"## Example\n.*?```toml\n(.*?)```", document, re.DOTALL)
    assert found
    assert found[1] == new_study(parse_pairs(["NL:IR"])[0], study_id="nl-ir", years=(2010, 2024))
    assert parse_study(found[1]).id == "nl-ir"


def test_the_readme_names_the_countries_of_the_shipped_lists() -> None:
    named = [COUNTRIES[code].name for code in coverage_of(["CN"]).named]
    assert f"The shipped watchlists name institutions in {listing(named)}." in README.read_text(encoding="utf-8")


def test_the_settings_of_a_new_study_are_those_of_the_shipped_ones() -> None:
    new, shipped = parse_study(text_for("BE:CN")), load_study("eu-china")
    names = [
        "exclude_types",
        "include_retracted",
        "include_expansion_corpus",
        "author_cap",
        "taxonomy",
        "operating_point",
        "watchlists",
        "levels",
    ]
    names += [
        "top_level",
        "tiers",
        "include_medical",
        "include_descendants",
        "listed_at_publication_only",
        "apply_repairs",
        "counting",
        "confidence",
        "small_cell",
    ]
    assert {name: getattr(new, name) for name in names} == {name: getattr(shipped, name) for name in names}


def test_the_default_years_are_those_of_the_shipped_studies(copub: Any) -> None:
    assert copub("init", "x.toml", "--sides", "NL:CN")[0] == 0
    years = {(study.year_from, study.year_to) for study in map(load_study, [*shipped_names("studies"), "x.toml"])}
    assert len(years) == 1


def test_a_side_that_no_shipped_list_names_is_reported_in_the_file_and_on_the_terminal(copub: Any) -> None:
    unnamed = next(code for code in ("VN", "MT") if code not in coverage_of(["CN"]).named)
    _, out, _ = copub("init", "x.toml", "--sides", f"NL:{unnamed}")
    for text in (out, Path("x.toml").read_text(encoding="utf-8").replace("\n#", "")):
        assert "NOTE: no shipped watchlist names an institution in" in text
        assert "docs/write-a-watchlist.md" in text
    _, out, _ = copub("init", "y.toml", "--sides", "NL:CN")
    assert "NOTE" not in out + Path("y.toml").read_text(encoding="utf-8")


def test_the_headline_covers_every_country_that_a_shipped_list_names(monkeypatch: pytest.MonkeyPatch) -> None:
    of_china = load_watchlist("aspi-cdut-2019")
    seven = load_watchlist("seven-sons")
    members = tuple(replace(member, entity=replace(member.entity, country="RU")) for member in seven.entities)
    lists = {"china": replace(of_china, id="china"), "russia": replace(seven, id="russia", entities=members)}
    monkeypatch.setattr(template, "shipped_names", lambda folder: tuple(lists))
    monkeypatch.setattr(template, "load_watchlist", lists.__getitem__)
    found = {sides: coverage_of(sides.split("+")) for sides in ("CN", "RU", "IR", "CN+RU", "IR+RU")}
    assert {sides: [w.id for w in one.headline] for sides, one in found.items()} == {
        "CN": ["china"], "RU": ["russia"], "IR": ["china"], "CN+RU": ["china", "russia"], "IR+RU": ["russia"],
    }  # fmt: skip
    assert {sides: one.uncovered for sides, one in found.items() if one.uncovered} == {"IR": ("IR",), "IR+RU": ("IR",)}
    assert found["CN+RU"].counts == {"china": 159, "russia": 7}
    assert template.counted_levels(found["CN+RU"].headline) == ["very high", "high", "listed"]
    assert template.counted_levels(found["CN+RU"].headline[::-1]) == ["very high", "high", "listed"]


def test_china_without_hong_kong_macau_or_taiwan_says_so() -> None:
    assert "CN is mainland China: Hong Kong (HK), Macau (MO) and Taiwan (TW) count only" in text_for("NL:CN")
    assert "CN is mainland China: Taiwan (TW) count" in text_for("NL:CN+HK+MO")
    assert "mainland" not in text_for("NL:CN+HK+MO+TW") + text_for("NL:IR")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("there.toml", "--sides", "NL:IR"), "there.toml: this file exists"),
        (("x.toml", "--sides", "NL:NL"), "NL is on both sides"),
        (("x.toml", "--sides", "EL:Greece"), "GR is on both sides"),
        (("x.toml", "--sides", "Nethrelands:IR"), "did you mean NL (Netherlands)?"),
        (("x.toml", "--sides", "EU:IR"), "write those that you mean: AT, BE"),
        (("x.toml", "--sides", "NL"), "'NL' is not one pair"),
        (("x.toml", "--sides", "NL/FR:IR"), "is not one pair"),
        (("x.toml", "--sides", "mine=NL:IR"), "is not one pair"),
        (("none/x.toml", "--sides", "NL:IR"), "none: there is no such folder"),
        (("x", "--sides", "NL:IR"), "write x.toml"),
        (("demo.toml", "--sides", "NL:IR"), "'demo' is the name of a shipped study"),
        (("x.toml", "--sides", "NL:IR", "--years", "2020"), "--years: '2020' is not a span of years"),
        (("x.toml", "--sides", "NL:IR", "--years", "2020:2010"), "the years are reversed"),
        (("x.toml", "--sides", "NL:IR", "--years", "1066:2010"), "1066 is not between"),
        (("x.toml", "--sides", "NL:IR", "--years", "2010:2090"), "the year 2090 has not come yet"),
        (("x.toml", "--sides", "NL-IR"), "'NL-IR' is not one pair"),
        (("x.toml", "--sides", "NL:IR", "--title", "\udcff"), "not UTF-8"),
        (("x.toml",), "--sides"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(copub: Any, words: tuple[str, ...], says: str) -> None:
    Path("there.toml").write_text("mine", encoding="utf-8")
    code, out, err = copub("init", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert {path.name: path.read_text(encoding="utf-8") for path in Path().iterdir()} == {"there.toml": "mine"}


@pytest.mark.parametrize(
    ("file", "study_id"),
    [("My Study (2).toml", "my-study-2"), ("研究.toml", "nl-ir"), ("A" * 90 + ".toml", "a" * 64)],
)
def test_the_id_is_made_from_the_name_of_the_file(copub: Any, file: str, study_id: str) -> None:
    assert copub("init", file, "--sides", "NL:IR")[0] == 0
    assert load_study(file).id == study_id


def test_a_title_may_hold_any_character(copub: Any) -> None:
    assert copub("init", "x.toml", "--sides", "NL:IR", "--title", 'a "b" \\ $id\n#\x7f ${x} é')[0] == 0
    assert load_study("x.toml").title == 'a "b" \\ $id #\x7f ${x} é'


def test_a_name_with_a_blank_is_quoted_in_the_next_commands(copub: Any) -> None:
    assert "  copub run 'my study.toml'" in copub("init", "my study.toml", "--sides", "NL:IR")[1].splitlines()


def test_the_shipped_studies_are_listed_and_shown(copub: Any) -> None:
    code, out, _ = copub("studies", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line[0] != " "] == list(shipped_names("studies"))
    assert max(map(len, out.splitlines())) <= 80
    facts = json.loads(copub("studies", "list", "--json")[1])
    assert (facts[0]["id"], facts[0]["years"]) == ("belgium-china", [2000, 2025])
    code, out, _ = copub("studies", "show", "eu-china")
    text = (shipped_folder("studies") / "eu-china.toml").read_text(encoding="utf-8")
    assert (code, out) == (0, text)
    shown = json.loads(copub("studies", "show", "eu-china", "--json")[1])
    assert (shown["text"], len(shown["sides"][0]["countries"])) == (text, 27)
    code, _, err = copub("studies", "show", "eu-chian")
    assert code == 2
    assert "did you mean eu-china" in err


@pytest.mark.parametrize("name", [".", "", "/", "./", ".."])
def test_init_of_a_folder_says_which_file_to_write(copub: Any, name: str) -> None:
    code, _, err = copub("init", name, "--sides", "NL:IR")
    assert code == 2
    assert "a study file must end with .toml\n  write nl-ir.toml" in err
