"""Topics of a work move its scores by what the classifier reads in their texts, in both directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.lists.taxonomy import load_taxonomy
from copub.schema import TABLES
from copub.technology import classify
from copub.technology.model import load_model
from copub.technology.topics import TopicTexts, logits_of_topics

QUANTUM, CARDIOLOGY, UNKNOWN = "T10020", "T10198", "T99999"
"""Topics of quantum information and of heart failure, and one that OpenAlex does not have."""
TAXONOMY = load_taxonomy("eu-2023-2113")


def _rows(*topics: str) -> pl.DataFrame:
    """Return what is decided of a title of few words about EU-03-QUANTUM; the first topic is the primary one."""
    works = pl.DataFrame(
        {"work_id": ["W1"], "title": ["Entangled states"], "abstract": [""], "abstract_status": ["none"],
         "language": ["en"], "epoch": ["unknown"]}
    )  # fmt: skip
    schema = TABLES["topics"].schema
    rows: list[dict[str, Any]] = [
        {**dict.fromkeys(schema), "work_id": "W1", "rank": rank, "topic_id": topic} for rank, topic in enumerate(topics)
    ]
    made = classify(works, pl.DataFrame(rows, schema=schema), [TAXONOMY]).assignments
    return made.filter(area="EU-03-QUANTUM")


def _score(*topics: str) -> float:
    return float(_rows(*topics)["score"].item())


def test_a_topic_of_the_area_raises_its_score_and_another_lowers_it() -> None:
    assert _score(CARDIOLOGY) < _score() < _score(QUANTUM)


def test_a_further_topic_counts_too() -> None:
    assert _score(CARDIOLOGY) < _score(CARDIOLOGY, QUANTUM) < _score(QUANTUM, QUANTUM)


def test_a_topic_that_the_model_does_not_know_changes_nothing() -> None:
    assert _score(UNKNOWN) == _score()
    assert _score(UNKNOWN, QUANTUM) == _score(QUANTUM)


def test_the_topic_that_speaks_most_for_an_area_is_named_and_one_that_speaks_against_it_is_not() -> None:
    assert _rows(CARDIOLOGY, QUANTUM)["topic_id"].to_list() == [QUANTUM]
    assert "topic" in _rows(QUANTUM)["method"].item()
    assert _rows(CARDIOLOGY)["topic_id"].to_list() == [None]


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=6))
def test_the_primary_topic_and_the_mean_of_the_others_are_what_a_plain_loop_finds(topics: list[list[int]]) -> None:
    texts = TopicTexts.of([f"T{n}" for n in range(4)], np.array([[-1.5, 0], [2, 1], [-9, 9], [0.25, -3]], np.float32))
    pairs = [(work, topic) for work, of_work in enumerate(topics) for topic in of_work]
    work, topic = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = logits_of_topics(work, topic, len(topics), texts)
    for at, of_work in enumerate(topics):
        assert found.is_known[at] == bool(of_work)
        if of_work:
            logits = [texts.logits[one].astype(float) for one in of_work]
            assert found.logits[0, at] == pytest.approx(logits[0])
            assert found.logits[1, at] == pytest.approx(np.mean(logits[1:] or logits, axis=0))


def test_logits_of_topics_stay_in_bounds_and_in_the_order_of_their_numbers() -> None:
    texts = TopicTexts.of(["T20", "T3"], np.array([[-12.0], [4.567]], np.float32))
    assert texts.numbers.tolist() == [3, 20]
    assert texts.logits[:, 0].tolist() == [3.0, -7.0]


def test_the_model_knows_all_topics_of_openalex_once() -> None:
    numbers = load_model().topic_texts.numbers
    assert numbers.size == 4516
    assert (np.diff(numbers) > 0).all()
