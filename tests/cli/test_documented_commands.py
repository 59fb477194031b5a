"""Every command that a document shows exists, with every option that it is shown with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from copub.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)
WORD = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+")  # a page may show a line that continues
ALWAYS = {"--help", "--version", "--install-completion", "--show-completion"}


def shown(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of copub in the code blocks of a page."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
        for line in block.splitlines():
            words = re.sub(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:[\w./-]*/)?copub(?= )", "copub", line)
            if words.startswith("copub "):
                yield WORD.findall(re.split(r" (?:#|&&|[|>]) ", words)[0])[1:]


def inline(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of copub in the running text of a page."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for words in re.findall(r"`copub ([a-z][^`]*)`", text):
        yield WORD.findall(re.sub(r"[\[\]…]", " ", words))


def fault_of(words: list[str]) -> str:
    """Return what is wrong with a command line; empty if it exists as written."""
    command, rest = typer.main.get_command(app), list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            return f"no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | ALWAYS
    options = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    return ", ".join(f"no option {option}" for option in options if option not in known)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    named = [*shown(page), *inline(page)]
    faults = [f"copub {' '.join(words)}: {fault}" for words in named if (fault := fault_of(words))]
    assert not faults


def test_there_are_commands_to_check() -> None:
    assert sum(1 for page in PAGES for _ in shown(page)) > 60
    assert sum(1 for page in PAGES for _ in inline(page)) > 60


def test_an_unknown_command_or_option_is_found() -> None:
    assert fault_of(["rnu", "demo"]) == "no command rnu"
    assert fault_of(["run", "demo", "--quite"]) == "no option --quite"


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    named = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    assert named == {page.name for page in PAGES if page.parent.name == "docs"}


def test_the_table_of_modules_of_the_report_names_them_all() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8").partition("| module | holds |")[2]
    named = {name for row in text.splitlines() for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])}
    assert named == {path.stem for path in (ROOT / "src/copub/report").glob("*.py")} - {"__init__"}
