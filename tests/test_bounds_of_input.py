"""Limits of what is read, each with a message that names file and place: bombs, endless lines, huge cells."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

import copub
from copub.cli import app
from copub.cli.app import call
from copub.errors import FileError, InputError
from copub.lists.tomlfile import LARGEST, parse_toml, read_toml
from copub.lists.watchlist import load_watchlist
from copub.runs.clock import peak_mb
from copub.settings import memory_gb
from copub.sources import worksfile
from copub.sources.worksfile import read_works
from copub.study import parse_study
from copub.study.question import ask

HEAD = """[watchlist]
id = "own"
title = "T"
authority = "A"
edition = "1"
retrieved_on = "2026-01-01"
kind = "register"
completeness = "partial"
lacks = "much"
terms = "none"
sources = ["x"]
"""
SECONDS, MEGABYTES = 20, 1_000
CHILD = """
import resource, sys, time
from pathlib import Path
from typing import Any
from copub.cli import app
from copub.cli.app import call
from copub.runs.clock import peak_mb
import copub.sources.worksfile, copub.technology, copub.screening, copub.cli.files
started = time.process_time()
code = call(lambda: app(sys.argv[1:], standalone_mode=False, prog_name="copub"))
workers = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = time.process_time() - started + workers.ru_utime + workers.ru_stime  # of cores: other work does not count
print(code, round(max(peak_mb(), workers.ru_maxrss * 1024 / 1e6)), round(seconds))
"""


def command(*arguments: str | Path) -> int:
    return call(lambda: app(list(map(str, arguments)), standalone_mode=False, prog_name="copub"))


def repeated(path: Path, piece: bytes, times: int, *, end: bytes = b"") -> Path:
    """Write a packed file that unpacks to `times` pieces."""
    if path.suffix == ".gz":
        with gzip.open(path, "wb", compresslevel=6) as file:
            for _ in range(times):
                file.write(piece)
            file.write(end)
    else:
        with path.open("wb") as raw, zstandard.ZstdCompressor(level=3).stream_writer(raw) as stream:
            for _ in range(times):
                stream.write(piece)
            stream.write(end)
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    "one line of zeros, zst": lambda folder: repeated(folder / "w.jsonl.zst", b"0" * (1 << 20), 3_000),
    "one line of zeros, gz": lambda folder: repeated(folder / "w.jsonl.gz", b"0" * (1 << 20), 600),
    "newlines": lambda folder: repeated(folder / "w.jsonl.zst", b"\n" * (1 << 20), 3_000),
    "short lines": lambda folder: repeated(folder / "w.jsonl.zst", b"1\n" * (1 << 19), 1_500),
    "lines that are no JSON": lambda folder: repeated(folder / "w.jsonl.zst", b"xxxxxxxxxxxxxxxxxxx\n" * 50_000, 300),
    "objects without end": lambda folder: repeated(folder / "w.jsonl.zst", b"{}," * 100_000, 120, end=b"{}]}\n"),
    "records that are no works": lambda folder: repeated(folder / "w.jsonl.zst", b'{"a":"bcdefgh"}\n' * 50_000, 400),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BOMBS)
@pytest.mark.parametrize("command_name", ["run", "classify", "screen"])
def test_no_small_packed_file_takes_a_gigabyte_or_20_seconds(what: str, command_name: str, tmp_path: Path) -> None:
    path = BOMBS[what](tmp_path)
    assert path.stat().st_size < 4 << 20
    if command_name == "screen" and path.suffix != ".gz":
        pytest.skip("strings are packed with gzip")
    arguments = {
        "run": ["run", "demo", "--works", str(path), "--cache", str(tmp_path / "c"), "--reports", str(tmp_path / "r")],
        "classify": ["classify", "--works", str(path), "--out", str(tmp_path / "o.csv")],
        "screen": ["screen", "--strings", str(path), "--out", str(tmp_path / "o.csv"), "--watchlist", "seven-sons"],
    }[command_name]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    code, megabytes, seconds = map(int, done.stdout.split()[-3:])
    assert (code, done.stderr.count("Traceback")) == (2, 0), done.stderr
    assert megabytes < MEGABYTES, megabytes
    assert seconds < SECONDS, seconds


def test_a_parquet_file_that_repeats_a_long_text_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array(["x" * 20_000_000]))
    pq.write_table(pa.table({"id": ["W1"] * 5_000, "title": text}), path, compression="zstd")
    assert path.stat().st_size < 1 << 20
    before = peak_mb()
    with pq.ParquetFile(path) as file:
        assert worksfile._rows_at_once(file.metadata) < 10
    next(iter(read_works([path])))
    assert peak_mb() - before < 800


def test_a_line_that_is_too_long_is_named_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worksfile, "LONGEST_LINE", 1_000_000)
    monkeypatch.setattr(worksfile, "PORTION", 1 << 17)
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'{"id": "https://openalex.org/W1"}\n\n' + b"9" * 3_000_000)
    with pytest.raises(FileError, match="1 fault") as caught:
        list(read_works([path]))
    assert f"{path}:3" in str(caught.value)


def test_blank_lines_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'\n\n \n{"a":1}\n\r\n\t\n{"b":2}\n\n{"c":3}')
    assert [record.where for record in read_works([path])] == ["w.jsonl:4", "w.jsonl:7", "w.jsonl:9"]


TOML = {
    "a number of 5,000 digits": "x = " + "9" * 5_000,
    "a number of 400 digits": "x = " + "9" * 400,
    "a float without end": "x = 1e999",
    "no number": "x = nan",
    "a NUL in a text": 'x = "a\\u0000b"',
    "a text of a megabyte": f'x = "{"y" * 1_000_000}"',
    "nested arrays": "x = " + "[" * 50_000,
    "nested tables": "x = " + "{a=" * 50_000,
    "a key of thousands of parts": ".".join(["a"] * 20_000) + " = 1",
    "a table of thousands of parts": "[" + ".".join(["a"] * 20_000) + "]",
}


@pytest.mark.parametrize("what", TOML)
def test_what_toml_allows_and_copub_does_not_is_named_with_its_line(what: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_toml("\n" + TOML[what], name="x.toml")
    assert "x.toml:" in str(caught.value)


@pytest.mark.slow
def test_a_toml_file_of_many_tables_is_read_in_time_and_a_larger_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("".join(f"[[a{number}]]\n" for number in range(100_000)))
    started = time.process_time()
    read_toml(path)
    assert time.process_time() - started < 10
    path.write_text("#" * (LARGEST + 1))
    with pytest.raises(InputError, match="more than 4 MB"):
        read_toml(path)


def members(folder: Path, text: str) -> Path:
    (folder / "own.toml").write_text(HEAD)
    (folder / "own.csv").write_text(text)
    return folder / "own.toml"


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many functions of Python and of its libraries are called: the same on every machine."""
    count = 0

    def see(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_the_work_to_load_a_watchlist_grows_with_its_rows_and_no_faster(tmp_path: Path) -> None:
    load_watchlist("seven-sons")  # the registry is read once for all lists
    calls = []
    for count in (500, 5_000):
        rows = "".join(f"x-{number},Institute {number} of Invented Sheep\n" for number in range(count))
        path = members(tmp_path, "entity_id,name\n" + rows)
        calls.append(calls_of(lambda path=path: load_watchlist(path)))
        assert len(load_watchlist(path).entities) == count
    assert calls[1] < 12 * calls[0]  # ten times the rows


def test_of_many_faults_the_first_are_printed_and_all_counted(tmp_path: Path) -> None:
    path = members(tmp_path, "entity_id,name\n" + "Bad Id,Name\n" * 20_000)
    with pytest.raises(FileError) as caught:
        load_watchlist(path)
    assert len(str(caught.value).splitlines()) == 22
    assert "more" in str(caught.value).splitlines()[-1]


@pytest.mark.parametrize("cell", ["x" * 2_000_000, "|".join(f"name {n}" for n in range(200_000)), "\0", '"' * 100_001])
def test_an_odd_cell_of_a_list_is_named(cell: str, tmp_path: Path) -> None:
    path = members(tmp_path, f'entity_id,name,aliases\nx-y,Name,"{cell}"\n')
    with pytest.raises(FileError) as caught:
        load_watchlist(path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "0", "-1", "x", "0.5", "9" * 5_000])
