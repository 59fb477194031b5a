"""One switch at a time: each row differs from the study in one choice only."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from copub.measures.pairedchanges import Headline, paired_change
from copub.measures.sensitivity import SWITCHES

from . import brute
from .worlds import ENTITIES, LIMITS, made_world, measured, seeds

BASE = {
    "taxonomy": "tax-one", "operating_point": "balanced", "watchlist": "list-one", "risk_floor": "high and above",
    "medical": "with", "children": "with", "tiers": "identifier+lineage+name", "counting": "full", "author_cap": "none",
    "types": "as the study", "hk_mo": "with", "dual_affiliated": "with", "duplicates": "with", "repairs": "without",
}  # fmt: skip


@pytest.mark.slow
@LIMITS
@given(seeds)
def test_each_row_is_the_headline_with_that_one_choice(seed: int) -> None:
    columns = {name: column for column, name in SWITCHES.items()}
    for row in measured(seed)["sensitivity"].filter(pl.col("switch").is_in(list(columns))).iter_rows(named=True):
        spec = BASE | {columns[row["switch"]]: row["setting"]}
        wanted = brute.specification(made_world(seed)[0], spec, ENTITIES, {})
        assert (row["numerator"], row["denominator"]) == pytest.approx(wanted, abs=1e-8), row


@LIMITS
@given(seeds)
def test_each_row_is_a_paired_change_of_the_same_works(seed: int) -> None:
    columns = {name: column for column, name in SWITCHES.items()}
    world = made_world(seed)[0]
    own = brute.specification_of_works(world, BASE, ENTITIES, {})
    for row in measured(seed)["sensitivity"].filter(pl.col("switch").is_in(list(columns))).iter_rows(named=True):
        other = brute.specification_of_works(world, BASE | {columns[row["switch"]]: row["setting"]}, ENTITIES, {})
        counted, now = ({w for w, (x, _) in brought.items() if x > 0} for brought in (own, other))
        assert (row["gained"], row["lost"]) == (len(now - counted), len(counted - now)), row
        assert (row["entered"], row["left"]) == (len(set(other) - set(own)), len(set(own) - set(other)))
        sums = [(sum(x for x, _ in b.values()), sum(w for _, w in b.values())) for b in (own, other)]
        if not all(w for _, w in sums):
            assert row["difference"] is None
            continue
        parts = [
            sum(
                sign * (brought.get(work, (0, 0))[0] - x / w * brought.get(work, (0, 0))[1]) / w
                for sign, brought, (x, w) in zip((-1, 1), (own, other), sums, strict=True)
            )
            for work in set(own) | set(other)
        ]
        difference, reach = sums[1][0] / sums[1][1] - sums[0][0] / sums[0][1], 1.959963984540054 * math.hypot(*parts)
        assert (row["difference"], row["difference_low"], row["difference_high"]) == pytest.approx(
            (difference, difference - reach, difference + reach), abs=1e-8
        )


def test_a_switch_that_changes_no_work_changes_nothing_however_wide_both_intervals_are() -> None:
    share = Headline(np.array([True, False, False, True]), np.ones(4))
    same = paired_change(share, share, 0.95)
    assert (same["difference"], same["difference_low"], same["difference_high"]) == (0.0, 0.0, 0.0)


def test_settings_that_are_not_equally_defensible_are_marked() -> None:
    table = measured(3, 40)["sensitivity"]
    marked = set(table.filter(~pl.col("is_defensible")).select("switch", "setting").iter_rows())
    assert marked == {
        ("types", "articles only"), ("tiers", "identifier"), ("tiers", "identifier+lineage"),
    }  # fmt: skip
    grid = measured(3, 40)["specifications"]
    left_out = grid.filter(~pl.col("is_defensible"))
    reported = (pl.col("types") == "articles only") | (pl.col("tiers") != "identifier+lineage+name")
    assert left_out.equals(grid.filter(reported)) and left_out.height < grid.height


@LIMITS
@given(seeds)
def test_the_base_is_the_study_and_differences_are_from_it(seed: int) -> None:
    tables = measured(seed)
    table = tables["sensitivity"]
    own = tables["shares"].filter(measure="critical_listed", slice_kind="all", counting="full")["share"][0]
    base = table.filter(switch="base")
    assert base["share"].to_list() == [own]
    for row in table.drop_nulls("share").iter_rows(named=True):
        assert row["difference"] == (None if own is None else pytest.approx(row["share"] - own))


def test_every_switch_with_a_choice_has_its_rows() -> None:
    table = measured(3, 40)["sensitivity"]
    found = dict(table.group_by("switch").len().iter_rows())
    assert found["levels"] == 4 and found["counting"] == 2 and found["author cap"] == 2 and found["watchlist"] == 1
    assert found["taxonomy"] == 1 and found["types"] == 3 and found["medical units"] == 1 and found["links"] == 1
    assert not table.is_duplicated().any()
