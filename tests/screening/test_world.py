"""Russian and Iranian institutions: labelled strings, official documents, names of other countries."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl
import pytest

from copub.lists.watchlist import left_out, registry
from copub.screening import Watchlist, screen_strings
from copub.screening.matcherevaluation import evaluate, mistakes, read_labels

LABELS = Path(__file__).with_name("russian-iranian-strings.csv")
COUNTRIES = ("RU", "IR")
OUTSIDE = ("CN", "RU", "IR", "KP", "PK", "BY")
CODES = {"China": "CN", "Russia": "RU", "Iran": "IR"}


@pytest.fixture(scope="module")
def labels() -> pl.DataFrame:
    return read_labels(LABELS)


def test_enough_strings_of_listed_and_unlisted_institutions_are_labelled(labels: pl.DataFrame) -> None:
    country = {entity.id: entity.country for entity in registry()}
    listed = labels.filter(pl.col("kind") == "listed")
    of = Counter(country[entity] for entities in listed["entity_ids"] for entity in entities)
    assert labels.height >= 600 and listed.height >= 300
    assert of["RU"] >= 150 and of["IR"] >= 80
    assert labels["raw_affiliation_string"].n_unique() == labels.height


def test_labelled_strings_are_matched_with_precision_99_and_recall_95(
    labels: pl.DataFrame, all_lists: list[Watchlist]
) -> None:
    row = evaluate(labels, all_lists, others=False).row(0, named=True)
    assert row["precision"] >= 0.99 and row["precision_low"] >= 0.975, mistakes(labels, all_lists).rows()
    assert row["recall"] >= 0.95 and row["recall_low"] >= 0.95, mistakes(labels, all_lists).rows()


def _facts(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield list, printed name and country of every research body that the documents name."""

    def read(name: str) -> Iterator[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)

    for row in read("us-section-1286-fy2022-2025-all-countries.csv"):
        yield f"us-1286-fy{row['fiscal_year']}", row["name"], CODES.get(row["country"], "")
    for row in read("ca-nro-2025-03-11-all-countries.csv"):
        yield "ca-nro-2024", row["name"], CODES[row["country"]]
    for row in read("us-bis-entity-list-cn-university-like-2026-03-30.csv"):
        yield "us-entity-list", row["name"], "CN"
    for row in read("jp-meti-foreign-user-list-2025-09-29.csv"):
        if row["research_type"] == "yes":
            yield "jp-meti-2025", row["name"], row["country"]
    for row in read("eu-833-2014-annex-iv-research-type.csv"):
        yield "eu-833-2014-iv", row["name"], ""
    for row in read("us-1260h-all-editions-2021-2026.csv"):
        if row["research_type"] == "yes":
            yield f"us-1260h-{row['listed_from'][:4]}", row["name"], "CN"


def _plain(name: str) -> str:
    return " ".join(name.replace("|", "/").split())


@pytest.mark.real
def test_every_research_body_of_the_documents_is_listed_or_left_out_with_a_reason(
    real_data: Path, all_lists: list[Watchlist]
) -> None:
    listed = {w.id: {name: m.entity.country for m in w.entities for name in m.listed_as} for w in all_lists}
    reasons = {(row["watchlist"], row["listed_as"]): row["reason"] for row in left_out()}
    counted: Counter[tuple[str, str]] = Counter()
    for watchlist, printed, country in _facts(real_data / "watchlists" / "more"):
        name = _plain(printed)
        if name not in listed[watchlist]:
            assert reasons[watchlist, name], (watchlist, name)
        else:
            assert country in ("", listed[watchlist][name]), (watchlist, name)
            counted[watchlist, listed[watchlist][name]] += 1
    assert counted["us-1286-fy2025", "CN"] == 108
    assert counted["us-1286-fy2025", "RU"] == 33 and counted["us-1286-fy2025", "IR"] == 9
    assert counted["ca-nro-2024", "IR"] == 12 and counted["ca-nro-2024", "RU"] == 6
    assert counted["us-entity-list", "CN"] == 58
    assert counted["jp-meti-2025", "KP"] == 10


@pytest.mark.real
def test_dates_concerns_and_printed_names_are_those_of_the_documents(real_data: Path) -> None:
    tool = Path(__file__).resolve().parents[2] / "tools" / "lists.py"
    command = [sys.executable, str(tool), str(real_data / "watchlists" / "more")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    assert {line.partition(" entities, ")[2] for line in made.stdout.splitlines()} == {"as the facts say"}


@pytest.mark.real
def test_no_name_of_an_institution_of_another_country_is_a_hit(real_data: Path, all_lists: list[Watchlist]) -> None:
    names: dict[str, set[str]] = {}
    with gzip.open(real_data / "real" / "institutions_seen.jsonl.gz") as file:
        for line in file:
            record = orjson.loads(line)
            if record["display_name"] and record["country_code"] not in (*OUTSIDE, None):
                names.setdefault(record["country_code"], set()).add(record["display_name"])
    assert sum(map(len, names.values())) > 10_000
    found = {
        country: hits["raw_affiliation_string"].to_list()
        for country, some in names.items()
        if not (hits := screen_strings(sorted(some), all_lists, country=country)).is_empty()
    }
    assert found == {}