def test_odd_amounts_of_memory_are_wrong_input(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPUB_MEMORY", value)
    with pytest.raises(InputError, match="amount of memory"):
        memory_gb()


def test_a_name_that_is_no_utf8_is_no_internal_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = (str(tmp_path).encode() + b"/w\xff.jsonl").decode("utf-8", "surrogateescape")
    Path(name).write_text('{"id": "W1", "title": "Sheep", "abstract": "On sheep."}\n')
    out = (str(tmp_path).encode() + b"/o\xff.csv").decode("utf-8", "surrogateescape")
    assert command("classify", "--works", name, "--out", out) == 2
    assert command("run", "demo", "--works", name, "--reports", tmp_path / "r", "--cache", tmp_path / "c") == 2
    assert "not UTF-8" in capfd.readouterr().err
    with pytest.raises(InputError, match="not UTF-8"):  # before any work
        copub.run("demo", works=[Path(name)], reports=tmp_path / "r", cache=tmp_path / "c")
    assert not (tmp_path / "r").exists() and not (tmp_path / "c").exists()


ARGUMENTS = ("", "../..")
MORE = ("\0", "=1+1", "x" * 5_000, "/", "-", "--", "\udcff", "{", "9" * 5_000, "NaN", "%s", "a\nb")


@pytest.mark.parametrize(
    "odd",
    [*ARGUMENTS, *(pytest.param(odd, marks=pytest.mark.slow) for odd in MORE)],
    ids=lambda value: ascii(value)[:12],
)
def test_no_argument_ends_in_an_internal_error(odd: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.txt").write_text("x\n")
    at = ["--reports", str(tmp_path / "r")]
    out = str(tmp_path / "o.csv")
    for arguments in (
        ["run", odd, *at, "--cache", str(tmp_path / "c"), "--offline"],
        ["run", "demo", "--until", odd],
        ["run", "demo", "--works", odd, *at],
        ["estimate", odd],
        ["classify", "--works", odd, "--out", out],
        ["classify", "--works", str(tmp_path / "s.txt"), "--out", odd],
        ["classify", "--works", str(tmp_path / "s.txt"), "--out", out, "--taxonomy", odd],
        ["screen", "--strings", odd, "--out", out],
        ["screen", "--strings", str(tmp_path / "s.txt"), "--out", out, "--watchlist", odd],
        ["screen", "--strings", str(tmp_path / "s.txt"), "--out", out, "--country", odd],
        ["evaluate", "classifier", "--labels", odd],
        ["evaluate", "matcher", "--labels", odd],
        ["evaluate", "agreement", "--works", odd, "--outside", odd, "--area", odd],
        ["review", "import", odd, "--study", odd, *at],
        ["review", "sample", odd, "--out", out, *at],
        ["review", "labels", odd, odd, "--out", out, *at],
        ["compare", odd, odd, *at],
        ["verify", odd, *at],
        ["trend", odd, *at],
        ["runs", "list", odd, *at],
        ["runs", "pin", odd, *at],
        ["runs", "prune", odd, *at],
        ["export", odd, "--to", odd, *at],
        ["dossier", odd, "--institution", odd, *at],
        ["watchlists", "show", odd],
        ["watchlists", "diff", odd, odd],
        ["watchlists", "validate", odd],
        ["watchlists", "check", "seven-sons", "--against", odd],
        ["taxonomies", "show", odd],
        ["studies", "show", odd],
        ["init", odd, "--sides", odd],
        ["init", str(tmp_path / "x.toml"), "--sides", "BE:CN", "--years", odd],
        ["snapshot", "extract", "--sides", odd, "--from", odd, "--to", odd],
        ["snapshot", "extract", "--sides", "BE:CN", "--from", odd, "--to", str(tmp_path / "x.jsonl")],
    ):
        code = command(*arguments)
        assert code in (0, 2, 3, 4), (arguments, capsys.readouterr().err)


STUDY = """
[study]
id = "s"
title = "T"
[sides.a]
name = "A"
countries = ["BE"]
[sides.b]
name = "B"
countries = ["CN"]
[years]
from = 2010
to = 2020
[technology]
headline = "eu-2023-2113"
others = ["eu-2023-2113"]
[screening]
headline = ["seven-sons"]
"""


def test_the_headline_named_again_under_others_is_one_taxonomy() -> None:
    question = ask(parse_study(STUDY))
    assert [taxonomy.id for taxonomy in question.taxonomies] == ["eu-2023-2113"]
    assert question.study.other_taxonomies == ()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"PK\x03\x04", b"a,b\n1,2\n", b""])
def test_labels_that_are_none_are_named_before_anything_is_harvested(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(content)
    path = tmp_path / "s.toml"
    path.write_text(STUDY + '[adjusted]\nlabelled = "l.csv"\n')
    with pytest.raises(InputError):
        copub.run(path, cache=tmp_path / "c", reports=tmp_path / "r")
    assert not (tmp_path / "c").exists()
