"""JSON that does not fit is refused in plain words, not in those of the parser."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from copub.jsonshape import misfit


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """One value of each kind that shapes ask for."""

    count: Annotated[int, msgspec.Meta(ge=0, le=5)]
    names: list[str] = []
    kind: Literal["p", "q"] = "p"
    share: float | None = None
    code: Annotated[str, msgspec.Meta(max_length=3, pattern="^a")] = "a"
    is_small: bool = True


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "an object expected, a list found"),
        (None, "an object expected, null found"),
        ({}, "the key count is missing"),
        ({"count": 1, "more": 2}, "the key more is not known"),
        ({"count": "1"}, "count: a whole number expected, text found"),
        ({"count": 9}, "count: a whole number of at most 5 expected"),
        ({"count": -1}, "count: a whole number of at least 0 expected"),
        ({"count": 1, "names": {}}, "names: a list expected, an object found"),
        ({"count": 1, "names": [1]}, "names[0]: text expected, a whole number found"),
        ({"count": 1, "kind": "z"}, "kind: the value 'z' is not known"),
        ({"count": 1, "share": "x"}, "share: a number or null expected, text found"),
        ({"count": 1, "code": "abcd"}, "code: text of at most 3 characters expected"),
        ({"count": 1, "code": "b"}, "code: text of another form expected"),
        ({"count": 1, "is_small": 1.5}, "is_small: true or false expected, a number found"),
    ],
)
def test_what_does_not_fit_a_shape_is_named_in_plain_words(value: Any, words: str) -> None:
    assert misfit(value, Shape) == words


def test_what_fits_is_not_named() -> None:
    assert misfit({"count": 1}, Shape) == ""
