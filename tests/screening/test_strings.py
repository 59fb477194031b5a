"""Bare strings: one row per string, list and institution; parts are shown under their institution."""

from __future__ import annotations

import polars as pl
import pytest

from copub.screening import Watchlist, load_watchlist, screen_strings
from copub.screening.strings import STRINGS

ASPI = [load_watchlist("aspi-cdut-2019")]


def found(text: str, lists: list[Watchlist], **switches: bool | str) -> set[tuple[str, str | None]]:
    return set(screen_strings([text], lists, **switches).select("entity_id", "via_entity").rows())


def test_strings_come_back_exactly_as_given() -> None:
    text = "  Beihang  University#TAB# "
    hits = screen_strings([text, text, "Oxford"], ASPI)
    assert hits["raw_affiliation_string"].to_list() == [text]
    assert hits.schema == STRINGS
    row = hits.row(0, named=True)
    assert text[row["matched_start"] : row["matched_end"]] == row["matched_text"] == "Beihang  University"
    assert (row["watchlist"], row["level"], row["tier"]) == ("aspi-cdut-2019", "very high", "name")


def test_no_string_gives_an_empty_table() -> None:
    assert screen_strings([], ASPI).schema == STRINGS
    assert screen_strings(pl.Series([None, ""], dtype=pl.String), ASPI).is_empty()


def test_a_laboratory_is_shown_under_its_institution(all_lists: list[Watchlist]) -> None:
    lab = "National Key Laboratory of Radar Signal Processing, Xidian University, Xi'an, China"
    assert {entity for entity, _ in found(lab, all_lists)} == {"xidian-university"}
    listed = screen_strings([lab], all_lists).filter(pl.col("watchlist") == "us-1286-fy2023")
    assert listed["via_entity"].to_list() == ["radar-signal-processing-lab-xidian"]


def test_a_campus_is_shown_under_its_institution(all_lists: list[Watchlist]) -> None:
    assert {e for e, _ in found("Harbin Institute of Technology, Shenzhen", all_lists)} == {
        "harbin-institute-of-technology"
    }


def test_a_hospital_is_shown_under_its_university_only_beside_it(all_lists: list[Watchlist]) -> None:
    assert {e for e, _ in found("Tang Du Hospital", all_lists)} == {"tangdu-hospital"}
    beside = found("Tangdu Hospital, Fourth Military Medical University", all_lists)
    assert {e for e, _ in beside} == {"air-force-medical-university"}
    assert ("air-force-medical-university", "tangdu-hospital") in beside


def test_descendants_count_only_if_asked_for() -> None:
    assert found("Tang Du Hospital", ASPI) == set()
    assert found("Tang Du Hospital", ASPI, include_descendants=True) == {
        ("air-force-medical-university", "tangdu-hospital")
    }


def test_a_known_country_settles_shared_names() -> None:
    assert found("Northeastern University", ASPI) == set()
    assert found("Northeastern University", ASPI, country="CN") == {("northeastern-university", None)}
    assert found("Southeast University", ASPI, country="BD") == set()


def test_medical_units_are_a_switch() -> None:
    hits = screen_strings(["Army Medical University, Chongqing"], ASPI, include_medical=False)
    assert hits["is_counted"].to_list() == [False]


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "../../etc/passwd", "<script>alert(1)</script>", "a" * 5000, "((((" * 500]
)
def test_odd_strings_are_only_data(text: str) -> None:
    assert screen_strings([text], ASPI).is_empty()
