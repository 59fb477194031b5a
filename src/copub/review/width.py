"""How wide the interval of the headline is after some works were read, and how many must be read for a width.

The same estimator as `copub.measures.correction.from_labels`, without its random draws: of the works of
a stratum that are not read, a beta-binomial number is critical and listed; strata are independent, so
the distribution of their sum is a convolution. The script of the reading page computes the same
(``templates/reading.js``), so a reader sees the width that the report will state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from copub.measures.correction import LABEL_PRIOR
from copub.measures.strata import Key, reading_order

Array = NDArray[np.float64]

PRIOR = (float(LABEL_PRIOR[1, 1:].sum()), float(LABEL_PRIOR.sum() - LABEL_PRIOR[1, 1:].sum()))
"""Prior works of a stratum that are critical and listed, and that are not."""

PLANNED: Mapping[tuple[bool, bool], float] = {
    (True, True): 0.85,
    (False, True): 0.07,
    (True, False): 0.003,
    (False, False): 0.0005,
}
"""Share that is truly critical and listed, by copub's decision (critical, listed): for planning, before any reading.

Rounded from the error rates of titles on works kept apart; the plan is revised as soon as labels exist.
"""


_FIRST_GUESS = 64


@dataclass(frozen=True, slots=True)
class Stratum:
    """Works of a stratum, how many of them were read, and how many of these are critical and listed.

    Planned counts may be fractional.
    """

    size: int
    read: float
    yes: float


def interval(strata: Sequence[Stratum], confidence: float) -> tuple[float, float]:
    """Return the ends of the interval of the headline share, read works counted as known.

    Parameters
    ----------
    strata : all strata of the population; a stratum without read works has the prior alone.
    confidence : such as 0.95.
    """
    works, known = sum(stratum.size for stratum in strata), sum(stratum.yes for stratum in strata)
    total = np.ones(1)
    for stratum in strata:
        unread = round(stratum.size - stratum.read)
        if unread:
            a, b = stratum.yes + PRIOR[0], stratum.read - stratum.yes + PRIOR[1]
            total = np.maximum(_convolved(total, _beta_binomial(unread, a, b)), 0)
    below = np.cumsum(total) / total.sum()
    low, high = np.searchsorted(below, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float((known + low) / works), float((known + high) / works)


def _beta_binomial(n: int, a: float, b: float) -> Array:
    """Return the chances of 0 to `n`; written out, as loading scipy.stats takes longer than a command."""
    k = np.arange(n + 1)
    return np.asarray(np.exp(betaln(k + a, n - k + b) - betaln(a, b) - np.log(n + 1) - betaln(n - k + 1, k + 1)))


def _convolved(one: Array, other: Array) -> Array:
    """Return the chances of the sum of two numbers, by the Fourier transform."""
    length = len(one) + len(other) - 1
    size = 1 << (length - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size), size)[:length]


def planned_width(sizes: Mapping[Key, int], rates: Mapping[Key, float], total: int, confidence: float) -> float:
    """Return the expected width of the interval if the first `total` works of the draw are read.

    Parameters
    ----------
    sizes : works of each stratum.
    rates : expected share of each stratum that is critical and listed.
    """
    read = Counter(reading_order(sizes, total))
    low, high = interval([Stratum(sizes[key], read[key], read[key] * rates[key]) for key in sizes], confidence)
    return high - low


def works_for(sizes: Mapping[Key, int], rates: Mapping[Key, float], width: float, confidence: float) -> int:
    """Return how many works of the draw must be read for an interval of at most `width`; at most all works."""
    every = sum(sizes.values())
    few, enough = 0, min(_FIRST_GUESS, every)
    while enough < every and planned_width(sizes, rates, enough, confidence) > width:
        few, enough = enough, min(2 * enough, every)  # a long order of reading takes long to compute
    while enough - few > 1:
        middle = (few + enough) // 2
        if planned_width(sizes, rates, middle, confidence) <= width:
            enough = middle
        else:
            few = middle
    return enough


def planned_rates(sizes: Mapping[Key, int]) -> dict[Key, float]:
    """Return the rates to plan with before any work was read (`PLANNED`)."""
    return {key: PLANNED[key[0], key[1]] for key in sizes}
