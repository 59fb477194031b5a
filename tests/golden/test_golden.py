"""The classifier's scores and the holders of the watchlists are those of the frozen tables.

A difference means that every share of every study may differ. If it is meant, write the tables
anew: ``python -m tests.golden.tables --write``.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from . import tables
from .tables import DIGITS, HOLDERS, SCORES, WORKS

HINT = "if this change is meant: python -m tests.golden.tables --write"


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    return tables.scores()


def frozen(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema_overrides={"valid_from": pl.String, "valid_to": pl.String, "score": pl.Float64})


def test_the_scores_of_200_synthetic_works_are_the_frozen_ones(scores: pl.DataFrame) -> None:
    wanted = frozen(SCORES)
    key = ["work_id", "text", "taxonomy", "area"]
    both = wanted.join(scores, on=key, how="full", coalesce=True, suffix="_now")
    # A score on the edge of rounding may fall on either side of it, on another processor.
    differs = (pl.col("score") - pl.col("score_now")).abs() > 1.01 * 10**-DIGITS
    odd = both.filter(differs | pl.col("score").is_null() | pl.col("score_now").is_null())
    assert odd.is_empty(), f"{odd.height} of {wanted.height} rows differ, first {odd.rows()[:3]}; {HINT}"


def test_the_frozen_scores_cover_every_taxonomy_and_works_with_and_without_abstract(scores: pl.DataFrame) -> None:
    given = tables.works().works
    assert given.height == WORKS
    assert 20 < given["abstract"].null_count() < WORKS - 20
    assert scores["taxonomy"].n_unique() == len(tables.shipped_names(tables.TAXONOMIES))


def test_who_holds_which_list_by_which_descent_is_the_frozen_table() -> None:
    now, wanted = tables.holders(), frozen(HOLDERS)
    gone, come = (
        one.join(other, on=one.columns, how="anti", nulls_equal=True) for one, other in ((wanted, now), (now, wanted))
    )
    assert (gone.rows(), come.rows()) == ([], []), HINT
    assert now.height == wanted.height
