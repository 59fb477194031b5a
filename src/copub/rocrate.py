"""The one writer of RO-Crates: of a run folder (`copub.runs.crate`) and of an export (`copub.report.packages`).

Source: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

CRATE = "ro-crate-metadata.json"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".md": "text/markdown",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".toml": "application/toml",
    ".csv": "text/csv",
    ".bib": "application/x-bibtex",
    ".ris": "application/x-research-info-systems",
    ".gexf": "application/gexf+xml",
}
Entity = dict[str, Any]


def ref(identifier: str) -> Entity:
    """Return a reference to an entity of the crate."""
    return {"@id": identifier}


def file_entity(path: str, **facts: Any) -> Entity:
    """Return the entity of a file, by its path inside the crate."""
    name = PurePosixPath(path)
    return {"@id": path, "@type": "File", "name": name.name, "encodingFormat": _MEDIA[name.suffix], **facts}


def tool_entity(version: str) -> Entity:
    """Return the entity of copub itself."""
    return {"@id": "#copub", "@type": "SoftwareApplication", "name": "copub", "version": version}


def crate_text(
    root: Mapping[str, Any],
    parts: Sequence[Entity],
    entities: Iterable[Entity],
    watchlists: Iterable[Mapping[str, Any]],
    context: Sequence[Any] = (),
) -> str:
    """Return the text of ro-crate-metadata.json.

    Parameters
    ----------
    root : facts of the whole: name, description, datePublished and others.
    parts : its files.
    entities : all other entities.
    watchlists : entries of the manifest, for their terms.
    context : what the crate needs beside the context of RO-Crate.
    """
    files = [ref(part["@id"]) for part in parts]
    whole = {"@id": "./", "@type": "Dataset", **root, "license": ref("#terms"), "hasPart": files}
    descriptor = {"@id": CRATE, "@type": "CreativeWork", "about": ref("./"), "conformsTo": ref(_SPECIFICATION)}
    own = [f"{facts.get('id')}: {facts['terms']}" for facts in watchlists if facts.get("terms")]
    text = " ".join(["Data of OpenAlex are CC0. The lists keep the terms of their authorities.", *own])
    terms = {"@id": "#terms", "@type": "CreativeWork", "name": "Terms of the sources", "description": text}
    contexts = [f"{_SPECIFICATION}/context", *context]
    content = {
        "@context": contexts if context else contexts[0],
        "@graph": [descriptor, whole, terms, *parts, *entities],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
