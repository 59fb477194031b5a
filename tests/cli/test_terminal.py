"""Rules of the terminal: examples in help, completion, stages named, bars on a terminal only, one JSON object."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

import copub
from copub import progress
from copub.cli import app
from copub.cli.app import call
from copub.names import STAGES

LARGE = {
    "polars", "pyarrow", "numpy", "scipy", "sklearn", "joblib", "altair", "vl_convert", "networkx", "requests",
    "pyalex", "xlsxwriter", "jinja2", "rapidfuzz", "orjson", "msgspec", "tqdm",
}  # fmt: skip


def _commands(command: TyperCommand | TyperGroup, name: str = "copub") -> list[tuple[str, TyperCommand | TyperGroup]]:
    if not isinstance(command, TyperGroup):
        return [(name, command)]
    return [found for child, part in command.commands.items() for found in _commands(part, f"{name} {child}")]


LEAVES = _commands(typer.main.get_command(app))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A works file with one co-publication."""
    authors = [{"countries": [code], "author": {"display_name": code}} for code in ("BE", "CN")]
    work = {"id": "https://openalex.org/W1", "title": "On sheep", "publication_year": 2015, "authorships": authors}
    path = tmp_path / "w.jsonl"
    path.write_text(json.dumps(work) + "\n", encoding="utf-8")
    return path


def _run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "HOME": str(cwd), **environment}
    command = [sys.executable, "-m", "copub", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=own, check=False, timeout=300)


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_shows_an_example_of_itself(name: str, command: TyperCommand) -> None:
    examples = (command.help or "").partition("\n\b\nExample")[2]
    assert f"\n  {name}" in examples


GROUPS = ["copub", *sorted({name.rpartition(" ")[0] for name, _ in LEAVES} - {"copub"})]


