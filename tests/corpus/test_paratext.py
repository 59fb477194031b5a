"""Titles of parts of an issue leave the denominator only where nothing else says what the record is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus import Entry, tabulate
from copub.corpus.paratext import paratext_title
from copub.corpus.population import population
from copub.sources.rawrecord import Record
from copub.study import parse_study

STUDY = (Path(__file__).resolve().parents[2] / "studies" / "belgium-china.toml").read_text(encoding="utf-8")


def named(title: str | None, kind: str | None = None, abstract: str = "none") -> str | None:
    return paratext_title(kind, title, abstract)


@pytest.mark.parametrize(
    "title",
    [
        "Editorial Board",
        "LIST OF CONTRIBUTORS",
        "Front-Matter",
        "Table of contents.",
        "AJI volume 65 issue 5 Cover and Back matter",
    ],
)
def test_a_part_of_an_issue_without_a_type_is_known_by_its_whole_title(title: str) -> None:
    assert named(title)


@pytest.mark.parametrize(
    "title",
    [
        "Contributors to the thermal conductivity of graphene",
        "The editorial board as gatekeeper",
        "A stability index for feature selection",
        "Index theory",
        "Covers of finite groups",
        "Preface",
        "Erratum",
        "",
        None,
    ],
)
def test_papers_whose_title_only_holds_such_words_stay(title: str | None) -> None:
    assert not named(title)


def test_a_type_or_an_abstract_says_more_than_the_title() -> None:
    assert not named("Editorial Board", "article")
    assert not named("Editorial Board", None, "full")
    assert not named("Editorial Board", None, "short")


@given(
    st.text(max_size=40), st.sampled_from(["Index", "Contents", "Editorial Board"]), st.text(min_size=1, max_size=40)
)
def test_words_around_a_title_of_paratext_make_it_another_title(before: str, title: str, after: str) -> None:
    whole = f"{before} {title} x{after}"
    assert not named(whole)


def record(number: int, title: str, kind: str | None = None) -> Record:
    authors = [{"author": {"display_name": code}, "countries": [code]} for code in ("BE", "CN")]
    value = {"id": f"W{number}", "title": title, "type": kind, "publication_year": 2015, "authorships": authors}
    return Record(value, "test", ("works-file",))


def test_the_funnel_counts_and_names_them_and_a_study_may_keep_them() -> None:
    records = [
        record(1, "Editorial Board"),
        record(2, "Contributors"),
        record(3, "On sheep"),
        record(4, "Index", "article"),
    ]
    study = parse_study(STUDY)
    corpus = tabulate(records, Entry.of(study))
    left = population(study, corpus["works"], corpus["authorships"])
    assert left.filter(pl.col("excluded_because").is_null())["work_id"].to_list() == ["W3", "W4"]
    steps = {step["step"]: step for step in corpus.funnel.to(left, corpus["works"]).steps()}
    assert steps["left out: paratext title"]["count"] == 2
    assert steps["left out: paratext title"]["note"] == "contributors 1, editorial board 1"
    assert steps["co-publications counted"]["count"] == 2
    kept = parse_study(STUDY.replace("[works]", "[works]\nparatext_titles = true"))
    assert population(kept, corpus["works"], corpus["authorships"])["excluded_because"].null_count() == 4
