"""Every key set in which real works occur, 2022 to 2026, is read into complete rows."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from copub.corpus import Entry, tabulate
from copub.corpus.record import read_value
from copub.corpus.work import (
    AffiliationRow,
    authorship_rows,
    award_rows,
    countries_of,
    topic_rows,
    work_id_of,
    work_row,
)
from copub.schema import TABLES
from copub.sources.rawrecord import Record
from copub.study import parse_study

pytestmark = pytest.mark.real

EVERYWHERE = """
[study]
id = "everywhere"
title = "any two countries"
[sides.a]
name = "A"
countries = ["BE", "US", "SA", "DE", "NL", "AT", "CH", "CA"]
[sides.b]
name = "B"
countries = ["CN", "GB", "FR", "IT", "ES", "AU", "BR", "IN", "JP"]
[years]
from = 1800
to = 2100
[technology]
headline = "eu-2023-2113"
[screening]
headline = ["aspi-cdut-2019"]
"""


@pytest.fixture(scope="module")
def variants(real_data: Path) -> list[dict[str, Any]]:
    with gzip.open(real_data / "real" / "schema_variants.jsonl.gz") as lines:
        return [orjson.loads(line) for line in lines]


def test_there_are_38_key_sets(variants: list[dict[str, Any]]) -> None:
    assert len({frozenset(variant["work"]) for variant in variants}) == 38


def test_every_variant_is_read_into_all_columns_that_stem_from_the_record(variants: list[dict[str, Any]]) -> None:
    later = {"found_by", "epoch", "duplicate_of"}
    for variant in variants:
        work = variant["work"]
        read, faults = read_value(work)
        row = work_row(read, work_id_of(read), countries_of(read), award_rows(read, work_id_of(read)))[0]._asdict()
        assert not faults
        assert set(row) == set(TABLES["works"].schema) - later
        assert row["n_authors"] == len(work.get("authorships") or [])
        assert row["title"] or not (work.get("title") or work.get("display_name"))
        assert (row["abstract_status"] == "none") == (not work.get("abstract_inverted_index"))


def test_every_authorship_and_affiliation_of_every_variant_is_kept(variants: list[dict[str, Any]]) -> None:
    for variant in variants:
        work = variant["work"]
        read, _ = read_value(work)
        rows, of_authors = authorship_rows(read, work_id_of(read), countries_of(read))
        assert len(rows) == len(work.get("authorships") or [])
        for seq, authorship in enumerate(work.get("authorships") or []):
            affiliations = [AffiliationRow(*row) for row in of_authors if row[1] == seq]
            names = {i["display_name"] for i in authorship.get("institutions") or [] if i and i.get("display_name")}
            assert len({row.institution_name for row in affiliations} - {None}) >= len(names) - 1
            singular = authorship.get("raw_affiliation_string")
            plural = [s for s in authorship.get("raw_affiliation_strings") or [] if s and s.strip()]
            if singular or plural:
                assert any(row.raw_affiliation_string for row in affiliations)


def test_topics_of_every_variant_are_ranked_from_the_primary_one(variants: list[dict[str, Any]]) -> None:
    for variant in variants:
        rows = list(topic_rows(read_value(variant["work"])[0], "W1"))
        assert [row.rank for row in rows] == list(range(len(rows)))
        assert all(row.topic_id.startswith("T") for row in rows)


def test_variants_become_tables_of_the_schema(variants: list[dict[str, Any]]) -> None:
    records = [Record(v["work"], f"variant {n}", ("works-file",)) for n, v in enumerate(variants)]
    tables = tabulate(records, Entry.of(parse_study(EVERYWHERE)))
    assert tables.funnel.read == len(variants)
    assert tables.funnel.unreadable == []
    assert tables["works"].height > 10
    for name in ("works", "topics", "authorships", "affiliations"):
        assert tables[name].schema == TABLES[name].schema
    assert tables["works"].filter(pl.col("n_authors") == 0).is_empty()
