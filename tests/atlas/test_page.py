"""Rules of the page of an atlas in a real browser: the numbers of the atlas, by keyboard, at every width."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from copub.atlas import Atlas
from copub.atlas.atlasanswers import ON_LISTS, rank, show
from copub.atlas.atlaspage import MEASURES, atlas_page
from copub.atlas.stored import name_of

ROWS = "Array.from(document.querySelectorAll('#{} tr'), (tr) => Array.from(tr.children, (c) => c.textContent.trim()))"


@pytest.fixture(scope="module")
def page_file(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the atlas."""
    path = tmp_path_factory.mktemp("page") / "atlas.html"
    path.write_text(atlas_page(atlas), encoding="utf-8")
    return path


@pytest.fixture
def page(chromium: Any, page_file: Path) -> Any:
    """The page, opened afresh, once its numbers are there."""
    chromium.open(page_file, width=1400)
    chromium.run("new Promise((done) => { const look = () => window.atlas ? done() : setTimeout(look, 20); look(); })")
    return chromium


def choose(page: Any, **values: Any) -> None:
    """Set fields of the form as a person does."""
    for name, value in values.items():
        field = f"document.querySelector('form [name={name}]')"
        text = orjson.dumps(str(value)).decode()
        page.run(f"{field}.value = {text}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def shown(row: dict[str, Any]) -> list[str]:
    """Return the numbers of a share as the page prints them."""
    number, share = "{:,.0f}".format, "{:.1%}".format
    small = " small" if row["is_small"] and row["denominator"] else ""
    if row["share"] is None:
        return [number(row["numerator"]), number(row["denominator"]), "–", ""]
    ends = f"{share(row['ci_low'])} to {share(row['ci_high'])}"
    return [number(row["numerator"]), number(row["denominator"]), share(row["share"]) + small, ends]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("side", ["partner", "own"])
def test_partners_have_the_numbers_of_the_atlas(measure: str, side: str, page: Any, atlas: Atlas) -> None:
    area = next(iter(atlas.areas))
    for country, years, asked in (("BE", (2000, 2025), ""), ("CN", (2012, 2020), area)):
        choose(page, country=country, side=side, measure=measure, area=asked, to=years[1], **{"from": years[0]})
        kind = {"area": asked} if asked else {}
        own = {"a": country} if side == "partner" else {"b": country}
        expected = rank(atlas, **own, years=range(years[0], years[1] + 1), measure=measure, **kind)
        if side == "own" and not atlas.headline(country) and measure in ON_LISTS:
            expected = expected.clear()
        rows = {row[0]: row[1:5] for row in page.run(ROWS.format("partner-rows"))}
        several = expected.filter(pl.col("denominator") > 0)
        assert {row["name"]: shown(row) for row in several.iter_rows(named=True)}.items() <= rows.items()
        assert all(numbers[1] == "0" for name, numbers in rows.items() if name not in several["name"].to_list())


def test_a_pair_has_the_numbers_of_the_atlas_by_year_and_area(page: Any, atlas: Atlas) -> None:
    choose(page, country="BE")
    page.run("Array.from(document.querySelectorAll('.choose')).find((one) => one.textContent === 'China').click()")
    wanted = {"measure": "critical_listed", "counting": "full"}
    years = show(atlas, "BE", "CN", by=["year"]).filter(**wanted).sort("year")
    assert [row[:5] for row in page.run(ROWS.format("year-rows"))] == [
        [str(row["year"]), *shown(row)] for row in years.iter_rows(named=True)
    ]
    areas = show(atlas, "BE", "CN", by=["area"]).filter(**wanted)
    assert [row[:5] for row in page.run(ROWS.format("area-rows"))] == [
        [atlas.areas[row["area"]], *shown(row)] for row in areas.iter_rows(named=True)
    ]
    assert page.run("document.getElementById('pair-title').textContent") == "Belgium and China"
    assert page.run("document.activeElement.id") == "pair-title"


def test_the_matrix_is_walked_by_keyboard_and_opens_a_pair(page: Any, atlas: Atlas) -> None:
    choose(page, group="BENELUX", measure="critical")
    heads = page.run("Array.from(document.querySelectorAll('#grid tbody th'), (one) => one.textContent)")
    assert set(heads) <= {name_of(code) for code in ("BE", "LU", "NL")}
    assert page.run("document.querySelectorAll('#grid [tabindex=\"0\"]').length") == 1
    page.run("document.querySelector('#grid [tabindex=\"0\"]').focus()")
    for key in ("ArrowDown", "End", "ArrowUp", "Home", "ArrowRight"):
        page.press(key)
        assert page.run("document.activeElement.closest('#grid') !== null")
        assert page.run("document.querySelectorAll('#grid [tabindex=\"0\"]').length") == 1
    page.run("document.querySelector('#grid td[data-a]').focus()")
    label = page.run("document.activeElement.getAttribute('aria-label')")
    page.press("Enter")
    assert page.run("document.getElementById('pair-title').textContent") == label.partition(":")[0]
    assert re.search(r": (.+),", label)[1] in page.run("document.getElementById('pair-stated').textContent")


def test_every_field_is_reached_by_tab(page: Any) -> None:
    reached = []
    for _ in range(9):
        page.press("Tab")
        reached.append(page.run("document.activeElement.name || document.activeElement.className"))
    assert reached == ["skip", "country", "side", "measure", "area", "list", "from", "to", "order"]


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_width_scrolls_sideways_and_axe_finds_nothing(width: int, scheme: str, page: Any) -> None:
    page.prefer(scheme)
    page.resize(width)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.violations() == []
    assert page.troubles() == []


def test_synthetic_numbers_are_marked_and_limits_are_stated(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert "<title>SYNTHETIC: " in text and "<strong>SYNTHETIC</strong>" in text
    assert "no finding about a person" in text and "must not be added up" in text
    assert not re.search(r"(src|href)=.(https?:)?//", text)


def test_pairs_are_left_out_where_the_page_would_be_too_large(atlas: Atlas) -> None:
    def numbers(text: str) -> Any:
        packed = re.search(r'id="numbers">([^<]+)<', text)
        assert packed is not None
        return orjson.loads(zlib.decompress(base64.b64decode(packed[1]))), len(packed[1])

    whole, size = numbers(atlas_page(atlas))
    page = atlas_page(atlas, most_bytes=size // 2)
    part, smaller = numbers(page)
    assert smaller <= size // 2 and len(part["works"]["a"]) < len(whole["works"]["a"])
    least = re.search(r"Pairs with fewer than (\d+) works are not on this page", page)
    total = atlas.cells().filter(pl.col("list") == "", pl.col("area") == "all", pl.col("a") < pl.col("b"))
    pairs = total.group_by("a", "b").agg(pl.col("works").sum()).collect()
    assert least is not None and len(part["works"]["a"]) == pairs.filter(pl.col("works") >= int(least[1])).height
