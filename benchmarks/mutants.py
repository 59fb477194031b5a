"""Do the tests notice when a rule is broken? Each mutant changes one place of the code.

    python benchmarks/mutants.py [ID ...]

The mutants are in ``mutants.toml``. Each is applied to a copy of the project, where the tests named
run until the first failure. Prints killed or survived; ends with 1 if any survived.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("src", "tests", "taxonomies", "studies", "docs", "benchmarks", "pyproject.toml", "README.md")


def survives(mutant: dict[str, Any], place: Path) -> bool:
    """Return whether the tests of a mutant pass although the code is broken.

    Raises `SystemExit` if the code no longer has the place that the mutant changes, or if the tests do not run.
    """
    path = place / mutant["file"]
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(mutant["old"]) != 1:
        raise SystemExit(
            f"{mutant['id']}: {mutant['file']} holds the text to be changed {text.count(mutant['old'])} times"
        )
    path.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    try:
        return _passes(place, mutant["tests"])
    finally:
        path.write_text(text, encoding="utf-8")


def _passes(place: Path, tests: str) -> bool:
    environment = os.environ | {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "-m", "not slow and not live"]
    command = [sys.executable, "-m", "pytest", *options, tests]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{tests} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these mutants")
    options = parser.parse_args()
    mutants = tomllib.loads((ROOT / "benchmarks" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    chosen = [mutant for mutant in mutants if not options.ids or mutant["id"] in options.ids]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
        for tests in sorted({mutant["tests"] for mutant in chosen}):
            if not _passes(place, tests):
                raise SystemExit(f"{tests} fails without any mutant")
        for mutant in chosen:
            survived = survives(mutant, place)
            survivors += [mutant["id"]] if survived else []
            print(
                f"{mutant['id']:<4} {'SURVIVED' if survived else 'killed':<9} {mutant['tests']:<34} {mutant['rule']}",
                flush=True,
            )
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants killed")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
