"""What there is, what an entity is called, what changed, what lacks an identifier."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from copub.errors import FileError, InputError
from copub.lists.watchlist import registry
from copub.screening import load_watchlist
from copub.screening.catalogue import (
    diff_watchlists,
    list_members,
    list_watchlists,
    resolve_identifiers,
    show_entity,
    validate_watchlist,
)
from copub.screening.compilednames import look_alikes
from copub.shipped import shipped_names


def test_every_shipped_list_is_listed_and_valid() -> None:
    table = list_watchlists()
    assert table["id"].to_list() == sorted(shipped_names("taxonomies/watchlists"))
    for name in table["id"]:
        assert validate_watchlist(name).id == name


def test_an_entity_is_shown_with_names_identifiers_lists_and_sources() -> None:
    shown = show_entity("beihang-university")
    assert shown["openalex"] == ["I82880672"]
    assert "BUAA" in shown["names"]["abbreviation"]
    levels = {entry["watchlist"]: entry["level"] for entry in shown["lists"]}
    assert levels["aspi-cdut-2019"] == "very high" and levels["seven-sons"] == "listed"
    assert shown["lists"][0]["source"].startswith("https://unitracker.aspi.org.au/")
    assert "state-key-laboratory-of-software-development-environment" in shown["children"]


def test_an_entity_is_shown_with_its_printed_names_and_what_a_list_fears_it_for() -> None:
    (entry,) = (e for e in show_entity("tarbiat-modares-university")["lists"] if e["watchlist"] == "jp-meti-2025")
    assert entry["concern"] == ["B", "C", "M", "N"]
    assert entry["listed_as"] == ["Tarbiat Modares University"]
    assert entry["source"].endswith("number 271")


def test_an_unknown_entity_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no entity 'beihang'") as caught:
        show_entity("beihang")
    assert "beihang-university" in str(caught.value)


def test_a_name_of_two_entities_is_a_fault(write_list) -> None:
    path = write_list("entity_id,name,level\none,Bay Institute of Rockets,high\ntwo,Bay Inst. of Rockets,low\n")
    with pytest.raises(FileError, match=r"own\.csv:3: the name .* belongs to one and two"):
        validate_watchlist(path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("University", "common word"), ("Research Institute", "common word"), ("Univ.", "common word"),
        ("The University", "common word"), ("大学", "common word"), ("China", "place"), ("Beijing China", "place"),
        ("中国", "place"), ("A", "no word"), ("of the", "no word"), ("...", "no word"), ("123", "no word"),
    ],
)  # fmt: skip
def test_a_name_that_would_be_found_everywhere_or_nowhere_is_a_fault(write_list, name: str, what: str) -> None:
    for rows in (f"entity_id,name\none,{name}\n", f"entity_id,name,abbreviations\none,Bay Institute,{name}\n"):
        with pytest.raises(FileError, match=rf"own\.csv:2: the name .* of one .*{what}"):
            validate_watchlist(write_list(rows, levels=[]))


@pytest.mark.parametrize("name", ["Central South Harbour", "Harbour University", "HARTECH", "Chinese People's Army"])
def test_a_name_with_a_word_of_its_own_is_no_fault(write_list, name: str) -> None:
    assert validate_watchlist(write_list(f"entity_id,name\none,{name}\n", levels=[])).entities


def test_an_alias_that_is_that_of_a_look_alike_is_named_with_file_and_line(write_list) -> None:
    other = look_alikes()[0]
    rows = f'entity_id,name,names,level\none,Bay Institute of Rockets,,high\ntwo,Cape Institute,"{other}",low\n'
    with pytest.raises(FileError, match=r"own\.csv:3: the name .* of two is a look-alike's"):
        validate_watchlist(write_list(rows))


def test_the_members_of_a_list_have_country_level_dates_and_source(write_list) -> None:
    path = write_list(
        "entity_id,name,country,level,valid_from,valid_to,source\n"
        "zz,Cape Institute,IR,low,2020-01-01,2022,minutes of May\n"
        "one,Bay Institute of Rockets,CN,high,,,\n"
    )
    assert list_members(path).rows() == [
        ("one", "Bay Institute of Rockets", "CN", "high", None, None, "; ".join(load_watchlist(path).sources)),
        ("zz", "Cape Institute", "IR", "low", "2020-01-01", "2022", "minutes of May"),
    ]


def test_every_member_of_every_shipped_list_is_listed() -> None:
    for row in list_watchlists().iter_rows(named=True):
        members = list_members(row["id"])
        assert members.height == members["entity_id"].n_unique() == row["entities"]
        assert not any(members.select("name", "country", "level", "source").null_count().row(0))


def test_editions_are_compared() -> None:
    changes = diff_watchlists(load_watchlist("us-1286-fy2022"), load_watchlist("us-1286-fy2023"))
    assert set(changes["change"]) <= {"added", "removed"}
    assert changes.filter(change="added").height - changes.filter(change="removed").height == 99 - 42
    companies = diff_watchlists(load_watchlist("us-1260h-2025"), load_watchlist("us-1260h-2026"))
    assert companies["change"].to_list() == ["added"] * 10
    aspi = diff_watchlists(load_watchlist("aspi-cdut-2019"), load_watchlist("aspi-cdut-later"))
    moved = aspi.filter(change="level").rows()
    assert moved == [("shanghai-university", "Shanghai University", "level", "medium", "high")]
    assert diff_watchlists(load_watchlist("seven-sons"), load_watchlist("seven-sons")).is_empty()


def test_missing_identifiers_are_asked_for_by_ror() -> None:
    class Source:
        asked: list[str] = []  # noqa: RUF012

        def get(self, path: str, query: str = "", *, shape: object = None) -> SimpleNamespace:
            self.asked.append(path)
            if path.endswith("02n6w8087"):
                return SimpleNamespace(body=None)
            body = {"id": "https://openalex.org/I77", "display_name": "D", "country_code": "CN", "works_count": 3}
            return SimpleNamespace(body=body)

    source = Source()
    wanted = [
        e
        for e in registry()
        if e.id in ("air-force-communication-nco-academy", "army-infantry-academy", "beihang-university")
    ]
    table = resolve_identifiers(wanted, source)
    assert source.asked == ["institutions/ror:02n6w8087", "institutions/ror:051exe838"]
    assert table.rows() == [
        ("air-force-communication-nco-academy", "02n6w8087", None, None, None, None),
        ("army-infantry-academy", "051exe838", "I77", "D", "CN", 3),
    ]
