"""Growth per year, of each count and of each share: the one estimator of growth.

Counts of years scatter more than chance alone would let them (funding rounds, indexing), and a good
year follows a good year. So the fit is a log-linear quasi-Poisson regression, whose standard error
widens with the scatter about the line and with the autocorrelation of that scatter. Sources:
P. McCullagh, J. A. Nelder (1989), Generalized Linear Models, chapters 6 and 9; G. E. P. Box,
G. M. Jenkins (1976), Time Series Analysis, for first-order autocorrelation; N. P. A. van Giersbergen
(2005), The effect of deterministic terms on the bias in stable AR models, Economics Letters 89.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

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
"""With fewer years the autocorrelation of the scatter cannot be distinguished from its bias."""
STEPS = 100
TOLERANCE = 1e-12
STRONGEST = 0.9
"""Autocorrelation is taken to be no stronger: near 1 a line is no description of the years."""
LEAST_FREEDOM = 2.0


class Growth(NamedTuple):
    """Growth per year with its interval, the scatter about the line, and the autocorrelation of that scatter."""

    growth: float
    ci_low: float
    ci_high: float
    dispersion: float
    autocorrelation: float


def growth(study: Study, trends: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``growth``: the growth of each measure, and of its share of all co-publications.

    Parameters
    ----------
    trends : table ``trends``. Recent years (indexing not complete) and years without any
        co-publication are left out of the fit.
    """
    full = trends.filter(counting="full").filter(~pl.col("is_recent"))
    totals = full.filter(measure="copublications").select("year", pl.col("count").alias("total"))
    rows = []
    for (measure,), part in full.group_by("measure", maintain_order=True):
        used = part.join(totals.filter(pl.col("total") > 0), on="year").sort("year")
        years, counts, total = (used[c].to_numpy().astype(np.float64) for c in ("year", "count", "total"))
        for kind in (kind for name, kind in KINDS_OF_GROWTH if name == measure):
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

    The dispersion is Pearson's statistic over its degrees of freedom, at least 1. The variance of b is
    multiplied by (1 + r) / (1 - r), r the autocorrelation of Pearson's residuals at one year, corrected
    for the bias that fitting a line gives it, and never taken as negative. The interval is that of b
    with Student's t at as many independent years as the autocorrelation leaves, carried through exp.
    """
    x = np.column_stack([np.ones_like(years), years - years.mean()])
    offset = np.log(exposure) if exposure is not None else np.zeros_like(years)
    beta = np.array([np.log(counts.sum() / np.exp(offset).sum()), 0.0])
    for _ in range(STEPS):
        mean = np.exp(x @ beta + offset)
        step = np.linalg.solve(x.T @ (mean[:, None] * x), x.T @ (counts - mean))
        # Half steps keep the first jumps of steep series from running away.
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < TOLERANCE:
            break
    mean = np.exp(x @ beta + offset)
    residuals = (counts - mean) / np.sqrt(mean)
    dispersion = max(1.0, float((residuals**2).sum() / (years.size - 2)))
    r = autocorrelation(residuals)
    independent = years.size * (1 - r) / (1 + r)
    error = np.sqrt(dispersion * (1 + r) / (1 - r) * np.linalg.inv(x.T @ (mean[:, None] * x))[1, 1])
    reach = float(stdtrit(max(independent - 2, LEAST_FREEDOM), 0.5 + confidence / 2)) * error
    return Growth(
        float(np.expm1(beta[1])),
        float(np.expm1(beta[1] - reach)),
        float(np.expm1(min(beta[1] + reach, 50.0))),
        dispersion,
        r,
    )


def autocorrelation(residuals: Array) -> float:
    """Return the autocorrelation of residuals about a line at one step, without its bias, from 0 to `STRONGEST`.

    About a fitted line its expectation is r - (2 + 4 r) / n to the first order (van Giersbergen 2005).
    """
    squares = float((residuals**2).sum())
    found = float((residuals[1:] * residuals[:-1]).sum()) / squares if squares > 1e-12 else 0.0
    n = residuals.size
    return float(min(max((found + 2 / n) / (1 - 4 / n), 0.0), STRONGEST)) if squares > 1e-12 else 0.0
