"""The specification grid equals the headline counted anew under each combination."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from math import prod
from random import Random
from typing import Any

import polars as pl
import pytest

from copub.measures.duplicategroups import first_of_group, with_groups
from copub.measures.specifications import Specifications, specifications, switch_effects
from copub.measures.switches import settings_of
from copub.study import Study

from . import brute
from .worlds import AREAS, ENTITIES, LEVELS, STUDY, Frames, frames, made_world, study

THRESHOLDS = {"tax-one": {"precision": dict.fromkeys(AREAS, 0.8), "recall": dict.fromkeys(AREAS, 0.3)}}

SEEDS = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])


def grid_of(seed: int, size: int, asked=STUDY) -> Specifications:
    made = made_world(seed, size)[1]
    return specifications(asked, made.flagged(asked), made.view(asked), LEVELS, THRESHOLDS)


@SEEDS
def test_each_specification_equals_the_headline_counted_anew(seed: int) -> None:
    world = made_world(seed, 40)[0]
    grid, *_ = grid_of(seed, 40)
    rows = grid.rows(named=True)
    for row in Random(seed).sample(rows, 150):
        found = (row["numerator"], row["denominator"])
        assert found == pytest.approx(brute.specification(world, row, ENTITIES, THRESHOLDS), abs=1e-8), row


def repaired(world: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return the world with some affiliations changed: another country, no hits, or a new hit."""
    rng, other = Random(seed), deepcopy(world)
    for work in other:
        for author in work["authors"]:
            for affiliation in author["affiliations"]:
                if rng.random() < 0.3:
                    change = rng.choice(["country", "hits", "hit"])
                    affiliation["country"] = (
                        rng.choice(["CN", "HK", "FR", None]) if change == "country" else affiliation["country"]
                    )
                    affiliation["hits"] = (
                        [("entity-1", "name", "raw_affiliation_string", False, True)] if change == "hit" else []
                    )
                    affiliation["name"] = f"changed {change}"
    return other


@SEEDS
def test_each_specification_under_the_other_rule_for_repairs_equals_its_own_world(seed: int) -> None:
    world, made = made_world(seed, 40)
    other_world = repaired(world, seed)
    other = frames(other_world)
    countries = other.corpus["authorships"]["countries"].alias("countries_repaired")
    both = replace(made, corpus=made.corpus.having(authorships=made.corpus["authorships"].with_columns(countries)))
    view = both.view(instead=other.hits)
    grid, moved, _ = specifications(STUDY, both.flagged(), view, LEVELS, THRESHOLDS)
    assert set(grid["repairs"]) == {"with", "without"}
    assert moved.filter(switch="repairs")["mean_difference"][0] > 0
    for row in Random(seed).sample(grid.rows(named=True), 200):
        wanted = brute.specification(other_world if row["repairs"] == "with" else world, row, ENTITIES, THRESHOLDS)
        assert (row["numerator"], row["denominator"]) == pytest.approx(wanted, abs=1e-8), row


def test_every_combination_is_there_once() -> None:
    grid, *_ = grid_of(1, 20)
    settings = settings_of(STUDY, LEVELS, ["precision", "recall"])
    assert list(settings) == grid.columns[: len(settings)]
    apart = ("taxonomy", "operating_point", "watchlist", "risk_floor")
    others = prod(len(choices) for name, choices in settings.items() if name not in apart)
    # The list without levels counts as a whole: one floor instead of five. The taxonomy without
    # thresholds has its own decision only: one operating point instead of three.
    assert grid.height == others * (5 + 1) * (3 + 1)
    assert grid.select(list(settings)).is_unique().all()


def test_one_combination_is_the_study_itself() -> None:
    grid, *_ = grid_of(2, 40)
    own = grid.filter("is_study")
    made = made_world(2, 40)[1]
    flagged = made.flagged()
    works = flagged.filter(pl.col("excluded_because").is_null())
    assert own.select("numerator", "denominator").rows() == [(works["is_critical_listed"].sum(), works.height)]


def test_a_study_with_its_own_choices_finds_them_in_the_grid() -> None:
    asked = study(
        levels=("medium",), tiers=("identifier", "name"), author_cap=50, include_medical=False,
        include_descendants=False, operating_point="recall", counting="fractional-authors", other_watchlists=(),
        other_taxonomies=(),
    )  # fmt: skip
    grid, *_ = grid_of(1, 20, asked)
    row = grid.filter("is_study").row(0, named=True)
    names = ("risk_floor", "tiers", "author_cap", "medical", "children", "operating_point", "counting", "hk_mo")
    assert [row[name] for name in names] == [
        "medium", "identifier+name", "at most 50", "without", "without", "recall", "fractional-authors", "with",
    ]  # fmt: skip


def test_a_hit_out_of_date_counts_under_no_setting() -> None:
    made = made_world(0, 40)[1]
    hits = made.hits.with_columns(not_counted_because=pl.lit(["date"]), is_counted=pl.lit(False))
    grid, *_ = specifications(STUDY, made.flagged(hits=hits), made.view(hits=hits), LEVELS, THRESHOLDS)
    assert grid["numerator"].sum() == 0


