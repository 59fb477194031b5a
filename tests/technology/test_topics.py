"""The primary OpenAlex topic of a work adds to the score of its area; the further topics add nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from copub.lists.taxonomy import load_taxonomy
from copub.schema import TABLES
from copub.technology import classify

QUANTUM, CARDIOLOGY = "T10020", "T99999"
"""A topic that the shipped map leads to EU-03-QUANTUM, and one that is not on it."""
TAXONOMY = load_taxonomy("eu-2023-2113")


def _logit(*topics: str) -> float:
    """Return the logit of the quantum score of a title of few words; the first topic is the primary one."""
    works = pl.DataFrame(
        {"work_id": ["W1"], "title": ["Entangled states"], "abstract": [""], "abstract_status": ["none"],
         "language": ["en"], "epoch": ["unknown"]}
    )  # fmt: skip
    schema = TABLES["topics"].schema
    rows: list[dict[str, Any]] = [
        {**dict.fromkeys(schema), "work_id": "W1", "rank": rank, "topic_id": topic} for rank, topic in enumerate(topics)
    ]
    made = classify(works, pl.DataFrame(rows, schema=schema), [TAXONOMY]).assignments
    score = made.filter(area="EU-03-QUANTUM")["score"].item()
    return float(pl.select((pl.lit(score) / (1 - pl.lit(score))).log()).item())


def test_a_primary_topic_of_the_area_raises_its_score() -> None:
    assert _logit(QUANTUM) > _logit() + 0.5
    assert _logit(QUANTUM, CARDIOLOGY) == _logit(QUANTUM)


def test_a_further_topic_of_the_area_leaves_its_score_as_it_is() -> None:
    assert _logit(CARDIOLOGY, QUANTUM) == pytest.approx(_logit())
