"""Rules of the words: every language says the same things, in its own signs."""

from __future__ import annotations

import ast
import inspect
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import InputError
from copub.lists.published import OPEN
from copub.measures import comparison
from copub.report.context import WAYS
from copub.report.facts import Facts
from copub.report.messages import languages, load_messages
from copub.report.panelfacts import pair_names
from copub.study.template import question_of_sides, title_of_sides


def _placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("language", languages())
def test_every_language_has_the_same_keys_and_placeholders(language: str) -> None:
    english, other = load_messages("en").words, load_messages(language).words
    assert {section: set(words) for section, words in english.items()} == {s: set(w) for s, w in other.items()}
    for section, words in english.items():
        for key, text in words.items():
            assert _placeholders(text) == _placeholders(other[section][key]), f"{language}: {section}.{key}"


# Placeholders that hold a count of something, and the counts that follow no noun or only a word that stays the same.
COUNTS = {"numerator", "denominator", "first", "fewest", "most", "count", "of", "size", "floor", "expected", "missing"}
COUNTS |= {"days", "small", "left_out", "distinct", "incomplete", "undated", "total", "number", "works", "read"}
COUNTS |= {"counted", "pairs", "comparisons", "runs", "found", "misses"}
NO_NOUN = {  # a figure alone, or "12 retracted", "3 of 12"
    "certainty": {"repairs_without", "repairs_with", "rate"},
    "headline": {"fractional", "at_publication", "at_publication_since", "whatever_date", "level_count"},
    "section": {"changes", "decisions", "repairs_applied", "read"},
    "label": {"reading_years", "per_institution"},
    "lead": {"works_not_critical", "works_taught_not_critical"},
    "action": {"matches", "show_context", "printed_first"},  # the last is of more works than are printed
    "evidence": {"more"},
    "dossier": {"more_rows", "papers_printed"},
    "left_out": {"unreadable", "repeated", "one_side", "year", "type", "paratext title", "repair", "retracted",
                 "expansion", "author cap"},
    "panel": {"compared", "compared_some", "tied", "rank", "rank_sure"},  # of two pairs or more
}  # fmt: skip


def _with_counts() -> list[tuple[str, str]]:
    english = load_messages("en").words
    found = [(s, k) for s, words in english.items() for k, text in words.items() if _placeholders(text) & COUNTS]
    return [(section, key) for section, key in found if key not in NO_NOUN.get(section, ())]


def _filled(language: str, section: str, key: str, number: int) -> str:
    words = load_messages(language)
    names = _placeholders(words.words[section][key])
    return words.say(f"{section}.{key}", **{name: number if name in COUNTS else "x" for name in names})


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(("section", "key"), _with_counts())
def test_every_message_with_a_count_has_a_form_for_one_and_a_form_for_more(
    language: str, section: str, key: str
) -> None:
    one, two = (_filled(language, section, key, number) for number in (1, 2))
    assert one.replace("1", "2") != two
    many = {"en": r"\b1 (?!this|was)\w+s\b", "fr": r"\b1 (?!sans)\w+[sx]\b", "nl": r"\b1 (?!even)\w+en\b"}
    assert not re.search(many[language], one), one


def test_messages_that_are_not_tested_with_one_are_there() -> None:
    known = load_messages("en").words
    assert not [(section, key) for section, keys in NO_NOUN.items() for key in keys if key not in known[section]]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["0 joint works", "1 joint work", "1.5 joint works", "2 joint works"]),
        ("fr", ["0 travail commun", "1 travail commun", "1,5 travail commun", "2 travaux communs"]),
        ("nl", ["0 gezamenlijke werken", "1 gezamenlijk werk", "1,5 gezamenlijke werken", "2 gezamenlijke werken"]),
    ],
)
def test_each_language_says_which_counts_are_one(language: str, texts: list[str]) -> None:
    words = load_messages(language)
    given = {"institution": "A", "partner": "B", "years": "2020", "critical": 0, "listed": 0, "critical_listed": 0}
    found = [words.say("dossier.answer", works=words.count(number), **given) for number in (0, 1, 1.5, 2)]
    assert all(text.startswith(wanted) for text, wanted in zip(found, texts, strict=True)), found


def test_texts_that_the_script_of_the_page_fills_have_no_forms() -> None:
    for language in languages():
        words = load_messages(language).words
        shown = [*words["evidence"].values(), *(words["action"][key] for key in ("page", "matches", "printed_first"))]
        assert not [text for text in shown if "|" in text]


def test_what_stages_write_about_one_work_is_translated_too() -> None:
    french, dutch = load_messages("fr"), load_messages("nl")
    text = "1 work of this study read by one person on 2026-01-02, in 1 stratum of decision and score"
    assert french.value(text).startswith("1 travail de cette étude lu par une personne")
    assert dutch.value(text).endswith("in 1 stratum van beslissing en score")


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_translations_translate(language: str) -> None:
    english, other = load_messages("en").words, load_messages(language).words
    long = [(s, k) for s, words in english.items() for k, text in words.items() if len(text) > 40]
    assert not [place for place in long if english[place[0]][place[1]] == other[place[0]][place[1]]]


