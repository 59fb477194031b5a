"""Rules of stage keys: all code that runs in a stage and all files that it reads are part of its key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from copub.runs import codehash
from copub.runs.stagecache import CALLERS, MODULES
from copub.runs.staging import _MODELS, _TAXONOMIES
from copub.shipped import shipped_folder

from .conftest import study_text

SCRIPT = Path(__file__).with_name("watched.py")
IN_KEY = {
    "tabulate": ("taxonomies/watchlists/registry",),
    "classify": (_TAXONOMIES, _MODELS),
    "screen": ("taxonomies/watchlists/registry",),
}
"""Stage -> the shipped folders that are hashed into its key; lists and taxonomies have hashes of their own."""
RIM = {
    "runs/stagecache.py", "runs/tablefile.py", "runs/folder.py", "runs/codehash.py", "runs/clock.py", "engine.py",
    "progress.py", "shipped.py", "writing.py",
}  # fmt: skip
"""Code that keeps results, measures or draws bars: it shapes no result."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, small_works: Path) -> dict[str, dict[str, list[str]]]:
    """What ran and what was opened in each stage of a run that applies repairs and dates, in a process of its own."""
    place = tmp_path_factory.mktemp("watched")
    works = place / "works.jsonl"
    works.write_bytes(b"".join(small_works.read_bytes().splitlines(keepends=True)[:60]))
    text = study_text(2000)
    for setting in ("apply_repairs", "listed_at_publication_only"):
        assert f"{setting} = false" in text
        text = text.replace(f"{setting} = false", f"{setting} = true")
    (place / "study.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, SCRIPT, place / "study.toml", works, place / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("stage", IN_KEY)
def test_all_code_that_runs_in_a_stage_is_in_its_key(watched: dict[str, Any], stage: str) -> None:
    ran = {Path(path).relative_to(codehash.PACKAGE).as_posix() for path in watched["code"][stage]}
    hashed = {path.relative_to(codehash.PACKAGE).as_posix() for path in codehash.files_behind(*MODULES[stage])}
    callers = {name.removeprefix("copub.").replace(".", "/") + ".py" for name in CALLERS}
    assert len(ran) > 3
    assert ran - RIM <= hashed | callers


@pytest.mark.parametrize("stage", IN_KEY)
def test_every_file_that_a_stage_reads_is_in_its_key(watched: dict[str, Any], stage: str) -> None:
    beside_code = {str(path) for path in codehash.files_behind(*MODULES[stage])}
    folders = [shipped_folder(folder).resolve() for folder in IN_KEY[stage]]
    unseen = [
        path
        for path in watched["opened"].get(stage, ())
        if path not in beside_code and not any(Path(path).is_relative_to(folder) for folder in folders)
    ]
    assert unseen == []


def test_what_is_read_before_the_stages_has_a_hash_of_its_own(watched: dict[str, Any]) -> None:
    shipped = shipped_folder("taxonomies").resolve()
    known = [shipped / name for name in ("technologies", "models", "watchlists", "errors")]
    outside = [path for path in watched["opened"].get("", ()) if Path(path).is_relative_to(shipped)]
    assert outside
    assert all(any(Path(path).is_relative_to(folder) for folder in known) for path in outside)


def test_the_watch_sees_the_files_that_the_stages_are_known_to_read(watched: dict[str, Any]) -> None:
    names = {Path(path).name for paths in watched["opened"].values() for path in paths}
    assert {"words.csv", "patches.csv", "eu-2023-2113.topics.csv", "eu-2023-2113.npz", "demo-list.csv"} <= names
    assert any(path.endswith("screening/matching.py") for path in watched["code"]["screen"])


def test_the_code_that_calls_a_stage_counts_and_what_it_imports_does_not() -> None:
    one = codehash.code_hash("copub.corpus", alone=CALLERS)
    assert one != codehash.code_hash("copub.corpus")
    behind = {path.name for path in codehash.files_behind("copub.corpus")}
    assert "matching.py" not in behind
