"""Outside labels: read from three kinds of file, met by id, three-valued; faults are named by row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import FileError, InputError
from copub.technology.externallabels import agreement, key_of, read_outside

ASSIGNED = {"work_id": pl.String, "area": pl.String, "assigned": pl.Boolean}


def _assignments(rows: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame([(work, area, True) for work, area in rows], schema=ASSIGNED, orient="row")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("https://openalex.org/W12", "w12"),
        ("W12", "w12"),
        ("https://doi.org/10.1000/ABC", "10.1000/abc"),
        ("doi:10.1000/abc", "10.1000/abc"),
        ("arXiv:1912.00001v2", "1912.00001"),
        ("https://arxiv.org/abs/1912.00001", "1912.00001"),
        ("cs/0101001", "cs/0101001"),
    ],
)
def test_ids_are_compared_without_address_prefix_and_version(given: str, key: str) -> None:
    assert pl.select(key_of(pl.lit(given))).item() == key


def test_the_same_labels_are_read_from_all_kinds_of_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["W1", "W2", "W3"], "is_ai": [True, False, None]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet")
    for kind in ("csv", "jsonl", "parquet"):
        read = read_outside(tmp_path / f"a.{kind}", label_column="is_ai")
        assert read.rows() == [("w1", None, True), ("w2", None, False), ("w3", None, None)]


def test_a_column_of_areas_keeps_them_apart_and_unclear_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,area,label\nW1,A,yes\nW1,B,no\nW2,A,unclear\nW1,A,\n", encoding="utf-8")
    assert read_outside(path).rows() == [("w1", "A", True), ("w2", "A", None), ("w1", "B", False)]


def test_faults_of_labels_are_named_by_row(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("id,label\nW1,perhaps\nW2,yes\nhttps://openalex.org/W2,no\n", encoding="utf-8")
    with pytest.raises(FileError) as raised:
        read_outside(path)
    assert "row 1: 'perhaps' is no label" in str(raised.value)
    assert "row 2: w2 has two different labels" in str(raised.value)


def test_a_file_that_cannot_be_read_says_how_to_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_outside(tmp_path / "none.csv")
    path = tmp_path / "a.csv"
    path.write_text("id,x\nW1,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column label"):
        read_outside(path)
    with pytest.raises(InputError, match=r"cannot read \.txt"):
        read_outside(path.rename(tmp_path / "a.txt"))
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        read_outside(tmp_path / "b.parquet")


def test_agreement_leaves_null_and_unclassified_works_aside() -> None:
    outside = pl.DataFrame({"key": ["w1", "w2", "w3", "w4", "w9"], "label": [True, False, None, True, True]})
    works = pl.Series(["https://openalex.org/W1", "W2", "W3", "W4"])
    reported = agreement(
        works, _assignments([("https://openalex.org/W1", "A"), ("W3", "A"), ("W2", "B")]), outside, ["A"]
    )
    assert (reported["works"], reported["without_label"]) == (3, 1)
    assert reported["agreement"] == pytest.approx(2 / 3)
    assert reported["agreement_low"] < reported["agreement"] < reported["agreement_high"]
    assert reported["recall"] == 0.5
    assert reported["precision"] == 1.0


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([True, False, None])), max_size=30))
def test_agreement_is_the_share_of_equal_labels(pairs: list[tuple[bool, bool | None]]) -> None:
    works = pl.Series("w", [f"W{at}" for at in range(len(pairs))], dtype=pl.String)
    found = _assignments([(f"W{at}", "A") for at, (ours, _) in enumerate(pairs) if ours])
    keys = [f"w{at}" for at in range(len(pairs))]
    outside = pl.DataFrame(
        {"key": keys, "label": [label for _, label in pairs]}, schema={"key": pl.String, "label": pl.Boolean}
    )
    reported = agreement(works, found, outside, ["A"])
    judged = [(ours, label) for ours, label in pairs if label is not None]
    assert reported["works"] == len(judged)
    if judged:
        assert reported["agreement"] == pytest.approx(sum(ours == label for ours, label in judged) / len(judged))
