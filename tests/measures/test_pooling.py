"""The pooled error rates are those of the hierarchical model integrated anew; they carry how sets differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from copub.measures.pooling import SPREAD, pooled_rate
from copub.randomdraws import draws_of

THREE = [(22.0, 3.0), (17.0, 10.0), (19.0, 15.0)]


def by_weights(sets: list[tuple[float, float]], draws: int = 400_000) -> tuple[np.ndarray, np.ndarray]:
    """Draw the model from its prior and weigh each draw by its likelihood: rates of a further set, and weights."""
    rng = np.random.default_rng(5)
    centre = logit(np.clip(rng.beta(0.5, 0.5, draws), 1e-12, 1 - 1e-12))
    spread = np.abs(SPREAD * rng.standard_normal(draws))
    weights = np.ones(draws)
    for found, missed in sets:
        nodes, of = np.polynomial.hermite_e.hermegauss(60)
        rates = expit(centre[:, None] + spread[:, None] * nodes)
        weights *= stats.binom.pmf(found, found + missed, rates) @ (of / of.sum())
    return expit(centre + spread * rng.standard_normal(draws)), weights / weights.sum()


@pytest.mark.parametrize(
    "sets",
    [
        pytest.param(THREE, marks=pytest.mark.slow),
        THREE[:1],
        pytest.param([(204.0, 2.0)], marks=pytest.mark.slow),
        pytest.param([(88.0, 12.0), (45.0, 5.0)], marks=pytest.mark.slow),
    ],
)
def test_the_rate_of_a_further_set_is_that_of_the_model_integrated_anew(sets: list[tuple[float, float]]) -> None:
    drawn = pooled_rate(sets, draws_of(1), 200_000)
    rates, weights = by_weights(sets)
    for at in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert weights[rates < np.quantile(drawn, at)].sum() == pytest.approx(at, abs=0.012)


def test_more_works_of_one_set_do_not_make_a_further_set_certain() -> None:
    rng = draws_of(1)
    some, many = (np.quantile(pooled_rate([(8.0 * k, 2.0 * k)], rng, 50_000), [0.025, 0.975]) for k in (10, 10_000))
    assert many[1] - many[0] > 0.25
    assert some[1] - some[0] >= many[1] - many[0]


def test_more_sets_that_agree_make_a_further_set_more_certain_and_sets_that_differ_less() -> None:
    rng = draws_of(1)

    def width(sets: list[tuple[float, float]]) -> float:
        low, high = np.quantile(pooled_rate(sets, rng, 50_000), [0.025, 0.975])
        return float(high - low)

    agree = width([(80.0, 20.0)] * 10)
    assert agree < width([(80.0, 20.0)] * 2)
    assert agree < width([(80.0, 20.0), (50.0, 50.0)] * 5)


def test_without_a_set_nothing_is_known() -> None:
    low, high = np.quantile(pooled_rate([], draws_of(1), 50_000), [0.025, 0.975])
    assert low < 0.01 and high > 0.99
