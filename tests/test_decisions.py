"""Rules of people's decisions: they win for ever, over every later run of the study."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.cli import app
from copub.cli.app import call
from copub.lists.decisions import COLUMNS, DECISIONS, decisions_of, review_status

STRING = "Beihang University, Beijing, China"


@pytest.fixture(scope="module")
def works_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    authors = [
        {"author": {"display_name": "N"}, "countries": ["BE"], "raw_affiliation_strings": ["Ghent, Belgium"]},
        {"author": {"display_name": "M"}, "countries": ["CN"], "raw_affiliation_strings": [STRING]},
    ]
    work = {"id": "https://openalex.org/W1", "title": "On sheep", "publication_year": 2015, "authorships": authors}
    path = tmp_path_factory.mktemp("works") / "works.jsonl"
    path.write_text(json.dumps(work) + "\n", encoding="utf-8")
    return path


def command(*arguments: str | Path) -> int:
    return call(lambda: app(list(map(str, arguments)), standalone_mode=False))


def run(works_file: Path, tmp_path: Path) -> copub.Run:
    return copub.run("belgium-china", works=[works_file], reports=tmp_path / "r", cache=tmp_path / "c", until="measure")


@pytest.fixture(scope="module")
def made(works_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the cache and the reports of a first run, to copy."""
    place = tmp_path_factory.mktemp("first")
    run(works_file, place)
    return place


