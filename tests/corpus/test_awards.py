"""Rules of table ``awards``: what records of every era name, each once, and what no field can break."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus.record import Unreadable, read_value
from copub.corpus.work import AwardRow, award_key, award_rows, countries_of, work_row

F1, F2 = "https://openalex.org/F1", "https://openalex.org/F2"


def rows_of(**record: Any) -> list[AwardRow]:
    return award_rows(read_value({"id": "W1", **record})[0], "W1")


def named(**record: Any) -> list[tuple[Any, ...]]:
    """Return field, funder, name, number and key of each row."""
    return [tuple(row)[2:] for row in rows_of(**record)]


def award(funder: str | None, number: str | None, name: str | None = "Fund") -> dict[str, Any]:
    return {"id": "https://openalex.org/G7", "display_name": None, "funder_award_id": number, "funder_id": funder,
            "funder_display_name": name}  # fmt: skip


def grant(funder: str | None, number: str | None, name: str | None = "Fund") -> dict[str, Any]:
    return {"funder": funder, "funder_display_name": name, "award_id": number}


def test_awards_of_2026_and_grants_of_2024_give_the_same_rows_but_for_the_field() -> None:
    given_awards = [(F1, "EP/G062129/1"), (F1, None), (F2, "81172737")]
    new, old = (
        named(awards=[award(*one) for one in given_awards]),
        named(grants=[grant(*one) for one in given_awards]),
    )
    wanted = [("F1", "Fund", "EP/G062129/1", "epg0621291"), ("F2", "Fund", "81172737", "81172737")]
    assert new == [("awards", *row) for row in wanted] and old == [("grants", *row) for row in wanted]


def test_a_record_with_both_fields_names_an_award_once() -> None:
    assert [row[0] for row in named(awards=[award(F1, "AB 1")], grants=[grant(F1, "AB-1"), grant(F2, None)])] == [
        "awards",
        "grants",
    ]


@pytest.mark.parametrize("other", ["# KU-201-004", "KU 201004", "ku‐201‑004.", "(KU201004)", "ＫＵ201004"])
def test_spellings_of_a_number_are_one_award(other: str) -> None:
    assert len(rows_of(awards=[award(F1, "KU-201004"), award(F1, other)])) == 1


def test_the_same_number_of_two_funders_is_two_awards() -> None:
    assert len(rows_of(awards=[award(F1, "12"), award(F2, "12")])) == 2


@pytest.mark.parametrize("word", ["N/A", "Fellowship", "(DFG)", "Horizon 2020"[:7], "support", "—"])
def test_a_word_in_place_of_a_number_is_kept_and_names_no_award(word: str) -> None:
    (row,) = rows_of(awards=[award(F1, word)])
    assert (row.award_number, row.award_key, row.funder_id) == (word, None, "F1")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("18K13235, 20K20132", ["18K13235", "20K20132"]),
        ("18K13235; 18K13235", ["18K13235"]),
        ("SERDP, RC-2635", ["SERDP, RC-2635"]),
        ("grant 7,", ["grant 7,"]),
    ],
)
def test_a_list_of_numbers_is_so_many_awards_if_each_part_has_a_digit(text: str, numbers: list[str]) -> None:
    assert [row.award_number for row in rows_of(awards=[award(F1, text)])] == numbers


def test_a_funder_has_a_row_of_its_own_only_if_no_award_names_it() -> None:
    funders = [{"id": F1, "display_name": "Fund"}, {"id": F2, "display_name": "Other"}, {}, None]
    rows = rows_of(awards=[award(F1, "1")], funders=funders)
    assert [(row.field, row.funder_id, row.award_key) for row in rows] == [
        ("awards", "F1", "1"),
        ("funders", "F2", None),
    ]


def test_an_award_without_the_name_of_its_funder_has_the_one_that_the_record_gives_elsewhere() -> None:
    (row,) = rows_of(awards=[award(F1, "1", None)], funders=[{"id": F1, "display_name": "Fund &amp; Co"}])
    assert row.funder_name == "Fund & Co"


def test_an_award_without_a_funder_is_kept_but_has_no_name_of_another() -> None:
    rows = rows_of(awards=[award(None, "1", None)], funders=[{"id": None, "display_name": "Fund"}])
    assert [(row.funder_id, row.funder_name) for row in rows] == [(None, None), (None, "Fund")]


def test_a_funder_without_an_id_is_the_one_that_alone_bears_its_name_in_the_record() -> None:
    awards = [award(None, "AB 1"), award(F1, "AB-1"), award(None, "2")]
    assert [row[1:] for row in named(awards=awards)] == [("F1", "Fund", "AB 1", "ab1"), ("F1", "Fund", "2", "2")]
    assert [row[1:3] for row in named(awards=[award(None, None)], funders=[{"id": F1, "display_name": "Fund"}])] == [
        ("F1", "Fund")
    ]


def test_a_funder_without_an_id_whose_name_two_funders_of_the_record_bear_stays_by_itself() -> None:
    rows = rows_of(awards=[award(F1, "1"), award(F2, "1"), award(None, "1")])
    assert [row.funder_id for row in rows] == ["F1", "F2", None]


@pytest.mark.parametrize(
    ("record", "rows"),
    [
        ({}, []),
        ({"funders": []}, []),
        ({"awards": None}, []),
        ({"awards": []}, [("awards", None, None, None, None)]),
        ({"grants": []}, [("grants", None, None, None, None)]),
        ({"awards": [], "grants": []}, [("awards", None, None, None, None)]),
        ({"awards": [None]}, [("awards", None, None, None, None)]),
        ({"awards": [None, {}]}, []),
    ],
)
def test_a_field_that_names_nothing_is_told_from_a_record_without_the_field(
    record: dict[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    assert named(**record) == rows


def test_the_funders_of_a_work_are_those_of_all_fields() -> None:
    work, _ = read_value({"id": "W1", "grants": [grant(F1, None, "B")], "funders": [{"id": F2, "display_name": "A"}]})
    assert work_row(work, "W1", countries_of(work), award_rows(work, "W1"))[0].funders == ["A", "B"]


def test_a_value_of_a_wrong_type_is_named_and_the_other_awards_are_read() -> None:
    work, faults = read_value({"id": "W1", "awards": [award(F1, "1") | {"funder_award_id": True}, award(F2, "2")]})
    assert faults == [("awards[0].funder_award_id", "text expected, true or false found")]
    assert [(row.funder_id, row.award_key) for row in award_rows(work, "W1")] == [("F1", None), ("F2", "2")]


@pytest.mark.parametrize("loosely", [{}, {"doi": ["10.5555/a"]}])
@pytest.mark.parametrize(
    ("number", "text"),
    [(201004, "201004"), (201004.0, "201004"), (0, "0"), (12.5, "12.5"), (10**30, "1" + 30 * "0"), ([7], "7")],
)
def test_an_award_number_that_is_a_json_number_is_read(number: Any, text: str, loosely: dict[str, Any]) -> None:
    for field in ({"awards": [award(F1, number)]}, {"grants": [grant(F1, number)]}):
        work, faults = read_value({"id": "W1", **field, **loosely})
        assert not faults
        assert [row.award_number for row in award_rows(work, "W1")] == [text]


@pytest.mark.parametrize("odd", [[201004, 301005], ["AB-1"], {"a": 1}, 7, "AB-1"])
@pytest.mark.parametrize("field", ["awards", "grants"])
def test_a_field_of_which_nothing_is_an_award_says_nothing_of_awards_and_is_named(field: str, odd: Any) -> None:
    work, faults = read_value({"id": "W1", field: odd})
    assert award_rows(work, "W1") == [] and {path.partition("[")[0] for path, _ in faults} == {field}


@pytest.mark.parametrize("field", ["awards", "grants"])
@pytest.mark.parametrize(("odd", "rows"), [([{"foo": 1}], 0), ([{"foo": 1}, None], 0), ([{}], 0), ([], 1), ([None], 1)])
def test_a_field_whose_objects_have_none_of_the_known_keys_says_nothing_of_awards(
    field: str, odd: Any, rows: int
) -> None:
    work, faults = read_value({"id": "W1", field: odd})
    assert len(award_rows(work, "W1")) == rows and not faults


def test_awards_beside_items_that_are_none_are_read() -> None:
    assert [row.award_key for row in rows_of(awards=[award(F1, "1"), 7])] == ["1"]


def test_an_award_that_r_took_out_of_its_list_is_read() -> None:
    assert named(awards=award(F1, "1")) == [("awards", "F1", "Fund", "1", "1")]


TEXTS = st.none() | st.text(max_size=12) | st.sampled_from([F1, F2, "AB-1", "a b 1", "1, 2", "N/A", "F1", "\x00", "٣"])
VALUES = TEXTS | st.integers() | st.lists(TEXTS, max_size=2)
ITEMS = st.none() | st.dictionaries(
    st.sampled_from(
        ["id", "display_name", "funder_id", "funder_display_name", "funder_award_id", "funder", "award_id", "x"]
    ),
    VALUES,
    max_size=6,
)
FIELD = st.none() | st.lists(ITEMS, max_size=5) | VALUES | ITEMS


@given(FIELD, FIELD, FIELD)
def test_any_content_of_the_fields_gives_rows_that_keep_the_rules(awards: Any, grants: Any, funders: Any) -> None:
    try:
        work, _ = read_value({"id": "W1", "awards": awards, "grants": grants, "funders": funders})
    except Unreadable as reason:
        pytest.fail(f"funders make no record unreadable: {reason}")
    rows = award_rows(work, "W1")
    assert [row.award_seq for row in rows] == list(range(len(rows)))
    keys = [(row.funder_id or row.funder_name, row.award_key or row.award_number) for row in rows]
    assert len(set(keys)) == len(keys)
    given = [[one for one in field if one] for field in (work.awards, work.grants) if field is not None]
    states = any(
        not objects or any(v is not None for one in objects for v in msgspec.structs.astuple(one)) for objects in given
    )
    assert states == any(row.field != "funders" for row in rows)
    for row in rows:
        assert row.award_key == award_key(row.award_number)
        assert row.funder_id is None or row.funder_id[0] == "F"
        if row.award_key is not None:
            assert row.award_key.isalnum() and any(map(str.isdigit, row.award_key))
    alone = [row for row in rows if not (row.funder_id or row.funder_name or row.award_number)]
    assert len(alone) <= 1 and (not alone or alone == rows[-1:])
    with_number = {funder for funder, number in keys if number}
    assert not with_number & {funder for funder, number in keys if number is None and funder}
