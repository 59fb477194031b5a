"""What of a run may be deposited for everybody: numbers, ids and decisions, but no person and no text of others.

The columns that stay out, each with the reason, are in ``private.csv``. Names of institutions without an id are
what the record printed, so they stay out too. What is left is checked before a file is written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

import polars as pl

from copub.csvtext import csv_of
from copub.errors import Fault, FileError
from copub.report.facts import Facts
from copub.report.packages import data_package
from copub.report.plaintext import printable
from copub.report.summary import headline_lines
from copub.schema import TABLES

FOLDER = "public/"
LONGEST = 400
"""Characters of a cell, at most: more is a text of somebody, such as an abstract."""
_NAMED_BY_ID: Mapping[str, tuple[tuple[str, str], ...]] = {
    "affiliations": (("institution_name", "institution_id"),),
    "institutions": (("institution_name", "institution_id"),),
    "institution_families": (("institution_name", "institution_id"),),
    "pairs": (("institution_a", "institution_a_id"), ("institution_b", "institution_b_id")),
    "funding": (("slice", "slice_id"),),
    "roles": (("slice", "slice_id"),),
}
"""Names of institutions by table, and the column of the id that says that a name is no printed string."""
_HINT = "keep the package to yourself, and report this as a fault of copub"
_HINT_LONG = (
    "a record has it where a name or a code belongs: run again without the record, or keep the package to yourself"
)
_MAIL = r"[\w.+-]+@[\w-]+\.[\w.]+"
_MANIFEST = (
    "format", "run_id", "created", "copub_version", "study", "source", "funnel", "epochs", "taxonomies", "models",
    "watchlists", "registry", "figures", "code", "versions", "tables",
)  # fmt: skip
"""Parts of the manifest that name no person."""
_BY_INSTITUTION: Mapping[str, str] = {"shares": "slice", "bootstrap": "item"}
"""Tables with rows by institution, and the column of its name."""


@lru_cache(maxsize=1)
def private_columns() -> Mapping[str, tuple[str, ...]]:
    """Return by table the columns that stay out."""
    found: dict[str, tuple[str, ...]] = {}
    with (Path(__file__).parent / "private.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["table"]] = (*found.get(row["table"], ()), row["column"])
    return found


def deposit(facts: Facts) -> dict[str, bytes]:
    """Return the files of the package by path: tables, their description, how they were made and how to make the rest.

    Raises `FileError` with every cell that looks like a person's name, an e-mail address or an abstract.
    """
    tables = {name: _public(facts, name) for name in TABLES if name in facts.tables}
    faults = list(_suspicious(facts, tables))
    if faults:
        raise FileError(faults, kind="package for everybody")
    files = {f"{FOLDER}csv/{name}.csv": csv_of(frame) for name, frame in tables.items()}
    described = {path.removeprefix(FOLDER): content for path, content in files.items()}
    texts = {
        "datapackage.json": data_package(facts, described),
        "manifest.json": _manifest(facts),
        **{name: _text(facts, name) for name in ("README.md", "datasheet.md", "CITATION.cff")},
    }
    return files | {FOLDER + name: content for name, content in texts.items()}


def _public(facts: Facts, name: str) -> pl.DataFrame:
    """Return a table without the columns that stay out, and without what only a printed string says."""
    frame = facts.table(name).drop(private_columns().get(name, ()), strict=False)
    for shown, known in _NAMED_BY_ID.get(name, ()):
        frame = frame.with_columns(pl.when(pl.col(known).is_not_null()).then(pl.col(shown)).alias(shown))
    if name in _BY_INSTITUTION:
        named = facts.table("institutions").select("institution_name", "institution_id").drop_nulls("institution_name")
        printed = set(named["institution_name"]) - set(named.drop_nulls("institution_id")["institution_name"])
        frame = frame.filter(~pl.col(_BY_INSTITUTION[name]).is_in(sorted(printed)).fill_null(False))
    if name == "coverage":  # notes on single records quote them
        quoted = pl.col("slice_kind") == "record"
        frame = frame.with_columns(pl.when(quoted).then(pl.lit("")).otherwise("note").alias("note"))
    return frame


def _suspicious(facts: Facts, tables: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield the cells that are the name of an author of the run, hold an e-mail address, or are as long as a text."""
    authors = facts.table("authorships")["author_name"].drop_nulls().unique().str.to_lowercase()
    persons = authors.filter(authors.str.contains(" "))
    for name, frame in tables.items():
        for column, dtype in frame.schema.items():
            if dtype == pl.String or isinstance(dtype, pl.List):
                cells = frame[column].cast(pl.List(pl.String)).explode() if dtype != pl.String else frame[column]
                yield from _cells(f"{name}.{column}", cells.drop_nulls().unique().sort(), persons)


def _cells(where: str, cells: pl.Series, persons: pl.Series) -> Iterator[Fault]:
    looks_like = (
        ("the name of an author", cells.str.to_lowercase().is_in(persons.implode()), _HINT),
        ("an e-mail address", cells.str.contains(_MAIL), _HINT),
        (f"a text of more than {LONGEST} characters", cells.str.len_chars() > LONGEST, _HINT_LONG),
    )
    for what, is_so, hint in looks_like:
        for cell in cells.filter(is_so).head(3):
            yield Fault(where, f"{what}: {printable(cell)[:60]!r}", hint)


def _manifest(facts: Facts) -> bytes:
    """Return what the run was made from, without the people who read for it, their words and their strings."""
    kept = {key: facts.manifest[key] for key in _MANIFEST if key in facts.manifest}
    read = {key: len(facts.entries(key)) for key in ("decisions", "labelled")}
    return (json.dumps(kept | {"read_by_people": read}, ensure_ascii=False, indent=1, default=str) + "\n").encode()


def _text(facts: Facts, name: str, **values: Any) -> bytes:
    """Return one of the texts of the package, filled in."""
    text = (Path(__file__).parent / "templates" / f"public-{name}").read_text(encoding="utf-8")
    marks = {
        "title": ("SYNTHETIC: " if facts.synthetic else "") + facts.title,
        "summary": "\n\n".join(headline_lines(facts.tables, facts.manifest)),
        "rebuild": facts.command,
        "version": facts.manifest.get("copub_version") or "not known",
        "run": facts.manifest.get("run_id") or "",
        "study": str(facts.study.get("hash") or "not known"),
        "date": str(facts.manifest.get("created") or "")[:10],
        "works": facts.table("copublications").height if "copublications" in facts.tables else 0,
        "left_out": "\n".join(
            f"| `{table}` | {', '.join(f'`{column}`' for column in columns)} |"
            for table, columns in private_columns().items()
        ),
        "lists": "\n".join(map(_list, (*facts.entries("taxonomies"), *facts.entries("watchlists")))),
    }
    return Template(text).substitute({key: str(value) for key, value in (marks | values).items()}).encode("utf-8")


def _list(entry: Mapping[str, Any]) -> str:
    edition = entry.get("edition") or entry.get("date") or "not known"
    return f"- {entry.get('id')}, edition {edition}, sha256 {entry.get('hash')}"