@pytest.mark.parametrize("group", GROUPS)
def test_no_command_is_cut_short_in_the_list_of_a_group(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(lambda: app([*group.split()[1:], "--help"], standalone_mode=False, prog_name="copub")) == 0
    commands = capsys.readouterr().out.partition("Commands:")[2].splitlines()
    assert commands and not [line for line in commands if line.endswith("...")]


def test_a_shell_completes_commands_and_options(tmp_path: Path) -> None:
    for words, place, wanted in (("copub ex", "1", "export"), ("copub run --un", "2", "--until")):
        asked = {"_COPUB_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
        assert wanted in _run(cwd=tmp_path, **asked).stdout.split()


COMPLETION = {"_COPUB_COMPLETE": "complete_bash", "COMP_WORDS": "copub run --", "COMP_CWORD": "2"}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--help",), {}), (("--version",), {}), (("run", "--help"), {}), (("watchlists", "list", "--help"), {}),
        ((), COMPLETION),
    ],
    ids=" ".join,
)  # fmt: skip
def test_help_and_completion_load_nothing_large(
    arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import sys; from copub.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print(sorted({{name.partition('.')[0] for name in sys.modules}} & {LARGE!r}), file=sys.stderr)"
    )
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=own, check=False, timeout=300)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_piped_output_has_one_line_per_stage_and_neither_bars_nor_colours(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(work.parent)
    monkeypatch.setenv("FORCE_COLOR", "1")
    asked = ["run", "belgium-china", "--works", str(work)]
    assert call(lambda: app(asked, standalone_mode=False)) == 0
    done = capsys.readouterr()
    named = [line.split(": ")[1] for line in done.err.splitlines()]
    assert named == [f"{number}/6 {name}" for number, name in enumerate(STAGES, start=1)]
    assert "\x1b" not in done.out + done.err and "\r" not in done.out + done.err
    assert done.out.startswith("0 of 1 co-publication (0.0%) of ")
    assert call(lambda: app([*asked, "--until", "tabulate", "--quiet"], standalone_mode=False)) == 0
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def inputs(tmp_path: Path, demo_run: copub.Run, work: Path) -> dict[str, str]:
    """Values for the commands that report what they do."""
    strings, texts, labels = (tmp_path / name for name in ("strings.txt", "texts.jsonl", "strings.csv"))
    strings.write_text("Beihang University, Beijing, China\n", encoding="utf-8")
    texts.write_text(json.dumps({"id": "a", "title": "On sheep", "core": []}) + "\n", encoding="utf-8")
    labels.write_text(
        'raw_affiliation_string,entity_slugs,kind\n"Beihang University",beihang-university,plain\n', encoding="utf-8"
    )
    # a folder of reports with this run alone, whatever other tests have added
    reports = tmp_path / "one"
    shutil.copytree(demo_run.folder, reports / "demo" / demo_run.folder.name)
    earlier = shutil.copytree(demo_run.folder, tmp_path / "earlier")
    return {
        "strings": str(strings), "texts": str(texts), "labels": str(labels), "reports": str(reports),
        "earlier": str(earlier), "run": str(demo_run.folder),
        "out": str(tmp_path / "out.csv"), "place": str(tmp_path), "works": str(work),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        ("classify --works {texts} --out {out}", "classify"),
        ("screen --strings {strings} --watchlist seven-sons --out {out}", "screen"),
        ("evaluate classifier --labels {texts}", "evaluate"),
        ("evaluate matcher --labels {labels} --watchlist aspi-cdut-2019", "evaluate"),
        ("compare {earlier} {run} --out {place}/compared", "compare"),
        ("trend demo --reports {reports}", "trend"),
    ],
)
def test_a_command_names_its_work_once_and_not_if_quiet_or_for_json(
    command: str, stage: str, inputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = command.format(**inputs).split()
    assert call(lambda: app(words, standalone_mode=False)) == 0
    shown = capsys.readouterr()
    assert [line.split(": ")[1] for line in shown.err.splitlines() if line.startswith("copub: ")] == [stage]
    assert shown.out and max(map(len, shown.out.splitlines()[:-1]), default=0) <= 80
    leaf = next(leaf for name, leaf in LEAVES if " ".join(words).startswith(name.removeprefix("copub ")))
    silent = ["--json"] if any(param.name == "as_json" for param in leaf.params) else ["--quiet"]
    assert call(lambda: app([*words, *silent], standalone_mode=False)) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("options", [("--json", "--until", "harvest"), ("--until", "harvest", "--json")])
def test_json_is_alone_wherever_the_option_stands(
    options: tuple[str, ...], work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--reports", str(work.parent / "r"), "--cache", str(work.parent / "c")]
    assert call(lambda: app(["run", "demo", "--works", str(work), *place, *options], standalone_mode=False)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["folder"] and shown.err == ""


def _read_to_the_end(reader: int, into: list[bytes]) -> None:
    while True:
        try:
            piece = os.read(reader, 4096)
        except OSError:  # Linux reports the end of a terminal so
            return
        if not piece:
            return
        into.append(piece)


def test_on_a_terminal_every_stage_is_named(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = pty.openpty()
    pieces: list[bytes] = []
    reading = threading.Thread(target=_read_to_the_end, args=(reader, pieces))
    reading.start()
    monkeypatch.chdir(work.parent)
    command = ["run", "belgium-china", "--works", str(work), "--until", "screen"]
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert call(lambda: app(command, standalone_mode=False)) == 0
    reading.join()
    os.close(reader)
    shown = b"".join(pieces)
    for number, name in enumerate(STAGES[:4], start=1):
        assert f"copub: {number}/4 {name}: ".encode() in shown
    assert b"copub: write: " in shown


def test_a_call_from_python_shows_no_stages(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copub.run("belgium-china", works=[work], until="screen", reports=work.parent / "r", cache=work.parent / "c")
    assert capfd.readouterr() == ("", "")


def test_stages_are_reported_in_the_block_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.reporting():
        progress.stage("screen", "4/6")
        with progress.reporting(quiet=True):
            progress.stage("measure")
        progress.stage("report")
    progress.stage("harvest")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in lines] == [" 4/6 screen", " report"]


def test_help_and_errors_carry_no_colours(tmp_path: Path) -> None:
    for arguments in (("run", "--help"), ("run", "--nonsense")):
        done = _run(*arguments, cwd=tmp_path, NO_COLOR="1", TERM="xterm-256color")
        assert "\x1b" not in done.stdout + done.stderr


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Terminal())
    with progress.bar(label="read", total=4) as shown:
        shown.update(2)
        text = shown.format_meter(**{**shown.format_dict, "elapsed": 2.0})
    assert text.startswith("read:  50%") and "[00:02<00:02,  1.00 works/s]" in text
    assert "\x1b[3" not in text


def test_a_bar_is_cleared_when_its_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "DELAY", 1e-9)
    shown = progress.bar(range(3), label="read")
    shown.mininterval = 0  # every step is drawn, however fast
    assert list(shown) == [0, 1, 2]
    assert "read:  67%" in stream.getvalue()
    assert stream.getvalue().endswith("\r") and not stream.getvalue().rstrip("\r").rpartition("\r")[2].strip()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_bar_is_silent_when_asked_or_piped(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    stream = _Terminal() if quiet else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.reporting(quiet=quiet):
        assert list(progress.bar(range(3), label="read")) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_export_and_dossier_print_one_json_object(
    demo_run: copub.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(demo_run.folder)
    arguments = ["export", run, "--to", "markdown", "--out", str(tmp_path), "--json"]
    assert call(lambda: app(arguments, standalone_mode=False)) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(tmp_path / "summary.md")]
    names = demo_run.tables["institutions"].filter(side="a")["institution_name"].drop_nulls()
    arguments = ["dossier", run, "--institution", names[0], "--out", str(tmp_path / "d.html"), "--json"]
    assert call(lambda: app(arguments, standalone_mode=False)) == 0
    assert json.loads(capsys.readouterr().out)["page"] == str(tmp_path / "d.html")
    assert "SYNTHETIC" in (tmp_path / "d.html").read_text(encoding="utf-8")
