"""Does the interval of growth hold? Simulated series of years whose scatter is autocorrelated, with known growth.

Counts are Poisson about a line of 5 % growth a year, times a log-normal scatter that follows itself at first order.
Printed: in how many of the series the 95 % interval holds the truth, and how wide it is in points of per cent a year.

    python benchmarks/coverage_of_growth.py [--series 2000]
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from copub.measures.growth import log_linear

CONFIDENCE, GROWTH = 0.95, 0.05
YEARS = (10, 15, 24)
AUTOCORRELATIONS = (0.0, 0.4, 0.7)
CASES = ((1_832, 0.15), (20_000, 0.15), (1_832, 0.4), (60, 0.15))
"""Works over all years, and standard deviation of the scatter (in logs)."""
LEAST = 0.93


def coverage(years: int, autocorrelation: float, works: int, scatter: float, series: int) -> tuple[float, float]:
    """Return the share of series whose interval holds the true growth, and the median width of the interval."""
    rng, at = np.random.default_rng(years), np.arange(float(years))
    line = np.exp(np.log1p(GROWTH) * at)
    line *= works / line.sum()
    held, widths = 0, []
    for _ in range(series):
        shocks = rng.standard_normal(years)
        for year in range(1, years):
            shocks[year] = autocorrelation * shocks[year - 1] + np.sqrt(1 - autocorrelation**2) * shocks[year]
        counts = rng.poisson(line * np.exp(scatter * shocks)).astype(float)
        found = log_linear(at, counts, None, CONFIDENCE)
        held += found.ci_low <= GROWTH <= found.ci_high
        widths.append(found.ci_high - found.ci_low)
    return held / series, float(np.median(widths))


def main(arguments: list[str]) -> int:
    """Print the table; exit code 1 if an interval covers less than 93 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=2_000)
    options = parser.parse_args(arguments)
    heads = " | ".join(f"autocorrelation {r} | width" for r in AUTOCORRELATIONS)
    print(f"| years | works | scatter | {heads} |\n|{'---|' * (3 + 2 * len(AUTOCORRELATIONS))}")
    least = 1.0
    for works, scatter in CASES:
        for years in YEARS:
            found = [coverage(years, r, works, scatter, options.series) for r in AUTOCORRELATIONS]
            least = min(least, *(held for held, _ in found))
            cells = " | ".join(f"{100 * held:.1f} % | {100 * width:.1f}" for held, width in found)
            print(f"| {years} | {works:,} | {scatter} | {cells} |", flush=True)
    print(f"least coverage {100 * least:.1f} %")
    return int(least < LEAST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
