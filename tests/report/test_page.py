"""Rules of the page: self-contained, inert, complete, and every number from a table."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from copub.report.page import build_page
from copub.schema import TABLES, empty


class _Reader(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not set(self.inside) & {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page(world: Any) -> str:
    return build_page(*world)


@pytest.fixture(scope="module")
def reader(page: str) -> _Reader:
    return _Reader(page)


def test_nothing_is_fetched_from_anywhere(reader: _Reader) -> None:
    assert not [tag for tag, attrs in reader.tags if tag in ("link", "img", "iframe", "object", "embed", "base")]
    assert not [attrs for tag, attrs in reader.tags if "src" in attrs or "xlink:href" in attrs or "srcset" in attrs]
    inside = ("#", "https://doi.org/10.", "../../mock-be-cn/")  # the last is the page of another run
    assert all(attrs["href"].startswith(inside) for _, attrs in reader.tags if "href" in attrs)


def test_the_policy_allows_this_script_and_sheet_and_nothing_else(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    # base-uri and form-action do not fall back to default-src
    assert {rules[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    sheet = re.findall(r"<style>(.*?)</style>", page, flags=re.S)
    assert len(script) == len(sheet) == 1
    for name, text in (("script-src", script[0]), ("style-src", sheet[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_no_element_carries_a_handler_or_a_style(reader: _Reader) -> None:
    assert not [attrs for _, attrs in reader.tags if any(name.startswith("on") or name == "style" for name in attrs)]


def test_the_sentence_comes_before_all_else(reader: _Reader) -> None:
    text = reader.text
    first = text.index("of 400 co-publications (")
    assert first < text.index("Over the years", first) < text.index("Provenance", first)


def test_synthetic_runs_say_so_and_real_ones_do_not(world: Any, page: str, make_world: Any) -> None:
    assert page.count("SYNTHETIC") >= 3 and "<title>SYNTHETIC: " in page
    tables, manifest = make_world(60, synthetic=False)
    manifest["true_values"], manifest["watchlists"] = [], []
    tables = {**tables, "hits": tables["hits"].with_columns(edition=pl.lit("2019"))}
    assert "SYNTHETIC" not in build_page(tables, manifest)


def test_the_fixed_notes_stand_on_every_page(reader: _Reader) -> None:
    for note in ("no finding about a person", "dated assessments by others", "not a forbidden partner"):
        assert note in reader.text


def test_what_stands_below_the_answer_is_there(reader: _Reader) -> None:
    for words in (
        "Corrected for classifier and matcher error", "Growth per year", "−3.1%",
        "Before and after January 2024: A mock event",
        "20.0% 2 of 10", "10.0% 1 of 10", "−10.0 the loss of coverage alone could explain the fall −30.0 – +12.0",
        "Any area", "no level", "Sensitivity to all combinations of choices", "risk_floor",
        "Mock Foundation", "0.0123 0.87",
        "50.0% as this study 25.0% 12.5% – 37.5%", "0.50 as this study 0.25 0.12 – 0.38", "memorandum", "all links",
        "Authors of a work, median All 6.5 6.0 – 7.0",
        "Countries of a work, median Critical and listed small 2.0 2.0 – 3.0", "15.0% −5.0 −25.0 – +15.0",
        "January 2024: works after the event are those from 1 July 2024 to before 1 January 2025; 3 works of years",
        "A mock family", "a mock repair", "Repairs applied: 2", "a mistaken country the right country a mock reason",
        "Based on a mock sample.",
    ):  # fmt: skip
        assert words in reader.text, words
    assert "rank of area" not in reader.text


def test_differences_and_sources_stand_once_and_are_named_by_number(reader: _Reader) -> None:
    for text in ("another list", "another year", "a mock study", "a mock agreement"):
        assert reader.text.count(text) == 1, text
    assert reader.text.count("a mock verdict 1–2 a") == 3


def test_the_first_screen_says_what_listed_means_and_what_a_hit_is_not(reader: _Reader) -> None:
    start, end = reader.text.index("of 400 co-publications ("), reader.text.index(" of these ")
    first = reader.text[start:end]
    assert (
        "An institution counts as listed if it is on the list SYNTHETIC list (2020), at the levels very high and high."
        in first
    )
    assert "no finding about a person" in first and "not a forbidden partner" in first


@pytest.mark.usefixtures("undrawn")
def test_lists_of_the_headline_stand_apart_from_the_others(make_world: Any, reader: _Reader) -> None:
    tables, manifest = make_world(5)
    other = {"id": "other", "title": "A second list", "edition": "2021"}
    text = _Reader(build_page(tables, {**manifest, "watchlists": [*manifest["watchlists"], other]})).text
    of_headline, rest = (
        text.index("Lists counted in the headline"),
        text.index("Other lists, not counted in the headline"),
    )
    assert of_headline < text.index("SYNTHETIC list (nobody", of_headline) < rest < text.index("A second list", rest)
    assert "Other lists" not in reader.text


@pytest.mark.usefixtures("undrawn")
def test_decisions_of_readers_are_listed_without_the_reader(make_world: Any) -> None:
    tables, manifest = make_world(40)
    row = {"value": "School, Mock College, a@b.example", "entity_id": "nowhere-college", "decision": "no",
           "reason": "another place", "reviewer": "A Reader", "date": "2026-11-20"}  # fmt: skip
    works = tables["copublications"].with_columns(
        review_status=pl.when(pl.col("is_listed")).then(pl.lit("confirmed")).otherwise("review_status")
    )
    text = _Reader(build_page({**tables, "copublications": works}, {**manifest, "decisions": [row]})).text
    assert "Decisions of reviewers: 1" in text and "A Reader" not in text
    assert "School, Mock College, [e-mail] nowhere-college rejected another place 20 November 2026" in text
    listed = works["is_listed"].sum()
    assert f"Read by people: {listed} of {listed}" in text


def test_each_figure_has_its_table_and_its_buttons(page: str) -> None:
    figures = re.findall(r"<figure.*?</figure>", page, flags=re.S)
    assert len(figures) >= 8
    for figure in figures:
        assert "<svg" in figure and "<table" in figure
        assert re.findall(r'data-save="(\w+)"', figure) == ["svg", "png", "csv"]


def test_every_value_in_a_grid_stands_in_a_table_or_the_manifest(world: Any, page: str) -> None:
    tables, manifest = world
    known = {round(float(value), 9) for frame in tables.values() for column in frame.get_columns()
             if column.dtype.is_numeric() for value in column.drop_nulls().to_list()}  # fmt: skip
    known |= {round(float(n), 9) for n in re.findall(r"-?\d+\.?\d*", json.dumps(manifest))}
    works = tables["copublications"]
    tallies = works.group_by("is_critical", "is_listed").len()["len"].to_list()
    tallies += [works.filter(pl.col(c) == v).height for c in ("is_critical", "is_listed") for v in (True, False)]
    for group in ("max_risk_level", "watchlists"):
        frame = works.explode("watchlists") if group == "watchlists" else works
        tallies += (
            frame.group_by(group)
            .agg(pl.len(), c=pl.col("is_critical").sum())
            .select("len", "c")
            .to_numpy()
            .ravel()
            .tolist()
        )
    known |= {float(tally) for tally in tallies}
    shown = {round(float(value), 9) for value in re.findall(r'<data value="([^"]+)"', page)}
    assert len(shown) > 100
    assert shown <= known, sorted(shown - known)[:5]


def test_the_works_table_holds_exactly_the_numerator(world: Any, page: str) -> None:
    tables, _ = world
    found = re.search(r'id="works-data">(.*?)</script>', page, flags=re.S)
    assert found is not None
    data = json.loads(found[1])
    assert len(data["works"]) == tables["copublications"]["is_critical_listed"].sum()
    assert sorted(work[1] for work in data["works"]) == sorted(
        tables["copublications"].filter("is_critical_listed")["title"]
    )


def test_no_persons_name_and_no_address_stands_on_the_page(page: str) -> None:
    assert "Mock Author" not in page and "reader@example.org" not in page


@pytest.mark.usefixtures("undrawn")
def test_parts_of_institutions_say_what_came_and_went(world: Any) -> None:
    tables, manifest = world
    listed = tables["copublications"].filter("is_critical_listed")["work_id"].to_list()
    before = tables["copublications"].with_columns(is_critical_listed=pl.col("work_id").is_in(listed[1:]))
    gone = tables["copublications"].filter(~pl.col("is_critical_listed"))["work_id"][0]
    before = before.with_columns(is_critical_listed=pl.col("is_critical_listed") | (pl.col("work_id") == gone))
    page = build_page(tables, manifest, {**tables, "copublications": before})
    assert sum(map(int, re.findall(r"<h3>Changes since the last run: (\d)", page))) == 2
    assert "since the last run" not in _Reader(build_page(tables, manifest, tables)).text


@pytest.mark.parametrize("n", [0, 1, 2])
def test_empty_and_tiny_runs_give_a_page(make_world: Any, n: int) -> None:
    text = _Reader(build_page(*make_world(n))).text
    assert ("No co-publications" in text) == (n == 0)


@pytest.mark.usefixtures("undrawn")
def test_one_year_gives_a_page(make_world: Any) -> None:
    assert "Over the years" in build_page(*make_world(30, years=(2024, 2024)))


def test_no_tables_and_no_manifest_give_a_page() -> None:
    assert "was not measured" in build_page({}, {})
    assert "was not measured" in build_page({name: empty(name) for name in TABLES}, {"study": {"title": "Nothing"}})


def test_the_same_run_gives_the_same_bytes(world: Any, page: str) -> None:
    assert build_page(*world) == page


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("language", ["fr", "nl"])
def test_a_study_in_another_language_gets_its_words(make_world: Any, language: str) -> None:
    page = build_page(*make_world(80, language=language))
    assert f'<html lang="{language}">' in page
    assert "How it is counted" not in page


def test_hostile_texts_stay_text(hostile_page: str) -> None:
    reader = _Reader(hostile_page)
    assert "window.hacked" in reader.text
    assert [tag for tag, _ in reader.tags].count("script") == 2
    assert not [tag for tag, _ in reader.tags if tag == "img"]
    assert not [attrs for _, attrs in reader.tags if any(name.startswith("on") for name in attrs)]
    assert "javascript:" not in "".join(attrs.get("href", "") for _, attrs in reader.tags)
    assert max(map(len, re.findall(r"x+", reader.text))) <= 10_000


def test_hostile_dois_become_no_links(hostile_page: str) -> None:
    found = re.search(r'id="works-data">(.*?)</script>', hostile_page, flags=re.S)
    assert found is not None
    assert {work[2] for work in json.loads(found[1])["works"]} <= {
        "",
        "10.5555/fine",
        "10.5555/<script>",
        '10.5555/"onx=1',
    }


@pytest.mark.slow
def test_sixty_thousand_works_stay_under_six_megabytes(large: Any, large_page: str) -> None:
    works = large[0]["copublications"]
    assert works.height == 60_000 and works["is_critical_listed"].sum() > 4_000
    assert len(large_page.encode()) < 6_000_000


def test_the_page_says_by_which_tiers_the_listed_works_were_found(world: Any, reader: _Reader) -> None:
    tables, text = world[0], reader.text
    listed = tables["copublications"].filter("is_listed")
    assert "Listed works by tier" in text
    for (tiers,), works in listed.with_columns(pl.col("tiers").list.sort()).group_by("tiers"):
        row = f"{', '.join(tiers)} {works.height} {works['is_critical_listed'].sum()}"
        assert row in text, row
