"""Intervals of shares. Source: Wilson (1927), Journal of the American Statistical Association 22."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

DIGITS = 9
"""Sums of weights are rounded here: the order in which threads add must not show in a table."""


def wilson(
    successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper ends of the Wilson score interval, elementwise.

    `successes` and `trials` may be fractional (effective) numbers. Where `trials` is 0 both
    ends are NaN: nothing is known.
    """
    k, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    z2 = float(ndtri(0.5 + confidence / 2)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (np.maximum(p * (1 - p), 0) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    # The exact ends at 0 and n are 0 and 1; floating point leaves dust there.
    return np.where(k <= 0, np.where(n > 0, 0.0, np.nan), low), np.where(k >= n, np.where(n > 0, 1.0, np.nan), high)


def newcombe_difference(k0: float, n0: float, k1: float, n1: float, confidence: float) -> tuple[float, float]:
    """Return the ends of the interval of k1/n1 - k0/n0; NaN where a denominator is 0.

    Source: R. G. Newcombe (1998), Statistics in Medicine 17, method 10: the Wilson intervals of
    both shares, squared and added.
    """
    if not n0 or not n1:
        return float("nan"), float("nan")
    p0, p1 = k0 / n0, k1 / n1
    (low0, high0), (low1, high1) = (map(float, wilson(k, n, confidence)) for k, n in ((k0, n0), (k1, n1)))
    down = float(np.hypot(p1 - low1, high0 - p0))
    up = float(np.hypot(high1 - p1, p0 - low0))
    return p1 - p0 - down, p1 - p0 + up


def effective_trials(weight_sum: ArrayLike, weight_square_sum: ArrayLike) -> NDArray[np.float64]:
    """Return Kish's effective number of works behind a weighted share: (sum w)^2 / sum w^2.

    Source: L. Kish (1965), Survey Sampling. With equal weights it is the number of works.
    """
    total, squares = np.asarray(weight_sum, dtype=np.float64), np.asarray(weight_square_sum, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(squares > 0, total * total / squares, 0.0)


def with_intervals(frame: pl.DataFrame, confidence: float) -> pl.DataFrame:
    """Add share, ci_low, ci_high to a frame with numerator, denominator and squares (sum of w^2).

    Weighted shares get the Wilson interval at Kish's effective number of works.
    """
    frame = frame.with_columns(pl.col("numerator", "denominator", "squares").round(DIGITS))
    numerator, denominator = frame["numerator"].to_numpy(), frame["denominator"].to_numpy()
    trials = effective_trials(denominator, frame["squares"].to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(denominator > 0, numerator / denominator, np.nan)
    low, high = wilson(share * trials, trials, confidence)
    return frame.with_columns(
        pl.Series("share", share, nan_to_null=True),
        pl.Series("ci_low", low, nan_to_null=True),
        pl.Series("ci_high", high, nan_to_null=True),
    )


def with_wilson(
    frame: pl.DataFrame,
    numerator: str,
    denominator: str,
    confidence: float,
    names: tuple[str, str, str] = ("share", "ci_low", "ci_high"),
) -> pl.DataFrame:
    """Add the share of two columns of counts and its Wilson interval to a frame, under these names."""
    squares = pl.col(denominator).cast(pl.Float64)
    sums = frame.select(numerator=pl.col(numerator).cast(pl.Float64), denominator=squares, squares=squares)
    found = with_intervals(sums, confidence).select("share", "ci_low", "ci_high")
    return frame.with_columns(found.rename(dict(zip(found.columns, names, strict=True))))
