"""Files that measure reads beside the frames: labelled samples and error counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from copub.errors import FileError, InputError
from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, counts_of, read_card, read_evaluation
from copub.lists.taxonomy import load_taxonomy
from copub.measures.inputs import errors_of, inputs_of, levels_of_entities, thresholds_of
from copub.screening import load_watchlist
from copub.shipped import shipped_folder, shipped_names
from copub.study import load_study
from copub.study.question import Question, resolve

from .worlds import study


def counts_file(folder: Path, text: str) -> Path:
    path = folder / "counts.toml"
    path.write_text(text, encoding="utf-8")
    return path


STRATA = (*TEXT_STRATA, *AFFILIATION_STRATA)
WHOLE = 'name = "a set"\nsource = "synthetic"\n' + "".join(f'["{s}"]\ntp = 1\nfp = 2\nfn = 3\ntn = 4\n' for s in STRATA)


def test_error_counts_are_read_by_stratum(tmp_path: Path) -> None:
    made = read_evaluation(counts_file(tmp_path, WHOLE))
    assert set(made.counts) == set(STRATA) and made.name == "a set"
    assert made.counts["resolved"].sensitivity == 0.25
    assert made.counts["title only"].specificity == pytest.approx(4 / 6)


def test_a_set_needs_only_the_strata_that_were_judged(tmp_path: Path) -> None:
    text = 'name = "titles"\nsource = "x"\n["title only"]\ntp = 8\nfp = 1\nfn = 2\ntn = 9\n'
    assert set(read_evaluation(counts_file(tmp_path, text)).counts) == {"title only"}


def test_all_faults_of_error_counts_are_named(tmp_path: Path) -> None:
    text = WHOLE.replace("tn = 4", "tn = -4", 1).replace('source = "synthetic"', 'source = ""')
    text = text.replace('["resolved"]\ntp = 1', '["resolved"]').replace('["unresolved"]', "[x]")
    with pytest.raises(FileError) as error:
        read_evaluation(counts_file(tmp_path, text))
    for part in ("with abstract.tn is -4", "source is missing", "resolved.tp is None", "there is no key 'x'"):
        assert part in str(error.value)
    with pytest.raises(FileError, match="there is no table of counts"):
        read_evaluation(counts_file(tmp_path, 'name = "x"\nsource = "y"\n'))


@pytest.mark.parametrize("count", ["inf", "nan", "-inf", "true"])
def test_a_count_that_is_no_number_is_refused(tmp_path: Path, count: str) -> None:
    with pytest.raises(FileError, match=r"is no number|write a count of 0 or more"):
        read_evaluation(counts_file(tmp_path, WHOLE.replace("tn = 4", f"tn = {count}", 1)))


def test_counts_of_another_model_are_refused(tmp_path: Path) -> None:
    path = counts_file(tmp_path, f'model = "{"a" * 64}"\n{WHOLE}')
    assert (
        read_evaluation(path, "a" * 64) == read_evaluation(path) == read_evaluation(counts_file(tmp_path, WHOLE), "b")
    )
    path = counts_file(tmp_path, f'model = "{"a" * 64}"\n{WHOLE}')
    with pytest.raises(FileError, match="those of another model"):
        read_evaluation(path, "b" * 64)


def test_counts_follow_from_precision_and_recall() -> None:
    counts = counts_of({"works": 200, "positives": 50, "precision": 0.8, "recall": 0.64})
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == pytest.approx((32, 8, 18, 142))


def test_a_card_without_figures_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text('{"taxonomy": "x", "cross_validated": []}', encoding="utf-8")
    with pytest.raises(InputError, match="with abstract and title only"):
        read_card(path)


def question(**changes: Any) -> Question:
    """A question about the shipped taxonomy of the model and a shipped list."""
    return resolve(replace(load_study("demo"), **changes))


def test_the_shipped_evaluation_holds_for_the_decision_it_was_made_with_only(tmp_path: Path) -> None:
    errors = errors_of(question())
    assert errors is not None
    for stratum, sets in zip(STRATA, (2, 3, 1, 1), strict=True):
        assert len(errors.of(stratum)) == sets
        assert all(0.5 < c.sensitivity <= 1 and 0.5 < c.specificity <= 1 for c in errors.of(stratum))
    for name in (
        "cross-validation",
        "kept apart",
        "independent test of the classifier before this one on 183",
        "514 Chinese affiliation strings",
    ):
        assert name in errors.source
    for change in ({"operating_point": "recall"}, {"thresholds": {"EU-02-AI": 0.9}}, {"taxonomy": "aspi-64"}):
        assert errors_of(question(**change)) is None
    changed = tmp_path / "changed.toml"
    text = (shipped_folder("taxonomies/technologies") / "eu-2023-2113.toml").read_text(encoding="utf-8")
    changed.write_text(f"{text}# one line more\n", encoding="utf-8")
    assert errors_of(question(taxonomy=str(changed))) is None


def test_thresholds_of_the_study_win_over_every_profile() -> None:
    found = thresholds_of(study(taxonomy="eu-2023-2113", thresholds={"EU-02-AI": 0.9}))
    assert {by_area["EU-02-AI"] for by_area in found["eu-2023-2113"].values()} == {0.9}
    assert set(found["eu-2023-2113"]) == {"precision", "balanced", "recall"}
    assert thresholds_of(study()) == {}


def test_a_study_that_names_nothing_gives_nothing_but_the_evaluation() -> None:
    given = inputs_of(question())
    assert given.labelled is None and given.published == () and given.ties == () and given.levels_of == {}


def test_levels_are_found_by_identifier_and_by_name() -> None:
    levels = levels_of_entities([load_watchlist("aspi-cdut-2019")])
    assert levels["beihang university"] == "very high"
    assert levels["I82880672"] == "very high"
    assert levels["fudan university"] == "medium"
    assert levels["central south university"] == "unrated"


def test_files_that_the_study_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("work_id,critical,listed,reader,date\nW1,yes,no,A. Reader,2026-11-20\n", encoding="utf-8")
    asked = question(
        labelled=str(path), published=("ceias-belgium-2026",), ties=("belgium",), watchlists=("aspi-cdut-2019",)
    )
    assert asked.labelled is not None and asked.labelled.height == 1
    given = inputs_of(asked)
    assert [p.id for p in given.published] == ["ceias-belgium-2026"] and len(given.ties) == 6


def test_shipped_lists_and_taxonomies_bear_their_file_name_as_id() -> None:
    assert all(load_watchlist(name).id == name for name in shipped_names("taxonomies/watchlists"))
    assert all(load_taxonomy(name).id == name for name in shipped_names("taxonomies/technologies"))
