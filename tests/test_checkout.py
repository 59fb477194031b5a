"""What a fresh checkout offers: its setup explains an unsuitable Python, its folders for results are there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from copub.runs.keep import list_runs, studies_of

ROOT = Path(__file__).resolve().parents[1]
OLD, NEW = (3, 10, 13), (3, 12, 1)


def place_python(path: Path, version: tuple[int, ...], *, lacks: str = "") -> None:
    """Write an executable that reports `version`, lacks the module `lacks`, and creates nothing."""
    missing = json.dumps([lacks])
    code = f"import sys; sys.version_info = {version}; sys.modules.update(dict.fromkeys({missing})); exec(sys.argv[1])"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then exec '{sys.executable}' -c '{code}' \"$2\"; fi\nexit 1\n")
    path.chmod(0o755)


def set_up(folder: Path, *path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "setup", "requirements.txt", "packages"],
        cwd=folder,
        env={"PATH": ":".join(map(str, path)), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_older_python_gets_one_sentence_before_anything_is_created(tmp_path: Path) -> None:
    place_python(tmp_path / "bin" / "python3", OLD)
    done = set_up(tmp_path / "check out", tmp_path / "bin")
    assert done.returncode != 0
    assert done.stderr == "copub needs Python 3.11 or newer; found 3.10.13. Set PYTHON=/path/to/python.\n"
    assert not list((tmp_path / "check out").iterdir())


def test_no_python_at_all_gets_the_same_sentence(tmp_path: Path) -> None:
    done = set_up(tmp_path / "checkout", tmp_path / "bin")
    assert done.returncode != 0
    assert "found none" in done.stderr


def test_a_newer_python_further_on_the_path_is_used_instead_of_an_older_default(tmp_path: Path) -> None:
    place_python(tmp_path / "first" / "python3", OLD)
    place_python(tmp_path / "second place" / "python3.12", NEW)
    done = set_up(tmp_path / "checkout", tmp_path / "first", tmp_path / "second place")
    assert done.stderr.startswith("copub: creating .venv with Python 3.12.1\n")


def test_the_python_that_the_user_names_is_never_replaced_by_another(tmp_path: Path) -> None:
    place_python(tmp_path / "bin" / "python3", NEW)
    place_python(tmp_path / "old", OLD)
    done = set_up(tmp_path / "checkout", tmp_path / "bin", PYTHON=str(tmp_path / "old"))
    assert "found 3.10.13" in done.stderr


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_or_ensurepip_gets_a_sentence_that_names_the_package(tmp_path: Path, module: str) -> None:
    place_python(tmp_path / "bin" / "python3", NEW, lacks=module)
    done = set_up(tmp_path / "checkout", tmp_path / "bin")
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert "python3-venv" in done.stderr
    assert not list((tmp_path / "checkout").iterdir())


@pytest.mark.parametrize("folder", ["cache", "reports"])
def test_the_folder_exists_with_one_line_and_git_ignores_what_comes_into_it(folder: str) -> None:
    assert len((ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()) == 1
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")

    def ignored(name: str) -> bool:
        return not subprocess.run(["git", "check-ignore", "-q", f"{folder}/{name}"], cwd=ROOT, check=False).returncode

    assert not ignored("README.md")
    assert ignored("demo/run/report.html")
    assert ignored("other.md")


def test_the_readme_of_the_reports_folder_is_no_study(tmp_path: Path) -> None:
    shutil.copy(ROOT / "reports" / "README.md", tmp_path)
    assert studies_of(tmp_path) == []
    assert list_runs(tmp_path, "README.md").is_empty()
