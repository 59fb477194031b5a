"""Rules of texts from outside: attacks and gaps stay inert and readable in everything that is made of a run."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest

from copub.report.dossier import build_dossier
from copub.report.exports import build_exports
from copub.report.page import build_page
from copub.report.summary import headline_lines
from copub.report.workbook import build_workbook

DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class _Tags(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module", params=["hostile", "bare"])
def run(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def files(run: Any) -> dict[str, bytes]:
    return build_exports(*run)


def test_page_and_dossier_have_no_element_that_was_not_meant(run: Any) -> None:
    tables, _ = run
    own = tables["institutions"].filter(side="a")
    name = own["institution_name"].drop_nulls().sort(descending=True).to_list()[:1] or own["institution_id"].to_list()
    pages = [build_page(*run)]
    if name and name[0]:
        pages.append(build_dossier(*run, institution=name[0]))
    for page in pages:
        reader = _Tags()
        reader.feed(page)
        assert not {tag for tag, _ in reader.found} & {"img", "iframe", "object", "embed", "base", "link"}
        assert [tag for tag, _ in reader.found].count("script") <= 2
        names = {name for _, attributes in reader.found for name in attributes}
        assert not [name for name in names if name.startswith("on") or name in ("src", "style", "srcdoc")]
        links = {attributes["href"] for _, attributes in reader.found if attributes.get("href")}
        assert not [link for link in links if not link.startswith(("#", "https://doi.org/10.", "../../mock-be-cn/"))]


def test_no_cell_of_any_csv_starts_a_formula(files: dict[str, bytes]) -> None:
    for path, content in files.items():
        if path.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
            heads = rows[0]
            for row in rows[1:]:
                for head, cell in zip(heads, row, strict=True):
                    number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
                    assert number or cell.lstrip()[:1] not in tuple("=+-@|%"), (path, head, cell[:40])


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(run: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(build_workbook(*run)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_no_export_holds_control_signs_or_turns_the_direction_of_text(files: dict[str, bytes]) -> None:
    for path, content in files.items():
        text = content.decode("utf-8")
        assert not DIRECTIONS.search(text), path
        assert not [sign for sign in set(text) if unicodedata.category(sign) == "Cc" and sign not in "\t\r\n"], path


def test_markdown_keeps_markup_and_links_as_text(files: dict[str, bytes]) -> None:
    text = files["summary.md"].decode()
    assert not re.search(r"(?<!\\)[<\[]", text.replace("# ", "", 1))


def test_json_exports_read_back(files: dict[str, bytes]) -> None:
    for path in ("datapackage.json", "ro-crate-metadata.json", "partner-network.json"):
        assert json.loads(files[path])


def test_sentences_are_made_of_whatever_there_is(run: Any) -> None:
    lines = headline_lines(*run)
    assert lines and all(isinstance(line, str) and line for line in lines)


def test_long_titles_are_cut_on_the_page_and_whole_in_the_tables(hostile_page: str, files: dict[str, bytes]) -> None:
    shown = json.loads(re.findall(r'id="works-data">(.*?)</script>', hostile_page, flags=re.S)[0])["works"]
    assert max(len(work[1]) for work in shown) <= 300
