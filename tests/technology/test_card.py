"""Figures of the model card that are counted from the labels alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.technology.training.card import Unseen, balanced_thresholds, read_by_two, unseen_figures
from copub.technology.training.labelledworks import Text

SAID = st.lists(st.sampled_from(["both", "one", "none"]), min_size=2, max_size=60)


def texts(stated: list[str]) -> list[Text]:
    core, unsure = {"both": frozenset({"A"})}, {"one": frozenset({"B"})}
    return [
        Text(str(n), "", "", core.get(s, frozenset()), unsure.get(s, frozenset()), "", 2) for n, s in enumerate(stated)
    ]


@given(SAID.filter(lambda stated: stated.count("none") < len(stated) and stated.count("both") < len(stated)))
def test_agreement_of_two_readers_is_beyond_that_of_two_who_say_yes_equally_often(stated: list[str]) -> None:
    agree = 1 - stated.count("one") / len(stated)
    yes = (stated.count("both") + stated.count("one") / 2) / len(stated)
    chance = yes**2 + (1 - yes) ** 2
    assert read_by_two(texts(stated)) == {
        "works": len(stated),
        "kappa": pytest.approx((agree - chance) / (1 - chance), abs=6e-4),
    }


def test_works_read_by_one_reader_say_nothing_of_agreement() -> None:
    alone = [Text("x", "", "", frozenset({"A"}), frozenset({"B"}))] * 5
    assert read_by_two([*texts(["both", "none"]), *alone]) == {"works": 2, "kappa": 1.0}


CARD = {
    "areas": ["A", "B"],
    "thresholds": {"balanced": {"A": 0.5, "B": 0.6}},
    "title_thresholds": {"balanced": {"A": 0.3, "B": 0.2}},
}


def test_works_are_decided_by_the_thresholds_of_their_text() -> None:
    found = balanced_thresholds(CARD, np.array(["full", "title"]))
    assert found.tolist() == [[0.5, 0.6], [0.3, 0.2]]


def test_works_kept_apart_are_judged_by_what_they_have_and_all_by_their_titles() -> None:
    kept = [
        Text("1", "t", "abstract", frozenset("A")),
        Text("2", "t", "", frozenset("B")),
        Text("3", "t", "abstract", frozenset()),
    ]
    positive = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.bool_)
    as_read = np.array([[0.4, 0.0], [0.0, 0.25], [0.55, 0.0]])  # missed, found, false alarm
    as_titles = np.array([[0.35, 0.0], [0.0, 0.25], [0.1, 0.1]])  # found, found, left alone
    made = unseen_figures(kept, Unseen(as_read, as_titles, positive, np.ones_like(positive)), CARD)
    rows = {row["what"]: row for row in made["rows"]}
    assert (rows["any area"]["precision"], rows["any area"]["recall"]) == (0.5, 0.5)
    assert (rows["any area, title only"]["works"], rows["any area, title only"]["recall"]) == (1, 1.0)
    by_title = {row["what"]: row for row in made["title_rows"]}
    assert list(by_title) == ["A", "B", "any area"]
    assert (by_title["any area"]["works"], by_title["any area"]["f1"]) == (3, 1.0)
