"""The synthetic corpus, built once for all tests of the demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harvest"))  # the stand-in for OpenAlex

from copub.demo import build_corpus, true_values
from copub.demo.places import PREFIX

Work = dict[str, Any]


@pytest.fixture(scope="session")
def works() -> list[Work]:
    """The works; tests must not change them."""
    return build_corpus()


@pytest.fixture(scope="session")
def truth(works: list[Work]) -> pl.DataFrame:
    """What was planted in them."""
    return true_values(works)


@pytest.fixture(scope="session")
def facts(truth: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """What was planted, by the long id of the work."""
    return {PREFIX + row["work_id"]: row for row in truth.iter_rows(named=True)}
