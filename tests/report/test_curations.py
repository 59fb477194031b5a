"""Reviewed corrections of institution links, in the form that OpenAlex accepts."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from copub import schema
from copub.corpus.repairs import patches
from copub.report.exports import build_exports

FALSE = next(patch for patch in patches() if patch.institution_id)
BEIHANG, SHARIF, OTHER = "I82880672", "I133529467", "I1"
ROWS = [
    ("W1", "Dept. 5, Beihang Univ, Beijing", None),
    ("W2", "Beihang, Sharif Univ Technol", OTHER),
    ("W2", "Beihang, Sharif Univ Technol", BEIHANG),
    ("W3", "Department of Materials, Delft", FALSE.institution_id),
    ("W4", "Islamic Azad University, Tehran", None),
    ("W5", "Never decided", BEIHANG),
]


def lines(decisions: list[tuple[str, str, str]], **study: Any) -> list[dict[str, str]]:
    names = ("work_id", "raw_affiliation_string", "institution_id")
    blank = dict.fromkeys(schema.TABLES["affiliations"].schema)
    rows = [
        {**blank, **dict(zip(names, row, strict=True)), "author_seq": 0, "affiliation_seq": number, "lineage": []}
        for number, row in enumerate(ROWS)
    ]
    affiliations = pl.DataFrame(rows, schema=schema.TABLES["affiliations"].schema)
    repair = {"work_id": "W3", "author_seq": 0, "affiliation_seq": 3, "before": FALSE.institution_name}
    repairs = [
        {**dict.fromkeys(schema.TABLES["repairs"].schema), **repair, "kind": kind}
        for kind in ("false institution", "country mistaken")
    ]
    tables = {
        "affiliations": affiliations,
        "repairs": pl.DataFrame(repairs, schema=schema.TABLES["repairs"].schema),
    }
    made = [dict(zip(("value", "entity_id", "decision"), one, strict=True)) for one in decisions]
    manifest = {"study": {"id": "x", **study}, "decisions": made}
    files = build_exports(tables, manifest, ["openalex-curations"])
    assert set(files) == {"openalex-curations.jsonl"}
    return [json.loads(line) for line in files["openalex-curations.jsonl"].decode("utf-8").splitlines()]


def test_a_false_link_of_the_reviewed_corrections_is_removed() -> None:
    assert lines([]) == [
        {
            "entity": "ras",
            "entity_id": "Department of Materials, Delft",
            "property": "institution_ids",
            "action": "remove",
            "value": FALSE.institution_id,
        }
    ]


def test_a_confirmed_link_that_is_missing_is_added_and_a_rejected_one_removed() -> None:
    found = lines(
        [
            (ROWS[0][1], "beihang-university", "yes"),
            (ROWS[1][1], "beihang-university", "yes"),  # already linked
            (ROWS[1][1], "sharif-university-of-technology", "yes"),
            (ROWS[4][1], "islamic-azad-university", "yes"),  # an entity with several ids: a person chooses
            ("no string of this run", "beihang-university", "yes"),
        ]
    )
    assert [(one["entity_id"], one["action"], one["value"]) for one in found] == [
        (ROWS[1][1], "add", SHARIF),
        (ROWS[3][1], "remove", FALSE.institution_id),
        (ROWS[0][1], "add", BEIHANG),
    ]
    found = lines([(ROWS[1][1], "beihang-university", "no")])
    assert (ROWS[1][1], "remove", BEIHANG) in [(one["entity_id"], one["action"], one["value"]) for one in found]


def test_a_synthetic_study_gives_no_correction() -> None:
    assert lines([(ROWS[0][1], "beihang-university", "yes")], synthetic=True) == []
