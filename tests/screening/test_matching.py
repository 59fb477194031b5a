"""Names count as whole words, the longest wins, look-alikes never count."""

from __future__ import annotations

import csv
import gzip
import re
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.countries import COUNTRIES
from copub.lists.watchlist import registry
from copub.screening import load_watchlist, screen_strings
from copub.screening.compilednames import Lexicon, build_lexicon, look_alikes
from copub.screening.matching import IF_COUNTRY, LONGEST, SURE, UNLESS_ABROAD, Mention, find_mentions

UNSURE = frozenset((IF_COUNTRY,))


@cache
def lexicon() -> Lexicon:
    return build_lexicon(registry())


def named(text: str) -> set[str]:
    return {m.entity.id for m in find_mentions(text, lexicon()) if m.condition not in UNSURE}


POSITIVE = {
    "Dept. of EEIS, Univ. of Sci. and Tech. of China, Hefei": "university-of-science-and-technology-of-china",
    "Cent S Univ, Changsha, Peoples R China": "central-south-university",
    "Chinese Peoples Liberat Army Gen Hosp, Beijing": "pla-general-hospital",
    "Univ Sci & Technol China, Hefei, Peoples R China": "university-of-science-and-technology-of-china",
    "University of, Science and Technology of China, Hefei": "university-of-science-and-technology-of-china",
    "Key Lab, Beijing Univ. of Posts & Telecommun.": "beijing-university-of-posts-and-telecommunications",
    "Chongqing, University of Posts and Telecommunications": "chongqing-university-of-posts-and-telecommunications",
    "School of Physics, BUAA, Beijing, China": "beihang-university",
    "BeiHang Univ.": "beihang-university",
    "Beijing University of Aeronautics and Astroautics": "beihang-university",
    "Dept. of EngineeringNanjing University of Sci. & Tech.": "nanjing-university-of-science-and-technology",
    "Harbin, Institute of Technology, Harbin": "harbin-institute-of-technology",
    "HIT, Harbin, China": "harbin-institute-of-technology",
    "Northwestern Poly Tech. Univ., Xi'an": "northwestern-polytechnical-university",
    "Fourth Military Medical, University, Xi’an": "air-force-medical-university",
    "The 2nd Military Medical University": "navy-medical-university",
    "PLA University of Science and Technology, Nanjing": "army-engineering-university",
    "Changsha Institute of Technology, Changsha": "national-university-of-defense-technology",
    "National Univ. of Def. Technol., Changsha": "national-university-of-defense-technology",
    "University of Fudan, Shanghai": "fudan-university",
    "Jiao Tong University, Shanghai": "shanghai-jiao-tong-university",
    "Tsinghua University of China": "tsinghua-university",
    "Alibaba-Zhejiang University Joint Research Institute": "zhejiang-university",
    "Ruijin Hospital, Shanghai Jiao Tong University School of Medicine": "shanghai-jiao-tong-university",
    "School of Automation, China University of Geosciences, Wuhan": "china-university-of-geosciences-wuhan",
    "China University of Geosciences (Wuhan), China": "china-university-of-geosciences-wuhan",
    "清华大学精密仪器系": "tsinghua-university",
    "国防科学技术大学": "national-university-of-defense-technology",
    "西安电子科技大学": "xidian-university",
    "General Hospital of the Chinese People's Liberation Army": "pla-general-hospital",
    "Northeastern University, Shenyang, China": "northeastern-university",
    "E China Univ Technol, Nanchang, Jiangxi, Peoples R China": "east-china-university-of-technology",
    "N China Univ Sci & Technol, Tangshan, China": "north-china-university-of-science-and-technology",
    "Univ S China, Hengyang": "university-of-south-china",
    "National, University of Defense Technology": "national-university-of-defense-technology",
    "Changchun, Institute of Optics and Fine Mechanics, Changchun": "changchun-university-of-science-and-technology",
    "Univ. of Aeronautics and Astronautics, Nanjing": "nanjing-university-of-aeronautics-and-astronautics",
    "University of Electronic Science and Technology, Guilin": "guilin-university-of-electronic-science-and-technology",
    "Chongqing U niversity of Technology, Chongqing": "chongqing-university-of-technology",
    "Chinese People' s Liberation Army General Hospital": "pla-general-hospital",
    "School of Metallurgy Northeastern University Shenyang China": "northeastern-university",
}


