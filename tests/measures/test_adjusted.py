"""The corrected share equals a plain correction work by work, and its interval holds what it promises."""

from __future__ import annotations

from dataclasses import astuple, replace
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from scipy import stats

from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors, EvaluationSet
from copub.lists.labels import LABELS
from copub.measures import adjusted as adjusting
from copub.measures.adjusted import FEW, NO_LEVELS, UNUSED, labels_of_works, prepared
from copub.measures.correction import DRAWS, SEED, Decisions, Read, adjust, drawn_accuracy, from_labels
from copub.randomdraws import draws_of
from copub.study import Study
from copub.technology.taught import TAUGHT

from .worlds import LIMITS, STUDY, measured, seeds

EVERY_SLICE = replace(STUDY, small_rate=0)

Counts = tuple[float, float, float, float]


def evaluated(name: str, abstract: Counts, title: Counts, resolved: Counts, unresolved: Counts) -> EvaluationSet:
    strata = zip((*TEXT_STRATA, *AFFILIATION_STRATA), (abstract, title, resolved, unresolved), strict=True)
    return EvaluationSet(name, {stratum: ErrorCounts(*counts) for stratum, counts in strata})


ONE = evaluated("one set", (88, 12, 12, 288), (70, 10, 30, 190), (95, 2, 5, 398), (80, 2, 20, 198))
OTHER = evaluated("another set", (80, 20, 20, 280), (60, 6, 40, 194), (90, 3, 10, 397), (85, 2, 15, 198))
MEASURED = Errors((ONE, OTHER))
PERFECT = (1e6, 0.0, 0.0, 1e6)
SURE = Errors(tuple(evaluated(str(at), PERFECT, PERFECT, PERFECT, PERFECT) for at in range(20)))


def works_of(seed: int, size: int | None = None) -> pl.DataFrame:
    return measured(seed, size)["copublications"]


