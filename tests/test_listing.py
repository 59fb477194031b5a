"""Rules of which hit counts, through whole runs: rejected and dated hits under other settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.history.states import listed_under
from copub.lists.decisions import keep_decisions
from copub.runs import Run
from copub.runs.instruments import study_of
from copub.study import Study, load_study

MEDICAL = "Second Military Medical University, Shanghai, China"
PLAIN = "Beihang University, Beijing, China"


@pytest.fixture
def works_file(tmp_path: Path) -> Path:
    path = tmp_path / "works.jsonl"
    works = [_work(number, text) for number, text in enumerate((MEDICAL, PLAIN), start=1)]
    path.write_text("".join(json.dumps(work) + "\n" for work in works), encoding="utf-8")
    return path


def _work(number: int, affiliation: str) -> dict[str, Any]:
    return {
        "id": f"https://openalex.org/W{number}",
        "title": "Quantum key distribution over fibre with entangled photons",
        "publication_year": 2015,
        "authorships": [
            {"author": {"display_name": "N"}, "countries": ["BE"], "raw_affiliation_strings": ["Ghent, Belgium"]},
            {"author": {"display_name": "M"}, "countries": ["CN"], "raw_affiliation_strings": [affiliation]},
        ],
    }


def carry_out(works_file: Path, folder: Path, decision: str = "", **changes: Any) -> Run:
    study = replace(load_study("belgium-china"), bounds={}, levels=(), **changes)
    (folder / "belgium-china").mkdir(parents=True)
    if decision:
        hits = copub.run(study, works=[works_file], reports=folder, cache=folder / "c", until="screen").tables["hits"]
        medical = hits.filter(value=MEDICAL, tier="name").row(0, named=True)
        decided = {
            "value": MEDICAL, "entity_id": medical["via_entity"] or medical["entity_id"], "decision": decision,
            "reason": "read", "reviewer": "R", "date": "2026-01-01",
        }  # fmt: skip
        keep_decisions(folder, study.id, pl.DataFrame([decided]))
    return copub.run(study, works=[works_file], reports=folder, cache=folder / "c", until="measure")


def reasons(run: Run, work: str) -> list[list[str] | None]:
    return run.tables["hits"].filter(work_id=work)["not_counted_because"].unique().to_list()


def listed(run: Run, other: Study) -> list[str]:
    found = listed_under(run, study_of(run.manifest), other)
    return sorted(found.filter("is_listed")["work_id"])


@pytest.mark.slow
def test_a_rejected_medical_hit_stays_out_of_the_grid_and_under_other_studies(works_file: Path, tmp_path: Path) -> None:
    switched_off = carry_out(works_file, tmp_path / "a", include_medical=False)
    rejected = carry_out(works_file, tmp_path / "b", "no", include_medical=False)
    assert (reasons(switched_off, "W1"), reasons(switched_off, "W2")) == ([["medical"]], [None])
    assert (reasons(rejected, "W1"), reasons(rejected, "W2")) == ([["medical", "reviewer"]], [None])
    for run, with_medical in ((switched_off, 2), (rejected, 1)):
        grid = run.tables["specifications"].filter(
            risk_floor="every entity", counting="full", author_cap="none", types="as the study",
            tiers="identifier+lineage+name", watchlist="aspi-cdut-2019", operating_point="recall",
        )  # fmt: skip
        counted = {name: part["numerator"].max() for (name,), part in grid.group_by("medical")}
        assert counted == {"with": with_medical, "without": 1}
        other = replace(study_of(run.manifest), include_medical=True)
        assert listed(run, other) == ["W1", "W2"][2 - with_medical :]
        assert listed(run, study_of(run.manifest)) == ["W2"]


def test_a_confirmed_hit_counts_only_as_far_as_the_settings_let_it(works_file: Path, tmp_path: Path) -> None:
    confirmed = carry_out(works_file, tmp_path / "a", "yes", include_medical=False)
    assert reasons(confirmed, "W1") == [["medical"]]
    grid = confirmed.tables["specifications"].filter("is_study")
    assert grid["numerator"].to_list() == [confirmed.share("critical_listed")["numerator"]]


def test_a_hit_does_not_count_under_a_study_with_another_side_b(works_file: Path, tmp_path: Path) -> None:
    study = load_study("belgium-china")
    here = carry_out(works_file, tmp_path / "b")
    assert reasons(here, "W2") == [None]
    assert listed(here, replace(study_of(here.manifest), side_b=replace(study.side_b, countries=("HK",)))) == []
