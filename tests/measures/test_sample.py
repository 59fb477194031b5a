"""The draw of works for reading: how many of each stratum, which ones, and what they represent."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.draw import draw_order
from copub.errors import InputError
from copub.measures.strata import allocate, with_strata
from copub.names import READING_STRATA
from copub.review.works import SHEET, Texts, draw_works, open_works, sheet_of
from copub.technology.taught import TAUGHT

from .worlds import made_world, measured

keys = st.tuples(st.booleans(), st.booleans(), st.booleans())
sizes_of_strata = st.dictionaries(keys, st.integers(1, 400), max_size=8)


@given(sizes_of_strata, st.integers(0, 300))
def test_every_stratum_has_its_part_and_never_more_than_it_holds(
    sizes: dict[tuple[bool, bool, bool], int], total: int
) -> None:
    taken = allocate(sizes, total)
    assert sum(taken.values()) == min(total, sum(sizes.values()))
    assert all(0 <= taken[key] <= size for key, size in sizes.items())
    if total >= len(sizes):
        assert all(taken.values())


@given(sizes_of_strata, st.integers(0, 200), st.integers(0, 50))
def test_a_larger_total_takes_from_no_stratum(sizes: dict[tuple[bool, bool, bool], int], total: int, more: int) -> None:
    small, large = allocate(sizes, total), allocate(sizes, total + more)
    assert all(large[key] >= count for key, count in small.items())


def test_a_large_stratum_is_read_by_the_root_of_its_size() -> None:
    taken = allocate({(False, False, False): 10_000, (True, True, False): 100}, 110)
    assert taken == {(False, False, False): 100, (True, True, False): 10}


def drawn(size: int, seed: str = "copub") -> pl.DataFrame:
    return draw_works(measured(3, 40)["copublications"], size, seed)


@pytest.mark.parametrize("size", [8, 15])
def test_of_each_stratum_the_first_by_hash_are_drawn(size: int) -> None:
    works = with_strata(measured(3, 40)["copublications"])
    first = set(drawn(size)["work_id"])
    for _, part in works.group_by(READING_STRATA):
        order = sorted(part["work_id"], key=draw_order)
        count = len(first & set(order))
        assert count and first & set(order) == set(order[:count])


def test_another_seed_draws_other_works_and_the_whole_study_is_a_sheet_too() -> None:
    height = measured(3, 40)["copublications"].height
    assert set(drawn(10)["work_id"]) != set(drawn(10, "other")["work_id"])
    everything = drawn(1000)
    assert everything.height == height and set(everything["stands_for"]) == {1.0}
    made = made_world(3, 40)[1]
    texts = Texts(made.corpus["works"], made.corpus["affiliations"], made.view().authorships)
    assert tuple(sheet_of(everything, texts, "d").columns) == SHEET


def test_of_no_works_nothing_is_drawn_and_the_reason_is_given() -> None:
    works = measured(0, 0)["copublications"]
    with pytest.raises(InputError, match="no work to read"):
        draw_works(works, 10)


def test_works_whose_reading_taught_the_classifier_are_not_drawn() -> None:
    works = measured(3, 40)["copublications"]
    names = works["work_id"].to_list()
    taught = pl.DataFrame({"item": names[:6], "critical": [True, False, True, None, None, False]}, schema=TAUGHT)
    sheet = draw_works(open_works(works, taught), 1000)
    assert set(sheet["work_id"]) == {*names[3:5], *names[6:]}
