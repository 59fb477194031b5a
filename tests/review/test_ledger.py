"""Nothing that a reader gave is lost: files are kept, labels follow from them, and every earlier version stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.errors import FileError, InputError
from copub.lists.labels import LABELS, read_labels
from copub.measures.adjusted import adjusted, labels_of_works, prepared
from copub.review.agreement import agreement, joined, latest
from copub.review.citable import COLUMNS, citable
from copub.review.draws import draw_id, keep_draw
from copub.review.filledsheets import READINGS, read_given
from copub.review.ledger import open_ledger, take
from copub.review.status import against_labels, facts_of, status_of
from copub.review.texts import read_sheets
from copub.review.works import draw_works
from copub.runs.instruments import study_of

Command = Callable[..., int]
STUDY = "demo"
HEAD = "work_id,critical,listed,top_level,reader,date\n"


def page_file(
    folder: Path,
    reader: str,
    answers: Mapping[str, str],
    *,
    date: str = "2026-11-20",
    third_look: bool = False,
    change: Mapping[str, Any] | None = None,
) -> Path:
    """Write a page's file; an answer is critical and listed by their first letters, such as "yn"."""
    words = {"y": "yes", "n": "no", "t": "cannot tell"}
    readings = [
        {
            "id": work,
            "answers": {name: words[sign] for name, sign in zip(("critical", "listed"), given, strict=False)},
            "date": date,
            "note": f"secret note on {work}",
            "seconds": 4.5,
            "stands_for": "7.5",
        }
        for work, given in answers.items()
    ]
    facts = {
        "copub": "reading",
        "study": STUDY,
        "what": "works",
        "reader": reader,
        "third_look": third_look,
        "codebook": {"id": "rules", "sha256": "ab" * 32},
        "items": [*answers, "W99"],
        "readings": readings,
    }
    path = folder / f"{reader}-{date}-{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps({**facts, **(change or {})}), encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    (tmp_path / "files").mkdir()
    return tmp_path


def taken(place: Path, *files: Path) -> Any:
    return take(place / "reports", STUDY, files)


def answers_of(place: Path) -> dict[str, tuple[bool, bool]]:
    labels = open_ledger(place / "reports", STUDY).labels
    return {work: (critical, listed) for work, critical, listed in labels.select(LABELS.names()[:3]).iter_rows()}


def test_files_are_kept_byte_for_byte_and_a_file_given_twice_changes_nothing(place: Path) -> None:
    path = page_file(place / "files", "Ann", {"W1": "yy", "W2": "nn"})
    first, again = taken(place, path), taken(place, path)
    assert (first.files, first.new, again.files, again.new, again.changed) == (1, 2, 0, 0, ())
    kept = list((place / "reports" / STUDY / "review" / "imports").iterdir())
    assert [file.read_bytes() for file in kept] == [path.read_bytes()]
    assert not (place / "reports" / STUDY / "review" / "earlier").exists()


def test_a_later_answer_of_a_reader_counts_it_is_named_and_the_earlier_labels_are_kept(place: Path) -> None:
    folder = place / "files"
    taken(place, page_file(folder, "Ann", {"W1": "yy", "W2": "nn"}))
    before = (place / "reports" / STUDY / "labelled.csv").read_bytes()
    done = taken(place, page_file(folder, "Ann", {"W1": "ny", "W2": "nn"}, date="2026-11-21"))
    assert done.changed == ("W1: critical yes -> no (Ann, 2026-11-21)",) and done.new == 0
    earlier = place / "reports" / STUDY / "review" / "earlier" / "labelled-0001.csv"
    assert earlier.read_bytes() == before
    assert answers_of(place) == {"W1": (False, True), "W2": (False, False)}
    # an older file that is imported late wins nothing
    taken(place, page_file(folder, "Ann", {"W1": "yy"}, date="2026-11-19"))
    assert answers_of(place)["W1"] == (False, True)


def test_an_answer_that_was_taken_back_is_open_again(place: Path) -> None:
    taken(place, page_file(place / "files", "Ann", {"W1": "yy", "W2": "nn"}))
    done = taken(place, page_file(place / "files", "Ann", {"W1": "", "W2": "nn"}))
    assert done.changed == ("W1: no label any more",) and answers_of(place) == {"W2": (False, False)}


def test_a_work_of_which_one_question_was_answered_is_open_and_disputes_nothing(place: Path) -> None:
    taken(place, page_file(place / "files", "Ann", {"W1": "yy", "W2": "y"}))
    taken(place, page_file(place / "files", "Bea", {"W1": "n"}))
    ledger = open_ledger(place / "reports", STUDY)
    assert answers_of(place) == {"W1": (True, True)} and not ledger.disputed and not ledger.undecided
    assert ledger.shown == {"W1", "W2", "W99"}


