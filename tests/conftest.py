"""Fixtures shared by all tests: the folder of real records and a browser, if they are there; one demo run."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import copub

# No test may fail because the machine is busy. `make slow` repeats every search with more examples.
settings.register_profile("copub", deadline=None, max_examples=int(os.environ.get("COPUB_EXAMPLES", "12")))
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


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return what makes a folder once for all test processes, and gives each a copy of it."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"
    shared.mkdir(exist_ok=True)

    def copy(name: str, make: Callable[[Path], object]) -> Path:
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / name).exists():
                make(shared / f"{name}.partial")
                (shared / f"{name}.partial").rename(shared / name)
        return Path(shutil.copytree(shared / name, tmp_path_factory.mktemp(name), dirs_exist_ok=True))

    return copy


@pytest.fixture(scope="session")
def demo_folders(once: Once) -> tuple[Path, Path]:
    """Cache and reports folder of the demo run."""
    place = once("demo", lambda place: copub.run("demo", cache=place / "cache", reports=place / "reports"))
    return place / "cache", place / "reports"


@pytest.fixture(scope="session")
def demo_run(demo_folders: tuple[Path, Path]) -> copub.Run:
    """One run of the study demo, from the embedded server to the report."""
    (folder,) = (demo_folders[1] / "demo").glob("*-*")
    return copub.open_run(folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium for all tests of pages; they skip, saying so, where there is none."""
    spec = importlib.util.spec_from_file_location("report_browser", Path(__file__).parent / "report" / "browser.py")
    assert spec is not None and spec.loader is not None
    browser = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(browser)
    if browser.find_chromium() is None:
        pytest.skip("no Chromium on this machine: the page is not opened in a browser")
    with browser.Page() as opened:
        yield opened
