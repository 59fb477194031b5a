"""Rules of the works table: evidence that can be followed, in data that cannot act."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.report.explorer import as_script, explorer_data
from copub.report.facts import Facts, facts_of
from copub.report.page import works_section
from copub.report.workevidence import CONTEXT, HITS, TITLE, cut, doi_of, evidence_of, snippet, terms_of


@pytest.fixture
def facts(world: Any) -> Facts:
    return facts_of(*world)


@pytest.mark.parametrize("value", ["10.1000/182", "10.1016/j.x.2020.01.001", "10.12345/A(b)c;d"])
def test_a_doi_is_a_doi(value: str) -> None:
    assert doi_of(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "javascript:alert(1)",
        "10.1/x",
        "https://doi.org/10.1000/1",
        "10.1000/a b",
        "x10.1000/1",
        "10.1000/1\n",
    ],
)
def test_anything_else_is_no_link(value: str | None) -> None:
    assert doi_of(value) == ""


def test_each_hit_shows_the_matched_characters_in_their_place(facts: Facts) -> None:
    data = explorer_data(facts)
    hits = [(data["entities"][hit[0]][0], data["snippets"][hit[4]]) for work in data["works"] for hit in work[9]]
    assert hits
    assert all(before.endswith("School of Mock Studies, ") and matched == name for name, (before, matched, _) in hits)


def test_each_work_has_its_areas_level_tier_and_reasons(facts: Facts) -> None:
    data = explorer_data(facts)
    for year, title, doi, areas, entities, own, level, tiers, reasons, hits, more in data["works"]:
        assert 2010 <= year <= 2025 and title and doi.startswith("10.5555/")
        assert areas and entities and own and tiers and hits and more == 0
        assert data["levels"][level] in ("very high", "high")
        assert {reason[0] for reason in reasons} == set(areas)


def test_newest_works_come_first(facts: Facts) -> None:
    years = [work[0] for work in explorer_data(facts)["works"]]
    assert years == sorted(years, reverse=True)


def test_areas_carry_the_names_of_the_taxonomy_or_readable_ids(facts: Facts) -> None:
    assert set(explorer_data(facts)["areas"]) <= {
        "Artificial intelligence", "Semiconductors", "Quantum", "Energy", "Materials manufacturing",
    }  # fmt: skip


def test_many_like_hits_are_counted_not_listed(world: Any) -> None:
    tables, manifest = world
    hits = tables["hits"]
    copies = [hits.with_columns(matched_text=hits["matched_text"] + str(n)) for n in range(HITS + 3)]
    facts = facts_of({**tables, "hits": hits.clear().vstack(copies[0]).extend(type(hits)(
        [row for frame in copies[1:] for row in frame.to_dicts()], schema=hits.schema))}, manifest)  # fmt: skip
    works = facts.table("copublications").filter("is_critical_listed")
    evidence = evidence_of(facts, works)
    assert {len(group) for group in evidence.hits.values()} == {HITS}
    assert set(evidence.more.values()) == {3}


def test_uncounted_hits_are_not_shown(world: Any) -> None:
    tables, manifest = world
    silent = tables["hits"].with_columns(is_counted=False)
    assert not [
        hit for work in explorer_data(facts_of({**tables, "hits": silent}, manifest))["works"] for hit in work[9]
    ]


def test_addresses_in_affiliations_are_blanked(facts: Facts) -> None:
    row = {
        "field": "raw_affiliation_string",
        "value": "a@b.example, Mock University, c.d@e-f.example",
        "matched_text": "Mock University",
        "matched_start": 13,
        "matched_end": 28,
    }
    assert snippet(facts, row) == ("[e-mail], ", "Mock University", ", [e-mail]")


def test_a_match_without_place_is_shown_as_text(facts: Facts) -> None:
    row = {
        "field": "institution_name",
        "value": "I123",
        "matched_text": None,
        "matched_start": None,
        "matched_end": None,
    }
    assert snippet(facts, row) == ("", "I123", "")
    row = {
        "field": "raw_affiliation_string",
        "value": "short",
        "matched_text": "x",
        "matched_start": 3,
        "matched_end": 99,
    }
    assert snippet(facts, row) == ("", "x", "")


def test_a_matched_identifier_is_followed_by_the_name_of_the_institution(facts: Facts) -> None:
    row = {"field": "institution_id", "value": "I1", "matched_text": "I1", "matched_start": 0, "matched_end": 2}
    assert snippet(facts, {**row, "institution_name": "Mock University"}) == ("", "I1", " (Mock University)")
    assert snippet(facts, row) == ("", "I1", "")


def test_long_texts_are_cut_around_the_match(facts: Facts) -> None:
    value = "a" * 500 + "MATCH" + "b" * 500
    row = {
        "field": "raw_affiliation_string",
        "value": value,
        "matched_text": "MATCH",
        "matched_start": 500,
        "matched_end": 505,
    }
    before, matched, after = snippet(facts, row)
    assert matched == "MATCH" and before.startswith("…") and after.endswith("…")
    assert len(before) == CONTEXT + 1 and len(after) == CONTEXT
    assert len(cut("x" * 10_000, TITLE)) == TITLE


def test_terms_are_shown_once(facts: Facts) -> None:
    assert terms_of(["a", "b", "a"]) == ["a", "b"]
    assert terms_of(None) == []


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_data_in_a_script_element_never_leaves_it_and_reads_back(data: Any) -> None:
    text = as_script(data)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == data


@pytest.mark.parametrize(("stated", "wanted"), [
    ([None], None),
    ([True], "found it critical"),
    ([True, True], "found each of them critical"),
    ([True, False], "People have read 2 of these works. They found 1 of them not critical: {second}."),
])  # fmt: skip
def test_readings_are_those_of_people_only_where_the_labels_of_the_study_hold_them(
    facts: Facts, stated: list[bool | None], wanted: str | None
) -> None:
    works = facts.table("copublications")
    ids = works.filter("is_critical_listed").sort("publication_year", "work_id", descending=[True, False])["work_id"]
    read = pl.DataFrame({"work_id": ids[: len(stated)], "read_critical": pl.Series(stated, dtype=pl.Boolean)})
    given = works.drop("read_critical").join(read, on="work_id", how="left", maintain_order="left")
    tables = {**facts.tables, "copublications": given}
    section = works_section(
        facts_of(tables, {**facts.manifest, "labelled": read.rename({"read_critical": "critical"}).to_dicts()})
    )
    assert section is not None
    if any(
        critical is not None for critical in stated
    ):  # without labels of the study nobody but the training read them
        trained = works_section(facts_of(tables, facts.manifest))
        assert trained is not None and "People have read" not in trained.lead
        assert f"Labels that trained the classifier cover {len(stated)} of these works" in trained.lead
    if wanted is None:
        assert "People have read" not in section.lead
    else:
        assert wanted.format(second=ids[len(stated) - 1]) in section.lead
