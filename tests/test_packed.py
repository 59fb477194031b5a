"""Rules of tables that are kept packed and given back in order."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copub.packed import pack, range_partition, starts_of_parts, unpack

SCHEMA = pl.Schema({"work_id": pl.String, "n": pl.Int64})


def frame_of(ids: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"work_id": ids, "n": range(len(ids))}, schema=SCHEMA)


def test_what_is_unpacked_is_what_was_packed() -> None:
    frame = pl.DataFrame({"a": [["x"], [], None], "b": [1.5, None, 2.0], "c": ["é", None, ""]})
    assert unpack(pack(frame)).equals(frame)
    assert unpack(pack(frame), ["c"]).equals(frame.select("c"))


@given(ids=st.lists(st.sampled_from("abcdefghijkl"), max_size=60), cut=st.integers(1, 20), works=st.integers(1, 5))
def test_parts_are_in_order_hold_whole_works_and_lose_nothing(ids: list[str], cut: int, works: int) -> None:
    frame = frame_of(ids)
    packed = deque(pack(frame[start : start + cut]) for start in range(0, len(ids), cut))
    starts = starts_of_parts(frame["work_id"].unique(), works)
    parts = list(range_partition(packed, SCHEMA, starts))
    assert pl.concat(parts).sort("work_id", "n").equals(frame.sort("work_id", "n"))
    assert all(part["work_id"].n_unique() <= works for part in parts)
    ends = [(part["work_id"].min(), part["work_id"].max()) for part in parts if part.height]
    assert all(one[1] < other[0] for one, other in pairwise(ends))


def test_what_came_in_files_waits_in_files_that_are_gone_at_the_end(tmp_path: Path) -> None:
    frame = frame_of(list("abcdabcd"))
    files = [tmp_path / str(number) / "works.parquet" for number in range(4)]
    for number, file in enumerate(files):
        file.parent.mkdir()
        file.write_bytes(pack(frame[2 * number : 2 * number + 2]))
    before = sorted(tmp_path.rglob("*"))
    parts = range_partition(files, SCHEMA, starts_of_parts(frame["work_id"].unique(), 2))
    first = next(parts)
    assert len(sorted(tmp_path.rglob("*"))) > len(before)
    assert pl.concat([first, *parts]).equals(frame.sort("work_id", maintain_order=True))
    assert sorted(tmp_path.rglob("*")) == before


@given(ids=st.lists(st.sampled_from("abc"), max_size=12))
def test_rows_of_a_work_stay_in_the_order_in_which_they_came(ids: list[str]) -> None:
    frame = frame_of(ids)
    starts = pl.Series(values=["b"], dtype=pl.String)
    together = pl.concat(range_partition([pack(row) for row in frame.iter_slices(1)], SCHEMA, starts))
    for work in set(ids):
        assert together.filter(work_id=work)["n"].is_sorted()


def test_a_table_without_rows_has_its_columns() -> None:
    assert pl.concat(range_partition([], SCHEMA, pl.Series([], dtype=pl.String))).schema == SCHEMA
