"""Tables as CSV with a Frictionless data package, and an RO-Crate that describes the whole export."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from copub.csvtext import csv_of
from copub.report.background import NOTES
from copub.report.facts import Facts
from copub.report.summary import first_sentence
from copub.rocrate import crate_text, file_entity, ref, tool_entity
from copub.schema import TABLES, Table


def csv_files(facts: Facts) -> dict[str, bytes]:
    """Return every table of the run as CSV by path; lists are joined by semicolons, no cell is a formula."""
    return {f"csv/{name}.csv": csv_of(facts.table(name)) for name in TABLES if name in facts.tables}


def data_package(facts: Facts, files: Mapping[str, bytes]) -> bytes:
    """Return datapackage.json (Frictionless) for the CSV files among `files`."""
    resources = [
        _resource(TABLES[path[len("csv/") : -len(".csv")]], path, content)
        for path, content in files.items()
        if path.startswith("csv/")
    ]
    content = {
        "profile": "tabular-data-package",
        "name": re.sub(r"[^a-z0-9._-]+", "-", f"copub-{facts.study.get('id') or 'run'}".lower()),
        "title": _title(facts),
        "description": first_sentence(facts),
        "created": facts.manifest.get("created"),
        "version": facts.manifest.get("run_id"),
        "resources": resources,
    }
    return _json({key: value for key, value in content.items() if value})


def _resource(table: Table, path: str, content: bytes) -> dict[str, Any]:
    given = content.split(b"\n", 1)[0].decode("utf-8").strip().split(",")
    fields = [
        {"name": column.name, "type": _kind(pl.Schema({"x": column.dtype})["x"]), "description": _described(column)}
        for column in table.columns
        if column.name in given
    ]
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": path,
        "description": f"One row is {table.row}.",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {"fields": fields},
    }


def _described(column: Any) -> str:
    return f"{column.meaning} [{column.unit}]" if column.unit else column.meaning


def _kind(dtype: pl.DataType) -> str:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    return "number" if dtype.is_float() else "date" if dtype == pl.Date else "string"


def ro_crate(facts: Facts, files: Mapping[str, bytes]) -> bytes:
    """Return ro-crate-metadata.json (RO-Crate 1.1) that describes `files`."""
    parts = [
        file_entity(path, contentSize=str(len(content)), sha256=hashlib.sha256(content).hexdigest())
        for path, content in files.items()
    ]
    created = str(facts.manifest.get("created") or "")
    root = {
        "name": _title(facts),
        "description": " ".join([first_sentence(facts), *(facts.words.say(f"note.{key}") for key in NOTES)]),
        "datePublished": created[:10] or "1970-01-01",
        "identifier": str(facts.manifest.get("run_id") or ""),
        "mentions": ref("#run"),
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"copub run {facts.study.get('id') or ''}".strip(),
        "instrument": ref("#copub"),
        "result": ref("./"),
        "endTime": created,
    }
    action = {key: value for key, value in run.items() if value}
    tool = tool_entity(str(facts.manifest.get("copub_version") or ""))
    return crate_text(root, parts, [tool, action], facts.entries("watchlists")).encode("utf-8")


def _title(facts: Facts) -> str:
    return ("SYNTHETIC: " if facts.synthetic else "") + facts.title


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
