from __future__ import annotations

from itertools import product
from urllib.parse import parse_qs

import pytest
from bibliography import author, work

from copub.demo.server_library import Library
from copub.sources.harvest import Query
from copub.sources.harvest.query import CELLS, SELECT, SIDES, WORLD

QUERY = Query(("BE",), ("CN", "HK", "MO"), 2000, 2025)
# every way in which an author can represent a side or not: institution's country, printed country
AUTHORS = [(None, None), ("BE", None), (None, "BE"), ("CN", None), (None, "HK"), ("DE", "DE")]


def _found(query: Query, library: Library, cell: str, span: str = "") -> set[int]:
    text = parse_qs(query.list_query(cell, span))["filter"][0]
    return {number for _, number in library.find(text, "core", "publication_date:asc")}


def test_the_four_queries_are_the_union_of_both_filters_without_overlap() -> None:
    triples = list(product(AUTHORS, repeat=3))
    works = [work(n + 1, [author(a, *codes) for a, codes in enumerate(triple)]) for n, triple in enumerate(triples)]
    library = Library(works)
    cells = [_found(QUERY, library, cell) for cell in CELLS]

    def has(number: int, codes: set[str]) -> bool:
        return any(code in codes for pair in triples[number] for code in pair)

    union = {number for number in range(len(works)) if has(number, {"BE"}) and has(number, {"CN", "HK", "MO"})}
    assert set().union(*cells) == union
    assert sum(map(len, cells)) == len(union)
    assert all(cells)


def test_the_context_queries_split_each_side_without_overlap() -> None:
    works = [work(n + 1, [author(1, *codes)]) for n, codes in enumerate(AUTHORS)]
    library = Library(works)
    found = {side: _found(QUERY, library, side) for side in SIDES}
    assert found == {"a-institutions": {1}, "a-countries": {2}, "b-institutions": {3}, "b-countries": {4}}


def test_the_world_is_all_works_with_the_country_of_an_institution() -> None:
    assert QUERY.filter_text(WORLD) == "countries_distinct_count:>0,publication_year:2000-2025"
    library = Library(
        [work(1, [author(1, "BE")]), work(2, [author(1, "FR")]), work(3, [author(1, None)], countries_distinct_count=0)]
    )
    assert _found(QUERY, library, WORLD) == {0, 1}


def test_a_span_narrows_to_a_year_or_to_whole_months() -> None:
    dates = ("2012-02-28", "2012-02-29", "2012-03-01", "2013-02-01")
    pair = [author(1, "BE"), author(2, "CN")]
    library = Library([work(n + 1, pair, date=date) for n, date in enumerate(dates)])
    assert _found(QUERY, library, "institutions") == {0, 1, 2, 3}
    assert _found(QUERY, library, "institutions", "2012") == {0, 1, 2}
    assert _found(QUERY, library, "institutions", "2012-02") == {0, 1}


def test_one_year_is_no_range() -> None:
    assert "publication_year:2013" in Query(("BE",), ("CN",), 2013, 2013).filter_text("institutions").split(",")


def test_the_expansion_corpus_is_asked_for_only_when_wanted() -> None:
    assert "corpus" not in QUERY.list_query("institutions")
    wide = Query(("BE",), ("CN",), 2000, 2025, expansion=True)
    assert parse_qs(wide.list_query("institutions"))["corpus"] == ["all"]
    assert parse_qs(wide.years_query("institutions"))["corpus"] == ["all"]


def test_countries_with_the_same_codes_in_another_order_are_the_same_query() -> None:
    assert QUERY.hash == Query(("BE",), ("MO", "CN", "HK"), 2000, 2025).hash


@pytest.mark.parametrize(
    "other",
    [
        Query(("CN", "HK", "MO"), ("BE",), 2000, 2025),
        Query(("BE",), ("CN",), 2000, 2025),
        Query(("BE",), ("CN", "HK", "MO"), 2001, 2025),
        Query(("BE",), ("CN", "HK", "MO"), 2000, 2025, expansion=True),
    ],
)
def test_everything_that_changes_the_works_changes_the_hash(other: Query) -> None:
    assert QUERY.hash != other.hash


def test_query_strings_hold_no_key_no_plus_and_only_root_fields() -> None:
    for cell in CELLS:
        text = QUERY.list_query(cell)
        assert "+" not in text and "api_key" not in text and "mailto" not in text
    assert not any("." in name for name in SELECT)
