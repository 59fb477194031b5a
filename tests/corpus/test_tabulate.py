"""Rules of the way from records to the study's co-publications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus import TABULATED, Corpus, Entry, tabulate
from copub.corpus.funnel import Funnel
from copub.corpus.population import authorships_under, population
from copub.errors import InputError
from copub.schema import TABLES
from copub.sources.rawrecord import Record
from copub.sources.worksfile import read_works
from copub.study import Study, parse_study

STUDY = """
[study]
id = "t"
title = "t"
[sides.a]
name = "Belgium"
countries = ["BE"]
[sides.b]
name = "China"
countries = ["CN"]
[years]
from = 2010
to = 2020
[works]
exclude_types = ["paratext"]
include_retracted = false
author_cap = 3
[technology]
headline = "eu-2023-2113"
[screening]
headline = ["aspi-cdut-2019"]
"""


@pytest.fixture(scope="module")
def study() -> Study:
    return parse_study(STUDY)


def work(number: int, *countries: str, **extra: Any) -> dict[str, Any]:
    authors = [
        {"author": {"id": f"https://openalex.org/A{n}", "display_name": f"N {n}"}, "countries": [c]}
        for n, c in enumerate(countries)
    ]
    return {
        "id": f"https://openalex.org/W{number}",
        "title": f"work number {number}",
        "publication_year": 2015,
        "authorships": authors,
        **extra,
    }


def corpus_of(study: Study, *values: Any) -> Corpus:
    return tabulate([Record(value, f"line {n}", ("works-file",)) for n, value in enumerate(values)], Entry.of(study))


def seen_by(study: Study, corpus: Corpus) -> tuple[dict[str, str | None], Funnel]:
    """Return why the study leaves each work out, and the funnel to its denominator."""
    found = population(study, corpus["works"], corpus["authorships"])
    return dict(found.iter_rows()), corpus.funnel.to(found, corpus["works"])


def test_only_works_with_both_sides_are_co_publications(study: Study) -> None:
    corpus = corpus_of(study, work(1, "BE", "CN"), work(2, "BE", "HK"), work(3, "CN"), work(4))
    assert corpus["works"]["work_id"].to_list() == ["W1"]
    assert corpus.funnel.works == 4


def test_one_author_with_both_countries_makes_a_co_publication(study: Study) -> None:
    both = work(1, "BE")
    both["authorships"][0]["countries"] = ["BE", "CN"]
    corpus = corpus_of(study, both)
    sided = authorships_under(corpus["authorships"], study)
    assert sided.select("on_side_a", "on_side_b").row(0) == (True, True)
    assert seen_by(study, corpus)[0] == {"W1": None}


def test_what_is_left_out_is_counted_by_its_reason_and_stays_in_the_table(study: Study) -> None:
    corpus = corpus_of(
        study,
        work(1, "BE", "CN"),
        work(2, "BE", "CN", publication_year=1999),
        work(3, "BE", "CN", publication_year=None),
        work(4, "BE", "CN", type="paratext"),
        work(5, "BE", "CN", is_paratext=True),
        work(6, "BE", "CN", is_retracted=True),
        work(7, "BE", "CN", is_xpac=True),
        work(8, "BE", "CN", "CN", "CN"),
    )
    reasons, funnel = seen_by(study, corpus)
    assert reasons == {
        "W1": None,
        "W2": "year",
        "W3": "year",
        "W4": "type",
        "W5": "type",
        "W6": "retracted",
        "W7": "expansion",
        "W8": "author cap",
    }
    assert funnel.copublications == 8
    assert funnel.population == 1
    steps = {step["step"]: (step["count"], step.get("note")) for step in funnel.steps()}
    assert steps["left out: year"] == (2, "1999 1, unknown 1")
    assert steps["co-publications counted"][0] == 1


def test_unreadable_and_repeated_records_are_counted_and_named(study: Study) -> None:
    corpus = corpus_of(study, work(1, "BE", "CN"), 17, {"id": "A5"}, work(1, "BE", "CN"))
    assert [where for where, _ in corpus.funnel.unreadable] == ["line 1", "line 2"]
    assert corpus.funnel.repeated == [("line 3", "W1 was read before")]
    coverage = corpus.funnel.table()
    named = coverage.filter(pl.col("slice_kind") == "record")
    assert named["slice"].to_list() == ["line 3", "line 1", "line 2"]
    assert coverage.schema == TABLES["coverage"].schema
    assert corpus.funnel.read == corpus.funnel.works + 3


def test_a_record_with_a_country_code_that_is_no_text_is_named_and_no_work(study: Study) -> None:
    odd = {**work(2, "BE", "CN"), "authorships": [{"countries": ["BE", ["CN"]]}]}
    corpus = corpus_of(study, work(1, "BE", "CN"), odd)
    assert corpus.funnel.unreadable == [("line 1", "authorships[0].countries[1]: text expected, a list found")]
    assert corpus["works"]["work_id"].to_list() == ["W1"]


def test_duplicates_are_marked_by_doi_and_by_title_year_and_first_author(study: Study) -> None:
    same = "One and the same long enough title"
    corpus = corpus_of(
        study,
        work(1, "BE", "CN", doi="https://doi.org/10.1234/x", publication_date="2015-05-01"),
        work(2, "BE", "CN", doi="https://doi.org/10.1234/X", publication_date="2015-01-01"),
        work(3, "BE", "CN", title=same),
        work(4, "BE", "CN", title=same.upper() + "!"),
        work(5, "BE", "CN", title=same, publication_year=2016),
        work(6, "BE", "CN", title="Editorial"),
        work(7, "BE", "CN", title="Editorial"),
    )
    marked = dict(corpus["works"].select("work_id", "duplicate_of").iter_rows())
    assert marked == {"W1": "W2", "W2": None, "W3": None, "W4": "W3", "W5": None, "W6": None, "W7": None}


def test_no_records_give_empty_tables_of_the_schema(study: Study) -> None:
    corpus = corpus_of(study)
    assert all(corpus[name].schema == TABLES[name].schema for name in TABULATED)
    assert corpus.funnel.table()["share"].null_count() == corpus.funnel.table().height


def test_a_list_of_a_hundred_authors_is_whole_when_the_work_was_asked_for_singly(study: Study) -> None:
    uncapped = parse_study(STUDY.replace("author_cap = 3", "author_cap = 0"))
    hundred = work(1, "BE", *["CN"] * 99)
    records = [Record(hundred, "x", ("q",), is_whole=True), Record({**hundred, "id": "W2"}, "y", ("q",))]
    cut = dict(tabulate(records, Entry.of(uncapped))["works"].select("work_id", "is_truncated").iter_rows())
    assert cut == {"W1": False, "W2": True}


def test_the_epoch_stems_from_the_day_of_retrieval(study: Study) -> None:
    records = [
        Record(work(n, "BE", "CN"), "x", ("q",), day) for n, day in enumerate(["", "2026-08-01", "2026-11-01"], 1)
    ]
    epochs = tabulate(records, Entry.of(study))["works"]["epoch"].to_list()
    assert epochs[0] == "unknown"
    assert len(set(epochs)) == 3


def test_a_text_that_is_too_long_is_read_in_part_and_named(study: Study) -> None:
    corpus = tabulate([Record(work(1, "BE", "CN", title="word " * 100_000), "w:1", ("works-file",))], Entry.of(study))
    assert corpus["works"]["title"].str.len_chars().item() < 20_001
    notes = corpus.funnel.table().filter(metric="text read in part")
    assert notes.select("slice", "note").rows() == [("w:1", "title of 500000 characters, 20000 read")]


def test_records_read_in_part_or_with_wrong_values_are_counted_beside_the_first_thousand_that_are_named(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copub.corpus.funnel.NAMED_RECORDS", 2)
    odd = {"language": 5, "doi": 7, "type": "x" * 400}
    given = [work(n, "BE", "CN", **(odd if n < 6 else {})) for n in range(1, 9)]
    table = tabulate([Record(one, f"w:{n}", ()) for n, one in enumerate(given)], Entry.of(study)).funnel.table()
    totals = table.filter(pl.col("metric").str.starts_with("records with"), slice_kind="all")
    assert dict(totals.select("metric", "count").iter_rows()) == {
        "records with texts read in part": 5,
        "records with values of a wrong type": 5,
    }
    assert table.filter(slice_kind="record").height == 4


def test_a_name_that_is_too_long_is_read_in_part_and_named(study: Study) -> None:
    name = "name " * 40_000
    author = {"author": {"display_name": name}, "institutions": [{"display_name": name, "country_code": "BE"}]}
    record = work(1, "CN") | {
        "authorships": [author, {"countries": ["CN"]}],
        "awards": [{"funder_display_name": name, "funder_award_id": "1" * 200_000}],
        "funders": [{"id": "F1", "display_name": name}],
        "type": name,
        "language": name,
        "topics": [{"id": "T1", "display_name": name, "field": {"display_name": name}}],
        "primary_location": {"source": {"display_name": name, "host_organization_name": name}},
    }
    corpus = tabulate([Record(record, "w:1", ("works-file",))], Entry.of(study))
    names = {
        "authorships": ["author_name"],
        "affiliations": ["institution_name"],
        "works": ["source_name", "publisher", "type", "language"],
        "topics": ["topic_name", "field"],
        "awards": ["funder_name", "award_number", "award_key"],
    }
    for table, columns in names.items():
        lengths = corpus[table].select(pl.col(columns).str.len_chars().max()).row(0)
        assert max(lengths) <= 300, table
    (note,) = corpus.funnel.table().filter(metric="text read in part")["note"]
    whose = ("an author", "an institution", "a journal", "a publisher", "a funder", "a topic", "a field")
    named = sorted([f"name of {one}" for one in whose] + ["number of an award", "type", "language"])
    assert note == "; ".join(f"{what} of 200000 characters, 300 read" for what in named)


def test_a_doi_that_is_too_long_is_none_and_named(study: Study) -> None:
    corpus = tabulate([Record(work(1, "BE", "CN") | {"doi": "10.5555/" + "a" * 3000}, "w:1", ())], Entry.of(study))
    assert corpus["works"]["doi"].to_list() == [None]
    notes = corpus.funnel.table().filter(metric="text read in part")["note"].to_list()
    assert notes == ["DOI of 3008 characters, 2000 read"]


@pytest.mark.parametrize("content", ["", '{"a": 1}\n[2]\n'])
def test_works_files_without_any_work_are_refused(study: Study, tmp_path: Path, content: str) -> None:
    (tmp_path / "w.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"no readable work|no record"):
        tabulate(read_works([tmp_path / "w.jsonl"]), Entry.of(study))


def test_a_work_with_exactly_as_many_authors_as_the_cap_stays(study: Study) -> None:
    corpus = corpus_of(study, work(1, "BE", "CN", "CN"), work(2, "BE", "CN", "CN", "CN"))
    assert seen_by(study, corpus)[0] == {"W1": None, "W2": "author cap"}


@given(
    st.lists(st.lists(st.sampled_from(["BE", "CN", "FR", "HK"]), max_size=3), max_size=4),
    st.lists(st.tuples(*[st.lists(st.sampled_from(["BE", "CN", "FR", "HK"]), min_size=1, max_size=2)] * 2), max_size=3),
)
def test_a_work_enters_with_authors_on_both_sides_of_a_pair_or_without_pairs_with_two_countries(
    countries: list[list[str]], pairs: list[tuple[list[str], list[str]]]
) -> None:
    codes = {code for author in countries for code in author}
    wanted = any(set(a) & codes and set(b) & codes for a, b in pairs) if pairs else len(codes) >= 2
    assert Entry(tuple((tuple(a), tuple(b)) for a, b in pairs)).admits(countries) is wanted