@pytest.fixture
def first(made: Path, tmp_path: Path) -> copub.Run:
    """The first run, in a folder of its own."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return copub.open_run(next((tmp_path / "r" / "belgium-china").glob("*-*")))


def fill_in(sheet: Path, decision: str, date: str) -> None:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["value"] == STRING:
            row |= {"decision": decision, "reason": "read", "reviewer": "R", "date": date}
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(COLUMNS))
        writer.writeheader()
        writer.writerows(rows)


def test_a_rejected_hit_no_longer_counts_and_a_later_decision_wins(
    works_file: Path, first: copub.Run, tmp_path: Path
) -> None:
    assert first.share("listed")["numerator"] == 1
    sheet, reports = tmp_path / "sheet.csv", tmp_path / "r"
    assert command("review", "sample", "belgium-china", "--out", sheet, "--reports", reports) == 0
    fill_in(sheet, "no", "2026-01-01")
    assert command("review", "import", sheet, "--study", "belgium-china", "--reports", reports) == 0
    second = run(works_file, tmp_path)
    assert second.share("listed")["numerator"] == 0
    assert second.tables["copublications"]["review_status"].to_list() == ["rejected"]
    assert [decision["reviewer"] for decision in second.manifest["decisions"]] == ["R"]
    fill_in(sheet, "yes", "2026-02-01")
    assert command("review", "import", sheet, "--study", "belgium-china", "--reports", reports) == 0
    third = run(works_file, tmp_path)
    assert third.share("listed")["numerator"] == 1
    assert third.tables["copublications"]["review_status"].to_list() == ["confirmed"]


def test_decisions_for_a_study_without_runs_are_refused(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    assert command("review", "import", sheet, "--study", "nowhere", "--reports", tmp_path) == 2
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../elsewhere", "a/b", "{tmp}/elsewhere", "x" * 300])
def test_decisions_are_written_below_the_reports_only(name: str, tmp_path: Path) -> None:
    sheet, reports = tmp_path / "sheet.csv", tmp_path / "r"
    sheet.write_text(f'{",".join(COLUMNS)}\nhit,"{STRING}",x,,,no,,R,2026-01-01\n', encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    study = name.format(tmp=tmp_path)
    assert command("review", "import", sheet, "--study", study, "--reports", reports) == 2
    assert {path.name for path in tmp_path.rglob("*")} == {"sheet.csv", "elsewhere"}


@pytest.mark.usefixtures("first")
def test_a_sheet_with_faults_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f'{",".join(COLUMNS)}\nhit,"{STRING}",beihang-university,,,perhaps,,,\n', encoding="utf-8")
    assert command("review", "import", sheet, "--study", "belgium-china", "--reports", tmp_path / "r") == 2
    assert "perhaps" in capsys.readouterr().err
    assert decisions_of(tmp_path / "r", "belgium-china") is None
    assert not (tmp_path / "r" / "belgium-china" / DECISIONS).exists()


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    "text",
    [
        f"{','.join(COLUMNS)}\nhit,Some Institute,some-institute,Some,Some,,,,\n",
        f"{','.join(COLUMNS)}\n",
        "work_id,title,critical,listed,top_level,reader,date\nW1,A title,,,,,\n",
    ],
)
def test_a_sheet_without_an_answer_changes_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(text, encoding="utf-8")
    before = sorted(path.name for path in (tmp_path / "r" / "belgium-china").iterdir())
    assert command("review", "import", sheet, "--study", "belgium-china", "--reports", tmp_path / "r") == 2
    stated = capsys.readouterr()
    assert stated.out == ""
    assert f"{sheet}: nothing is filled in, so nothing was changed\n  fill in decision" in stated.err
    assert sorted(path.name for path in (tmp_path / "r" / "belgium-china").iterdir()) == before


@pytest.mark.usefixtures("first")
def test_an_empty_sheet_beside_a_filled_one_takes_nothing_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled, empty = tmp_path / "filled.csv", tmp_path / "empty.csv"
    assert command("review", "sample", "belgium-china", "--out", filled, "--reports", tmp_path / "r") == 0
    empty.write_bytes(filled.read_bytes())
    fill_in(filled, "no", "2026-01-01")
    capsys.readouterr()
    assert command("review", "import", filled, empty, "--study", "belgium-china", "--reports", tmp_path / "r") == 0
    assert capsys.readouterr().out.count("taken") == 1
    assert decisions_of(tmp_path / "r", "belgium-china")["decision"].to_list() == ["no"]


def test_without_decisions_every_work_is_unreviewed(first: copub.Run) -> None:
    assert first.manifest["decisions"] == []
    assert first.tables["copublications"].filter(pl.col("review_status") != "unreviewed").is_empty()


@pytest.mark.usefixtures("first")
def test_readings_of_texts_become_a_labelled_file_with_kappa(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports, sheet, labels = tmp_path / "r", tmp_path / "texts.csv", tmp_path / "labels.jsonl"
    assert command("review", "texts", "belgium-china", "--out", sheet, "--size", "5", "--reports", reports) == 0
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["work_id"] for row in rows] == ["W1"]
    readers = []
    for reader in ("A", "B"):
        filled = tmp_path / f"{reader}.csv"
        with filled.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows([row | {"core": "EU-02-AI", "reader": reader, "date": "2026-01-01"} for row in rows])
        readers.append(filled)
    assert command("review", "labels", "belgium-china", *readers, "--out", labels, "--reports", reports) == 0
    assert "A and B, any area: kappa" in capsys.readouterr().out
    assert json.loads(labels.read_text(encoding="utf-8"))["core"] == ["EU-02-AI"]


@pytest.mark.parametrize(
    ("decided", "status"), [(["yes"], "confirmed"), (["no"], "rejected"), (["yes", "no"], "corrected")]
)
def test_a_work_with_a_confirmed_and_a_rejected_affiliation_is_corrected(decided: list[str], status: str) -> None:
    count = len(decided)
    values = [f"string {n}" for n in range(count)]
    hits = pl.DataFrame(
        {"work_id": ["W1"] * count, "value": values, "via_entity": [None] * count, "entity_id": ["e"] * count},
        schema_overrides={"via_entity": pl.String},
    )
    decisions = pl.DataFrame({"value": values, "entity_id": ["e"] * count, "decision": decided})
    assert review_status(hits, decisions) == {"W1": status}
