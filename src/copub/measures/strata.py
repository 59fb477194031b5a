"""The strata from which works are drawn for reading, and over which their labels are weighted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from copub.names import READING_STRATA

NEAR = (0.2, 0.8)
"""Works with a score between these are strata of their own: there the classifier errs most."""

Key = tuple[bool, bool, bool]


def with_strata(works: pl.DataFrame) -> pl.DataFrame:
    """Return table ``copublications`` with the column is_near, which with both decisions is a work's stratum."""
    return works.with_columns(pl.col("max_score").is_between(*NEAR).fill_null(False).alias("is_near"))


def reading_order(sizes: Mapping[Key, int], total: int) -> list[Key]:
    """Return the stratum of the first work to read, of the second, and so on.

    A stratum is read in proportion to the root of its size: a compromise between shares (in
    proportion) and rare decisions (equal parts). Every stratum has one before another has two, and
    a longer order begins with the shorter one, so readers may stop anywhere. Source: M. D. Bankier
    (1988), Power allocations, The American Statistician 42; rounded by the divisors of Adams.
    """
    taken, order = dict.fromkeys(sizes, 0), list[Key]()
    for _ in range(min(total, sum(sizes.values()))):
        open_ = [key for key in sorted(sizes) if taken[key] < sizes[key]]
        # size / n squared orders as its root / n does, and exactly
        order.append(max(open_, key=lambda key: (not taken[key], Fraction(sizes[key], max(taken[key], 1) ** 2))))
        taken[order[-1]] += 1
    return order


def allocate(sizes: Mapping[Key, int], total: int) -> dict[Key, int]:
    """Return how many works of each stratum are read if `total` works are (`reading_order`)."""
    return dict.fromkeys(sizes, 0) | Counter(reading_order(sizes, total))


def sizes_of_strata(works: pl.DataFrame) -> dict[Key, int]:
    """Return the number of works of each stratum of table ``copublications``."""
    counted = with_strata(works).group_by(READING_STRATA).len().sort(READING_STRATA)
    return {(a, b, c): count for a, b, c, count in counted.iter_rows()}
