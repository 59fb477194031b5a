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
from copub.schema import TABLES, Table

_MEDIA = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".bib": "application/x-bibtex",
    ".ris": "application/x-research-info-systems",
    ".gexf": "application/gexf+xml",
    ".jsonl": "application/jsonl",
}
_CONTEXT = "https://w3id.org/ro/crate/1.1/context"


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
    fields = [
        {"name": column.name, "type": _kind(pl.Schema({"x": column.dtype})["x"]), "description": _described(column)}
        for column in table.columns
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
    parts = [_part(path, content) for path, content in files.items()]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": _title(facts),
        "description": " ".join([first_sentence(facts), *(facts.words.say(f"note.{key}") for key in NOTES)]),
        "datePublished": str(facts.manifest.get("created") or "")[:10] or "1970-01-01",
        "license": {"@id": "#terms"},
        "identifier": str(facts.manifest.get("run_id") or ""),
        "hasPart": [{"@id": part["@id"]} for part in parts],
        "mentions": {"@id": "#run"},
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    entities = [descriptor, root, *parts, _terms(facts), *_action(facts)]
    return _json({"@context": _CONTEXT, "@graph": entities})


def _part(path: str, content: bytes) -> dict[str, Any]:
    return {
        "@id": path,
        "@type": "File",
        "name": path.rpartition("/")[2],
        "encodingFormat": _MEDIA[path[path.rindex(".") :]],
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _terms(facts: Facts) -> dict[str, Any]:
    own = [f"{entry.get('id')}: {entry.get('terms')}" for entry in facts.entries("watchlists") if entry.get("terms")]
    return {
        "@id": "#terms",
        "@type": "CreativeWork",
        "name": "Terms of the sources",
        "description": " ".join(["Data of OpenAlex are CC0. The lists keep the terms of their authorities.", *own]),
    }


def _action(facts: Facts) -> list[dict[str, Any]]:
    version = str(facts.manifest.get("copub_version") or "")
    tool = {"@id": "#copub", "@type": "SoftwareApplication", "name": "copub", "version": version}
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"copub run {facts.study.get('id') or ''}".strip(),
        "instrument": {"@id": "#copub"},
        "result": {"@id": "./"},
        "endTime": str(facts.manifest.get("created") or ""),
    }
    return [tool, {key: value for key, value in run.items() if value}]


def _title(facts: Facts) -> str:
    return ("SYNTHETIC: " if facts.synthetic else "") + facts.title


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
