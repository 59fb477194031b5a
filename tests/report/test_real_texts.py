"""Real titles and affiliation strings through page, workbook and exports: shown as they are, and inert."""

from __future__ import annotations

import gzip
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from copub.report.exports import build_exports
from copub.report.page import build_page
from copub.report.workbook import build_workbook

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def real_world(world: Any, real_data: Path) -> Any:
    """The synthetic world with the titles and printed affiliations of real works."""
    tables, manifest = world
    titles, strings = [], []
    with gzip.open(real_data / "real/works_cn_or_be_versions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line, _ in zip(lines, range(800), strict=False):
            work = json.loads(line)
            titles.append(work.get("title"))
            for author in work.get("authorships") or []:
                strings += author.get("raw_affiliation_strings") or []
    works, hits = tables["copublications"], tables["hits"]
    some = [strings[place % len(strings)] for place in range(hits.height)]
    return {
        **tables,
        "copublications": works.with_columns(title=pl.Series(titles[: works.height], dtype=pl.String)),
        "hits": hits.with_columns(
            value=pl.Series(some), matched_text=pl.Series(some).str.slice(0, 8), matched_start=pl.lit(0, pl.Int32),
            matched_end=pl.Series([min(8, len(text)) for text in some], dtype=pl.Int32),
        ),
    }, manifest  # fmt: skip


def test_the_page_shows_every_title_and_no_address(real_world: Any) -> None:
    page = build_page(*real_world)
    found = re.search(r'id="works-data">(.*?)</script>', page, flags=re.S)
    assert found is not None
    shown = {work[1] for work in json.loads(found[1])["works"]}
    wanted = real_world[0]["copublications"].filter("is_critical_listed")["title"].to_list()
    assert shown == {(title or "") if len(title or "") <= 300 else title[:299].rstrip() + "…" for title in wanted}
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w", html.unescape(found[1]))


def test_workbook_and_exports_take_real_texts(real_world: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(build_workbook(*real_world)))
    assert not [cell for row in book["Works"].iter_rows() for cell in row if cell.data_type == "f"]
    files = build_exports(*real_world)
    count = real_world[0]["copublications"]["is_critical_listed"].sum()
    assert files["listed-works.ris"].count(b"ER  - ") == count
