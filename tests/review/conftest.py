"""Commands, and a run of one's own to read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import copub
from copub.cli import app
from copub.cli.app import call


@pytest.fixture(scope="session")
def command() -> Callable[..., int]:
    """Call a command of copub and return its exit code."""
    return lambda *arguments: call(lambda: app(list(map(str, arguments)), standalone_mode=False))


@pytest.fixture
def reports(demo_run: copub.Run, tmp_path: Path) -> Path:
    """A folder of reports of one's own with the demo run."""
    shutil.copytree(demo_run.folder, tmp_path / "reports" / "demo" / demo_run.folder.name)
    return tmp_path / "reports"