def adjusted(
    study: Study,
    works: pl.DataFrame,
    errors: Errors | None,
    labelled: pl.DataFrame | None = None,
    taught: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the table, for works of which each has authors of its own."""
    known = prepared(study, works, None, taught)
    return adjusting.adjusted(study, known, errors, labels_of_works(known, labelled))


def medians(errors: Errors) -> dict[str, tuple[float, float]]:
    """Return the medians of the pooled sensitivity and specificity by stratum, as `adjust` draws them."""
    rng = draws_of(SEED)
    accuracies = {name: drawn_accuracy(errors.of(name), rng, DRAWS) for name in (*TEXT_STRATA, *AFFILIATION_STRATA)}
    return {name: (float(np.median(p.sensitivity)), float(np.median(p.specificity))) for name, p in accuracies.items()}


def whole(table: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of the whole study by measure."""
    return {row["measure"]: row for row in table.filter(slice_kind="all").iter_rows(named=True)}


Truth = dict[tuple[bool, str], float]


def by_hand(rows: list[dict[str, Any]], errors: Errors, top: str = "very high") -> dict[str, float]:
    """Correct work by work, as docs/method.md has it: what each counts for in the six cells of the truth."""
    rates = medians(errors)

    def listing(row: dict[str, Any]) -> str:
        return "none" if not row["is_listed"] else "top" if row["max_risk_level"] == top else "below"

    def strata(row: dict[str, Any]) -> tuple[str, str]:
        text = "with abstract" if row["classified_from"] == "title and abstract" else "title only"
        return text, "resolved" if row["has_institution"] else "unresolved"

    def mix(peers: list[dict[str, Any]]) -> dict[str, float]:
        hits = [listing(r) for r in peers if r["is_listed"]]
        return {level: hits.count(level) / len(hits) if hits else 0.0 for level in ("below", "top")}

    def of_standing(row: dict[str, Any], level: str, peers: list[dict[str, Any]]) -> float:
        sensitivity, specificity = rates[strata(row)[1]]
        accuracy, false, shares = sensitivity + specificity - 1, 1 - specificity, mix(peers)
        if level == "none":
            return 1 - of_standing(row, "below", peers) - of_standing(row, "top", peers)
        return ((listing(row) == level) - false * shares[level]) / accuracy

    classified = [r for r in rows if r["classifiable"]]
    mute = [r for r in rows if not r["classifiable"]]
    cells: Truth = {(c, level): 0.0 for c in (False, True) for level in ("none", "below", "top")}
    for row in classified:
        peers = [r for r in classified if strata(r) == strata(row)]
        sensitivity, specificity = rates[strata(row)[0]]
        critical = (row["is_critical"] - (1 - specificity)) / (sensitivity + specificity - 1)
        for level in ("none", "below", "top"):
            cells[True, level] += critical * of_standing(row, level, peers)
            cells[False, level] += (1 - critical) * of_standing(row, level, peers)
    kept = {cell: max(value, 0.0) for cell, value in cells.items()}

    def rate(levels: tuple[str, ...]) -> float:
        of = sum(kept[c, level] for c in (False, True) for level in levels)
        if of:
            return sum(kept[True, level] for level in levels) / of
        return rate(("none", "below", "top")) if sum(kept.values()) else 0.0

    for row in mute:
        peers = [r for r in mute if strata(r)[1] == strata(row)[1]]
        for level in ("none", "below", "top"):
            share = rate(("none",) if level == "none" else ("below", "top"))
            cells[True, level] += share * of_standing(row, level, peers)
            cells[False, level] += (1 - share) * of_standing(row, level, peers)
    cells = {cell: max(value, 0.0) for cell, value in cells.items()}
    total = sum(cells.values())
    return {
        "critical": sum(v for (c, _), v in cells.items() if c) / total,
        "listed": sum(v for (_, level), v in cells.items() if level != "none") / total,
        "critical_listed": sum(v for (c, level), v in cells.items() if c and level != "none") / total,
        "top_level": cells[True, "top"] / total,
    }


@pytest.mark.slow
@LIMITS
@given(seeds)
def test_the_estimates_are_the_works_corrected_one_by_one(seed: int) -> None:
    works = works_of(seed)
    found = whole(adjusted(EVERY_SLICE, works, MEASURED))
    if works.is_empty():
        assert all(row["adjusted"] is None for row in found.values())
        return
    wanted = by_hand(works.rows(named=True), MEASURED)
    some_judged = bool(works["classifiable"].any())
    for measure, value in wanted.items():
        known = some_judged or measure == "listed"
        assert found[measure]["adjusted"] == (pytest.approx(value, abs=1e-8) if known else None), measure
        assert found[measure]["not_classified"] == (0 if measure == "listed" else (~works["classifiable"]).sum())


def no_part_is_larger_than_its_whole(table: pl.DataFrame) -> bool:
    wide = {(r["slice_kind"], r["slice"], r["measure"]): r for r in table.iter_rows(named=True)}
    parts = (("critical_listed", "critical"), ("critical_listed", "listed"), ("top_level", "critical_listed"))
    return all(
        wide[kind, piece, part][end] <= wide[kind, piece, of][end] + 1e-8
        for kind, piece, _ in wide
        for part, of in parts
        for end in ("adjusted", "adjusted_low", "adjusted_high")
        if wide[kind, piece, part]["adjusted"] is not None
    )


@pytest.mark.slow
@LIMITS
@given(seeds)
def test_no_corrected_part_is_larger_than_its_whole(seed: int) -> None:
    works = works_of(seed)
    assert no_part_is_larger_than_its_whole(adjusted(EVERY_SLICE, works, MEASURED))
    truth = labels_of(works, Random(seed))
    assert no_part_is_larger_than_its_whole(adjusted(EVERY_SLICE, works, MEASURED, truth))


def test_a_slice_of_few_works_is_not_corrected_and_says_so() -> None:
    table = adjusted(replace(STUDY, small_rate=25), works_of(3, 40), MEASURED)
    few = table.filter(pl.col("denominator") < 25)
    assert few.height > 0
    assert set(few["basis"]) == {FEW} and set(few["method"]) == {"none"}
    assert few["adjusted"].null_count() == few["adjusted_low"].null_count() == few.height
    assert table.filter(pl.col("denominator") >= 25)["adjusted"].null_count() == 0


def labels_of(works: pl.DataFrame, rng: Random, share: float = 1.0) -> pl.DataFrame:
    """Make up labels of works; the truth is by chance."""
    rows = []
    for work in works["work_id"]:
        if rng.random() < share:
            listed = rng.random() < 0.5
            rows.append(
                (work, rng.random() < 0.5, listed, listed and rng.random() < 0.5, "A. Reader", "2026-11-20", "", None)
            )
    return pl.DataFrame(rows, schema=LABELS, orient="row")


def test_perfect_instruments_leave_the_raw_share_as_it_is() -> None:
    works = works_of(3, 40).with_columns(classifiable=pl.lit(True))
    table = adjusted(EVERY_SLICE, works, SURE)
    for row in table.iter_rows(named=True):
        assert row["adjusted"] == pytest.approx(row["share"], abs=1e-3)
        assert row["adjusted_low"] <= row["adjusted"] <= row["adjusted_high"]
    assert set(table["method"]) == {"evaluation"}


def test_without_an_evaluation_nothing_is_adjusted_and_it_says_so() -> None:
    table = adjusted(STUDY, works_of(3, 40), None)
    assert set(table["method"]) == {"none"}
    assert table["adjusted"].null_count() == table.height
    assert table["share"].null_count() == 0


def decided(text: str, cells: list[list[float]], place: str = "resolved") -> Decisions:
    return Decisions({(text, place): np.array(cells)}, {})


def test_a_worse_measured_stratum_widens_the_interval() -> None:
    cells = [[700.0, 60.0, 40.0], [150.0, 30.0, 20.0]]
    _, low, high = adjust(decided("with abstract", cells), MEASURED, 0.95)["critical_listed"]
    _, low_title, high_title = adjust(decided("title only", cells), MEASURED, 0.95)["critical_listed"]
    assert high_title - low_title > high - low


BLIND = (50.0, 50.0, 50.0, 50.0)


def test_what_rests_on_an_instrument_that_is_uninformative_is_not_estimated() -> None:
    cells = [[700.0, 60.0, 40.0], [150.0, 30.0, 20.0]]
    counts = [astuple(ONE.counts[name]) for name in (*TEXT_STRATA, *AFFILIATION_STRATA)]
    blind_classifier = Errors((evaluated("blind", BLIND, BLIND, *counts[2:]),))
    found = adjust(decided("title only", cells), blind_classifier, 0.95)
    assert found["critical"] == found["critical_listed"] == found["top_level"] == (None, 0.0, 1.0)
    assert found["listed"] == pytest.approx(
        adjust(decided("title only", cells), Errors((ONE,)), 0.95)["listed"], abs=0.02
    )
    blind_matcher = Errors((evaluated("blind", *counts[:2], BLIND, BLIND),))
    found = adjust(decided("title only", cells), blind_matcher, 0.95)
    assert found["listed"] == found["critical_listed"] == found["top_level"] == (None, 0.0, 1.0)
    sensitivity, specificity = medians(blind_matcher)["title only"]
    assert found["critical"][0] == pytest.approx((0.2 - (1 - specificity)) / (sensitivity + specificity - 1))


def test_works_that_cannot_be_judged_keep_their_standing_and_take_the_topic_of_the_others() -> None:
    alone = Decisions({("with abstract", "resolved"): np.array([[60.0, 10.0, 10.0], [10.0, 5.0, 5.0]])}, {})
    more = Decisions(alone.classified, {"resolved": np.array([0.0, 100.0, 0.0])})
    first, second = adjust(alone, SURE, 0.95), adjust(more, SURE, 0.95)
    assert first["listed"][0] == pytest.approx(0.30, abs=1e-3) and second["listed"][0] == pytest.approx(0.65, abs=1e-3)
    assert second["critical"][0] == pytest.approx((20 + 100 / 3) / 200, abs=1e-3)
    assert second["critical_listed"][0] == pytest.approx((10 + 100 / 3) / 200, abs=1e-3)


def test_over_no_works_there_is_no_estimate() -> None:
    assert adjust(Decisions({}, {}), MEASURED, 0.95) == {} and from_labels([], 0.95) == {}


def read(size: int, cells: list[list[float]]) -> Read:
    return Read(size, np.array(cells), np.array(cells))


def test_a_sample_of_everything_has_no_interval() -> None:
    strata = [read(40, [[28, 1, 1], [2, 4, 4]]), read(60, [[50, 2, 1], [4, 1, 2]])]
    found = from_labels(strata, 0.95)
    assert found["critical"] == pytest.approx((0.17, 0.17, 0.17))
    assert found["listed"] == pytest.approx((0.16, 0.16, 0.16))
    assert found["critical_listed"] == pytest.approx((0.11, 0.11, 0.11))
    assert found["top_level"] == pytest.approx((0.06, 0.06, 0.06))


def test_the_labelled_estimate_weighs_each_stratum_by_its_works() -> None:
    strata = [read(900, [[20, 4, 3], [0, 2, 1]]), read(100, [[1, 1, 0], [0, 10, 8]])]
    share, low, high = from_labels(strata, 0.95)["critical_listed"]
    assert share == pytest.approx((900 * 3 / 30 + 100 * 18 / 20) / 1000)
    assert low < share < high


def test_a_labelled_sample_replaces_the_evaluation_in_every_slice() -> None:
    works = works_of(5, 40)
    truth = labels_of(works, Random(1))
    table = adjusted(STUDY, works, MEASURED, truth)
    assert set(table["method"]) == {"labelled sample"}
    for name, wanted in (
        ("listed", truth["listed"]),
        ("critical_listed", truth["critical"] & truth["listed"]),
        ("top_level", truth["critical"] & truth["top_level"]),
    ):
        row = whole(table)[name]
        assert row["adjusted"] == row["adjusted_low"] == row["adjusted_high"] == pytest.approx(wanted.mean())
    assert whole(table)["listed"]["basis"].startswith(
        f"{works.height} works of this study read by one person on 2026-11-20, in "
    )


def test_slices_by_labels_add_up_to_the_whole() -> None:
    works = works_of(5, 40)
    found = adjusted(STUDY, works, MEASURED, labels_of(works, Random(2), 0.8))
    if "labelled sample" in set(found["method"]):
        years = found.filter(slice_kind="year", measure="critical_listed")
        total = (years["adjusted"] * years["denominator"]).sum()
        assert total == pytest.approx(whole(found)["critical_listed"]["adjusted"] * works.height)


def test_works_that_stand_for_more_weigh_more() -> None:
    works = works_of(5, 40).with_columns(is_critical=False, is_listed=False, max_score=0.0)
    ids = works["work_id"].to_list()[:4]
    rows = [(ids[0], True, True, False, "X", "2026-01-01", "", 9.0)]
    rows += [(work, False, False, False, "X", "2026-01-01", "", 1.0) for work in ids[1:]]
    even = pl.DataFrame(rows, schema=LABELS, orient="row").with_columns(stands_for=pl.lit(None, pl.Float64))
    weighted = pl.DataFrame(rows, schema=LABELS, orient="row")
    n = works.height
    plain, heavy = (whole(adjusted(STUDY, works, None, labels))["listed"]["adjusted"] for labels in (even, weighted))
    assert plain == pytest.approx(1 / 4) and heavy == pytest.approx((1 + (n - 4) * 9 / 12) / n)


def test_labels_without_levels_leave_the_top_level_open() -> None:
    works = works_of(5, 40)
    truth = labels_of(works, Random(1)).with_columns(top_level=pl.lit(None, pl.Boolean))
    found = whole(adjusted(STUDY, works, MEASURED, truth))
    assert found["top_level"]["basis"] == NO_LEVELS and found["top_level"]["adjusted"] is None
    assert found["critical_listed"]["method"] == "labelled sample"


def test_a_sample_that_misses_a_decision_is_not_used_and_it_says_so() -> None:
    works = works_of(5, 40)
    only_listed = labels_of(works, Random(1)).join(
        works.filter("is_listed").select("work_id"), on="work_id", how="semi"
    )
    row = whole(adjusted(EVERY_SLICE, works, MEASURED, only_listed))["listed"]
    assert row["method"] == "evaluation"
    assert "the labels are not used: no label of works that are decided not critical and not listed" in row["basis"]


def test_labels_of_other_works_and_empty_sheets_are_not_used_and_it_says_so() -> None:
    works = works_of(5, 40)
    foreign = labels_of(works, Random(1)).with_columns(work_id=pl.lit("W9") + pl.col("work_id"))
    for given_labels, why in (
        (foreign, f"{works.height} labels, none of a work of this study"),
        (foreign.clear(), "the file has no label"),
    ):
        row = whole(adjusted(EVERY_SLICE, works, MEASURED, given_labels))["critical"]
        assert row["method"] == "evaluation" and row["basis"].endswith(UNUSED + why)


def test_labels_whose_draw_is_not_known_are_named_unless_nothing_is_left_to_draw() -> None:
    works = works_of(5, 40)
    every = labels_of(works, Random(1))
    noes = every.head(works.height - 1).with_columns(critical=False, listed=False, top_level=False)
    drawn = noes.with_columns(stands_for=pl.lit(1.0))
    bases = [whole(adjusted(STUDY, works, None, one))["critical"]["basis"] for one in (every, noes, drawn)]
    named = f"({noes.height} of them without stands_for and taken as drawn at random from their strata)"
    assert [named in basis for basis in bases] == [False, True, False]


def test_a_study_of_training_works_alone_rests_on_their_readings() -> None:
    works = works_of(5, 40)
    taught = training(works, dict.fromkeys(works["work_id"], False))
    row = whole(adjusted(EVERY_SLICE, works, MEASURED, labels_of(works, Random(1)), taught))["critical"]
    assert row["basis"] == f"{works.height} training works as they were read"


def test_labels_join_within_a_decision_where_a_band_of_scores_has_none() -> None:
    works = works_of(5, 40).with_columns(is_critical=pl.col("work_id").str.ends_with("1"), is_listed=False)
    scores = pl.when(pl.col("work_id").str.ends_with("2")).then(0.5).otherwise(0.0)
    works = works.with_columns(max_score=scores)
    far = labels_of(works.filter(pl.col("max_score") == 0), Random(1))
    row = whole(adjusted(STUDY, works, MEASURED, far))["critical"]
    assert row["method"] == "labelled sample" and "in 2 strata of decision and score (" in row["basis"]


@LIMITS
@given(seeds)
def test_the_same_input_gives_the_same_digits(seed: int) -> None:
    works = works_of(seed)
    assert adjusted(STUDY, works, MEASURED).equals(adjusted(STUDY, works.reverse(), MEASURED))


def training(works: pl.DataFrame, readings: dict[str, bool | None]) -> pl.DataFrame:
    return pl.DataFrame(list(readings.items()), schema=TAUGHT, orient="row")


def test_training_works_count_by_topic_as_they_were_read() -> None:
    works = works_of(3, 40).with_columns(classifiable=pl.lit(True))
    readings = {work: at % 3 == 0 for at, work in enumerate(works["work_id"])}
    found = whole(adjusted(EVERY_SLICE, works, MEASURED, taught=training(works, readings)))
    critical = sum(readings.values()) / works.height
    row = found["critical"]
    assert (row["adjusted"], row["adjusted_low"], row["adjusted_high"]) == pytest.approx((critical,) * 3, abs=1e-3)
    assert row["taught"] == works.height and row["not_classified"] == 0
    assert row["share"] == pytest.approx(works["is_critical"].mean())


def test_a_corrected_share_is_never_below_what_was_read_however_few_others_were_decided_so() -> None:
    works = works_of(3, 200).with_columns(
        classifiable=pl.lit(True),
        is_critical=pl.lit(False),
        is_critical_listed=pl.lit(False),
        is_top_level=pl.lit(False),
    )
    read = dict.fromkeys(works["work_id"].head(10).to_list(), True)
    row = whole(adjusted(EVERY_SLICE, works, MEASURED, taught=training(works, read)))["critical"]
    least = len(read) / works.height
    assert least - 1e-8 <= row["adjusted_low"] <= row["adjusted"] <= row["adjusted_high"]


def test_training_works_that_readers_left_open_are_not_classified() -> None:
    works = works_of(3, 40).with_columns(classifiable=pl.lit(True))
    left_open = dict.fromkeys(works["work_id"].head(3).to_list())
    row = whole(adjusted(EVERY_SLICE, works, MEASURED, taught=training(works, left_open)))["critical"]
    assert (row["taught"], row["not_classified"]) == (0, 3)


def test_training_works_that_count_as_read_and_works_to_read_are_all_works() -> None:
    works = works_of(3, 40)
    readings = dict(zip(works["work_id"], [True, False, None, None, True], strict=False))
    taught = training(works, readings)
    row = whole(adjusted(EVERY_SLICE, works, MEASURED, taught=taught))["critical"]
    assert row["taught"] + adjusting.sheet_works(prepared(STUDY, works, None, taught)).height == works.height


def test_labels_of_training_works_stand_for_no_other_work() -> None:
    works = works_of(5, 40)
    truth = labels_of(works, Random(1))
    taught = training(works, dict.fromkeys(works["work_id"], False))
    left_open = training(works, dict.fromkeys(works["work_id"].head(5).to_list()))
    refused = whole(adjusted(EVERY_SLICE, works, MEASURED, truth.head(5), left_open))["critical"]
    assert refused["method"] == "evaluation"
    assert "(labels of 5 training works do not count for other works)" in refused["basis"]
    known = whole(adjusted(EVERY_SLICE, works, MEASURED, truth, taught))["critical_listed"]
    wanted = (truth["critical"] & truth["listed"]).mean()
    assert known["adjusted"] == known["adjusted_low"] == known["adjusted_high"] == pytest.approx(wanted)


def test_the_share_to_expect_is_the_product_of_the_margins_and_its_range_that_of_the_hypergeometric() -> None:
    works = works_of(3, 40)
    row = whole(adjusted(EVERY_SLICE, works, MEASURED))["critical_listed"]
    n, k, m = works.height, int(works["is_critical"].sum()), int(works["is_listed"].sum())
    assert row["expected"] == pytest.approx(k * m / n**2)
    rng = np.random.default_rng(1)
    drawn = rng.hypergeometric(k, n - k, m, 40_000)
    assert round(row["expected_low"] * n) == np.quantile(drawn, 0.025)
    assert round(row["expected_high"] * n) == np.quantile(drawn, 0.975)
    assert whole(adjusted(EVERY_SLICE, works, MEASURED))["critical"]["expected"] is None


def test_the_draws_are_of_the_works_at_hand_and_not_of_others_like_them() -> None:
    """With rates that are known, what is drawn is the truth given the decisions: two binomials."""
    many = Errors(tuple(evaluated(str(at), PERFECT, (8e4, 2e3, 2e4, 9.8e4), PERFECT, PERFECT) for at in range(60)))
    found, cells = 60.0, [[240.0, 0.0, 0.0], [60.0, 0.0, 0.0]]
    share, low, high = adjust(decided("title only", cells), many, 0.95)["critical"]
    assert share is not None
    true = found / 300 - 0.02
    true /= 0.8 + 0.98 - 1
    predictive, missed = 0.8 * true / (found / 300), 0.2 * true / (1 - found / 300)
    rng = np.random.default_rng(1)
    drawn = rng.binomial(60, predictive, 100_000) + rng.binomial(240, missed, 100_000)
    assert share == pytest.approx(true, abs=0.01)
    assert low < np.quantile(drawn, 0.025) / 300 and np.quantile(drawn, 0.975) / 300 < high
    assert high - low < stats.norm.ppf(0.975) * 2 * np.sqrt(0.2 * 0.8 / 300) / 0.78 * 1.05