def test_hits_that_a_switch_of_the_study_leaves_out_return_when_it_is_turned() -> None:
    asked = study(include_medical=False)
    made = made_world(0, 40)[1]
    by_setting = numerators_by(asked, made, left_out(made.hits, pl.col("is_medical"), "medical"))
    assert by_setting["with"] > by_setting["without"]


@pytest.mark.parametrize("reason", ["date", "reviewer"])
def test_a_hit_that_a_date_or_a_reviewer_rules_out_too_stays_out_when_the_switch_is_turned(reason: str) -> None:
    asked = study(include_medical=False)
    made = made_world(0, 40)[1]
    both = left_out(left_out(made.hits, pl.col("is_medical"), "medical"), pl.col("is_medical"), reason)
    by_setting = numerators_by(asked, made, both)
    assert by_setting["without"] > 0
    assert by_setting["with"] == pytest.approx(by_setting["without"])


def left_out(hits: pl.DataFrame, where: pl.Expr, reason: str) -> pl.DataFrame:
    """Return hits with one reason more where `where` holds."""
    because = pl.col("not_counted_because").fill_null([])
    more = pl.when(where).then(because.list.concat(pl.lit([reason]))).otherwise(because)
    listed = pl.when(more.list.len() > 0).then(more)
    return hits.with_columns(not_counted_because=listed).with_columns(
        is_counted=pl.col("not_counted_because").is_null()
    )


def numerators_by(asked: Study, made: Frames, hits: pl.DataFrame) -> dict[str, float]:
    """Return the sum of numerators of the grid by setting of the switch medical."""
    grid, *_ = specifications(asked, made.flagged(asked, hits), made.view(asked, hits), LEVELS, THRESHOLDS)
    return dict(grid.group_by("medical").agg(pl.col("numerator").sum()).iter_rows())


def test_no_works_give_a_grid_with_null_shares() -> None:
    grid, moved, _ = grid_of(0, 0)
    assert grid["share"].null_count() == grid.height > 0
    assert moved["mean_difference"].null_count() == moved.height


def test_influence_is_the_mean_difference_of_matched_specifications() -> None:
    settings = settings_of(study(other_taxonomies=(), other_watchlists=()), ("listed",), [])
    names = {switch: choices[0].name for switch, choices in settings.items()}
    rows = [
        {**names, "medical": medical, "counting": counting, "share": share}
        for medical, counting, share in (
            ("with", "full", 0.10), ("without", "full", 0.07),
            ("with", "fractional-authors", 0.20), ("without", "fractional-authors", 0.12),
        )
    ]  # fmt: skip
    table = switch_effects(pl.DataFrame(rows), settings)
    by_switch = {row["switch"]: row for row in table.iter_rows(named=True)}
    assert by_switch["medical"]["mean_difference"] == pytest.approx((0.03 + 0.08) / 2)
    assert by_switch["counting"]["mean_difference"] == pytest.approx((0.10 + 0.05) / 2)
    assert table["switch"][0] == "counting"
    assert by_switch["medical"]["range_of_medians"] == pytest.approx(0.15 - 0.095)
    assert by_switch["types"]["mean_difference"] is None


def test_a_missing_type_is_neither_an_article_nor_something_else() -> None:
    grid, *_ = grid_of(2, 40)
    others = {
        "counting": "full",
        "author_cap": "none",
        "dual_affiliated": "with",
        "duplicates": "with",
        "hk_mo": "with",
    }
    by_types = dict(grid.filter(**others).select("types", "denominator").unique().iter_rows())
    kinds = [w["type"] for w in made_world(2, 40)[0] if w["publication_year"] >= 2015]
    assert by_types["articles only"] == kinds.count("article")
    assert by_types["articles or no type"] == kinds.count("article") + kinds.count(None)
    assert by_types["every type"] == len(kinds)


def test_small_and_unequal_specifications_move_no_influence() -> None:
    asked = study(small_rate=30)
    grid, moved, _ = grid_of(2, 40, asked)
    assert (grid["is_small"] == (grid["denominator"] < 30)).all() and 0 < grid["is_small"].sum() < grid.height
    kept = grid.filter(~pl.col("is_small"), "is_defensible")
    for row in moved.drop_nulls("lowest_median").iter_rows(named=True):
        medians = kept.group_by(row["switch"]).agg(pl.col("share").median())["share"]
        assert row["lowest_median"] == pytest.approx(medians.min())
        assert row["highest_median"] == pytest.approx(medians.max())
    assert moved.filter(switch="types")["left_out"].to_list() == [["articles only"]]


def test_a_chain_of_duplicates_is_one_group_and_keeps_its_first_work_that_is_left() -> None:
    works = pl.DataFrame(
        {
            "work_id": ["W1", "W2", "W3", "W10"],
            "duplicate_of": [None, "W1", "W2", None],
            "publication_date": [date(2018, 1, 1), date(2019, 1, 1), date(2019, 1, 1), None],
        }
    )
    grouped = with_groups(works)
    assert grouped["duplicate_group"].to_list() == ["W1", "W1", "W1", "W10"]
    assert first_of_group(grouped).to_list() == [True, False, False, True]
    left = grouped.filter(pl.col("work_id") != "W1")
    assert first_of_group(left).to_list() == [True, False, True]
