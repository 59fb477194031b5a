"""Strategies over the schemas of what copub reads: records, answers, headers, lists, studies, manifests, journals.

`shaped` draws a value for a shape as the code has it (`copub.corpus.record`, `copub.sources.harvest.answershapes`,
`copub.runs.shape`), so that a new key is fuzzed without a word here. At every place an odd value may be instead.
"""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec
from hypothesis import strategies as st

from copub.countries import COUNTRIES
from copub.lists.entity import COLUMNS
from copub.lists.watchlist import MEMBER_COLUMNS
from copub.study.studykeys import SETTINGS

CODES = sorted(COUNTRIES)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "\0", "=1+1", "<b>x</b>", "\u202e", "NaN", "null", "-1", "1e999", "9" * 400, "../../x", "a" * 2_000,
         "2015-02-30", "2015", "W1", "https://openalex.org/W1", "https://openalex.org/I1", "BE", "CN",
         "Beihang University"]
    ),
)  # fmt: skip
ODD = st.one_of(
    st.none(),
    st.booleans(),
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, -1, 2**31, 2**53, 10**18, 1e308, -0.0, 1.5]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.just([[[[[[]]]]]]),
)
"""What is where something else belongs."""
_ODDS = 12
_ASCII = st.characters(codec="ascii")


def maybe_odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a usual value, and an odd one now and then."""
    return st.integers(0, _ODDS).flatmap(lambda chance: ODD if chance == 0 else usual)


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Draw plain values for a type, an annotated type or a `msgspec.Struct`; odd ones at any place."""
    return maybe_odd(_usual(shape))


def _usual(shape: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(shape), typing.get_args(shape)
    if origin is typing.Annotated:
        patterns = [one.pattern for one in arguments[1:] if isinstance(one, msgspec.Meta) and one.pattern]
        return st.from_regex(patterns[0], alphabet=_ASCII) if patterns else _usual(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_usual(one) for one in arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(shaped(arguments[0]), max_size=3)
    if origin is tuple:
        return st.tuples(*(shaped(one) for one in arguments)).map(list)
    if origin is dict:
        return st.dictionaries(_usual(arguments[0]).map(str), shaped(arguments[1]), max_size=3)
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return _struct(shape)
    return _SCALARS.get(shape, ODD)


def _struct(shape: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(shape, include_extras=True)
    parts = {name: st.deferred(lambda hint=hint: shaped(hint)) for name, hint in hints.items()}  # type: ignore[misc]
    return st.fixed_dictionaries({}, optional=parts)


_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(0, 3_000),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
    msgspec.Raw: st.one_of(st.dictionaries(st.text(max_size=5), st.lists(st.integers(-1, 50), max_size=3)), ODD),
}

HEADERS = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Credits-Used",
         "X-RateLimit-Credits-Required", "ratelimit-limit", "ratelimit-reset", "Location", "Content-Type"]
    ),
    st.one_of(
        st.integers(-(10**20), 10**20).map(str),
        st.sampled_from(["nan", "inf", "-inf", "1e308", "1e400", "", "9" * 5_000, "Wed, 21 Oct 2026 07:28:00 GMT"]),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
    ),
    max_size=5,
)  # fmt: skip

CELLS = st.one_of(
    TEXTS, st.sampled_from(["|", "a|b", "yes", "no", "very high", '"', "'x", "a\nb", "2015-01-01", "all"])
)


@st.composite
def csv_lists(draw: st.DrawFn, columns: tuple[str, ...] = tuple(MEMBER_COLUMNS)) -> str:
    """Draw a CSV file: usual columns with odd cells, or columns of any kind, or torn lines."""
    chosen = draw(st.lists(st.sampled_from([*columns, "entity_id", "name", "x", ""]), max_size=8))
    separator = draw(st.sampled_from(",,,;\t"))
    rows = draw(st.lists(st.lists(CELLS, max_size=9), max_size=6))
    quote = draw(st.sampled_from([True, True, False]))

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote else text

    lines = [separator.join(chosen), *(separator.join(map(cell, row)) for row in rows)]
    end = draw(st.sampled_from(["\n", "\r\n", "\r", ""]))
    return draw(st.sampled_from(["", "\ufeff"])) + end.join(lines) + end


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return "[]" if value is None else str(value)


_VALUES = st.one_of(
    ODD,
    st.lists(st.sampled_from(CODES), max_size=3),
    st.sampled_from(["eu-2023-2113", "aspi-cdut-2019", "demo-list", "full", "balanced", "very high", 2000, 10**400]),
    st.lists(st.sampled_from(["eu-2023-2113", "aspi-cdut-2019", "../x", "/dev/null"]), max_size=2),
)  # fmt: skip


@st.composite
def studies(draw: st.DrawFn, base: str = "") -> str:
    """Draw the text of a study file: a sound one with some keys changed, left out or added."""
    keys = draw(st.lists(st.sampled_from([setting.key for setting in SETTINGS] + ["x.y", "sides.c"]), max_size=4))
    values = dict(_SOUND)
    for key in keys:
        values[key] = draw(st.one_of(_VALUES, st.just(_ABSENT)))
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not _ABSENT]
    return "\n".join(
        [*lines, draw(st.sampled_from(["", "", "[[events]]", "a = ", "[x", '"""', "x = 9" + "9" * 5_000]))]
    )


_ABSENT = object()
_SOUND: dict[str, Any] = {
    "study.id": "s",
    "study.title": "T",
    "sides.a.name": "A",
    "sides.a.countries": ["BE"],
    "sides.b.name": "B",
    "sides.b.countries": ["CN"],
    "years.from": 2010,
    "years.to": 2020,
    "technology.headline": "eu-2023-2113",
    "screening.headline": ["aspi-cdut-2019"],
}
ENTITY_COLUMNS = tuple(COLUMNS)
