"""Does a test fail when a rule is broken? Each mutant breaks one rule at one place of the code.

    python benchmarks/mutants.py [ID ...]

``mutants.toml`` lists the mutants, each with the test that must fail. Every mutant is applied to a copy of the
project. Prints for each whether its test killed it (failed) or it survived (the test passed); ends with 1 if
any survived. Before that, it checks that every place and every test exists and that the tests pass as they are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "benchmarks" / "mutants.toml"
COPIED = ("src", "tests", "taxonomies", "studies", "docs", "benchmarks", "pyproject.toml", "README.md")
PASSED, FAILED = 0, 1
"""Exit codes of pytest; the others mean that the tests did not run."""


def stale(mutants: list[dict[str, Any]]) -> Iterator[str]:
    """Yield for every mutant whose text is not at exactly one place of its file what is wrong."""
    for mutant in mutants:
        path = ROOT / mutant["file"]
        places = path.read_text(encoding="utf-8").count(mutant["old"]) if path.is_file() else None
        if places != 1:
            found = "does not exist" if places is None else f"has {places} places with the text {mutant['old']!r}"
            yield f"{mutant['id']}: {mutant['file']} {found}; rule: {mutant['rule']}"


def run_tests(place: Path, *tests: str) -> tuple[int, str]:
    """Return the exit code and the output of pytest on `tests` in the copy at `place`."""
    settings = {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COPUB_EXAMPLES": "100"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests]
    done = subprocess.run(command, cwd=place, env=os.environ | settings, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    if done.returncode not in (PASSED, FAILED):
        raise SystemExit(f"the tests did not run: {' '.join(tests)}\n{output[-2000:]}")
    return done.returncode, output


def survives(mutant: dict[str, Any], place: Path) -> bool:
    """Return whether the test of a mutant passes although the rule is broken."""
    path = place / mutant["file"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    try:
        return run_tests(place, mutant["test"])[0] == PASSED
    finally:
        path.write_text(text, encoding="utf-8")


def chosen(ids: list[str]) -> list[dict[str, Any]]:
    """Return the mutants of these ids, or all; end with a message if an id or a place is not there."""
    mutants = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    unknown = sorted(set(ids) - {mutant["id"] for mutant in mutants})
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; known: {', '.join(mutant['id'] for mutant in mutants)}")
    asked = [mutant for mutant in mutants if not ids or mutant["id"] in ids]
    if faults := list(stale(asked)):
        hint = (
            f"the code has changed; correct file and old in {LIST.relative_to(ROOT)}, so that the rule is still broken"
        )
        raise SystemExit("\n".join([*faults, f"hint: {hint}"]))
    return asked


def main() -> int:
    """Print a line per mutant; return 1 if any survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these mutants")
    mutants = chosen(parser.parse_args().ids)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
        code, output = run_tests(place, *dict.fromkeys(mutant["test"] for mutant in mutants))
        if code == FAILED:
            raise SystemExit(f"a test fails without any mutant:\n{output[-2000:]}")
        for mutant in mutants:
            survived = survives(mutant, place)
            survivors += survived
            verdict = "SURVIVED" if survived else "killed"
            print(f"{mutant['id']:<4}{verdict:<9} {mutant['rule']}\n    {mutant['test']}", flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
