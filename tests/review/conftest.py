"""A browser for the tests of reading pages, where there is one, and a run of one's own to read."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import copub
from copub.cli import app
from copub.cli.app import call


def _browser() -> ModuleType:
    """Return the browser of the report's tests, which are imported by path; a process has one driver."""
    if "report_browser" in sys.modules:
        return sys.modules["report_browser"]
    spec = importlib.util.spec_from_file_location("report_browser", Path(__file__).parents[1] / "report" / "browser.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium; tests skip, saying so, where there is none."""
    browser = _browser()
    if browser.find_chromium() is None:
        pytest.skip("no Chromium on this machine: the page is not opened in a browser")
    with browser.Page() as opened:
        yield opened


@pytest.fixture(scope="session")
def command() -> Callable[..., int]:
    """Call a command of copub and return its exit code."""
    return lambda *arguments: call(lambda: app(list(map(str, arguments)), standalone_mode=False))


@pytest.fixture
def reports(demo_run: copub.Run, tmp_path: Path) -> Path:
    """A folder of reports of one's own with the demo run."""
    shutil.copytree(demo_run.folder, tmp_path / "reports" / "demo" / demo_run.folder.name)
    return tmp_path / "reports"
