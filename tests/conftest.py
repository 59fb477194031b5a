"""Fixtures shared by all tests: the folder of real records, if it is there; one demo run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import copub

# No test may fail because the machine is busy. COPUB_EXAMPLES asks for a longer search (make slow).
settings.register_profile("copub", deadline=None, max_examples=int(os.environ.get("COPUB_EXAMPLES", "25")))
settings.load_profile("copub")

REAL = Path(os.environ.get("COPUB_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache and the reports of the working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPUB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("COPUB_REPORTS", str(tmp_path_factory.mktemp("reports")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real records; the test skips, saying so, where it does not exist."""
    if not REAL.is_dir():
        assert "COPUB_REQUIRE_REAL" not in os.environ, f"{REAL} is missing, but this run must not skip the real records"
        pytest.skip(f"no real records at {REAL.name}: this test needs them")
    return REAL


@pytest.fixture(scope="session")
def demo_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Cache and reports folder of the demo run."""
    folder = tmp_path_factory.mktemp("demo")
    return folder / "cache", folder / "reports"


@pytest.fixture(scope="session")
def demo_run(demo_folders: tuple[Path, Path]) -> copub.Run:
    """One run of the study demo, from the embedded server to the report."""
    cache, reports = demo_folders
    return copub.run("demo", cache=cache, reports=reports)