@pytest.mark.parametrize(("text", "entity"), POSITIVE.items())
def test_names_in_all_their_spellings_are_found(text: str, entity: str) -> None:
    assert named(text) == {entity}


NEGATIVE = (
    "Nanjing University of Information Science and Technology",
    "Zhejiang University of Some New Discipline, Hangzhou",
    "Shandong University, of Finance and Economics, Jinan",
    "Beijing University of Chinese, Medicine Beijing",
    "Tianjin Univ Technol, Tianjin",
    "Medical University Tianjin China",
    "Universities of Shandong",
    "Guizhou Minzu University, Guiyang, China",
    "National Tsing Hua University, Hsinchu, Taiwan",
    "N China Univ Water Resources, Zhengzhou",
    "Sydney, University of Technology",
    "Naval Engineering Institute, Russia",
    "307 Hospital, Vietnam",
    "Nanyang University of Chemical Technology, Beijing",
    "National Sun Yat-sen University, Kaohsiung",
    "Tsing Hua University, Hsin-Chu, Taiwan",
    "Soochow University, Taipei, Taiwan",
    "Northeastern University, Boston, MA",
    "Northeastern University",
    "Soochow University",
    "Nanjing Univ Chinese Med, Nanjing",
    "Tianjin Univ Tradit Chinese Med, Tianjin",
    "Cent S Univ Forestry & Technol, Changsha",
    "Southeast University, Dhaka, Bangladesh",
    "National Defense University, Washington",
    "Naval Academy, Annapolis",
    "Case Western Reserve University",
    "Newcastle University",
    "CAS Key Laboratory",
    "HIT",
    "BIT, Ranchi, India",
    "HIT, Holon, Israel",
    "Shanghai Shu Guang Hospital, Shanghai",
    "someone@buaa.edu.cn, Beijing, China",
    "School of International Relations, Beijing, China",
    "Xi'an Jiaotong, Liverpool University",
    "China University of Geosciences, Beijing, China",
    "China University of Mining and Technology, Beijing 100083",
    "Xiangya Hospital, Changsha",
    "University of South Carolina",
    "Tohoku University 東北大学",
    "国立清华大学",
    "西北大学",
    "",
    "|;,",
)


@pytest.mark.parametrize("text", NEGATIVE)
def test_other_institutions_are_not_taken_for_listed_ones(text: str) -> None:
    assert not named(text)


def test_no_shipped_look_alike_is_ever_counted() -> None:
    own = {entity.id: {name.text.casefold() for name in entity.names} for entity in registry()}
    full = set().union(*own.values())
    wrong = {
        name: found
        for name in look_alikes()
        if name.casefold() not in full and (found := named(name) | named(f"School of Physics, {name}, China"))
    }
    assert not wrong


