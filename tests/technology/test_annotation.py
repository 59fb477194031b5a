"""The annotation loop: the same works are drawn everywhere, and faults of sheets are named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copub.csvtext import write_sheet
from copub.errors import FileError, InputError
from copub.review.texts import (
    COLUMNS,
    agreement_of_readers,
    draw_sheet,
    join_readings,
    labels_text,
    read_sheets,
)
from copub.technology.classifierevaluation import ANY, read_labels

AREAS = ("A", "B")


def _works(count: int = 40) -> pl.DataFrame:
    return pl.DataFrame(
        {"work_id": [f"W{n}" for n in range(count)], "title": ["=1+1"] * count, "abstract": [None] * count},
        schema_overrides={"abstract": pl.String},
    )


def _assignments() -> pl.DataFrame:
    return pl.DataFrame(
        {"work_id": [f"W{n}" for n in range(20)], "score": [0.45] * 10 + [0.95] * 10, "threshold": [0.4] * 20}
    )


def _sheet(path: Path, rows: list[tuple[str, str, str, str, str]]) -> Path:
    lines = [",".join(COLUMNS)] + [f"{w},random,t,,{core},{applied},{who},{day}" for w, core, applied, who, day in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_half_are_uncertain_and_the_draw_does_not_hang_on_order() -> None:
    sheet = draw_sheet(_works(), _assignments(), 12)
    assert sheet.columns == list(COLUMNS)
    assert sheet["drawn"].value_counts(sort=True).rows() == [("uncertain", 6), ("random", 6)] or sheet[
        "drawn"
    ].value_counts()["count"].to_list() == [6, 6]
    uncertain = sheet.filter(drawn="uncertain")["work_id"].to_list()
    assert set(uncertain) <= {f"W{n}" for n in range(10)}
    assert draw_sheet(_works().reverse(), _assignments(), 12).equals(sheet)


def test_a_larger_sheet_holds_the_uncertain_works_of_the_smaller() -> None:
    small = draw_sheet(_works(), _assignments(), 8).filter(drawn="uncertain")["work_id"]
    large = draw_sheet(_works(), _assignments(), 16).filter(drawn="uncertain")["work_id"]
    assert set(small) <= set(large)


def test_a_title_never_becomes_a_formula(tmp_path: Path) -> None:
    write_sheet(draw_sheet(_works(), _assignments(), 2), tmp_path / "sheet.csv")
    assert ",'=1+1," in (tmp_path / "sheet.csv").read_text(encoding="utf-8-sig")


def test_readings_come_back_with_reader_and_date(tmp_path: Path) -> None:
    first = _sheet(tmp_path / "a.csv", [("W1", "A; B", "", "ann", "2026-11-01"), ("W2", "", "A", "ann", "2026-11-01"),
                                        ("W3", "A", "", "", "")])  # fmt: skip
    second = _sheet(tmp_path / "b.csv", [("W1", "A", "", "bo", "2026-11-02"), ("W2", "", "", "bo", "2026-11-02")])
    readings = read_sheets([first, second], AREAS)
    assert readings.select("work_id", "reader").rows() == [("W1", "ann"), ("W1", "bo"), ("W2", "ann"), ("W2", "bo")]
    joined = join_readings(readings).to_dicts()
    assert joined[0] == {"work_id": "W1", "readers": ["ann", "bo"], "core": ["A"], "disputed": ["B"], "applied": []}
    assert joined[1]["applied"] == ["A"]
    kappa = agreement_of_readers(readings, AREAS)
    assert kappa.filter(area=ANY)["kappa"].item() == 1.0
    assert kappa["works"].to_list() == [2, 2, 2]


def test_joined_readings_make_a_labelled_file(tmp_path: Path) -> None:
    sheet = _sheet(tmp_path / "a.csv", [("W1", "A", "", "ann", "2026-11-01")])
    path = tmp_path / "labels.jsonl"
    schema = {
        "work_id": pl.String,
        "rank": pl.Int32,
        "topic_id": pl.String,
        "topic_name": pl.String,
        "score": pl.Float64,
    }
    topics = pl.DataFrame([("W1", 1, "T2", None, None), ("W1", 0, "T1", "One", 0.5)], schema=schema, orient="row")
    path.write_text(labels_text(join_readings(read_sheets([sheet], AREAS)), _works(), topics), encoding="utf-8")
    labels = read_labels(path)
    assert labels.select("work_id", "core").rows() == [("W1", ["A"])]
    assert [topic["topic_id"] for topic in labels["topics"][0]] == ["T1", "T2"]


def test_all_faults_of_all_sheets_are_named(tmp_path: Path) -> None:
    bad = _sheet(tmp_path / "bad.csv", [("W1", "Z", "", "ann", "yesterday")])
    worse = tmp_path / "worse.csv"
    worse.write_text("work_id,core\n", encoding="utf-8")
    with pytest.raises(FileError) as raised:
        read_sheets([bad, worse], AREAS)
    stated = str(raised.value)
    assert "bad.csv:2: core: unknown area Z" in stated
    assert "bad.csv:2: no date of reading: 'yesterday'" in stated
    assert "worse.csv:1: column 'reader' is missing" in stated
    with pytest.raises(InputError, match="there is no such sheet"):
        read_sheets([tmp_path / "none.csv"], AREAS)
