"""Differences between many shares at once, ranks, ratios: against independent computations, and in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from copub.intervals import wilson
from copub.measures.panel import ratio_to_chance
from copub.measures.ranks import Ends, at_once, difference_ends, exact_ends, pairwise, ranks
from copub.measures.standardised import cell_weights, standardised

TRIALS = np.array([4000, 2500, 900, 600, 300, 150, 80, 40])
RATES = np.array([0.06, 0.05, 0.05, 0.03, 0.10, 0.04, 0.02, 0.05])


@pytest.mark.parametrize("confidence", [0.8, 0.95, 1 - 0.05 / 351])
def test_the_exact_ends_are_those_of_the_binomial_distribution(confidence: float) -> None:
    tail = (1 - confidence) / 2
    for count, of in ((0, 7), (1, 100), (3, 3), (17, 250)):
        low, high = exact_ends(count / of, of, confidence)
        if count:
            assert stats.binom.sf(count - 1, of, low) == pytest.approx(tail)
        if count < of:
            assert stats.binom.cdf(count, of, high) == pytest.approx(tail)
    assert exact_ends(0.0, 7, confidence).low == 0
    assert exact_ends(1.0, 3, confidence).high == 1


def test_without_works_there_are_no_ends() -> None:
    assert np.isnan(exact_ends(np.nan, 0, 0.95)).all()


def test_the_difference_of_shares_without_common_works_is_squared_and_added() -> None:
    one, other = (0.3, Ends(np.array(0.2), np.array(0.45))), (0.1, Ends(np.array(0.05), np.array(0.2)))
    difference, ends = difference_ends(np.array(one[0]), one[1], np.array(other[0]), other[1])
    assert difference == pytest.approx(0.2)
    assert ends.low == pytest.approx(0.2 - np.hypot(0.1, 0.1))
    assert ends.high == pytest.approx(0.2 + np.hypot(0.15, 0.05))
    _, shared = difference_ends(np.array(one[0]), one[1], np.array(other[0]), other[1], 0.5)
    assert ends.low < shared.low and shared.high < ends.high


def test_shares_far_apart_have_one_rank_and_equal_ones_all() -> None:
    none = np.zeros((3, 3))
    far = ranks(np.array([0.1, 0.9, 0.5]), np.full(3, 1000.0), none, 0.95)
    assert np.array_equal(np.array(far), [[3, 1, 2]] * 3)
    equal = ranks(np.full(3, 0.3), np.full(3, 1000.0), none, 0.95)
    assert np.array_equal(np.array(equal), [[1, 1, 1], [1, 1, 1], [3, 3, 3]])
    empty = ranks(np.array([0.1, np.nan, 0.9]), np.array([500.0, 0, 500]), none, 0.95)
    assert np.array_equal(np.array(empty), [[2, np.nan, 1], [2, np.nan, 1], [2, np.nan, 1]], equal_nan=True)


def covered(draw: np.random.Generator, rates: np.ndarray, trials: np.ndarray, overlap: int = 0) -> bool:
    """Draw works of all pairs, some in two pairs at once; return whether all true ranks are within their ends."""
    count = draw.binomial(trials - overlap, rates)
    common = draw.binomial(overlap, rates[0]) if overlap else 0
    share = (count + common) / trials
    correlation = overlap / np.sqrt(trials[:, None] * trials[None])
    np.fill_diagonal(correlation, 1)
    found = ranks(share, trials.astype(float), correlation, 0.95)
    best, worst = (
        1 + (rates[None] > rates[:, None]).sum(axis=1),
        len(rates) - (rates[None] < rates[:, None]).sum(axis=1),
    )
    # of equal true shares any order is true: their ranks are from the best to the worst
    return bool((found.low <= best).all() and (found.high >= worst).all())


@pytest.mark.parametrize(
    ("rates", "trials"),
    [
        (RATES, TRIALS),
        (np.full(8, 0.04), TRIALS),
        (np.full(27, 0.002), np.geomspace(60, 60_000, 27).astype(int)),  # the many small pairs of a large panel
        (np.linspace(0.2, 0.25, 10), np.full(10, 2000)),
    ],
    ids=["different", "equal", "rare", "close"],
)
def test_95_percent_of_the_intervals_hold_all_ranks_at_once(rates: np.ndarray, trials: np.ndarray) -> None:
    draw = np.random.default_rng(1)
    rounds = 400
    held = sum(covered(draw, rates, trials) for _ in range(rounds))
    assert stats.binomtest(held, rounds, 0.95, alternative="less").pvalue > 0.01


def test_the_intervals_hold_where_all_pairs_have_works_in_common() -> None:
    draw = np.random.default_rng(2)
    rates, rounds = np.full(8, 0.05), 400
    held = sum(covered(draw, rates, np.full(8, 400), overlap=200) for _ in range(rounds))
    assert stats.binomtest(held, rounds, 0.95, alternative="less").pvalue > 0.01


def test_95_percent_of_panels_have_all_differences_from_the_rest_within_their_intervals() -> None:
    draw, rounds, held = np.random.default_rng(7), 600, 0
    trials, rates = np.geomspace(40, 20_000, 20).astype(int), np.linspace(0.002, 0.05, 20)
    rest = trials.sum() - trials
    truth = rates - ((trials * rates).sum() - trials * rates) / rest
    for _ in range(rounds):
        count = draw.binomial(trials, rates)
        share, other = count / trials, (count.sum() - count) / rest
        confidence = at_once(0.95, len(trials))
        ends, others = exact_ends(share, trials, confidence), exact_ends(other, rest, confidence)
        _, found = difference_ends(share, ends, other, others)
        held += bool(((found.low <= truth) & (truth <= found.high)).all())
    assert stats.binomtest(held, rounds, 0.95, alternative="less").pvalue > 0.01


def test_wilson_in_place_of_the_exact_ends_would_not_hold_for_rare_works() -> None:
    """A pair with one such work of few: Wilson's lower end is too high, far out, where many comparisons lie."""
    confidence = at_once(0.95, pairwise(27))
    share, of = 1 / 100, 100
    low, _ = wilson(1, of, confidence)
    tail = (1 - confidence) / 2
    assert stats.binom.sf(0, of, low) > 100 * tail
    assert stats.binom.sf(0, of, exact_ends(share, of, confidence).low) == pytest.approx(tail)


