"""Thresholds: one per operating point for all areas; precision above balanced, recall below."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from copub.technology.training.metaclassifier import Labelled
from copub.technology.training.thresholds import GRID, best_threshold, choose_thresholds


def _labels(positive: np.ndarray) -> Labelled:
    works, areas = positive.shape
    none = np.zeros((works, 1), dtype=np.float32)
    usable = np.ones((works, areas), dtype=np.bool_)
    return Labelled(none, none[:, :, None], sp.csr_matrix((works, 1)), positive, usable, np.ones(works))


def test_scores_that_part_the_works_are_parted_between() -> None:
    positive = np.zeros((200, 2), dtype=np.bool_)
    positive[:40, 0], positive[40:80, 1] = True, True
    scores = np.where(positive, 0.8, 0.2)
    chosen = choose_thresholds([scores], _labels(positive))
    assert 0.2 < chosen["balanced"] <= 0.8
    assert chosen["recall"] <= chosen["balanced"] <= chosen["precision"]
    assert 0.2 < best_threshold(scores[:, 0], positive[:, 0]) <= 0.8


@given(st.integers(0, 10_000))
def test_profiles_keep_their_order_on_any_scores(seed: int) -> None:
    draw = np.random.default_rng(seed)
    positive = draw.random((120, 3)) < 0.2
    scores = np.clip(positive * 0.3 + draw.random((120, 3)) * 0.7, 0, 1)
    chosen = choose_thresholds([scores], _labels(positive))
    assert GRID[0] <= chosen["recall"] <= chosen["balanced"] <= chosen["precision"] <= GRID[-1]


def test_of_thresholds_that_are_equally_good_the_middle_is_taken() -> None:
    positive = np.zeros((100, 1), dtype=np.bool_)
    positive[:30] = True
    scores = np.where(positive, 0.85, 0.15)
    assert choose_thresholds([scores], _labels(positive))["balanced"] == pytest.approx(0.50, abs=0.03)
