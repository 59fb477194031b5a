"""No input ends in an internal error, takes more than a gigabyte, or more than 20 seconds.

``make slow`` draws `SLOW` inputs of each kind, more than 20,000 in all; ``make test`` a few of each.
"""

from __future__ import annotations

import copy
import gzip
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fuzz import readers
from tests.fuzz.strategies import HEADERS, ODD, csv_lists, shaped, studies

import copub
from copub.corpus.record import Work
from copub.runs.clock import peak_mb
from copub.runs.shape import Manifest
from copub.sources.harvest.answershapes import Single, WorksPage, Years
from copub.sources.harvest.cache import _Line
from copub.study import load_study

SLOW = {"records": 6_000, "bytes": 1_500, "answers": 4_000, "journal": 2_000, "studies": 3_000, "lists": 4_000,
        "manifests": 600}  # fmt: skip
QUICK = 12
LONGEST, LARGEST = 20.0, 1 << 30


def sizes(kind: str) -> Any:
    return pytest.mark.parametrize("number", [QUICK, pytest.param(SLOW[kind], marks=pytest.mark.slow)])


Check = Callable[[int, st.SearchStrategy[Any], Callable[[Any], Any]], None]


@pytest.fixture
def check(record_property: Callable[[str, Any], None]) -> Check:
    """Return `check_all`; what it measured is in the summary of the tests (`conftest.py`)."""
    return lambda number, strategy, read: record_property("fuzzed", check_all(number, strategy, read))


def check_all(number: int, strategy: st.SearchStrategy[Any], read: Callable[[Any], Any]) -> tuple[int, float, int]:
    """Read so many inputs; each in bounded time, all together in bounded memory.

    Returns the number of inputs, the seconds of the slowest, and the bytes by which memory grew.
    """
    before = peak_mb()
    drawn, longest = 0, 0.0

    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(value: Any) -> None:
        nonlocal drawn, longest
        drawn += 1
        started = time.process_time()  # other work on the machine does not count
        read(value)
        longest = max(longest, time.process_time() - started)
        assert longest < LONGEST

    one()
    grown = int((peak_mb() - before) * 1e6)
    assert grown < LARGEST
    assert drawn >= number * 0.9
    return drawn, longest, grown


def test_more_than_20_000_inputs_are_drawn() -> None:
    assert sum(SLOW.values()) > 20_000


@sizes("records")
def test_any_record(check: Check, number: int) -> None:
    study = load_study("belgium-china")

    def read(values: list[Any]) -> None:
        readers.records(values, study)
        readers.plain_records(values)
        readers.rows(values, study)

    check(number, st.lists(shaped(Work), max_size=3), read)


@sizes("bytes")
def test_any_bytes_as_a_works_file(check: Check, number: int) -> None:
    study = load_study("belgium-china")
    plain = b'{"id": "https://openalex.org/W1", "title": "x", "publication_year": 2015}\n'
    packed = [plain, gzip.compress(plain * 9), zstandard.compress(plain * 9)]
    torn = st.tuples(st.sampled_from(packed), st.integers(0, 200), st.binary(max_size=30)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
    suffix = st.sampled_from([".jsonl", ".gz", ".zst", ".parquet", ".json"])
    check(
        number,
        st.tuples(st.one_of(st.binary(max_size=300), torn), suffix),
        lambda given: readers.works_file(given[0], study, suffix=given[1]),
    )


@sizes("answers")
def test_any_answer_of_the_source(check: Check, number: int) -> None:
    body = st.one_of(*(shaped(shape) for shape in (WorksPage, Years, Single)), ODD).map(msgspec.json.encode)
    status = st.sampled_from([200, 200, 200, 200, 302, 400, 401, 403, 404, 408, 410, 429, 500, 503])
    check(
        number,
        st.tuples(status, HEADERS, st.one_of(body, st.binary(max_size=50))),
        lambda answer: readers.answers(*answer),
    )


@sizes("journal")
def test_any_journal(check: Check, number: int) -> None:
    line = st.one_of(
        shaped(_Line).map(msgspec.json.encode),
        st.fixed_dictionaries({}, optional={"begun": ODD, "done": ODD, "forgotten": ODD, "of": ODD}).map(
            msgspec.json.encode
        ),
        st.binary(max_size=30),
    )
    check(number, st.lists(line, max_size=6).map(b"\n".join), readers.journal)


@sizes("studies")
def test_any_study(check: Check, number: int) -> None:
    check(number, st.one_of(studies(), studies(), st.text(max_size=200)), readers.study)


@sizes("lists")
def test_any_list(check: Check, number: int) -> None:
    from copub.lists.decisions import COLUMNS as DECISIONS
    from copub.lists.labels import COLUMNS as LABELS
    from copub.lists.ties import COLUMNS as TIES

    columns = {"decisions": tuple(DECISIONS), "labels": tuple(LABELS), "ties": tuple(TIES)}
    drawn = st.sampled_from(readers.LISTS).flatmap(
        lambda kind: st.tuples(
            csv_lists(columns[kind]) if kind in columns else st.one_of(csv_lists(), studies()), st.just(kind)
        )
    )
    check(number, drawn, lambda given: readers.list_file(*given))


@sizes("manifests")
def test_any_manifest(check: Check, number: int, demo_run: copub.Run, tmp_path: Path) -> None:
    """One value of a sound manifest is another, or the whole is drawn: every command that reads runs says so."""
    run = tmp_path / "reports" / "demo" / "r"
    shutil.copytree(demo_run.folder, run)
    whole = copub.open_run(demo_run.folder).manifest
    places = list(paths(whole))
    changed = st.tuples(st.sampled_from(places), ODD).map(lambda change: with_value(whole, *change))
    reports = tmp_path / "reports"

    readings = (
        ("export", "demo/r", "--to", "markdown", "--out", tmp_path / "out"),
        ("review", "sample", "demo/r", "--out", tmp_path / "sheet.csv", "--hits", "1", "--others", "1"),
        ("dossier", "demo/r", "--institution", "KU Leuven", "--out", tmp_path / "page.html"),
        ("runs", "list"),
    )

    def read(drawn: tuple[Any, tuple[str | Path, ...]]) -> None:
        values, arguments = drawn
        readers.manifest_of(values, run)
        code, stated = readers.command(*arguments, "--reports", reports)
        assert code in (0, 2), stated

    manifests = st.one_of(changed, changed, shaped(Manifest), ODD)
    check(number, st.tuples(manifests, st.sampled_from(readings)), read)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Yield the path of every value; of long lists and tables, only of the first few."""
    yield path
    if isinstance(value, dict):
        for key in list(value)[:60]:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list):
        for position in range(min(len(value), 2)):
            yield from paths(value[position], (*path, position))


def with_value(values: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return new
    values = copy.deepcopy(values)
    node = values
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = new
    return values


@pytest.mark.slow
@pytest.mark.parametrize("target", ["works", "toml", "list", "journal", "answer"])
def test_inputs_that_reach_new_code_are_found_by_their_coverage(
    target: str, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: no coverage-guided fuzzing")
    script = Path(__file__).with_name("guided.py")
    limits = [
        "-runs=4000",
        "-max_total_time=120",
        "-rss_limit_mb=1024",
        "-timeout=120",
        f"-artifact_prefix={tmp_path}/",
    ]
    done = subprocess.run(
        [sys.executable, script, target, str(tmp_path), *limits],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    measured = json.loads((tmp_path / "measured.json").read_text())
    assert measured["inputs"] > 100 and measured["longest"] < LONGEST
    record_property("fuzzed", (measured["inputs"], measured["longest"], measured["grown"]))
