"""Rules of plain text: no control signs, no direction overrides, no formulas."""

from __future__ import annotations

import csv
import io

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copub.report.packages import csv_of
from copub.report.plaintext import joined, printable


@given(st.text())
def test_printable_text_holds_no_control_and_no_override(text: str) -> None:
    clean = printable(text)
    assert not [sign for sign in clean if (ord(sign) < 32 and sign not in "\t\n\r") or "\u202a" <= sign <= "\u202e"]
    assert printable(clean) == clean


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_is_kept(text: str) -> None:
    assert printable(text) == "".join(sign for sign in text if sign not in "\ufffe\uffff")


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.none(), min_size=1, max_size=5))
def test_no_cell_of_a_csv_starts_a_formula(values: list[str | None]) -> None:
    kinds = {"text": pl.String, "list": pl.List(pl.String)}
    frame = pl.DataFrame({"text": values, "list": [[value] for value in values]}, schema=kinds)
    cells = [cell for row in csv.reader(io.StringIO(csv_of(frame).decode(), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@|%")]


def test_formulas_get_an_apostrophe_and_numbers_stay_numbers() -> None:
    frame = pl.DataFrame({"title": ["=1+1", "fine", None], "difference": [-0.5, 0.1, None]})
    assert csv_of(frame).decode().splitlines() == ["title,difference", "'=1+1,-0.5", "fine,0.1", ","]


def test_lists_are_joined_without_their_gaps() -> None:
    assert joined(["a", None, "", "b"]) == "a; b"
