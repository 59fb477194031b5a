"""Areas of a work are moved together by one step, until "in any area" is what it should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.technology.jointadjustment import adjust_jointly, any_logits, move_together

LOGIT = st.floats(-12, 8)


def _any(logits: list[float]) -> float:
    none = np.prod(1 - 1 / (1 + np.exp(-np.array(logits, dtype=np.float64))))
    return float(np.log((1 - none) / none))


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=10))
def test_any_area_is_what_independent_areas_make(logits: list[float]) -> None:
    assert any_logits(np.array([logits]))[0] == pytest.approx(_any(logits), abs=1e-6)


@given(st.lists(LOGIT, min_size=10, max_size=10), st.floats(-10, 8))
def test_after_the_step_any_area_is_what_was_wanted(logits: list[float], wanted: float) -> None:
    moved = move_together(np.array([logits]), np.array([wanted]))
    assert any_logits(moved)[0] == pytest.approx(wanted, abs=1e-6)
    steps = moved[0] - np.array(logits)
    assert steps == pytest.approx(np.full(10, steps[0]), abs=1e-9)


def test_one_work_is_moved_alike_alone_and_among_others() -> None:
    logits = np.random.default_rng(1).normal(-3, 3, (50, 10))
    whole = np.random.default_rng(2).normal(0, 2, 50)
    weights = (0.6, 0.5, -0.4)
    among = adjust_jointly(logits, whole, weights)
    alone = np.concatenate([adjust_jointly(logits[at : at + 1], whole[at : at + 1], weights) for at in range(50)])
    assert np.round(among, 6).tolist() == np.round(alone, 6).tolist()


def test_a_head_that_agrees_moves_nothing() -> None:
    logits = np.array([[-2.0, 1.0, -4.0]])
    assert adjust_jointly(logits, np.array([3.0]), (1.0, 0.0, 0.0)) == pytest.approx(logits)
