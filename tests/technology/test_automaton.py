"""The automaton finds what a slow search finds, and words are cut and distinguished alike."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.lists.terms import Term, fold_word, parse_term
from copub.technology import wordtable
from copub.technology.automaton import Automaton
from copub.technology.tokens import hash_words, tokenize
from copub.technology.wordtable import WordTable, fold_for_model

_TERMS = ("quantum", "quant*", "quantum dot", "quantum key*", "cs:SAR", "sar", "naive", "longerthaneight*", "dot key")
_WORDS = ("quantum", "quantums", "key", "keys", "dot", "Dot", "SAR", "sar", "é", "naïve", "longerthaneightletters")


def _found(terms: list[Term], texts: list[str]) -> set[tuple[int, int, int]]:
    automaton = Automaton(terms)
    tokens = tokenize(pl.Series(texts))
    matches = automaton.find(WordTable(automaton.classes.of).look_up(tokens)[0], tokens.segment)
    return set(zip(matches.first.tolist(), matches.last.tolist(), matches.term.tolist(), strict=True))


def _slow(terms: list[Term], texts: list[str]) -> set[tuple[int, int, int]]:
    found, offset = set(), 0
    for text in texts:
        words = text.split()
        for number, term in enumerate(terms):
            for start in range(len(words) - len(term.words) + 1):
                if all(_fits(term, at, words[start + at]) for at in range(len(term.words))):
                    found.add((offset + start, offset + start + len(term.words) - 1, number))
        offset += len(words)
    return found


def _fits(term: Term, at: int, word: str) -> bool:
    if term.cased:
        return word == term.words[at]
    folded = fold_word(word)
    return folded.startswith(term.words[at]) if term.stems[at] else folded == term.words[at]


@given(
    st.lists(
        st.sampled_from(_TERMS),
        unique=True,
        min_size=1,
    ),
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=8).map(" ".join), min_size=1, max_size=4),
)
def test_the_automaton_finds_what_a_slow_search_finds(terms: list[str], texts: list[str]) -> None:
    parsed = [parse_term(text) for text in terms]
    assert _found(parsed, texts) == _slow(parsed, texts)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_words_lie_inside_their_text_and_never_cross_it(texts: list[str]) -> None:
    texts = [text.replace("\n", " ").encode("utf-8", "ignore").decode() for text in texts]
    tokens = tokenize(pl.Series(texts))
    for start, end, segment in zip(tokens.starts, tokens.ends, tokens.segment, strict=True):
        assert tokens.text(int(start), int(end)) in texts[segment]


def test_equal_words_have_equal_numbers_and_others_do_not() -> None:
    words = ["alpha", "alphabet", "alphabetically", "alphabeticallz", "a", "b", ""]
    hashes = hash_words(words)
    assert len(set(hashes.tolist())) == len(words)
    assert hashes[-1] == 0
    assert tokenize(pl.Series(["alpha alphabetically"])).hashes.tolist() == [hashes[0], hashes[2]]


def test_dashes_quotes_and_signs_of_any_script_part_words() -> None:
    text = "metal–organic “MOF” 10 µm×5 light‐emitting CO₂ 東京。大学"
    tokens = tokenize(pl.Series([text]))
    words = [tokens.text(int(a), int(b)) for a, b in zip(tokens.starts, tokens.ends, strict=True)]
    assert words == ["metal", "organic", "MOF", "10", "µm", "5", "light", "emitting", "CO₂", "東京", "大学"]


def test_stop_words_numbers_and_plurals_fold_for_the_model() -> None:
    assert [fold_for_model(w) for w in ("the", "2020", "x", "Batteries", "sensors", "glass", "basis")] == [
        "", "", "", "battery", "sensor", "glass", "basis",
    ]  # fmt: skip


def test_what_is_remembered_of_a_word_is_what_was_worked_out() -> None:
    words = [f"word{number}" for number in range(3_000)]
    table = WordTable(lambda word: int(word.removeprefix("word")))
    tokens = tokenize(pl.Series([" ".join(words)]))
    for _ in range(2):
        classes, folds = table.look_up(tokens)
        assert classes.tolist() == list(range(3_000))
        assert folds.tolist() == hash_words([fold_for_model(word) for word in words]).tolist()


def test_words_that_want_one_slot_keep_their_own_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordtable, "_BITS", 4)
    monkeypatch.setattr(wordtable, "_UNKNOWN", np.uint64(15))
    table = WordTable(lambda word: len(word))
    words = [letter * (number % 12 + 1) for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz" * 3)]
    tokens = tokenize(pl.Series([" ".join(words)]))
    for _ in range(3):
        classes, folds = table.look_up(tokens)
        assert classes.tolist() == [len(word) for word in words]
        assert folds.tolist() == hash_words([fold_for_model(word) for word in words]).tolist()


def test_no_texts_give_no_words() -> None:
    assert tokenize(pl.Series([], dtype=pl.String)).starts.size == 0
    assert _found([parse_term("quantum")], [""]) == set()
