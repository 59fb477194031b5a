"""Every table of shares, trends and partners equals the brute-force recomputation."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given

from copub.measures.copublications import authors_by_side
from copub.schema import TABLES

from . import brute
from .worlds import AREAS, ENTITIES, LIMITS, YEARS, frames, made_world, measured, seeds, study

World = list[dict[str, Any]]


def measured_world(seed: int) -> tuple[World, dict[str, pl.DataFrame]]:
    return made_world(seed)[0], measured(seed)


def flagged(world: World) -> dict[str, dict[str, Any]]:
    return {w["work_id"]: brute.flags(w, entities=ENTITIES) for w in world}


def same(found: Any, wanted: Any) -> bool:
    return (found is None and wanted is None) or found == pytest.approx(wanted, abs=1e-8)


@LIMITS
@given(seeds)
def test_copublications_equal_brute_force(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["copublications"]
    wanted = flagged(world)
    assert table["work_id"].to_list() == sorted(w["work_id"] for w in brute.population(world))
    for row in table.iter_rows(named=True):
        for name, value in wanted[row["work_id"]].items():
            assert same(row[name], value) if isinstance(value, float) else row[name] == value, name


@LIMITS
@given(seeds)
def test_shares_equal_brute_force_in_every_slice_measure_and_counting(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["shares"].filter(~pl.col("slice_kind").is_in(["area", "institution_a", "institution_b"]))
    slices = brute.slices_of(world, flagged(world))
    assert set(slices) <= set(table.select("slice_kind", "slice").iter_rows())
    for row in table.iter_rows(named=True):
        wanted = brute.share(slices.get((row["slice_kind"], row["slice"]), []), row["measure"], row["counting"])
        for name, value in wanted.items():
            assert same(row[name], value), (row, name, value)
        assert row["interval"] == (
            "none" if wanted["denominator"] == 0 else "wilson" if row["counting"] == "full" else "wilson-effective"
        )
        assert row["is_small"] == (row["numerator"] < 5 or row["denominator"] < 25)


@LIMITS
@given(seeds)
def test_a_work_of_two_areas_counts_in_both(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["shares"].filter(slice_kind="area", counting="full")
    flags = [f for w, f in flagged(world).items() if w in {x["work_id"] for x in brute.population(world)}]
    assert set(table["slice"]) == set(AREAS)
    for row in table.iter_rows(named=True):
        has = brute.HAS[row["measure"]][0]
        assert row["numerator"] == sum(has(f) and row["slice"] in f["areas"] for f in flags)
        assert row["denominator"] == len(flags)


@LIMITS
@given(seeds)
def test_institutions_equal_brute_force(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["institutions"]
    wanted = brute.institutions(world, flagged(world))
    found = {(r["side"], r["institution_id"] or r["institution_name"]): r for r in table.iter_rows(named=True)}
    assert set(found) == set(wanted)
    for key, row in wanted.items():
        for name, value in row.items():
            assert same(found[key][name], value), (key, name)


@LIMITS
@given(seeds)
def test_pairs_equal_brute_force(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["pairs"]
    wanted = brute.pairs(world, flagged(world))
    found = {
        (r["institution_a_id"] or r["institution_a"], r["institution_b_id"] or r["institution_b"]): r
        for r in table.iter_rows(named=True)
    }
    assert set(found) == set(wanted)
    for key, counts in wanted.items():
        assert {name: found[key][name] for name in ("works", "critical", "critical_listed")} == dict(counts)


@LIMITS
@given(seeds)
def test_trends_have_every_year_and_equal_brute_force(seed: int) -> None:
    world, tables = measured_world(seed)
    table = tables["trends"]
    flags, kept = flagged(world), brute.population(world)
    assert set(table["year"]) == set(range(YEARS[0], YEARS[1] + 1))
    for row in table.filter(pl.col("measure") != "copublications").iter_rows(named=True):
        part = [flags[w["work_id"]] for w in kept if w["publication_year"] == row["year"]]
        wanted = brute.share(part, row["measure"], row["counting"])
        for found, name in (("count", "numerator"), ("share", "share"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
            assert same(row[found], wanted[name])


@LIMITS
@given(seeds)
def test_bands_are_never_mixed_into_the_headline(seed: int) -> None:
    _world, tables = measured_world(seed)
    table = tables["copublications"]
    assert table.filter((pl.col("listing_category") == "counted") != pl.col("is_listed")).is_empty()
    shares = tables["shares"].filter(slice_kind="all", counting="full")
    total = sum(shares.filter(measure=m)["numerator"][0] for m in ("listed", "listed_lower", "listed_unrated"))
    assert total == table.filter(pl.col("listing_category") != "none").height


@pytest.mark.parametrize("seed", range(3))
def test_tables_do_not_depend_on_the_order_of_the_input(seed: int) -> None:
    world, first = measured_world(seed)
    turned = frames(world[::-1])
    second = turned.numbers(hits=turned.hits.reverse())
    for name in first:
        assert first[name].equals(second[name]), name


def test_no_works_give_frames_with_null_shares() -> None:
    tables = measured(0, 0)
    headline = tables["shares"].filter(slice_kind="all", measure="critical_listed", counting="full")
    assert headline.select("numerator", "denominator", "share", "ci_low", "ci_high").row(0) == (
        0.0,
        0.0,
        None,
        None,
        None,
    )
    for name, table in tables.items():
        assert table.schema == TABLES[name].schema


@pytest.mark.parametrize("name", ["shares", "trends", "sensitivity"])
def test_no_nan_is_ever_written(name: str) -> None:
    table = measured(0, 0)[name]
    for column in table.select(pl.col(pl.Float64)).iter_columns():
        assert not column.is_nan().any()


@pytest.mark.parametrize("size", [0, 1, 12])
def test_a_study_of_one_year_gives_every_table(size: int) -> None:
    made = made_world(4, size)[1]
    asked = study(year_from=2018, year_to=2018)
    tables = made.numbers(asked, as_of=date(2019, 1, 1))
    assert tables["trends"]["year"].unique().to_list() == [2018]
    assert tables["growth"]["growth"].null_count() == tables["growth"].height
    for name, table in tables.items():
        assert table.schema == TABLES[name].schema


def test_institutions_under_the_floor_have_counts_but_no_share() -> None:
    tables = measured(5, 40)
    for side in ("a", "b"):
        works = tables["institutions"].filter(side=side).group_by("institution_name").agg(pl.col("works").sum())
        sliced = set(tables["shares"].filter(slice_kind=f"institution_{side}")["slice"])
        large = set(works.filter(pl.col("works") >= 5)["institution_name"])
        assert sliced <= large


def test_no_table_changes_when_it_is_measured_again() -> None:
    made = made_world(5, 40)[1]
    again = made.numbers()
    for name, table in measured(5, 40).items():
        assert table.equals(again[name]), name


def test_a_cell_exactly_at_the_floors_is_not_small() -> None:
    made = made_world(3, 40)[1]

    def headline(**floors: int) -> dict[str, Any]:
        asked = study(**floors)
        tables = made.numbers(asked)
        return tables["shares"].filter(measure="critical", slice_kind="all", counting="full").row(0, named=True)

    first = headline()
    at = {"small_cell": int(first["numerator"]), "small_rate": int(first["denominator"])}
    assert at["small_cell"] > 0
    assert not headline(**at)["is_small"]
    assert headline(**at | {"small_cell": at["small_cell"] + 1})["is_small"]
    assert headline(**at | {"small_rate": at["small_rate"] + 1})["is_small"]


def weights_of(*authors: list[str]) -> dict[str, Any]:
    rows = [
        {"work_id": "W1", "countries": c, "on_side_a": "BE" in c, "on_side_b": bool({"CN", "HK"} & set(c))}
        for c in authors
    ]
    table = authors_by_side(pl.DataFrame(rows, schema_overrides={"countries": pl.List(pl.String)}), ["BE", "CN", "HK"])
    return table.row(0, named=True)


def test_fractional_weights_credit_the_pair_with_all_its_countries_and_split_authors() -> None:
    work = weights_of(["BE"], ["CN", "US"], ["FR"], [])  # the last author has no known country
    assert work["weight"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert work["weight_countries"] == pytest.approx(2 / 4)
    inside = weights_of(["BE"], ["CN"], ["HK"])
    assert (inside["weight"], inside["weight_countries"]) == (1.0, 1.0)
