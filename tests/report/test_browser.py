"""Rules of the page in a real browser: quiet, searchable, legible at every width, printable."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

VISIBLE = "Array.from(document.querySelectorAll('{}')).filter((n) => n.getClientRects().length).length"
MATCHES = "document.getElementById('matches').textContent"


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots and PDF stay: the folder COPUB_ARTEFACTS, else that of the test run."""
    named = os.environ.get("COPUB_ARTEFACTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def page(chromium: Any, page_file: Path) -> Any:
    """The page with every part open."""
    chromium.open(page_file)
    chromium.unfold()
    return chromium


def _choose(name: str, value: str) -> str:
    field = f"document.querySelector('#filters [name={name}]')"
    return f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"


def _after(page: Any, script: str) -> str:
    page.run(script)
    text: str = page.run(f"new Promise((done) => setTimeout(() => done({MATCHES}), 250))")
    return text


def test_the_page_opens_without_request_or_error_and_draws(page: Any) -> None:
    assert page.troubles() == []
    assert page.run(VISIBLE.format("figure .wide svg")) >= 10
    assert page.run(VISIBLE.format("#explorer tbody tr")) == 25


def test_the_folded_page_is_short(chromium: Any, page_file: Path) -> None:
    chromium.open(page_file, width=1300)
    assert chromium.run("document.documentElement.scrollHeight") <= 8_000
    assert chromium.run("document.querySelectorAll('details[open]').length") == 0
    answer = "document.getElementById('answer').getBoundingClientRect()"
    assert chromium.run(f"{answer}.bottom") <= 1_000
    for section in ("trend", "areas", "institutions"):
        assert chromium.run(f"document.getElementById('{section}').getBoundingClientRect().height") <= 1_000, section


def test_a_link_to_a_folded_part_opens_it(chromium: Any, page_file: Path) -> None:
    chromium.open(page_file)
    for _ in range(2):  # also when the address names it already
        chromium.run("document.querySelector('nav a[href=\"#works\"]').click()")
        opened = "document.querySelector('#works details').open"
        assert chromium.run(f"new Promise((done) => setTimeout(() => done({opened})))")
        chromium.run("document.querySelector('#works details').open = false")


def test_charts_show_their_values_to_pointer_and_keyboard(page: Any) -> None:
    tip = "document.querySelector('#figure-areas .tip')"
    page.run("document.querySelector('#figure-areas .drawing').focus()")
    page.press("Home")
    first = page.run(f"{tip}.textContent")
    assert " of " in first and not page.run(f"{tip}.hidden")
    page.press("ArrowDown")
    assert page.run(f"{tip}.textContent") != first
    assert page.run("document.querySelectorAll('#figure-areas .at').length") == 1
    page.press("End")
    last = page.run(f"{tip}.textContent")
    page.press("ArrowDown")
    assert page.run(f"{tip}.textContent") == last != first  # each row once, and no further
    page.press("Escape")
    assert page.run(f"{tip}.hidden")
    page.hover("#figure-areas .wide [data-tip]")
    assert page.run(f"{tip}.textContent") == first


def test_every_chart_has_values(page: Any) -> None:
    drawings = "Array.from(document.querySelectorAll('figure :is(.wide, .narrow)'))"
    without = f"{drawings}.filter((drawing) => !drawing.querySelector('[data-tip]')).length"
    assert page.run(without) == 0


def test_print_is_grey(page: Any) -> None:
    page.prefer("light", "print")
    style = "getComputedStyle(document.documentElement).getPropertyValue"
    colours = [page.run(f"{style}('--{name}').trim()") for name in ("page", "ink", "muted", "rule", "bar", "accent")]
    assert all(len(set(colour.strip("#"))) == 1 for colour in colours), colours


def test_no_table_is_cut_on_paper(page: Any) -> None:
    assert page.cut_tables() == []


def test_filters_narrow_to_the_right_works(page: Any, world: Any) -> None:
    tables, _ = world
    works = tables["copublications"].filter("is_critical_listed")
    total, newest = works.height, works["publication_year"].max()
    of_year = works.filter(works["publication_year"] == newest).height
    assert _after(page, _choose("year", str(newest))) == f"Works shown: {of_year} of {total}"
    assert _after(page, "document.getElementById('filters').reset()") == f"Works shown: {total} of {total}"
    last = works["title"].str.extract(r"number (\d+)").cast(int).max()
    assert _after(page, _choose("text", f"NUMBER {last}")) == f"Works shown: 1 of {total}"
    assert _after(page, _choose("text", "no such words")) == f"Works shown: 0 of {total}"


def test_sorting_turns_round(page: Any) -> None:
    cells = "document.querySelectorAll('#explorer tbody tr td:first-child')"
    years = f"Array.from({cells}, (cell) => Number(cell.textContent))"
    assert page.run(years) == sorted(page.run(years), reverse=True)
    page.run("document.querySelector('[data-sort=year]').click()")
    assert page.run(years) == sorted(page.run(years))
    assert page.run("document.querySelector('th[data-key=year]').getAttribute('aria-sort')") == "ascending"


def test_evidence_opens_and_closes(page: Any) -> None:
    page.run("document.querySelector('#explorer .open').click()")
    text = page.run("document.querySelector('.evidence').innerText")
    assert "Why critical" in text and "Why listed" in text and "demo-list" in text
    assert page.run("document.querySelectorAll('.evidence mark').length") >= 2
    page.run("document.querySelector('#explorer .open').click()")
    assert page.run("document.querySelectorAll('.evidence').length") == 0


def test_pages_turn(page: Any, world: Any) -> None:
    total = world[0]["copublications"]["is_critical_listed"].sum()
    page.run("document.getElementById('next').click()")
    assert page.run("document.getElementById('page').textContent") == f"Page 2 of {-(-total // 25)}"
    assert not page.run("document.getElementById('previous').disabled")


@pytest.mark.parametrize("width", [390, 900, 1600])
def test_no_width_scrolls_sideways(page: Any, width: int, artefacts: Path) -> None:
    page.resize(width)
    assert page.run("document.documentElement.scrollWidth") <= width
    narrow = page.run("document.querySelectorAll('figure .narrow svg').length")
    assert page.run(VISIBLE.format("figure .narrow svg")) == (narrow if width < 640 else 0)
    shot = artefacts / f"report-{width}.png"
    page.screenshot(shot)
    assert shot.stat().st_size > 20_000


def test_dark_follows_the_system_and_the_button(page: Any, artefacts: Path) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.run(back)
    page.prefer("dark")
    assert page.run(back) != light
    page.screenshot(artefacts / "report-dark.png", whole=False)
    page.run("document.getElementById('theme').click()")
    assert page.run(back) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Any, scheme: str) -> None:
    page.prefer(scheme)
    style = "getComputedStyle(document.documentElement).getPropertyValue"
    pairs = (("ink", "page"), ("muted", "page"), ("accent", "page"), ("muted", "panel"), ("warn", "warn-soft"))
    colour = {name: page.run(f"{style}('--{name}').trim()") for pair in pairs for name in pair}
    for front, ground in pairs:
        assert _contrast(colour[front], colour[ground]) >= 4.5, f"{front} on {ground}"


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_axe_finds_nothing(page: Any) -> None:
    page.run("document.querySelector('#explorer .open').click()")
    page.run("document.querySelectorAll('details').forEach((node, place) => { node.open = place % 4 === 0; })")
    assert page.violations() == []
    page.prefer("dark")  # which changes colours and nothing else
    assert page.violations("color-contrast") == []