def test_the_ratio_to_chance_equals_that_of_the_table_and_its_interval_covers() -> None:
    expected, ratio, low, high = ratio_to_chance(*(np.array([float(n)]) for n in (30, 100, 60, 1000)), 0.95)
    assert expected[0] == pytest.approx(0.1 * 0.06)
    assert ratio[0] == pytest.approx(0.03 / 0.006)
    assert low[0] < ratio[0] < high[0]
    draw = np.random.default_rng(3)
    cells, of = np.array([0.03, 0.17, 0.05, 0.75]), 600
    a, b, c, _ = draw.multinomial(of, cells, 4000).T.astype(float)
    _, _, low, high = ratio_to_chance(a, a + b, a + c, np.full(4000, float(of)), 0.95)
    truth = 0.03 / (0.2 * 0.08)
    assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97
    assert np.isnan(ratio_to_chance(*(np.array([float(n)]) for n in (0, 0, 6, 10)), 0.95)[1]).all()


@pytest.mark.parametrize(("of", "cells"), [(16, (0.06, 0.25)), (49, (0.06, 0.1)), (49, (0.3, 0.3))])
def test_of_few_works_chance_alone_rarely_gives_a_ratio_whose_interval_is_above_1(
    of: int, cells: tuple[float, float]
) -> None:
    p, q = cells
    every = np.array([p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)])
    a, b, c, _ = np.random.default_rng(5).multinomial(of, every, 2000).T.astype(float)
    _, ratio, low, high = ratio_to_chance(a, a + b, a + c, np.full(2000, float(of)), 0.95)
    assert (low > 1).mean() <= 0.025 + 0.007  # two standard errors of 2000 draws
    assert (high < 1).mean() <= 0.025 + 0.007
    known = ~np.isnan(ratio)
    assert ((low <= ratio) & (ratio <= high))[known].all()


def test_the_ends_for_few_works_are_the_odds_at_which_a_tail_holds_its_half() -> None:
    of, critical, listed, both = 49, 6, 8, 3
    (ratio,), (low,), (high,) = ratio_to_chance(*(np.array([float(n)]) for n in (both, critical, listed, of)), 0.95)[1:]
    odds = np.exp(np.linspace(-5, 10, 3001))
    number = stats.nchypergeom_fisher(of, critical, listed, odds)
    ratios = number.mean() / (critical * listed / of)
    assert np.interp(0.025, number.sf(both - 1), ratios) == pytest.approx(low, rel=1e-3)
    assert np.interp(-0.025, -number.cdf(both), ratios) == pytest.approx(high, rel=1e-3)
    assert low < ratio < high
    (low,), (high,) = ratio_to_chance(*(np.array([n]) for n in (1.0, 1.0, 4.0, 16.0)), 0.95)[2:]
    assert low < 1 < high == 4  # no table of these margins has more


def test_standardised_to_its_own_mix_a_share_stays_as_it_is() -> None:
    own = np.array([[10.0, 30.0], [0.0, 60.0]])
    counts = np.array([[1.0, 6.0], [0.0, 3.0]])
    found = standardised(own, own, own, counts)
    assert found.numerator / found.denominator == pytest.approx(0.1)
    assert found.denominator**2 / found.squares == pytest.approx(100)
    assert found.cover == 1


def test_a_cell_without_own_works_gives_its_weight_to_the_nearest_span_of_its_field() -> None:
    panel = np.array([[5.0, 7.0, 9.0, 11.0], [1.0, 1.0, 1.0, 1.0]])
    own = np.array([[0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
    assert np.array_equal(cell_weights(panel, own), [[0, 21, 0, 11], [0, 0, 0, 0]])
    assert standardised(panel, own, own, own).cover == pytest.approx(32 / 36)


@pytest.mark.slow
def test_95_percent_of_the_intervals_of_standardised_shares_hold() -> None:
    draw = np.random.default_rng(4)
    panel = np.array([[400.0, 300.0], [200.0, 500.0], [50.0, 90.0]])
    own = np.array([[40.0, 10.0], [90.0, 200.0], [6.0, 5.0]])
    rates = np.array([[0.02, 0.05], [0.2, 0.15], [0.01, 0.4]])
    truth = float((panel / panel.sum() * rates).sum())
    held = 0
    for _ in range(2000):
        found = standardised(panel, own, own, draw.binomial(own.astype(int), rates).astype(float))
        trials = found.denominator**2 / found.squares
        low, high = wilson(found.numerator * trials, trials, 0.95)
        held += low <= truth <= high
    assert held >= 0.94 * 2000
