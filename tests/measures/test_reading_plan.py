"""How many works to read: the widths are those of labelled intervals, less with each work read."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from copub.lists.errorcounts import ErrorCounts, Errors, EvaluationSet
from copub.lists.labels import LABELS
from copub.measures.adjusted import UNUSED, adjusted, labels_of_works, prepared
from copub.measures.readingplan import leading, reading_plan, works_to_lead
from copub.review.works import draw_works
from copub.technology.taught import TAUGHT

from .worlds import STUDY, measured

RATES = {
    "with abstract": (90, 4, 10, 96),
    "title only": (60, 3, 40, 97),
    "resolved": (99, 1, 1, 99),
    "unresolved": (95, 1, 5, 99),
}
ERRORS = Errors(tuple(EvaluationSet(str(n), {k: ErrorCounts(*v) for k, v in RATES.items()}) for n in range(8)))


def many(works: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    some = pl.concat([measured(3, 40)["copublications"].head(1)] * works)
    return some.with_columns(
        pl.Series("work_id", [f"W{number}" for number in range(works)]),
        pl.Series("is_critical", rng.random(works) < 0.2),
        pl.Series("is_listed", rng.random(works) < 0.3),
        classifiable=pl.lit(True),
    )


def test_each_work_read_narrows_the_interval_and_reading_all_leaves_none() -> None:
    plan = reading_plan(STUDY, prepared(STUDY, many()), ERRORS)
    for measure in ("critical", "critical_listed"):
        rows = plan.filter(measure=measure).sort("works_read")
        assert rows["works_read"].to_list() == [100, 200, 400, 600]
        assert rows["width"].is_sorted(descending=True) and rows["width"][-1] == 0
        assert set(rows["of"]) == {600}


def test_strata_make_the_interval_narrower_than_that_of_a_simple_random_sample() -> None:
    """It is less than that of a simple random sample of as many works, and not by more than strata can give."""
    plan = reading_plan(STUDY, prepared(STUDY, many()), ERRORS)
    width = plan.filter(measure="critical", works_read=200)["width"][0]
    simple = 2 * 1.96 * np.sqrt(0.22 * 0.78 / 200 * (1 - 200 / 600))
    assert 0.4 * simple < width < simple


def test_works_whose_reading_taught_the_classifier_need_no_reading() -> None:
    works = many()
    taught = pl.DataFrame({"item": works["work_id"].head(350), "critical": [False] * 350}, schema=TAUGHT)
    plan = reading_plan(STUDY, prepared(STUDY, works, None, taught), ERRORS)
    assert set(plan["of"]) == {250} and plan["works_read"].max() == 250


@pytest.mark.parametrize("errors", [None, ERRORS])
def test_without_works_or_an_evaluation_there_is_no_plan(errors: Errors | None) -> None:
    works = many() if errors is None else many().clear()
    assert reading_plan(STUDY, prepared(STUDY, works), errors).is_empty()


def read_first(works: pl.DataFrame, count: int, *, critical: bool) -> pl.DataFrame:
    """Return labels of the first works of the draw, each answered the same."""
    drawn = draw_works(works, count)
    return drawn.select(
        "work_id", "stands_for", critical=pl.lit(critical), listed=pl.lit(critical), top_level=pl.lit(False),
        reader=pl.lit("Ann"), date=pl.lit("2026-11-20"), reason=pl.lit(""),
    ).select(LABELS.names())  # fmt: skip


@pytest.mark.parametrize("critical", [True, False])
def test_reading_leads_from_a_number_of_works_that_does_not_depend_on_the_answers(*, critical: bool) -> None:
    works = many()
    known = prepared(STUDY, works)
    needed = works_to_lead(STUDY, known, ERRORS)
    assert 8 < needed < 200
    for count, method in ((needed - 1, "evaluation"), (needed, "labelled sample")):
        labels = labels_of_works(known, read_first(works, count, critical=critical))
        table = adjusted(STUDY, known, ERRORS, leading(STUDY, known, ERRORS, labels))
        row = table.filter(slice_kind="all", measure="critical_listed").row(0, named=True)
        assert row["method"] == method
        why = f"{needed - 1} works read, {needed} needed for a narrower interval"
        assert (f"{UNUSED}{why}" in row["basis"]) is (method == "evaluation")


def test_reading_is_expected_to_give_the_narrower_interval_from_there_on() -> None:
    known = prepared(STUDY, many())
    row = adjusted(STUDY, known, ERRORS).filter(slice_kind="all", measure="critical_listed").row(0, named=True)
    width = row["adjusted_high"] - row["adjusted_low"]
    needed = works_to_lead(STUDY, known, ERRORS)
    plan = reading_plan(STUDY, known, ERRORS).filter(measure="critical_listed")
    assert all((wide <= width) is (read >= needed) for read, wide in plan.select("works_read", "width").iter_rows())


def test_without_an_evaluation_reading_leads_at_once() -> None:
    known = prepared(STUDY, many())
    assert works_to_lead(STUDY, known, None) == 0 and leading(STUDY, known, ERRORS, None) is None
    few = prepared(STUDY, many(STUDY.small_rate - 1))
    assert works_to_lead(STUDY, few, ERRORS) == 0
