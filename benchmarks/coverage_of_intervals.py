"""Do the intervals hold what they promise? A simulation with known truth.

Each world has its own true shares, its own number of works with and without abstract, some works
that cannot be judged, and its own small evaluation of classifier and matcher, drawn with the errors
that were measured. Printed: in how many of the worlds each interval covers the true share.

    python benchmarks/coverage_of_intervals.py [--worlds 1000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copub.intervals import wilson
from copub.measures.correction import MEASURES, Decisions, Estimate, Read, adjust, from_labels
from copub.measures.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors
from copub.measures.inputs import shipped_errors

Array = NDArray[np.float64]
CONFIDENCE = 0.95
DRAWS = 2000
HEADLINE = "critical_listed"
RAW, EVALUATION, LABELS = "raw share, Wilson", "adjusted, evaluation", "adjusted, labelled sample"


@dataclass(frozen=True)
class World:
    """Truth and decisions of one world. Cells: not critical, critical x not listed, listed below the top, at the top.

    truth : true shares of the six cells. table : decided cell x true cell, over all works.
    """

    truth: Array
    given: Decisions
    table: NDArray[np.int64]

    @property
    def works(self) -> int:
        return int(self.table.sum())

    @property
    def realised(self) -> Array:
        return np.asarray(self.table.sum(axis=0) / self.table.sum())


def shares(cells: Array) -> dict[str, float]:
    """Return the share of each measure in the six cells."""
    critical, listed = cells[3:], cells.reshape(2, 3)[:, 1:]
    return {
        "critical": float(critical.sum()),
        "listed": float(listed.sum()),
        HEADLINE: float(critical[1:].sum()),
        "top_level": float(critical[2]),
    }


def true_cells(rng: np.random.Generator) -> Array:
    """Draw true shares: 10 to 40 % critical, 5 to 30 % listed, joined by chance or more often.

    Of the listed, a fifth to three fifths are at the top level.
    """
    critical, listed = rng.uniform(0.10, 0.40), rng.uniform(0.05, 0.30)
    both = min(critical * listed * rng.uniform(1, 2), 0.9 * min(critical, listed))
    top = rng.uniform(0.2, 0.6)
    return np.array(
        [
            *(1 - critical - listed + both, (listed - both) * (1 - top), (listed - both) * top),
            *(critical - both, both * (1 - top), both * top),
        ]
    )


def decide(cell: int, cells: Array, classifier: ErrorCounts, matcher: ErrorCounts) -> Array:
    """Return the probabilities of the six decisions on a work of a true cell; false hits have the levels of all."""
    critical = classifier.sensitivity if cell >= 3 else 1 - classifier.specificity
    levels = cells.reshape(2, 3)[:, 1:].sum(axis=0)
    hits = np.zeros(3)
    if cell % 3:
        hits[cell % 3] = matcher.sensitivity
    else:
        hits[1:] = (1 - matcher.specificity) * levels / levels.sum()
    hits[0] = 1 - hits.sum()
    return np.outer([1 - critical, critical], hits).ravel()


def draw_world(rng: np.random.Generator, errors: Errors) -> World:
    """Draw a world of 300 to 30,000 works: a fifth to four fifths title only, up to a tenth not to be judged."""
    works = int(np.exp(rng.uniform(np.log(300), np.log(30_000))))
    text, place, mute = rng.uniform(0.2, 0.8), rng.uniform(0.5, 0.95), rng.uniform(0, 0.1)
    truth = true_cells(rng)
    table = np.zeros((6, 6), dtype=np.int64)
    judged: dict[tuple[str, str], Array] = {}
    unclassified = {name: np.zeros(3) for name in AFFILIATION_STRATA}
    never = ErrorCounts(0, 0, 1, 1)  # what cannot be judged is never found critical
    for name, of_text in zip(TEXT_STRATA, (text, 1 - text), strict=True):
        for affiliation, of_place in zip(AFFILIATION_STRATA, (place, 1 - place), strict=True):
            for silent, of_voice in ((False, 1 - mute), (True, mute)):
                true = rng.multinomial(int(works * of_text * of_place * of_voice), truth)
                classifier = never if silent else errors.classifier[name]
                chances = [decide(cell, truth, classifier, errors.matcher[affiliation]) for cell in range(6)]
                found = np.array([rng.multinomial(true[cell], chances[cell]) for cell in range(6)]).T
                table += found
                counts = found.sum(axis=1).reshape(2, 3).astype(float)
                if silent:
                    unclassified[affiliation] += counts[0]
                else:
                    judged[name, affiliation] = counts
    return World(truth, Decisions(judged, unclassified), table)


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


def label(rng: np.random.Generator, world: World, each: int = 60) -> list[Read]:
    """Draw up to `each` works of every decision (critical x listed) and read their truth."""
    strata = []
    for found in (world.table[0], world.table[1] + world.table[2], world.table[3], world.table[4] + world.table[5]):
        size = int(found.sum())
        if size:
            read = rng.multivariate_hypergeometric(found, min(each, size)).astype(float).reshape(2, 3)
            strata.append(Read(size, read, read))
    return strata


def raw(world: World) -> dict[str, Estimate]:
    """Return the shares as decided, with their Wilson intervals."""
    n, estimates = world.works, dict[str, Estimate]()
    for name, share in shares(world.table.sum(axis=1) / n).items():
        low, high = wilson(share * n, n, CONFIDENCE)
        estimates[name] = (share, float(low), float(high))
    return estimates


Row = tuple[float, float, float]
"""Coverage of the true share, mean width, mean error of the estimate."""


def simulate(worlds: int, errors: Errors, seed: int = 1) -> tuple[dict[tuple[str, str], Row], int]:
    """Return the figures of each kind of interval and measure, and how many estimates contradict themselves."""
    rng = np.random.default_rng(seed)
    tallies: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    contradictions = 0
    for number in range(worlds):
        world, measured = draw_world(rng, errors), evaluate(rng, errors)
        truth, realised = shares(world.truth), shares(world.realised)
        kinds: Mapping[str, tuple[dict[str, float], dict[str, Estimate]]] = {
            RAW: (truth, raw(world)),
            EVALUATION: (truth, adjust(world.given, measured, CONFIDENCE, DRAWS, number)),
            LABELS: (realised, from_labels(label(rng, world), CONFIDENCE, DRAWS, number)),
        }
        for kind, (true, found) in kinds.items():
            contradictions += contradict(found)
            for measure, (point, low, high) in found.items():
                error = float("nan") if point is None else point - true[measure]
                row = (float(low <= true[measure] <= high), high - low, error)
                tallies.setdefault((kind, measure), []).append(row)
    figures = {key: np.nanmean(np.array(rows), axis=0) for key, rows in tallies.items()}
    return {key: (float(a), float(b), float(c)) for key, (a, b, c) in figures.items()}, contradictions


def contradict(found: Mapping[str, Estimate]) -> bool:
    """Say whether a part is larger than its whole, in the estimates or in an end of their intervals."""
    parts = ((HEADLINE, "critical"), (HEADLINE, "listed"), ("top_level", HEADLINE))
    ends = [(found[part][end], found[whole][end]) for part, whole in parts for end in range(3)]
    return any(a is not None and b is not None and a > b + 1e-9 for a, b in ends)


def main(arguments: list[str]) -> int:
    """Print the table; exit code 1 if an adjusted interval of the headline leaves 93 to 97 %, or shares contradict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    options = parser.parse_args(arguments)
    errors = shipped_errors()
    print(f"{options.worlds} worlds; errors: {errors.source}")
    for kind, strata in (("classifier", errors.classifier), ("matcher", errors.matcher)):
        for name, counts in strata.items():
            print(f"  {kind}, {name}: sensitivity {counts.sensitivity:.3f}, specificity {counts.specificity:.3f}")
    figures, contradictions = simulate(options.worlds, errors)
    for measure in (HEADLINE, *(name for name in MEASURES if name != HEADLINE)):
        print(f"\n{measure + ', interval of 95 %':<40}{'covers the truth':>17}{'mean width':>12}{'mean error':>12}")
        for kind in (RAW, EVALUATION, LABELS):
            covered, width, error = figures[kind, measure]
            print(f"{kind:<40}{covered:>16.1%}{width:>13.4f}{error:>+12.4f}")
    print(f"\nestimates in which a part is larger than its whole: {contradictions}")
    held = all(0.93 <= figures[kind, HEADLINE][0] <= 0.97 for kind in (EVALUATION, LABELS))
    return 0 if held and not contradictions else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
