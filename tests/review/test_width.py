"""How wide the interval is after some reading: the same as by draws, and what the literature of the method promises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from copub.measures.correction import Read, from_labels
from copub.review.width import Stratum, interval, planned_rates, planned_width, works_for
from copub.review.works import Key, reading_order

KEYS: list[Key] = list(itertools.product((False, True), repeat=3))
Ints = NDArray[np.int64]

EXPECTED = {
    (309, 0.95): {50: 10.3, 100: 5.2, 150: 2.8, 200: 1.4},
    (2_000, 0.30): {100: 6.3, 200: 3.6, 400: 2.0},
    (5_000, 0.30): {100: 6.3, 200: 3.7, 400: 2.2, 800: 1.3},
    (20_000, 0.30): {200: 3.8, 400: 2.4, 800: 1.5},
}
"""Mean widths in points, by works and share of works with a title only, and by works read: of an independent simulation
of the stratified estimator, with 5.5 % critical and listed and a recall of 0.56 on titles."""


def world(rng: np.random.Generator, works: int, titles: float) -> tuple[Ints, Ints, Ints]:
    """Draw works: stratum by copub's decisions, whether truly critical, listing category (0 not, 1 below, 2 top).

    Truly 20 % are critical, 22 % listed, 5.5 % both. Recall is 0.56 on titles and 0.89 on abstracts; the
    shares near the threshold are those of the demo. The simulation of `EXPECTED` states only 5.5 % and 0.56.
    """
    critical, listed, both = 0.20, 0.22, 0.055
    cell = rng.choice(4, works, p=[1 - critical - listed + both, listed - both, critical - both, both])
    true, named = cell >= 2, cell % 2 == 1
    title = rng.random(works) < titles
    recall, specificity = np.where(title, 0.56, 0.89), np.where(title, 0.985, 0.96)
    found = np.where(true, rng.random(works) < recall, rng.random(works) > specificity)
    matched = named & (rng.random(works) < 0.99)
    near = rng.random(works) < np.select([found, true], [0.28, 0.15], 0.012)
    listing = np.where(named, np.where(rng.random(works) < 0.4, 2, 1), 0)
    return 4 * found + 2 * matched + near, true.astype(np.int64), listing


def read_of(strata: Ints, critical: Ints, listing: Ints, total: int) -> list[Read]:
    """Read the first works of the page's order; the works stand in random order, as a hash puts them."""
    sizes = {key: count for key, count in zip(KEYS, np.bincount(strata, minlength=8).tolist(), strict=True) if count}
    order = reading_order(sizes, total)
    reads = []
    for key, size in sizes.items():
        first = np.flatnonzero(strata == KEYS.index(key))[: order.count(key)]
        table = np.zeros((2, 3))
        np.add.at(table, (critical[first], listing[first]), 1)
        reads.append(Read(size, table, table))
    return reads


@pytest.mark.parametrize(("works", "titles"), EXPECTED)
def test_reading_in_the_order_of_the_page_gives_the_expected_widths(works: int, titles: float) -> None:
    rng = np.random.default_rng(works)
    widths: dict[int, list[float]] = {total: [] for total in EXPECTED[works, titles]}
    for _ in range(40):
        drawn = world(rng, works, titles)
        for total, found in widths.items():
            reads = read_of(*drawn, total)
            strata = [Stratum(read.size, read.known.sum(), read.known[1, 1:].sum()) for read in reads]
            low, high = interval(strata, 0.95)
            found.append(100 * (high - low))
    for total, expected in EXPECTED[works, titles].items():
        assert np.mean(widths[total]) == pytest.approx(expected, rel=0.1), f"{total} of {works} works read"


def test_the_interval_is_that_of_the_report() -> None:
    strata, critical, listing = world(np.random.default_rng(5), 2_000, 0.3)
    reads = read_of(strata, critical, listing, 150)
    _, low, high = from_labels(reads, 0.95, draws=40_000)["critical_listed"]
    exact = interval([Stratum(read.size, read.known.sum(), read.known[1, 1:].sum()) for read in reads], 0.95)
    assert exact == pytest.approx((low, high), abs=0.0015)


def test_when_all_is_read_nothing_is_open() -> None:
    assert interval([Stratum(30, 30, 4), Stratum(20, 20, 1)], 0.95) == (0.1, 0.1)


def test_the_plan_is_the_smallest_number_of_works_that_gives_the_width() -> None:
    sizes: dict[Key, int] = {(False, False, False): 1_000, (False, True, False): 300, (True, True, False): 90}
    rates = planned_rates(sizes)
    needed = works_for(sizes, rates, 0.03, 0.95)
    assert planned_width(sizes, rates, needed, 0.95) <= 0.03 < planned_width(sizes, rates, needed - 1, 0.95)
    assert needed < works_for(sizes, rates, 0.02, 0.95) <= 1_390


def test_the_plan_before_any_reading_is_near_what_reading_gives() -> None:
    for (works, titles), widths in EXPECTED.items():
        strata, _, _ = world(np.random.default_rng(3), works, titles)
        sizes = {key: int((strata == place).sum()) for place, key in enumerate(KEYS)}
        for total, expected in widths.items():
            assert 100 * planned_width(sizes, planned_rates(sizes), total, 0.95) == pytest.approx(expected, rel=0.25)
