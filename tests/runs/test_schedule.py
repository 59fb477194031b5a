"""Rules of the documents on schedules: their commands exist, their script and their workflow act on exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from copub.cli import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEDULE = (DOCS / "schedule.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")

STUB = """#!{python}
import json, pathlib, sys
place = pathlib.Path({place!r})
plan = json.loads((place / "plan.json").read_text())
with (place / "calls").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["runs", "list"]:
    print(json.dumps({{"belgium-china": plan["runs"]}} if plan["runs"] else {{}}))
if sys.argv[1:3] == ["runs", "prune"]:
    print("kept: 1")
if sys.argv[1] == "compare":
    print(json.dumps({{"works": plan["works"], "page": "comparison.html"}}))
if sys.argv[1] == "run":
    code = plan["codes"].pop(0)
    (place / "plan.json").write_text(json.dumps(plan))
    print(json.dumps({{"exit_code": code}}))
    if code:
        print(f"copub: ended with {{code}}", file=sys.stderr)
    sys.exit(code)
"""


NO_CHANGE = {"added": 0, "removed": 0, "changed": 0}


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SCHEDULE, re.DOTALL)
    assert found, language
    return found.group(1)


@dataclass(frozen=True)
class Ended:
    """How a script ended: its exit code, the calls of copub, what cron would mail."""

    code: int
    calls: list[str]
    mail: str


def carried_out(
    place: Path, script: str, codes: list[int], runs: list[dict[str, str]], works: dict[str, int] = NO_CHANGE,
    arguments: tuple[str, ...] = ("belgium-china",),
) -> Ended:  # fmt: skip
    """Run a script with a stand-in for copub that ends with these codes and compares with these counts."""
    plan = {"codes": codes, "runs": runs, "works": works}
    (place / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    for name, text in (("copub", STUB.format(python=sys.executable, place=str(place))), ("sleep", "#!/bin/sh\n")):
        (place / name).write_text(text, encoding="utf-8")
        (place / name).chmod(stat.S_IRWXU)
    (place / "script.sh").write_text(script.replace("/var/lib/copub", str(place)), encoding="utf-8")
    environment = os.environ | {"PATH": f"{place}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "script.sh", *arguments], cwd=place, env=environment, check=False, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return Ended(done.returncode, (place / "calls").read_text(encoding="utf-8").splitlines(), done.stdout)


RUN = "run belgium-china --refresh --quiet --json"
LAST = [{"run": "20260101-000000-aaaaaaaa"}, {"run": "20260301-000000-bbbbbbbb"}]


@pytest.mark.parametrize(
    ("codes", "code", "attempts", "goes_on"),
    [([0], 0, 1, True), ([3, 130, 0], 0, 3, True), ([4], 4, 1, True), ([2], 2, 1, False), ([1], 1, 1, False),
     ([3, 3, 3, 3], 3, 4, False)],
)  # fmt: skip
def test_the_monthly_script_acts_on_every_exit_code(
    tmp_path: Path, codes: list[int], code: int, attempts: int, goes_on: bool
) -> None:
    ended = carried_out(tmp_path, block("sh"), codes, LAST)
    assert ended.code == code
    calls = ended.calls
    assert calls.count(RUN) == attempts
    # of several attempts only the message of the last is mailed
    assert ended.mail == (f"copub: ended with {code}\n" if code else "")
    after = [
        "compare belgium-china/20260301-000000-bbbbbbbb belgium-china --json",
        "runs prune belgium-china --keep 12 --delete",
    ]
    assert calls[attempts + 1 :] == (after if goes_on else [])


def test_the_first_run_of_all_is_compared_with_nothing(tmp_path: Path) -> None:
    ended = carried_out(tmp_path, block("sh"), [0], [])
    assert not any(call.startswith("compare") for call in ended.calls)
    assert ended.mail == ""


def test_a_change_is_mailed_in_one_line(tmp_path: Path) -> None:
    ended = carried_out(tmp_path, block("sh"), [0], LAST, {"added": 3, "removed": 0, "changed": 1})
    assert ended.mail == "belgium-china: works added 3, removed 0, changed 1; comparison.html\n"


def test_a_study_of_ones_own_is_run_by_its_file_and_compared_by_its_id(tmp_path: Path) -> None:
    calls = carried_out(tmp_path, block("sh"), [0], LAST, arguments=("belgium-china", "my study.toml")).calls
    assert RUN.replace("belgium-china", "my study.toml") in calls
    assert "compare belgium-china/20260301-000000-bbbbbbbb belgium-china --json" in calls


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 1), (2, 2), (3, 1), (4, 0)])
def test_the_workflow_is_whole_and_fails_when_a_person_is_needed_or_it_must_go_on(
    tmp_path: Path, code: int, ended: int
) -> None:
    workflow: dict[str, Any] = yaml.safe_load(block("yaml"))
    steps = workflow["jobs"]["run"]["steps"]
    assert all("uses" in step or "run" in step for step in steps)
    saved = next(step for step in steps if step.get("uses", "").startswith("actions/cache/save"))
    assert saved["if"] == "always()"
    script = next(step["run"] for step in steps if step.get("name") == "run")
    done = carried_out(tmp_path, f"set -e\n{script}", [code], [])
    assert (done.code, done.calls) == (ended, [RUN])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here to judge its units")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = re.findall(r"```ini\n(.*?)```", SCHEDULE, re.DOTALL)
    names = ("copub@.service", "copub@.timer")
    for name, unit in zip(names, units, strict=True):
        (tmp_path / name).write_text(unit, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *names], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "copub@" not in done.stderr, done.stderr


def options_of(words: list[str]) -> set[str]:
    """Return the options of the command that words name."""
    command: Any = get_command(app)
    for word in words:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


@pytest.mark.parametrize("name", ["schedule.md", "runs.md"])
def test_every_command_in_the_documents_has_the_options_that_it_is_given(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    lines = re.findall(r"copub ((?:run|runs|compare|verify|trend)\b[^`|\n>)']*)", text)
    assert len(lines) > 3
    for line in lines:
        words = line.split()
        unknown = {word.strip('."[],') for word in words if word.strip('"[').startswith("--")} - options_of(words)
        assert not unknown, line
