"""Terms: what people may write, and how it folds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copub.lists.terms import fold_word, parse_term


def test_a_term_is_words_with_stars_at_their_ends() -> None:
    term = parse_term("quantum comput*")
    assert term.words == ("quantum", "comput")
    assert term.stems == (False, True)
    assert str(term) == "quantum comput*"


def test_hyphen_slash_and_blank_part_words_alike() -> None:
    assert parse_term("lab-on-a-chip") == parse_term("lab on/a chip")


def test_a_cased_term_keeps_its_capitals() -> None:
    term = parse_term("cs:SAR")
    assert term.cased
    assert term.words == ("SAR",)
    assert str(term) == "cs:SAR"


def test_accents_and_compatibility_forms_fold_away() -> None:
    assert fold_word("Schrödinger") == "schrodinger"
    assert fold_word("CO₂") == "co2"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("", "no word"),
        ("a*b", "only at the end"),
        ("*graph", "only at the end"),
        ("ab*", "3 letters"),
        ("x", "one letter"),
        ("one two three four five six seven eight", "more than 7"),
        ("cs:UAV*", "no star"),
        ("laser|maser", "no term may hold"),
    ],
)
def test_what_is_no_term_is_refused_with_a_reason(text: str, stated: str) -> None:
    with pytest.raises(ValueError, match=stated):
        parse_term(text)


@given(st.text(max_size=40))
@example("¼")
def test_any_text_is_a_term_or_refused(text: str) -> None:
    try:
        term = parse_term(text)
    except ValueError:
        return
    assert parse_term(str(term)) == term
