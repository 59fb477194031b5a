"""Rules of repairs in a study: proposed in any case, applied only if the study says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from copub.corpus import TABULATED, Tables, tabulate
from copub.screening import load_watchlist, screen
from copub.screening.appliedrepairs import repaired, under_other_repairs
from copub.sources.harvest.rawrecord import Record
from copub.study import Study, load_study

LISTS = [load_watchlist("aspi-cdut-2019")]


def work(number: int, *institutions: tuple[str, str, str]) -> dict[str, Any]:
    authors = [
        {
            "author": {"display_name": f"N{n}"},
            "institutions": [{"display_name": name, "country_code": code}],
            "raw_affiliation_strings": [string] if string else [],
        }
        for n, (name, code, string) in enumerate(institutions)
    ]
    return {"id": f"https://openalex.org/W{number}", "title": "t", "publication_year": 2015, "authorships": authors}


def tables() -> Tables:
    beihang = ("Beihang University", "CN", "Beihang University, Beijing, China")
    works = [
        work(1, ("Material (Belgium)", "BE", "School of Materials, Harbin, China"), beihang),
        work(2, ("Ghent University", "BE", "Ghent University, Belgium"), beihang),
    ]
    return tabulate([Record(w, "x", ("q",)) for w in works], load_study("belgium-china"))


def study(applies: bool) -> Study:
    return replace(load_study("belgium-china"), apply_repairs=applies)


def test_repairs_are_only_proposed_unless_the_study_applies_them() -> None:
    before = tables()
    after, repairs, _ = repaired(before, study(False))
    for name in TABULATED:
        assert getattr(after, name).equals(getattr(before, name))
    assert after.funnel == before.funnel
    assert repairs["work_id"].unique().to_list() == ["W1"]
    assert not repairs["is_applied"].any()


def test_a_work_that_loses_a_side_leaves_the_population_and_is_counted() -> None:
    before = tables()
    after, repairs, _ = repaired(before, study(True))
    assert repairs["is_applied"].all()
    assert dict(after.works.select("work_id", "excluded_because").iter_rows()) == {"W1": "repair", "W2": None}
    assert after.works.filter("in_population")["work_id"].to_list() == ["W2"]
    assert after.funnel.population == 1
    assert before.funnel.population == 2
    assert not after.authorships.filter(pl.col("work_id") == "W1")["on_side_a"].any()
    steps = {step["step"]: step["count"] for step in after.funnel.steps()}
    assert steps["left out: repair"] == 1


def test_what_differs_under_the_other_rule_is_what_the_other_study_has() -> None:
    before = tables()
    both = {applies: repaired(before, study(applies)) for applies in (False, True)}
    hits = {applies: screen(made.affiliations, LISTS) for applies, (made, _, _) in both.items()}
    for applies, (made, _, differing) in both.items():
        other = under_other_repairs(differing, hits[applies], LISTS, study(applies), made.works, None)
        moved, _, _ = both[not applies]
        key = ["work_id", "author_seq"]
        assert other.authorships_instead(made.authorships).sort(key).equals(moved.authorships.sort(key))
        order = [*key, "affiliation_seq", "entity_id", "tier"]
        assert other.hits_instead(hits[applies]).sort(order).equals(hits[not applies].sort(order))
