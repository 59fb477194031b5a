"""Rules of the public functions: whatever is given, what comes is an answer or an error of copub that helps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import copub
from copub.errors import CopubError, InputError
from copub.history.compare import compare
from copub.history.verify import verify
from copub.lists.taxonomy import load_taxonomy
from copub.pairs import parse_pairs
from copub.pipeline import query_of
from copub.runs import Run
from copub.schema import TABLES, empty
from copub.screening import load_watchlist, screen, screen_strings
from copub.sources.harvest import Query, estimate
from copub.sources.snapshot.extract import extract
from copub.study import load_study, parse_study
from copub.technology import classify

HERE = Path(__file__)
MISSING = HERE.with_name("missing.jsonl")
LISTS, TAXONOMIES = [load_watchlist("demo-list")], [load_taxonomy("eu-2023-2113")]
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=5), st.text(max_size=5),
    st.sampled_from(["\0", "\ud800", "x" * 5_000, "/", "a/" * 3_000, object(), dict, HERE]),
)  # fmt: skip
anything = st.one_of(
    leaves,
    st.lists(leaves, max_size=3),
    st.tuples(leaves),
    st.dictionaries(st.text(max_size=3), leaves, max_size=2),
    st.sampled_from(
        [pl.DataFrame(), pl.DataFrame({"work_id": [1]}), pl.Series([1, 2]), pl.DataFrame({"a": [None]}), frozenset("a")]
    ),
)
CALLS: dict[str, Callable[[Any], object]] = {
    "load_study": load_study,
    "parse_study": parse_study,
    "load_watchlist": load_watchlist,
    "load_taxonomy": load_taxonomy,
    "open_run": copub.open_run,
    "run, study": lambda value: copub.run(value, works=[MISSING]),
    "run, until": lambda value: copub.run("belgium-china", works=[MISSING], until=value),
    "run, works": lambda value: copub.run("belgium-china", works=[MISSING] if _is_empty(value) else value),
    "run, reports": lambda value: copub.run("belgium-china", works=[MISSING], reports=value),
    "run, cache": lambda value: copub.run("belgium-china", works=[MISSING], cache=value),
    "compare": lambda value: compare(value, value),
    "verify": lambda value: verify(value, HERE.parent),
    "estimate, query": lambda value: estimate(value, base_url="http://127.0.0.1:9"),
    "estimate, address": lambda value: estimate(query_of(load_study("demo")), base_url=value),
    "extract, source": lambda value: extract(value, HERE.with_name("works.jsonl"), parse_pairs(["BE:CN"])),
    "extract, target": lambda value: extract("nowhere", value, parse_pairs(["BE:CN"])),
    "extract, pairs": lambda value: extract("nowhere", HERE.with_name("works.jsonl"), value),
    "extract, workers": lambda value: extract("nowhere", "works.jsonl", parse_pairs(["BE:CN"]), workers=value),
    "screen, affiliations": lambda value: screen(value, LISTS),
    "screen, watchlists": lambda value: screen(empty("affiliations"), value),
    "screen, tiers": lambda value: screen(empty("affiliations"), LISTS, tiers=value),
    "screen, countries": lambda value: screen(empty("affiliations"), LISTS, countries=value),
    "screen, dates": lambda value: screen(empty("affiliations"), LISTS, dates=value),
    "screen_strings, strings": lambda value: screen_strings(value, LISTS),
    "screen_strings, watchlists": lambda value: screen_strings(["a"], value),
    "screen_strings, country": lambda value: screen_strings(["a"], LISTS, country=value),
    "classify, works": lambda value: classify(value, empty("topics"), TAXONOMIES),
    "classify, topics": lambda value: classify(empty("works"), value, TAXONOMIES),
    "classify, taxonomies": lambda value: classify(empty("works"), empty("topics"), value),
    "classify, operating_point": lambda value: classify(
        empty("works"), empty("topics"), TAXONOMIES, operating_point=value
    ),
    "classify, thresholds": lambda value: classify(empty("works"), empty("topics"), TAXONOMIES, thresholds=value),
}


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | tuple) and not value


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_an_error_of_copub(name: str) -> None:
    @given(anything)
    def check(value: Any) -> None:
        try:
            CALLS[name](value)
        except CopubError as error:
            assert error.what
            assert len(str(error)) < 20_000

    check()


@given(anything, anything)
def test_a_share_is_asked_for_by_names_alone(measure: Any, counting: Any) -> None:
    with pytest.raises(InputError):
        _Held({"shares": SHARES}).share(measure, counting)


def test_a_share_that_is_not_there_is_named_with_those_that_are() -> None:
    run = _Held({"shares": SHARES})
    assert run.share("listed")["share"] == 0.5
    for wrong in (("foo", None), ("listed", "foo")):
        with pytest.raises(InputError, match="there is no share") as caught:
            run.share(*wrong)
        assert "critical, listed" in caught.value.hint
        assert "full" in caught.value.hint


SHARES = pl.DataFrame(
    [
        {"measure": measure, "counting": "full", "slice_kind": "all", "slice": "all", "share": 0.5}
        for measure in ("critical", "listed")
    ]
).select(
    pl.col(name) if name in ("measure", "counting", "slice_kind", "slice", "share") else pl.lit(None, dtype).alias(name)
    for name, dtype in TABLES["shares"].schema.items()
)


class _Held(Run):
    """A run whose tables are given."""

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        super().__init__(HERE.parent)
        self.__dict__ |= {"tables": tables, "manifest": {"study": {"counting": "full"}}}


def test_an_unknown_table_is_named_with_the_tables_that_are_there(stopped_run: Run) -> None:
    for name in ("foo", "shares", 5, None, ["works"]):
        with pytest.raises(InputError, match="no table") as caught:
            stopped_run.tables[name]  # type: ignore[index]
        assert "affiliations, authorships, awards, population, repairs, topics, works" in caught.value.hint
    assert stopped_run.tables.get("foo") is None
    assert "foo" not in stopped_run.tables
    with pytest.raises(InputError, match="no table 'shares'"):
        stopped_run.share()


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("stopped")
    works = folder / "works.jsonl"
    works.write_text('{"id": "https://openalex.org/W1", "title": "t", "authorships": []}\n', encoding="utf-8")
    return copub.run("belgium-china", works=[works], reports=folder / "r", cache=folder / "c", until="tabulate")


def test_a_frame_of_ones_own_may_have_nulls_and_other_whole_numbers(rows_of_one: pl.DataFrame) -> None:
    hits = screen(rows_of_one.with_columns(pl.col("author_seq").cast(pl.Int64), ror=pl.lit(None)), LISTS)
    assert hits.schema == TABLES["hits"].schema


@pytest.fixture
def rows_of_one() -> pl.DataFrame:
    row = {"work_id": "W1", "author_seq": 0, "affiliation_seq": 0, "raw_affiliation_string": "Ghent", "lineage": []}
    schema = TABLES["affiliations"].schema
    return pl.DataFrame([{name: row.get(name) for name in schema}], schema=schema)


def test_a_query_is_what_estimate_asks() -> None:
    with pytest.raises(InputError, match="query is a str") as caught:
        estimate("BE:CN", base_url="http://127.0.0.1:9")  # type: ignore[arg-type]
    assert "query_of" in caught.value.hint
    assert isinstance(query_of(load_study("demo")), Query)
