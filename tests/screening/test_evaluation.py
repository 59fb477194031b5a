"""The matcher is judged on labelled strings, beside simpler methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from copub.errors import FileError
from copub.screening import Watchlist, load_watchlist
from copub.screening.matcherevaluation import evaluate, mistakes, read_labels

LABELS = """raw_affiliation_string,entity_slugs,kind
"Beihang University, Beijing",beihang-university,listed
"Nanjing University of Information Science and Technology",,look-alike
"Nanjing University of Aeronautics and Astronautics",nanjing-university-of-aeronautics-and-astronautics,listed
"Institute of Botany, Chinese Academy of Sciences",chinese-academy-of-sciences,listed
"University of Oxford",,other
"""


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELS, encoding="utf-8")
    return path


def test_each_method_is_counted_per_string_and_entity(labels: Path) -> None:
    table = evaluate(read_labels(labels), [load_watchlist("aspi-cdut-2019")])
    assert table["method"].to_list()[:2] == ["copub", "plain substring"]
    assert table.height == 7
    ours, plain = table.row(0, named=True), table.row(1, named=True)
    assert (ours["true_positives"], ours["false_positives"], ours["false_negatives"]) == (2, 0, 0)
    assert ours["precision"] == ours["recall"] == ours["f1"] == 1.0
    assert 0.3 < ours["precision_low"] < 1.0 == ours["precision_high"]
    assert plain["true_positives"] == 2


def test_nothing_found_has_no_precision(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("raw_affiliation_string,entity_slugs\nOxford,beihang-university\n", encoding="utf-8")
    row = evaluate(read_labels(path), [load_watchlist("seven-sons")], others=False).row(0, named=True)
    assert row["precision"] is None and row["recall"] == 0.0 and row["f1"] == 0.0


def test_mistakes_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(
        "raw_affiliation_string,entity_slugs\nBeihang University,\nOxford,beihang-university\n", encoding="utf-8"
    )
    wrong = mistakes(read_labels(path), [load_watchlist("seven-sons")])
    assert wrong.rows() == [("Beihang University", [], ["beihang-university"]), ("Oxford", ["beihang-university"], [])]


HOSPITAL = "Changhai Hospital, Naval Medical University, Shanghai, China"


@pytest.mark.parametrize(
    ("labelled", "missed", "wrong"),
    [
        ("changhai-hospital|navy-medical-university", [], []),
        ("navy-medical-university", [], []),
        ("changhai-hospital", [], ["navy-medical-university"]),
        ("shanghai-changzheng-hospital|navy-medical-university", ["shanghai-changzheng-hospital"], []),
    ],
)
def test_a_hospital_that_is_shown_under_its_university_is_reported(
    labelled: str, missed: list[str], wrong: list[str], tmp_path: Path, all_lists: list[Watchlist]
) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f'raw_affiliation_string,entity_slugs\n"{HOSPITAL}",{labelled}\n', encoding="utf-8")
    differences = [row[1:] for row in mistakes(read_labels(path), all_lists).rows()]
    assert differences == ([(missed, wrong)] if missed or wrong else [])


def test_a_string_labelled_twice_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("raw_affiliation_string,entity_slugs\na,\na,\n", encoding="utf-8")
    with pytest.raises(FileError, match="labelled twice"):
        read_labels(path)


@pytest.mark.real
def test_precision_and_recall_on_real_strings(real_data: Path, all_lists: list[Watchlist]) -> None:
    labels = read_labels(real_data / "watchlists" / "affiliation_strings_labelled.csv")
    assert labels.height == 1079
    row = evaluate(labels, all_lists, others=False).row(0, named=True)
    assert row["precision"] >= 0.99
    assert row["recall"] >= 0.99, mistakes(labels, all_lists).rows()
