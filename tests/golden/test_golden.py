"""The classifier's scores and the holders of the watchlists are those of the frozen tables.

A difference means that every share of every study may differ. If it is meant, write the tables with `make golden`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from . import tables
from .tables import DIGITS, HOLDERS, SCORES

HINT = "if this change is meant: make golden, then read and commit the difference"
HIDDEN = 0.05 - 10**-DIGITS
"""The highest score that is not shown: a missing row may have it."""


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    return tables.scores()


def frozen(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema_overrides={"valid_from": pl.String, "valid_to": pl.String, "score": pl.Float64})


def test_the_scores_of_200_synthetic_works_are_the_frozen_ones(scores: pl.DataFrame) -> None:
    wanted = frozen(SCORES)
    key = ["work_id", "taxonomy", "area"]
    both = wanted.join(scores, on=key, how="full", coalesce=True, suffix="_now").sort(key)
    # A score on the edge of rounding may fall on either side of it, on another processor.
    units = [(pl.col(name).fill_null(HIDDEN) * 10**DIGITS).round() for name in ("score", "score_now")]
    odd = both.filter((units[0] - units[1]).abs() > 1)
    assert odd.is_empty(), f"{odd.height} of {both.height} rows differ, first {odd.rows()[:3]}; {HINT}"


def test_the_frozen_scores_cover_every_taxonomy_and_works_with_and_without_abstract(scores: pl.DataFrame) -> None:
    works = tables.works()
    assert works.height == works["work_id"].n_unique() == 200
    assert 20 < works["abstract"].null_count() < works.height - 20
    assert 0 < works["topics"].null_count() < works.height
    assert set(scores["taxonomy"]) == set(tables.shipped_names(tables.TAXONOMIES))


def test_who_holds_which_list_by_which_descent_is_the_frozen_table() -> None:
    now, wanted = tables.holders(), frozen(HOLDERS)
    gone, come = (
        one.join(other, on=one.columns, how="anti", nulls_equal=True) for one, other in ((wanted, now), (now, wanted))
    )
    assert gone.is_empty() and come.is_empty(), f"gone: {gone.rows()[:5]}, new: {come.rows()[:5]}; {HINT}"
    assert now.height == wanted.height
