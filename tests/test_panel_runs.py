"""Runs of a panel and of its pairs: one set of records and stored stages, each pair with its own page, linked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson
import polars as pl
import pytest

import copub
from copub.demo.corpus import build_corpus
from copub.errors import InputError
from copub.history.verify import verify
from copub.runs import Run, open_run
from copub.runs.keep import runs_of
from copub.runs.shape import manifest_fault

pytestmark = pytest.mark.slow

STUDY = """
[study]
id = "two"
title = "SYNTHETIC: two countries and China"
synthetic = true
[sides.a]
name = "Two countries"
countries = ["BE", "NL"]
each = true
[sides.b]
name = "China"
countries = ["CN"]
[panel]
reference = "NL"
[years]
from = 2010
to = 2025
[technology]
headline = "eu-2023-2113"
[screening]
headline = ["demo-list"]
levels = ["very high", "high"]
[assertions]
copublications = [100, 100000]
"""


def works_of_two() -> Iterator[dict[str, Any]]:
    """Yield synthetic works, every third of the Netherlands in place of Belgium, some of both."""
    rng = Random(1)
    for number, work in enumerate(build_corpus()[::4]):
        codes = [["BE"], ["NL"], ["BE", "NL"]][number % 3]
        authors = []
        for author in work.get("authorships") or []:
            code = rng.choice(codes)
            authors.append(json.loads(json.dumps(author).replace('"BE"', f'"{code}"')))
        yield {**work, "authorships": authors}


@dataclass
class Made:
    """A panel and its pairs: the run of the panel, the folder of all runs, the works file."""

    panel: Run
    reports: Path
    works: Path
    study: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("panel")
    study, works, reports = folder / "two.toml", folder / "works.jsonl", folder / "reports"
    study.write_text(STUDY, encoding="utf-8")
    works.write_bytes(b"".join(orjson.dumps(work) + b"\n" for work in works_of_two()))
    run = copub.run(study, pair="all", works=[works], reports=reports, cache=folder / "cache")
    return Made(run, reports, works, study)


def test_all_pairs_have_a_run_and_the_page_of_the_panel_leads_to_theirs(made: Made) -> None:
    assert {path.name for path in made.reports.iterdir()} == {"two", "two-be-cn", "two-nl-cn"}
    html = (made.panel.folder / "report.html").read_text(encoding="utf-8")
    for entry in made.panel.manifest["pair_runs"]:
        link = f"../../{entry['study']}/{entry['run']}/report.html"
        assert f'<a href="{link}">' in html
        assert (made.panel.folder / link).resolve().is_file()
    assert [entry["pair"] for entry in made.panel.manifest["pair_runs"]] == ["BE-CN", "NL-CN"]
    assert not manifest_fault(made.panel.manifest)


def test_a_pair_has_all_tables_from_the_stored_stages_and_the_numbers_of_the_panel(made: Made) -> None:
    panel = made.panel.tables["panel"]
    for key in ("be", "nl"):
        (own,) = runs_of(made.reports, f"two-{key}-cn")
        assert "panel" not in own.tables
        assert own.manifest["study"]["part_of"]["id"] == "two"
        for measure in ("critical", "listed", "critical_listed", "top_level"):
            share = own.share(measure)
            row = panel.row(by_predicate=(pl.col("pair") == f"{key.upper()}-CN") & (pl.col("measure") == measure)
                            & (pl.col("counting") == "full"), named=True)  # fmt: skip
            assert (row["numerator"], row["denominator"]) == (share["numerator"], share["denominator"])
    (last,) = runs_of(made.reports, "two-nl-cn")
    results = {row["stage"]: row.get("result") for row in last.manifest["stages"]}
    assert [results[stage] for stage in ("tabulate", "classify", "screen")] == ["reused"] * 3


def test_a_run_of_a_pair_can_be_asked_again_and_verified(made: Made) -> None:
    (own,) = runs_of(made.reports, "two-be-cn")
    for run in (own, made.panel):
        assert verify(run, made.reports.parent / "cache", [made.works]).is_same
    again = copub.run(own.folder, works=[made.works], reports=made.reports.parent / "again")
    assert again.manifest["study"] == own.manifest["study"]
    assert again.share() == own.share()


def test_runs_of_other_records_are_no_pages_of_a_panel(made: Made, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_bytes(b"".join(made.works.read_bytes().splitlines(keepends=True)[:400]))
    run = copub.run(made.study, works=[fewer], reports=made.reports, cache=tmp_path)
    assert run.manifest["pair_runs"] == []
    assert open_run(made.panel.folder).manifest["pair_runs"]


def test_a_pair_that_the_panel_does_not_have_is_answered(made: Made) -> None:
    with pytest.raises(InputError, match="names no pair") as caught:
        copub.run(made.study, pair="DE", works=[made.works], reports=made.reports)
    assert "BE-CN, NL-CN" in str(caught.value)
