"""Correcting shares for the errors of classifier and matcher.

Without labels of the study's own works: W. J. Rogan, B. Gladen (1978), Estimating prevalence
from the results of a screening test, American Journal of Epidemiology 107, for two tests at
once. With labels: the stratified estimator of W. G. Cochran (1977), Sampling Techniques,
chapter 5. The interval of both comes from draws, chosen by the simulation in
``benchmarks/coverage_of_intervals.py``; ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copub.measures.errors import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors

Array = NDArray[np.float64]

DRAWS = 4000
SEED = 19781
ERROR_PRIOR = 0.5
"""Jeffreys' prior on sensitivity and specificity."""
CELL_PRIOR = 0.25
"""Perks' prior (one work spread over the four cells) on the observed cross-table."""
LABEL_PRIOR = 1 / 3
"""Kerman's neutral prior on the truth within a stratum of a labelled sample."""
LEAST_POWER = 0.05
"""An instrument whose sensitivity + specificity - 1 may be below this tells nothing."""


@dataclass(frozen=True, slots=True)
class Power:
    """Draws of sensitivity and specificity of one instrument in one stratum."""

    sensitivity: Array
    specificity: Array

    def corrected(self, positive: bool) -> Array:
        """Return what one decision counts for in draws of the true share (may be below 0 or above 1)."""
        return (float(positive) - (1 - self.specificity)) / (self.sensitivity + self.specificity - 1)

    def tells_nothing(self, confidence: float) -> bool:
        """Say whether the instrument may be no better than a coin, as far as the evaluation tells."""
        least = np.quantile(self.sensitivity + self.specificity - 1, 0.5 - confidence / 2)
        return bool(least <= LEAST_POWER)


def drawn_power(counts: ErrorCounts, rng: np.random.Generator, draws: int) -> Power:
    """Draw sensitivity and specificity from their posteriors given an evaluation."""
    return Power(
        rng.beta(counts.tp + ERROR_PRIOR, counts.fn + ERROR_PRIOR, draws),
        rng.beta(counts.tn + ERROR_PRIOR, counts.fp + ERROR_PRIOR, draws),
    )


def sure_power(counts: ErrorCounts) -> Power:
    """Return sensitivity and specificity as evaluated, for the point estimate."""
    return Power(np.array([counts.sensitivity]), np.array([counts.specificity]))


def corrected_share(cells: Sequence[float], classifier: Power | None, matcher: Power | None, shares: Array) -> Array:
    """Return draws of the true share of one stratum.

    Parameters
    ----------
    cells : works by decision, in the order (no, no), (no, yes), (yes, no), (yes, yes) of
        classifier and matcher.
    classifier, matcher : power of the instruments; None where the measure does not use it.
    shares : draws of the shares of the four cells, one row per draw.

    Given the truth, the two instruments err independently, so a cell counts for the product of
    what its two decisions count for.
    """
    total = np.zeros(shares.shape[0])
    for cell in range(len(cells)):
        of_classifier = classifier.corrected(cell >= 2) if classifier else 1.0
        of_matcher = matcher.corrected(cell % 2 == 1) if matcher else 1.0
        total = total + shares[:, cell] * of_classifier * of_matcher
    return total


Estimate = tuple[float | None, float, float]
"""A share with the ends of its interval; the share is None where nothing can be said."""


def adjust(
    strata: Mapping[tuple[str, str], Sequence[float]],
    errors: Errors,
    uses: tuple[bool, bool],
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Estimate | None:
    """Return the adjusted share with the ends of its interval; None over no works.

    An instrument that may tell nothing gives no estimate and an interval from 0 to 1.

    Parameters
    ----------
    strata : the four cells of decisions (see `corrected_share`) by text and affiliation stratum.
    errors : the evaluation of both instruments.
    uses : whether the measure rests on the classifier, and on the matcher.
    """
    works = sum(sum(cells) for cells in strata.values())
    if not works:
        return None
    rng = np.random.default_rng(seed)
    classifier = {name: drawn_power(errors.classifier[name], rng, draws) for name in TEXT_STRATA}
    matcher = {name: drawn_power(errors.matcher[name], rng, draws) for name in AFFILIATION_STRATA}
    point, drawn = 0.0, np.zeros(draws)
    for (text, affiliation), cells in sorted(strata.items()):
        counts = np.asarray(cells, dtype=np.float64)
        size = counts.sum()
        if not size:
            continue
        powers = (classifier[text] if uses[0] else None, matcher[affiliation] if uses[1] else None)
        if any(power.tells_nothing(confidence) for power in powers if power):
            return None, 0.0, 1.0
        sure = (
            sure_power(errors.classifier[text]) if uses[0] else None,
            sure_power(errors.matcher[affiliation]) if uses[1] else None,
        )
        drawn += size / works * corrected_share(cells, *powers, rng.dirichlet(counts + CELL_PRIOR, draws))
        point += size / works * float(corrected_share(cells, *sure, counts[None, :] / size)[0])
    return _ends(point, drawn, confidence)


def _ends(point: float, drawn: Array, confidence: float) -> Estimate:
    low, high = np.quantile(np.clip(drawn, 0, 1), [0.5 - confidence / 2, 0.5 + confidence / 2])
    centre = float(np.clip(point, 0, 1))
    return centre, min(float(low), centre), max(float(high), centre)


def from_labels(
    strata: Sequence[tuple[int, int, int]], confidence: float, draws: int = DRAWS, seed: int = SEED
) -> Estimate | None:
    """Return share and interval from a labelled sample of the study's own works; None over no works.

    Parameters
    ----------
    strata : works, works labelled, and of these the truly positive, per stratum. A stratum with
        works must have labels.

    The labelled works are known; only the others are drawn, which is the finite-population
    correction: a sample of everything has no interval.
    """
    works = sum(size for size, _, _ in strata)
    if not works:
        return None
    rng = np.random.default_rng(seed)
    point, drawn = 0.0, np.zeros(draws)
    for size, labelled, positive in strata:
        if not size:
            continue
        rate = rng.beta(positive + LABEL_PRIOR, labelled - positive + LABEL_PRIOR, draws)
        drawn += positive + rng.binomial(size - labelled, rate)
        point += size * positive / labelled
    return _ends(point / works, drawn / works, confidence)
