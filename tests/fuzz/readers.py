"""The readers under test: each takes one input and must end well or with an error that copub documents."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from copub.cli.app import call
from copub.corpus import Entry, makers_of_tables
from copub.errors import CopubError
from copub.lists.decisions import read_decisions
from copub.lists.labels import read_labels
from copub.lists.published import load_published
from copub.lists.taxonomy import load_taxonomy
from copub.lists.ties import load_ties
from copub.lists.tomlfile import parse_toml
from copub.lists.watchlist import load_watchlist
from copub.sources.harvest import Query, Timing, harvest
from copub.sources.harvest.cache import Round
from copub.sources.harvest.transport import Transport
from copub.sources.worksfile import read_works
from copub.study import Study, parse_study
from copub.technology.plainrecords import read_records, topics_of

QUERY = Query(("BE",), ("CN",), 2022, 2025)  # of few years: each may be asked month by month, and each page is synced
QUICK = Timing(per_second=0, first_wait=0.0, sleep=lambda _: None)
DOCUMENTED = (2, 3, 4)
_HEAD = """[watchlist]
id = "x"
title = "x"
authority = "x"
edition = "1"
retrieved_on = "2026-01-01"
kind = "register"
completeness = "partial"
lacks = "x"
terms = "x"
sources = ["x"]
levels = ["very high", "high"]
"""


def survives(read: Callable[[], Any]) -> int:
    """Read, and return the exit code; anything but a documented error is raised."""
    try:
        read()
    except CopubError as error:
        assert error.exit_code in DOCUMENTED, f"exit code {error.exit_code}: {error}"
        assert str(error) and len(str(error)) < 50_000
        return error.exit_code
    return 0


def _make_all(path: Path, study: Study) -> None:
    makers, _ = makers_of_tables(read_works([path]), Entry.of(study))
    for make in makers.values():
        for _ in make():
            pass


def works_file(data: bytes, study: Study, *, suffix: str = ".jsonl") -> int:
    """Tabulate a works file."""

    def read(path: Path) -> None:
        path.write_bytes(data)
        _make_all(path, study)

    return _with_file(f"works{suffix}", read)


def records(values: list[Any], study: Study) -> int:
    """Tabulate records."""
    return works_file(b"\n".join(map(msgspec.json.encode, values)), study)


def plain_records(values: list[Any]) -> int:
    """Read records for `copub classify`."""

    def read(path: Path) -> None:
        path.write_bytes(b"\n".join(map(msgspec.json.encode, values)))
        for works in read_records(path):
            topics_of(works)

    return _with_file("works.jsonl", read)


def rows(values: list[Any], study: Study) -> int:
    """Tabulate records that were written as a Parquet file; values that no column can hold together are left out."""

    def read(path: Path) -> None:
        with contextlib.suppress(pa.ArrowException, OverflowError, TypeError, AttributeError):
            pq.write_table(pa.Table.from_pylist(values), path)
        if path.is_file():
            _make_all(path, study)

    return _with_file("works.parquet", read)


def answers(status: int, headers: Mapping[str, str], body: bytes) -> int:
    """Harvest from a source that gives one answer to everything; what it leaves in the cache can be read again."""

    def read(folder: Path) -> None:
        folder.mkdir()
        with _answering(status, headers, body):
            code = survives(
                lambda: [*harvest(QUERY, cache=folder, base_url="http://127.0.0.1:9", timing=QUICK).records()]
            )
        for round_ in folder.glob("0*"):
            assert not Round(round_).damaged
        if code:
            raise _Ended(code)

    try:
        return _with_file("cache", read)
    except _Ended as ending:
        return ending.code


class _Ended(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


@contextlib.contextmanager
def _answering(status: int, headers: Mapping[str, str], body: bytes) -> Any:
    def answer(*_: Any) -> tuple[int, Mapping[str, str], bytes]:
        answer.asked += 1  # type: ignore[attr-defined]
        assert answer.asked < 5_000, "asked without end"  # type: ignore[attr-defined]
        return status, headers, body

    answer.asked = 0  # type: ignore[attr-defined]
    before = Transport._in_time
    Transport._in_time = answer  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Transport._in_time = before  # type: ignore[method-assign]


def study(text: str) -> int:
    """Read a study."""
    return survives(lambda: parse_study(text))


def toml(text: str) -> int:
    """Read a TOML file."""
    return survives(lambda: parse_toml(text, name="x.toml"))


def list_file(text: str, kind: str) -> int:
    """Read a list, or a sheet that people have filled in."""

    def read(path: Path) -> None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        if kind == "watchlist":
            head = path.with_suffix(".toml")
            head.write_text(_HEAD, encoding="utf-8")
            load_watchlist(head)
        else:
            _LISTS[kind](path)

    return _with_file("x.toml" if kind in ("taxonomy", "published") else "x.csv", read)


_LISTS: Mapping[str, Callable[[Path], Any]] = {
    "decisions": read_decisions,
    "labels": lambda path: read_labels([path]),
    "ties": load_ties,
    "taxonomy": load_taxonomy,
    "published": load_published,
}
LISTS = ("watchlist", *_LISTS)


def journal(lines: bytes) -> int:
    """Open a round with this journal."""

    def read(folder: Path) -> None:
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(lines)
        Round(folder)

    return _with_file("0001", read)


def command(*arguments: str | Path) -> tuple[int, str]:
    """Call a command in this process; return its exit code and what it printed as errors."""
    from copub.cli import app

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(lambda: app(list(map(str, arguments)), standalone_mode=False, prog_name="copub"))
    assert "Traceback" not in err.getvalue()
    return code, err.getvalue()


def manifest_of(values: Any, run: Path) -> None:
    """Give a run this manifest."""
    (run / "manifest.json").write_text(json.dumps(values), encoding="utf-8")


def _with_file(name: str, read: Callable[[Path], Any]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return survives(lambda: read(Path(folder) / name))
