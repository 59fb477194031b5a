"""Trends, growth and events against plain recomputation and known series."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm
from scipy.stats import t as student

from copub.intervals import newcombe_difference
from copub.lists.errorcounts import ErrorCounts, Errors, EvaluationSet
from copub.measures.coverage import explained_by_coverage, found_of_true
from copub.measures.events import Beyond, beyond_trend, day_of, events
from copub.measures.growth import Growth, growth, log_linear
from copub.measures.trends import last_sure_year, periods, state_of, trends
from copub.measures.view import UPDATED
from copub.study import Event

from . import brute
from .worlds import ENTITIES, LIMITS, STUDY, benchmark, made_world, measured, seeds, study

RATES = Errors(  # sensitivities 0.9 with abstract, 0.6 title only; 1.0 resolved, 0.8 unresolved
    (
        EvaluationSet(
            "synthetic",
            {
                "with abstract": ErrorCounts(90, 3, 10, 97),
                "title only": ErrorCounts(60, 3, 40, 97),
                "resolved": ErrorCounts(100, 0, 0, 100),
                "unresolved": ErrorCounts(80, 0, 20, 100),
            },
        ),
    )
)


def works_of(seed: int, size: int | None = None) -> pl.DataFrame:
    return measured(seed, size)["copublications"]


@pytest.mark.parametrize(
    ("retrieved", "last"),
    [(date(2026, 11, 21), 2024), (date(2026, 6, 30), 2023), (date(2026, 7, 1), 2024), (date(2025, 1, 1), 2022)],
)
def test_years_that_ended_within_18_months_are_recent(retrieved: date, last: int) -> None:
    assert last_sure_year(retrieved) == last


def test_works_files_have_recent_years_by_their_newest_update() -> None:
    updated = ["2021-03-01T10:00:00", "2019-05-02", None, "no date"]
    given = pl.DataFrame({"work_id": [f"W{n}" for n in range(4)], "updated_date": updated}).select("work_id", UPDATED)
    assert state_of(given, None) == date(2021, 3, 1)
    assert state_of(given, date(2026, 1, 5)) == date(2026, 1, 5)  # a harvest knows its day
    assert state_of(given.filter(pl.col("updated_date").is_null()), None) is None
    assert not trends(STUDY, works_of(3, 40), None)["is_recent"].any()
    assert trends(STUDY, works_of(3, 40), date(2021, 3, 1)).filter("is_recent")["year"].unique().to_list() == [
        2019,
        2020,
    ]


def test_the_index_is_100_in_the_base_year() -> None:
    works = works_of(3, 40)
    table = trends(study(base_year=2017, small_cell=1), works, None).filter(measure="copublications", counting="full")
    count = dict(works["publication_year"].value_counts().iter_rows())
    for row in table.iter_rows(named=True):
        assert row["index"] == pytest.approx(100 * count.get(row["year"], 0) / count[2017])


def test_there_is_no_index_on_a_base_under_the_floor() -> None:
    works = works_of(3, 40)
    counted = trends(study(base_year=2017, small_cell=3), works, None)
    base = counted.filter(year=2017)
    small = [(row["measure"], row["counting"]) for row in base.iter_rows(named=True) if row["count"] < 3]
    assert small and len(small) < base.height
    for row in counted.iter_rows(named=True):
        assert (row["index"] is None) == ((row["measure"], row["counting"]) in small)


@LIMITS
@given(seeds)
def test_periods_hold_every_year_once_and_equal_brute_force(seed: int) -> None:
    asked = study(small_rate=8)
    world, works = made_world(seed)[0], works_of(seed)
    table = periods(asked, works, date(2021, 3, 1))
    flags = {w["work_id"]: brute.flags(w, entities=ENTITIES) for w in world}
    kept = brute.population(world)
    one = table.filter(measure="listed", counting="full")
    held = [y for row in one.iter_rows(named=True) for y in range(row["year_from"], row["year_to"] + 1)]
    assert held == list(range(2015, 2021))
    for row in table.iter_rows(named=True):
        part = [flags[w["work_id"]] for w in kept if row["year_from"] <= w["publication_year"] <= row["year_to"]]
        wanted = brute.share(part, row["measure"], row["counting"])
        for name in ("numerator", "denominator", "share", "ci_low", "ci_high"):
            assert row[name] == (None if wanted[name] is None else pytest.approx(wanted[name], abs=1e-8))
        assert row["is_recent"] == (row["year_from"] >= 2019)
    works_in = one.filter(~pl.col("is_recent"))["denominator"].to_list()
    assert all(count >= 8 for count in works_in) or len(works_in) == 1


def test_a_year_with_enough_works_is_a_period_of_its_own() -> None:
    template = works_of(3, 40).head(1)
    years = [2015] * 30 + [2016] * 10 + [2017] * 10 + [2018] * 10 + [2019] * 30 + [2020] * 3
    works = pl.concat([template] * len(years)).with_columns(publication_year=pl.Series(years, dtype=pl.Int32))
    one = periods(STUDY, works, None).filter(measure="listed", counting="full")
    assert one.select("year_from", "year_to").rows() == [(2015, 2015), (2016, 2018), (2019, 2020)]


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


def years_of(works: int, abstracts: int, institutions: int, strings: int | None = None) -> pl.DataFrame:
    """Return works, of which so many have an abstract, all institutions, and at least strings."""
    number = pl.int_range(works, eager=True)
    return pl.DataFrame(
        {
            "classified_from": pl.Series(["title and abstract" if n < abstracts else "title" for n in number]),
            "classifiable": [True] * works,
            "has_institution": number < institutions,
            "has_affiliation": number < (works if strings is None else strings),
        }
    )


def test_what_is_found_of_the_true_follows_the_measured_sensitivities() -> None:
    works = years_of(10, 5, 4, 8)
    assert found_of_true(works, RATES, "critical") == pytest.approx(0.5 * 0.9 + 0.5 * 0.6)
    assert found_of_true(works, RATES, "listed") == pytest.approx(0.4 * 1.0 + 0.4 * 0.8)
    # work by work: 4 with all, 1 abstract without institution, 3 titles without institution, 2 unreadable
    assert found_of_true(works, RATES, "critical_listed") == pytest.approx((4 * 0.9 + 0.9 * 0.8 + 3 * 0.6 * 0.8) / 10)


def test_only_as_much_of_a_fall_as_the_measured_errors_allow_is_explained() -> None:
    before, after = years_of(100, 100, 100), years_of(100, 0, 100)
    # all abstracts are lost: 0.6 / 0.9 of the critical works are still found, not none of them
    assert explained_by_coverage("critical", 90, 60, (before, after), RATES)
    assert not explained_by_coverage("critical", 90, 59, (before, after), RATES)
    assert not explained_by_coverage("listed", 50, 49, (before, after), RATES)  # its coverage did not change
    assert not explained_by_coverage("critical", 50, 49, (after, before), RATES)  # coverage rose
    assert explained_by_coverage("copublications", 50, 10, (before, after), RATES) is None
    assert explained_by_coverage("critical", 90, 60, (before, after), None) is None


@pytest.mark.parametrize(
    ("counts", "flag"),
    [
        ((40, 38), None),  # chance alone
        ((15, 0), None),  # the later count is under the floor
        ((100, 60), True),  # beyond chance, and 60 / 0.6 = 100 would have been found
        ((100, 40), False),  # beyond chance and beyond what coverage could explain
        ((40, 60), None),  # no fall
    ],
)
def test_a_fall_is_explained_only_if_it_is_beyond_chance_and_above_the_floor(
    counts: tuple[int, int], flag: bool | None
) -> None:
    table = trends(STUDY, years_with((2016, 200, counts[0]), (2017, 120, counts[1])), None, RATES)
    rows = table.filter(measure="listed", year=2017)
    assert rows["fall_within_coverage"].to_list() == [flag] * 3
    blind = trends(STUDY, years_with((2016, 200, counts[0]), (2017, 120, counts[1])), None)
    assert blind["fall_within_coverage"].null_count() == blind.height


@given(st.floats(-0.3, 0.6), st.integers(6, 30))
def test_growth_of_an_exact_exponential_is_found(rate: float, years: int) -> None:
    at = np.arange(2000.0, 2000 + years)
    found = log_linear(at, 1000 * (1 + rate) ** (at - 2000), None, 0.95)
    assert found.growth == pytest.approx(rate, abs=1e-6)
    assert found.ci_low <= found.growth <= found.ci_high


def by_hand(at: np.ndarray, counts: np.ndarray, exposure: np.ndarray | None, fit: Any = None) -> Growth:
    """Return growth from the definitions in docs/method.md, pair by pair of scatter and autocorrelation.

    The Poisson fit comes by search, least squares by inverses of the variance of the counts; or both from `fit`, which
    gives slope and means, and slope, error and restricted log-likelihood for a variance of the counts.
    """
    offset = np.zeros_like(at) if exposure is None else np.log(exposure)
    x = np.column_stack([np.ones_like(at), at - at.mean()])
    slope, mean, line = (fit or plain_fit)(x, counts, offset)
    rows = []
    for scatter in np.exp(np.linspace(np.log(0.02), np.log(3), 16)):
        for r in np.linspace(0, 0.95, 8):
            alike = np.array([[r ** abs(a - b) if a != b else 1.0 for b in at] for a in at])
            variance = np.diag(mean) + scatter**2 * np.outer(mean, mean) * alike
            shift, error, likelihood = line(variance)
            prior = np.log(scatter / (1 + (scatter / 0.5) ** 2))
            rows.append((likelihood + prior, slope + shift, error, scatter, r))
    log_weight, centre, error, scatter, r = np.array(rows).T
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    ends = []
    for part in (0.025, 0.975):
        low, high = -60.0, 60.0
        for _ in range(100):
            middle = (low + high) / 2
            below = (weight * norm.cdf(middle, centre, error)).sum() < part
            low, high = (middle, high) if below else (low, middle)
        ends.append(low)
    values = np.expm1([(weight * centre).sum(), *ends])
    return Growth(*(float(value) for value in (*values, (weight * scatter).sum(), (weight * r).sum())))


def plain_fit(x: np.ndarray, counts: np.ndarray, offset: np.ndarray) -> tuple[float, np.ndarray, Any]:
    def loss(b: np.ndarray) -> float:
        return float(np.exp(x @ b + offset).sum() - (counts * (x @ b)).sum())

    start = [np.log(counts.sum() / np.exp(offset).sum()), 0.0]
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-9}).x
    mean = np.exp(x @ best + offset)

    def line(variance: np.ndarray) -> tuple[float, float, float]:
        design, away = mean[:, None] * x, counts - mean  # the counts about their means, linear in the coefficients
        inverse = np.linalg.inv(variance)
        information = design.T @ inverse @ design
        shift = np.linalg.inv(information) @ design.T @ inverse @ away
        rest = away - design @ shift
        likelihood = -0.5 * (np.linalg.slogdet(variance)[1] + np.linalg.slogdet(information)[1] + rest @ inverse @ rest)
        return float(shift[1]), float(np.linalg.inv(information)[1, 1] ** 0.5), float(likelihood)

    return float(best[1]), mean, line


def fit_of_statsmodels(x: np.ndarray, counts: np.ndarray, offset: np.ndarray) -> tuple[float, np.ndarray, Any]:
    import statsmodels.api as sm

    fit = sm.GLM(counts, x, family=sm.families.Poisson(), offset=offset).fit(tol=1e-13, maxiter=200)

    def line(variance: np.ndarray) -> tuple[float, float, float]:
        away = (counts - fit.mu) / fit.mu
        gls = sm.GLS(away, x, sigma=variance / np.outer(fit.mu, fit.mu)).fit()
        logdet = np.linalg.slogdet(variance)[1] - np.linalg.slogdet(gls.normalized_cov_params)[1]
        return float(gls.params[1]), float(gls.normalized_cov_params[1, 1] ** 0.5), float(-0.5 * (logdet + gls.ssr))

    return float(fit.params[1]), fit.mu, line


SERIES = (
    ([12, 15, 11, 18, 22, 19, 25, 31, 28, 35, 41, 38], None),
    ([100, 120, 135, 140, 110, 90, 85, 95, 130, 150, 160, 170, 150, 120], None),
    ([3, 0, 2, 5, 1, 4, 6, 2, 7], [40, 42, 45, 50, 55, 60, 64, 70, 75]),
    ([30, 34, 39, 41, 44, 40, 38, 36, 35, 37], [300, 310, 330, 350, 380, 390, 400, 410, 430, 450]),
)


@pytest.mark.parametrize(("counts", "exposure"), SERIES)
def test_growth_equals_an_independent_fit(counts: list[float], exposure: list[float] | None) -> None:
    at, seen = np.arange(2000.0, 2000 + len(counts)), np.array(counts, dtype=float)
    given_exposure = None if exposure is None else np.array(exposure, dtype=float)
    found = log_linear(at, seen, given_exposure, 0.95)
    assert found == pytest.approx(by_hand(at, seen, given_exposure), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("counts", "exposure"), SERIES)
def test_growth_equals_statsmodels(counts: list[float], exposure: list[float] | None) -> None:
    pytest.importorskip("statsmodels.api", reason="statsmodels is not installed: pip install statsmodels")
    at, seen = np.arange(2000.0, 2000 + len(counts)), np.array(counts, dtype=float)
    given_exposure = None if exposure is None else np.array(exposure, dtype=float)
    wanted = by_hand(at, seen, given_exposure, fit_of_statsmodels)
    assert log_linear(at, seen, given_exposure, 0.95) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def test_years_that_are_missing_count_in_the_distance_of_the_others() -> None:
    at = np.array([2000.0, 2001, 2002, 2006, 2007, 2008, 2009])
    seen = np.array([10.0, 14, 15, 31, 22, 20, 25])
    assert log_linear(at, seen, None, 0.95) == pytest.approx(by_hand(at, seen, None), rel=1e-4, abs=1e-5)


def test_a_year_without_works_counts_as_none_but_has_no_share() -> None:
    totals = {2000: 0, 2001: 0, 2002: 10, 2003: 12, 2004: 0, 2005: 14, 2006: 15, 2007: 16, 2008: 20, 2009: 0}
    rows = [
        {"measure": measure, "counting": "full", "year": year, "count": float(count // part), "is_recent": False}
        for measure, part in (("copublications", 1), ("listed", 2))
        for year, count in totals.items()
    ]
    found = {(row["measure"], row["kind"]): row for row in growth(STUDY, pl.DataFrame(rows)).iter_rows(named=True)}
    at = np.arange(2002.0, 2010)
    seen = np.array([totals[int(year)] for year in at], dtype=float)
    all_works = found["copublications", "count"]
    assert (all_works["year_from"], all_works["year_to"]) == (2002, 2009)
    assert all_works["growth"] == pytest.approx(log_linear(at, seen, None, 0.95).growth, abs=1e-8)
    share = found["listed", "relative to all co-publications"]
    with_works = seen > 0
    wanted = log_linear(at[with_works], seen[with_works] // 2, seen[with_works], 0.95)
    assert share["growth"] == pytest.approx(wanted.growth, abs=1e-8) and share["year_to"] == 2008


def test_a_series_that_begins_with_nothing_for_long_has_growth_and_an_interval() -> None:
    steep = log_linear(np.arange(60.0), np.array([0.0] * 57 + [1, 300, 90_000]), None, 0.95)
    assert np.isfinite(steep[:2]).all() and steep.ci_low < steep.growth < steep.ci_high


def test_good_years_after_good_years_widen_the_interval() -> None:
    at = np.arange(24.0)
    waves, teeth = np.sin(at / 3), np.where(at % 2 == 0, 1.0, -1.0) * np.abs(np.sin(at / 3))
    slow, fast = (log_linear(at, 200 * np.exp(0.2 * shape), None, 0.95) for shape in (waves, teeth))
    assert slow.autocorrelation > 0.5 > 0.2 > fast.autocorrelation
    assert slow.ci_high - slow.ci_low > 2 * (fast.ci_high - fast.ci_low)


@pytest.mark.slow
@pytest.mark.parametrize("years", [10, 15])
@pytest.mark.parametrize("autocorrelation", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("scatter", [0.15, 0.4])
def test_intervals_of_growth_cover_in_series_with_autocorrelation(
    years: int, autocorrelation: float, scatter: float
) -> None:
    covered, _ = benchmark("coverage_of_growth").coverage(years, autocorrelation, 1832, scatter, 600)
    assert covered >= 0.93


def test_the_table_of_the_document_has_every_series_of_the_simulation_and_holds() -> None:
    simulation = benchmark("coverage_of_growth")
    text = (Path(__file__).resolve().parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("| years |")[1].splitlines()[2:]]
    table = {tuple(row[:3]): row[3::2] for row in rows if len(row) == 9}
    assert set(table) == {(str(y), f"{w:,}", str(s)) for w, s in simulation.CASES for y in simulation.YEARS}
    assert min(float(cell.split()[0]) for cells in table.values() for cell in cells) >= 100 * simulation.LEAST


@given(st.lists(st.integers(0, 40), min_size=6, max_size=15).filter(lambda c: sum(x > 0 for x in c) > 1))
def test_growth_is_within_its_interval_whatever_the_counts(counts: list[int]) -> None:
    found = log_linear(np.arange(len(counts), dtype=float), np.array(counts, dtype=float), None, 0.95)
    assert np.isfinite(found[:2]).all() and -1 <= found.ci_low < found.growth < found.ci_high
    assert 0.02 <= found.scatter <= 3 and 0 <= found.autocorrelation <= 0.95


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


def test_years_that_are_not_complete_and_the_lag_are_left_out_of_what_comes_after() -> None:
    works = works_of(3, 40)
    asked = study(events=(Event("2017-06", "a rule", 6),), small_rate=1)
    table = events(asked, works, date(2021, 3, 1)).filter(measure="listed")  # 2019 and 2020 are not complete
    row = table.row(0, named=True)
    assert (row["before_from"], row["after_from"], row["after_to"]) == (
        date(2015, 1, 1), date(2017, 12, 1), date(2019, 1, 1)
    )  # fmt: skip
    when = [w["publication_date"] for w in works.iter_rows(named=True)]
    assert row["after_works"] == sum(date(2017, 12, 1) <= day < date(2019, 1, 1) for day in when)
    assert row["incomplete"] == sum(date(2019, 1, 1) <= day < date(2020, 6, 1) for day in when) > 0


def test_an_event_without_a_complete_year_after_it_compares_nothing() -> None:
    row = events(study(events=(Event("2020-06", "a rule"),)), works_of(3, 40), date(2021, 3, 1)).row(0, named=True)
    assert row["after_works"] == 0 and row["difference"] is None and row["beyond_trend"] is None


def test_a_share_that_only_follows_its_trend_is_not_beyond_it() -> None:
    time = np.arange(-8, 0) + 0.5
    share = 1 / (1 + np.exp(1.5 - 0.2 * time))
    after = np.linspace(0.01, 2.9, 3000)
    expected = float((1 / (1 + np.exp(1.5 - 0.2 * after))).mean())
    bins = np.column_stack([time, 100_000 * share, np.full(8, 100_000)])
    same = beyond_trend(bins, after, round(expected * 3000), 0.95)
    assert same.expected_share == pytest.approx(expected, abs=1e-4)
    assert same.beyond_low < 0 < same.beyond_high and abs(same.beyond_trend) < 1e-3
    fallen = beyond_trend(bins, after, round(0.5 * expected * 3000), 0.95)
    assert fallen.beyond_high < 0


BINS = np.array(
    [[-7.5, 4, 30], [-6.5, 6, 41], [-5.5, 5, 44], [-4.5, 9, 52], [-2.5, 12, 60], [-1.5, 10, 66], [-0.5, 17, 71.0]]
)
AFTER = np.linspace(0.1, 1.9, 90)


def test_what_is_beyond_the_trend_equals_an_independent_fit() -> None:
    time, found, of = BINS.T

    def loss(b: np.ndarray) -> float:
        eta = b[0] + b[1] * time
        return float((of * np.logaddexp(0, eta) - found * eta).sum())

    best = minimize(loss, [-1.0, 0.0], method="BFGS", options={"gtol": 1e-9})

    def mean_after(b: np.ndarray) -> float:
        return float((1 / (1 + np.exp(-(b[0] + b[1] * AFTER)))).mean())

    p = 1 / (1 + np.exp(-(best.x[0] + best.x[1] * time)))
    scale = max(1.0, float(((found - of * p) ** 2 / (of * p * (1 - p))).sum() / 5))
    at, step, wide = best.x, 1e-5, np.eye(2) * 1e-4
    curved = [[loss(at + i + j) - loss(at + i - j) - loss(at - i + j) + loss(at - i - j) for j in wide] for i in wide]
    hessian = np.array(curved) / (4 * 1e-4**2)
    slope = np.array([(mean_after(best.x + d) - mean_after(best.x - d)) / (2 * step) for d in np.eye(2) * step])
    chance = 1 / (1 + np.exp(-(best.x[0] + best.x[1] * AFTER)))
    variance = scale * (slope @ np.linalg.inv(hessian) @ slope + (chance * (1 - chance)).mean() / len(AFTER))
    reach = student.ppf(0.975, 5) * variance**0.5
    made = beyond_trend(BINS, AFTER, 14, 0.95)
    difference = 14 / 90 - mean_after(best.x)
    assert made == pytest.approx(
        (mean_after(best.x), difference, difference - reach, difference + reach), rel=2e-3, abs=1e-5
    )


def test_the_trend_before_an_event_equals_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed: pip install statsmodels")
    time, found, of = BINS.T
    model = sm.GLM(np.column_stack([found, of - found]), sm.add_constant(time), family=sm.families.Binomial())
    fit = model.fit(scale="X2", tol=1e-12)
    chance = fit.predict(sm.add_constant(AFTER))
    spread = chance * (1 - chance)
    slope = np.array([spread.mean(), (spread * AFTER).mean()])
    scale = max(1, fit.scale)
    variance = slope @ (fit.cov_params() * scale / fit.scale) @ slope + scale * spread.mean() / len(AFTER)
    reach = student.ppf(0.975, 5) * variance**0.5
    made = beyond_trend(BINS, AFTER, 14, 0.95)
    assert made == pytest.approx(
        (chance.mean(), 14 / 90 - chance.mean(), 14 / 90 - chance.mean() - reach, 14 / 90 - chance.mean() + reach),
        rel=1e-6,
    )


@pytest.mark.parametrize(
    ("found", "of"),
    [
        ([0] * 9 + [1], [30] * 10),  # one work, in the last year before the event
        ([5] + [0] * 9, [5] + [30] * 9),
        ([0] * 5 + [30] * 5, [30] * 10),
        ([30] * 9 + [29], [30] * 10),
        ([0] * 9 + [30], [30] * 10),
    ],
)
def test_there_is_no_trend_where_a_point_in_time_parts_the_works(found: list[int], of: list[int]) -> None:
    time = np.arange(-9.5, 0.0)
    bins = np.column_stack([time, found, of]).astype(float)
    assert beyond_trend(bins, AFTER, 14, 0.95) == Beyond()


def test_there_is_no_trend_of_fewer_works_than_the_floor() -> None:
    few = BINS.copy()
    few[:, 1] = [1, 0, 1, 0, 0, 1, 1]
    assert beyond_trend(few, AFTER, 14, 0.95, least=5) == Beyond()
    assert beyond_trend(few, AFTER, 14, 0.95, least=4).expected_share is not None


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
    """Make a world of 200 works a year: year, works whose side-B authors can all be read, listed works."""
    template = works_of(3, 40).head(1)
    parts = [
        pl.concat([template] * 200).with_columns(
            publication_year=pl.lit(year, pl.Int32),
            has_institution=pl.int_range(pl.len()) < known,
            has_affiliation=pl.int_range(pl.len()) < known,
            is_listed=pl.int_range(pl.len()) < listed,
            abstract_status=pl.lit("full"),
        )
        for year, known, listed in years
    ]
    return pl.concat(parts)


def test_of_two_equal_falls_only_the_one_that_coverage_could_explain_says_so() -> None:
    # the truth: 100 of 200 works are listed in each year; in 2017 four in ten cannot be read
    lost = trends(STUDY, years_with((2016, 200, 100), (2017, 120, 60), (2018, 200, 100)), None, RATES)
    # the truth: the listed works fell from 100 to 60
    real = trends(STUDY, years_with((2016, 200, 100), (2017, 200, 60), (2018, 200, 100)), None, RATES)
    for table, explained in ((lost, True), (real, False)):
        row = table.filter(measure="listed", counting="full", year=2017).row(0, named=True)
        assert row["count"] == 60 and row["fall_within_coverage"] is explained
        assert table.filter(measure="listed", counting="full", year=2018)["fall_within_coverage"].to_list() == [None]
