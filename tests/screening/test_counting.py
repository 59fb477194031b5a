"""Which hit counts is one rule: reasons carried by hits give the same answer under any other settings."""

from __future__ import annotations

import datetime
from itertools import combinations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copub.screening.counting import REASONS, TIERS, CountingRule, with_reasons, with_rejected

DAYS = pl.DataFrame(
    {"work_id": ["W1", "W2"], "publication_date": [datetime.date(2019, 5, 1), None], "publication_year": [2019, None]}
)
HITS = pl.Schema(
    {
        "work_id": pl.String, "tier": pl.String, "is_medical": pl.Boolean, "entity_country": pl.String,
        "via_entity": pl.String, "valid_from": pl.String, "valid_to": pl.String,
    }
)  # fmt: skip

hit = st.fixed_dictionaries(
    {
        "work_id": st.sampled_from(["W1", "W2"]),
        "tier": st.sampled_from([*TIERS, "review"]),
        "is_medical": st.booleans(),
        "entity_country": st.sampled_from(["CN", "HK", "RU"]),
        "via_entity": st.sampled_from([None, "below"]),
        "valid_from": st.sampled_from([None, "2010", "2019-06"]),
        "valid_to": st.sampled_from([None, "2018-12-31", "2020-01"]),
    }
)
tier_sets = [tiers for size in (1, 2, 3) for tiers in combinations(TIERS, size)]
rules = st.builds(
    CountingRule,
    tiers=st.sampled_from(tier_sets),
    include_medical=st.booleans(),
    include_descendants=st.booleans(),
    countries=st.sampled_from([None, ("CN",), ("CN", "HK")]),
)


@given(st.lists(hit, max_size=8), rules, rules, st.booleans(), st.integers(0, 2**8))
def test_hits_found_under_one_rule_count_under_another_as_if_found_under_it(
    rows: list[dict[str, object]], one: CountingRule, other: CountingRule, dated: bool, rejected: int
) -> None:
    frame = pl.DataFrame(rows, schema=HITS)
    dates = DAYS if dated else None
    noes = pl.Series([bool(rejected >> place & 1) for place in range(frame.height)], dtype=pl.Boolean)

    def found(rule: CountingRule) -> pl.DataFrame:
        return with_rejected(with_reasons(frame, rule, dates).with_columns(no=noes), pl.col("no"))

    assert found(one).select(other.counts()).to_series().to_list() == found(other)["is_counted"].to_list()


@given(st.lists(hit, max_size=8), rules, st.booleans())
def test_a_hit_counts_exactly_if_no_reason_is_against_it(
    rows: list[dict[str, object]], rule: CountingRule, dated: bool
) -> None:
    found = with_reasons(pl.DataFrame(rows, schema=HITS), rule, DAYS if dated else None)
    for row in found.iter_rows(named=True):
        reasons = row["not_counted_because"]
        assert row["is_counted"] == (reasons is None)
        assert reasons is None or (reasons and reasons == [reason for reason in REASONS if reason in reasons])


def test_every_reason_that_applies_is_listed_in_a_stable_order() -> None:
    row = {
        "work_id": "W1", "tier": "lineage", "is_medical": True, "entity_country": "RU", "via_entity": "below",
        "valid_from": "2020", "valid_to": None,
    }  # fmt: skip
    strict = CountingRule(("name",), include_medical=False, include_descendants=False, countries=("CN",))
    found = with_rejected(with_reasons(pl.DataFrame([row], schema=HITS), strict, DAYS), pl.lit(True))
    assert found["not_counted_because"].to_list() == [list(REASONS)]
    assert with_rejected(found, pl.lit(True)).equals(found)
