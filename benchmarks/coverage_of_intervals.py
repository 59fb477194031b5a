"""Do the intervals hold what they promise? A simulation with known truth.

Each world has its own true shares, its own number of works with and without abstract, and its
own small evaluation of classifier and matcher, drawn with the errors that were measured. Printed:
in how many of the worlds each interval covers the true share.

    python benchmarks/coverage_of_intervals.py [--worlds 1000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from copub.intervals import wilson
from copub.measures.correction import Estimate, adjust, from_labels
from copub.measures.errors import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors
from copub.measures.inputs import shipped_errors

Cells = tuple[float, float, float, float]
CONFIDENCE = 0.95
DRAWS = 2000


@dataclass(frozen=True)
class World:
    """Truth and decisions of one world; cells are (critical, listed) = 00, 01, 10, 11."""

    share: float
    realised: float
    decided: Mapping[tuple[str, str], Cells]
    table: np.ndarray  # decided cell x true cell, over all works

    @property
    def works(self) -> int:
        return int(self.table.sum())


def true_cells(rng: np.random.Generator) -> np.ndarray:
    """Draw true shares: 10 to 40 % critical, 5 to 30 % listed, joined by chance or more often."""
    critical, listed = rng.uniform(0.10, 0.40), rng.uniform(0.05, 0.30)
    both = min(critical * listed * rng.uniform(1, 2), 0.9 * min(critical, listed))
    return np.array([1 - critical - listed + both, listed - both, critical - both, both])


def decide(cell: int, classifier: ErrorCounts, matcher: ErrorCounts) -> np.ndarray:
    """Return the probabilities of the four decisions on a work of a true cell."""
    critical = classifier.sensitivity if cell >= 2 else 1 - classifier.specificity
    listed = matcher.sensitivity if cell % 2 else 1 - matcher.specificity
    return np.outer([1 - critical, critical], [1 - listed, listed]).ravel()


def draw_world(rng: np.random.Generator, errors: Errors) -> World:
    """Draw a world of 300 to 30,000 works, between a fifth and four fifths of them title only."""
    works = int(np.exp(rng.uniform(np.log(300), np.log(30_000))))
    text, place = rng.uniform(0.2, 0.8), rng.uniform(0.5, 0.95)
    cells = true_cells(rng)
    table = np.zeros((4, 4))
    decided: dict[tuple[str, str], Cells] = {}
    for name, of_text in zip(TEXT_STRATA, (text, 1 - text), strict=True):
        for affiliation, of_place in zip(AFFILIATION_STRATA, (place, 1 - place), strict=True):
            true = rng.multinomial(int(works * of_text * of_place), cells)
            found = np.array(
                [
                    rng.multinomial(true[cell], decide(cell, errors.classifier[name], errors.matcher[affiliation]))
                    for cell in range(4)
                ]
            ).T
            table += found
            counts = found.sum(axis=1)
            decided[name, affiliation] = (counts[0], counts[1], counts[2], counts[3])
    return World(float(cells[3]), float(table[:, 3].sum() / table.sum()), decided, table)


def evaluate(rng: np.random.Generator, errors: Errors) -> Errors:
    """Draw an evaluation of the size of the measured one, with its sensitivities and specificities."""

    def again(counts: ErrorCounts) -> ErrorCounts:
        positives, negatives = int(counts.tp + counts.fn), int(counts.fp + counts.tn)
        tp, tn = rng.binomial(positives, counts.sensitivity), rng.binomial(negatives, counts.specificity)
        return ErrorCounts(tp, negatives - tn, positives - tp, tn)

    return Errors(
        {name: again(counts) for name, counts in errors.classifier.items()},
        {name: again(counts) for name, counts in errors.matcher.items()},
        errors.source,
    )


def label(rng: np.random.Generator, world: World, each: int = 60) -> list[tuple[int, int, int]]:
    """Draw up to `each` works of every decision and read their truth."""
    strata = []
    for found in world.table.astype(int):
        size = int(found.sum())
        taken = min(each, size)
        strata.append((size, taken, int(rng.hypergeometric(found[3], size - found[3], taken)) if taken else 0))
    return strata


def simulate(worlds: int, errors: Errors, seed: int = 1) -> list[tuple[str, float, float, float]]:
    """Return per interval: name, coverage of the true share, mean width, mean error of the estimate."""
    rng = np.random.default_rng(seed)
    tallies: dict[str, list[tuple[bool, float, float]]] = {}
    for number in range(worlds):
        world, measured = draw_world(rng, errors), evaluate(rng, errors)
        raw = float(world.table[3].sum())
        makers: dict[str, tuple[float, Callable[[], Estimate | None]]] = {
            "raw share, Wilson": (
                world.share,
                lambda k=raw, n=world.works: (k / n, *map(float, wilson(k, n, CONFIDENCE))),
            ),
            "adjusted, evaluation": (
                world.share,
                lambda w=world, m=measured, s=number: adjust(w.decided, m, (True, True), CONFIDENCE, DRAWS, s),
            ),
            "adjusted, labelled sample (of the works themselves)": (
                world.realised,
                lambda w=world, s=number: from_labels(label(rng, w), CONFIDENCE, DRAWS, s),
            ),
        }
        for name, (truth, make) in makers.items():
            point, low, high = make() or (None, 0.0, 1.0)
            error = float("nan") if point is None else point - truth
            tallies.setdefault(name, []).append((low <= truth <= high, high - low, error))
    return [
        (name, *(float(np.nanmean(column)) for column in zip(*rows, strict=True))) for name, rows in tallies.items()
    ]


def main(arguments: list[str]) -> int:
    """Print the table; exit code 1 if the adjusted interval is out of 93 to 97 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    options = parser.parse_args(arguments)
    errors = shipped_errors()
    print(f"{options.worlds} worlds; errors: {errors.source}")
    for kind, strata in (("classifier", errors.classifier), ("matcher", errors.matcher)):
        for name, counts in strata.items():
            print(f"  {kind}, {name}: sensitivity {counts.sensitivity:.3f}, specificity {counts.specificity:.3f}")
    print(f"\n{'interval of 95 %':<54}{'covers the truth':>17}{'mean width':>12}{'mean error':>12}")
    rows = simulate(options.worlds, errors)
    for name, covered, width, error in rows:
        print(f"{name:<54}{covered:>16.1%}{width:>13.4f}{error:>+12.4f}")
    return 0 if 0.93 <= rows[1][1] <= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
