"""Correcting shares for the errors of classifier and matcher, all measures at once.

Estimated is one cross-table of the truth, critical or not by listing category; every share
is read from it, so that no two of them contradict each other. Without labels of the study's own
works: W. J. Rogan, B. Gladen (1978), Estimating prevalence from the results of a screening test,
American Journal of Epidemiology 107, for two tests at once, with error rates pooled over evaluation sets
(`copub.measures.pooling`). With labels: the stratified estimator of W. G. Cochran (1977), Sampling
Techniques, chapter 5. All of it is about the works at hand, classified correctly, not about others like them.
The intervals come from draws; ``benchmarks/coverage_of_intervals.py`` tries them, ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors
from copub.measures.pooling import pooled_rate
from copub.randomdraws import draws_of, multinomial_by_row

Array = NDArray[np.float64]

DRAWS = 4000
SEED = 19781
PRIOR = np.array([[0.25, 0.125, 0.125], [0.25, 0.125, 0.125]])
"""Perks' prior on the cross-table: one work spread over the four cells critical x listed, that of a
listed cell in two halves."""
LABEL_PRIOR = 2 * PRIOR
"""Jeffreys' prior on the truth within a stratum of a labelled sample: half a work in each of the four cells."""
LEAST_ACCURACY = 0.05
"""An instrument whose sensitivity + specificity - 1 may be below this tells nothing."""
TINY = 1e-12
"""Keeps a chance above 0 where every cell of the truth that could lead to a decision was set to 0."""
READ = "read"
"""Stratum of text of works whose topic people have read: their decision is the reading, without error."""

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

    @property
    def middle(self) -> Accuracy:
        """Return the medians, for the point estimate."""
        return Accuracy(np.array([np.median(self.sensitivity)]), np.array([np.median(self.specificity)]))


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


def drawn_accuracy(sets: Sequence[ErrorCounts], rng: RandomState, draws: int) -> Accuracy:
    """Draw sensitivity and specificity in a further set, given the sets at hand."""
    return Accuracy(
        pooled_rate([(counts.tp, counts.fn) for counts in sets], rng, draws),
        pooled_rate([(counts.tn, counts.fp) for counts in sets], rng, draws),
    )


def corrected(shares: Array, classifier: Accuracy, matcher: Accuracy) -> Array:
    """Return the true cross-table of a stratum: draws x (not critical, critical) x listing.

    Parameters
    ----------
    shares : shares of the decisions, in the same shape; each table sums to 1.

    Given the truth, the two instruments err independently. False hits have the levels of all hits
    in proportion. Cells may come out below 0; every table still sums to 1.
    """
    hits, rows = shares[..., 1:], shares.sum(axis=2)
    false = (1 - matcher.specificity)[:, None, None] * rows[..., None] * _levels(shares)[:, None, :]
    listed = (hits - false) / np.maximum(matcher.youden, LEAST_ACCURACY)[:, None, None]
    matched = np.concatenate([(rows - listed.sum(axis=2))[..., None], listed], axis=2)
    both = matched.sum(axis=1)
    false_critical = (1 - classifier.specificity)[:, None] * both
    critical = (matched[:, 1] - false_critical) / np.maximum(classifier.youden, LEAST_ACCURACY)[:, None]
    return np.stack([both - critical, critical], axis=1)


def _levels(shares: Array) -> Array:
    """Return draws x level: the levels of the hits, which false hits have too."""
    by_level = shares[..., 1:].sum(axis=1)
    total = by_level.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(by_level, total, out=np.zeros_like(by_level), where=total > 0))


def decided_given_truth(shares: Array, classifier: Accuracy, matcher: Accuracy) -> Array:
    """Return draws x true cell (6) x decided cell (6): how often a work of a true cell is decided so."""
    draws = shares.shape[0]
    s, p, hit, pass_ = (
        np.broadcast_to(rate, draws)
        for rate in (classifier.sensitivity, classifier.specificity, matcher.sensitivity, matcher.specificity)
    )
    topic = np.stack([np.stack([p, 1 - p], axis=1), np.stack([1 - s, s], axis=1)], axis=1)
    listing = np.zeros((draws, 3, 3))
    listing[:, 0, 0], listing[:, 1:, 0] = pass_, (1 - hit)[:, None]
    listing[:, 0, 1:] = (1 - pass_)[:, None] * _levels(shares)
    listing[:, 1, 1] = listing[:, 2, 2] = hit
    return np.asarray(np.einsum("nab,ncd->nacbd", topic, listing).reshape(draws, 6, 6))


