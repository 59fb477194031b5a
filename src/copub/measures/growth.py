"""Growth per year, of each count and of each share.

Counts of years scatter more than chance alone would let them (funding rounds, indexing), so the
fit is a log-linear quasi-Poisson regression, whose interval widens with the scatter found about
the line. A bootstrap over works would see only the chance of single works. Source: P. McCullagh,
J. A. Nelder (1989), Generalized Linear Models, chapters 6 and 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from copub.intervals import DIGITS
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]

LEAST_YEARS = 4
STEPS = 100
TOLERANCE = 1e-12


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
        kinds: list[tuple[str, Array | None]] = [("count", None)]
        if measure != "copublications":
            kinds.append(("relative to all co-publications", total))
        for kind, exposure in kinds:
            rows.append(
                {
                    "measure": measure,
                    "kind": kind,
                    "year_from": int(years[0]) if years.size else None,
                    "year_to": int(years[-1]) if years.size else None,
                    "works": float(counts.sum()),
                    **_fit_or_nothing(study, years, counts, exposure),
                }
            )
    frame = pl.DataFrame(rows, schema=TABLES["growth"].schema)
    return conform("growth", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _fit_or_nothing(study: Study, years: Array, counts: Array, exposure: Array | None) -> dict[str, Any]:
    small = {"is_small": bool(counts.sum() < study.small_rate)}
    if years.size < LEAST_YEARS or np.count_nonzero(counts) < 2:
        return {"growth": None, "ci_low": None, "ci_high": None, "dispersion": None, **small}
    rate, low, high, dispersion = log_linear(years, counts, exposure, study.confidence)
    return {"growth": rate, "ci_low": low, "ci_high": high, "dispersion": dispersion, **small}


def log_linear(
    years: Array, counts: Array, exposure: Array | None, confidence: float
) -> tuple[float, float, float, float]:
    """Fit counts ~ exposure x exp(a + b year); return exp(b) - 1, its interval, and the dispersion.

    The dispersion is Pearson's statistic over its degrees of freedom, at least 1; the interval
    is that of b with Student's t, carried through exp.
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
    freedom = years.size - 2
    dispersion = max(1.0, float(((counts - mean) ** 2 / mean).sum() / freedom))
    error = np.sqrt(dispersion * np.linalg.inv(x.T @ (mean[:, None] * x))[1, 1])
    reach = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return (
        float(np.expm1(beta[1])),
        float(np.expm1(beta[1] - reach)),
        float(np.expm1(min(beta[1] + reach, 50.0))),
        dispersion,
    )
