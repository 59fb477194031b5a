"""Worlds shared by the tests of the report, and a browser where there is one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

World = tuple[dict[str, pl.DataFrame], dict[str, Any]]


def _beside(name: str) -> ModuleType:
    """Load a helper module that lies beside the tests (they are imported by path, not as a package)."""
    spec = importlib.util.spec_from_file_location(f"report_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


worlds = _beside("worlds")
browser = _beside("browser")


@pytest.fixture(scope="session")
def world() -> World:
    """A made-up run over 400 works."""
    result: World = worlds.world(400)
    return result


@pytest.fixture(scope="session")
def make_world() -> Any:
    """The maker of made-up runs: make_world(n, synthetic=, language=, years=, seed=)."""
    return worlds.world


@pytest.fixture(scope="session")
def hostile() -> World:
    """A made-up run whose every text is an attack or a nuisance."""
    result: World = worlds.hostile()
    return result


@pytest.fixture
def open_page() -> Any:
    """Opener of a file in a headless Chromium; skips, saying so, where there is none."""
    if browser.find_chromium() is None:
        pytest.skip("no Chromium on this machine: the page is not opened in a browser")
    return browser.Page
