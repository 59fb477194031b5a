"""Rules of work in parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.engine import in_parallel, processes
from copub.errors import InputError
from copub.parallel import (
    by_parts,
    split_by_work,
    split_on_disk_by_work,
    with_own_buffers,
    zip_by_work,
)
from copub.settings import MEMORY


def test_results_come_in_the_order_of_the_parts_on_one_core_and_on_all() -> None:
    parts = list(range(40))
    assert list(in_parallel(str, parts, alone=100)) == list(in_parallel(str, parts)) == [str(n) for n in parts]


def test_no_part_gives_no_result() -> None:
    assert list(in_parallel(str, [])) == []


@given(ids=st.lists(st.sampled_from("abcdefgh"), max_size=40), rows=st.integers(1, 10))
def test_a_table_is_cut_between_works_and_loses_nothing(ids: list[str], rows: int) -> None:
    frame = pl.DataFrame({"work_id": sorted(ids), "n": range(len(ids))}, schema={"work_id": pl.String, "n": pl.Int64})
    parts = list(split_by_work(frame, rows))
    assert pl.concat(parts).equals(frame)
    works = [set(part["work_id"]) for part in parts]
    assert sum(map(len, works)) == len(set(ids))


def test_rows_with_texts_of_their_own_are_the_same_rows() -> None:
    frame = pl.DataFrame({"text": ["a" * 40, None, "é" * 40], "of": [["x" * 20], [], None], "n": [1, None, 3]})
    picked = frame.filter(pl.col("n").is_null() | (pl.col("n") > 1))
    assert with_own_buffers(picked).equals(picked) and with_own_buffers(picked).schema == picked.schema
    assert with_own_buffers(frame.clear()).schema == frame.schema


def test_a_table_in_another_order_comes_whole() -> None:
    frame = pl.DataFrame({"work_id": ["b", "a", "b"]})
    assert len(list(split_by_work(frame, 1))) == 1


def test_memory_bounds_the_processes_and_the_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copub.engine.cpu_count", lambda: 16)
    frame = pl.DataFrame({"work_id": [f"W{n:07}" for n in range(300_000)]})
    found = []
    for gb in ("1", "2", "", "32"):
        monkeypatch.setenv(MEMORY, gb)
        found.append((processes(), len(list(split_by_work(frame)))))
    assert found == [(1, 6), (2, 3), (6, 2), (16, 1)]


@pytest.mark.parametrize("wrong", ["much", "-1", "0.5", "nan"])
def test_memory_that_is_no_number_of_gb_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY, wrong)
    with pytest.raises(InputError, match="no amount of memory"):
        processes()


def test_what_is_made_of_parts_is_what_is_made_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"work_id": [f"W{n // 3}" for n in range(90)], "n": range(90)}).sort("work_id")
    monkeypatch.setattr("copub.parallel.ROWS_PER_GB", 1)

    def sums(part: pl.DataFrame) -> pl.DataFrame:
        return part.group_by("work_id").agg(pl.col("n").sum()).sort("work_id")

    assert by_parts(frame, sums).equals(sums(frame))


@pytest.mark.parametrize("alone", [1, 100])
def test_an_error_of_the_parts_is_raised_after_what_came_before_it(alone: int) -> None:
    def parts() -> Iterator[int]:
        yield from range(8)
        raise InputError("the ninth cannot be read")

    done: list[str] = []
    with pytest.raises(InputError, match="the ninth"):
        for result in in_parallel(str, parts(), alone=alone):
            done.append(result)
    assert done == [str(n) for n in range(8)]


@given(ids=st.lists(st.sampled_from("abcdefgh"), max_size=40), rows=st.integers(1, 10))
def test_a_table_on_disk_is_cut_between_works_and_loses_nothing(ids: list[str], rows: int) -> None:
    frame = pl.DataFrame({"work_id": sorted(ids), "n": range(len(ids))}, schema={"work_id": pl.String, "n": pl.Int64})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        frame.write_parquet(path)
        parts = list(split_on_disk_by_work(path, rows))
    assert pl.concat(parts).equals(frame)
    works = [set(part["work_id"]) for part in parts]
    assert sum(map(len, works)) == len(set(ids))


@given(ids=st.lists(st.sampled_from("abcdefgh"), max_size=30), rows=st.integers(1, 9), is_sorted=st.booleans())
def test_tables_in_step_bring_the_rows_of_the_same_works(ids: list[str], rows: int, is_sorted: bool) -> None:
    works = pl.DataFrame({"work_id": list("acdfgz")})
    order = sorted(ids) if is_sorted else ids
    other = pl.DataFrame({"work_id": order, "n": range(len(ids))}, schema={"work_id": pl.String, "n": pl.Int64})
    parts = list(zip_by_work(works, other, rows=rows))
    assert pl.concat(part for part, _ in parts).equals(works)
    for part, found in parts:
        wanted = other.join(part, on="work_id", how="semi")
        assert found.join(part, on="work_id", how="semi").sort("n").equals(wanted.sort("n"))
        assert found.is_empty() or found["work_id"].is_between(part["work_id"].min(), part["work_id"].max()).all()
