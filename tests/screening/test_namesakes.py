"""A name whose string or resolved institution says another country is no hit, whatever its entity needs beside it."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.addresses.affiliationtext import Reader
from copub.corpus.repairs import countries_in
from copub.countries import COUNTRIES
from copub.lists.entity import CONTEXTS, Entity
from copub.lists.watchlist import registry
from copub.screening import Watchlist, load_watchlist, screen, screen_strings
from copub.screening.compilednames import Lexicon, build_lexicon
from copub.screening.matching import IF_COUNTRY, find_mentions
from copub.shipped import shipped_folder

ADDRESSES = (
    "{name}, {town}, {country}",
    "{name}, {town}",
    "{name}, {country}",
    "{name} ({country})",
    "{name} {town}, {country}",
    "{name}; {town}; {country}",
    "{name} / {town} / {country}",
    "{name}, School of Law, {town} 12345, {country}",
    "Department of Physics, {name}, 12 Main St., {town}, {country}",
    "{town}, {country}, {name}",
    "Yancheng Teachers University, Yancheng, China; {name}, {town}, {country}",
)
NAMES = [
    (entity, name.text)
    for entity in registry()
    for name in entity.names
    if name.kind not in ("laboratory", "merged") and not name.text.endswith("China")
]
LISTED = ("CN", "HK", "MO", "TW", "RU", "IR", "KP", "PK", "BY")
FOREIGN = sorted(code for code in COUNTRIES if code not in LISTED)


@cache
def lexicon() -> Lexicon:
    return build_lexicon(registry())


@cache
def towns() -> list[tuple[str, str]]:
    """Return the names of towns that only one country has, with its code."""
    path = shipped_folder("taxonomies/watchlists") / "registry" / "gazetteer.csv"
    rows = pl.read_csv(path, infer_schema=False).filter(
        (pl.col("kind") == "town")
        & pl.col("countries").is_in(FOREIGN)
        & (pl.col("name").str.len_chars() > 4)
        & ~pl.col("name").is_in(pl.read_csv(path).filter(pl.col("kind") == "country")["name"].implode())
    )
    return list(rows.select("name", "countries").iter_rows())


def counted(text: str, entity: Entity) -> bool:
    return any(m.entity == entity and m.condition != IF_COUNTRY for m in find_mentions(text, lexicon()))


@given(st.sampled_from(NAMES), st.data(), st.sampled_from(ADDRESSES))
def test_no_name_counts_in_another_country_or_a_town_of_one(
    named: tuple[Entity, str], data: st.DataObject, address: str
) -> None:
    town, code = data.draw(st.sampled_from(towns()))
    text = address.format(name=named[1], town=town.title(), country=COUNTRIES[code].name)
    assert not counted(text, named[0]), text


def test_entities_of_every_context_setting_are_among_those_tried() -> None:
    assert {entity.context for entity, _ in NAMES} == set(CONTEXTS)


@pytest.mark.parametrize("code", FOREIGN)
def test_every_country_of_the_world_is_known_by_all_its_names(code: str) -> None:
    texts = [f"Northwestern Polytechnic University, {name}" for name in COUNTRIES[code].names]
    assert screen_strings(texts, [load_watchlist("seven-sons")]).is_empty()


@given(st.sampled_from([one for one in NAMES if one[0].country == "CN"]), st.sampled_from(FOREIGN))
def test_no_name_counts_beside_a_resolved_institution_abroad(named: tuple[Entity, str], code: str) -> None:
    texts = [named[1], f"{named[1]}, Beijing, China"]
    found = screen(_rows(texts, code), [load_watchlist("aspi-cdut-2019")])
    assert found.filter(pl.col("tier") == "name").is_empty()


def _rows(texts: list[str], code: str | None) -> pl.DataFrame:
    row = {"institution_id": "I1", "ror": None, "institution_name": "Some University", "country_code": code}
    return pl.DataFrame(
        [
            {"work_id": "W1", "author_seq": n, "affiliation_seq": 0, **row, "lineage": ["I1"],
             "raw_affiliation_string": text}
            for n, text in enumerate(texts)
        ],
        schema_overrides={"author_seq": pl.Int32, "affiliation_seq": pl.Int32, "country_code": pl.String,
                          "lineage": pl.List(pl.String), "ror": pl.String},
    )  # fmt: skip


def test_an_institution_abroad_that_the_string_names_too_leaves_the_name_beside_it() -> None:
    both = "Jilin University, Changchun 130026, China and KAUST, Thuwal, Saudi Arabia"
    lists = [load_watchlist("us-entity-list"), load_watchlist("ca-nro-2024"), load_watchlist("aspi-cdut-2019")]
    assert screen(_rows([both], "SA"), lists).height
    assert not screen(_rows([both], "FR"), lists).height


@pytest.mark.parametrize(
    "text",
    [
        "Northwestern Polytechnic University, Main Campus, Fremont, CA",
        "Northwestern Polytechnic University (NPU), Fremont",
        "NORTHWESTERN POLYTECHNIC UNIVERSITY, FREMONT, CA 94539, USA",
        "Northwestern Polytechnic University, Fremont, Californie, États-Unis",
        "Yancheng Teachers University, Yancheng, China and Northwestern Polytechnic University, Fremont, CA, USA",
        "西北工业大学, 弗里蒙特, 美国",
        "Air Force Engineering University, Ханой, Вьетнам",
        "National Defense University, Taoyuan, Republic of China",
    ],
)
def test_namesakes_abroad_are_no_hits_in_any_form_of_address(text: str, all_lists: list[Watchlist]) -> None:
    assert screen_strings([text], all_lists).is_empty()


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Harbin Institute of Technology (HIT), Harbin", "harbin-institute-of-technology"),
        ("Northwestern Polytechnical University, Main Campus, Xi'an, China", "northwestern-polytechnical-university"),
        ("Beihang University, MIT, USA", "beihang-university"),
        ("Beihang University, University of Oxford, Oxford, UK", "beihang-university"),
        ("Princeton University, Princeton, USA, Beihang University", "beihang-university"),
        ("Beihang University, Nice, China", "beihang-university"),
    ],
)
def test_the_address_of_another_institution_takes_no_name_abroad(
    text: str, entity: str, all_lists: list[Watchlist]
) -> None:
    assert entity in screen_strings([text], all_lists)["entity_id"].to_list()


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("中国航天科工防御技术研究院, 北京", "中國航天科工防禦技術研究院, 北京"),
        ("西安电子科技大学", "西安電子科技大學"),
        ("西南医院", "西南醫院"),
        ("咸兴化学工业大学, 朝鲜", "咸興化學工業大學, 朝鮮"),
    ],
)
def test_a_name_needs_the_same_beside_it_in_both_scripts(simplified: str, traditional: str) -> None:
    one, other = ({(m.entity.id, m.condition) for m in find_mentions(t, lexicon())} for t in (simplified, traditional))
    assert one == other, (one, other)


PLACES = ("{country} Lake", "Lake {country}", "{country} Street 12", "12 {country} Road", "Rue de {country} 5",
          "{country} Campus", "University of {country} Hospital", "Bank of {country}", "Gulf of {country}",
          "{country} Hall", "Mount {country}", "Hotel {country}")  # fmt: skip


@given(st.sampled_from(sorted(COUNTRIES)), st.data(), st.sampled_from(PLACES))
def test_a_lake_a_street_or_a_campus_is_taken_for_no_country(code: str, data: st.DataObject, place: str) -> None:
    text = place.format(country=data.draw(st.sampled_from(COUNTRIES[code].names)).split("(")[0].split(",")[0])
    found = countries_in(f"Some Institute, {text}, Springfield", _reader()).countries
    assert code not in found or code in ("HK", "MO", "TW"), text


@given(st.sampled_from(sorted(COUNTRIES)), st.data())
def test_every_country_is_named_at_the_end_of_an_address(code: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([one for one in COUNTRIES[code].names if "(" not in one and "," not in one]))
    found = countries_in(f"Some Institute, 12 Road, {name}", _reader()).countries
    assert found in ((code,), ()), name


@cache
def _reader() -> Reader:
    return Reader()


@pytest.mark.parametrize(
    "text",
    ["Academia Sinica, Republic of China", "Tamkang Univ, Tamsui, R.O.C.", "X, Chungli, R. O. China", "X, Taipei, ROC"],
)
def test_the_republic_of_china_is_taiwan(text: str) -> None:
    assert countries_in(text, _reader()) == (("TW",), ("TW",))


@pytest.mark.parametrize("name", ["P.R. of China", "Peoples R China", "People's Republic of China", "P. R. C."])
def test_the_peoples_republic_of_china_is_china(name: str) -> None:
    assert countries_in(f"Some Institute, {name}", _reader()).countries == ("CN",)


@pytest.mark.real
def test_no_name_of_a_foreign_institution_is_a_hit(real_data: Path, all_lists: list[Watchlist]) -> None:
    countries = {member.entity.id: member.entity.country for list_ in all_lists for member in list_.entities}
    codes: dict[str, set[str]] = {}
    with gzip.open(real_data / "real" / "institutions_seen.jsonl.gz") as file:
        for line in file:
            record = orjson.loads(line)
            if record["display_name"] and record["country_code"]:
                codes.setdefault(record["display_name"], set()).add(record["country_code"])
    assert len(codes) > 12_000
    found = screen_strings(sorted(codes), all_lists).select("raw_affiliation_string", "entity_id").unique().rows()
    assert [(text, entity) for text, entity in found if countries[entity] not in codes[text]] == []


@pytest.mark.real
def test_namesakes_of_the_field_data_are_no_hits(real_data: Path, all_lists: list[Watchlist]) -> None:
    lines = (real_data / "field" / "namesake-abroad.txt").read_text(encoding="utf-8").splitlines()
    found = screen_strings(lines, all_lists)["raw_affiliation_string"].unique().to_list()
    abroad = [*lines[:5], *lines[8:19], lines[24], lines[28], lines[30]]
    assert set(abroad).isdisjoint(found)
    assert {"Northwestern Polytechnical University, Xi'an, China", "Southeast University, Nanjing 210096, China"} < set(
        found
    )
