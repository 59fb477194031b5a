"""Figures of the model card that are counted from the labels alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.technology.training.card import read_by_two
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
