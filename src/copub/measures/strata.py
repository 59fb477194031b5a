"""The strata from which works are drawn for reading, and over which their labels are weighted."""

from __future__ import annotations

import polars as pl

NEAR = (0.2, 0.8)
"""Works with a score between these are strata of their own: there the classifier errs most."""


def with_strata(works: pl.DataFrame) -> pl.DataFrame:
    """Return table ``copublications`` with the column is_near, which with both decisions is a work's stratum."""
    return works.with_columns(pl.col("max_score").is_between(*NEAR).fill_null(False).alias("is_near"))
