"""Formal ties against the co-publications."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given

from copub.errors import FileError, InputError
from copub.lists.ties import COLUMNS, Tie, load_ties, read_ties
from copub.measures.tied import tie_areas, ties_and_works
from copub.study import Study
from copub.study.question import of_study

from .worlds import LIMITS, STUDY, made_world, measured, seeds, study


def tie(number: int, **changes: str) -> Tie:
    values = dict.fromkeys(COLUMNS, "") | {
        "tie_id": f"t{number}", "country_a": "BE", "country_b": "CN", "kind": "agreement", "source": "synthetic",
        "institution_a": "Institute BE 1", "institution_a_id": "I661",
        "institution_b": "Institute CN 1", "institution_b_id": "I671",
    }  # fmt: skip
    return Tie(**{**values, **changes})


def table_of(seed: int, ties: list[Tie], size: int | None = None, asked: Study = STUDY) -> pl.DataFrame:
    tables, affiliations = measured(seed, size), made_world(seed, size)[1].corpus["affiliations"]
    levels = {"I671": "very high", "institute cn 2": "medium"}
    return ties_and_works(asked, ties, affiliations, tables["copublications"], tables["pairs"], levels)


@LIMITS
@given(seeds)
def test_a_tie_holds_the_works_of_both_partners_before_and_after(seed: int) -> None:
    world, table = made_world(seed)[0], table_of(seed, [tie(1, start="2018")])
    flags = {row["work_id"]: row for row in measured(seed)["copublications"].iter_rows(named=True)}

    def holds(work: dict, number: str, name: str) -> bool:
        every = [a for author in work["authors"] for a in author["affiliations"]]
        return any(number == a["id"] or number in a["lineage"] or a["name"] == name for a in every)

    both = [
        w for w in world
        if w["work_id"] in flags and holds(w, "I661", "Institute BE 1") and holds(w, "I671", "Institute CN 1")
    ]  # fmt: skip
    row = table.row(by_predicate=pl.col("tie_id") == "t1", named=True)
    assert row["works"] == len(both)
    assert row["status"] == ("with co-publications" if both else "no co-publications")
    after = [w for w in both if w["publication_date"] >= date(2018, 1, 1)]
    assert (row["works_before"], row["works_after"]) == (len(both) - len(after), len(after))
    assert row["listed_after"] == sum(flags[w["work_id"]]["is_listed"] for w in after)
    assert row["critical_listed"] == sum(flags[w["work_id"]]["is_critical_listed"] for w in both)
    critical = [flags[w["work_id"]]["is_critical"] for w in after]
    assert row["critical_after"] == sum(critical)
    assert row["critical_share_after"] == (pytest.approx(sum(critical) / len(critical)) if critical else None)
    # the partner is rated very high: each of these works is listed by construction
    assert row["listed_share_before"] is None and row["listed_share_after"] is None


def test_the_listed_share_next_to_a_tie_is_given_where_the_partner_is_not_itself_listed() -> None:
    listed = tie(2, institution_b="Institute CN 2", institution_b_id="I672", start="2018")
    row = table_of(3, [listed], 120).row(by_predicate=pl.col("tie_id") == "t2", named=True)
    assert row["risk_level"] == "medium" and row["works_after"] > 0
    assert row["listed_share_after"] == pytest.approx(row["listed_after"] / row["works_after"])


def test_a_partner_that_is_not_named_stays_unresolved() -> None:
    table = table_of(3, [tie(1, institution_a="", institution_a_id="")], 40)
    row = table.filter(tie_id="t1").row(0, named=True)
    assert row["status"] == "unresolved" and row["works"] is None and row["risk_level"] == "very high"


def test_strong_pairs_without_a_tie_are_named_and_tied_ones_are_not() -> None:
    pairs = table_of(5, [tie(1)], 40, study(small_rate=1)).filter(status="strong pair without a tie")
    assert 0 < pairs.height <= 20
    assert pairs.filter(institution_a_id="I661", institution_b_id="I671").is_empty()
    assert pairs["works"].is_sorted(descending=True)
    assert table_of(5, [], 40, study(small_rate=1)).is_empty()
    assert tie_areas(STUDY, [], {}).is_empty()


def test_the_cross_table_counts_links_by_priority_area_and_level() -> None:
    ties = [
        tie(1, areas="materials | semiconductors"),
        tie(2, institution_b="Institute CN 2", institution_b_id="", areas="materials"),
        tie(3, institution_b="Institute CN 3", institution_b_id="I673"),
        tie(4, institution_b="", institution_b_id=""),
    ]
    table = tie_areas(STUDY, ties, {"I671": "very high", "institute cn 2": "medium"})
    found = {r[1]: r[2:5] for r in table.rows()}
    assert found == {
        "all links": (4, 1, 1),
        "any priority area": (2, 1, 0),
        "no priority area": (2, 0, 1),
        "materials": (2, 1, 0),
        "semiconductors": (1, 1, 0),
    }


def test_shipped_ties_belong_to_their_pair_and_keep_unnamed_partners() -> None:
    ties = load_ties("belgium")
    assert [t.tie_id for t in of_study(STUDY, ties)] == [f"be-cn-00{n}" for n in range(1, 7)]
    suspended = next(tie for tie in ties if tie.institution_b == "Beihang University")
    assert (suspended.institution_a, suspended.end) == ("Université libre de Bruxelles", "2025-05-05")
    assert "Seven Sons" in suspended.note
    assert sum(not t.is_resolved for t in ties) == 6
    assert all(t.source for t in ties)


def test_all_faults_of_a_file_are_named_with_their_lines() -> None:
    header = ",".join(COLUMNS)
    row = ["t1", "A", "", "BE", "B", "", "CN", "agreement", "2012-13", "", "", "", "synthetic", ""]
    text = "\n".join([header, ",".join(row), ",".join([*row[:7], "", "2012", *row[9:]])])
    with pytest.raises(FileError) as error:
        read_ties(text, name="own.csv")
    message = str(error.value)
    assert "own.csv:2: start: '2012-13' is no date" in message
    assert "own.csv:3: kind is empty" in message and "own.csv:3: the tie 't1' occurs twice" in message


def test_missing_and_unknown_columns_are_named() -> None:
    with pytest.raises(FileError, match="unknown column 'colour'"):
        read_ties(",".join([*COLUMNS[1:], "colour"]))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="belgium"):
        load_ties("no-such-file")
    with pytest.raises(InputError, match="there is no such file of ties"):
        load_ties(tmp_path / "none.csv")
    own = tmp_path / "own.csv"
    own.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    assert load_ties(own) == ()
