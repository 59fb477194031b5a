"""The labelled sample from end to end: drawn from a run, filled in, taken back, and what the next run says of it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.cli import app
from copub.cli.app import call
from copub.errors import FileError
from copub.history.verify import verify
from copub.lists.decisions import LABELLED
from copub.measures.strata import with_strata
from copub.review.draws import kept_draws
from copub.review.works import SHEET

Rows = list[dict[str, str]]


def command(*arguments: str | Path) -> int:
    return call(lambda: app(list(map(str, arguments)), standalone_mode=False))


@pytest.fixture
def folders(demo_folders: tuple[Path, Path], demo_run: copub.Run, tmp_path: Path) -> tuple[Path, Path]:
    """Return the cache of the demo run, and a reports folder of one's own with that run."""
    shutil.copytree(demo_run.folder, tmp_path / "reports" / "demo" / demo_run.folder.name)
    return demo_folders[0], tmp_path / "reports"


def drawn(folders: tuple[Path, Path], out: Path, size: int = 60) -> Rows:
    assert command("review", "works", "demo", "--out", out, "--size", str(size), "--reports", folders[1]) == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill_in(rows: Rows, run: copub.Run, path: Path, change: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    """Label every work as it was decided, but for what `change` changes; write the sheet."""
    decided = {row["work_id"]: row for row in run.tables["copublications"].iter_rows(named=True)}
    for number, row in enumerate(rows):
        flags = decided[row["work_id"]]
        for name in ("critical", "listed"):
            row[name] = "yes" if flags[f"is_{name}"] else "no"
        row["top_level"] = "yes" if flags["is_listed"] and flags["max_risk_level"] == "very high" else "no"
        row |= {"reader": "A. Reader", "date": "2026-11-20"} | change(number, row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=SHEET)
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_holds_every_decision_and_a_larger_one_holds_the_smaller(
    folders: tuple[Path, Path], demo_run: copub.Run, tmp_path: Path
) -> None:
    small, large = (drawn(folders, tmp_path / f"{size}.csv", size) for size in (20, 60))
    assert {row["work_id"] for row in small} < {row["work_id"] for row in large}
    works = with_strata(demo_run.tables["copublications"])
    strata = works.select("is_critical", "is_listed", "is_near").unique()
    on_sheet = works.filter(pl.col("work_id").is_in([row["work_id"] for row in small]))
    assert on_sheet.select(strata.columns).unique().height == strata.height
    kept = kept_draws(folders[1] / "demo").filter(draw=large[0]["draw"])
    assert kept["stands_for"].sum() == pytest.approx(works.height, abs=1e-3)
    assert kept["work_id"].to_list() == [row["work_id"] for row in large]
    assert list(large[0]) == list(SHEET) and not any(row["critical"] or row["listed"] for row in large)
    assert all(row["affiliations"] for row in large)


@pytest.mark.slow
def test_labels_that_are_taken_back_stand_behind_the_next_run_and_are_named(
    folders: tuple[Path, Path], demo_run: copub.Run, tmp_path: Path
) -> None:
    sheet, (cache, reports) = tmp_path / "works.csv", folders
    rows = drawn(folders, sheet)

    def flip(number: int, row: dict[str, str]) -> dict[str, str]:
        return {"critical": "no"} if number % 7 == 0 else {"critical": "", "listed": ""} if number == 1 else {}

    fill_in(rows, demo_run, sheet, flip)
    assert command("review", "import", sheet, "--study", "demo", "--reports", reports) == 0
    assert (reports / "demo" / LABELLED).is_file()
    again = copub.run("demo", cache=cache, reports=reports)
    row = again.tables["adjusted"].filter(slice_kind="all", measure="critical_listed").row(0, named=True)
    words = f"{len(rows) - 1} works of this study read by one person on 2026-11-20"
    assert row["method"] == "labelled sample" and row["basis"].startswith(words)
    assert row["adjusted_low"] < row["adjusted"] < row["adjusted_high"]
    assert words in (again.folder / "report.html").read_text(encoding="utf-8")
    assert len(again.manifest["labelled"]) == len(rows) - 1
    assert verify(again, cache).is_same


@pytest.mark.slow
def test_a_study_may_name_the_sheet_itself(folders: tuple[Path, Path], demo_run: copub.Run, tmp_path: Path) -> None:
    sheet, (cache, reports) = tmp_path / "works.csv", folders
    fill_in(drawn(folders, sheet), demo_run, sheet, lambda number, row: {})
    text = (demo_run.folder / "inputs" / "study.toml").read_text(
        encoding="utf-8"
    ) + f'\n[adjusted]\nlabelled = "{sheet}"\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    again = copub.run(tmp_path / "study.toml", cache=cache, reports=reports, until="measure")
    assert set(again.tables["adjusted"]["method"]) == {"labelled sample"}


def test_a_sheet_with_faults_is_refused_whole(
    folders: tuple[Path, Path], demo_run: copub.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, reports = tmp_path / "works.csv", folders[1]
    wrong = {0: {"critical": "perhaps"}, 1: {"reader": ""}, 2: {"date": "soon"}, 3: {"listed": ""}}
    fill_in(drawn(folders, sheet), demo_run, sheet, lambda number, row: wrong.get(number, {}))
    assert command("review", "import", sheet, "--study", "demo", "--reports", reports) == FileError.exit_code
    reported = capsys.readouterr().err
    for part in ("4 faults", "critical is 'perhaps'", "needs a reader", "'soon' is no date", "listed is empty"):
        assert part in reported, part
    assert not (reports / "demo" / LABELLED).exists()


def test_a_sheet_for_a_study_without_runs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "works.csv"
    sheet.write_text("work_id,critical,listed,reader,date\nW1,yes,no,A,2026-11-20\n", encoding="utf-8")
    assert command("review", "import", sheet, "--study", "nothing-here", "--reports", tmp_path / "r") == 2
    assert "no run of a study 'nothing-here'" in capsys.readouterr().err
