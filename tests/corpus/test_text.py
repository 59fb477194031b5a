"""Rules of plain text, abstracts and their status."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus.text import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    abstract_status,
    plain_abstract,
    plain_affiliation,
    plain_text,
    plain_title,
    printed_abstract,
)


def abstract_of(value: object) -> str:
    return plain_abstract(printed_abstract(msgspec.Raw(msgspec.json.encode(value))))


def test_inline_tags_vanish_without_a_space() -> None:
    assert plain_text("CO<sub>2</sub> and <i>E. coli</i>") == "CO2 and E. coli"


def test_block_tags_leave_a_space() -> None:
    assert plain_text("one.<br>Two<jats:p>three</jats:p>") == "one. Two three"


def test_less_than_signs_in_prose_are_kept() -> None:
    assert plain_text("p < 0.05, x<3 and a > b") == "p < 0.05, x<3 and a > b"


def test_entities_are_resolved_even_when_doubly_escaped() -> None:
    assert plain_text("TH K&#x00F6;ln &amp;amp; R&amp;D") == "TH Köln & R&D"


def test_spaces_newlines_and_control_characters_become_one_space() -> None:
    assert plain_text("a\r\n\u00a0b\x00c\u200bd") == "a b cd"


def test_placeholders_in_affiliations_become_spaces() -> None:
    assert plain_affiliation("#N#The Chinese University#TAB#of Hong Kong#N#") == "The Chinese University of Hong Kong"


def test_nothing_gives_the_empty_string() -> None:
    assert plain_text(None) == plain_text("") == plain_affiliation(None) == ""


def test_an_abstract_is_put_in_order_and_gaps_are_closed() -> None:
    assert abstract_of({"world": [7], "Hello": [0], "wide": [3]}) == "Hello wide world"


def test_a_leading_abstract_heading_is_dropped() -> None:
    assert abstract_of({"Abstract:": [0], "We": [1], "abstract": [2]}) == "We abstract"


def test_an_abstract_as_json_string_is_read() -> None:
    inner = {"We": [0], "show": [1]}
    assert abstract_of(json.dumps({"IndexLength": 2, "InvertedIndex": inner})) == "We show"
    assert abstract_of(json.dumps(inner)) == "We show"


def test_an_abstract_as_plain_string_is_kept_as_text() -> None:
    assert abstract_of("We <b>show</b>") == "We show"


def test_empty_and_odd_indexes_give_no_abstract() -> None:
    assert [abstract_of(value) for value in (None, {}, [], 3, {"InvertedIndex": {}})] == ["", "", "", "", ""]


def test_positions_of_the_wrong_kind_are_left_out() -> None:
    assert abstract_of({"We": [0], "odd": 3, "show": [1]}) == "We show"


def test_boilerplate_counts_as_short_and_chinese_text_does_not() -> None:
    assert abstract_status("") == "none"
    assert abstract_status("International audience") == "short"
    assert abstract_status("word " * 9 + "word") == "full"
    assert abstract_status("本文研究了一种新型的高温合金材料及其在航空发动机中的应用前景") == "full"


@given(st.text())
def test_plain_text_is_stable_and_has_no_odd_spaces(text: str) -> None:
    once = plain_text(text)
    assert once == once.strip()
    assert "  " not in once
    assert all(c.isprintable() for c in once)


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=30))
def test_an_abstract_survives_inversion(words: list[str]) -> None:
    index: dict[str, list[int]] = {}
    for position, word in enumerate(words):
        index.setdefault(word, []).append(position)
    assert abstract_of(index) == " ".join(words)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.integers(-3, 20), max_size=5)))
def test_words_stand_by_their_places_whether_these_are_whole_or_not(index: dict[str, list[int]]) -> None:
    placed = [(place, word) for word, places in index.items() for place in places]
    expected = [word for _, word in sorted(placed, key=lambda pair: pair[0])]
    assert printed_abstract(msgspec.Raw(msgspec.json.encode(index))).split() == expected


def test_texts_are_read_up_to_their_longest() -> None:
    assert plain_title("ab" * LONGEST_TITLE) == "ab" * (LONGEST_TITLE // 2)
    assert len(abstract_of({"word": list(range(LONGEST_ABSTRACT))})) <= LONGEST_ABSTRACT
    assert plain_title("<i>CO</i> &amp; more") == "CO & more"
