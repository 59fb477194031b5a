"""Funders, awards and roles of authors against counting one work at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sized
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given

from copub.measures.funding import awards_of_works
from copub.measures.roles import by_lot, is_alphabetical
from copub.schema import TABLES

from . import bruteroles as plain
from .brute import SIDE_A, SIDE_B, countries_of, wilson
from .test_frames import same
from .worlds import ENTITIES, LIMITS, LIST, STUDY, made_world, measured, seeds, study

ROLES = ("first", "last", "corresponding")
GROUPS = plain.GROUPS
Works = list[tuple[dict[str, Any], dict[str, Any]]]


ASKED = study(small_cell=2)
"""The worlds are small: under the usual floor hardly an institution would have rows."""


@cache
def works_and_tables(seed: int) -> tuple[Works, dict[str, pl.DataFrame]]:
    """Return the counted works of a world with their flags, and all tables."""
    world, frames = made_world(seed)
    tables = frames.numbers(ASKED)
    flags = {row["work_id"]: row for row in tables["copublications"].iter_rows(named=True)}
    works = plain.identified(work for work in world if work["work_id"] in flags)
    return [(work, flags[work["work_id"]]) for work in works], tables


def institutions_of(work: dict[str, Any], side: set[str]) -> dict[str, set[int]]:
    """Return by institution (id, or name) of a side the places of its authors."""
    found: dict[str, set[int]] = defaultdict(set)
    for seq, author in enumerate(work["authors"]):
        for a in author["affiliations"]:
            if a["name"] and a["country"] in side:
                found[a["id"] or a["name"]].add(seq)
    return found


def rows_of(table: pl.DataFrame, *by: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = {tuple(row[name] for name in by): row for row in table.iter_rows(named=True)}
    assert len(found) == table.height
    return found


def agree(found: dict[str, Any], wanted: dict[str, Any], where: Any) -> None:
    for name, value in wanted.items():
        assert same(found[name], value), (where, name, found[name], value)


def test_a_name_without_an_id_is_the_funder_that_alone_bears_it_in_the_works_of_the_study() -> None:
    named = [("W1", "F1", "X", "1"), ("W2", None, "X", "1"), ("W3", "F2", "Y", None), ("W4", "F3", "Y", None),
             ("W5", None, "Y", None), ("W6", None, "Z", "1"), ("W7", "F9", "Z", None)]  # fmt: skip
    given_rows = pl.DataFrame(named, ["work_id", "funder_id", "funder_name", "award_key"], orient="row")
    awards = given_rows.with_columns(field=pl.lit("awards"))
    found = awards_of_works(awards, pl.DataFrame({"work_id": [f"W{n}" for n in range(1, 7)]}))
    assert found["funder"].to_list() == ["F1", "F1", "F2", "F3", "Y", "Z"]
    assert found["award"].to_list() == [1, 1, None, None, None, 2]


@LIMITS
@given(seeds)
def test_funders_are_counted_once_per_work_with_and_without_awards(seed: int) -> None:
    works, tables = works_and_tables(seed)
    naming: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for work, flags in works:
        for funder in {f or name for _, f, name, _ in work["awards"]} - {None}:
            naming[funder].append((work, flags))
    of = sum(flags["is_critical_listed"] for work, flags in works if plain.states_awards(work))
    found = {row["funder_id"] or row["funder"]: row for row in tables["funders"].iter_rows(named=True)}
    assert set(found) == set(naming)
    for funder, own in naming.items():
        awarded = [(w, f) for w, f in own if any(award[0] == funder for award in plain.awards_of(w))]
        k, k_awarded = (sum(f["is_critical_listed"] for _, f in some) for some in (own, awarded))
        low, high = wilson(k_awarded, of)
        wanted = {
            "works": len(own),
            "critical_listed": k,
            "share": k / len(own),
            "with_award": len(awarded),
            "critical_with_award": sum(f["is_critical"] for _, f in awarded),
            "listed_with_award": sum(f["is_listed"] for _, f in awarded),
            "critical_listed_with_award": k_awarded,
            "awards": len({award for w, _ in awarded for award in plain.awards_of(w) if award[0] == funder}),
            "award_share": k_awarded / of if of else None,
            "award_share_low": low,
            "award_share_high": high,
        }
        agree(found[funder], wanted, funder)


@LIMITS
@given(seeds)
def test_works_that_name_an_award_equal_counting_by_hand_in_all_and_per_institution(seed: int) -> None:
    works, tables = works_and_tables(seed)
    slices: dict[tuple[str, str], Works] = defaultdict(list, {("all", "all"): works})
    for work, flags in works:
        for side, codes in (("a", SIDE_A), ("b", SIDE_B)):
            for key in institutions_of(work, codes):
                slices[f"institution_{side}", key].append((work, flags))
        for entity in {e for _, w, e, level in hits_of(work) if w == LIST and level in STUDY.levels}:
            slices["entity", entity].append((work, flags))
    wanted = {(*key, group) for key, own in slices.items() for group in GROUPS if is_shown(key, of_group(own, group))}
    keyed = tables["funding"].with_columns(key=pl.coalesce("slice_id", "slice"))
    found = rows_of(keyed, "slice_kind", "key", "group")
    assert set(found) == wanted
    for key, row in found.items():
        agree(row, plain.funding(slices[key[:2]], key[2]), key)
        assert row["is_small"] == (row["numerator"] < ASKED.small_cell or row["denominator"] < STUDY.small_rate)


def of_group(works: Works, group: str) -> Works:
    return [(work, flags) for work, flags in works if plain.in_group(flags, group)]


def in_group(works: list[tuple[dict[str, Any], set[int], set[int], bool]], group: str) -> list[Any]:
    """Return the works of a group among listed ones, without what says whether they are critical."""
    return [work[:3] for work in works if group == "listed" or work[3]]


def is_shown(key: tuple[str, ...], works: Sized) -> bool:
    """Return whether a group of works has a row: in all, or with as many works as the floor for cells."""
    return key[0] == "all" or len(works) >= ASKED.small_cell


def hits_of(work: dict[str, Any]) -> list[tuple[int, str, str, str]]:
    return list(plain.listed_authors(work, ENTITIES, SIDE_B))


@LIMITS
@given(seeds)
def test_roles_equal_counting_by_hand_in_all_and_per_level_list_entity_and_institution(seed: int) -> None:
    works, tables = works_and_tables(seed)
    slices: dict[tuple[str, str], list[tuple[dict[str, Any], set[int], set[int], bool]]] = defaultdict(list)
    for work, flags in works:
        own = {seq for seq, author in enumerate(work["authors"]) if countries_of(author) & SIDE_A}
        by: dict[tuple[str, str], set[int]] = defaultdict(set)
        for seq, watchlist, entity, level in hits_of(work):
            by["watchlist", watchlist].add(seq)
            if watchlist == LIST:
                by["level", level].add(seq)
            if watchlist == LIST and level in STUDY.levels:
                by["entity", entity].add(seq)
                by["all", "all"].add(seq)
        for key, listed in by.items():
            slices[key].append((work, listed, own, flags["is_critical"]))
        if flags["is_listed"]:
            for key, authors in institutions_of(work, SIDE_A).items():
                slices["institution_a", key].append((work, by["all", "all"], authors, flags["is_critical"]))
    found = rows_of(
        tables["roles"].with_columns(key=pl.coalesce("slice_id", "slice")), "slice_kind", "key", "group", "role"
    )
    groups = {(*key, group): in_group(own, group) for key, own in slices.items() for group in GROUPS[2:]}
    wanted = {(*key, role) for key, own in groups.items() if is_shown(key, own) for role in ROLES}
    assert set(found) == wanted | {("all", "all", group, role) for group in GROUPS[2:] for role in ROLES}
    for (kind, slice_, group, role), row in found.items():
        own = groups.get((kind, slice_, group), [])
        agree(row, plain.roles(own, role, ASKED.small_cell), (kind, slice_, group, role))
        assert row["works"] == row["denominator"] + row["single_author"] + row["cut"] + row["unknown"]


@pytest.mark.parametrize("table", ["funders", "funding", "roles", "panel_funding", "panel_roles"])
def test_no_column_of_funders_and_roles_is_about_a_person(table: str) -> None:
    assert not [name for name in TABLES[table].schema.names() if "author_id" in name or "author_name" in name]


def test_nothing_is_said_of_who_has_a_role_over_fewer_works_than_the_floor_for_cells() -> None:
    spoken = 0
    for seed in range(6):
        for row in measured(seed, 40)["roles"].iter_rows(named=True):
            held = [row[name] for name in ("numerator", "share", "ci_low", "expected", "numerator_a", "alphabetical")]
            is_few = row["denominator"] < STUDY.small_cell
            assert held == [None] * len(held) if is_few else None not in held
            assert row["is_small"] or not is_few
            spoken += not is_few
    assert spoken


def test_institutions_and_entities_of_few_works_have_no_rows() -> None:
    for seed in range(6):
        for name in ("funding", "roles"):
            table = measured(seed, 40)[name].filter(pl.col("slice_kind") != "all")
            assert table.filter(pl.col("works") < STUDY.small_cell).is_empty()


def test_a_role_that_falls_by_lot_to_two_of_four_authors_meets_one_of_two_listed_ones_in_five_of_six_draws() -> None:
    works = pl.DataFrame({"n_authors": [4, 3, 3, 5], "holders": [2, 1, 3, 1], "listed": [2, 1, 1, 0]})
    assert by_lot(works).to_list() == pytest.approx([5 / 6, 1 / 3, 1, 0])


@pytest.mark.parametrize(
    ("names", "is_so"),
    [
        (["Jan Adams", "Bakker, Ann", "P. Claes"], True),
        (["Jan Zeman", "Ann Bakker"], False),
        (["Ann Åberg", "Ben Bos"], True),
        (["Jan Adams", None], False),
        (["Jan Adams", "J. Adams"], True),
    ],
)
def test_authors_are_in_order_of_family_names_however_they_are_written(names: list[str | None], is_so: bool) -> None:
    assert is_alphabetical(names) is is_so
