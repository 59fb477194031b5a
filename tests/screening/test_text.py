"""A string is normalised once, and every word leads back to its characters."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copub.addresses.affiliationtext import DIVIDER, Reader
from copub.addresses.folding import fold
from copub.addresses.typos import slips_of
from copub.addresses.vocabulary import vocabulary

READER = Reader(["tsinghua", "nanjing", "shanghai", "xian", "beijing", "jiaotong"])


def read(text: str) -> str:
    return READER.read(text).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Univ. of Sci. & Technol. of China", "University of Science and Technology of China"),
        ("Beijing Univ. of Posts & Telecommun.", "Beijing University of Posts and Telecommunications"),
        ("Inst. of Comput. Technol.", "Institute of Computing Technology"),
        ("Shanghai Jiao-Tong University", "Shanghai Jiaotong University"),
        ("Shanghai Jiao Tong University", "Shanghai JiaoTong University"),
        ("Xi’an", "Xi'an"),
        ("Xi&#x0027;an", "Xian"),
        ("Xi&amp;#x2019;an", "Xi׳an"),
        ("Xiâ€™an", "Xi`an"),
        ("People?s", "People's"),
        ("Běijīng Dàxué", "Beijing Daxue"),
        ("Ｂｅｉｊｉｎｇ", "beijing"),
        ("<I>Nanjing</I>", "Nanjing"),
        ("Nanjing#TAB#", "Nanjing"),
        ("Univer sity", "University"),
        ("U niversity of Electro nic Tech- nology", "University of Electronic Technology"),
        ("People' s Liberation Army", "People's Liberation Army"),
        ("E China Normal Univ", "East China Normal University"),
        ("Cent S Univ", "Central South University"),
        ("Nanjinq Universify", "Nanjing University"),
        ("2nd Military", "Second Military"),
        ("The University of Nanjing", "University Nanjing"),
        ("Chinese People's Liberation Army", "PLA"),
        ("Tsingua Universtiy", "Tsinghua University"),
        ("National Defence", "National Defense"),
        ("清华大学，北京", "清华大学,北京"),
    ],
)
def test_spellings_of_one_name_are_read_alike(one: str, other: str) -> None:
    assert read(one) == read(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hunan University", "Hainan University"),
        ("Shanxi University", "Shaanxi University"),
        ("Hangzhou", "Zhangzhou"),
        ("Nanjing University", "Nanning University"),
        ("Beijing, University", "Beijing University"),
    ],
)
def test_names_that_differ_stay_different(one: str, other: str) -> None:
    assert read(one) != read(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EngineeringNanjing University", ["Engineering", "Nanjing", "University"]),
        ("Academy ofEngineering", ["Academy", "Engineering"]),
        ("Xi&#x0027;an Jiao Tong", ["Xi&#x0027;an", "Jiao Tong"]),
        (
            "307th Hospital of Chinese People’s Liberation Army",
            ["307th", "Hospital", "Chinese People’s Liberation Army"],
        ),
        ("Univer sity, Nanjing", ["Univer sity", "Nanjing"]),
        ("1Nanjing²", ["1", "Nanjing", "²"]),
        ("NanjingChina", ["Nanjing", "China"]),
        ("Schooland Nanjing", ["School", "Nanjing"]),
    ],
)
def test_words_lead_back_to_their_characters(text: str, words: list[str]) -> None:
    reading = READER.read(text)
    found = [i for i, word in enumerate(reading.words) if word not in ("", DIVIDER)]
    assert [text[slice(*READER.span(text, reading, i, i))] for i in found] == words


def test_mail_addresses_are_not_read() -> None:
    assert read("Nanjing (someone@beijing.edu.cn)") == read("Nanjing ()")


@given(st.text(max_size=80))
@example("&#0;")
@example("İ&#x130;ß@a")
@example("<b>#N#&amp;#65;")
def test_any_text_is_read_and_every_word_has_a_place_in_it(text: str) -> None:
    reading = READER.read(text)
    assert "".join(reading.words) == reading.text
    for number, word in enumerate(reading.words):
        if word and word != DIVIDER:
            start, end = READER.span(text, reading, number, number)
            assert 0 <= start < end <= len(text)


@given(st.text(max_size=60))
def test_folding_keeps_the_origin_of_every_character(text: str) -> None:
    folded, origin = fold(text)
    if origin is None:
        assert len(folded) == len(text)
    else:
        assert len(origin) == len(folded) + 1
        assert origin == sorted(origin)


def test_slips_never_turn_one_known_word_into_another() -> None:
    known = {*vocabulary().words, *vocabulary().places, "nanchang", "nanhang"}
    slips = vocabulary().slips(known)
    assert not (set(slips.sure) | set(slips.doubtful)) & known
    assert slips.sure["universiy"] == "university"
    assert "shanxi" not in slips.sure


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        ("Universify", "university"),
        ("Techhnolojy", ""),
        ("Insttitute", "institute"),
        ("Scibence", "science"),
        ("Nanjinq", "nanjing"),
        ("Zhenghzou", ""),
        ("Hengzhou", ""),
        ("Yniversity", ""),
    ],
)
def test_one_wrong_or_surplus_letter_is_read_unless_it_may_be_another_chinese_name(slip: str, word: str) -> None:
    known = {*vocabulary().words, "nanjing", "hangzhou", "zhengzhou"}
    assert vocabulary().slips(known).near(slip.lower()) == word


def test_pairs_of_words_name_a_place_together() -> None:
    found = vocabulary().places_in(["new", "zealand", "", "hong", "kong", "china"])
    assert [(name, place.country) for _, name, place in found] == [
        ("new zealand", "NZ"),
        ("hong kong", "HK"),
        ("china", "CN"),
    ]


def test_a_slip_that_two_known_words_explain_is_not_corrected() -> None:
    known = slips_of({"northern", "northerly"}, {}, re.compile("(?!)"))
    both = slips_of({"institute", "instituta"}, {}, re.compile("(?!)"))
    assert known.near("nortxern") == "northern"
    assert both.near("institutx") == ""
