"""The synthetic corpus against the real world: same shape, and no name or identifier of anybody."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copub.demo.places import PEOPLE_PER_INSTITUTION, PREFIX, institutions, person, topics

Work = dict[str, Any]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


@pytest.mark.real
def test_a_record_has_every_key_of_a_real_list_answer_in_the_same_order(real_data: Path, works: list[Work]) -> None:
    real = json.loads((real_data / "api" / "2026-03_works_list_2results.json").read_text(encoding="utf-8"))["results"][
        0
    ]
    work = works[0]
    assert list(work) == list(real)
    for key in ("open_access", "biblio", "primary_location", "primary_topic", "has_content"):
        assert list(work[key]) == list(real[key]), key
    assert list(work["primary_location"]["source"]) == list(real["primary_location"]["source"])
    assert list(work["authorships"][0]) == list(real["authorships"][0])
    resolved = next(i for w in works for a in w["authorships"] for i in a["institutions"])
    assert list(resolved) == list(real["authorships"][0]["institutions"][0])


@pytest.mark.real
def test_no_invented_institution_bears_the_name_or_identifier_of_a_real_one(real_data: Path) -> None:
    listed = pl.read_csv(real_data / "watchlists" / "listed_institutions.csv", infer_schema=False).fill_null("")
    real = {
        name for row in listed.select("name_en", "name_zh", "aliases").iter_rows() for name in "|".join(row).split("|")
    }
    ids = set(listed["openalex_id"])
    for name in ("institutions_seen", "institutions", "ror_subset"):
        for entry in _lines(real_data / "real" / f"{name}.jsonl.gz"):
            real |= {entry.get("display_name"), entry.get("name")}
            real |= {other["value"] for other in entry.get("names", [])}
            ids |= {entry["id"], entry.get("ror")}
    assert len(real) > 10_000
    for place in institutions().values():
        assert not {place.name, place.name_zh, *place.aliases} - {""} & real, place.name
        assert PREFIX + place.id not in ids and f"https://ror.org/{place.ror}" not in ids


@pytest.mark.real
def test_no_invented_person_bears_the_name_of_a_real_author(real_data: Path) -> None:
    invented = {person(key, position)[1] for key in institutions() for position in range(PEOPLE_PER_INSTITUTION)}
    seen = set()
    for name in ("works_be_cn_reconstructed", "works_cn_or_be_versions", "schema_variants"):
        for entry in _lines(real_data / "real" / f"{name}.jsonl.gz"):
            seen |= {a["author"]["display_name"] for a in entry.get("work", entry).get("authorships") or []}
    assert len(seen) > 1000
    assert not invented & seen


@pytest.mark.real
def test_topics_are_topics_of_openalex(real_data: Path) -> None:
    table = pl.read_csv(real_data / "technologies" / "openalex_topics.csv", infer_schema=False)
    real = {row["topic_id"]: row for row in table.iter_rows(named=True)}
    for row in (row for rows in topics().values() for row in rows):
        facts = {key: value for key, value in row.items() if key != "theme"}
        assert facts.items() <= real[row["topic_id"]].items()