Accuracies = Mapping[str, Accuracy]
"""Accuracy of the instruments in each stratum, of text and of affiliation."""


def adjust(
    given: Decisions, errors: Errors, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Estimate]:
    """Return the corrected share of each measure (`MEASURES`) with its interval; empty over no works.

    Works that cannot be classified have their listing; by topic, the classified ones of the same listing
    represent them. Where an instrument may be uninformative, what rests on it is not estimated.
    """
    if not _size(given.classified) + _size(given.unclassified):
        return {}
    rng = draws_of(seed)
    accuracies = {name: drawn_accuracy(errors.of(name), rng, draws) for name in (*TEXT_STRATA, *AFFILIATION_STRATA)}
    texts = {text for (text, _), part in given.classified.items() if part.sum()}
    places = {place for (_, place), part in given.classified.items() if part.sum()}
    places |= {place for place, part in given.unclassified.items() if part.sum()}
    blind = (
        not texts or any(accuracies[name].is_uninformative(confidence) for name in texts - {READ}),
        any(accuracies[name].is_uninformative(confidence) for name in places),
    )
    taken = dict(accuracies) | {READ: SURE}
    for is_blind, strata in zip(blind, (TEXT_STRATA, AFFILIATION_STRATA), strict=True):
        if is_blind:  # what rests on it is not read
            taken |= dict.fromkeys(strata, SURE)
    point = _corrected_shares(given, {name: accuracy.middle for name, accuracy in taken.items()})
    around = _drawn_shares(given, taken, rng, draws)
    return {
        name: UNKNOWN if any(b and u for b, u in zip(blind, rests_on, strict=True)) else estimate
        for (name, rests_on), estimate in zip(MEASURES.items(), _ends(point, around, confidence), strict=True)
    }


def _size(parts: Mapping[Any, Array]) -> float:
    return math.fsum(part.sum() for part in parts.values())


def _corrected_shares(given: Decisions, accuracies: Accuracies) -> Array:
    """Return the true cross-table of all works by the correction itself: 1 x 2 x 3.

    Of works that nobody has read, no cell is below 0; those that were read are as they were read, so nothing that the
    correction takes from the others can be taken from them.
    """
    read, others, unclassified = np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 3))
    for (text, place), counts in sorted(given.classified.items()):
        if counts.sum():
            cells = counts.sum() * corrected((counts / counts.sum())[None], accuracies[text], accuracies[place])
            if text == READ:
                read = read + cells
            else:
                others = others + cells
    classified = _not_negative(read) + _not_negative(others)
    for place, listing in sorted(given.unclassified.items()):
        if listing.sum():
            rows = np.stack([listing / listing.sum(), np.zeros(3)])
            unclassified = unclassified + listing.sum() * corrected(rows[None], SURE, accuracies[place]).sum(axis=1)
    critical = critical_by_standing(classified) * unclassified
    whole = _not_negative(read) + _not_negative(others + np.stack([unclassified - critical, critical], axis=1))
    return np.asarray(whole / whole.sum(axis=(1, 2), keepdims=True))


def _not_negative(table: Array) -> Array:
    """Return a cross-table without cells below 0, of as many works."""
    kept, works = np.maximum(table, 0), table.sum(axis=(1, 2), keepdims=True)
    return np.asarray(np.divide(kept * works, kept.sum(axis=(1, 2), keepdims=True), out=kept, where=works > 0))


def _drawn_shares(given: Decisions, accuracies: Accuracies, rng: RandomState, draws: int) -> Array:
    """Draw the truth of the works at hand, given what was decided on each: draws x 2 x 3, as shares of all works."""
    classified, unclassified = np.zeros((draws, 2, 3)), np.zeros((draws, 3))
    for (text, place), counts in sorted(given.classified.items()):
        if counts.sum():
            classified += _drawn_truth(counts, accuracies[text], accuracies[place], rng, draws)
    for place, listing in sorted(given.unclassified.items()):
        if listing.sum():
            rows = np.stack([listing, np.zeros(3)])
            unclassified += _drawn_truth(rows, SURE, accuracies[place], rng, draws).sum(axis=1)
    critical = rng.binomial(unclassified.astype(np.int64), critical_by_standing(classified))
    whole = classified + np.stack([unclassified - critical, critical], axis=1)
    return np.asarray(whole / whole.sum(axis=(1, 2), keepdims=True))


