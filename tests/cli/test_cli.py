"""Rules of the command line: help everywhere, exit codes of the design, no stack trace for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

import copub
from copub.cli import app
from copub.cli.app import call
from copub.cli.runs import run_facts
from copub.errors import AssertionFailedError, InputError, SourceUnavailableError
from copub.report.messages import languages, load_messages
from copub.report.terminal import terminal_lines


def copub_command(
    *arguments: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "copub", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": "", "HOME": str(cwd or "/"), **environment},
        check=False,
        timeout=300,
    )


Ended = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ended:
    """Return what runs a command line in this process, in an empty folder, and gives its code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = call(lambda: app(list(arguments), standalone_mode=False, prog_name="copub"))
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def commands(command: TyperCommand, name: str = "copub") -> list[tuple[str, TyperCommand]]:
    found = [(name, command)]
    if isinstance(command, TyperGroup):
        for child in command.commands:
            found += commands(command.commands[child], f"{name} {child}")
    return found


ALL = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_and_option_has_help(name: str, command: TyperCommand) -> None:
    assert command.help and len(command.help) > 20, name
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            assert parameter.help, f"{name} {parameter.name}"


def test_the_commands_of_the_design_are_there() -> None:
    names = {name for name, _ in ALL}
    for name in (
        "run",
        "estimate",
        "classify",
        "screen",
        "evaluate",
        "review sample",
        "review import",
        "taxonomies list",
        "watchlists show",
    ):
        assert f"copub {name}" in names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "belgum-china"), "shipped studies: "),
        (("run", "nowhere.toml"), "no such study"),
        (("run", "--until", "lunch"), "stages: harvest"),
        (("run", "belgium-china", "--works", "no.jsonl"), "no.jsonl"),
        (("run", "demo", "works.jsonl"), "put --works before"),
        (("run", "--nonsense"), "copub: run: No such option: --nonsense\n  see copub run --help"),
        (("fly",), "copub: No such command 'fly'.\n  see copub --help"),
        (("run", "belgum-china"), "did you mean belgium-china"),
        (("taxonomies", "show", "eu-2023"), "did you mean eu-2023-2113?"),
        (("watchlists", "show", "beihang-univ"), "did you mean beihang-university"),
        (("watchlists", "diff", "seven-son", "seven-sons"), "did you mean seven-sons?"),
        (("screen", "--strings", "x", "--out", "y.csv", "--country", "ZZ"), "--country: 'ZZ' is not a country"),
    ],
)
def test_wrong_input_ends_with_2_and_one_message(arguments: tuple[str, ...], words: str, ended: Ended) -> None:
    done = ended(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "/6 " not in done.stderr, "a stage began"
    assert "Traceback" not in done.stderr


def test_a_look_up_without_network_gives_a_hint_that_it_has(tmp_path: Path, ended: Ended) -> None:
    own = "entity_id,name,ror,openalex\nx,Harbour Institute of Far Islands,0abcdef12,\n"
    (tmp_path / "l.csv").write_text(own, encoding="utf-8")
    head = dict.fromkeys(("id", "title", "authority", "edition", "lacks", "terms"), "x")
    head |= {"retrieved_on": "2026-01-01", "kind": "register", "completeness": "partial"}
    lines = [f'{name} = "{value}"' for name, value in head.items()]
    (tmp_path / "l.toml").write_text("\n".join(["[watchlist]", *lines, 'sources = ["x"]']), encoding="utf-8")
    done = ended("watchlists", "resolve", "l.toml", "--out", "o.csv", COPUB_OPENALEX_URL="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "repeat the command when the source can be reached" in done.stderr
    assert "--works" not in done.stderr and "--offline" not in done.stderr


def test_a_message_is_never_endless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.toml").write_text(f'[study]\nid = "{"x" * 1_000_000}"\n', encoding="utf-8")
    for study in ("long.toml", "x" * 10_000):
        assert call(lambda study=study: app(["run", study], standalone_mode=False)) == 2  # type: ignore[misc]
        assert 0 < len(capsys.readouterr().err) < 6_000


@pytest.mark.parametrize("arguments", [("--help",), ("watchlists", "list"), ("run", "--nonsense")])
def test_output_is_plain_text_so_that_no_colour_is_never_needed(arguments: tuple[str, ...]) -> None:
    done = copub_command(*arguments, FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr


def test_completion_is_offered_under_the_name_of_the_command() -> None:
    # the shell is named instead of found among the parents of the test, which may be make and sh
    done = copub_command("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "_COPUB_COMPLETE" in done.stdout


def test_usage_shows_no_hidden_arguments(ended: Ended) -> None:
    for command in ("run", "verify"):
        usage = ended(command, "--help").stdout.splitlines()[0]
        assert usage.startswith(f"Usage: copub {command} [OPTIONS]")
        assert "..." not in usage


def test_an_estimate_without_network_advises_only_what_it_takes(ended: Ended) -> None:
    done = ended("estimate", "belgium-china", COPUB_OPENALEX_URL="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "--works" not in done.stderr and "--offline" not in done.stderr


def test_faults_of_a_study_are_printed_with_file_and_line(tmp_path: Path, ended: Ended) -> None:
    (tmp_path / "bad.toml").write_text('[study]\nid = "x y"\n[sides.a]\ncountries = ["ZZ"]\n', encoding="utf-8")
    done = ended("run", "bad.toml")
    assert done.returncode == 2
    assert "bad.toml:2" in done.stderr
    assert "bad.toml:4" in done.stderr


def test_no_network_ends_with_3_and_says_what_to_do(ended: Ended) -> None:
    done = ended("run", "belgium-china", COPUB_OPENALEX_URL="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "--works" in done.stderr or "again" in done.stderr


def test_errors_as_json_are_one_object(tmp_path: Path) -> None:
    done = copub_command("studies", "show", "belgum-china", "--json", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert (facts["exit_code"], done.returncode) == (2, 2)
    assert "belgum-china" in facts["error"]


def test_exit_codes_are_those_of_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    def raising(error: BaseException) -> int:
        def command() -> None:
            raise error

        return call(command)

    full = OSError(28, "No space left on device", "x.parquet")
    endings = (
        InputError("a"),
        SourceUnavailableError("b"),
        AssertionFailedError("c"),
        ValueError("d"),
        KeyboardInterrupt(),
        full,
    )
    assert [raising(ending) for ending in endings] == [2, 3, 4, 1, 130, 2]
    err = capsys.readouterr().err
    assert "internal error (please report it): ValueError: d" in err
    assert "Traceback" not in err


def test_json_prints_one_object_with_headline_and_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authors = [{"countries": [code], "author": {"display_name": code}} for code in ("BE", "CN")]
    work = {"id": "https://openalex.org/W1", "title": "On sheep", "publication_year": 2015, "authorships": authors}
    (tmp_path / "w.jsonl").write_text(json.dumps(work) + "\n", encoding="utf-8")
    arguments = [
        "run",
        "belgium-china",
        "--works",
        str(tmp_path / "w.jsonl"),
        "--reports",
        str(tmp_path / "r"),
        "--json",
    ]
    arguments += ["--cache", str(tmp_path / "c")]
    code = call(lambda: app(arguments, standalone_mode=False))
    facts = json.loads(capsys.readouterr().out)
    assert code == 0
    assert Path(facts["folder"]).is_dir()
    assert facts["headline"]["denominator"] == 1


def test_run_prints_the_answer_first_in_80_columns_and_what_to_read_last(demo_run: copub.Run) -> None:
    from copub.cli.runs import run_lines

    *lines, path = run_lines(demo_run)
    row = demo_run.share("critical_listed")
    assert path == str(demo_run.folder / "report.html")
    assert lines[-1].startswith("Read next: the report")
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 15
    counts = f"{row['numerator']:,.0f} of {row['denominator']:,.0f}"
    assert lines[0].startswith(f"SYNTHETIC: {counts} co-publications ({row['share']:.1%}) of ")
    assert "From 2,025 records to 2,001 works: 24 of excluded types." in lines


def test_the_demo_shows_true_and_measured_values_in_one_table(demo_run: copub.Run) -> None:
    from copub.cli.runs import run_lines

    lines = run_lines(demo_run)
    head = next(n for n, line in enumerate(lines) if "True value  Measured" in line)
    table = lines[head : head + 1 + len(demo_run.manifest["true_values"])]
    assert len({len(line) for line in table}) == 1
    for row, line in zip(demo_run.manifest["true_values"], table[1:], strict=True):
        share = demo_run.share(row["measure"])
        shown = [row["true_value"], row["measured"], share["ci_low"], share["ci_high"]]
        assert [part for part in line.split()[-5:] if part != "–"] == [f"{value:.1%}" for value in shown]


@pytest.mark.parametrize("language", languages())
def test_every_language_fits_80_columns_and_starts_with_the_share(demo_run: copub.Run, language: str) -> None:
    manifest = demo_run.manifest | {"study": demo_run.manifest["study"] | {"language": language}}
    *lines, path = terminal_lines(demo_run.tables, manifest, demo_run.folder)
    share = load_messages(language).percent(demo_run.share("critical_listed")["share"])
    assert lines[0].startswith("SYNTHETIC") and share in lines[0]
    assert max(map(len, lines)) <= 80 and len(lines) <= 16
    assert Path(path).is_file()


def test_a_real_run_names_what_its_records_lack(demo_run: copub.Run) -> None:
    steps = [
        ("records read", 20), ("unreadable records", 2), ("repeated records", 1), ("works", 17),
        ("co-publications found", 14), ("left out: author cap", 1), ("left out: year", 1_000),
        ("co-publications counted", 12),
    ]  # fmt: skip
    note = "w.jsonl:3: no JSON; w.jsonl:9: no id"
    funnel = [{"step": step, "count": count, "note": note} for step, count in steps]
    manifest = demo_run.manifest | {"funnel": funnel, "true_values": []}
    manifest["study"] = manifest["study"] | {"synthetic": False}
    text = " ".join(terminal_lines(demo_run.tables, manifest, demo_run.folder))
    assert "SYNTHETIC" not in text
    lost = "2 unreadable, 1 repeated, 3 not by both sides, 1 above the author cap, 1,000 of other years"
    assert f"From 20 records to 12 works: {lost}. Records that could not be read: {note}." in text


def test_works_that_could_not_be_retrieved_are_named_in_words_and_in_json(demo_run: copub.Run) -> None:
    source = demo_run.manifest["source"] | {"missing": 63, "expected": 593}
    short = copub.Run(demo_run.folder)
    vars(short)["manifest"] = demo_run.manifest | {"source": source}
    text = " ".join(terminal_lines(short.tables, short.manifest, short.folder))
    assert "63 of the 593 works that the source reports could not be retrieved." in text
    assert (run_facts(short)["missing"], run_facts(demo_run)["missing"]) == (63, 0)


def test_a_run_that_ended_early_says_so_and_names_its_tables(demo_run: copub.Run, tmp_path: Path) -> None:
    manifest = demo_run.manifest | {"funnel": demo_run.manifest["funnel"][:1], "true_values": []}
    lines = terminal_lines({}, manifest, tmp_path)
    assert lines[0].startswith("SYNTHETIC: The run ended before its shares were measured")
    assert lines[1] == "2,025 records were read."
    assert (lines[-2].partition(":")[0], lines[-1]) == ("Read next", str(tmp_path))


GROUPS = [name for name, command in ALL if isinstance(command, TyperGroup)]


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_of_commands_alone_prints_its_whole_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = name.split()[1:]
    printed = []
    for arguments in (words, [*words, "--help"]):
        assert call(lambda given=arguments: app(given, standalone_mode=False, prog_name="copub")) == 0
        printed.append(capsys.readouterr())
    bare, asked = printed
    assert bare.out == asked.out
    assert bare.err == ""
    assert all(command in bare.out for command in typer_children(name))


def typer_children(name: str) -> list[str]:
    return list(dict(ALL)[name].commands)  # type: ignore[attr-defined]


def test_copub_names_its_version() -> None:
    assert copub.__version__ == version("copub")


def printed_by(code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=300
    )
    return done.stdout.strip()


def test_importing_copub_changes_no_environment_and_the_command_line_sets_the_allocator() -> None:
    for modules, expected in (("copub", "None"), ("copub.cli", "'background_thread:true,dirty_decay_ms:500,")):
        # without polars, which adds a setting of its own when it is loaded
        code = (
            "import os, sys; sys.modules['polars'] = None\n"
            f"try:\n import {modules}\nexcept ImportError:\n pass\n"
            "print(repr(os.environ.get('_RJEM_MALLOC_CONF')))"
        )
        assert printed_by(code).startswith(expected), modules


def test_processes_of_the_command_line_inherit_the_allocator() -> None:
    code = (
        "import copub.cli, os\nfrom joblib import Parallel, delayed\n"
        "print(Parallel(n_jobs=2)(delayed(os.environ.get)('_RJEM_MALLOC_CONF') for _ in range(2))[0])"
    )
    assert "background_thread:true" in printed_by(code)


def test_estimating_the_demo_asks_nobody_and_costs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str) -> str:
        assert call(lambda: app(["estimate", "demo", *arguments], standalone_mode=False)) == 0
        shown = capsys.readouterr()
        assert shown.err == ("" if arguments else "copub: estimate: ask the source how many works there are\n")
        return shown.out

    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COPUB_OPENALEX_URL", raising=False)
        patch.setattr("copub.sources.harvest.transport.source_url", lambda: asked.append("OpenAlex"))
        assert "costs nothing" in printed()
        facts = json.loads(printed("--json"))
    assert asked == []
    assert facts["works"] > 1_000
    assert (facts["credits"], facts["dollars"], facts["spent"]) == (0, 0.0, 0)


def test_classify_writes_ids_as_the_tables_have_them(tmp_path: Path) -> None:
    works, out = tmp_path / "works.jsonl", tmp_path / "areas.csv"
    title = "Quantum key distribution over fibre with entangled photons"
    ids = ("https://openalex.org/W1", "https://api.openalex.org/works/w2", "W3", "mine/W4")
    works.write_text("".join(json.dumps({"id": name, "title": title}) + "\n" for name in ids), encoding="utf-8")
    assert call(lambda: app(["classify", "--works", str(works), "--out", str(out)], standalone_mode=False)) == 0
    assert set(pl.read_csv(out)["work_id"]) == {"W1", "W2", "W3", "mine/W4"}
