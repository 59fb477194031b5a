"""How wide is the interval after reading, and does it hold if readers stop when it is narrow enough? A simulation.

Works are read in the order of the reading page. Printed: the mean width of the interval of the headline by
works of the study and works read, beside that of an independent simulation (`EXPECTED`); and, where readers
stop at the first work at which the interval has the width they want, in how many worlds it holds the true share.

    python benchmarks/reading_widths.py [--worlds 40] [--stopping 150]
"""

from __future__ import annotations

import argparse
import itertools
import sys

import numpy as np
from numpy.typing import NDArray

from copub.measures.correction import Read
from copub.measures.strata import Key, reading_order
from copub.review.width import Stratum, interval

KEYS: list[Key] = list(itertools.product((False, True), repeat=3))
Ints = NDArray[np.int64]
CONFIDENCE = 0.95

EXPECTED = {
    (309, 0.95): {50: 10.3, 100: 5.2, 150: 2.8, 200: 1.4},
    (2_000, 0.30): {100: 6.3, 200: 3.6, 400: 2.0},
    (5_000, 0.30): {100: 6.3, 200: 3.7, 400: 2.2, 800: 1.3},
    (20_000, 0.30): {200: 3.8, 400: 2.4, 800: 1.5},
}
"""Mean widths in points, by works and share of works with a title only, and by works read: of an independent simulation
of the stratified estimator, with 5.5 % critical and listed and a recall of 0.56 on titles."""

STOPPED = ((2_000, 0.30, 0.04), (5_000, 0.30, 0.025))
"""Works, share of works with a title only, and the width at which readers stop."""


def draw_world(rng: np.random.Generator, works: int, titles: float) -> tuple[Ints, Ints, Ints]:
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


def read_first(strata: Ints, critical: Ints, listing: Ints, total: int) -> list[Read]:
    """Read the first works of the page's order; the works are in random order, as a hash puts them."""
    sizes = {key: count for key, count in zip(KEYS, np.bincount(strata, minlength=8).tolist(), strict=True) if count}
    order = reading_order(sizes, total)
    reads = []
    for key, size in sizes.items():
        first = np.flatnonzero(strata == KEYS.index(key))[: order.count(key)]
        table = np.zeros((2, 3))
        np.add.at(table, (critical[first], listing[first]), 1)
        reads.append(Read(size, table, table))
    return reads


def interval_of(reads: list[Read]) -> tuple[float, float]:
    """Return the interval of the headline as the page computes it."""
    strata = [Stratum(read.size, float(read.known.sum()), float(read.known[1, 1:].sum())) for read in reads]
    return interval(strata, CONFIDENCE)


def mean_widths(works: int, titles: float, worlds: int) -> dict[int, float]:
    """Return the mean width in points by works read."""
    rng = np.random.default_rng(works)
    widths: dict[int, list[float]] = {total: [] for total in EXPECTED[works, titles]}
    for _ in range(worlds):
        world = draw_world(rng, works, titles)
        for total, found in widths.items():
            low, high = interval_of(read_first(*world, total))
            found.append(100 * (high - low))
    return {total: float(np.mean(found)) for total, found in widths.items()}


def stopped(works: int, titles: float, width: float, worlds: int, step: int = 8) -> tuple[float, float]:
    """Return in what share of worlds the interval holds the truth if readers stop at a width, and mean works read."""
    rng = np.random.default_rng(7)
    held, read = 0, []
    for _ in range(worlds):
        world = draw_world(rng, works, titles)
        true = float(((world[1] == 1) & (world[2] > 0)).mean())
        for total in range(40, works, step):
            low, high = interval_of(read_first(*world, total))
            if high - low <= width:
                break
        held += low <= true <= high
        read.append(total)
    return held / worlds, float(np.mean(read))


def main(arguments: list[str]) -> int:
    """Print both tables; exit code 1 if a mean width is more than a tenth from the expected one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--stopping", type=int, default=150, help="worlds in which readers stop at a width")
    options = parser.parse_args(arguments)
    print(f"{'works':>8}{'titles':>8}{'read':>6}{'width':>8}{'expected':>10}")
    near = True
    for (works, titles), expected in EXPECTED.items():
        for total, width in mean_widths(works, titles, options.worlds).items():
            near &= abs(width / expected[total] - 1) <= 0.1
            print(f"{works:>8,}{titles:>8.0%}{total:>6}{width:>8.2f}{expected[total]:>10.1f}")
    print(f"\n{'works':>8}{'stop at':>9}{'mean read':>11}{'holds the truth':>17}")
    for works, titles, width in STOPPED:
        held, read = stopped(works, titles, width, options.stopping)
        print(f"{works:>8,}{100 * width:>9.1f}{read:>11.0f}{held:>17.1%}")
    return 0 if near else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