def test_readers_who_differ_leave_a_work_without_a_label_until_a_third_look(place: Path) -> None:
    folder = place / "files"
    taken(place, page_file(folder, "Ann", {"W1": "yy", "W2": "nn", "W3": "yn", "W4": "ty", "W5": "yy"}))
    done = taken(
        place, page_file(folder, "Bea", {"W1": "yy", "W2": "yn", "W3": "tn", "W4": "ty", "W5": "yn"}, date="2026-11-21")
    )
    ledger = open_ledger(place / "reports", STUDY)
    assert ledger.disputed == ("W2", "W3", "W5") and ledger.undecided == ("W4",)
    assert ledger.labels.select("work_id", "reader").rows() == [("W1", "Ann, Bea")]
    assert done.changed == ("W2: no label any more", "W3: no label any more", "W5: no label any more")
    taken(place, page_file(folder, "Cem", {"W2": "yn", "W3": "nn"}, third_look=True))
    assert answers_of(place) == {"W1": (True, True), "W2": (True, False), "W3": (False, False)}
    # what readers say later does not undo the third look
    taken(place, page_file(folder, "Bea", {"W2": "nn"}, date="2026-11-28"))
    assert answers_of(place)["W2"] == (True, False)


def test_what_a_work_represents_is_found_by_the_draw_of_its_page_also_after_a_third_look(place: Path) -> None:
    folder, drawn = place / "files", pl.DataFrame({"work_id": ["W1", "W2"], "stands_for": [12.5, 3.0]})
    (place / "reports" / STUDY).mkdir()
    keep_draw(place / "reports", STUDY, drawn)
    readings = [
        {"id": work, "answers": {"critical": "yes", "listed": "no"}, "date": "2026-11-20"} for work in ("W1", "W2")
    ]
    change = {"draw": draw_id(drawn), "readings": readings}
    taken(place, page_file(folder, "Ann", {}, change=change))
    sheet = place / "sheet.csv"
    sheet.write_text(
        f"work_id,critical,listed,reader,date,draw\nW2,no,no,Bea,2026-11-20,{draw_id(drawn)}\n", encoding="utf-8"
    )
    taken(place, sheet)
    assert open_ledger(place / "reports", STUDY).disputed == ("W2",)
    looked = [{"id": "W2", "answers": {"critical": "no", "listed": "no"}, "date": "2026-11-21"}]
    taken(place, page_file(folder, "Cem", {}, third_look=True, change={"readings": looked}))
    ledger = open_ledger(place / "reports", STUDY)
    assert ledger.labels.select("work_id", "stands_for").rows() == [("W1", 12.5), ("W2", 3.0)]
    assert ledger.drawn_elsewhere == 0
    taken(place, page_file(folder, "Dan", {}, change={"draw": "0" * 16, "readings": [readings[0] | {"id": "W3"}]}))
    ledger = open_ledger(place / "reports", STUDY)
    assert ledger.drawn_elsewhere == 1 and ledger.labels.filter(work_id="W3")["stands_for"].to_list() == [None]


def test_labels_from_before_and_rows_edited_by_hand_are_taken_in(place: Path) -> None:
    labelled = place / "reports" / STUDY / "labelled.csv"
    labelled.parent.mkdir()
    labelled.write_text(f"{HEAD}W1,yes,yes,no,Old,2026-01-01\nW2,no,no,no,Old,2026-01-01\n", encoding="utf-8")
    before = labelled.read_bytes()
    taken(place, page_file(place / "files", "Ann", {"W3": "nn"}))
    assert set(answers_of(place)) == {"W1", "W2", "W3"}
    assert (labelled.parent / "review" / "earlier" / "labelled-0001.csv").read_bytes() == before
    text = labelled.read_text(encoding="utf-8-sig").replace("W2,no", "W2,yes").replace("2026-01-01", "2026-02-02")
    labelled.write_text(text, encoding="utf-8")
    taken(place, page_file(place / "files", "Ann", {"W4": "nn"}))
    assert answers_of(place)["W2"] == (True, False) and len(answers_of(place)) == 4


def test_sheets_and_pages_are_joined_and_two_readers_may_share_a_sheet(place: Path) -> None:
    sheet = place / "sheet.csv"
    sheet.write_text(
        f"{HEAD}W1,yes,no,,Ann,2026-11-01\nW1,no,no,,Bea,2026-11-01\nW2,no,no,,Ann,2026-11-01\nW3,,,,,\n",
        encoding="utf-8",
    )
    taken(place, sheet)
    ledger = open_ledger(place / "reports", STUDY)
    assert set(ledger.disputed) == {"W1"} and ledger.labels["work_id"].to_list() == ["W2"]
    assert ledger.shown == {"W1", "W2", "W3"}


