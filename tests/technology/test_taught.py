"""Training works are recognised by OpenAlex id, or by the DOI of arXiv, and carry what their readers stated."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from copub.technology.taught import is_taught, taught_works, with_readings

TAUGHT = pl.DataFrame({"item": ["W1", "W2", "W3", "arxiv:1003.441"], "critical": [True, False, None, True]})


def test_a_work_is_known_by_its_id_or_by_the_doi_of_arxiv() -> None:
    works = pl.DataFrame(
        {
            "work_id": ["W1", "W2", "W3", "W4", "W5", "W6"],
            "doi": [
                "10.1/x",
                None,
                None,
                "10.48550/arXiv.1003.4410",
                "10.48550/arxiv.1003.4411",
                "10.1/arxiv.1003.441",
            ],
        }
    )
    found = with_readings(works, TAUGHT)
    assert found["is_taught"].to_list() == [True, True, True, True, False, False]
    assert found["read_critical"].to_list() == [True, False, None, True, None, None]
    assert found["work_id"].equals(works["work_id"])


def test_the_works_that_taught_the_shipped_model_are_named_once_each() -> None:
    taught = taught_works()
    assert taught["item"].n_unique() == taught.height > 10_000
    assert taught["item"].str.contains(r"^(W\d+|arxiv:.+)$").all()
    assert is_taught(
        pl.Series(["https://openalex.org/" + taught.filter(pl.col("item").str.starts_with("W"))["item"][0]])
    ).all()
    assert not is_taught(pl.Series(["W1", "arxiv:0000.0001"])).any()


def test_the_readings_are_those_of_the_gold_set(real_data: Path) -> None:
    lines = (real_data / "gold" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = {}
    for work in map(json.loads, lines):
        name = work["work"].split("/")[-1]
        name = name.rstrip("0") if name.startswith("arxiv:") else name
        wanted[name] = True if work["core"] else None if work["disputed"] else False
    found = dict(taught_works().iter_rows())
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["unseen-labels.csv"])
def test_no_work_kept_apart_from_training_is_called_a_training_work(name: str) -> None:
    from copub.shipped import shipped_folder

    items = pl.read_csv(shipped_folder("taxonomies/models") / name, infer_schema=False)["item"]
    assert not is_taught(items).any()
