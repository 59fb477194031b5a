"""Trends, growth and events against plain recomputation and known series."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from copub.intervals import newcombe_difference
from copub.measures.coverage import explained_by_coverage
from copub.measures.events import day_of, events
from copub.measures.growth import growth, log_linear
from copub.measures.trends import last_sure_year, trends
from copub.study import Event

from .worlds import LIMITS, STUDY, made_world, measured, seeds, study


def works_of(seed: int, size: int | None = None) -> pl.DataFrame:
    return measured(seed, size)["copublications"]


@pytest.mark.parametrize(
    ("retrieved", "last"),
    [(date(2026, 11, 21), 2024), (date(2026, 6, 30), 2023), (date(2026, 7, 1), 2024), (date(2025, 1, 1), 2022)],
)
def test_years_that_ended_within_18_months_are_recent(retrieved: date, last: int) -> None:
    assert last_sure_year(retrieved) == last


def test_works_files_mark_no_year_as_recent() -> None:
    assert not trends(STUDY, works_of(3, 40), None)["is_recent"].any()
    assert trends(STUDY, works_of(3, 40), date(2021, 3, 1)).filter("is_recent")["year"].unique().to_list() == [
        2019,
        2020,
    ]


def test_the_index_is_100_in_the_base_year() -> None:
    works = works_of(3, 40)
    table = trends(study(base_year=2017), works, None).filter(measure="copublications", counting="full")
    count = dict(works["publication_year"].value_counts().iter_rows())
    for row in table.iter_rows(named=True):
        assert row["index"] == pytest.approx(100 * count.get(row["year"], 0) / count[2017])


def test_a_change_of_epoch_is_marked_in_the_year_it_shows() -> None:
    works = works_of(3, 40).with_columns(
        epoch=pl.when(pl.col("publication_year") < 2018).then(pl.lit("before")).otherwise(pl.lit("after"))
    )
    table = trends(STUDY, works, None).filter(measure="listed", counting="full")
    assert table.filter("epoch_changes")["year"].to_list() == [2018]
    mixed = works.with_columns(
        epoch=pl.when(pl.col("work_id") == works["work_id"][0]).then(pl.lit("x")).otherwise("epoch")
    )
    year = works["publication_year"][0]
    changed = trends(STUDY, mixed, None).filter(measure="listed", counting="full").filter("epoch_changes")
    assert year in changed["year"].to_list()


def years_of(*counts: tuple[int, int, float]) -> pl.DataFrame:
    """Return works: (year, works, share with institution and abstract)."""
    rows = [
        {"work_id": f"W{year}-{n}", "publication_year": year, "has_institution": n < round(part * count),
         "abstract_status": "full" if n < round(part * count) else "none"}
        for year, count, part in counts
        for n in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_a_fall_that_the_loss_of_coverage_could_explain_says_so() -> None:
    before, after = years_of((2023, 100, 1.0)), years_of((2024, 100, 0.7))
    assert explained_by_coverage("listed", 50, 36, before, after)  # 36 / 0.7 > 50
    assert not explained_by_coverage("listed", 50, 30, before, after)
    assert explained_by_coverage("critical_listed", 50, 25, before, after)  # 25 / 0.49 > 50
    assert not explained_by_coverage("listed", 50, 49, after, before)  # coverage rose
    assert explained_by_coverage("listed", 50, 1, before, years_of((2024, 10, 0.0)))


def test_a_year_that_did_not_fall_has_no_flag() -> None:
    works = works_of(3, 40)
    table = trends(STUDY, works, None).filter(measure="copublications", counting="full").sort("year")
    counts = table["count"].to_list()
    for at, row in enumerate(table.iter_rows(named=True)):
        fell = at > 0 and counts[at] < counts[at - 1]
        assert (row["fall_within_coverage"] is not None) == (fell and row["count"] > 0)


@given(st.floats(-0.3, 0.6), st.integers(5, 30))
def test_growth_of_an_exact_exponential_is_found(rate: float, years: int) -> None:
    at = np.arange(2000.0, 2000 + years)
    found, low, high, dispersion = log_linear(at, 1000 * (1 + rate) ** (at - 2000), None, 0.95)
    assert found == pytest.approx(rate, abs=1e-6)
    assert low <= found <= high and dispersion == 1


@given(st.lists(st.integers(0, 40), min_size=5, max_size=15).filter(lambda c: sum(x > 0 for x in c) > 2))
def test_the_fit_is_the_maximum_of_the_poisson_likelihood(counts: list[int]) -> None:
    at, seen = np.arange(len(counts), dtype=float), np.array(counts, dtype=float)
    x = at - at.mean()

    def loss(b: np.ndarray) -> float:
        return float(np.exp(b[0] + b[1] * x).sum() - (seen * (b[0] + b[1] * x)).sum())

    best = minimize(
        loss, [np.log(seen.mean()), 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}
    )
    found, *_ = log_linear(at, seen, None, 0.95)
    assert found == pytest.approx(np.expm1(best.x[1]), abs=1e-4)


def test_a_share_that_grows_beside_a_shrinking_total_is_growth_relative_to_all() -> None:
    rows = [
        {"measure": m, "counting": "full", "year": year, "count": count, "is_recent": year == 2010}
        for year in range(2000, 2011)
        for m, count in (("copublications", 1000 * 0.9 ** (year - 2000)), ("listed", 100.0))
    ]
    table = growth(STUDY, pl.DataFrame(rows))
    by = {(r["measure"], r["kind"]): r for r in table.iter_rows(named=True)}
    assert by["listed", "count"]["growth"] == pytest.approx(0, abs=1e-8)
    assert by["listed", "relative to all co-publications"]["growth"] == pytest.approx(1 / 0.9 - 1, abs=1e-6)
    assert by["copublications", "count"]["growth"] == pytest.approx(-0.1, abs=1e-6)
    assert by["listed", "count"]["year_to"] == 2009  # the recent year is left out


def test_scatter_about_the_line_widens_the_interval() -> None:
    at = np.arange(2000.0, 2012)
    smooth = np.round(100 * 1.1 ** (at - 2000))
    rough = smooth * np.where(at % 2 == 0, 1.5, 0.5)
    widths = [np.subtract(*log_linear(at, counts, None, 0.95)[2:0:-1]) for counts in (smooth, rough)]
    assert widths[1] > 3 * widths[0]


def test_too_few_years_give_no_growth() -> None:
    tables = trends(study(year_from=2018, year_to=2020), works_of(3, 40), None)
    assert growth(STUDY, tables)["growth"].null_count() == growth(STUDY, tables).height


def test_difference_equals_a_textbook_case() -> None:
    # Newcombe (1998), table II, example (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339
    low, high = newcombe_difference(48, 80, 56, 70, 0.95)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@LIMITS
@given(seeds)
def test_events_compare_the_works_before_with_those_from_the_day_on(seed: int) -> None:
    works = works_of(seed)
    asked = study(events=(Event("2018-06", "a rule"),))
    rows = works.rows(named=True)
    for row in events(asked, works).iter_rows(named=True):
        flag = f"is_{row['measure']}"
        if row["measure"] == "on list-two":
            rows = [w | {flag: "list-two" in w["watchlists"]} for w in works.rows(named=True)]
        unsure = [w for w in rows if w["publication_date"] == date(2018, 1, 1)]
        sure = [w for w in rows if w not in unsure]
        before = [w for w in sure if date(2015, 6, 1) <= w["publication_date"] < date(2018, 6, 1)]
        after = [w for w in sure if date(2018, 6, 1) <= w["publication_date"] < date(2021, 6, 1)]
        assert (row["before_works"], row["after_works"], row["undated"]) == (len(before), len(after), len(unsure))
        assert (row["before_count"], row["after_count"]) == (sum(w[flag] for w in before), sum(w[flag] for w in after))
        if before and after:
            assert row["difference"] == pytest.approx(row["after_share"] - row["before_share"])
            assert row["ci_low"] <= row["difference"] <= row["ci_high"]


def test_an_event_on_1_january_leaves_no_work_out() -> None:
    assert events(study(events=(Event("2018", "a rule"),)), works_of(3, 40))["undated"].sum() == 0


@pytest.mark.parametrize(
    ("text", "day"), [("2024", (2024, 1, 1)), ("2024-02", (2024, 2, 1)), ("2024-02-29", (2024, 2, 29))]
)
def test_the_day_of_an_event_is_its_first(text: str, day: tuple[int, int, int]) -> None:
    assert day_of(text) == date(*day)
    assert events(study(events=(Event(text, "x"),)), works_of(3, 5)).height == 5


@LIMITS
@given(seeds)
def test_coverage_counts_what_is_missing_per_year(seed: int) -> None:
    world, tables = made_world(seed)[0], measured(seed)
    table = tables["coverage"].filter(slice_kind="year")
    for row in table.filter(metric="works without abstract").iter_rows(named=True):
        part = [w for w in world if w["excluded_because"] is None and str(w["publication_year"]) == row["slice"]]
        assert (row["count"], row["of"]) == (sum(w["abstract_status"] == "none" for w in part), len(part))
    both = tables["coverage"].filter(slice_kind="publisher and year", metric="works without abstract")
    assert both["of"].sum() == sum(w["publisher"] is not None and w["excluded_because"] is None for w in world)


def years_with(*years: tuple[int, int, int]) -> pl.DataFrame:
    """Make a world of 100 works a year: year, works whose side-B authors all have an institution, listed works."""
    template = works_of(3, 40).head(1)
    parts = [
        pl.concat([template] * 100).with_columns(
            publication_year=pl.lit(year, pl.Int32),
            has_institution=pl.int_range(pl.len()) < known,
            is_listed=pl.int_range(pl.len()) < listed,
            abstract_status=pl.lit("full"),
        )
        for year, known, listed in years
    ]
    return pl.concat(parts)


def test_of_two_equal_falls_only_the_one_that_coverage_could_explain_says_so() -> None:
    # the truth: 40 of 100 works are listed in 2016, 2017 and 2018; in 2017 four in ten lack an institution
    lost = trends(STUDY, years_with((2016, 100, 40), (2017, 60, 24), (2018, 100, 40)), None)
    # the truth: the listed works fell from 40 to 24
    real = trends(STUDY, years_with((2016, 100, 40), (2017, 100, 24), (2018, 100, 40)), None)
    for table, explained in ((lost, True), (real, False)):
        row = table.filter(measure="listed", counting="full", year=2017).row(0, named=True)
        assert row["count"] == 24 and row["fall_within_coverage"] is explained
        assert table.filter(measure="listed", counting="full", year=2018)["fall_within_coverage"].to_list() == [None]
