"""Run assertions name every figure that is out of bounds, with bound and value."""

from __future__ import annotations

import polars as pl
import pytest

from copub.errors import AssertionFailedError
from copub.measures.bounds import FIGURES, check_bounds
from copub.study import BOUNDED

from .worlds import measured, study


def tables_of(size: int) -> dict[str, pl.DataFrame]:
    return measured(3, size)


def test_every_figure_that_a_study_may_bound_is_known_here() -> None:
    assert tuple(FIGURES) == BOUNDED


def test_figures_within_their_bounds_pass() -> None:
    tables = tables_of(30)
    count = tables["copublications"].height
    within = {"copublications": (count, count), "listed_share": (0, 1), "works": (0, 1000)}
    check_bounds(study(bounds=within), tables)
    with pytest.raises(AssertionFailedError):  # the same bounds, one work off
        check_bounds(study(bounds=within | {"copublications": (count + 1, count + 1)}), tables)


def test_all_breaches_are_named_with_bound_and_value() -> None:
    tables = tables_of(30)
    count = tables["copublications"].height
    assert count
    with pytest.raises(AssertionFailedError) as error:
        check_bounds(
            study(bounds={"copublications": (900, 1000), "critical_share": (0.99, 1), "works": (0, 1000)}), tables
        )
    assert error.value.exit_code == 4
    assert f"copublications is {count}, outside the bounds [900, 1000]" in str(error.value)
    assert "critical_share is" in str(error.value) and "works is" not in str(error.value)


def test_a_share_over_no_works_is_a_breach_and_not_a_zero() -> None:
    with pytest.raises(AssertionFailedError, match="listed_share cannot be computed"):
        check_bounds(study(bounds={"listed_share": (0, 1)}), tables_of(0))
