"""No text of a page leaves its drawing or the page, and no label is over another, whatever the reader's font."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copub.lists.taxonomy import load_taxonomy
from copub.report.page import build_page

CHECK = Path(__file__).with_name("textboxes.js").read_text(encoding="utf-8").split("\n", 1)[1]
WIDTHS = (390, 800, 1400)
FONTS = ("DejaVu Sans", "Liberation Sans", "Noto Sans")
LONG = " of Applied Sciences and Advanced Manufacturing"


@pytest.fixture(scope="module")
def stretched(make_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in French whose institutions have long names, and whose areas have those of the taxonomy."""
    tables, manifest = make_world(400, language="fr")
    areas = {area.id: area.name for area in load_taxonomy("eu-2023-2113").areas}
    manifest["taxonomies"] = [{**manifest["taxonomies"][0], "areas": areas}]
    columns = ("institution_name", "institution_a", "institution_b")
    for name in ("institutions", "pairs", "affiliations"):
        frame = tables[name]
        tables[name] = frame.with_columns(pl.col(column) + LONG for column in columns if column in frame.columns)
    path = tmp_path_factory.mktemp("stretched") / "report.html"
    path.write_text(build_page(tables, manifest), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["page_file", pytest.param("stretched", marks=pytest.mark.slow)])
def test_every_text_is_inside_its_frame_and_apart_from_the_others(
    chromium: Any, kind: str, width: int, request: pytest.FixtureRequest
) -> None:
    chromium.open(request.getfixturevalue(kind), width=width)
    for font in FONTS:
        assert chromium.run(f"({CHECK})('{font}')") == [], font


BROKEN = """<!doctype html><body><div class="layout"><figure id="figure-x">
<svg width="200" height="60" viewBox="0 0 200 60"
 style="overflow: visible"><text x="10" y="20" text-anchor="end">Advanced semiconductors technologies</text>
<text x="20" y="50">one label</text><text x="40" y="50">another label</text></svg></figure></div>"""


def test_the_check_sees_a_cut_label_and_labels_over_each_other(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text(BROKEN, encoding="utf-8")
    chromium.open(path)
    found = " | ".join(chromium.run(f"({CHECK})('DejaVu Sans')"))
    assert "outside its drawing: figure-x: Advanced semiconductors" in found
    assert "outside the page: figure-x: Advanced semiconductors" in found
    assert "over each other: figure-x: another label / one label" in found
