"""Rules of a question: where the lists of a study are found, what they are called, what must agree with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import copub
from copub.errors import FileError
from copub.lists.registry import find_list
from copub.lists.ties import COLUMNS
from copub.shipped import shipped_folder
from copub.study import load_study, parse_study
from copub.study.question import Question, ask, resolve

from .test_study import MINIMAL

HEAD = """
[watchlist]
id = "{id}"
title = "A list of one's own"
authority = "SYNTHETIC"
edition = "2026"
retrieved_on = "2026-11-01"
kind = "assessment"
completeness = "complete"
lacks = "nothing"
terms = "none"
sources = ["https://example.org"]
levels = {levels}
"""
TIE = ",".join(COLUMNS) + "\n"


def write_list(path: Path, name: str = "mine", levels: str = '["red", "amber", "green"]') -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD.format(id=name, levels=levels), encoding="utf-8")
    path.with_suffix(".csv").write_text(
        "entity_id,name,level\nx-institute,Institute of X,green\ny-institute,Institute of Y,amber\n", encoding="utf-8"
    )
    return path


def naming(watchlists: str, more: str = "") -> str:
    return MINIMAL.replace('["aspi-cdut-2019"]', watchlists) + more


def faults_of(text: str, folder: Path) -> list[str]:
    with pytest.raises(FileError) as caught:
        resolve(parse_study(text, name="s.toml", folder=folder))
    return [str(fault) for fault in caught.value.faults]


def test_a_relative_path_starts_from_the_folder_of_the_study_file_however_the_study_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_list(tmp_path / "project" / "lists" / "list.toml")
    study = tmp_path / "project" / "studies" / "s.toml"
    study.parent.mkdir()
    study.write_text(naming('["../lists/list.toml"]'), encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.toml").symlink_to(study)
    (tmp_path / "folder").symlink_to(tmp_path / "project" / "studies")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in (study, "../project/studies/s.toml", "link.toml", "../folder/s.toml"):
        assert ask(name).study.watchlists == ("mine",)
        assert ask(copub.load_study(name)).study.watchlists == ("mine",)
    monkeypatch.chdir(study.parent)
    assert ask("s.toml").study.watchlists == ("mine",)
    loaded = load_study("s.toml")
    monkeypatch.chdir(tmp_path)
    assert ask(loaded).study.watchlists == ("mine",)


def test_a_list_beside_a_link_to_the_study_comes_before_one_beside_the_study_itself(tmp_path: Path) -> None:
    write_list(tmp_path / "there" / "list.toml", "there")
    (tmp_path / "there" / "s.toml").write_text(naming('["list.toml"]'), encoding="utf-8")
    write_list(tmp_path / "here" / "list.toml", "here")
    (tmp_path / "here" / "s.toml").symlink_to(tmp_path / "there" / "s.toml")
    assert ask(tmp_path / "here" / "s.toml").study.watchlists == ("here",)


def test_paths_in_a_text_start_from_the_current_folder_unless_one_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_list(tmp_path / "list.toml")
    monkeypatch.chdir(tmp_path)
    assert resolve(parse_study(naming('["list.toml"]'))).study.watchlists == ("mine",)
    monkeypatch.chdir(tmp_path.parent)
    assert resolve(parse_study(naming('["list.toml"]'), folder=tmp_path)).study.watchlists == ("mine",)


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('"aspi-cdut-2019"', '"lists/none.toml"', 17, "screening.headline"),
        ('"eu-2023-2113"', '"lists/none.toml"', 15, "technology.headline"),
        ('["aspi-cdut-2019"]', '["aspi-cdut-2019"]\nothers = ["lists/none.toml"]', 18, "screening.others"),
        ("[technology]", '[comparison]\nties = ["lists/none.toml"]\n[technology]', 15, "comparison.ties"),
        ("[technology]", '[comparison]\npublished = ["lists/none.toml"]\n[technology]', 15, "comparison.published"),
        ("[technology]", '[adjusted]\nlabelled = "lists/none.toml"\n[technology]', 15, "adjusted.labelled"),
    ],
)
def test_a_missing_list_is_named_with_its_key_its_line_and_where_it_was_looked_for(
    tmp_path: Path, old: str, new: str, line: int, key: str
) -> None:
    (fault,) = faults_of(MINIMAL.replace(old, new), tmp_path)
    assert fault.startswith(f"s.toml:{line}: {key}: ") and "'lists/none.toml'" in fault
    assert str(tmp_path / "lists" / "none.toml") in fault


def test_a_folder_or_an_impossible_name_is_no_list(tmp_path: Path) -> None:
    assert "is a folder" in faults_of(naming('["."]'), tmp_path)[0]
    for name in ("x" * 5000, "\\u0000", ""):
        assert "screening.headline" in faults_of(naming(f'["{name}"]'), tmp_path)[0]


def test_the_top_level_is_by_default_the_strongest_that_counts(tmp_path: Path) -> None:
    write_list(tmp_path / "list.toml")

    def top(more: str) -> tuple[str, tuple[str, ...]]:
        study = resolve(parse_study(naming('["list.toml"]', more), folder=tmp_path)).study
        return study.top_level, study.levels

    assert top("") == ("red", ())
    assert top('levels = ["green", "amber"]\n') == ("amber", ("amber", "green"))
    assert top('top_level = "green"\n') == ("green", ())
    assert ask("belgium-china").study.top_level == "very high"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('top_level = "very high"\n', "s.toml:18: screening.top_level: unknown risk level 'very high'"),
        ('levels = ["amber"]\ntop_level = "red"\n', "s.toml:19: screening.top_level: 'red' is not among the levels"),
        ('levels = ["high"]\n', "s.toml:18: screening.levels: unknown risk level 'high'"),
    ],
)
def test_a_wrong_level_is_named_with_the_key_that_the_person_wrote_and_the_levels_of_the_list(
    tmp_path: Path, more: str, what: str
) -> None:
    write_list(tmp_path / "list.toml")
    (fault,) = faults_of(naming('["list.toml"]', more), tmp_path)
    assert fault.startswith(what)
    assert "red, amber, green" in fault or "screening.levels: amber" in fault


def test_a_setting_that_no_file_holds_is_named_without_a_line() -> None:
    with pytest.raises(FileError) as caught:
        resolve(replace(parse_study(MINIMAL, name="s.toml"), top_level="hihg"))
    assert str(caught.value.faults[0]).startswith("s.toml: screening.top_level: unknown risk level 'hihg'")


def test_two_files_of_one_id_are_refused_and_one_list_named_twice_is_read_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_list(tmp_path / name / "list.toml")
    (fault,) = faults_of(naming('["one/list.toml"]\nothers = ["two/list.toml"]'), tmp_path)
    assert "screening.others: list.toml has the id 'mine', and so has screening.headline" in fault
    twice = naming('["one/list.toml"]\nothers = ["one/list.toml", "seven-sons"]')
    study = resolve(parse_study(twice, folder=tmp_path)).study
    assert (study.watchlists, study.other_watchlists) == (("mine",), ("seven-sons",))


def test_files_of_ties_of_one_name_have_ids_of_their_own(tmp_path: Path) -> None:
    row = "{},A,,BE,B,,CN,agreement,2020,,,,https://example.org,\n"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ties.csv").write_text(TIE + row.format(name), encoding="utf-8")
    more = '[comparison]\nties = ["one/ties.csv", "two/ties.csv"]\n'
    question = resolve(parse_study(MINIMAL + more, folder=tmp_path))
    assert question.study.ties == ("ties", "ties-2")
    assert [tie.tie_id for tie in question.ties] == ["one", "two"]


def own_model_taxonomy(folder: Path, change: tuple[str, str]) -> Question:
    text = (shipped_folder("taxonomies/technologies") / "eu-2023-2113.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (folder / "own.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    return resolve(parse_study(MINIMAL.replace('"eu-2023-2113"', '"own.toml"'), name="s.toml", folder=folder))


def test_a_taxonomy_with_the_id_of_the_models_must_have_its_areas(tmp_path: Path) -> None:
    assert own_model_taxonomy(tmp_path, ("\n", "\n# a note\n")).study.taxonomy == "eu-2023-2113"
    with pytest.raises(FileError, match="the study has 1 fault") as caught:
        own_model_taxonomy(tmp_path, ('id = "EU-02-AI"', 'id = "EU-02-AI-AND-MORE"'))
    assert str(caught.value.faults[0]).startswith("s.toml:15: technology.headline: ")


def test_an_own_list_that_changed_is_read_as_it_is_now(tmp_path: Path) -> None:
    study = parse_study(naming('["list.toml"]'), folder=write_list(tmp_path / "list.toml", "first").parent)
    assert resolve(study).study.watchlists == ("first",)
    write_list(tmp_path / "list.toml", "second")
    assert resolve(study).study.watchlists == ("second",)
    for note in ("one", "another"):
        own = own_model_taxonomy(tmp_path, ("\n", f"\n# {note}\n"))
        assert f"# {note}" in own.lists[0].files[0][1].decode()
        assert own.taxonomies[0].hash == own.lists[0].sha256


def test_a_headline_without_institutions_of_side_b_is_refused_with_the_lists_that_have_some() -> None:
    of_iran = MINIMAL.replace('countries = ["CN"]', 'countries = ["IR"]')
    assert of_iran != MINIMAL
    (fault,) = faults_of(of_iran, Path())
    assert "screening.headline: aspi-cdut-2019: no institution of side B (IR)" in fault
    assert "jp-meti-2025 (26)" in fault and "ca-nro-2024 (12)" in fault and "us-entity-list" not in fault
    both = of_iran.replace('["aspi-cdut-2019"]', '["aspi-cdut-2019", "ca-nro-2024"]')
    assert [w.id for w in resolve(parse_study(both)).headline_watchlists] == ["aspi-cdut-2019", "ca-nro-2024"]


def test_a_country_that_no_list_names_can_be_compared() -> None:
    assert resolve(parse_study(MINIMAL.replace('countries = ["CN"]', 'countries = ["VN"]')))


def test_a_run_that_exists_stays_readable_with_a_headline_that_is_refused_now() -> None:
    text = MINIMAL.replace('countries = ["CN"]', 'countries = ["IR"]')
    study = replace(parse_study(MINIMAL), side_b=replace(parse_study(MINIMAL).side_b, countries=("IR",)), raw=text)
    assert resolve(study, lambda kind, name: find_list(kind, name)).study.side_b.countries == ("IR",)