def test_kappa_is_that_of_the_textbook(place: Path) -> None:
    # Cohen (1960): both say yes on 20 works, both no on 15, and they differ on 5 and 10: kappa 0.4
    signs = ["yy"] * 20 + ["yn"] * 5 + ["ny"] * 10 + ["nn"] * 15
    files = [
        page_file(place / "files", reader, {f"W{n}": f"{sign[who]}n" for n, sign in enumerate(signs, 1)})
        for who, reader in enumerate(("Ann", "Bea"))
    ]
    rows = agreement(latest(pl.concat(read_given(path).works for path in files))).rows(named=True)
    assert [row["kappa"] for row in rows] == [pytest.approx(0.4), None, None]
    assert [(row["works"], row["differ"]) for row in rows] == [(50, 15), (50, 0), (50, 0)]


def test_of_no_readings_nothing_follows() -> None:
    nothing = pl.DataFrame(schema=READINGS)
    labels, disputed, undecided = joined(latest(nothing))
    assert labels.is_empty() and not disputed and not undecided and agreement(nothing).is_empty()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reader": " "}, "the reader has no name"),
        ({"what": "poems"}, "what is 'poems'"),
        ({"readings": [{"id": "x", "answers": {}, "date": "2026-11-20"}]}, "id is 'x'"),
        ({"readings": [{"id": "W1", "answers": {"critical": "maybe"}, "date": "2026-11-20"}]}, "critical is 'maybe'"),
        ({"readings": [{"id": "W1", "answers": {}, "date": "today"}]}, "date 'today' is no date"),
        ({"readings": [{"id": "W1", "answers": {}, "date": "2026-11-20", "stands_for": "-1"}]}, "stands_for is '-1'"),
        ({"readings": [{"id": 5}]}, "readings[0]"),
        ({"readings": [{"id": "W1", "answers": {}, "date": "2026-11-20"}] * 2}, "W1 is there twice"),
        ({"study": 7}, "study: text expected"),
    ],
)
def test_a_file_with_faults_is_refused_and_the_fault_is_named(
    place: Path, command: Command, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    path = page_file(place / "files", "Ann", {"W1": "yy"}, change=change)
    arguments = ("review", "import", path, "--study", STUDY, "--reports", place / "reports")
    assert command(*arguments) == 2
    reported = capsys.readouterr().err
    assert words in reported and path.name in reported
    assert not (place / "reports" / STUDY).exists()


def test_a_file_that_breaks_off_or_is_of_another_study_is_refused(
    place: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    path = page_file(place / "files", "Ann", {"W1": "yy"})
    assert command("review", "import", path, "--study", "belgium-china", "--reports", place / "reports") == 2
    assert "the files are for several studies: belgium-china, demo" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="no whole file of a reading page"):
        read_given(path)


@pytest.mark.parametrize("study", ["../elsewhere", "..", "/tmp", "demo/.."])
def test_a_file_cannot_name_a_folder_outside_the_reports(
    place: Path, command: Command, capsys: pytest.CaptureFixture[str], study: str
) -> None:
    (place / "elsewhere").mkdir()
    path = page_file(place / "files", "Ann", {"W1": "yy"}, change={"study": study})
    assert command("review", "import", path, "--reports", place / "reports") == 2
    assert "give the id of a study" in capsys.readouterr().err
    assert not list((place / "elsewhere").iterdir()) and not (place / "labelled.csv").exists()


def test_areas_of_pages_make_a_file_on_which_a_classifier_is_evaluated(place: Path) -> None:
    readings = [
        {"id": work, "answers": {"critical": critical, "areas": areas, "listed": "no"}, "date": "2026-11-20"}
        for work, critical, areas in (("W1", "yes", ["B", "A"]), ("W2", "no", []), ("W3", "cannot tell", []))
    ]
    path = page_file(place / "files", "Ann", {}, change={"readings": readings})
    assert read_sheets([path], ["A", "B"]).select("work_id", "core").rows() == [("W1", ["A", "B"]), ("W2", [])]
    with pytest.raises(FileError, match="1 fault"):
        read_sheets([path], ["A", "C"])


def reading_as_copub(run: copub.Run, folder: Path, size: int, wrong: int = 0) -> Path:
    """Read a draw as copub decided, but for every `wrong`-th work."""
    works = run.tables["copublications"]
    drawn = draw_works(works, size)["work_id"].to_list()
    flags = {work: pair for work, *pair in works.select("work_id", "is_critical", "is_listed").iter_rows()}
    answers = {
        work: "ny"[flags[work][0] != (bool(wrong) and place % wrong == 0)] + "ny"[flags[work][1]]
        for place, work in enumerate(drawn)
    }
    return page_file(folder, "Ann", answers)


def test_status_states_the_interval_of_the_report_and_what_is_left(demo_run: copub.Run, place: Path) -> None:
    works, study = demo_run.tables["copublications"], study_of(demo_run.manifest)
    taken(place, reading_as_copub(demo_run, place / "files", 120, wrong=9))
    ledger = open_ledger(place / "reports", STUDY)
    status = status_of(study, works, ledger, [0.02, 0.5])
    known = prepared(study, works)
    labels = labels_of_works(known, read_labels([place / "reports" / STUDY / "labelled.csv"]))
    table = adjusted(study, known, None, labels)
    row = table.filter(slice_kind="all", measure="critical_listed").row(0, named=True)
    assert (status.share, status.low, status.high) == (row["adjusted"], row["adjusted_low"], row["adjusted_high"])
    assert (status.works, status.labelled, status.readers) == (works.height, 120, {"Ann": 120})
    assert status.seconds == {"Ann": 4.5} and json.dumps(facts_of(status))
    assert status.still[0.02] > 120 and status.still[0.5] == 0


def test_precision_and_recall_are_weighted_by_what_each_work_stands_for() -> None:
    # 4 works decided critical, of which 2 read: one true; 6 decided not critical, of which 2 read: one true
    works = pl.DataFrame(
        {"work_id": [f"W{n}" for n in range(10)], "is_critical": [True] * 4 + [False] * 6, "is_listed": [True] * 10,
         "is_critical_listed": [True] * 4 + [False] * 6, "max_score": [0.9] * 4 + [0.1] * 6}
    )  # fmt: skip
    labels = pl.DataFrame(
        {"work_id": ["W0", "W1", "W4", "W5"], "critical": [True, False, True, False], "listed": [True] * 4}
    )
    found = against_labels(works, labels)["critical"]
    assert found == {"works": 4.0, "precision": pytest.approx(0.5), "recall": pytest.approx(2 / 5)}


def test_the_citable_file_has_labels_readers_and_rules_and_no_text(
    demo_run: copub.Run, command: Command, reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    path = reading_as_copub(demo_run, folder, 40)
    assert command("review", "import", path, "--reports", reports) == 0
    out = tmp_path / "labels.csv"
    assert command("review", "export", "demo", "--out", out, "--reports", reports) == 0
    reported = " ".join(capsys.readouterr().out.split())
    assert hashlib.sha256(out.read_bytes()).hexdigest() in reported and "Ann: labels of 40 works" in reported
    table = pl.read_csv(out)
    assert tuple(table.columns) == COLUMNS and table.height == 40 and set(table["codebook_sha256"]) == {"ab" * 32}
    assert table.equals(pl.read_csv(out).sort("work_id")) and "secret" not in out.read_text(encoding="utf-8")
    assert citable(open_ledger(reports, "demo"), "demo").height == 40
    assert command("review", "export", "demo", "--out", out, "--reports", reports) == 2
    assert command("review", "status", "demo", "--width", "5", "--reports", reports) == 0
    reported = " ".join(capsys.readouterr().out.split())
    assert "40 of 2,001 works labelled" in reported and "still to read for an interval 5 points wide" in reported


def test_a_file_of_an_empty_page_changes_nothing(place: Path, command: Command) -> None:
    path = page_file(place / "files", "Ann", {})
    assert command("review", "import", path, "--reports", place / "reports") == 2


def test_decisions_on_pairs_that_the_run_did_not_ask_about_are_named_at_import(
    command: Command, reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.csv"
    assert command("review", "sample", "demo", "--out", sheet, "--reports", reports) == 0
    drawn = pl.read_csv(sheet, infer_schema_length=0).filter(pl.col("sample") == "hit")
    decided = drawn.with_columns(decision=pl.lit("no"), reviewer=pl.lit("R"), date=pl.lit("2026-03-04"))
    decided.write_csv(sheet)
    capsys.readouterr()
    assert command("review", "import", sheet, "--study", "demo", "--reports", reports) == 0
    assert "did not ask about" not in capsys.readouterr().out

    first, second = (decided.filter(pl.col("entity_id") == name)[:1] for name in sorted(set(drawn["entity_id"]))[:2])
    cut = first.with_columns(pl.col("value").str.slice(0, 5))
    unlisted = first.with_columns(entity_id=pl.lit("nobody"))
    exchanged = second.with_columns(entity_id=pl.lit(first["entity_id"][0]))
    written_in = first.with_columns(entity_id=pl.lit(second["entity_id"][0]), decision=pl.lit("yes"))
    pl.concat([cut, unlisted, exchanged, written_in]).write_csv(sheet)
    assert command("review", "import", sheet, "--study", "demo", "--reports", reports) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "4 decisions on a string and an institution that demo/" in out
    for effect in (
        "the run has no such string; changes nothing",
        "no list of the run knows the institution; changes nothing",
        "the run did not find it there; changes nothing",
        "the run did not find it there; counts from now on",
    ):
        assert effect in out
