"""One record in every shape that R, pandas and DuckDB give it is the same record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from copub.corpus.record import Unreadable, read_value
from copub.corpus.work import authorship_rows, award_rows, countries_of, work_row

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
