"""One switch at a time: each row differs from the study in one choice only."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given

from copub.measures.sensitivity import SWITCHES

from . import brute
from .worlds import ENTITIES, LIMITS, made_world, measured, seeds

BASE = {
    "taxonomy": "tax-one", "operating_point": "balanced", "watchlist": "list-one", "risk_floor": "high and above",
    "medical": "with", "children": "with", "tiers": "identifier+lineage+name", "counting": "full", "author_cap": "none",
    "types": "as the study", "hk_mo": "with", "dual_affiliated": "with", "duplicates": "with", "repairs": "without",
}  # fmt: skip


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
    assert found["taxonomy"] == 1 and found["types"] == 2 and found["medical units"] == 1 and found["links"] == 1
    assert not table.is_duplicated().any()
