"""No English is left on what a French or a Dutch reader sees: page, dossier, terminal."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from copub.corpus.repairs import KINDS
from copub.lists.published import STATUSES
from copub.lists.watchlist import load_watchlist
from copub.measures import sensitivity, shares, switches
from copub.measures.adjusted import FEW, NO_EVALUATION, NO_LEVELS
from copub.report.dossier import build_dossier
from copub.report.messages import FOLDER, load_messages, translations
from copub.report.page import build_page
from copub.report.terminal import terminal_lines

LANGUAGES = ("fr", "nl")
VOID = ("meta", "br", "input", "link", "hr", "img")
SHOWN = ("aria-label", "placeholder", "data-tip", "title", "alt")
COMMON = {"the", "and", "with", "without", "which", "only", "every", "other", "from", "not", "this", "these", "are"}
WORDS = re.compile(r"[A-Za-z]+(?:['’-][a-z]+)*")
COMMAND = re.compile(r"copub (?:run|review|compare)[^.]*")


class _Texts(HTMLParser):
    """Texts that a reader sees, and apart from them those marked as names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [str(given[name]) for name in SHOWN if given.get(name)]
        if tag not in VOID:
            self.open.append((tag, given.get("translate") == "no"))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self.open}
        if not data.strip() or tags & {"script", "style"}:
            return
        if any(is_name for _, is_name in self.open):
            self.names.add(data.strip())
        elif "svg" not in tags:  # labels of charts are in their tips and tables
            self.texts.append(data.strip())


def _words(texts: Iterator[str]) -> set[str]:
    """Return the words of texts, without the names of placeholders."""
    plain = (" ".join(f"{part[0]} {part[2] or ''}" for part in string.Formatter().parse(text)) for text in texts)
    return {word.lower() for text in plain for word in WORDS.findall(text)}


def _catalogue(language: str) -> Iterator[str]:
    yield from (text for section in load_messages(language).words.values() for text in section.values())
    yield from (row[language] for row in translations())


def _english(language: str) -> set[str]:
    """Return the words of the English catalogue that the other does not use."""
    return (_words(_catalogue("en")) | COMMON) - _words(_catalogue(language))


def _given(manifest: dict[str, Any]) -> set[str]:
    """Return what people wrote: study, lists, taxonomies, funnel notes."""
    study = manifest["study"]
    texts = {study["title"], study["question"], study["side_a"]["name"], study["side_b"]["name"]}
    texts |= {event["label"] for event in [*study["events"], *manifest.get("events", [])]}
    for entry in [*manifest["watchlists"], *manifest["taxonomies"]]:
        texts |= {str(entry[key]) for key in ("id", "title", "authority", "edition") if entry.get(key)}
    return {text for text in texts if text}


def _left(page: str, language: str, given: set[str]) -> list[str]:
    """Return the texts that hold English words once names are taken out."""
    read, english = _Texts(page), _english(language)
    assert len(read.texts) > 50
    names = sorted((given | read.names), key=len, reverse=True)
    found = []
    for text in dict.fromkeys(read.texts):
        rest = COMMAND.sub("", text)
        for name in names:
            if name in rest:
                rest = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", rest)
        if hit := {word for word in WORDS.findall(rest) if word.lower() in english and not word.isupper()}:
            found.append(f"{text[:100]}: {sorted(hit)}")
    return found


def _in(run: Any, language: str) -> tuple[Any, dict[str, Any]]:
    return run.tables, {**run.manifest, "study": {**run.manifest["study"], "language": language}}


@pytest.mark.usefixtures("undrawn")  # what charts say is in their tips and tables
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_is_left_on_page_and_dossier(demo_run: Any, language: str) -> None:
    tables, manifest = _in(demo_run, language)
    given = _given(manifest) | set(tables["institutions"]["institution_name"].drop_nulls())
    page = build_page(tables, manifest)
    assert _left(page, language, given) == []
    own = tables["institutions"].filter(side="a").sort("works")["institution_name"][-1]
    assert _left(build_dossier(tables, manifest, institution=own), language, given) == []
    # none of the words of copub is among the names
    own_words = {text for section in load_messages("en").words.values() for text in section.values() if len(text) > 12}
    assert not own_words & _Texts(page).names