@pytest.mark.real
def test_no_compiled_false_friend_is_counted(real_data: Path) -> None:
    with (real_data / "watchlists" / "false_friends.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            confusable = row["confusable_with"].split(" ")[0]
            bare = re.sub(r" \([A-Z]{2}\)$", "", row["name"])
            assert confusable not in named(row["name"]), row["name"]
            assert confusable not in named(bare), bare


def test_the_longest_name_wins_and_stands_alone() -> None:
    text = "Nanjing University of Aeronautics and Astronautics"
    (mention,) = find_mentions(text, lexicon())
    assert (mention.start, mention.end) == (0, len(text))


def test_a_hospital_of_a_university_names_both() -> None:
    found = named("First Affiliated Hospital of Third Military Medical University, Chongqing")
    assert found == {"southwest-hospital", "army-medical-university"}


def test_a_hospital_of_a_hospital_is_one_name() -> None:
    assert named("First Affiliated Hospital of PLA General Hospital") == {"pla-general-hospital-first-affiliated"}


def test_the_place_that_begins_the_next_name_stays_with_it() -> None:
    text = "China University of Mining and Technology, Beijing Institute of Technology"
    assert "beijing-institute-of-technology" in named(text)


def test_several_affiliations_in_one_string_are_all_found() -> None:
    text = "Princeton, USA; Fuzhou Univ., China and Central South Univ., Changsha, China; Soochow University, Suzhou"
    assert named(text) == {"fuzhou-university", "central-south-university", "soochow-university"}


def test_a_place_after_another_institution_belongs_to_that_one() -> None:
    text = "China University of Mining and Technology, Beijing Jiaotong University, Beijing, China"
    assert named(text) == {"china-university-of-mining-and-technology"}


def test_the_country_of_a_shared_name_comes_from_its_own_stretch() -> None:
    text = "Northeastern University, Shenyang, China; Northeastern University, Boston, USA"
    (mention,) = find_mentions(text, lexicon())
    assert mention.start == 0


def test_another_stretch_never_makes_a_name_foreign() -> None:
    assert named("Southeast University; University of Dhaka, Bangladesh") == {"southeast-university"}
    (mention,) = find_mentions("Northeastern University; MIT, USA", lexicon())
    assert mention.condition == IF_COUNTRY
    assert named("Huazhong; Northeastern University; Luoyu Road; China") == {"northeastern-university"}


def test_names_that_leave_the_country_open_say_so() -> None:
    assert [m.condition for m in find_mentions("Northeastern University", lexicon())] == [IF_COUNTRY]
    assert [m.condition for m in find_mentions("Southeast University", lexicon())] == [UNLESS_ABROAD]
    assert [m.condition for m in find_mentions("UESTC", lexicon())] == [IF_COUNTRY]
    assert [m.condition for m in find_mentions("UESTC, Chengdu", lexicon())] == [SURE]


def test_a_military_name_beside_the_name_of_another_country_does_not_count() -> None:
    assert not named("Air Force Engineering University, Ukraine")
    assert not named("Air Force Engineering University of Ukraine")
    for clause in ("University of Kharkiv, Ukraine", "MIT, USA"):
        assert named(f"Air Force Engineering University, {clause}") == {"air-force-engineering-university"}
    assert not named("Army Engineering University of PLA, Australia")


def test_a_word_broken_beside_a_shared_name_is_no_fault() -> None:
    assert named("Sci ences, Northeastern Univer sity; Shenyang, China") == {"northeastern-university"}


def test_only_the_beginning_of_an_endless_string_is_read() -> None:
    beginning = "x" * (LONGEST - 20)
    assert named(f"Beihang University, {beginning}") == {"beihang-university"}
    assert not named(f"{beginning}, {beginning} Beihang University")


def test_every_name_of_the_registry_is_matched_where_it_stands() -> None:
    for entity in registry():
        for name in entity.names:
            if name.kind in ("name", "old", "cover") and not name.text.endswith(")"):
                text = f"a@b.cn; {name.text}; €"
                for mention in find_mentions(text, lexicon()):
                    assert text[mention.start : mention.end] in name.text, text


def test_umbrellas_count_only_where_they_stand_alone() -> None:
    assert named("Chinese People's Liberation Army, Beijing, China") == {"peoples-liberation-army"}
    assert not named("309th Hospital of Chinese People's Liberation Army, Beijing")


def test_names_and_look_alikes_never_share_a_pattern() -> None:
    for pattern, meanings in lexicon().patterns.items():
        entities = {m.entity.id for m in meanings if m.entity is not None and m.kind not in ("weak", "abbreviation")}
        assert len(entities) <= 1, pattern
        assert len(entities) == 0 or all(m.entity is not None for m in meanings), pattern


CLAUSES = ("Dept. of Physics", "University of Oxford, Oxford, UK", "P.O. Box 12", "School of Law", "MIT, USA", "Lab 3")
texts = st.sampled_from(sorted(POSITIVE)) | st.deferred(lambda: st.sampled_from(own()))
SPACES = ("  ", "\t", "\u00a0", " \n ", "\u2009")
DASHES = ("-", "–", "—", "‐", "\u2011")
QUOTES = ("'", "’", "‘", "`", "´", "ʼ")


@cache
def own() -> list[str]:
    return sorted(n.text for e in registry() for n in e.names if n.kind in ("name", "old") and named(n.text))


@given(texts, st.sampled_from(CLAUSES), st.booleans(), st.sampled_from(("; ", ", ", " / ")))
def test_an_unrelated_clause_never_removes_a_hit(text: str, clause: str, before: bool, divider: str) -> None:
    assert named(text) <= named(f"{clause}{divider}{text}" if before else f"{text}{divider}{clause}")


@given(texts, st.sampled_from(SPACES), st.sampled_from(DASHES), st.sampled_from(QUOTES), st.sampled_from("lut"))
def test_case_spaces_dashes_and_quotes_never_change_a_hit(
    text: str, space: str, dash: str, quote: str, case: str
) -> None:
    changed = {"l": text.lower(), "u": text.upper(), "t": text.swapcase()}[case]
    changed = re.sub("['’]", quote, changed.replace("-", dash)).replace(" ", space)
    assert named(f" {changed}{space}") == named(text)


@given(st.text(alphabet=st.sampled_from("abcdefghij ,;-'&.()"), max_size=100))
def test_a_string_that_names_no_entity_gives_no_hit(text: str) -> None:
    assert not named(text)


@pytest.mark.real
def test_perturbing_real_strings_never_changes_their_hits(real_data: Path) -> None:
    path = real_data / "watchlists" / "affiliation_strings_unlabelled.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        strings = [line.rstrip("\n") for line in file]
    for text in strings[::3]:
        found = named(text)
        plain = text if text.isascii() else ""
        assert named(text.replace(" ", "  ").replace("-", "–")) == found, text
        assert not plain or (named(plain.upper()) == found and named(plain.lower()) == found), text
        assert found <= named(f"{text}; Department of Physics, University of Oxford"), text


def _country(mention: Mention) -> str:
    return COUNTRIES[mention.entity.country].name


@pytest.mark.real
def test_matched_characters_are_the_name_as_printed(real_data: Path) -> None:
    path = real_data / "watchlists" / "affiliation_strings_unlabelled.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in list(file)[::5]:
            for mention in find_mentions(line, lexicon()):
                printed = line[mention.start : mention.end]
                assert printed == printed.strip(" ,;()")
                again = find_mentions(f"{printed}, {_country(mention)}", lexicon())
                assert mention.entity.id in {m.entity.id for m in again} or (
                    mention.kind in ("weak", "abbreviation") or mention.entity.context in ("home", "strict")
                ), line


@pytest.mark.parametrize(
    "text",
    [
        "1 University of Tehran, Tehran, Iran",
        "1University of Tehran, Iran",
        "1. University of Tehran",
        "b University of Tehran, Iran",
        "3 Univ Tehran, Iran",
        "School of Geology College of Science University of Tehran Tehran Iran",
        "Department of Physics University of Tehran, Tehran, Iran",
        "Dept. of Civil Engineering University of Tehran",
    ],
)
def test_a_number_or_a_unit_before_a_name_does_not_make_it_another(text: str) -> None:
    assert named(text) == {"university-of-tehran"}


@pytest.mark.parametrize(
    "text",
    [
        "Medical University of Tehran, Iran",
        "1 Medical University of Tehran, Iran",
        "1 MedicalUniversity of Tehran, Iran",
        "First University of Tehran, Iran",
        "Faculty of Sports University of Tehran, Iran",
        "Department of Physics Payame Noor University of Tehran, Iran",
        "School of Medical University of Tehran, Iran",
        "Technology University of Tehran, Iran",
        "Faculty of Physics Iran University of Tehran",
    ],
)
def test_a_kind_of_university_before_a_name_makes_it_another_also_behind_a_unit_or_number(text: str) -> None:
    assert "university-of-tehran" not in named(text)


@pytest.mark.parametrize(
    "name",
    ["Wuhan Donghu University", "Handong University", "Hengzhou University", "Xingtan University", "Yashan University",
     "Hanghai University", "Hongshan University", "Shangai Jiao Tong University", "WuhanDonghuUniversity"],
)  # fmt: skip
def test_a_slip_that_may_be_another_chinese_name_is_no_hit_alone(name: str) -> None:
    assert not named(name)
    assert not named(f"{name}, {name.split()[0]}, China")


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Tsinghau University", "tsinghua-university"),
        ("Zhejang University", "zhejiang-university"),
        ("Beihangg University", "beihang-university"),
        ("Tinjin University, Tianjin, China", "tianjin-university"),
        ("Shangai Jiao Tong University, Shanghai, China", "shanghai-jiao-tong-university"),
        ("Huazong University of Science and Technology, Wuhan", "huazhong-university-of-science-and-technology"),
    ],
)
def test_a_slip_is_read_if_it_is_no_chinese_name_or_stands_beside_a_place_of_the_entity(text: str, entity: str) -> None:
    assert named(text) == {entity}


