"""Repairs rest on what the string says; each is listed with what stood there before."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import polars as pl
import pytest

from copub import schema
from copub.addresses.affiliationtext import Reader
from copub.corpus.repairs import KINDS, countries_in, patches, repair, with_repairs


def kinds(frame: pl.DataFrame) -> list[str]:
    return frame["kind"].to_list()


@pytest.mark.parametrize(
    ("text", "countries"),
    [
        ("Tsinghua University, Beijing, P.R. China", ("CN",)),
        ("The University of Hong Kong, Hong Kong, China", ("HK",)),
        ("National Taiwan University, Taipei, Taiwan, Republic of China", ("TW",)),
        ("South China Sea Institute", ()),
        ("Zealand University Hospital", ()),
        ("Auckland, New Zealand", ("NZ",)),
        ("London, United Kingdom", ("GB",)),
        ("KU Leuven, Belgium; Fudan University, China", ("BE", "CN")),
    ],
)
def test_a_string_tells_the_countries_that_it_names(text: str, countries: tuple[str, ...]) -> None:
    assert countries_in(text, Reader()).countries == countries


def test_a_missing_country_is_read_from_the_string(rows) -> None:
    fixed = repair(rows({"raw_affiliation_string": "Pharmacy Dept., Hospital 5, Beijing, China", "link": "none"}))
    assert fixed.affiliations["country_code"].to_list() == ["CN"]
    assert fixed.repairs.select("kind", "before", "after").rows() == [("country missed", None, "CN")]


@pytest.mark.parametrize("text", ["Beijing", "Beijing, China; Leuven, Belgium", "Boston, China", None])
def test_a_string_that_leaves_doubt_repairs_nothing(rows, text: str | None) -> None:
    fixed = repair(rows({"raw_affiliation_string": text, "link": "none"}))
    assert fixed.repairs.is_empty()
    assert fixed.affiliations["country_code"].to_list() == [None]


def test_strings_that_are_not_read_would_change_nothing(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = (
        *("Fudan University", "Univ. of Hong Kong, Hong Kong", "Taiwan University", "KU Leuven, Belgium; Fudan"),
        *("Lebanon, NH", "Macau; Taipei, Taiwan", "Inst. A&B <i>x</i>", "e-mail: a@b.cn", "Tiflis", ""),
    )
    tails = (
        *(", China", "; P. R. China.", ", Hong Kong", ", Taiwan", ", Belgium;", ", Georgia", ", Georgia, USA", ", UK"),
        *(", the Netherlands", " Belgium", ", 3000 Leuven, Belgium", ", Tel China", ", Beijing China", ", Jordan"),
    )
    codes = ("CN", "HK", "TW", "BE", "US", "GE", "GB", "JO", None)
    names = ("University of Hong Kong", "European Theoretical Spectroscopy Facility", "Fudan")
    every = product(heads, tails, codes, names, ("sole", "none"))
    columns = ("raw_affiliation_string", "country_code", "institution_name", "link")
    given = [dict(zip(columns, (head + tail, *rest), strict=True)) for head, tail, *rest in every]
    table = rows(*({**row, "work_id": f"W{number:06}"} for number, row in enumerate(given)))
    short = repair(table)
    monkeypatch.setattr("copub.corpus.repairs._may_be_repaired", lambda: pl.lit(True))
    long = repair(table)
    assert short.affiliations.equals(long.affiliations)
    assert short.repairs.equals(long.repairs)
    assert set(short.repairs["kind"]) >= {"false institution", "country missed", "country mistaken"}


def test_a_mistaken_country_follows_the_string(rows) -> None:
    row = {"institution_id": "I1", "institution_name": "Bruker (United States)", "country_code": "US"}
    fixed = repair(rows({**row, "raw_affiliation_string": "Bruker N.V., Kontich, Belgium"}))
    assert fixed.affiliations["country_code"].to_list() == ["BE"]
    assert kinds(fixed.repairs) == ["country mistaken"]
    other = repair(rows({**row, "raw_affiliation_string": "Bruker N.V., Kontich, Belgium", "link": "none"}))
    assert other.repairs.is_empty()


def test_hong_kong_and_macau_have_their_own_code_in_every_era(rows) -> None:
    names = ["University of Hong Kong", "University of Macau", "University of Hong Kong - Shenzhen Hospital"]
    fixed = repair(
        rows(*({"author_seq": n, "institution_name": name, "country_code": "CN"} for n, name in enumerate(names)))
    )
    assert fixed.affiliations["country_code"].to_list() == ["HK", "MO", "CN"]
    assert kinds(fixed.repairs) == ["Hong Kong or Macau"] * 2


def test_a_false_institution_is_taken_out_unless_the_string_is_at_home(rows) -> None:
    row = {
        "institution_id": "I4210130123",
        "country_code": "BE",
        "institution_name": "European Theoretical Spectroscopy Facility",
    }
    away = repair(rows({**row, "raw_affiliation_string": "LENS, Sesto Fiorentino, Italy", "lineage": ["I4210130123"]}))
    assert away.affiliations.row(0, named=True)["institution_id"] is None
    assert away.affiliations["lineage"].to_list() == [[]]
    assert away.affiliations["country_code"].to_list() == ["IT"]
    assert kinds(away.repairs) == ["country missed", "false institution"]
    home = repair(rows({**row, "raw_affiliation_string": "UCLouvain, Louvain-la-Neuve, Belgium"}))
    assert home.repairs.is_empty()
    assert kinds(repair(rows(row)).repairs) == ["false institution"]


def test_a_real_hospital_without_string_is_left_alone(rows) -> None:
    row = {"institution_id": "I2801227569", "institution_name": "Ghent University Hospital", "country_code": "BE"}
    assert repair(rows(row)).repairs.is_empty()


def test_every_patch_has_its_reason() -> None:
    assert all(patch.reason and patch.institution_name for patch in patches())


def test_a_block_glued_to_every_author_is_listed_and_changes_nothing(rows) -> None:
    block = [("Fudan University, China", "CN"), ("KU Leuven, Belgium", "BE")]
    many = rows(
        *(
            {"author_seq": author, "affiliation_seq": n, "raw_affiliation_string": text, "country_code": code}
            for author in range(3)
            for n, (text, code) in enumerate(block)
        )
    )
    fixed = repair(many)
    assert fixed.affiliations.equals(many)
    assert fixed.repairs.select("work_id", "author_seq", "kind", "before").rows() == [
        ("W1", None, "glued block", "BE+CN")
    ]
    assert repair(many.filter(pl.col("author_seq") < 2)).repairs.is_empty()


def test_the_countries_of_a_glued_block_do_not_hang_on_the_order_of_its_authors(rows) -> None:
    block = [("Ghent", ("BE", "DE", "BE")), ("Beijing", ("CN", "CN", "CN"))]
    many = rows(
        *(
            {"author_seq": author, "affiliation_seq": n, "raw_affiliation_string": text, "country_code": codes[author]}
            for author in range(3)
            for n, (text, codes) in enumerate(block)
        )
    )
    for turned in (many, many.reverse()):
        listed = repair(turned.with_columns(link=pl.lit("none"))).repairs.filter(pl.col("kind") == "glued block")
        assert listed["before"].to_list() == ["BE+CN"]


def test_countries_of_authors_follow_repaired_affiliations(rows) -> None:
    before = rows(
        {"institution_name": "Material (Belgium)", "country_code": "BE", "link": "none"},
        {"author_seq": 1, "raw_affiliation_string": "Beijing Hospital 9, Beijing, China", "link": "none"},
        {"author_seq": 2, "institution_name": "KU Leuven", "country_code": "BE"},
    )
    authors = pl.DataFrame(
        {"work_id": ["W1"] * 3, "author_seq": [0, 1, 2], "countries": [["BE"], ["FR"], ["BE"]]},
        schema_overrides={"author_seq": pl.Int32},
    )
    affiliations, authorships, _ = with_repairs(before, authors)
    assert affiliations["country_code"].to_list() == ["BE", None, "BE"]
    assert affiliations["country_code_repaired"].to_list() == [None, "CN", "BE"]
    assert affiliations["is_false_institution"].to_list() == [True, False, False]
    assert authorships["countries"].equals(authors["countries"])
    assert authorships["countries_repaired"].to_list() == [[], ["CN", "FR"], ["BE"]]


def test_nothing_to_repair_gives_empty_tables(rows) -> None:
    fixed = repair(rows())
    assert fixed.repairs.is_empty() and fixed.affiliations.schema == schema.TABLES["affiliations"].schema


@pytest.mark.real
def test_repairs_of_real_records_are_counted_by_kind(real_data: Path) -> None:
    import gzip
    import json

    from copub.corpus.record import read_value
    from copub.corpus.work import AffiliationRow, authorship_rows, countries_of, work_id_of

    found = []
    for file in ("works_cn_or_be_versions.jsonl.gz", "works_be_cn_reconstructed.jsonl.gz"):
        with gzip.open(real_data / "real" / file, "rt", encoding="utf-8") as lines:
            for line in lines:
                work = json.loads(line)
                work, _ = read_value(work.get("work", work))
                found += authorship_rows(work, work_id_of(work), countries_of(work))[1]
    columns = {name: schema.TABLES["affiliations"].schema[name] for name in AffiliationRow._fields}
    table = pl.DataFrame(found, schema=columns, orient="row")
    fixed = repair(table)
    assert fixed.affiliations.height == table.height
    assert set(kinds(fixed.repairs)) == set(KINDS)
    false = fixed.repairs.filter(pl.col("kind") == "false institution")
    assert "Material (Belgium)" in false["before"].to_list()
