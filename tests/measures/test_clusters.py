"""Works that share authors: who is in a group with whom, and the variance of a share of groups, computed anew."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from copub.measures.clusters import AUTHOR, author_groups, clustered


def groups(*rows: tuple[str, str | None, str | None]) -> list[set[str]]:
    """Return the groups of works, given work, id and name of authors in the order of the author list."""
    frame = pl.DataFrame(rows, schema=["work_id", "author_id", "author_name"], orient="row")
    authors = frame.with_row_index("author_seq").select("work_id", "author_seq", AUTHOR)
    made = author_groups(frame.select("work_id").unique().sort("work_id"), authors)
    return [set(works) for works in made.group_by("group").agg("work_id").sort(pl.col("work_id").list.min())["work_id"]]


def test_a_work_belongs_to_its_author_with_the_most_works() -> None:
    rows = [
        ("W1", "A1", "x"),
        ("W1", "A2", "y"),
        ("W2", "A2", "y"),
        ("W3", "A2", "y"),
        ("W3", "A3", "z"),
        ("W4", "A3", "z"),
    ]
    assert groups(*rows) == [{"W1", "W2", "W3"}, {"W4"}]


def test_authors_without_an_id_are_known_by_name_and_works_of_nobody_else_stand_alone() -> None:
    found = groups(("W1", None, "Ann Example"), ("W2", None, "Ann Example"), ("W3", "A1", "Bob"), ("W4", None, None))
    assert found == [{"W1", "W2"}, {"W3"}, {"W4"}]


def test_the_design_effect_is_the_linearised_variance_of_a_share_of_groups() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 7, 400)
    group = np.repeat(np.arange(400), sizes)
    has = rng.random(group.size) < np.repeat(rng.beta(0.6, 1.4, 400), sizes)
    found = clustered(pl.Series(has), pl.Series(group.astype(str)), 0.95)
    share = has.mean()
    residuals = np.bincount(group, has - share)
    variance = (residuals**2).sum() / group.size**2
    assert found.design_effect == pytest.approx(variance / (share * (1 - share) / group.size), rel=0.1)
    assert found.low == pytest.approx(share - 1.96 * np.sqrt(variance), abs=0.006)
    assert found.high == pytest.approx(share + 1.96 * np.sqrt(variance), abs=0.006)
    assert found.groups == 400


def test_works_of_different_people_have_no_design_effect() -> None:
    has = pl.Series([at % 5 == 0 for at in range(500)])
    assert clustered(has, pl.Series([f"W{at}" for at in range(500)]), 0.95).design_effect == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("has", [[], [True, True], [False, False, False]])
def test_groups_drawn_again_say_nothing_of_a_share_of_none_or_all(has: list[bool]) -> None:
    found = clustered(pl.Series(has, dtype=pl.Boolean), pl.Series([str(at) for at in range(len(has))]), 0.95)
    assert (found.low, found.high, found.design_effect) == (None, None, None)
