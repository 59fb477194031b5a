"""Rules of the part on funders and roles: numbers of the tables, with denominators and intervals, and no person."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from report_worlds import world

from copub.report.blocks import Grid
from copub.report.facts import Facts, facts_of
from copub.report.fundingsection import funding_section
from copub.report.messages import languages
from copub.report.panelfacts import pair_names
from copub.schema import empty


def facts_in(language: str, **changed: pl.DataFrame) -> Facts:
    tables, manifest = world(40)
    return facts_of({**tables, **changed}, {**manifest, "study": {**manifest["study"], "language": language}})


def texts_of(grids: list[Grid]) -> set[str]:
    return {text for grid in grids for row in grid.rows for cell in row for text in (cell.text, cell.detail) if text}


def per_institution(facts: Facts) -> list[Grid]:
    section = funding_section(facts)
    assert section is not None
    return list(section.extra["more"][1])


@pytest.mark.parametrize("language", languages())
def test_every_share_of_the_part_has_its_counts_and_its_interval(language: str) -> None:
    facts = facts_in(language)
    section = funding_section(facts)
    assert section is not None
    say, words = facts.words.say, facts.words
    awards, _, roles, _ = section.grids
    assert [len(grid.rows) for grid in section.grids] == [4, 1, 6, 6]
    row = facts.table("funding").filter(slice_kind="all", group="critical_listed").row(0, named=True)
    wanted = [
        words.name("measure", "critical_listed"),
        *(words.count(row[n]) for n in ("works", "denominator", "numerator")),
    ]
    assert [cell.text for cell in awards.rows[-1]] == [
        *wanted, words.percent(row["share"]), facts.bounds(row), words.count(row["awards"]),
    ]  # fmt: skip
    row = facts.table("roles").filter(slice_kind="all", group="listed", role="first").row(0, named=True)
    assert [cell.text for cell in roles.rows[0]][:7] == [
        words.name("role", "first"), words.name("measure", "listed"), words.count(row["denominator"]),
        words.count(row["numerator"]), words.percent(row["share"]), facts.bounds(row), words.percent(row["expected"]),
    ]  # fmt: skip
    row = facts.table("roles").filter(slice_kind="entity", group="listed", role="last").row(0, named=True)
    counts = say("label.k_of_n", k=words.count(row["numerator"]), n=words.count(row["denominator"]))
    lot = say("label.lot", share=words.percent(row["expected"]))
    assert f"{counts}; {facts.bounds(row)}; {lot}" in texts_of(per_institution(facts))


def test_the_notes_have_what_is_left_out_and_the_alphabetical_order() -> None:
    section = funding_section(facts_in("en"))
    assert section is not None
    *_, left_out, order = section.paragraphs
    assert "those of one author (1)" in left_out and "cut (2)" in left_out and "3 for the corresponding" in left_out
    assert order.startswith("In 4 of 114 works the authors are in alphabetical order; by chance it would be about 2.8.")


def test_a_group_of_an_institution_that_has_no_row_is_a_dash_and_an_institution_without_rows_is_not_there() -> None:
    tables, _ = world(40)
    few = tables["funding"].filter(
        ~((pl.col("slice_kind") == "institution_a") & (pl.col("group") == "critical_listed"))
    )
    roles = tables["roles"].filter(pl.col("slice_kind") == "all")
    awards, *others = per_institution(facts_in("en", funding=few, roles=roles))
    assert awards.rows[0][-1].text != "" and len(awards.heads) == 5, "the empty column is left out"
    assert len(others) == 1, "no grid of roles without rows of institutions"


def test_a_share_over_fewer_works_than_the_floor_and_a_grid_without_shares_are_not_shown() -> None:
    tables, manifest = world(40)
    few = {name: tables[name].with_columns(denominator=4) for name in ("funding", "roles")}
    study = {**manifest["study"], "small_cell": 5}
    section = funding_section(facts_of({**tables, **few}, {**manifest, "study": study}))
    assert section is not None and section.extra["more"] is None
    enough = funding_section(facts_of(tables, {**manifest, "study": study}))
    assert enough is not None and len(enough.extra["more"][1]) == 4


def test_every_pair_of_a_panel_has_its_awards_and_roles_and_one_without_rows_has_dashes() -> None:
    facts = facts_in("en")
    section = funding_section(facts)
    assert section is not None
    pairs = {row[0].text: row[1:] for row in section.grids[-1].rows}
    assert set(pairs) == set(pair_names(facts).values())
    assert [cell.text for cell in pairs["Malta"]] == ["–"] * 4
    assert (pairs["Belgium"][0].text, pairs["Belgium"][0].detail) == ("30.0%", "12 of 40; 18.0%\u00a0–\u00a045.0%")
    assert pairs["Belgium"][1].detail == "10 of 50; 10.0%\u00a0–\u00a035.0%; by lot 31.0%"
    alone = funding_section(facts_in("en", panel_funding=empty("panel_funding"), panel_roles=empty("panel_roles")))
    assert alone is not None and len(alone.grids) == 3


def test_a_run_without_these_tables_has_no_part() -> None:
    none: dict[str, Any] = {
        name: empty(name) for name in ("funders", "funding", "roles", "panel_funding", "panel_roles")
    }
    assert funding_section(facts_in("en", **none)) is None


@pytest.mark.parametrize("language", languages())
def test_the_part_names_no_author(language: str) -> None:
    facts = facts_in(language)
    section = funding_section(facts)
    assert section is not None
    shown = " ".join([section.lead, *section.paragraphs, *texts_of([*section.grids, *per_institution(facts)])])
    authors = facts.table("authorships")["author_name"].drop_nulls().unique()
    assert authors.len() and not [name for name in authors if name in shown]