@pytest.mark.parametrize("language", ("en", *LANGUAGES))
@pytest.mark.parametrize("number", [1, 2])
def test_the_terminal_names_every_reason_why_records_are_not_counted(world: Any, language: str, number: int) -> None:
    tables, manifest = world
    reasons = [
        key for key in load_messages("en").words["left_out"] if key not in ("unreadable", "repeated", "one_side")
    ]
    steps = {"records read": 100, "unreadable records": number, "repeated records": number, "works": 98}
    steps |= {"co-publications found": 50, **{f"left out: {reason}": number for reason in reasons}}
    funnel = [
        {"step": step, "count": count, "note": "n"} for step, count in (steps | {"co-publications counted": 9}).items()
    ]
    study = manifest["study"] | {"language": language, "synthetic": False}
    lines = terminal_lines(tables, {**manifest, "study": study, "funnel": funnel}, Path("reports/x"))
    text = " ".join(lines)
    words = load_messages(language)
    for reason in (*reasons, "unreadable", "repeated"):
        assert words.say(f"left_out.{reason}", count=number) in text, reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_is_left_on_the_terminal(demo_run: Any, language: str) -> None:
    tables, manifest = _in(demo_run, language)
    text = " ".join(terminal_lines(tables, manifest, Path("reports/demo")))
    for name in sorted(_given(manifest), key=len, reverse=True):
        text = text.replace(name, "")
    text = (
        COMMAND.sub("", text).replace("data-dictionary.md", "").replace("reports/demo", "").replace("report.html", "")
    )
    assert not {word for word in WORDS.findall(text) if word in _english(language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_for_english_finds_it(demo_run: Any, language: str) -> None:
    page = "<p>Works on each area</p><td>without</td>" + "<p>x</p>" * 60
    assert len(_left(page, language, set())) == 2


def _written() -> set[str]:
    """Return what the stages write into tables, from where they have it."""
    texts = {*sensitivity.SWITCHES, *sensitivity.SWITCHES.values(), *KINDS, *STATUSES}
    texts |= {name for _, name in shares.FIXED} | {f"{reason}: a text" for reason in KINDS.values()}
    texts |= {switches.EVERY_LEVEL, switches.WITH, switches.WITHOUT, *switches.TIER_SETS}
    texts |= {setting for settings in switches.UNEQUAL.values() for setting in settings}
    texts |= {FEW, NO_EVALUATION, NO_LEVELS, "bilateral", "multilateral"}
    lists = [load_watchlist(path.stem) for path in (FOLDER.parents[3] / "taxonomies/watchlists").glob("*-20*.toml")]
    return texts | {text for one in lists for text in (one.kind, one.completeness)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stages_write_has_words_in_every_language(language: str) -> None:
    words = load_messages(language)
    same = {"type", "model", "base"}  # written alike
    assert not [text for text in _written() - same if words.value(text) == text]


def test_translations_of_values_are_whole() -> None:
    rows = list(translations())
    assert len({row["en"] for row in rows}) == len(rows)
    for row in rows:
        fields = {language: set(re.findall(r"{(\w+)", row[language])) for language in ("en", *LANGUAGES)}
        assert all(row.values()) and fields["en"] == fields["fr"] == fields["nl"], row


def test_a_value_is_translated_whole_by_pattern_or_part_by_part() -> None:
    french, dutch = load_messages("fr"), load_messages("nl")
    assert french.value("author cap: at most 100") == "plafond d'auteurs : au plus 100"
    assert dutch.value("1,247 works kept apart from training") == "1.247 werken die buiten de training bleven"
    basis = "classifier: 852 works by cross-validation, a set of one's own; matcher: 514 Chinese affiliation strings"
    assert dutch.value(basis) == (
        "classificatie: 852 werken door kruisvalidatie, a set of one's own; herkenning: 514 Chinese affiliatieteksten"
    )
    assert load_messages("en").value("author cap: at most 100") == "author cap: at most 100"


def test_dates_and_numbers_are_written_as_the_language_writes_them() -> None:
    dates = {language: load_messages(language).date("2024-01-01") for language in ("en", *LANGUAGES)}
    assert dates == {"en": "1 January 2024", "fr": "1er janvier 2024", "nl": "1 januari 2024"}
    french = load_messages("fr")
    assert [french.date(text) for text in ("2024-11", "2024-11-29T08:00:00Z", "2024-13", "2024", "autumn")] == [
        "novembre 2024", "29 novembre 2024", "2024-13", "2024", "autumn",
    ]  # fmt: skip
    assert french.percent(0.1234) == "12,3\u00a0%" and french.locale["percent"] == "\u00a0%"
