"""Names in Cyrillic, Persian and both forms of Chinese characters, and the country that a string names."""

from __future__ import annotations

from functools import cache

import pytest

from copub.screening import load_watchlist, screen
from copub.screening.compilednames import Lexicon
from copub.screening.index import build_index
from copub.screening.matching import IF_COUNTRY, SURE, UNLESS_ABROAD, find_mentions
from copub.screening.spelling import romanised, spellings


@cache
def lexicon() -> Lexicon:
    return build_index([load_watchlist("us-1286-fy2025")]).lexicon


def named(text: str) -> set[str]:
    return {mention.entity.id for mention in find_mentions(text, lexicon())}


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Московский физико-технический институт, г. Долгопрудный", "moscow-institute-of-physics-and-technology"),
        ("ИНСТИТУТ ФИЗИКИ ТВЕРДОГО ТЕЛА РАН, Черноголовка", "osipyan-institute-of-solid-state-physics"),
        ("НИЦ «Курчатовский институт», Москва", "kurchatov-institute"),
        ("دانشگاه صنعتی شریف، تهران، ایران", "sharif-university-of-technology"),
        ("دانشگاه علوم پزشکی بقیة‌الله، تهران", "baqiyatallah-university-of-medical-sciences"),
        ("جامعة — دانشگاه تربيت مدرس", "tarbiat-modares-university"),
        ("北京航空航天大学", "beihang-university"),
        ("北京航空航天大學", "beihang-university"),
        ("哈爾濱工業大學航天學院，哈爾濱", "harbin-institute-of-technology"),
        ("國防科學技術大學，長沙，中國", "national-university-of-defense-technology"),
    ],
)
def test_names_are_found_in_their_own_script(text: str, entity: str) -> None:
    assert named(text) == {entity}


def test_the_evidence_is_cut_from_the_string_as_it_is_printed() -> None:
    text = "Отдел 5, Институт физики твёрдого тела РАН, Черноголовка"
    (mention,) = find_mentions(text, lexicon())
    assert text[mention.start : mention.end] == "Институт физики твёрдого тела РАН"
    text = "機械工程學院，哈爾濱工業大學，中國"
    (mention,) = find_mentions(text, lexicon())
    assert text[mention.start : mention.end] == "哈爾濱工業大學"


@pytest.mark.parametrize(
    "text",
    [
        "Moskovskiy fiziko-tekhnicheskiy institut",
        "Moskovskij fiziko-tehniceskij institut",
        "Moskovskii fiziko-tekhnicheskii institut",
        "Moskovsky fiziko-tekhnichesky institut",
    ],
)
def test_russian_names_are_found_in_latin_letters_by_the_usual_schemes(text: str) -> None:
    assert named(f"{text}, Dolgoprudny, Russia") == {"moscow-institute-of-physics-and-technology"}


def test_a_name_without_cyrillic_letters_has_no_transliteration() -> None:
    assert romanised("Sharif University") == ()
    assert romanised("Щукин")[0] == "shchukin"


def test_equal_phrases_stand_for_one_another_with_and_without_a_comma() -> None:
    found = spellings("Institute of Catalysis, Siberian Branch of the Russian Academy of Sciences")
    assert "Institute of Catalysis SB RAS" in found
    assert "Institute of Catalysis, SB, RAS" in found


@pytest.mark.parametrize(
    "text",
    [
        "國立清華大學物理學系，新竹，台灣",
        "清華大學，新竹，台灣",
        "國立中山大學，高雄",
        "東北大学大学院工学研究科、仙台、日本",
        "國防大學理工學院，桃園，台灣",
        "国防大学, 台湾",
    ],
)
def test_the_same_chinese_characters_in_taiwan_or_japan_are_other_institutions(text: str) -> None:
    assert named(text) == set()


def test_a_name_in_traditional_characters_without_a_place_needs_the_country_of_the_affiliation() -> None:
    (mention,) = find_mentions("國防科技大學", lexicon())
    assert mention.condition == IF_COUNTRY


@pytest.mark.parametrize(
    "text",
    [
        "Kazakhstan Branch of Lomonosov Moscow State University, Astana",
        "Lomonosov Moscow State University, Branch in Tashkent, Uzbekistan",
        "Sharif University of Technology, Los Angeles, USA",
        "Beihang University, Brussels, Belgium",
        "МГУ имени М.В. Ломоносова, Астана, Казахстан",
        "دانشگاه صنعتی شریف، کابل، افغانستان",
        "Moscow State University of Civil Engineering, Moscow, Russia",
        "Tehran Univ Med Sci, Tehran, Iran",
        "Institute of Solid State Physics, Sofia, Bulgaria",
        "Institute of Bioorganic Chemistry, Minsk, Belarus",
    ],
)
def test_a_name_beside_another_country_or_in_a_longer_name_does_not_count(text: str) -> None:
    assert named(text) == set()


def test_the_resolved_institution_of_another_country_keeps_a_name_from_counting(rows) -> None:
    def found(country: str | None, text: str) -> int:
        lists = [load_watchlist("us-1286-fy2025")]
        return screen(rows({"country_code": country, "raw_affiliation_string": text}), lists).height

    for text in ("Sharif University of Technology", "Московский авиационный институт", "Beihang University"):
        assert [m.condition for m in find_mentions(text, lexicon())] == [UNLESS_ABROAD]
        assert [found(country, text) for country in (None, "US")] == [1, 0]
    text = "Sharif University of Technology, Tehran, Iran; KU Leuven, Leuven, Belgium"
    assert [m.condition for m in find_mentions(text, lexicon())] == [SURE]
    assert found("BE", text) == 1


def test_an_initial_before_a_surname_is_no_direction() -> None:
    assert named("P. N. Lebedev Physical Institute, Moscow") == {"lebedev-physical-institute"}
    assert named("N. China University of Technology") == set()
