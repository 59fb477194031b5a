"""Awards and roles of the real records: counted again from the JSON, one work at a time, without the code of copub."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import comb, factorial, sqrt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub

pytestmark = pytest.mark.real

Row = dict[str, Any]
FLOOR = 5
"""Fewer works could lead to a person."""


def short(address: str | None) -> str | None:
    return address.rpartition("/")[2] if address else None


def records(files: list[Path]) -> Iterator[Row]:
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


@pytest.fixture(scope="module")
def raw(works_files: list[Path]) -> dict[str, Row]:
    """All real records by id; of records with one id the first counts."""
    found: dict[str, Row] = {}
    for record in records(works_files):
        found.setdefault(short(record["id"]) or "", record)
    return found


def key_of(number: str | None) -> str | None:
    text = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", number or "").casefold())
    return text if re.search(r"\d", text) else None


def awards_of(record: Row) -> set[tuple[str, str]]:
    """Return funder and key of each award of a record."""
    found = set()
    given = [
        (a.get("funder_id"), a.get("funder_display_name"), a.get("funder_award_id")) for a in record.get("awards") or []
    ]
    given += [(a.get("funder"), a.get("funder_display_name"), a.get("award_id")) for a in record.get("grants") or []]
    for funder, name, number in given:
        parts = re.split("[,;]", number or "")
        for part in parts if all(map(key_of, parts)) else [number]:
            if (funder or name) and key_of(part):
                found.add((short(funder) or name, key_of(part)))
    return found


def states_awards(record: Row) -> bool:
    return record.get("awards") is not None or record.get("grants") is not None


def wilson(k: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Return share and ends of the interval from the formula of Wilson (1927)."""
    if not n:
        return None, None, None
    z, p = 1.959963984540054, k / n
    centre, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))


def agree(row: Row, wanted: Row) -> None:
    for name, value in wanted.items():
        assert row[name] == (pytest.approx(value, abs=1e-8) if isinstance(value, float) else value), (row, name, value)


