"""Rules of what is new for one institution: critical and listed now, and not before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from copub.errors import InputError
from copub.history.news import KNOWN, NEW, as_atom, as_markdown, news

from .test_commands import command
from .world import BE, CN, EARLIER, LATER, STUDY, Author, Work, make_run, plain_world

ATOM = "{http://www.w3.org/2005/Atom}"
LEUVEN, BEIHANG, OTHER = Author("I1", BE), Author("I22", CN), Author("I21", CN)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Any:
    works = [
        Work("W1", "a laser", authors=(LEUVEN, BEIHANG)),
        Work("W2", "a plain title", authors=(LEUVEN, BEIHANG)),
        Work("W3", "a laser", authors=(Author("I2", BE), BEIHANG)),
        Work("W4", "a laser", authors=(LEUVEN, OTHER)),
    ]
    more = [
        *(replace(work, title="a laser after all") if work.id == "W2" else work for work in works),
        Work("W5", "a laser & <b>[x](y)</b>", authors=(LEUVEN, BEIHANG)),
        Work("W6", "a laser", authors=(Author("I2", BE), BEIHANG)),
    ]
    place = tmp_path_factory.mktemp("news")
    return make_run(place / "a", works, EARLIER, whole=True), make_run(place / "b", more, LATER, whole=True)


def test_only_works_of_the_institution_that_were_not_critical_and_listed_before_are_new(pair: Any) -> None:
    found = news(*pair, "Institute I1")
    assert dict(found.works.select("work_id", "why").iter_rows()) == {"W2": KNOWN, "W5": NEW}
    assert dict(news(*pair, "I2").works.select("work_id", "why").iter_rows()) == {"W6": NEW}
    assert news(pair[1], pair[1], "I1").works.is_empty()


def test_the_text_says_that_a_hit_is_no_finding_and_holds_no_markup_of_others(pair: Any) -> None:
    text = as_markdown(news(*pair, "I1"))
    assert text.startswith("# SYNTHETIC: Institute I1") and "2 works" in text and "no finding about a person" in text
    assert "<b>" not in text and "[x](y)" not in text


def test_the_text_says_that_the_studies_ask_differently(pair: Any, tmp_path: Path) -> None:
    other = make_run(tmp_path, plain_world(8).values(), LATER, replace(STUDY, operating_point="recall"), whole=True)
    text = as_markdown(news(pair[0], other, "I1"))
    assert "ask differently" in text and "recall" in text
    assert "ask differently" not in as_markdown(news(*pair, "I1"))


def test_the_feed_is_atom_with_an_entry_for_each_work_and_the_same_bytes_again(pair: Any) -> None:
    found = news(*pair, "I1")
    feed = as_atom(found)
    assert feed == as_atom(news(*pair, "I1"))
    root = ElementTree.fromstring(feed)
    assert root.tag == f"{ATOM}feed"
    assert all(root.find(f"{ATOM}{name}") is not None for name in ("title", "id", "updated", "author"))
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert sorted(ids) == ["https://openalex.org/W2", "https://openalex.org/W5"]
    titles = {entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")}
    assert "a laser & <b>[x](y)</b>" in titles


def test_an_unknown_institution_is_the_users_to_correct(pair: Any) -> None:
    with pytest.raises(InputError) as caught:
        news(*pair, "Institute I1x")
    assert "Institute I1" in caught.value.hint


def test_the_command_prints_the_text_and_writes_the_feed(tmp_path: Path, capsys: Any) -> None:
    reports = tmp_path / "reports"
    make_run(reports, [], EARLIER, whole=True)
    made = make_run(reports, plain_world(8).values(), LATER, whole=True)
    first = sorted(path.name for path in (reports / "world").iterdir() if path.name != made.folder.name)[0]
    arguments = ["compare", f"world/{first}", f"world/{made.folder.name}", "--reports", str(reports)]
    assert command(*arguments, "--institution", "I1", "--feed", str(tmp_path / "new.xml")) == 0
    assert "new works on critical technologies" in capsys.readouterr().out
    assert (tmp_path / "new.xml").read_bytes().startswith(b"<?xml")
    assert command(*arguments, "--feed", str(tmp_path / "new.xml")) == 2
    assert "--institution NAME" in capsys.readouterr().err