def _drawn_truth(
    counts: Array, classifier: Accuracy, matcher: Accuracy, rng: RandomState, draws: int
) -> NDArray[np.int64]:
    """Draw the true cells of the works of a stratum: draws x 2 x 3.

    First the shares of decisions in works like these, then by correction the shares of truth, then, by
    Bayes' rule, the truth of the works that were decided so.
    """
    shares = rng.dirichlet((counts + PRIOR).ravel(), draws).reshape(draws, 2, 3)
    truth = np.maximum(corrected(shares, classifier, matcher), 0).reshape(draws, 6, 1)
    joint = (truth + TINY) * decided_given_truth(shares, classifier, matcher)
    found = np.zeros((draws, 6), dtype=np.int64)
    for cell, works in enumerate(counts.ravel()):
        if works:
            chances = joint[:, :, cell]
            found += multinomial_by_row(rng, int(works), chances / chances.sum(axis=1, keepdims=True))
    return found.reshape(draws, 2, 3)


def truth_given_decision(given: Decisions, errors: Errors) -> dict[tuple[str, str], Array]:
    """Return by stratum the chances of the true cells given each decided cell: decided (6) x true (6).

    They are those of the medians of the pooled error rates. Works that cannot be classified have "" for text; their
    decision is "not critical".
    """
    rng = draws_of(SEED)
    drawn = {name: drawn_accuracy(errors.of(name), rng, DRAWS) for name in (*TEXT_STRATA, *AFFILIATION_STRATA)}
    accuracies = {name: accuracy.middle for name, accuracy in drawn.items()} | {READ: SURE}
    mute = {("", place): np.stack([row, np.zeros(3)]) for place, row in given.unclassified.items()}
    found, classified = {}, np.zeros((1, 2, 3))
    for (text, place), counts in [*given.classified.items(), *mute.items()]:
        shares = ((counts + PRIOR) / (counts + PRIOR).sum())[None]
        classifier = accuracies.get(text, SURE)
        cells = corrected(shares, classifier, accuracies[place])
        if text:
            classified = classified + counts.sum() * cells
        joint = (np.maximum(cells, 0).reshape(6, 1) + TINY) * decided_given_truth(
            shares, classifier, accuracies[place]
        )[0]
        found[text, place] = (joint / joint.sum(axis=0)).T
    by_standing = critical_by_standing(classified)[0]
    for key in (key for key in found if not key[0]):
        listing = found[key].reshape(6, 2, 3).sum(axis=1)
        found[key] = np.concatenate([listing * (1 - by_standing), listing * by_standing], axis=1)
    return found


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

    @property
    def unread(self) -> int:
        """Return the number of works that nobody has read."""
        return self.size - int(self.known.sum())

    def drawn(self, rng: RandomState, draws: int) -> Array:
        """Draw the truth of the stratum's works: those read are known, the others spread as the readings are."""
        spread = rng.dirichlet((self.rate + LABEL_PRIOR).ravel(), draws)
        return np.asarray(self.known + multinomial_by_row(rng, self.unread, spread).reshape(draws, 2, 3))


def from_labels(strata: Sequence[Read], confidence: float, draws: int = DRAWS, seed: int = SEED) -> dict[str, Estimate]:
    """Return share and interval of each measure from a labelled sample of the study's own works; empty over no works.

    Works that were read are known; only the others are drawn, each stratum's as its readings are
    spread. That is the finite-population correction: a sample of everything has no interval.
    """
    works = sum(stratum.size for stratum in strata)
    if not works:
        return {}
    rng = draws_of(seed)
    point, around = np.zeros((1, 2, 3)), np.zeros((draws, 2, 3))
    for stratum in strata:
        around += stratum.drawn(rng, draws)
        point += stratum.known + stratum.unread * stratum.rate / stratum.rate.sum()
    return dict(zip(MEASURES, _ends(point / works, around / works, confidence), strict=True))
