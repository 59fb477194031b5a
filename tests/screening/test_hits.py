"""Hits come in tiers, carry their evidence, and count only under the switches."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import polars as pl
import pytest

from copub import schema
from copub.screening import load_watchlist, screen
from copub.screening.hits import TIERS
from copub.screening.index import build_index

ASPI = [load_watchlist("aspi-cdut-2019")]
RELATED = [load_watchlist("related-units")]
BEIHANG = {"institution_id": "I82880672", "ror": "00wk2mp56", "country_code": "CN", "lineage": ["I82880672"]}


def short(hits: pl.DataFrame) -> list[tuple[str, str, str | None, bool]]:
    return hits.select("entity_id", "tier", "via_entity", "is_counted").rows()


def test_identifier_and_name_hits_are_rows_of_their_own(rows) -> None:
    hits = screen(rows({**BEIHANG, "raw_affiliation_string": "BUAA, Beijing"}), ASPI)
    assert short(hits) == [("beihang-university", tier, None, True) for tier in ("identifier", "name")]
    name = hits.row(1, named=True)
    assert (name["field"], name["value"], name["matched_text"]) == ("raw_affiliation_string", "BUAA, Beijing", "BUAA")
    assert name["value"][name["matched_start"] : name["matched_end"]] == name["matched_text"]
    assert (name["watchlist"], name["risk_level"], name["rule"]) == ("aspi-cdut-2019", "very high", "BUAA")


def test_hits_have_the_columns_of_the_schema(rows) -> None:
    assert screen(rows(BEIHANG), ASPI).schema == schema.TABLES["hits"].schema
    assert screen(rows(), ASPI).schema == schema.TABLES["hits"].schema


def test_ror_alone_identifies(rows) -> None:
    hits = screen(rows({"ror": "00wk2mp56"}), ASPI)
    assert hits.select("entity_id", "tier", "field", "value").rows() == [
        ("beihang-university", "identifier", "ror", "00wk2mp56")
    ]


def test_lineage_counts_for_campuses_and_the_umbrella_of_the_army(rows) -> None:
    row = rows({"institution_id": "I5", "lineage": ["I5", "I125839683"]})
    assert short(screen(row, ASPI)) == [("beijing-institute-of-technology", "lineage", None, True)]
    soldiers = rows({"institution_id": "I5", "lineage": ["I5", "I4210160531"]})
    assert short(screen(soldiers, RELATED)) == [("peoples-liberation-army", "lineage", None, True)]


@pytest.mark.parametrize("parent", ["I19820366", "I99065089"])
def test_lineage_does_not_count_for_the_academy_or_joint_laboratories(rows, parent: str) -> None:
    later = [*ASPI, load_watchlist("aspi-cdut-later")]
    assert screen(rows({"institution_id": "I5", "lineage": ["I5", parent]}), later).is_empty()


def test_a_registered_child_counts_for_its_parent(rows) -> None:
    hits = screen(rows({"ror": "00hwfqh10"}, {"author_seq": 1, "raw_affiliation_string": "Tang Du Hospital"}), ASPI)
    assert short(hits) == [
        ("harbin-institute-of-technology", "lineage", "hit-shenzhen", True),
        ("air-force-medical-university", "name", "tangdu-hospital", True),
    ]
    without = screen(rows({"ror": "00hwfqh10"}), ASPI, include_descendants=False)
    assert short(without) == [("harbin-institute-of-technology", "lineage", "hit-shenzhen", False)]


def test_medical_units_are_a_switch(rows) -> None:
    row = rows({"raw_affiliation_string": "Second Military Medical University, Shanghai"})
    assert screen(row, ASPI)["is_counted"].to_list() == [True]
    assert screen(row, ASPI, include_medical=False)["is_counted"].to_list() == [False]


def test_an_entity_of_another_country_is_a_hit_that_does_not_count(rows) -> None:
    row = rows({**BEIHANG, "raw_affiliation_string": "Beihang University"})
    assert screen(row, ASPI, countries=["HK"])["not_counted_because"].to_list() == [["country"]] * 2
    assert screen(row, ASPI, countries=["CN"])["is_counted"].to_list() == [True, True]


def test_tiers_are_a_switch(rows) -> None:
    row = rows({**BEIHANG, "raw_affiliation_string": "Beihang University"})
    for tier in TIERS:
        counted = screen(row, ASPI, tiers=[tier]).filter("is_counted")["tier"].to_list()
        assert counted == ([tier] if tier != "lineage" else [])


def test_a_name_without_institution_is_read_in_place_of_the_string(rows) -> None:
    hits = screen(rows({"institution_name": "Beihang University"}), ASPI)
    assert hits["field"].to_list() == ["institution_name"]
    assert screen(rows({"institution_id": "I1", "institution_name": "Beihang University"}), ASPI).is_empty()


def test_the_country_of_the_affiliation_settles_shared_names(rows) -> None:
    def found(country: str | None, text: str) -> int:
        return screen(rows({"country_code": country, "raw_affiliation_string": text}), ASPI).height

    assert found("CN", "Northeastern University") == 1
    assert found("US", "Northeastern University") == 0
    assert found(None, "Northeastern University") == 0
    assert found(None, "Southeast University") == 1
    assert found("BD", "Southeast University") == 0


def test_one_string_is_matched_for_every_affiliation_that_bears_it(rows) -> None:
    many = rows(*({"work_id": f"W{n}", "raw_affiliation_string": "Tongji University"} for n in range(5)))
    assert screen(many, ASPI)["work_id"].to_list() == [f"W{n}" for n in range(5)]


def test_several_lists_are_screened_at_once(rows) -> None:
    lists = [*ASPI, load_watchlist("seven-sons"), load_watchlist("us-1286-fy2022")]
    hits = screen(rows(BEIHANG), lists)
    assert hits["watchlist"].to_list() == ["aspi-cdut-2019", "seven-sons", "us-1286-fy2022"]
    assert hits["risk_level"].to_list() == ["very high", "listed", "listed"]


def test_as_of_counts_an_entity_only_while_it_is_listed(rows, write_list) -> None:
    path = write_list(
        "entity_id,name,openalex,valid_from,valid_to\n"
        "bay,Bay Institute of Rockets,I7,2015-06,2018\n"
        "sea,Sea Institute of Rockets,I8,,\n",
        levels=[],
    )
    own = [load_watchlist(path)]
    days = ["2015-05-31", "2015-06-01", "2018-12-31", "2019-01-01", None, None, None, None]
    years = [
        2015,
        2015,
        2018,
        2019,
        None,
        2015,
        2016,
        2019,
    ]  # of a year that the listing covers in part, nobody can say
    works = [f"W{n}" for n in range(len(days))]
    dates = pl.DataFrame(
        {
            "work_id": works,
            "publication_date": [d and datetime.date.fromisoformat(d) for d in days],
            "publication_year": years,
        },
        schema={"work_id": pl.String, "publication_date": pl.Date, "publication_year": pl.Int32},
    )
    bay = screen(rows(*({"work_id": w, "institution_id": "I7"} for w in works)), own, dates=dates)
    assert bay["is_counted"].to_list() == [False, True, True, False, False, False, True, False]
    sea = screen(rows({"work_id": "W4", "institution_id": "I8"}), own, dates=dates)
    assert sea["is_counted"].to_list() == [True]
    assert screen(rows({"institution_id": "I7"}), own)["is_counted"].to_list() == [True]


def test_a_list_of_ones_own_is_found_by_its_names(rows, write_list) -> None:
    own = [
        load_watchlist(write_list("entity_id,name,names,level\nbay,Bay Institute of Rockets,Bay Inst. Rock.,high\n"))
    ]
    hits = screen(rows({"raw_affiliation_string": "Lab 3, Bay Inst Rock, Building 7"}), own)
    assert hits.select("entity_id", "risk_level", "matched_text").rows() == [("bay", "high", "Bay Inst Rock")]


def test_review_candidates_are_shown_and_never_counted(rows) -> None:
    row = rows({"raw_affiliation_string": "Nanjing Universe of Aeronautics and Astronautics"})
    assert screen(row, ASPI).is_empty()
    hits = screen(row, ASPI, review=True, tiers=[*TIERS, "review"])
    assert short(hits) == [("nanjing-university-of-aeronautics-and-astronautics", "review", None, False)]


def test_a_weak_name_of_ones_own_list_needs_a_place_of_the_entity(rows, write_list) -> None:
    own = [load_watchlist(write_list("entity_id,name,weak_names,places,level\nbay,Bay Institute,BI,Bay City,high\n"))]

    def found(text: str) -> int:
        return screen(rows({"raw_affiliation_string": text}), own).height

    assert found("Dept. of Physics, BI, Bay City") == 1
    assert found("Dept. of Physics, BI, Harbour City") == 0
    assert found("BI Dept., Bay City") == 0


def test_the_example_of_the_guide_is_a_valid_list(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "write-a-watchlist.md").read_text(encoding="utf-8")
    (head,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    for members in re.findall(r"```csv\n(.*?)```", guide, re.DOTALL):
        (tmp_path / "my-list.toml").write_text(head, encoding="utf-8")
        (tmp_path / "my-list.csv").write_text(members, encoding="utf-8")
        assert load_watchlist(tmp_path / "my-list.toml").entities


def test_equal_entities_of_a_list_that_is_read_again_are_found(write_list) -> None:
    csv = "entity_id,name,level\nharbour,Harbour Institute of Rockets,high\n"
    for level in ("high", "low"):  # another list with the same entities
        own = load_watchlist(write_list(csv.replace("high", level)))
        assert build_index([own]).mentions(pl.Series(["Harbour Institute of Rockets"])).height == 1
