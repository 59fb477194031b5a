"""The real Belgium x China records: every figure equals the brute-force one, and takes little time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copub.corpus import Corpus, Entry, tabulate
from copub.corpus.population import affiliations_under
from copub.measures import measure
from copub.measures.copublications import flagged_works
from copub.measures.inputs import inputs_of
from copub.measures.specifications import specifications
from copub.measures.view import view_of
from copub.schema import TABLES
from copub.screening import found_in
from copub.screening.studyhits import hits_of
from copub.sources.worksfile import read_works
from copub.study import Side, load_study
from copub.study.question import resolve
from copub.technology import classify

from . import brute
from .test_frames import same

pytestmark = [pytest.mark.real, pytest.mark.slow]
FILES = ("works.jsonl.gz", "works_be_cn_reconstructed.jsonl.gz")


@pytest.fixture(scope="module")
def run(real_data: Path) -> dict[str, Any]:
    study = replace(
        load_study("belgium-china"),
        side_b=Side("China with Hong Kong", ("CN", "HK")),
        published=("sino-belgian-2024", "ceias-belgium-2026"),
        ties=("belgium",),
    )
    question = resolve(study)
    corpus = tabulate(read_works([real_data / "real" / name for name in FILES]), Entry.of(study))
    made = classify(corpus["works"], corpus["topics"], question.taxonomies)
    corpus = corpus.having(assignments=made.assignments, basis=made.basis)
    corpus = corpus.having(found=found_in(corpus, question.watchlists))
    study, levels = question.study, question.headline_levels
    out = measure(question, corpus)
    world, entities = plain(corpus, hits_of(question, corpus), out["population"])
    flags = {
        work["work_id"]: brute.flags(
            work,
            entities=entities,
            watchlists=study.watchlists,
            levels=study.levels,
            taxonomy=study.taxonomy,
            order=levels,
        )
        for work in world
    }
    return {
        **{"question": question, "corpus": corpus, "out": out, "world": world, "flags": flags},
    }


def plain(corpus: Corpus, hits: pl.DataFrame, population: pl.DataFrame) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Turn what the study sees, repaired, back into plain works, as the synthetic worlds have them."""
    entities: dict[str, Any] = {}
    found: dict[tuple[Any, ...], list[Any]] = {}
    for h in hits.iter_rows(named=True):
        key = f"{h['watchlist']}/{h['entity_id']}"
        entities[key] = (h["watchlist"], h["risk_level"], h["is_medical"], h["entity_country"])
        child = h["via_entity"] is not None
        place = (h["work_id"], h["author_seq"], h["affiliation_seq"])
        found.setdefault(place, []).append((key, h["tier"], h["field"], child, h["is_counted"]))
    authors: dict[str, dict[int, dict[str, Any]]] = {}
    for row in corpus["authorships"].iter_rows(named=True):
        authors.setdefault(row["work_id"], {})[row["author_seq"]] = {
            "parsed": row["countries_repaired"],
            "affiliations": [],
        }
    for a in affiliations_under(corpus["affiliations"], repairs=True).iter_rows(named=True):
        place = (a["work_id"], a["author_seq"], a["affiliation_seq"])
        authors[a["work_id"]][a["author_seq"]]["affiliations"].append(
            {"id": a["institution_id"], "name": a["institution_name"], "country": a["country_code"],
             "lineage": a["lineage"], "raw": a["raw_affiliation_string"], "hits": found.get(place, [])}
        )  # fmt: skip
    assigned: dict[str, list[tuple[str, str, float]]] = {}
    for row in corpus["assignments"].iter_rows(named=True):
        assigned.setdefault(row["work_id"], []).append((row["taxonomy"], row["area"], 0.9 if row["assigned"] else 0.1))
    world = [
        {**row, "authors": list(authors[row["work_id"]].values()), "assignments": assigned.get(row["work_id"], [])}
        for row in corpus["works"].join(population, on="work_id").iter_rows(named=True)
    ]
    return world, entities


def test_flags_of_every_real_work_equal_brute_force(run: dict[str, Any]) -> None:
    table = run["out"]["copublications"]
    assert table.height == len(brute.population(run["world"])) > 250
    for row in table.iter_rows(named=True):
        for name, value in run["flags"][row["work_id"]].items():
            assert same(row[name], value) if isinstance(value, float) else row[name] == value, (row["work_id"], name)


def test_shares_of_the_real_works_equal_brute_force(run: dict[str, Any]) -> None:
    slices = brute.slices_of(run["world"], run["flags"])
    others = ["area", "institution_a", "institution_b", "duplicates"]
    for row in run["out"]["shares"].filter(~pl.col("slice_kind").is_in(others)).iter_rows(named=True):
        wanted = brute.share(slices.get((row["slice_kind"], row["slice"]), []), row["measure"], row["counting"])
        for name, value in wanted.items():
            assert same(row[name], value), (row, name, value)


def test_partners_of_the_real_works_equal_brute_force(run: dict[str, Any]) -> None:
    wanted = brute.institutions(run["world"], run["flags"])
    table = run["out"]["institutions"]
    found = {(r["side"], r["institution_id"] or r["institution_name"]): r for r in table.iter_rows(named=True)}
    assert set(found) == set(wanted)
    for key, row in wanted.items():
        for name, value in row.items():
            assert same(found[key][name], value), (key, name)
    pairs = run["out"]["pairs"]
    assert pairs["works"].sum() == sum(c["works"] for c in brute.pairs(run["world"], run["flags"]).values())


def test_the_real_works_give_every_table_with_a_raw_and_an_adjusted_headline(run: dict[str, Any]) -> None:
    assert all(table.schema == TABLES[name].schema for name, table in run["out"].items())
    row = run["out"]["adjusted"].filter(slice_kind="all", measure="critical_listed").row(0, named=True)
    assert row["method"] == "evaluation"
    assert row["adjusted_low"] < row["adjusted"] < row["adjusted_high"]


def test_the_real_works_are_counted_under_thousands_of_choices(run: dict[str, Any]) -> None:
    assert run["out"]["specifications"].height > 5000


def test_formal_ties_of_the_real_works_have_their_co_publications(run: dict[str, Any]) -> None:
    ties = dict(run["out"]["ties"].select("tie_id", "works").iter_rows())
    assert ties["be-cn-001"] == 4 and ties["be-cn-004"] == 6 and ties["be-cn-003"] == 0


def test_the_real_grid_with_and_without_repairs_is_that_of_either_study(run: dict[str, Any]) -> None:
    grids = []
    for applies in (False, True):
        own, other = (
            replace(run["question"], study=replace(run["question"].study, apply_repairs=applied))
            for applied in (applies, not applies)
        )
        view = view_of(own.study, run["corpus"], *(hits_of(question, run["corpus"]) for question in (own, other)))
        flagged = flagged_works(inputs_of(own), view)
        grid, *_ = specifications(own.study, flagged, view, own.headline_levels, {})
        assert grid.filter("is_study")["repairs"].to_list() == ["with" if applies else "without"]
        grids.append(grid.drop("is_study", "is_defensible"))  # what the study sets itself is always defensible
    assert grids[0].equals(grids[1])
    by_rule = dict(grids[0].group_by("repairs").agg(pl.col("denominator").max()).iter_rows())
    assert by_rule["with"] < by_rule["without"]
