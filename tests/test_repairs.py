"""Rules of repairs in a study: proposed in any case, applied only if the study says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from copub.corpus import Corpus, Entry, tabulate
from copub.corpus.population import affiliations_under, population
from copub.screening import found_in, load_watchlist, screen
from copub.screening.studyhits import hits_of
from copub.sources.rawrecord import Record
from copub.study import load_study
from copub.study.question import Question, ask

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


def corpus() -> Corpus:
    beihang = ("Beihang University", "CN", "Beihang University, Beijing, China")
    works = [
        work(1, ("Material (Belgium)", "BE", "School of Materials, Harbin, China"), beihang),
        work(2, ("Ghent University", "BE", "Ghent University, Belgium"), beihang),
    ]
    made = tabulate([Record(w, "x", ("q",)) for w in works], Entry.of(load_study("belgium-china")))
    return made.having(found=found_in(made, LISTS))


def question(applies: bool) -> Question:
    asked = ask("belgium-china")
    return replace(asked, study=replace(asked.study, apply_repairs=applies))


def test_a_repaired_value_stands_beside_the_original() -> None:
    made = corpus()
    false = made["affiliations"].filter("is_false_institution")
    assert false.select("work_id", "institution_name", "country_code", "country_code_repaired").rows() == [
        ("W1", "Material (Belgium)", "BE", "CN")
    ]
    assert made["authorships"].filter(work_id="W1", author_seq=0).select("countries", "countries_repaired").row(0) == (
        ["BE"],
        ["CN"],
    )
    assert made["repairs"]["work_id"].unique().to_list() == ["W1"]


def test_a_work_that_loses_a_side_leaves_the_population_and_is_counted() -> None:
    made = corpus()
    found = {
        applies: population(question(applies).study, made["works"], made["authorships"]) for applies in (False, True)
    }
    assert dict(found[True].iter_rows()) == {"W1": "repair", "W2": None}
    assert dict(found[False].iter_rows()) == {"W1": None, "W2": None}
    assert made.funnel.to(found[False], made["works"]).population == 2
    funnel = made.funnel.to(found[True], made["works"])
    assert funnel.population == 1
    assert {step["step"]: step["count"] for step in funnel.steps()}["left out: repair"] == 1


@pytest.mark.parametrize("applies", [False, True])
def test_what_is_found_holds_the_hits_of_either_rule_for_repairs(applies: bool) -> None:
    made = corpus()
    seen = affiliations_under(made["affiliations"], repairs=applies)
    assert seen["institution_name"].null_count() == applies
    key = ["work_id", "author_seq", "affiliation_seq", "entity_id", "tier"]
    hits = hits_of(question(applies), made).select(key).sort(key)
    assert hits.equals(screen(seen, LISTS).select(key).sort(key))
    assert hits.height > 1