def test_english_french_and_dutch_are_there() -> None:
    assert {"en", "fr", "nl"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_no_text_calls_people_or_institutions_military(language: str) -> None:
    words = load_messages(language).words
    texts = " ".join(text for section in words.values() for text in section.values()).lower()
    assert not re.search(r"militar|militair|militai", texts)


def test_an_unknown_language_is_the_users_to_correct() -> None:
    with pytest.raises(InputError, match="no words for the language 'xx'"):
        load_messages("xx")


def test_numbers_carry_the_signs_of_the_language() -> None:
    assert load_messages("en").number(1234567.891, 1) == "1,234,567.9"
    assert load_messages("fr").number(1234567.891, 1) == "1\u202f234\u202f567,9"
    assert load_messages("nl").number(1234567.891, 1) == "1.234.567,9"
    assert load_messages("en").percent(0.1234) == "12.3%"


def test_missing_numbers_are_a_dash_never_a_zero() -> None:
    words = load_messages("en")
    assert [words.number(None), words.percent(None), words.count(None), words.points(None)] == ["–"] * 4
    assert words.percent(float("nan")) == "–"


def test_differences_show_their_sign() -> None:
    words = load_messages("en")
    assert [words.points(value) for value in (0.012, -0.012, 0.0)] == ["+1.2", "−1.2", "0.0"]


@given(st.integers(0, 10**9))
def test_whole_counts_are_written_whole(value: int) -> None:
    assert load_messages("en").count(value).replace(",", "") == str(value)


def test_every_verdict_and_every_reason_against_one_has_words() -> None:
    known = load_messages("en").words
    tree = ast.parse(inspect.getsource(comparison))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "NotComparable"]
    texts = {_first_text(node.args[0]).partition(": ")[0] for node in calls}
    verdicts = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_verdict")
    returned = [part for node in ast.walk(verdicts) if isinstance(node, ast.Return) for part in ast.walk(node)]
    texts |= {node.value for node in returned if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {comparison.CANNOT_TELL, comparison.NOT_COMPARABLE, comparison.WORKS_FILES, comparison.FEW}
    assert texts | named | {comparison.BOTH_WAYS} == set(known["verdict"])
    assert set(known["left_open"]) == set(OPEN)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _first_text(node: ast.expr) -> str:
    found = node.values[0] if isinstance(node, ast.JoinedStr) else node
    assert isinstance(found, ast.Constant)
    return str(found.value)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", "cannot tell: our figure rests on too few works; the source leaves open: the database, the period"),
        ("nl", "niet te zeggen: ons cijfer rust op te weinig werken; de bron laat open: de databank, de periode"),
        ("fr", "on ne peut conclure : notre chiffre repose sur trop peu de travaux ; la source laisse ouvert : "
         "la base de données, la période"),
    ],
)  # fmt: skip
def test_verdicts_are_in_the_language_of_the_report(language: str, wanted: str) -> None:
    facts = Facts({}, {}, load_messages(language))
    row = {"verdict": comparison.CANNOT_TELL, "reasons": [comparison.FEW], "left_open": ["database", "period"]}
    assert WAYS["verdict"](facts, row, "verdict").text.replace("\u00a0", " ") == wanted
    why = {"verdict": comparison.NOT_COMPARABLE, "reasons": ["no works in this year: 2001"], "left_open": []}
    assert WAYS["verdict"](facts, why, "verdict").text.endswith("2001")
    years = WAYS["reading"](facts, {"reading": f"{comparison.YEARS}2016 to 2023"}, "reading").text
    assert "2016" in years and "2023" in years and (language == "en") == years.startswith("years")


def _named(language: str, a: str, countries: list[str], **study: object) -> Facts:
    sides = {"side_a": {"name": a, "countries": countries}, "side_b": {"name": "China", "countries": ["CN"]}}
    return Facts({}, {"study": sides | study}, load_messages(language))


@pytest.mark.parametrize(
    ("language", "in_sentence", "alone"),
    [
        ("en", "the Netherlands", "Netherlands"),
        ("fr", "les Pays-Bas", "Pays-Bas"),
        ("nl", "Nederland", "Nederland"),
    ],
)
def test_a_side_has_its_name_in_the_language_of_the_report(language: str, in_sentence: str, alone: str) -> None:
    facts = _named(language, "Netherlands", ["NL"])
    assert (facts.a, facts.a.alone) == (in_sentence, alone)


def test_groups_and_several_countries_are_named_in_the_language_of_the_report() -> None:
    benelux = ["BE", "LU", "NL"]
    assert _named("fr", "Benelux", benelux).a == "le Benelux"
    assert _named("nl", "Belgium and United Kingdom", ["BE", "GB"]).a == "België en het Verenigd Koninkrijk"
    assert _named("fr", "Iran and Russia", ["IR", "RU"]).a == "l'Iran et la Russie"


def test_a_name_that_a_person_gave_a_side_stays_as_it_is() -> None:
    facts = _named("fr", "Low Countries", ["BE", "NL"])
    assert facts.a == facts.a.alone == "Low Countries"


def test_the_title_and_the_question_of_copub_are_in_the_language_of_the_report() -> None:
    own = {"title": title_of_sides("Belgium", "China"), "question": question_of_sides(["BE"], ["CN"])}
    french = _named("fr", "Belgium", ["BE"], **own)
    assert french.title.startswith("Belgique – Chine") and "entre la Belgique et la Chine" in french.question
    english = _named("en", "Belgium", ["BE"], **own)
    assert (english.title, english.question) == (own["title"], own["question"])
    other = _named("fr", "Belgium", ["BE"], title="My title", question="My question?")
    assert (other.title, other.question) == ("My title", "My question?")


def test_the_pairs_of_a_panel_are_named_in_the_language_of_the_report() -> None:
    pairs = [
        {"side_a": {"name": name, "countries": [code]}, "side_b": {"name": "China", "countries": ["CN"]}}
        for name, code in (("Germany", "DE"), ("Spain", "ES"))
    ]
    assert pair_names(_named("nl", "x", ["DE", "ES"], pairs=pairs)) == {"DE-CN": "Duitsland", "ES-CN": "Spanje"}
