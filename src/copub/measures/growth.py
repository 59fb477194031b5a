"""Growth per year, of each count and of each share: the one estimator of growth.

Counts of years scatter more than chance alone would let them (funding rounds, indexing), and a good
year follows a good year. So a count is Poisson about a log-linear line that each year's scatter multiplies,
and that scatter is autocorrelated at first order. A dozen years hardly tell how strong scatter and autocorrelation
are: the interval is a mean over all that the series leaves possible, not that of one estimate. Sources:
S. L. Zeger (1988), A regression model for time series of counts, Biometrika 75, 621-629 (the variance);
D. A. Harville (1974), Bayesian inference for variance components using only error contrasts, Biometrika 61, 383-385
(the likelihood of scatter and autocorrelation); A. Gelman (2006), Bayesian Analysis 1, 515-534 (prior of the scatter).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from copub.intervals import DIGITS
from copub.measures.trends import TRENDS
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]

ABSOLUTE, RELATIVE = "count", "relative to all co-publications"
KINDS_OF_GROWTH = tuple(
    (measure, kind) for measure in TRENDS for kind in (ABSOLUTE, RELATIVE) if (measure, kind) != (TRENDS[0], RELATIVE)
)
"""What the growth is of: of each measure, and of its share of all co-publications."""

LEAST_YEARS = 6
"""With fewer years nothing tells a trend from scatter."""
STEPS = 100
TOLERANCE = 1e-12
TINY = 1e-12
"""Least mean of a year: a steep line leaves nothing to its first years."""
_SCATTERS = np.geomspace(0.02, 3.0, 16)
"""Standard deviations of the scatter, in logs of the count."""
_AUTOCORRELATIONS = np.linspace(0.0, 0.95, 8)
SCALE = 0.5
"""Scale of the half-Cauchy prior of the scatter: a year off the line by half is nothing odd, by ten times it is."""
_PRIOR = np.repeat(_SCATTERS / (1 + (_SCATTERS / SCALE) ** 2), _AUTOCORRELATIONS.size)
"""Weight of each pair before the series is seen: half-Cauchy (on a grid of logs) times uniform."""


class Growth(NamedTuple):
    """Growth per year with its interval, and the mean scatter and autocorrelation that the series leaves possible."""

    growth: float
    ci_low: float
    ci_high: float
    scatter: float
    autocorrelation: float


def growth(study: Study, trends: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``growth``: the growth of each measure, and of its share of all co-publications.

    Parameters
    ----------
    trends : table ``trends``. Recent years (indexing not complete) and those before the first co-publication are left
        out. A later year without any is a count of 0; it has no share.
    """
    full = trends.filter(counting="full").filter(~pl.col("is_recent"))
    totals = full.filter(measure="copublications").select("year", pl.col("count").alias("total"))
    some = pl.col("total") > 0
    rows = []
    for (measure,), part in full.group_by("measure", maintain_order=True):
        known = part.join(totals, on="year").sort("year")
        for kind in (kind for name, kind in KINDS_OF_GROWTH if name == measure):
            used = known.filter(some if kind == RELATIVE else some.cum_max())
            years, counts, total = (used[c].to_numpy().astype(np.float64) for c in ("year", "count", "total"))
            exposure = total if kind == RELATIVE else None
            rows.append(
                {
                    "measure": measure,
                    "kind": kind,
                    "year_from": int(years[0]) if years.size else None,
                    "year_to": int(years[-1]) if years.size else None,
                    "works": float(counts.sum()),
                    "is_small": bool(counts.sum() < study.small_rate),
                    **_fit_or_nothing(study, years, counts, exposure),
                }
            )
    frame = pl.DataFrame(rows, schema=TABLES["growth"].schema)
    return conform("growth", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _fit_or_nothing(study: Study, years: Array, counts: Array, exposure: Array | None) -> dict[str, Any]:
    if years.size < LEAST_YEARS or np.count_nonzero(counts) < 2:
        return dict.fromkeys(Growth._fields)
    return log_linear(years, counts, exposure, study.confidence)._asdict()


def log_linear(years: Array, counts: Array, exposure: Array | None, confidence: float) -> Growth:
    """Fit counts ~ exposure x exp(a + b year) and return exp(b) - 1 with its interval.

    Var(y) = mu + s^2 mu^2, and the scatter of two years is correlated by r to the power of their distance. For each s
    and r on a grid, b is that of generalised least squares, one step from the Poisson fit; (s, r) has the weight of its
    restricted likelihood times the prior. Growth is that of the mean of b, the interval that of the mixture.
    """
    x = np.column_stack([np.ones_like(years), years - years.mean()])
    slope, mean = _poisson_fit(x, counts, np.zeros_like(years) if exposure is None else np.log(exposure))
    root = np.sqrt(mean)
    apart = np.abs(np.subtract.outer(years, years))
    alike = root[:, None] * _AUTOCORRELATIONS[:, None, None] ** apart * root
    # a line fitted to Pearson's residuals: their variance is 1 from chance and the rest from scatter
    found = [_line(root[:, None] * x, (counts - mean) / root, *np.linalg.eigh(one)) for one in alike]
    shift, errors, log_likelihood = (np.stack(values, axis=1).ravel() for values in zip(*found, strict=True))
    log_weight = np.log(_PRIOR) + log_likelihood
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    centres = slope + shift
    low, high = (_quantile(weight, centres, errors, 0.5 + side * confidence / 2) for side in (-1, 1))
    pairs = weight.reshape(_SCATTERS.size, _AUTOCORRELATIONS.size)
    return Growth(
        float(np.expm1(weight @ centres)),
        float(np.expm1(low)),
        float(np.expm1(min(high, 50.0))),
        float(pairs.sum(axis=1) @ _SCATTERS),
        float(pairs.sum(axis=0) @ _AUTOCORRELATIONS),
    )


def _line(design: Array, residuals: Array, variances: Array, axes: Array) -> tuple[Array, Array, Array]:
    """Return the slope of a line with its standard error, and the restricted log-likelihood, for each scatter.

    Parameters
    ----------
    variances, axes : eigenvalues and eigenvectors of the variance that a scatter of 1 adds. One decomposition serves
        every scatter: along these axes the residuals do not depend on each other.
    """
    spread = 1 + _SCATTERS[:, None] ** 2 * variances.clip(min=0)
    x, y = axes.T @ design, axes.T @ residuals
    solved = x / spread[:, :, None]
    information = x.T @ solved
    score = y @ solved
    shift = np.linalg.solve(information, score[:, :, None])[:, :, 0]
    unexplained = (y**2 / spread).sum(axis=1) - (score * shift).sum(axis=1)
    constant = np.log(spread).sum(axis=1) + np.linalg.slogdet(information)[1]
    return shift[:, 1], np.sqrt(np.linalg.inv(information)[:, 1, 1]), -0.5 * (constant + unexplained)


def _poisson_fit(x: Array, counts: Array, offset: Array) -> tuple[float, Array]:
    """Return the slope of the log-linear Poisson regression, and its means."""
    beta = np.array([np.log(counts.sum() / np.exp(offset).sum()), 0.0])
    for _ in range(STEPS):
        mean = np.exp(x @ beta + offset)
        step = np.linalg.solve(x.T @ (mean[:, None] * x), x.T @ (counts - mean))
        # Half steps keep the first jumps of steep series from running away.
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < TOLERANCE:
            break
    return float(beta[1]), np.maximum(np.exp(x @ beta + offset), TINY)


def _quantile(weight: Array, centres: Array, errors: Array, part: float) -> float:
    """Return a quantile of a mixture of normal distributions."""
    ends = (float((centres - 9 * errors).min()), float((centres + 9 * errors).max()))
    return float(brentq(lambda at: float(weight @ ndtr((at - centres) / errors)) - part, *ends, xtol=1e-13))
