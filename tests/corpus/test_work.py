"""Rules of reading one Work of any era."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus.record import Authorship, Award, Funder, Institution, Link, Topic, Unreadable, Work, read_value
from copub.corpus.work import (
    AffiliationRow,
    AuthorshipRow,
    WorkRow,
    authorship_rows,
    award_rows,
    countries_of,
    doi_of,
    short_id,
    topic_rows,
    work_id_of,
    work_row,
)

GHENT = {
    "id": "https://openalex.org/I1",
    "display_name": "Ghent",
    "ror": "https://ror.org/00AB",
    "country_code": "BE",
    "lineage": ["https://openalex.org/I1", "https://openalex.org/I9", "https://openalex.org/I1"],
}
HARBIN = {"id": "https://openalex.org/I2", "display_name": "Harbin", "country_code": "CN", "lineage": []}


def read(value: Any) -> Work:
    return read_value(value)[0]


def row_of(value: Any) -> WorkRow:
    work = read(value)
    return work_row(work, "W1", countries_of(work), award_rows(work, "W1"))[0]


def rows_by_author(work: Work) -> list[tuple[AuthorshipRow, list[AffiliationRow]]]:
    authorships, affiliations = authorship_rows(work, "W1", countries_of(work))
    rows = [AffiliationRow(*row) for row in affiliations]
    return [(one := AuthorshipRow(*row), [r for r in rows if r.author_seq == one.author_seq]) for row in authorships]


def authors_of(*authorships: dict[str, Any]) -> list[tuple[AuthorshipRow, list[AffiliationRow]]]:
    work = read({"id": "W1", "authorships": authorships})
    return rows_by_author(work)


def affiliations_of(authorship: dict[str, Any]) -> list[tuple[Any, Any, str]]:
    ((_, rows),) = authors_of(authorship)
    return [(row.institution_id, row.raw_affiliation_string, row.link) for row in rows]


def test_strings_linked_by_openalex_keep_their_institutions() -> None:
    authorship = {
        "institutions": [GHENT, HARBIN],
        "raw_affiliation_strings": ["Ghent U", "Harbin IT", "Somewhere"],
        "affiliations": [
            {"raw_affiliation_string": "Ghent U", "institution_ids": ["https://openalex.org/I1"]},
            {"raw_affiliation_string": "Harbin IT", "institution_ids": ["https://openalex.org/I2", None]},
            {"raw_affiliation_string": "Somewhere", "institution_ids": []},
        ],
    }
    assert affiliations_of(authorship) == [
        ("I1", "Ghent U", "given"),
        ("I2", "Harbin IT", "given"),
        (None, "Somewhere", "none"),
    ]


def test_a_sole_string_belongs_to_every_institution_of_its_author() -> None:
    authorship = {"institutions": [GHENT, HARBIN], "raw_affiliation_string": "Ghent and Harbin"}
    assert affiliations_of(authorship) == [("I1", "Ghent and Harbin", "sole"), ("I2", "Ghent and Harbin", "sole")]


def test_several_strings_without_links_are_kept_apart_from_the_institutions() -> None:
    authorship = {"institutions": [GHENT], "raw_affiliation_strings": ["one", "two", "", "one"]}
    assert affiliations_of(authorship) == [("I1", None, "none"), (None, "one", "none"), (None, "two", "none")]


def test_an_institution_that_only_the_link_names_is_kept_by_its_id() -> None:
    authorship = {
        "institutions": [],
        "affiliations": [{"raw_affiliation_string": "x", "institution_ids": ["https://openalex.org/I7"]}],
    }
    assert affiliations_of(authorship) == [("I7", "x", "given")]


def test_empty_and_nameless_institutions_name_nothing() -> None:
    authorship = {
        "institutions": [{}, None, {"id": None, "display_name": None, "country_code": None}],
        "raw_affiliation_strings": ["x"],
    }
    assert affiliations_of(authorship) == [(None, "x", "none")]


def test_lineage_and_ror_are_short_and_without_repeats() -> None:
    ((_, (row,)),) = authors_of({"institutions": [GHENT]})
    assert (row.lineage, row.ror) == (["I1", "I9"], "00ab")


def test_countries_are_those_of_institutions_and_those_parsed() -> None:
    work = {"authorships": [{"countries": ["CN", None], "institutions": [GHENT, {}, None]}, {}]}
    assert countries_of(read(work)) == [["BE", "CN"], []]


@pytest.mark.parametrize("code", [["CN", "BE"], {"code": "CN"}, 7, True])
def test_a_country_code_that_is_no_text_makes_the_record_unreadable(code: Any) -> None:
    for authorship in ({"countries": ["BE", code]}, {"institutions": [GHENT, {**GHENT, "country_code": code}]}):
        with pytest.raises(Unreadable, match=r"^authorships\[0\]\S+: text expected, .* found$"):
            read({"id": "W1", "authorships": [authorship]})


def test_each_author_has_the_affiliations_of_its_own_whatever_those_before_have() -> None:
    ghent, harbin = ({"institutions": [i], "raw_affiliation_strings": [i["display_name"]]} for i in (GHENT, HARBIN))
    authorships = [ghent, ghent, harbin, {}, ghent, {**ghent, "raw_affiliation_strings": ["x"]}, {"institutions": []}]
    rows = authors_of(*authorships)
    for seq, (authorship, (row, found)) in enumerate(zip(authorships, rows, strict=True)):
        alone = affiliations_of(authorship)
        assert [(one.institution_id, one.raw_affiliation_string, one.link) for one in found] == alone
        assert [(one.author_seq, one.affiliation_seq) for one in found] == [(seq, n) for n in range(len(alone))]
        assert row.author_seq == seq


def test_placeholder_authors_have_no_id() -> None:
    placeholder = {"author": {"id": "https://openalex.org/A9999999999", "display_name": ":"}}
    ((row, _),) = authors_of(placeholder)
    assert row.author_id is None


def test_a_hundred_authors_may_be_a_cut_list() -> None:
    work = {"id": "W1", "authorships": [{}] * 100}
    assert row_of(work).is_truncated
    assert not row_of({**work, "authorships": [{}] * 101}).is_truncated
    assert row_of({**work, "authorships": [{}] * 3, "is_authors_truncated": True}).is_truncated


def test_missing_keys_are_null() -> None:
    row = row_of({"id": "https://openalex.org/W1"})
    assert {key for key, value in row._asdict().items() if value is None} >= {
        "doi",
        "title",
        "abstract",
        "publication_year",
        "type",
        "is_retracted",
    }


def test_a_title_falls_back_to_the_display_name() -> None:
    assert row_of({"title": None, "display_name": "A <i>b</i>"}).title == "A b"
    assert row_of({"title": "", "display_name": ""}).title is None


def test_an_impossible_date_is_null_and_the_year_stands() -> None:
    row = row_of({"publication_date": "2020-00-00", "publication_year": 2020})
    assert (row.publication_date, row.publication_year) == (None, 2020)
    assert row_of({"publication_date": "2020-02-03T00:00"}).publication_date == date(2020, 2, 3)


def test_the_source_may_stand_in_host_venue() -> None:
    assert row_of({"host_venue": {"display_name": "Journal &amp; Co", "publisher": "P"}}).source_name == "Journal & Co"


def test_a_primary_topic_alone_is_ranked_first() -> None:
    topics = list(topic_rows(read({"primary_topic": {"id": "https://openalex.org/T10", "score": 0.5}}), "W1"))
    assert [(t.rank, t.topic_id, t.score) for t in topics] == [(0, "T10", 0.5)]


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        "W1",
        {},
        {"id": None},
        {"id": "A5"},
        {"id": "A5W123"},
        {"id": "W1", "authorships": {}},
        {"id": "W1", "title": 5},
        {"id": "W1", "publication_year": "about 2020"},
        {"id": "W1", "publication_year": 2020.5},
        {"id": "W1", "publication_year": 10**400},
        {"id": "W1", "authorships": [{"institutions": 5}]},
        {"id": "W1", "authorships": ["x"]},
    ],
)
def test_what_is_no_work_is_unreadable_with_a_reason(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"\w+"):
        work_id_of(read(value))


@pytest.mark.parametrize(
    ("given_id", "short"),
    [
        ("https://openalex.org/W12", "W12"),
        ("w12", "W12"),
        (" https://openalex.org/W12/ ", "W12"),
        ("https://openalex.org/W12?x=1", "W12"),
        ("https://openalex.org/W12#top", "W12"),
        ("W", None),
        ("XW12", None),
        ("A5W12", None),
        ("10.5555/abcw12", None),
        ("https://openalex.org/works/W12", "W12"),
        ("W12.5", None),
        (None, None),
    ],
)
def test_ids_are_shortened(given_id: Any, short: str | None) -> None:
    assert short_id(given_id) == short


@pytest.mark.parametrize(
    ("value", "doi"),
    [
        ("https://doi.org/10.1000/ABC", "10.1000/abc"),
        ("https://doi.org/10.1000/abc#sec1", "10.1000/abc"),
        ("https://doi.org/10.1000/abc&amp;utm_source=x", "10.1000/abc"),
        ("http://dx.doi.org/10.1000/abc;jsessionid=12", "10.1000/abc"),
        ("“10.1000/abc”", "10.1000/abc"),
        ("10.1000/abc’", "10.1000/abc"),
        ("10.1000/abc…", "10.1000/abc"),
        ("<doi>10.1000/abc</doi>", "10.1000/abc"),
        ("doi:10.1000/abc;", "10.1000/abc"),
        ("https://doi.org/10.1000/abc/", "10.1000/abc"),
        ("https://doi.org/10.1000/abc\u200b", "10.1000/abc"),
        ("http://dx.doi.org/10.1000/abc?via=ihub", "10.1000/abc"),
        ("see (https://doi.org/10.1000/abc(1)).", "10.1000/abc(1)"),
        ("https://doi.org/10.1000%2Fabc%281%292%3C3%3A%3Aid%3E4", "10.1000/abc(1)2<3::id>4"),
        ("https://doi.org/10.1000/abc(1)2&lt;3::id&gt;4", "10.1000/abc(1)2<3::id>4"),
        ("10.1/x", None),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_only_dois_are_dois(value: Any, doi: str | None) -> None:
    assert doi_of(value) == doi


@pytest.mark.parametrize("year", [2019, 2019.0, "2019", "2019.0"])
def test_a_whole_number_is_read_however_it_is_written(year: Any) -> None:
    assert row_of({"publication_year": year}).publication_year == 2019


def test_a_bare_text_is_read_where_a_list_of_texts_belongs() -> None:
    boxed = {
        "countries": ["BE"],
        "raw_affiliation_strings": ["Ghent U"],
        "institutions": [{**GHENT, "lineage": ["I1"]}],
    }
    bare = {"countries": "BE", "raw_affiliation_strings": "Ghent U", "institutions": [{**GHENT, "lineage": "I1"}]}
    assert authors_of(bare) == authors_of(boxed)


def test_truth_values_of_spreadsheets_are_read() -> None:
    assert [row_of({"is_xpac": v}).is_xpac for v in ("TRUE", "false", 1, 0)] == [True, False, True, False]
    assert row_of({"is_xpac": "maybe"}).is_xpac is None


def test_a_value_of_a_wrong_type_is_null_and_named_and_the_rest_of_the_record_is_read() -> None:
    odd = {"author": 7, "countries": ["BE"], "raw_affiliation_strings": [5, "Ghent U"]}
    work, faults = read_value({"id": "W1", "authorships": [odd], "funders": [{"display_name": []}]})
    assert faults == [
        ("funders[0].display_name", "text expected, a list found"),
        ("authorships[0].author", "an object expected, a number found"),
        ("authorships[0].raw_affiliation_strings[0]", "text expected, a number found"),
    ]
    ((author, (affiliation,)),) = rows_by_author(work)
    assert (author.countries, affiliation.raw_affiliation_string) == (["BE"], "Ghent U")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = [
    name for kind in (Work, Authorship, Institution, Link, Topic, Award, Funder) for name in kind.__struct_fields__
]


@given(st.recursive(JSON, lambda i: st.dictionaries(st.sampled_from(FIELDS), i | st.lists(i, max_size=3), max_size=6)))
def test_any_json_is_read_or_named_as_unreadable(value: Any) -> None:
    try:
        work, _ = read_value(value)
        countries = countries_of(work)
        rows, _ = authorship_rows(work, "W1", countries)
        assert len(rows) == len(work.authorships or ())
        assert work_row(work, "W1", countries, [])[0].n_authors == len(rows)
        list(topic_rows(work, "W1"))
        award_rows(work, "W1")
    except Unreadable as reason:
        assert str(reason)


def test_a_doi_written_twice_or_with_spaces_is_one_doi() -> None:
    for printed in ("10.5555/abc.12310.5555/abc.123", " 10.5555 / abc.123", "https://doi.org/10.5555/ABC.123"):
        assert doi_of(printed) == "10.5555/abc.123"
