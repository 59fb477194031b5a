"""Run the demo in fresh folders, under every Python that is there, and compare every table's hash.

``make verify`` calls it. Twice under this Python, with all cores and with one thread and another
seed of Python's hashes; once under the newest other supported Python found on the path, in a
virtual environment of its own with the locked packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {"PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def run_demo(python: Path, folder: Path, **conditions: str) -> dict[str, str]:
    """Return the sha256 of every table of a demo run made by `python` in a fresh folder."""
    command = [
        python,
        "-m",
        "copub",
        "run",
        "demo",
        "--json",
        "--cache",
        folder / "cache",
        "--reports",
        folder / "reports",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | conditions)
    if done.returncode:
        raise SystemExit(f"{python}: the demo ended with {done.returncode}\n{done.stderr}")
    return {name: facts["sha256"] for name, facts in json.loads(done.stdout)["tables"].items()}


def other_pythons() -> list[str]:
    """Return the other supported Pythons on the path that can make a virtual environment."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = []
    for version in VERSIONS:
        name = f"python{version}"
        usable = (
            shutil.which(name)
            and not subprocess.run([name, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode
        )
        if version != own and usable:
            found.append(name)
    return found


def environment(python: str, folder: Path) -> Path:
    """Make a virtual environment with the locked packages and this copub; return its Python."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    inside = folder / "bin" / "python"
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements.txt"], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", ROOT], check=True)
    return inside


def main() -> int:
    """Print one line per run; return 0 if all tables are the same."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        first = run_demo(Path(sys.executable), place / "first")
        runs = {
            f"Python {sys.version.split()[0]}, one thread": run_demo(
                Path(sys.executable), place / "again", **ONE_THREAD
            )
        }
        for python in other_pythons()[-1:]:
            runs[python] = run_demo(environment(python, place / f"env-{python}"), place / python)
    differing = 0
    print(f"{len(first)} tables, Python {sys.version.split()[0]}")
    for label, tables in runs.items():
        differ = sorted(table for table in first.keys() | tables.keys() if first.get(table) != tables.get(table))
        differing += bool(differ)
        print(f"{label}: {'identical' if not differ else 'differ: ' + ', '.join(differ)}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
