"""Worlds shared by the tests of the report."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from copub.report.page import build_page

World = tuple[dict[str, pl.DataFrame], dict[str, Any]]


def _beside(name: str) -> ModuleType:
    """Load a helper module that lies beside the tests (they are imported by path, not as a package)."""
    spec = importlib.util.spec_from_file_location(f"report_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_beside("counts")  # worlds imports it by this name
worlds = _beside("worlds")
attacks = _beside("attacks")


@pytest.fixture(scope="session")
def world() -> World:
    """A synthetic run over 400 works."""
    result: World = worlds.world(400)
    return result


@pytest.fixture(scope="session")
def make_world() -> Any:
    """The maker of synthetic runs: make_world(n, synthetic=, language=, years=, seed=)."""
    return worlds.world


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are not drawn: the test reads only words."""
    monkeypatch.setattr("copub.report.blocks.draw", lambda *_: "<svg></svg>")


@pytest.fixture(scope="session")
def hostile() -> World:
    """A synthetic run whose every text is an attack or a nuisance."""
    result: World = attacks.hostile(*worlds.world(120, years=(2020, 2025)))
    return result


@pytest.fixture(scope="session")
def bare() -> World:
    """A synthetic run in which everything is null that a source could have left out."""
    result: World = attacks.bare(*worlds.world(60))
    return result


@pytest.fixture(scope="session")
def page_file(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the synthetic run over 400 works, as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(build_page(*world), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def hostile_page(hostile: World) -> str:
    """The page of the hostile run."""
    return build_page(*hostile)


@pytest.fixture(scope="session")
def large() -> World:
    """A synthetic run over 60,000 works."""
    result: World = worlds.large()
    return result


@pytest.fixture(scope="session")
def large_page(large: World) -> str:
    """The page of the run over 60,000 works."""
    return build_page(*large)
