"""Files that measure reads beside the frames: labelled samples and error counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from copub.errors import CorrectFile, CorrectInput
from copub.measures.errors import AFFILIATION_STRATA, TEXT_STRATA, read_errors
from copub.measures.inputs import levels_of_entities, read_inputs, read_labelled

from .worlds import study

COUNTS = "tp = 1\nfp = 2\nfn = 3\ntn = 4\n"


def errors_file(folder: Path, text: str) -> Path:
    path = folder / "errors.toml"
    path.write_text(text, encoding="utf-8")
    return path


def whole() -> str:
    parts = [
        f'[{name}."{s}"]\n{COUNTS}'
        for name, strata in (("classifier", TEXT_STRATA), ("matcher", AFFILIATION_STRATA))
        for s in strata
    ]
    return 'source = "made up"\n' + "".join(parts)


def test_error_counts_are_read_by_stratum(tmp_path: Path) -> None:
    errors = read_errors(errors_file(tmp_path, whole()))
    assert errors.classifier["title only"].sensitivity == 0.25
    assert errors.matcher["unresolved"].specificity == pytest.approx(4 / 6)
    assert errors.source == "made up"


def test_all_faults_of_error_counts_are_named(tmp_path: Path) -> None:
    text = (
        whole()
        .replace("tn = 4", "tn = -4", 1)
        .replace('source = "made up"', 'source = ""')
        .replace('[matcher."unresolved"]', "[other]")
    )
    with pytest.raises(CorrectFile) as error:
        read_errors(errors_file(tmp_path, text))
    for part in ('classifier."with abstract".tn is -4', "source is missing", 'matcher."unresolved".tp is None'):
        assert part in str(error.value)


def test_a_labelled_sample_takes_yes_no_and_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("work_id,critical,listed,reader\nW1,yes,No,x\nW2,,1,y\n", encoding="utf-8")
    assert read_labelled(path).rows() == [("W1", True, False), ("W2", None, True)]


def test_faults_of_a_labelled_sample_are_named_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("work_id,critical,listed\nW1,maybe,no\nW2,yes,perhaps\n", encoding="utf-8")
    with pytest.raises(CorrectFile) as error:
        read_labelled(path)
    assert "sample.csv:2: critical is 'maybe'" in str(error.value) and "sample.csv:3: listed is 'perhaps'" in str(
        error.value
    )
    path.write_text("work_id,critical\n", encoding="utf-8")
    with pytest.raises(CorrectFile, match="'listed' is missing"):
        read_labelled(path)
    with pytest.raises(CorrectInput, match="cannot be read"):
        read_labelled(tmp_path / "none.csv")


def test_a_study_that_names_nothing_reads_nothing_but_the_evaluation() -> None:
    given = read_inputs(study())
    assert given.labelled is None and given.published == () and given.ties == () and given.levels == {}


def test_levels_are_found_by_identifier_and_by_name() -> None:
    levels = levels_of_entities(study(watchlists=("aspi-cdut-2019",)))
    assert levels["beihang university"] == "very high"
    assert levels["I82880672"] == "very high"
    assert levels["fudan university"] == "unrated"


def test_files_that_the_study_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("work_id,critical,listed\nW1,yes,no\n", encoding="utf-8")
    asked = study(
        labelled=str(path), published=("ceias-belgium-2026",), ties=("belgium",), watchlists=("aspi-cdut-2019",)
    )
    given = read_inputs(asked)
    assert given.labelled is not None and given.labelled.height == 1
    assert [p.id for p in given.published] == ["ceias-belgium-2026"] and len(given.ties) == 5