def test_headings_go_in_order(page: Any) -> None:
    levels = page.run("Array.from(document.querySelectorAll('h1,h2,h3,h4'), (h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_keyboard_comes_first_to_the_skip_link_and_sees_where_it_is(page: Any) -> None:
    focused = "document.activeElement"
    page.press("Tab")
    assert page.run(f"{focused}.className") == "skip"
    for _ in range(12):
        assert page.run(f"{focused}.matches(':focus-visible') && getComputedStyle({focused}).outlineStyle") == "solid"
        page.press("Tab")
    page.run("document.querySelector('#explorer .open').focus()")
    page.press("Enter")
    assert page.run("document.querySelectorAll('.evidence').length") == 1


def test_identifiers_are_used_once(page: Any) -> None:
    ids = page.run("Array.from(document.querySelectorAll('[id]'), (node) => node.id)")
    assert len(ids) == len(set(ids))


def test_figures_are_saved_with_their_colours_resolved(page: Any) -> None:
    saved = {kind: page.download(f"#figure-trend [data-save={kind}]") for kind in ("svg", "csv", "png")}
    assert [name for name, _ in saved.values()] == ["copub-trend.svg", "copub-trend.csv", "copub-trend.png"]
    svg = saved["svg"][1].decode()
    assert svg.startswith("<svg") and "var(--" not in svg and "<rect" in svg
    assert "<title>2025 · " in svg and "data-tip" not in svg
    assert saved["csv"][1].decode("utf-8-sig").startswith('"Year"')
    assert saved["png"][1].startswith(b"\x89PNG")
    assert page.troubles() == []


def test_the_page_prints(page: Any, artefacts: Path) -> None:
    printed = page.pdf()
    (artefacts / "report.pdf").write_bytes(printed)
    assert printed.startswith(b"%PDF-")


def test_hostile_texts_do_nothing(chromium: Any, hostile_page: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(hostile_page, encoding="utf-8")
    chromium.open(path, width=390)
    chromium.run("document.querySelectorAll('#explorer .open').forEach((button) => button.click())")
    chromium.run("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert chromium.run("window.hacked") is None
    assert chromium.troubles() == []
    assert chromium.run("document.documentElement.scrollWidth") <= 390
    assert chromium.run("document.querySelectorAll('#explorer a[href^=\"javascript\"]').length") == 0


@pytest.mark.slow
def test_sixty_thousand_works_are_filtered(chromium: Any, large_page: str, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    path.write_text(large_page, encoding="utf-8")
    chromium.open(path)
    before = _after(chromium, "0")
    assert _after(chromium, _choose("tier", "0")) != before
    assert chromium.troubles() == []
