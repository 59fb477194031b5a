"""Comparing and verifying runs over real records of Belgium and China."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

import copub
from copub.history.compare import compare
from copub.history.verify import verify
from copub.runs import Run

REMOVED, RETYPED, RETITLED = 5, 3, 4


@pytest.fixture(scope="module")
def runs(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Path]:
    """Two runs: the records as they are, and with some removed, made paratext, and given another title."""
    place = tmp_path_factory.mktemp("real")
    with gzip.open(real_data / "real" / "works_be_cn_reconstructed.jsonl.gz") as file:
        works = [orjson.loads(line) for line in file]
    study = replace(copub.load_study("belgium-china"), bounds={})
    options: dict[str, Any] = {"cache": place / "cache", "reports": place / "reports", "until": "measure"}
    first = copub.run(study, works=[_written(works, place / "first.jsonl")], **options)
    counted = [work for work in works if _id(work) in set(first.tables["copublications"]["work_id"])]
    removed, retyped, retitled = counted[:5], counted[5:8], counted[8:12]
    for work in retyped:
        work["type"] = "paratext"
    for work in retitled:
        work["title"] = "A history of bell ringing in the low countries"
    left = [work for work in works if work not in removed]
    second = copub.run(study, works=[_written(left, place / "second.jsonl")], **options)
    return first, second, place


def _id(work: dict[str, Any]) -> str:
    return str(work["id"]).rpartition("/")[2]


def _written(works: list[dict[str, Any]], path: Path) -> Path:
    path.write_bytes(b"\n".join(map(orjson.dumps, works)) + b"\n")
    return path


@pytest.mark.real
@pytest.mark.slow
def test_planted_changes_of_real_records_are_named_with_their_counts(runs: tuple[Run, Run, Path]) -> None:
    first, second, _ = runs
    comparison = compare(first, second)
    assert comparison.counts() == {"added": 0, "removed": REMOVED + RETYPED, "changed": RETITLED}
    works = {row["cause"]: row["works"] for row in comparison.split("critical", "full").iter_rows(named=True)}
    assert (works["other input files"], works["details changed"]) == (REMOVED, RETYPED)
    assert set(works) <= {"other input files", "details changed", "text changed"}
    row = comparison.tables["shares"].filter(measure="critical_listed", counting="full").row(0, named=True)
    assert row["share_before"] == first.share("critical_listed", "full")["share"]
    assert row["share_after"] == second.share("critical_listed", "full")["share"]


@pytest.mark.real
@pytest.mark.slow
def test_a_run_over_real_records_comes_out_the_same(runs: tuple[Run, Run, Path], tmp_path: Path) -> None:
    first, _, place = runs
    assert verify(first, tmp_path, [place / "first.jsonl"]).is_same
