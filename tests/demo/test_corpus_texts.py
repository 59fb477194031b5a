"""Texts of the synthetic corpus: themes are whole, titles are new, abstracts can be rebuilt."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.demo.places import topics
from copub.demo.synthetictexts import CORE, Text, Theme, Writer, foreign, inverted, phrases, themes

EVERY = {**themes(), **foreign()}


@pytest.mark.parametrize("key", sorted(EVERY))
def test_a_theme_is_whole(key: str) -> None:
    theme = EVERY[key]
    assert theme.titles and theme.body and theme.id in topics()
    assert (theme.kind == CORE) == bool(theme.areas)
    slots = {"n", "pct", "fold", *theme.fillers}
    for pattern in (*theme.titles, *theme.body, *theme.plain_titles, *theme.plain_body):
        assert set(re.findall(r"\{(\w+)\}", pattern)) <= slots, pattern
    assert not any("{" in filler for options in theme.fillers.values() for filler in options)


@pytest.mark.parametrize("theme", [t for t in themes().values() if t.areas], ids=lambda t: t.id)
def test_a_critical_theme_can_be_told_in_two_registers(theme: Theme) -> None:
    assert theme.plain_titles and len(theme.plain_body) >= 2
    assert not set(theme.plain_titles) & set(theme.titles)


@given(st.lists(st.text(max_size=8), max_size=60))
def test_an_inverted_index_gives_its_tokens_back(tokens: list[str]) -> None:
    index = inverted(tokens)
    rebuilt = [token for _, token in sorted((p, t) for t, positions in index.items() for p in positions)]
    assert rebuilt == tokens


@given(st.integers(0, 10**6), st.sampled_from(sorted(EVERY)))
def test_a_writer_gives_no_title_twice_and_leaves_no_slot_open(seed: int, key: str) -> None:
    writer, rng = Writer(), Random(seed)
    texts = [writer.write(EVERY[key], rng) for _ in range(60)]
    assert len({text.title for text in texts}) == len(texts)
    for text in texts:
        assert not re.search(r"[{}]", text.title + "".join(text.sentences))
        assert text.title[0] == text.title[0].upper()


def test_a_passing_mention_ends_a_text() -> None:
    text: Text = Writer().write(themes()["freshwater"], Random(1), passing=True)
    assert text.sentences[-1] in phrases()["passing"]
    assert text.language == "en"


def test_foreign_themes_keep_the_areas_of_the_theme_they_are_of() -> None:
    assert foreign()["zh:power-switch"].areas == themes()["power-switch"].areas
    assert {theme.language for theme in foreign().values()} == {"fr", "nl", "de", "zh"}
