"""Rules of plain text, abstracts and their status."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus.record import read_value
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
from copub.corpus.work import work_row


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
    assert abstract_of({"We": [0], "odd": True, "none": None, "show": [1, "x"]}) == "We show"


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


@pytest.mark.parametrize(
    "index",
    [
        {"We": 0, "show": [1, 3], "that": 2},
        {"We": ["0"], "show": ["1", 3.0], "that": "2"},
        [["We", [0]], ["show", [1, 3]], ["that", [2]]],
        [[[0], "We"], [[1, 3], "show"], [[2], "that"]],
        [{"key": "We", "value": [0]}, {"key": "show", "value": [1, 3]}, {"key": "that", "value": [2]}],
        [{"position": [2], "word": "that"}, {"position": [1, 3], "word": "show"}, {"position": 0, "word": "We"}],
        [{"We": [0]}, {"show": [1, 3], "that": [2]}],
        {"word": ["We", "show", "that"], "position": [[0], [1, 3], [2]]},
        {"position": [0, 1, 2, 3], "word": ["We", "show", "that", "show"]},
        ["We", "show", "that", "show"],
        {"IndexLength": 4, "InvertedIndex": [["We", [0]], ["show", [1, 3]], ["that", [2]]]},
        {"We": "0", "show": "1,3", "that": "[2]"},
        {"We": ["0"], "show": ["1;3"], "that": ["2 "]},
        {"We": [[0]], "show": [[1, 3]], "that": [[2]], "never": None},
        {"0": "We", "1": "show", "2": "that", "3": "show"},
        [["We", 0], ["show", 1, 3], ["that", 2]],
        [[0, "We"], [1, "show"], [2, "that"], [3, "show"]],
        [
            {"word": "We", "n": 1, "positions": [0]},
            {"word": "show", "n": 2, "positions": [1, 3]},
            {"word": "that", "n": 1, "positions": [2]},
        ],
        {"Word": ["We", "show", "that"], "n": [1, 2, 1], "Positions": ["0", "1,3", "2"]},
        "{'We': [0], 'show': [1, 3], 'that': [2]}",
        "[('We', [0]), ('show', [1, 3]), ('that', [2])]",
        "We show that show",
    ],
)
def test_every_shape_of_an_index_gives_the_abstract(index: object) -> None:
    assert abstract_of(index) == abstract_of(json.dumps(index)) == "We show that show"


def test_an_index_in_an_unknown_form_is_named() -> None:
    unknown: list[Any] = [[[1, 2, 3]], 7, "{'We': array([0])}", {"We": "first"}, "[" * 100_000, "['" * 10_000]
    for index, note in (
        *((index, "not read") for index in unknown),
        ({"a": {}}, "not read"),
        ({}, ""),
        (None, ""),
        ("NA", ""),
    ):
        work, _ = read_value({"id": "W1", "abstract_inverted_index": index})
        notes = "; ".join(work_row(work, "W1", [], [])[1])
        assert note in notes and bool(note) == bool(notes), index


FORMULAS = {
    "MoS2": [
        "MoS<sub>2</sub>", "MoS <sub>2</sub>", "MoS&lt;sub&gt;2&lt;/sub&gt;", "MoS$_2$", "MoS$_{2}$",
        "$\\mathrm{MoS}_2$",
        "${\\rm MoS}_{2}$", "MoS/sub 2/", "MoS(sub 2)", "MoS[sub 2]", "MoS 2", "MoS₂", "MoS_2", "MoS_{2}",
        "<mml:math><mml:msub><mml:mi>MoS</mml:mi><mml:mn>2</mml:mn></mml:msub></mml:math>",
        '<math xmlns="x">\n <msub>\n <mi>MoS</mi>\n <mn>2</mn></msub></math>',
        "MoS<mml:math><mml:msub><mml:mrow/><mml:mn>2</mml:mn></mml:msub></mml:math>",
        '<inline-formula><tex-math notation="LaTeX">$MoS_2$</tex-math></inline-formula>',
        "\\documentclass[12pt]{minimal} \\begin{document}$$\\hbox {MoS}_2$$\\end{document}",
        "<inline-formula><alternatives><tex-math>$MoS_2$</tex-math><mml:math><mml:mi>MoS2</mml:mi></mml:math>"
        "</alternatives></inline-formula>",
        '<inline-formula><tex-math id="M1">\\documentclass[12pt]{minimal} \\usepackage{amsmath} \\begin{document}'
        "$${\\mathrm{MoS}}_2$$\\end{document}</tex-math></inline-formula>",
        "MoS{sub 2}", "MoS {sub 2}", "MoS(2)", "MoS<ce:inf>2</ce:inf>", "<scp>MoS</scp><sub>2</sub>",
        "<emphasis>MoS</emphasis><subscript>2</subscript>",
    ],
    "Al2O3": ["Al 2 O 3", "Al<sub>2</sub>O<sub>3</sub>", "Al/sub 2/O/sub 3/", "Al$_2$O$_3$", "Al_2O_3",
              "Al{sub 2}O{sub 3}", "Al(2)O(3)"],
    "CO2": ["CO 2", "CO<sub>2</sub>", "CO₂", "CO$_{2}$", "CO(2)", "CO{sub 2}"],
}  # fmt: skip


@pytest.mark.parametrize(("plain", "printed"), [(plain, one) for plain, some in FORMULAS.items() for one in some])
def test_a_formula_in_any_markup_is_one_word(plain: str, printed: str) -> None:
    for title in (f"Layers of {printed} on silicon", f"{printed} on silicon", f"Layers of {printed}"):
        assert plain_title(title) == title.replace(printed, plain)
        assert plain_abstract(title) == title.replace(printed, plain)


@pytest.mark.parametrize(
    "text",
    ["[This corrects the article of 2015.]", "{\\em We} show that", '"We show" is a quotation', "N/A is no value"],
)
def test_a_plain_abstract_with_a_bracket_or_a_quote_first_is_an_abstract(text: str) -> None:
    assert abstract_of(text) == plain_abstract(text) and len(abstract_of(text)) >= len(text) - 6


FENCED = ("<mml:math", "<math", "<inline", "$", "\\doc")


@pytest.mark.parametrize("printed", [one for one in FORMULAS["MoS2"] if one.startswith(FENCED)])
def test_a_formula_without_spaces_around_it_is_still_a_word(printed: str) -> None:
    assert plain_title(f"Contact resistance of{printed}transistors") == "Contact resistance of MoS2 transistors"


@pytest.mark.parametrize(
    "text",
    [
        "Costs of $5 million and $10 million", "HIV 1 and COVID 19", "Phase I 2 trial", "In 2 patients with SARS CoV 2",
        "Part 2 of 3", "file_name and report_2010", "C:\\new\\table", "p < 0.05 and x<3", "USB 3 and ISO 9001",
        "SU(2) and SO(3)", "GaAs(001)", "Ca(2+) channels", "Part I(2)", "{subset} of families (subfamily)",
    ],
)  # fmt: skip
def test_what_is_no_formula_stays(text: str) -> None:
    assert plain_title(text) == text
