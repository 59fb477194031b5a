"""Error rates of an instrument, pooled over evaluation sets that differ from one another.

In set i an instrument finds k_i of n_i; logit of its rate there ~ N(mu, tau²). A study is one more such
set, so what is drawn is the rate of a further set: it carries how much sets differ, which no number
of works within a set makes small. Sources: A. Gelman (2006), Bayesian Analysis 1, 515-534
(half-normal and half-t scales); J. P. T. Higgins, S. G. Thompson, D. J. Spiegelhalter (2009), Journal of the
Royal Statistical Society A 172, 137-159 (prediction for a further study); C. Röver et al. (2021), Research
Synthesis Methods 12, 448-474 (scale of the half-normal prior).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import expit, log_expit, ndtri

Array = NDArray[np.float64]

SPREAD = 0.6
"""Scale of the half-normal prior on tau, in logits: near the lower of the usual ones (0.5 and 1), the least at which
the simulation covers at 90 % or more."""
JEFFREYS = 0.5
"""Prior of the rate at the centre: Beta(½, ½). With one set and tau = 0 the pooled rate is that of Jeffreys."""
_TAUS = SPREAD * ndtri(0.5 + 0.5 * (np.arange(24) + 0.5) / 24)
"""Quantiles of the prior, so that each has the same weight before the sets are seen."""
_STEP = 0.1
_CENTRES = np.arange(-7.0, 9.0 + _STEP / 2, _STEP)
_RATES = np.arange(-11.0, 13.0 + _STEP / 4, _STEP / 2)


def pooled_rate(sets: Sequence[tuple[float, float]], rng: RandomState, draws: int) -> Array:
    """Draw the rate of a further set, given (found, not found) of each set at hand.

    Without any set the draws are those of the prior, from which nothing follows.
    """
    weights = _posterior(tuple(sorted(sets)))
    cell = rng.choice(weights.size, draws, p=weights)
    centre = _CENTRES[cell % _CENTRES.size] + (rng.random_sample(draws) - 0.5) * _STEP
    return np.asarray(expit(centre + _TAUS[cell // _CENTRES.size] * rng.standard_normal(draws)))


@lru_cache(maxsize=256)
def _posterior(sets: tuple[tuple[float, float], ...]) -> Array:
    """Return the weights of (tau, mu) on their grid."""
    log_weight = JEFFREYS * (log_expit(_CENTRES) + log_expit(-_CENTRES)) + np.zeros((_TAUS.size, 1))
    for found, missed in sets:
        at_rate = found * log_expit(_RATES) + missed * log_expit(-_RATES)
        likelihood = _spread_around() @ np.exp(at_rate - at_rate.max())
        log_weight = log_weight + np.log(np.maximum(likelihood, 1e-300))
    weights = np.exp(log_weight - log_weight.max()).ravel()
    return np.asarray(weights / weights.sum())


@lru_cache(maxsize=1)
def _spread_around() -> Array:
    """Return the chance of each rate on the grid around each centre: tau x centre x rate."""
    away = (_RATES - _CENTRES[:, None]) / _TAUS[:, None, None]
    chance = np.exp(-0.5 * away**2)
    return np.asarray(chance / chance.sum(axis=2, keepdims=True))
