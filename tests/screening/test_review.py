"""Decisions of people go out on a sheet, come back, and win for ever."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from copub.csvtext import write_sheet
from copub.errors import FileError
from copub.lists.decisions import COLUMNS, merge_decisions, read_decisions, review_status
from copub.review.affiliations import draw_sheet
from copub.screening import load_watchlist, screen
from copub.screening.candidates import candidates
from copub.screening.decided import apply_decisions

ASPI = [load_watchlist("aspi-cdut-2019")]
NEAR = "Nanjing Universe of Aeronautics and Astronautics"
TEXTS = [
    "Beihang University, Beijing",
    NEAR,
    "University of Oxford",
    "=1+1, Tongji University",
    "'quoted' Fudan University",
]


@pytest.fixture
def affiliations(rows) -> pl.DataFrame:
    return rows(*({"work_id": f"W{n}", "raw_affiliation_string": text} for n, text in enumerate(TEXTS)))


def decide(sheet: pl.DataFrame, path: Path, **changes: str) -> pl.DataFrame:
    values = {"decision": "no", "reason": "read it", "reviewer": "R", "date": "2026-03-04", **changes}
    write_sheet(sheet.with_columns(pl.lit(value).alias(name) for name, value in values.items()), path)
    return read_decisions(path)


def test_names_that_never_count_and_near_misses_are_candidates() -> None:
    found = candidates([*TEXTS, "Xiangya Hospital, Changsha", "Northwest University", "Beihang Universitty"], ASPI)
    assert found.select("value", "entity_id").rows() == [
        (NEAR, "nanjing-university-of-aeronautics-and-astronautics"),
        ("Xiangya Hospital, Changsha", "central-south-university"),
    ]


def test_candidates_are_sought_in_strings_of_the_lists_countries(rows) -> None:
    away = rows({"raw_affiliation_string": NEAR, "country_code": "BE"})
    assert draw_sheet(screen(away, ASPI), away, ASPI)["sample"].to_list() == ["non-hit"]
    home = rows({"raw_affiliation_string": NEAR, "country_code": "CN"})
    assert draw_sheet(screen(home, ASPI), home, ASPI)["sample"].to_list() == ["candidate"]


def test_the_sheet_holds_hits_non_hits_and_candidates(affiliations: pl.DataFrame) -> None:
    hits = screen(affiliations, ASPI)
    sheet = draw_sheet(hits, affiliations, ASPI)
    assert sheet.columns == list(COLUMNS)
    assert sorted(sheet["sample"]) == ["candidate", "hit", "hit", "hit", "non-hit"]
    assert sheet.equals(draw_sheet(hits, affiliations, ASPI))
    assert draw_sheet(hits, affiliations, ASPI, n_hits=1, n_others=0).height == 2


def test_a_sheet_of_affiliations_keeps_its_rows_when_one_string_comes_and_grows_without_a_new_draw(rows) -> None:
    texts = [f"Laboratory {number}, Beihang University, Beijing" for number in range(40)]
    texts += [f"Institute of Sheep {number}, Ghent" for number in range(40)]

    def sheet(strings: list[str], size: int) -> set[str]:
        affiliations = rows(*({"work_id": f"W{n}", "raw_affiliation_string": text} for n, text in enumerate(strings)))
        drawn = draw_sheet(screen(affiliations, ASPI), affiliations, ASPI, n_hits=size, n_others=size)
        return set(drawn["value"])

    small = sheet(texts, 10)
    assert len(small) == 20
    for more in ("Department 7, Beihang University, Beijing", "Institute of Goats, Ghent"):
        assert len(small - sheet([more, *texts], 10)) <= 1
    assert small < sheet(texts, 20)


def test_no_cell_of_the_sheet_begins_like_a_formula(affiliations: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    write_sheet(draw_sheet(screen(affiliations, ASPI), affiliations, ASPI), path)
    cells = pl.read_csv(path, infer_schema_length=0)
    assert not any(str(c)[0] in "=+-@" for row in cells.rows() for c in row if c)


def test_decisions_come_back_with_the_string_unchanged(affiliations: pl.DataFrame, tmp_path: Path) -> None:
    sheet = draw_sheet(screen(affiliations, ASPI), affiliations, ASPI).filter(pl.col("sample") == "hit")
    decisions = decide(sheet, tmp_path / "s.csv")
    assert set(decisions["value"]) == {TEXTS[0], TEXTS[3], TEXTS[4]}
    assert read_decisions(tmp_path / "s.csv").equals(decisions)


def test_undecided_rows_are_passed_over(affiliations: pl.DataFrame, tmp_path: Path) -> None:
    write_sheet(draw_sheet(screen(affiliations, ASPI), affiliations, ASPI), tmp_path / "s.csv")
    assert read_decisions(tmp_path / "s.csv").is_empty()


def test_a_rejected_hit_no_longer_counts_and_a_confirmed_candidate_does(
    affiliations: pl.DataFrame, tmp_path: Path
) -> None:
    hits = screen(affiliations, ASPI)
    sheet = draw_sheet(hits, affiliations, ASPI)
    no = decide(sheet.filter(pl.col("value") == TEXTS[0]), tmp_path / "no.csv")
    yes = decide(sheet.filter(pl.col("sample") == "candidate"), tmp_path / "yes.csv", decision="yes")
    decided = apply_decisions(hits, affiliations, ASPI, merge_decisions(no, yes))
    counted = dict(decided.select("value", "is_counted").iter_rows())
    assert counted[TEXTS[0]] is False
    assert counted[NEAR] is True
    assert counted[TEXTS[3]] is True
    confirmed = decided.filter(pl.col("value") == NEAR).row(0, named=True)
    assert (confirmed["tier"], confirmed["rule"]) == ("name", "confirmed by review: R, 2026-03-04")
    assert apply_decisions(decided, affiliations, ASPI, merge_decisions(no, yes)).equals(decided)


@pytest.mark.parametrize("column", ["entity_id", "via_entity"])
def test_a_hit_by_way_of_a_part_is_rejected_by_the_institution_or_by_the_part(
    rows, tmp_path: Path, column: str
) -> None:
    text = "State Key Laboratory of Software Development Environment, Beijing, China"
    affiliations = rows({"raw_affiliation_string": text})
    hits = screen(affiliations, ASPI)
    assert draw_sheet(hits, affiliations, ASPI)["entity_id"].to_list() == ["beihang-university"]
    no = decide(hits.select("value", entity_id=column), tmp_path / "no.csv")
    assert apply_decisions(hits, affiliations, ASPI, no)["is_counted"].to_list() == [False]
    assert review_status(hits, no) == {"W1": "rejected"}


def test_the_later_decision_wins(affiliations: pl.DataFrame, tmp_path: Path) -> None:
    sheet = draw_sheet(screen(affiliations, ASPI), affiliations, ASPI).filter(pl.col("value") == TEXTS[0])
    old = decide(sheet, tmp_path / "a.csv", date="2026-05-01")
    new = decide(sheet, tmp_path / "b.csv", decision="yes", date="2026-06-01")
    assert merge_decisions(old, new)["decision"].to_list() == ["yes"]
    assert merge_decisions(new, old)["decision"].to_list() == ["yes"]


def test_all_faults_of_a_sheet_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(
        "value,entity_id,decision,reviewer,date\na,x,maybe,R,2026-01-01\nb,,yes,,soon\nc,x,yes,R,2026-01-01\nc,x,no,R,2026-01-01\n"
    )
    with pytest.raises(FileError) as caught:
        read_decisions(path)
    text = str(caught.value)
    for part in ("decision is 'maybe'", "needs entity_id", "needs reviewer", "'soon' is no date", "contradicts"):
        assert part in text, part


def test_a_reviewers_no_never_changes_identifier_and_lineage_hits(rows) -> None:
    beihang, campus = "I82880672", "00hwfqh10"
    affiliations = rows(
        {"institution_id": beihang, "lineage": [beihang], "raw_affiliation_string": TEXTS[0]},
        {"author_seq": 1, "ror": campus},
    )
    hits = screen(affiliations, ASPI)
    no = pl.DataFrame(
        [
            {"value": value, "entity_id": entity, "decision": "no", "reviewer": "R", "date": "2026-03-04"}
            for value, entity in (
                (beihang, "beihang-university"),
                (TEXTS[0], "beihang-university"),
                (campus, "hit-shenzhen"),
            )
        ]
    )
    before, after = (
        dict(h.select("tier", "is_counted").iter_rows()) for h in (hits, apply_decisions(hits, affiliations, ASPI, no))
    )
    assert before == {"identifier": True, "lineage": True, "name": True}
    assert after == {"identifier": True, "lineage": True, "name": False}
