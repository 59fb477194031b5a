"""Families, areas by level, collaboration indices, medians and ranks against plain recomputation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import given

from copub.lists.labels import LABELS
from copub.measures.copublications import flagged_works
from copub.measures.crosstabulations import collaboration_indices
from copub.technology.taught import TAUGHT

from .worlds import AREAS, LEVELS, LIMITS, STUDY, inputs, made_world, measured, seeds


def world_and_tables(seed: int, size: int | None = None) -> tuple[list[dict[str, Any]], dict[str, pl.DataFrame]]:
    return made_world(seed, size)[0], measured(seed, size)


@LIMITS
@given(seeds)
def test_a_family_holds_the_works_of_all_below_it_once(seed: int) -> None:
    world, tables = world_and_tables(seed)
    flags = {row["work_id"]: row for row in tables["copublications"].iter_rows(named=True)}
    works: dict[tuple[str, str], set[str]] = {}
    for work in world:
        for author in work["authors"] if work["work_id"] in flags else ():
            for a in author["affiliations"]:
                side = {"BE": "a", "CN": "b", "HK": "b"}.get(a["country"])
                for up in {a["id"], *a["lineage"]} - {None} if side and a["id"] else ():
                    works.setdefault((side, up), set()).add(work["work_id"])
    found = {(r["side"], r["institution_id"]): r for r in tables["institution_families"].iter_rows(named=True)}
    assert set(found) == set(works)
    for key, ids in works.items():
        assert found[key]["works"] == len(ids)
        assert found[key]["critical_listed"] == sum(flags[w]["is_critical_listed"] for w in ids)


@LIMITS
@given(seeds)
def test_areas_by_level_equal_counting_by_hand(seed: int) -> None:
    _, tables = world_and_tables(seed)
    wanted: Counter[tuple[str, str]] = Counter()
    for row in tables["copublications"].filter("is_critical").iter_rows(named=True):
        wanted.update((area, row["max_risk_level"] or "none") for area in [*row["areas"], "any area"])
    table = tables["area_levels"]
    assert table.height == (len(AREAS) + 1) * (len(LEVELS) + 1)
    assert {(r["area"], r["risk_level"]): r["works"] for r in table.iter_rows(named=True) if r["works"]} == dict(wanted)


def test_a_work_has_the_reading_of_the_study_before_that_of_the_training_works() -> None:
    _, world = made_world(3, 20)
    ids = world.flagged()["work_id"].to_list()[:4]
    taught = pl.DataFrame({"item": ids[:3], "critical": [True, False, None]}, schema=TAUGHT)
    labelled = pl.DataFrame(
        [
            {"work_id": ids[1], "critical": True, "listed": False},
            {"work_id": ids[3], "critical": False, "listed": False},
        ],
        schema=LABELS,
    )
    given = replace(inputs(), taught=taught, labelled=labelled)
    found = dict(flagged_works(given, world.view(STUDY)).select("work_id", "read_critical").iter_rows())
    assert [found.pop(work) for work in ids] == [True, True, None, False]
    assert set(found.values()) == {None}


def test_intensity_is_salton_and_association_strength() -> None:
    context = pl.DataFrame({"side": ["a", "b", "world"], "year": [2016] * 3, "works": [400, 900, 10_000]})
    works = measured(3, 40)["copublications"]
    table = collaboration_indices(STUDY, works, context)
    row = table.row(by_predicate=pl.col("year") == 2016, named=True)
    n = works.filter(publication_year=2016).height
    assert row["works"] == n
    assert row["salton"] == pytest.approx(n / 600)
    assert row["association_strength"] == pytest.approx(n * 10_000 / (400 * 900))
    assert (row["share_of_a"], row["share_of_b"]) == pytest.approx((n / 400, n / 900))
    other = table.row(by_predicate=pl.col("year") == 2017, named=True)
    assert other["salton"] is None and other["output_a"] is None


def test_association_strength_needs_the_output_of_the_world_and_files_have_no_context() -> None:
    context = pl.DataFrame({"side": ["a", "b"], "year": [2016, 2016], "works": [400, 900]})
    works = measured(3, 40)["copublications"]
    table = collaboration_indices(STUDY, works, context).filter(year=2016)
    assert table["association_strength"][0] is None and table["salton"][0] is not None
    assert collaboration_indices(STUDY, works, None).is_empty()


@LIMITS
@given(seeds)
def test_medians_are_those_of_the_works(seed: int) -> None:
    _, tables = world_and_tables(seed)
    works = tables["copublications"]
    for group in ("critical", "listed", "critical_listed"):
        row = tables["bootstrap"].row(
            by_predicate=(pl.col("statistic") == "median authors") & (pl.col("group") == group), named=True
        )
        sizes = works.filter(f"is_{group}")["n_authors"].to_list()
        assert row["value"] == (median(sizes) if sizes else None)
        if sizes:
            assert min(sizes) <= row["ci_low"] <= row["value"] <= row["ci_high"] <= max(sizes)


def test_ranks_follow_the_counts_and_ties_share_the_better_one() -> None:
    tables = measured(5, 40)
    areas = tables["shares"].filter(measure="critical", slice_kind="area", counting="full")
    counts = dict(areas.select("slice", "numerator").iter_rows())
    for row in tables["bootstrap"].filter(statistic="rank of area").iter_rows(named=True):
        assert row["value"] == 1 + sum(other > counts[row["item"]] for other in counts.values())
        assert row["works"] == counts[row["item"]]
        assert 1 <= row["ci_low"] <= row["ci_high"] <= len(AREAS)
