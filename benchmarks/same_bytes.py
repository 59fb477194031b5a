"""Run the demo, and Belgium x China over the real records, under several conditions; compare every table's hash.

``make verify`` calls it. In fresh folders each time: as this machine would; with one thread and another seed of
Python's hashes; with one worker and with two; through a Dask scheduler with two workers; and under the newest other
supported Python found on the path, in a virtual environment of its own with the locked packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import REAL, dask_workers

ROOT = Path(__file__).resolve().parents[1]
RECORDS = REAL / "real" / "works_be_cn_reconstructed.jsonl.gz"
ONE_THREAD = {"PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
Hashes = dict[str, str]


def run(python: Path, study: list[str], *options: str, **conditions: str) -> Hashes:
    """Return the sha256 of every table of a run made by `python` in a fresh folder."""
    with tempfile.TemporaryDirectory() as name:
        places = ["--cache", f"{name}/cache", "--reports", f"{name}/reports"]
        command = [str(python), "-m", "copub", "run", "--json", *places, *options, *study]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | conditions)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: ended with {done.returncode}\n{done.stderr}")
    return {table: facts["sha256"] for table, facts in json.loads(done.stdout)["tables"].items()}


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


def compare(study: list[str], others: dict[str, Path], address: str) -> int:
    """Print one line per condition; return how many of them give another table."""
    own = Path(sys.executable)
    first = run(own, study)
    print(f"{study[0]}: {len(first)} tables, Python {sys.version.split()[0]}", flush=True)
    conditions = {
        "one thread, another seed of hashes": lambda: run(own, study, **ONE_THREAD),
        "1 worker": lambda: run(own, study, "--workers", "1"),
        "2 workers": lambda: run(own, study, "--workers", "2"),
        "a Dask scheduler with 2 workers": lambda: run(own, study, "--scheduler", address),
        **{label: lambda python=python: run(python, study) for label, python in others.items()},
    }
    differing = 0
    for label, again in conditions.items():
        tables = again()
        differ = sorted(table for table in first.keys() | tables.keys() if first.get(table) != tables.get(table))
        differing += bool(differ)
        print(f"  {label}: {'identical' if not differ else 'differ: ' + ', '.join(differ)}", flush=True)
    return differing


def main() -> int:
    """Return 0 if all tables are the same under all conditions."""
    studies = [["demo"]]
    if RECORDS.is_file():
        studies.append(["belgium-china", "--works", str(RECORDS)])
    else:
        print("no real records beside the checkout: only the demo is run")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        others = {python: environment(python, place / f"env-{python}") for python in other_pythons()[-1:]}
        if not others:
            print("no other supported Python on the path: this one only")
        with dask_workers(2) as (address, _):
            differing = sum(compare(study, others, address) for study in studies)
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
