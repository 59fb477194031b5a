"""Small runs through the real pipeline: some hundred synthetic works, from a file or from the embedded server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

import copub
from copub.demo.corpus import build_corpus
from copub.runs import Run
from copub.shipped import find_shipped
from copub.study import Study, parse_study


def study_text(first_year: int = 2025) -> str:
    """Return the text of the study demo from a year on, without its bounds."""
    path = find_shipped("studies", "demo")
    assert path is not None
    text = path.read_text(encoding="utf-8").partition("[assertions]")[0]
    return text.replace("from = 2000", f"from = {first_year}")


@pytest.fixture(scope="session")
def small_study() -> Study:
    """The study demo over its last year: quick to harvest from the embedded server."""
    return parse_study(study_text())


@pytest.fixture(scope="session")
def small_works(once: Any) -> Path:
    """A works file with every tenth work of the synthetic corpus."""

    def make(place: Path) -> None:
        place.mkdir()
        lines = (orjson.dumps(work) + b"\n" for work in build_corpus()[::10])
        (place / "works.jsonl").write_bytes(b"".join(lines))

    path: Path = once("small-works", make) / "works.jsonl"
    return path


@pytest.fixture(scope="session")
def small_run(once: Any, all_years: Study, small_works: Path) -> Run:
    """A whole run over the small works file; tests that alter it copy it first."""

    def make(place: Path) -> None:
        copub.run(all_years, works=[small_works], cache=place / "cache", reports=place / "reports")

    (folder,) = (once("small-run", make) / "reports" / "demo").glob("*-*")
    return copub.open_run(folder)


@pytest.fixture(scope="session")
def all_years(small_study: Study) -> Study:
    """The study demo without its bounds."""
    return replace(parse_study(study_text(2000)), bounds={})
