"""Real works by id, read once: only those that some test asks for are kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

import copub


@pytest.fixture(scope="session")
def quirk_examples(real_data: Path) -> Mapping[str, Any]:
    """The kinds of oddity, each with a count and example work ids."""
    return json.loads((real_data / "real" / "quirks_examples.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def example_works(real_data: Path, quirk_examples: Mapping[str, Any]) -> Mapping[str, dict[str, Any]]:
    """The works named as examples, by short id."""
    wanted = {example[0] for kind in quirk_examples.values() for example in kind["examples"]}
    with gzip.open(real_data / "real" / "works.jsonl.gz") as lines:
        works = map(orjson.loads, lines)
        return {work_id: work for work in works if (work_id := work["id"].rpartition("/")[2]) in wanted}


@pytest.fixture(scope="session")
def works_files(real_data: Path) -> list[Path]:
    """The files of real works."""
    return [real_data / "real" / "works.jsonl.gz", real_data / "real" / "works_be_cn_reconstructed.jsonl.gz"]


@pytest.fixture(scope="session")
def belgium_china(works_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> copub.Run:
    """The run of the shipped study over the real works."""
    return copub.run("belgium-china", works=works_files, reports=tmp_path_factory.mktemp("be-cn"))
