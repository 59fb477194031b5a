"""Correcting shares for the errors of classifier and matcher, all measures at once.

Estimated is one cross-table of the truth, critical or not by listing category; every share
is read from it, so that no two of them contradict each other. Without labels of the study's own
works: W. J. Rogan, B. Gladen (1978), Estimating prevalence from the results of a screening test,
American Journal of Epidemiology 107, for two tests at once. With labels: the stratified estimator
of W. G. Cochran (1977), Sampling Techniques, chapter 5. The intervals come from draws;
``benchmarks/coverage_of_intervals.py`` tries them, ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copub.measures.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors

Array = NDArray[np.float64]

DRAWS = 4000
SEED = 19781
ERROR_PRIOR = 0.5
"""Jeffreys' prior on sensitivity and specificity."""
PRIOR = np.array([[0.25, 0.125, 0.125], [0.25, 0.125, 0.125]])
"""Perks' prior on the cross-table: one work spread over the four cells critical x listed, that of a
listed cell in two halves."""
LABEL_PRIOR = 2 * PRIOR
"""Jeffreys' prior on the truth within a stratum of a labelled sample: half a work in each of the four cells."""
LEAST_ACCURACY = 0.05
"""An instrument whose sensitivity + specificity - 1 may be below this tells nothing."""

LISTINGS = ("none", "below", "top")
"""Standing of a work on the lists: not listed, listed below the top level, listed at the top level."""

