"""How many works to read: the widths are those of labelled intervals, less with each work read."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from copub.lists.errorcounts import ErrorCounts, Errors, EvaluationSet
from copub.measures.adjusted import prepared
from copub.measures.readingplan import reading_plan
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
