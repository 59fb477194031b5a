"""One record in every shape that R, pandas and DuckDB give it is the same record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from copub.corpus.record import Unreadable, read_value, read_work
from copub.corpus.work import authorship_rows, award_rows, countries_of, work_row
from copub.sources.rawrecord import DEEPEST

PLAIN: dict[str, Any] = {
    "id": "https://openalex.org/W1",
    "doi": "https://doi.org/10.5555/a",
    "title": "A title",
    "publication_year": 2019,
    "is_retracted": False,
    "primary_location": {"source": {"display_name": "A journal"}},
    "authorships": [
        {
            "author_position": position,
            "author": {"id": f"https://openalex.org/A{code}1", "display_name": "Ada Berg"},
            "institutions": [{"id": f"https://openalex.org/I{n}", "display_name": "A", "country_code": code}],
            "countries": [code],
            "raw_affiliation_strings": [f"A, {code}"],
        }
        for n, (position, code) in enumerate((("first", "BE"), ("last", "CN")))
    ],
}


def boxed(value: Any) -> Any:
    """Return a value as R's jsonlite writes it: every single value is a list of one."""
    if isinstance(value, dict):
        return {name: boxed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [one if isinstance(one, str) else boxed(one) for one in value]
    return [value]


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


AUTHORS = PLAIN["authorships"]
SHAPES = {
    "boxed": boxed(PLAIN),
    "authorships as JSON text": PLAIN | {"authorships": json.dumps(AUTHORS)},
    "authorships as columns": PLAIN | {"authorships": columns(AUTHORS)},
    "objects as JSON text": PLAIN | {"primary_location": json.dumps(PLAIN["primary_location"])},
    "institution without a list": PLAIN
    | {"authorships": [a | {"institutions": a["institutions"][0]} for a in AUTHORS]},
    "texts without a list": PLAIN | {"authorships": [a | {"countries": a["countries"][0]} for a in AUTHORS]},
    "numbers as text": PLAIN | {"publication_year": "2019", "is_retracted": "FALSE"},
    "whole numbers as decimals": PLAIN | {"publication_year": 2019.0},
}


def rows_of(record: dict[str, Any]) -> tuple[Any, Any]:
    work, faults = read_value(record)
    assert not faults
    countries = countries_of(work)
    return work_row(work, "W1", countries, award_rows(work, "W1"))[0], authorship_rows(work, "W1", countries)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(shape: str) -> None:
    assert rows_of(SHAPES[shape]) == rows_of(PLAIN)


@pytest.mark.parametrize("missing", ["NA", "", "NaN", None, ["NA"]])
def test_what_stands_for_a_missing_number_is_none(missing: Any) -> None:
    assert rows_of(PLAIN | {"publication_year": missing})[0].publication_year is None


@pytest.mark.parametrize("odd", [["a", "b"], {"a": 1}, "[1, 2", "two thousand", [[2019, 2020]]])
def test_what_cannot_be_a_year_is_named(odd: Any) -> None:
    with pytest.raises(Unreadable, match="publication_year: a whole number expected"):
        read_value(PLAIN | {"publication_year": odd})


def deep(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return a record as JSON text, with a key that copub does not read and so many levels in all."""
    return f'{json.dumps(PLAIN)[:-1]}, "x": {opening * (levels - 2)}[]{closing * (levels - 2)}}}'.encode()


def on_a_stack_of(frames: int, text: bytes) -> Any:
    return on_a_stack_of(frames - 1, text) if frames else read_work(text)


@pytest.mark.parametrize("frames", [0, 300])
def test_how_deeply_a_record_may_be_nested_is_the_same_on_any_stack(frames: int) -> None:
    assert on_a_stack_of(frames, deep(DEEPEST)) == read_work(json.dumps(PLAIN).encode())
    for levels in (DEEPEST + 1, 990, 100_000):
        with pytest.raises(Unreadable, match="nested more than"):
            on_a_stack_of(frames, deep(levels))


@pytest.mark.parametrize("between", ["", " \n", '{"a": [1, {}], "b": '])
def test_spaces_and_siblings_do_not_hide_how_deeply_a_record_is_nested(between: str) -> None:
    closing = "}" if between.startswith("{") else ""
    with pytest.raises(Unreadable, match="nested more than"):
        read_work(deep(DEEPEST + 1, f"{between}[", f"]{closing}"))


@pytest.mark.parametrize("text", ["[" * 600, '\\"' + "[{" * 600, "]" * 600 + "\\\\", "[" * 300 + '\\\\\\"' + "[" * 300])
def test_brackets_in_a_text_are_no_levels(text: str) -> None:
    assert read_work(deep(DEEPEST, f'{{"{text}": ', "}"))[1] == []
    with pytest.raises(Unreadable, match="nested more than"):
        read_work(deep(DEEPEST + 1, f'{{"{text}": ', "}"))


def test_plain_values_that_are_nested_too_deeply_are_named_as_text_is() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Unreadable, match="nested more than"):
        read_value(PLAIN | {"x": value})


def numbered(values: list[Any]) -> dict[str, Any]:
    return {str(number): value for number, value in enumerate(values)}


LOST = {
    "authorships: a list expected, an object found": PLAIN | {"authorships": numbered(AUTHORS)},
    r"authorships\[0\].institutions: a list expected, an object found": PLAIN
    | {"authorships": [a | {"institutions": numbered(a["institutions"])} for a in AUTHORS]},
    r"authorships\[0\].countries: a list expected, an object found": PLAIN
    | {"authorships": [a | {"countries": numbered(a["countries"])} for a in AUTHORS]},
    r"authorships\[0\]: an object found, but none of its keys is known": PLAIN
    | {"authorships": [{"authorship": a} for a in AUTHORS]},
    r"authorships\[1\]: an object found, but none of its keys is known": PLAIN
    | {"authorships": [AUTHORS[0], {"authorship": AUTHORS[1]}], "language": 5},
    r"authorships\[1\].institutions\[0\]: an object found, but none of its keys is known": PLAIN
    | {"authorships": [AUTHORS[0], AUTHORS[1] | {"institutions": [{"institution": {"country_code": "CN"}}]}]},
}


@pytest.mark.parametrize("fault", LOST)
def test_authors_or_institutions_in_a_form_that_is_not_known_make_the_record_unreadable(fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        read_value(LOST[fault])


def test_other_lists_that_are_objects_of_unknown_keys_are_null_and_named() -> None:
    affiliations = numbered([{"raw_affiliation_string": "A, BE", "institution_ids": []}])
    topics = numbered([{"id": "https://openalex.org/T1", "score": 1.0}])
    work, faults = read_value(
        PLAIN | {"authorships": [AUTHORS[0] | {"affiliations": affiliations}, AUTHORS[1]], "topics": topics}
    )
    assert faults == [
        ("authorships[0].affiliations", "a list expected, an object found"),
        ("topics", "a list expected, an object found"),
    ]
    assert (work.topics, [a.affiliations for a in work.authorships or ()]) == (None, [None, None])


def test_authors_and_institutions_that_are_empty_or_of_nulls_stay_as_they_are() -> None:
    nowhere = {"id": None, "display_name": None, "country_code": None, "unknown": 1}
    work, faults = read_value(PLAIN | {"authorships": [{}, AUTHORS[0] | {"institutions": [{}, nowhere, None]}]})
    assert (faults, len(work.authorships or ())) == ([], 2)