@pytest.mark.parametrize(
    "text",
    [
        "Zhengzhou Univ Light Ind, Zhengzhou, Peoples R China",
        "Hunan Univ Med, Huaihua",
        "Shanghai Univ Med & Hlth Sci, Shanghai, Peoples R China",
        "Shanghai Univ Polit Sci & Law, Shanghai",
        "Nanjing Univ Ind Technol, Nanjing",
        "Shandong Univ Art & Design, Jinan",
        "Hebei Univ Water Resources & Elect Engn, Cangzhou",
    ],
)
def test_a_shortened_name_with_a_subject_after_it_is_another_university(text: str) -> None:
    assert not named(text)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Tsinghua Univ Dept Phys", "tsinghua-university"),
        ("Tsinghua Univ, Dept Phys", "tsinghua-university"),
        ("Tsinghua Univ Phys Dept, Beijing", "tsinghua-university"),
        ("Sch Med Tsinghua Univ", "tsinghua-university"),
        ("Zhejiang Univ Sch Med", "zhejiang-university"),
        ("Zhejiang Univ Coll Engn", "zhejiang-university"),
        ("Peking Univ Hlth Sci Ctr", "peking-university"),
        ("Wuhan Univ Technol, Wuhan", "wuhan-university-of-technology"),
        ("Jilin Univ Changchun 130012", "jilin-university"),
        ("Zhejiang University Medicine, Hangzhou", "zhejiang-university"),
    ],
)
def test_a_unit_or_an_address_after_a_shortened_name_leaves_it_as_it_is(text: str, entity: str) -> None:
    assert named(text) == {entity}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Chinese Academy of Sciences, Institute of Physics, Beijing 100190, China", True),
        ("Chinese Academy of Sciences, Institute of Physics and Mathematics, Wuhan, China", False),
        ("Chinese Academy of Sciences, Institute of Physics & Mathematics, Wuhan, China", False),
        ("Chinese Academy of Sciences, Institute of Physics and University of Oslo", True),
        ("Harbin Institute of Technology, Physics Department, Harbin, China", True),
        ("Harbin Institute of Technology Physics Department, Harbin, China", True),
        ("Harbin Institute of Technology and Peking University, China", True),
        ("Northwest Institute of Nuclear Technology and Physics, Xian, China", False),
    ],
)
def test_a_name_that_goes_on_with_another_subject_is_another_institution(text: str, is_found: bool) -> None:
    lists = [load_watchlist("us-entity-list")]
    assert bool(screen_strings(pl.Series([text]), lists).height) == is_found
