"""An event in one pair against the rest of a panel: brute force, and placebo dates where nothing happened."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from copub.measures.panelevents import (
    LEAST_PLACEBOS,
    Counts,
    against_placebos,
    difference_in_differences,
    placebo_dates,
)

from .panelworlds import row_of
from .test_frames import same
from .test_panel import NUMBER, measured, of_pairs


def test_the_difference_is_the_change_of_the_pair_minus_that_of_the_rest() -> None:
    values, variances = difference_in_differences(Counts(10, 100, 30, 100, 50, 1000, 60, 1000))
    assert values[0] == pytest.approx(0.2 - 0.01)
    parts = [(10, 100), (30, 100), (50, 1000), (60, 1000)]
    wanted = sum((k + 0.5) / (n + 1) * (1 - (k + 0.5) / (n + 1)) / n for k, n in parts)
    assert variances[0] == pytest.approx(wanted)


def test_without_works_in_a_window_or_with_few_placebo_dates_there_is_no_interval() -> None:
    event = Counts(10, 100, 30, 100, 50, 1000, 60, 1000)
    few = Counts(*np.tile(np.array([[10], [100], [10], [100], [50], [1000], [50], [1000]]), LEAST_PLACEBOS - 1))
    found = against_placebos(event, few, 0.95)
    assert found.difference == pytest.approx(0.19) and np.isnan(found.low)
    assert found.placebo_dates == LEAST_PLACEBOS - 1
    empty = against_placebos(Counts(0, 0, 30, 100, 50, 1000, 60, 1000), few, 0.95)
    assert np.isnan(empty.difference)


def test_the_events_of_a_panel_equal_a_count_work_by_work() -> None:
    asked, corpus, tables = measured(NUMBER)
    works = of_pairs(asked, corpus)
    flags = {row["work_id"]: row for row in tables["copublications"].iter_rows(named=True)}
    day, last = date(2012, 6, 1), date(2015, 6, 1)

    def counts(rows: list[dict[str, Any]]) -> tuple[int, int, int, int]:
        dated = [row for row in rows if row["publication_date"] and row["publication_date"] != date(2012, 1, 1)]
        before = [row for row in dated if date(2009, 6, 1) <= row["publication_date"] < day]
        after = [row for row in dated if day <= row["publication_date"] < last]
        return sum(r["is_critical"] for r in before), len(before), sum(r["is_critical"] for r in after), len(after)

    for key in ("AT-CN", "BE-CN", "SK-CN"):
        own = set(works[key]["work_id"])
        found = row_of(tables["panel_events"], pair=key, measure="critical", date="2012-06")
        k0, n0, k1, n1 = counts([row for one, row in flags.items() if one in own])
        rest = counts([row for one, row in flags.items() if one not in own])
        assert [found[f"{name}_{what}"] for name in ("before", "after") for what in ("count", "works")] == [
            k0,
            n0,
            k1,
            n1,
        ]
        names = [f"rest_{name}_{what}" for name in ("before", "after") for what in ("count", "works")]
        assert tuple(found[name] for name in names) == rest
        if n0 and n1:
            assert same(found["difference"], (k1 / n1 - k0 / n0) - (rest[2] / rest[3] - rest[0] / rest[1]))


def test_placebo_dates_are_whole_years_before_and_end_before_the_event() -> None:
    asked, _, tables = measured(NUMBER)
    dates = placebo_dates(asked.study, date(2012, 6, 1))
    assert dates == [date(year, 6, 1) for year in range(2009, 2002, -1)]
    assert tables["panel_events"].filter(pl.col("placebo_dates") > len(dates), date="2012-06").is_empty()
    assert placebo_dates(asked.study, date(2004, 1, 1)) == []


def drawn(draw: np.random.Generator, scatter: float, effect: float = 0.0) -> tuple[Counts, Counts]:
    """Draw 24 years of a pair and of the rest whose shares scatter from year to year, an effect in the last three."""
    logits = np.log(0.1 / 0.9) + scatter * draw.standard_normal((2, 24)) + 0.3 * draw.standard_normal(24)
    logits[0, 21:] += effect
    of = np.array([300, 6000])[:, None] * np.linspace(0.5, 1.5, 24)
    found = draw.binomial(of.astype(int), 1 / (1 + np.exp(-logits)))

    def counts(year: int) -> list[float]:
        return [
            table[side, span].sum()
            for side in (0, 1)
            for span in (slice(year - 3, year), slice(year, year + 3))
            for table in (found, of.astype(int))
        ]

    placebos = np.array([counts(year) for year in range(3, 19)], dtype=float).T
    return Counts(*counts(21)), Counts(*placebos)


@pytest.mark.parametrize("scatter", [0.0, 0.1, 0.3])
def test_at_a_date_where_nothing_happened_the_interval_leaves_out_0_in_5_of_100_panels(scatter: float) -> None:
    draw, rounds = np.random.default_rng(5), 1500
    rejected = binomial = 0
    for _ in range(rounds):
        event, placebos = drawn(draw, scatter)
        found = against_placebos(event, placebos, 0.95)
        rejected += not found.low <= 0 <= found.high
        (value,), (variance,) = difference_in_differences(event)
        binomial += abs(value) > 1.96 * np.sqrt(variance)
    assert rejected / rounds <= 0.06
    if scatter >= 0.3:
        assert binomial / rounds > 0.2  # what it would be without the placebo dates


def test_an_effect_is_found() -> None:
    draw = np.random.default_rng(6)
    found = [against_placebos(*drawn(draw, 0.1, effect=1.0), 0.95) for _ in range(200)]
    assert sum(one.low > 0 for one in found) > 180
    assert sum(one.placebo_beyond == 0 for one in found) > 180
