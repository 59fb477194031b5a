"""Random draws that are the same with every version of numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from copub.randomdraws import draws_of, hypergeometric_cells, multinomial, multinomial_by_row

FROZEN = {
    "multinomial": [89, 201, 710],
    "binomial": [89, 199, 667],
    "by row": [[89, 230, 681], [298, 319, 383]],
    "cells": [33, 18, 9],
    "dirichlet": [[0.001067718928, 0.105797564041, 0.893134717032]],
}
"""Printed by numpy 2.4 and 2.5, which share no binomial draw of `Generator`."""


def test_draws_are_these_numbers_with_every_version_of_numpy() -> None:
    chances = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    assert draws_of(7).multinomial(1000, chances[0]).tolist() == FROZEN["multinomial"]
    assert draws_of(7).binomial(1000, chances[0]).tolist() == FROZEN["binomial"]
    assert multinomial_by_row(draws_of(7), 1000, chances).tolist() == FROZEN["by row"]
    assert hypergeometric_cells(draws_of(7), np.array([90, 60, 30]), 60).tolist() == FROZEN["cells"]
    assert draws_of(7).dirichlet([0.5, 1, 5], 1).round(12).tolist() == FROZEN["dirichlet"]


@given(
    works=st.integers(0, 50),
    weights=st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any), min_size=1, max_size=6),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_row_shares_out_all_its_works_over_cells_that_can_happen(
    works: int, weights: list[list[int]], seed: int
) -> None:
    chances = np.array(weights) / np.array(weights).sum(axis=1, keepdims=True)
    found = multinomial_by_row(draws_of(seed), works, chances)
    assert (found.sum(axis=1) == works).all() and (found >= 0).all()
    assert not found[chances == 0].any()


@given(cells=st.lists(st.integers(0, 20), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_no_more_works_are_drawn_of_a_cell_than_it_has(cells: list[int], seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, sum(cells)))
    found = hypergeometric_cells(draws_of(seed), np.array(cells), size)
    assert found.sum() == size and (found <= cells).all() and (found >= 0).all()


def test_works_shared_out_by_row_follow_the_multinomial_distribution() -> None:
    chances = np.array([0.2, 0.5, 0.3])
    found = multinomial_by_row(draws_of(3), 2, np.tile(chances, (20_000, 1)))
    kinds, seen = np.unique(found, axis=0, return_counts=True)
    expected = stats.multinomial(2, chances).pmf(kinds) * 20_000
    assert len(kinds) == 6 and stats.chisquare(seen, expected).pvalue > 0.001


def test_works_drawn_without_replacement_follow_the_hypergeometric_distribution() -> None:
    source = draws_of(4)
    first = [int(hypergeometric_cells(source, np.array([5, 4, 3]), 6)[0]) for _ in range(5_000)]
    seen = np.bincount(first, minlength=6)
    expected = stats.hypergeom(12, 5, 6).pmf(np.arange(6)) * 5_000
    assert stats.chisquare(seen, expected).pvalue > 0.001


def test_what_is_sure_uses_up_no_random_numbers() -> None:
    """Versions of numpy differ in whether it would."""
    for sure in (
        lambda source: multinomial_by_row(source, 5, np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])),
        lambda source: hypergeometric_cells(source, np.array([0, 4, 0, 0]), 3),
        lambda source: multinomial(source, 5, np.array([0.0, 1.0, 0.0]), 4),
    ):
        source = draws_of(9)
        sure(source)
        assert source.random_sample() == draws_of(9).random_sample()
    with_empty, without = draws_of(9), draws_of(9)
    found = multinomial(with_empty, 50, np.array([0.0, 0.3, 0.0, 0.7, 0.0]), 100)
    assert found[:, [1, 3]].tolist() == multinomial(without, 50, np.array([0.3, 0.7]), 100).tolist()
    assert not found[:, [0, 2, 4]].any() and with_empty.random_sample() == without.random_sample()
