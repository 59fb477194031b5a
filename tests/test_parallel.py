"""Rules of work in parts."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copub.parallel import between_works, in_parallel


def test_results_come_in_the_order_of_the_parts_on_one_core_and_on_all() -> None:
    parts = list(range(40))
    assert list(in_parallel(str, parts, alone=100)) == list(in_parallel(str, parts)) == [str(n) for n in parts]


def test_no_part_gives_no_result() -> None:
    assert list(in_parallel(str, [])) == []


@given(ids=st.lists(st.sampled_from("abcdefgh"), max_size=40), rows=st.integers(1, 10))
def test_a_table_is_cut_between_works_and_loses_nothing(ids: list[str], rows: int) -> None:
    frame = pl.DataFrame({"work_id": sorted(ids), "n": range(len(ids))}, schema={"work_id": pl.String, "n": pl.Int64})
    parts = list(between_works(frame, rows))
    assert pl.concat(parts).equals(frame)
    works = [set(part["work_id"]) for part in parts]
    assert sum(map(len, works)) == len(set(ids))


def test_a_table_in_another_order_comes_whole() -> None:
    frame = pl.DataFrame({"work_id": ["b", "a", "b"]})
    assert len(list(between_works(frame, 1))) == 1
