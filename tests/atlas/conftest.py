"""A small snapshot of synthetic works in four files, and the atlas of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from copub.atlas import Atlas, Rules, build, open_atlas, rules_of
from copub.demo.corpus import build_corpus
from copub.sources.snapshot.selection import countries_of_work
from copub.study import Study
from copub.study.question import load_study

from .small import write_snapshot

FILES = 4


@pytest.fixture(scope="session")
def demo_study() -> Study:
    """The study demo without its bounds, which hold for the whole corpus."""
    return replace(load_study("demo"), bounds={})


@pytest.fixture(scope="session")
def rules(demo_study: Study) -> Rules:
    """The rules of the study demo."""
    return rules_of(demo_study)


@pytest.fixture(scope="session")
def works() -> list[dict[str, Any]]:
    """Every eighth work of the synthetic corpus."""
    return build_corpus()[::8]


@pytest.fixture(scope="session")
def snapshot(works: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of them: some are in two files with another title, and three are deleted."""
    parts = [works[number::FILES] for number in range(FILES)]
    older = [work | {"title": "An older copy", "publication_year": 2001} for work in works[1::40]]
    international = [work for work in works if len(countries_of_work(work)) > 1]
    deleted = [work["id"].rpartition("/")[2] for work in international[5:8]]
    return write_snapshot(tmp_path_factory.mktemp("snapshot"), [older + parts[0], *parts[1:]], deleted)


@pytest.fixture(scope="session")
def atlas(snapshot: Path, rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """The atlas of the snapshot, built in one process."""
    folder = tmp_path_factory.mktemp("atlas") / "atlas"
    build(snapshot, folder, rules, workers=1).check()
    return open_atlas(folder)
