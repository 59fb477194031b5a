"""Differences between many shares at once, and the ranks that they leave possible.

The interval of a difference is Newcombe's, squared and added (method 10 of R. G. Newcombe 1998, Statistics in
Medicine 17, 873-890; with the correlation by works that two shares have in common: G. Y. Zou, A. Donner 2008,
Statistics in Medicine 27, 1693-1702), from the exact ends of both shares (Clopper, Pearson 1934, Biometrika 26) in
place of Wilson's: far out, where many comparisons at once lie, Wilson's lower end of a count of 1 to 3 is too high.
Each of m intervals has confidence 1 - (1 - confidence) / m (Bonferroni), so that all hold together. Ranks from
differences: M. Mogstad, J. P. Romano, A. M. Shaikh, D. Wilhelm (2024), Review of Economic Studies 91, 476-518; joint
regions of ranks: M. Klein, T. Wright, J. Wieczorek (2020), Journal of the Royal Statistical Society A 183, 589-606.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

Array = NDArray[np.float64]


class Ends(NamedTuple):
    """Lower and upper ends of intervals, elementwise."""

    low: Array
    high: Array


class Ranks(NamedTuple):
    """Ranks (1 = the largest share) and the smallest and largest that the data leave possible; NaN without works."""

    rank: Array
    low: Array
    high: Array


def exact_ends(share: ArrayLike, trials: ArrayLike, confidence: float) -> Ends:
    """Return the exact (Clopper-Pearson) ends of shares over so many, perhaps effective, works; NaN without works."""
    p, n = np.asarray(share, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    k, tail = p * n, (1 - confidence) / 2
    known = n > 0
    some, lacking = known & (k > 0), known & (k < n)
    low = np.where(known, 0.0, np.nan)
    high = np.where(known, 1.0, np.nan)
    low[some] = betaincinv(k[some], (n - k + 1)[some], tail)
    high[lacking] = betaincinv((k + 1)[lacking], (n - k)[lacking], 1 - tail)
    return Ends(np.minimum(low, p), np.maximum(high, p))


def difference_ends(
    share: Array, ends: Ends, other: Array, other_ends: Ends, correlation: ArrayLike = 0.0
) -> tuple[Array, Ends]:
    """Return share - other with the ends of its interval; arguments as numpy broadcasts them.

    Parameters
    ----------
    correlation : of the two shares, 0 where they have no work in common.
    """
    difference = share - other
    rho = np.asarray(correlation)
    below, above = share - ends.low, ends.high - share
    other_below, other_above = other - other_ends.low, other_ends.high - other
    down = np.sqrt(np.maximum(below**2 - 2 * rho * below * other_above + other_above**2, 0))
    up = np.sqrt(np.maximum(above**2 - 2 * rho * above * other_below + other_below**2, 0))
    return difference, Ends(np.maximum(difference - down, -1), np.minimum(difference + up, 1))


def correlation(products: Array, variances: Array, in_common: Array, squares: Array) -> Array:
    """Return the correlation of two shares by the works that they have in common, elementwise.

    It is at least 0 and never above the part of the works that both have; 0 where a share has no works.

    Parameters
    ----------
    products : sum of w v (x - p) (y - q) over the works in common, with the weights w, v, the properties x, y (0 or 1)
        and the shares p, q.
    variances : the sum of w^2 (x - p)^2 over the works of the one, times that of the other.
    in_common : sum of w v over the works in common.
    squares : the sum of w^2 over the works of the one, times that of the other.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found, most = np.nan_to_num(products / np.sqrt(variances)), np.nan_to_num(in_common / np.sqrt(squares))
    return np.asarray(np.clip(found, 0, np.minimum(most, 1)))


def pairwise(number: int) -> int:
    """Return how many differences there are between so many shares."""
    return number * (number - 1) // 2


def at_once(confidence: float, comparisons: int) -> float:
    """Return the confidence of each of so many intervals that hold together with `confidence`."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def ranks(share: Array, trials: Array, correlation: Array, confidence: float) -> Ranks:
    """Return the rank of each share, with the ranks that the differences between all of them leave possible.

    The true ranks of all shares are between these ends at once with at least `confidence`: a share is below
    another only where the interval of their difference says so, at the confidence of all these intervals together.

    Parameters
    ----------
    share, trials : of each pair; trials may be an effective number, and 0.
    correlation : of each two shares, by the works that they have in common.
    """
    known = trials > 0
    p = np.where(known, share, np.nan)
    ends = exact_ends(p, trials, at_once(confidence, pairwise(int(known.sum()))))
    rows, columns = Ends(ends.low[:, None], ends.high[:, None]), Ends(ends.low[None], ends.high[None])
    _, apart = difference_ends(p[:, None], rows, p[None], columns, correlation)
    with np.errstate(invalid="ignore"):
        larger, above, below = p[None] > p[:, None], apart.high < 0, apart.low > 0
    of = known.sum()
    found = (1 + larger.sum(axis=1), 1 + above.sum(axis=1), of - below.sum(axis=1))
    return Ranks(*(np.where(known, ends_, np.nan) for ends_ in found))
