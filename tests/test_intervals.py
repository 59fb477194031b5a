"""Intervals against SciPy, known values and their own limits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from copub.intervals import effective_trials, wilson, with_intervals


@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_equals_scipy(trials: int, part: float, confidence: float) -> None:
    successes = round(part * trials)
    low, high = wilson(successes, trials, confidence)
    known = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert (float(low), float(high)) == pytest.approx((known.low, known.high), abs=1e-12)


def test_wilson_of_a_textbook_case() -> None:
    low, high = wilson(81, 263)  # Newcombe (1998), table I: 0.2553, 0.3662
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)


def test_nothing_is_known_over_no_works() -> None:
    low, high = wilson([0.0], [0.0])
    assert np.isnan(low[0]) and np.isnan(high[0])


def test_equal_weights_have_as_many_effective_works_as_works() -> None:
    assert float(effective_trials(7 * 0.3, 7 * 0.09)) == pytest.approx(7)
    assert float(effective_trials(0, 0)) == 0


def test_unequal_weights_widen_the_interval() -> None:
    frame = pl.DataFrame({"numerator": [5.0, 5.0], "denominator": [10.0, 10.0], "squares": [10.0, 50.0]})
    wide = with_intervals(frame, 0.95).select((pl.col("ci_high") - pl.col("ci_low")).alias("width"))["width"]
    assert wide[1] > wide[0]