def test_the_awards_of_all_real_records_are_those_of_their_json(
    works_files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from copub.corpus.record import read_value
    from copub.corpus.work import award_rows

    naming = 0
    for record in records(works_files):
        work, faults = read_value(record)
        rows = award_rows(work, "W1")
        assert not [path for path, _ in faults if re.match("awards|grants|funders", path)]
        found = {(row.funder_id or row.funder_name, row.award_key) for row in rows if row.award_key}
        assert {one for one in found if one[0]} == awards_of(record), record["id"]
        assert any(row.field != "funders" for row in rows) == states_awards(record)
        funders = {short(one["id"]) for one in record.get("funders") or []}
        assert funders <= {row.funder_id for row in rows}
        naming += bool(found)
    assert naming > 700


@pytest.fixture(scope="module")
def flags(belgium_china: copub.Run) -> dict[str, Row]:
    return {row["work_id"]: row for row in belgium_china.tables["copublications"].iter_rows(named=True)}


def in_group(flag: Row, group: str) -> bool:
    return group == "all" or bool(flag[f"is_{group}"])


def institutions_of(run: copub.Run, side: list[str]) -> dict[str, dict[str, set[int]]]:
    """Return by work and institution (id, or name) of a side, repaired, the places of its authors."""
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for a in run.tables["affiliations"].iter_rows(named=True):
        if a["institution_name"] and not a["is_false_institution"] and a["country_code_repaired"] in side:
            found[a["work_id"]][a["institution_id"] or a["institution_name"]].add(a["author_seq"])
    return found


def test_works_that_name_an_award_are_those_of_the_json(
    belgium_china: copub.Run, raw: dict[str, Row], flags: dict[str, Row]
) -> None:
    sides = {"a": ["BE"], "b": belgium_china.manifest["study"]["side_b"]["countries"]}
    slices: dict[tuple[str, str], list[str]] = defaultdict(list, {("all", "all"): [*flags]})
    for side, countries in sides.items():
        for work_id, institutions in institutions_of(belgium_china, countries).items():
            for key in institutions if work_id in flags else ():
                slices[f"institution_{side}", key].append(work_id)
    for seq_work, entities in listed_by(belgium_china).items():
        for entity in entities if seq_work in flags else ():
            slices["entity", entity].append(seq_work)
    table = belgium_china.tables["funding"].with_columns(key=pl.coalesce("slice_id", "slice"))
    assert set(table.select("slice_kind", "key", "group").rows()) == {
        (*key, group)
        for key, works in slices.items()
        for group in ("all", "critical", "listed", "critical_listed")
        if key[0] == "all" or sum(in_group(flags[work], group) for work in works) >= FLOOR
    }
    assert table.filter(slice_kind="institution_a").height > 20
    for row in table.iter_rows(named=True):
        own = [work for work in slices[row["slice_kind"], row["key"]] if in_group(flags[work], row["group"])]
        stating = [work for work in own if states_awards(raw[work])]
        named = [awards_of(raw[work]) for work in stating if awards_of(raw[work])]
        share, low, high = wilson(len(named), len(stating))
        every = set().union(*named)
        agree(
            row,
            {
                "works": len(own),
                "unknown": len(own) - len(stating),
                "denominator": len(stating),
                "numerator": len(named),
                "share": share,
                "ci_low": low,
                "ci_high": high,
                "awards": len(every),
                "funders": len({funder for funder, _ in every}),
            },
        )


def listed_by(run: copub.Run) -> dict[str, dict[str, set[int]]]:
    """Return by work and listed entity at the study's levels the places of its authors."""
    study = run.manifest["study"]
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for hit in run.tables["hits"].iter_rows(named=True):
        if hit["is_counted"] and hit["watchlist"] in study["watchlists"] and hit["risk_level"] in study["levels"]:
            found[hit["work_id"]][hit["entity_id"]].add(hit["author_seq"])
    return found


def role_row(works: list[tuple[Row, Row, set[int], set[int]]], role: str) -> Row:
    """Return the row of a role among works: the record, its flags, places of listed authors and of those of side A."""
    found: Row = dict.fromkeys(
        ("works", "single_author", "cut", "unknown", "denominator", "numerator", "numerator_a"), 0
    )
    lot, order = Fraction(0), Fraction(0)
    for record, flag, listed, own in works:
        authors = record["authorships"]
        if role == "corresponding":
            who = {seq for seq, author in enumerate(authors) if author.get("is_corresponding")}
        else:
            who = {seq for seq, author in enumerate(authors) if author.get("author_position") == role}
        found["works"] += 1
        if len(authors) == 1:
            found["single_author"] += 1
        elif flag["is_truncated"]:
            found["cut"] += 1
        elif not who:
            found["unknown"] += 1
        else:
            found["denominator"] += 1
            found["numerator"] += bool(who & listed)
            found["numerator_a"] += bool(who & own)
            n, k = len(authors), len(who)
            lot += 1 - Fraction(comb(n - len(listed), k), comb(n, k))
            order += Fraction(1, factorial(n)) if n < 100 else 0
    n = found["denominator"]
    found["share"], found["ci_low"], found["ci_high"] = wilson(found["numerator"], n)
    found["share_a"], found["share_a_low"], found["share_a_high"] = wilson(found["numerator_a"], n)
    found |= {"expected": float(lot / n) if n else None, "alphabetical_by_chance": float(order)}
    kept = ("works", "single_author", "cut", "unknown", "denominator")
    return {name: value if n >= FLOOR or name in kept else None for name, value in found.items()}


def test_roles_are_those_of_the_json(belgium_china: copub.Run, raw: dict[str, Row], flags: dict[str, Row]) -> None:
    on_a: dict[str, set[int]] = defaultdict(set)
    for author in belgium_china.tables["authorships"].iter_rows(named=True):
        if "BE" in author["countries_repaired"]:
            on_a[author["work_id"]].add(author["author_seq"])
    listed = {work: by for work, by in listed_by(belgium_china).items() if work in flags}
    assert set(listed) == {work for work, flag in flags.items() if flag["is_listed"]}
    partners = institutions_of(belgium_china, ["BE"])
    slices: dict[tuple[str, str], list[tuple[Row, Row, set[int], set[int]]]] = defaultdict(list)
    for work, by in listed.items():
        every = set().union(*by.values())
        slices["all", "all"].append((raw[work], flags[work], every, on_a[work]))
        for entity, authors in by.items():
            slices["entity", entity].append((raw[work], flags[work], authors, on_a[work]))
        for key, authors in partners[work].items():
            slices["institution_a", key].append((raw[work], flags[work], every, authors))
    table = belgium_china.tables["roles"].with_columns(key=pl.coalesce("slice_id", "slice"))
    table = table.filter(pl.col("slice_kind").is_in(["all", "entity", "institution_a"]))
    assert set(table.select("slice_kind", "key", "group").rows()) == {
        (*key, group)
        for key, works in slices.items()
        for group in ("listed", "critical_listed")
        if key[0] == "all" or sum(group == "listed" or one[1]["is_critical"] for one in works) >= FLOOR
    }
    assert table.filter(slice_kind="all", group="listed")["denominator"].max() >= FLOOR  # type: ignore[operator]
    for row in table.iter_rows(named=True):
        works = slices[row["slice_kind"], row["key"]]
        own = [one for one in works if row["group"] == "listed" or one[1]["is_critical"]]
        agree(row, role_row(own, row["role"]))


def test_no_name_and_no_id_of_an_author_is_in_the_tables_of_funders_and_roles(belgium_china: copub.Run) -> None:
    authors = belgium_china.tables["authorships"]
    persons = {*authors["author_name"].drop_nulls(), *authors["author_id"].drop_nulls()}
    for name in ("funders", "funding", "roles"):
        frame = belgium_china.tables[name]
        texts = frame.select(pl.col(pl.String)).unpivot()["value"].drop_nulls().unique()
        assert not persons.intersection(texts), name
