"""Do the intervals hold what they promise? A simulation with known truth, in worlds that differ from the evaluation.

Each world has its own true shares, works with and without abstract, and some works that cannot be
classified. The instruments err there at rates that the estimator is not given: it has only the evaluation sets at hand,
drawn anew with the rates measured on them. The independent test is kept from it and is the truth of several worlds.
Printed: in how many of the worlds each interval covers the true share, and how wide it is.

    python benchmarks/coverage_of_intervals.py [--worlds 400] [--only C E] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from copub.intervals import wilson
from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors, EvaluationSet, counts_of
from copub.lists.modelcard import FOLDER, MODEL
from copub.measures.correction import DRAWS, Decisions, Estimate, Read, adjust, drawn_accuracy, from_labels
from copub.measures.inputs import shipped_errors
from copub.measures.strata import allocate
from copub.randomdraws import draws_of
from copub.shipped import shipped_folder

Array = NDArray[np.float64]
Rates = Mapping[str, tuple[tuple[float, float], tuple[float, float]]]
"""By stratum: (sensitivity, specificity) on works without the property that the other instrument finds, and with it."""

CONFIDENCE = 0.95
SIZES = (309, 5_000, 20_000)
READ_WORKS = 200
LEAST = 0.90
HEADLINE = "critical_listed"
RAW, CORRECTED, LABELLED = "raw share, Wilson", "corrected, evaluation sets", f"labelled, {READ_WORKS} works read"
KINDS = (RAW, CORRECTED, LABELLED)
TEST = "independent test"
METHOD = Path(__file__).resolve().parents[1] / "docs" / "method.md"
START, END = "<!-- coverage: written by benchmarks/coverage_of_intervals.py --write -->", "<!-- end of coverage -->"
BETWEEN_SETS = 0.6
"""Standard deviation of the logit of a rate from set to set in world K."""


@dataclass(frozen=True)
class Kind:
    """A kind of world: what is true in it, the part of works with title only, and whether its rates could be a set's.

    truth : the rates, given the errors at hand and a generator. given : the sets from which the estimator's are drawn.
    """

    words: str
    truth: Callable[[Errors, np.random.Generator], Rates]
    title_only: tuple[float, float] = (0.2, 0.8)
    exchangeable: bool = True
    given: Callable[[Errors], Sequence[EvaluationSet]] = lambda errors: at_hand(errors)
    varies: bool = False


def at_hand(errors: Errors) -> list[EvaluationSet]:
    """Return the sets that the estimator is given: all but the independent test."""
    return [one for one in errors.sets if not one.name.startswith(TEST)]


def named(errors: Errors, word: str) -> EvaluationSet:
    """Return the set of the classifier whose name holds a word."""
    return next(one for one in errors.sets if word in one.name)


def rates_of(counts: ErrorCounts) -> tuple[float, float]:
    return counts.sensitivity, counts.specificity


def fixed(title: str, abstract: str) -> Callable[[Errors, np.random.Generator], Rates]:
    """Return the rates of two sets, whatever the other property."""

    def truth(errors: Errors, _: np.random.Generator) -> Rates:
        found = {
            "title only": rates_of(named(errors, title).counts["title only"]),
            "with abstract": rates_of(named(errors, abstract).counts["with abstract"]),
        }
        found |= {name: rates_of(errors.of(name)[0]) for name in AFFILIATION_STRATA}
        return {name: (rates, rates) for name, rates in found.items()}

    return truth


def by_topics_too(errors: Errors, _: np.random.Generator) -> Rates:
    """Return the rates of decisions by texts and topics on the works kept apart: no set at hand is by topics."""
    card = json.loads((shipped_folder(FOLDER) / f"{MODEL}.json").read_text(encoding="utf-8"))
    rows = {row["what"]: row for row in card["with_topics"]["unseen"]["rows"]}
    found = {name: rates_of(counts_of(rows[f"any area, {name}"])) for name in TEXT_STRATA}
    found |= {name: rates_of(errors.of(name)[0]) for name in AFFILIATION_STRATA}
    return {name: (rates, rates) for name, rates in found.items()}


def dependent(sensitivity: tuple[float, float] | None, specificity: tuple[float, float] | None) -> Callable[..., Rates]:
    """Return the cross-validated rates with one that depends on whether the work is listed: (others, listed)."""

    def truth(errors: Errors, rng: np.random.Generator) -> Rates:
        found = dict(fixed(CROSS, CROSS)(errors, rng))
        for name in TEXT_STRATA:
            (s, p), _ = found[name]
            on_s, on_p = sensitivity or (s, s), specificity or (p, p)
            found[name] = ((on_s[0], on_p[0]), (on_s[1], on_p[1]))
        return found

    return truth


def drawn(errors: Errors, rng: np.random.Generator) -> Rates:
    """Draw rates around those of the sets at hand, as those of a further set."""
    centre = fixed(APART, APART)(errors, rng)
    found = {}
    for name, (rates, _) in centre.items():
        moved = expit(logit(np.minimum(rates, 0.995)) + BETWEEN_SETS * rng.standard_normal(2))
        found[name] = ((float(moved[0]), float(moved[1])),) * 2
    return found


CROSS, APART = "cross-validation", "kept apart"
WORLDS: Mapping[str, Kind] = {
    "A": Kind("both as cross-validated", fixed(CROSS, CROSS)),
    "B": Kind("title only as in the independent test, abstracts as cross-validated", fixed(TEST, CROSS)),
    "C": Kind("title only as in the independent test, abstracts as kept apart", fixed(TEST, APART)),
    "D": Kind("both as kept apart", fixed(APART, APART)),
    "E": Kind("as C, 95 % title only (works files)", fixed(TEST, APART), (0.95, 0.95)),
    "F": Kind("as C, 30 % title only (API; world G at 20,000)", fixed(TEST, APART), (0.3, 0.3)),
    "H": Kind("specificity 0.90 on listed works, 0.97 on others", dependent(None, (0.97, 0.90)), exchangeable=False),
    "I": Kind("sensitivity 0.95 on listed works, 0.85 on others", dependent((0.85, 0.95), None), exchangeable=False),
    "J": Kind(
        "as C, only the works kept apart at hand",
        fixed(TEST, APART),
        given=lambda errors: [one for one in at_hand(errors) if CROSS not in one.name],
    ),
    "K": Kind("rates drawn anew for the study and for every set", drawn, varies=True),
    "L": Kind("both as kept apart, decided by topics too", by_topics_too),
}


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


def decide(cell: int, cells: Array, rates: Rates, text: str, place: str) -> Array:
    """Return the probabilities of the six decisions on a work of a true cell; false hits have the levels of all."""
    is_critical, is_listed = cell >= 3, cell % 3 > 0
    sensitivity, specificity = rates[text][is_listed] if text else (0.0, 1.0)
    found, left = rates[place][is_critical]
    critical = sensitivity if is_critical else 1 - specificity
    levels = cells.reshape(2, 3)[:, 1:].sum(axis=0)
    hits = np.zeros(3)
    if is_listed:
        hits[cell % 3] = found
    else:
        hits[1:] = (1 - left) * levels / levels.sum()
    hits[0] = 1 - hits.sum()
    return np.outer([1 - critical, critical], hits).ravel()


def draw_world(rng: np.random.Generator, kind: Kind, rates: Rates, works: int) -> World:
    """Draw a world: half to 95 % of works with resolved institutions, up to a tenth that cannot be classified."""
    title, place, mute = rng.uniform(*kind.title_only), rng.uniform(0.5, 0.95), rng.uniform(0, 0.1)
    truth = true_cells(rng)
    table = np.zeros((6, 6), dtype=np.int64)
    classified: dict[tuple[str, str], Array] = {}
    unclassified = {name: np.zeros(3) for name in AFFILIATION_STRATA}
    for name, of_text in zip(TEXT_STRATA, (1 - title, title), strict=True):
        for affiliation, of_place in zip(AFFILIATION_STRATA, (place, 1 - place), strict=True):
            for silent, of_voice in ((False, 1 - mute), (True, mute)):
                true = rng.multinomial(round(works * of_text * of_place * of_voice), truth)
                text = "" if silent else name  # what cannot be classified is never found critical
                chances = [decide(cell, truth, rates, text, affiliation) for cell in range(6)]
                found = np.array([rng.multinomial(true[cell], chances[cell]) for cell in range(6)]).T
                table += found
                counts = found.sum(axis=1).reshape(2, 3).astype(float)
                if silent:
                    unclassified[affiliation] += counts[0]
                else:
                    classified[name, affiliation] = counts
    return World(truth, Decisions(classified, unclassified), table)


def evaluate(rng: np.random.Generator, kind: Kind, errors: Errors) -> Errors:
    """Draw every set at hand anew: with the rates measured on it, or, where they vary, with rates of its own."""

    def again(counts: ErrorCounts, rates: tuple[float, float]) -> ErrorCounts:
        positives, negatives = round(counts.tp + counts.fn), round(counts.fp + counts.tn)
        tp, tn = rng.binomial(positives, rates[0]), rng.binomial(negatives, rates[1])
        return ErrorCounts(tp, negatives - tn, positives - tp, tn)

    sets = []
    for one in kind.given(errors):
        own = kind.truth(errors, rng) if kind.varies else {}
        counts = {name: again(c, own[name][0] if own else rates_of(c)) for name, c in one.counts.items()}
        sets.append(EvaluationSet(one.name, counts))
    return Errors(tuple(sets))


def label(rng: np.random.Generator, world: World) -> list[Read]:
    """Draw a sheet of `READ_WORKS` works as copub does, by decision (critical x listed), and read their truth."""
    parts = {
        (False, False, False): world.table[0],
        (False, True, False): world.table[1] + world.table[2],
        (True, False, False): world.table[3],
        (True, True, False): world.table[4] + world.table[5],
    }
    sizes = {key: int(found.sum()) for key, found in parts.items() if found.sum()}
    strata = []
    for key, taken in allocate(sizes, READ_WORKS).items():
        read = rng.multivariate_hypergeometric(parts[key], taken).astype(float).reshape(2, 3)
        strata.append(Read(sizes[key], read, read))
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


def simulate(
    kind: Kind, works: int, worlds: int, errors: Errors, draws: int = DRAWS // 4
) -> tuple[dict[tuple[str, str], Row], int]:
    """Return the figures of each kind of interval and measure, and how many estimates contradict themselves.

    The raw interval is held against the shares of the larger set from which the works come, the others
    against those of the works themselves.
    """
    rng = np.random.default_rng(works)
    tallies: dict[tuple[str, str], list[Row]] = {}
    contradictions = 0
    for number in range(worlds):
        world = draw_world(rng, kind, kind.truth(errors, rng), works)
        truth, realised = shares(world.truth), shares(world.realised)
        found = adjust(world.given, evaluate(rng, kind, errors), CONFIDENCE, draws, number)
        kinds: Mapping[str, tuple[dict[str, float], dict[str, Estimate]]] = {
            RAW: (truth, raw(world)),
            CORRECTED: (realised, found),
            LABELLED: (realised, from_labels(label(rng, world), CONFIDENCE, draws, number)),
        }
        for name, (true, estimates) in kinds.items():
            contradictions += contradict(estimates)
            for measure, (point, low, high) in estimates.items():
                error = float("nan") if point is None else point - true[measure]
                holds = low - 1e-9 <= true[measure] <= high + 1e-9
                tallies.setdefault((name, measure), []).append((float(holds), high - low, error))
    figures = {key: np.nanmean(np.array(rows), axis=0) for key, rows in tallies.items()}
    return {key: (float(a), float(b), float(c)) for key, (a, b, c) in figures.items()}, contradictions


def contradict(found: Mapping[str, Estimate]) -> bool:
    """Say whether a part is larger than its whole, in the estimates or in an end of their intervals."""
    parts = ((HEADLINE, "critical"), (HEADLINE, "listed"), ("top_level", HEADLINE))
    known = [(part, whole) for part, whole in parts if found[part][0] is not None]
    ends = [(found[part][end], found[whole][end]) for part, whole in known for end in range(3)]
    return any(a is not None and b is not None and a > b + 1e-9 for a, b in ends)


def pooled_line(errors: Errors) -> str:
    """Return which sets the estimator is given, and the rates pooled from them, in a sentence."""
    rng, given = draws_of(1), Errors(tuple(at_hand(errors)))
    rates = []
    for name in (*TEXT_STRATA, AFFILIATION_STRATA[0]):
        accuracy = drawn_accuracy(given.of(name), rng, 40_000)
        for what, values in (("sensitivity", accuracy.sensitivity), ("specificity", accuracy.specificity)):
            low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
            rates.append(f"{name}, {what} {middle:.2f} ({low:.2f} to {high:.2f})")
    return f"Given to the estimator: {given.source}. Pooled: {'; '.join(rates)}."


HEAD = (
    "| world | works | raw covers | width | corrected covers | width | labelled covers | width | corrected, critical |",
    "|---|---|---|---|---|---|---|---|---|",
)


def row_of(name: str, works: int, figures: Mapping[tuple[str, str], Row]) -> str:
    """Return a row of the table: the headline under each kind of interval, and the corrected "critical"."""
    cells = [f"{figures[kind, HEADLINE][0]:.1%} | {100 * figures[kind, HEADLINE][1]:.1f}" for kind in KINDS]
    return f"| {name} | {works:,} | {' | '.join(cells)} | {figures[CORRECTED, 'critical'][0]:.1%} |".replace("%", " %")


def main(arguments: list[str]) -> int:
    """Print the table; exit code 1 if an interval covers less than 90 % where it has to hold, or shares contradict.

    The corrected interval has to hold where rates are exchangeable with the sets, the labelled one everywhere.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--write", action="store_true", help="put the table into docs/method.md")
    options = parser.parse_args(arguments)
    errors = shipped_errors()
    lines = [*(f"- {name}: {WORLDS[name].words}" for name in options.only), "", *HEAD]
    print("\n".join(lines))
    broken = []
    for name in options.only:
        kind = WORLDS[name]
        for works in SIZES:
            figures, contradictions = simulate(kind, works, options.worlds, errors)
            lines.append(row_of(name, works, figures))
            print(lines[-1], flush=True)
            held = (CORRECTED, LABELLED) if kind.exchangeable else (LABELLED,)
            for interval, measure in ((interval, m) for interval in held for m in (HEADLINE, "critical")):
                if figures[interval, measure][0] < LEAST:
                    broken.append(
                        f"{name}, {works:,} works, {measure}, {interval}: {figures[interval, measure][0]:.1%}"
                    )
            if contradictions:
                broken.append(f"{name}, {works:,} works: {contradictions} parts are larger than their whole")
    lines += ["", f"{options.worlds} worlds a row; widths in points of per cent. {pooled_line(errors)}"]
    print(lines[-1])
    if options.write:
        text = METHOD.read_text(encoding="utf-8")
        before, after = text.split(START)[0], text.split(END)[1]
        METHOD.write_text("\n".join([before + START, *lines, END + after]), encoding="utf-8")
    print("\n".join(f"does not hold: {what}" for what in broken) or "every interval holds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
