"""Thresholds: one per operating point for all areas; precision above balanced, recall below."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from copub.technology.training.labelledworks import Text
from copub.technology.training.metaclassifier import Labelled
from copub.technology.training.thresholds import GRID, best_threshold, calibrate, choose_thresholds


def test_scores_that_part_the_works_are_parted_between() -> None:
    positive = np.zeros((200, 2), dtype=np.bool_)
    positive[:40, 0], positive[40:80, 1] = True, True
    scores = np.where(positive, 0.8, 0.2)
    chosen = choose_thresholds([scores], positive, np.ones_like(positive))
    assert 0.2 < chosen["balanced"] <= 0.8
    assert chosen["recall"] <= chosen["balanced"] <= chosen["precision"]
    assert 0.2 < best_threshold(scores[:, 0], positive[:, 0]) <= 0.8


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_profiles_keep_their_order_on_any_scores(seed: int) -> None:
    draw = np.random.default_rng(seed)
    positive = draw.random((120, 3)) < 0.2
    scores = np.clip(positive * 0.3 + draw.random((120, 3)) * 0.7, 0, 1)
    chosen = choose_thresholds([scores], positive, np.ones_like(positive))
    assert GRID[0] <= chosen["recall"] <= chosen["balanced"] <= chosen["precision"] <= GRID[-1]


def test_of_thresholds_that_are_equally_good_the_middle_is_taken() -> None:
    positive = np.zeros((100, 1), dtype=np.bool_)
    positive[:30] = True
    scores = np.where(positive, 0.85, 0.15)
    assert choose_thresholds([scores], positive, np.ones_like(positive))["balanced"] == pytest.approx(0.50, abs=0.03)


def test_titles_are_calibrated_on_the_titles_of_all_works_and_abstracts_on_works_that_have_one() -> None:
    draw = np.random.default_rng(0)
    positive = draw.random((400, 2)) < 0.3
    gold = [Text(str(n), "t", "abstract" if n % 4 else "", frozenset()) for n in range(400)]
    none = np.zeros((400, 1), dtype=np.float32)
    labels = Labelled(none, none[:, :, None], sp.csr_matrix((400, 1)), positive, positive | True, np.ones(400))
    logits = (positive * 2.0 - 1.0 + draw.normal(size=(400, 2))).astype(np.float32)
    fitting, titles = np.column_stack([logits, none]), np.column_stack([logits / 2 + 1, none])
    chosen = calibrate([fitting], [titles], labels, gold)
    with_abstract = np.arange(400) % 4 > 0
    for kind, run, rows in (("full", fitting, with_abstract), ("title", titles, with_abstract | True)):
        slope, intercept = chosen[kind]
        share = 1 / (1 + np.exp(-(slope * run[rows, :2] + intercept)))
        assert share.mean() == pytest.approx(positive[rows].mean(), abs=0.002)
    assert chosen["title"][0] == pytest.approx(2 * chosen["full"][0], rel=0.15)
