"""The oddities of the synthetic corpus: each is in the records where it was planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from copub.demo.oddities import ODDITIES
from copub.demo.places import PREFIX

Work = dict[str, Any]


def _countries(work: Work) -> set[str]:
    return {
        country
        for author in work["authorships"]
        for country in (*author["countries"], *(i["country_code"] for i in author["institutions"]))
        if country
    }


ODD: dict[str, Callable[[Work], bool]] = {
    "authors-3000": lambda w: len(w["authorships"]) == 3000,
    "authors-100": lambda w: len(w["authorships"]) == 100,
    "no-authors": lambda w: w["authorships"] == [],
    "author-without-id": lambda w: any(a["author"]["id"] is None for a in w["authorships"]),
    "author-placeholder": lambda w: any(a["author"]["id"] == PREFIX + "A9999999999" for a in w["authorships"]),
    "lineage-empty": lambda w: any(i["lineage"] == [] for a in w["authorships"] for i in a["institutions"]),
    "lineage-twice": lambda w: any(
        len(set(i["lineage"])) < len(i["lineage"]) for a in w["authorships"] for i in a["institutions"]
    ),
    "string-empty": lambda w: any("" in a["raw_affiliation_strings"] for a in w["authorships"]),
    "id-null-in-affiliation": lambda w: any(
        None in f["institution_ids"] for a in w["authorships"] for f in a["affiliations"]
    ),
    "string-unread": lambda w: any(
        a["raw_affiliation_strings"] and not a["countries"] and not a["institutions"] for a in w["authorships"]
    ),
    "title-null": lambda w: w["title"] is None,
    "title-empty": lambda w: w["title"] == "",
    "title-markup": lambda w: "<i>" in (w["title"] or ""),
    "title-capitals": lambda w: w["language"] == "en" and (w["title"] or "a").isupper(),
    "abstract-empty-object": lambda w: w["abstract_inverted_index"] == {},
    "abstract-string": lambda w: isinstance(w["abstract_inverted_index"], str),
    "abstract-empty-token": lambda w: (
        isinstance(w["abstract_inverted_index"], dict) and "" in w["abstract_inverted_index"]
    ),
    "retracted": lambda w: w["is_retracted"] is True,
    "retraction-unknown": lambda w: w["is_retracted"] is None,
    "paratext": lambda w: w["is_paratext"] and w["type"] == "paratext",
    "erratum": lambda w: w["type"] == "erratum",
    "peer-review": lambda w: w["type"] == "peer-review",
    "year-null": lambda w: w["publication_year"] is None,
    "language-null": lambda w: w["language"] is None,
    "topic-null": lambda w: w["primary_topic"] is None,
    "source-null": lambda w: w["primary_location"]["source"] is None,
    "doi-null": lambda w: w["doi"] is None,
    "ids-mag": lambda w: isinstance(w["ids"].get("mag"), str),
    "date-without-microseconds": lambda w: "." not in w["updated_date"],
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_oddity_stands_exactly_in_the_works_that_were_planned_to_bear_it(
    name: str, works: list[Work], facts: dict[str, dict[str, Any]]
) -> None:
    found = {work["id"] for work in works if ODD[name](work)}
    planned = {id for id, row in facts.items() if row["oddity"] == name}
    assert found == planned
    assert len(planned) == next(oddity.count for oddity in ODDITIES if oddity.name == name)


def test_every_oddity_of_the_table_is_planted(truth: pl.DataFrame) -> None:
    planted = dict(truth["oddity"].drop_nulls().value_counts().iter_rows())
    assert planted == {oddity.name: oddity.count for oddity in ODDITIES}


@pytest.mark.parametrize(("name", "late"), [("authors-150-late-a", "BE"), ("authors-150-late-b", "CN")])
def test_a_late_author_is_beyond_the_hundred_that_lists_give(
    name: str, late: str, works: list[Work], facts: dict[str, dict[str, Any]]
) -> None:
    for work in (work for work in works if facts[work["id"]]["oddity"] == name):
        assert late not in _countries({"authorships": work["authorships"][:100]})
        assert late in _countries(work)


def test_dual_authors_are_the_only_link_of_their_works(works: list[Work], facts: dict[str, dict[str, Any]]) -> None:
    for work in (work for work in works if facts[work["id"]]["oddity"] == "dual-only"):
        assert [a["countries"] for a in work["authorships"] if {"BE", "CN"} & set(a["countries"])] == [["BE", "CN"]]


def test_a_glued_block_stands_at_every_author(works: list[Work], facts: dict[str, dict[str, Any]]) -> None:
    for work in (work for work in works if facts[work["id"]]["oddity"] == "block-glued"):
        assert all(a["institutions"] == work["authorships"][0]["institutions"] for a in work["authorships"])