Estimate = tuple[float | None, float, float]
"""A share with the ends of its interval; the share is None where nothing can be stated."""
UNKNOWN: Estimate = (None, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Draws of sensitivity and specificity of one instrument in one stratum."""

    sensitivity: Array
    specificity: Array

    @property
    def youden(self) -> Array:
        """Return sensitivity + specificity - 1: 0 for a coin, 1 for an instrument without errors."""
        return self.sensitivity + self.specificity - 1

    def is_uninformative(self, confidence: float) -> bool:
        """Say whether the instrument may be no better than a coin, as far as the evaluation tells."""
        return bool(np.quantile(self.youden, 0.5 - confidence / 2) <= LEAST_ACCURACY)


SURE = Accuracy(np.ones(1), np.ones(1))
"""An instrument without errors: its decisions are taken as they are."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the instruments decided on the works of a slice.

    classified : works that the classifier can classify, by text and affiliation stratum: counts by its
        decision (no, yes) and by listing (`LISTINGS`), shape 2 x 3.
    unclassified : the other works, by affiliation stratum: counts by listing.
    """

    classified: Mapping[tuple[str, str], Array]
    unclassified: Mapping[str, Array]


def drawn_accuracy(counts: ErrorCounts, rng: np.random.Generator, draws: int) -> Accuracy:
    """Draw sensitivity and specificity from their posteriors given an evaluation."""
    return Accuracy(
        rng.beta(counts.tp + ERROR_PRIOR, counts.fn + ERROR_PRIOR, draws),
        rng.beta(counts.tn + ERROR_PRIOR, counts.fp + ERROR_PRIOR, draws),
    )


def evaluated_accuracy(counts: ErrorCounts) -> Accuracy:
    """Return sensitivity and specificity as evaluated, for the point estimate."""
    return Accuracy(np.array([counts.sensitivity]), np.array([counts.specificity]))


def corrected(shares: Array, classifier: Accuracy, matcher: Accuracy) -> Array:
    """Return the true cross-table of a stratum: draws x (not critical, critical) x listing.

    Parameters
    ----------
    shares : shares of the decisions, in the same shape; each table sums to 1.

    Given the truth, the two instruments err independently. False hits have the levels of all hits
    in proportion. Cells may come out below 0; every table still sums to 1.
    """
    hits, rows = shares[..., 1:], shares.sum(axis=2)
    by_level, total = hits.sum(axis=1), hits.sum(axis=(1, 2))
    mix = np.divide(by_level, total[:, None], out=np.zeros_like(by_level), where=total[:, None] > 0)
    false = (1 - matcher.specificity)[:, None, None] * rows[..., None] * mix[:, None, :]
    listed = (hits - false) / matcher.youden[:, None, None]
    matched = np.concatenate([(rows - listed.sum(axis=2))[..., None], listed], axis=2)
    both = matched.sum(axis=1)
    critical = (matched[:, 1] - (1 - classifier.specificity)[:, None] * both) / classifier.youden[:, None]
    return np.stack([both - critical, critical], axis=1)


@dataclass(frozen=True, slots=True)
class _Powers:
    """Accuracy of both instruments in each stratum."""

    classifier: Mapping[str, Accuracy]
    matcher: Mapping[str, Accuracy]


def adjust(
    given: Decisions, errors: Errors, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Estimate]:
    """Return the adjusted share of each measure (`MEASURES`) with its interval; empty over no works.

    Works that cannot be classified have their listing; by topic, the classified ones of the same listing
    represent them. Where an instrument may be uninformative, what rests on it is not estimated.
    """
    if not _size(given.classified) + _size(given.unclassified):
        return {}
    rng = np.random.default_rng(seed)
    drawn = _Powers(
        {name: drawn_accuracy(errors.classifier[name], rng, draws) for name in TEXT_STRATA},
        {name: drawn_accuracy(errors.matcher[name], rng, draws) for name in AFFILIATION_STRATA},
    )
    known = _Powers(
        {name: evaluated_accuracy(counts) for name, counts in errors.classifier.items()},
        {name: evaluated_accuracy(counts) for name, counts in errors.matcher.items()},
    )
    texts = {text for (text, _), part in given.classified.items() if part.sum()}
    places = {place for (_, place), part in given.classified.items() if part.sum()}
    places |= {place for place, part in given.unclassified.items() if part.sum()}
    blind = (
        not texts or any(drawn.classifier[name].is_uninformative(confidence) for name in texts),
        any(drawn.matcher[name].is_uninformative(confidence) for name in places),
    )

    def cells(counts: Array) -> Array:
        return rng.dirichlet((counts + PRIOR).ravel(), draws).reshape(draws, 2, 3)

    point = _truth(given, _taken_as_sure(known, blind), lambda counts: (counts / counts.sum())[None])
    around = _truth(given, _taken_as_sure(drawn, blind), cells)
    return {
        name: UNKNOWN if any(b and u for b, u in zip(blind, rests_on, strict=True)) else estimate
        for (name, rests_on), estimate in zip(MEASURES.items(), _ends(point, around, confidence), strict=True)
    }


def _size(parts: Mapping[Any, Array]) -> float:
    return float(sum(part.sum() for part in parts.values()))


def _taken_as_sure(accuracies: _Powers, blind: tuple[bool, bool]) -> _Powers:
    """Return the accuracies with SURE in place of a blind instrument: what rests on it is not read."""
    return _Powers(
        dict.fromkeys(accuracies.classifier, SURE) if blind[0] else accuracies.classifier,
        dict.fromkeys(accuracies.matcher, SURE) if blind[1] else accuracies.matcher,
    )


def _truth(given: Decisions, accuracies: _Powers, cells: Callable[[Array], Array]) -> Array:
    """Return the true cross-table of all works: draws x (not critical, critical) x listing, none below 0.

    `cells` gives the shares of the decisions behind the counts of a stratum, one table per draw.
    """
    classified, unclassified = np.zeros((1, 2, 3)), np.zeros((1, 3))
    for (text, place), counts in sorted(given.classified.items()):
        if counts.sum():
            part = corrected(cells(counts), accuracies.classifier[text], accuracies.matcher[place])
            classified = classified + counts.sum() * part
    for place, listing in sorted(given.unclassified.items()):
        if listing.sum():
            part = corrected(cells(np.stack([listing, np.zeros(3)])), SURE, accuracies.matcher[place])
            unclassified = unclassified + listing.sum() * part.sum(axis=1)
    critical = critical_by_standing(classified) * unclassified
    whole = np.maximum(classified + np.stack([unclassified - critical, critical], axis=1), 0)
    return np.asarray(whole / whole.sum(axis=(1, 2), keepdims=True))


def critical_by_standing(table: Array) -> Array:
    """Return draws x listing: the critical share among works not listed, and among listed ones.

    Cells below 0 count as 0; a listing without works has the share of all.
    """
    kept = np.maximum(table, 0)
    merged = np.stack([kept[..., 0], kept[..., 1:].sum(axis=2)], axis=2)
    of, every = merged.sum(axis=1), merged.sum(axis=(1, 2))
    overall = np.divide(merged[:, 1].sum(axis=1), every, out=np.zeros_like(every), where=every > 0)
    shares = np.where(of > 0, merged[:, 1] / np.where(of > 0, of, 1), overall[:, None])
    return np.asarray(shares[:, [0, 1, 1]])


MEASURES: Mapping[str, tuple[bool, bool]] = {
    # measure: whether it rests on the classifier, and on the matcher
    "critical": (True, False),
    "listed": (False, True),
    "critical_listed": (True, True),
    "top_level": (True, True),
}


def _shares(table: Array) -> Array:
    """Return the shares of `MEASURES`, read from cross-tables: measures x draws."""
    critical, listed = table[:, 1], table[:, :, 1:]
    return np.stack([critical.sum(axis=1), listed.sum(axis=(1, 2)), critical[:, 1:].sum(axis=1), critical[:, 2]])


def _ends(point: Array, around: Array, confidence: float) -> list[Estimate]:
    centres = _shares(point)[:, 0]
    low, high = np.quantile(_shares(around), [0.5 - confidence / 2, 0.5 + confidence / 2], axis=1)
    return [
        (float(c), min(float(a), float(c)), max(float(b), float(c))) for c, a, b in zip(centres, low, high, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Read:
    """A stratum of a labelled sample.

    size : works of the slice in the stratum.
    known : of these, works that people have read, by truth: critical x listing, shape 2 x 3.
    rate : readings of the whole stratum, weighted by the works that each represents, in the same shape.
    """

    size: int
    known: Array
    rate: Array


def from_labels(strata: Sequence[Read], confidence: float, draws: int = DRAWS, seed: int = SEED) -> dict[str, Estimate]:
    """Return share and interval of each measure from a labelled sample of the study's own works; empty over no works.

    Works that were read are known; only the others are drawn, each stratum's as its readings are
    spread. That is the finite-population correction: a sample of everything has no interval.
    """
    works = sum(stratum.size for stratum in strata)
    if not works:
        return {}
    rng = np.random.default_rng(seed)
    point, around = np.zeros((1, 2, 3)), np.zeros((draws, 2, 3))
    for stratum in strata:
        unread = stratum.size - int(stratum.known.sum())
        spread = rng.dirichlet((stratum.rate + LABEL_PRIOR).ravel(), draws)
        around += stratum.known + rng.multinomial(unread, spread).reshape(draws, 2, 3)
        point += stratum.known + unread * stratum.rate / stratum.rate.sum()
    return dict(zip(MEASURES, _ends(point / works, around / works, confidence), strict=True))
