"""A run folder as an RO-Crate: what made each of its files, for machines to follow.

One action per stage, as `copub.runs.provenance` tells them: its code, what it used, what it made.
Source: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from copub.rocrate import Entity, crate_text, file_entity, ref, tool_entity
from copub.runs.folder import sha256_of
from copub.runs.instruments import UNKNOWN, hash_of
from copub.runs.provenance import DECISIONS, LABELS, RECORDS, STUDY
from copub.schema import TABLES

_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CONTEXT = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
_KINDS = {"taxonomies": "taxonomy", "models": "model of", "watchlists": "watchlist", "registry": "registry"}


def run_crate(manifest: Mapping[str, Any], folder: Path) -> str:
    """Return ro-crate-metadata.json of a run.

    Parameters
    ----------
    manifest : of the run, with its part ``provenance``.
    folder : where the files of the run lie; the manifest itself need not be there yet.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    parts = [*(_file(path, folder) for path in files), _manifest_file()]
    used = {entity["name"]: entity for entity in _used(manifest)}
    steps = [*_steps(manifest, used)]
    study = manifest["study"]
    root = {
        "name": f"{'SYNTHETIC: ' if study['synthetic'] else ''}{study['title']}",
        "description": f"Run {manifest['run_id']} of the study {study['id']}. A hit is no finding about a person.",
        "datePublished": str(manifest["created"])[:10],
        "conformsTo": ref(_PROFILE),
        "mentions": [ref(step["@id"]) for step in steps if step["@type"] == "CreateAction"],
    }
    profile = {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    entities = [profile, *used.values(), *steps]
    return crate_text(root, parts, entities, manifest.get("watchlists", ()), [_CONTEXT])


def _one_or_all(values: list[dict[str, str]]) -> Any:
    """Return a sole value without its list, as RO-Crate asks."""
    return values[0] if len(values) == 1 else values


def _file(path: Path, folder: Path) -> Entity:
    name = path.relative_to(folder).as_posix()
    table = TABLES.get(path.stem) if path.suffix == ".parquet" else None
    described = {"description": f"One row is {table.row}."} if table else {}
    return file_entity(name, **described, contentSize=str(path.stat().st_size), sha256=sha256_of(path))


def _manifest_file() -> Entity:
    return file_entity(
        "manifest.json", description="What the run was asked, what it used, what it made; hashes of all of it."
    )


def _used(manifest: Mapping[str, Any]) -> Iterator[Entity]:
    """Yield what stages used beside each other's tables; names are those of the part ``provenance``."""
    study, source = manifest["study"], manifest["source"]
    yield _data(STUDY, description=study["question"] or study["title"], sha256=study["hash"])
    pages = source.get("pages") or source.get("files") or []
    yield _data(
        RECORDS,
        description=f"{len(pages)} {'pages' if source.get('pages') else 'files'}, {source['kind']}",
        sha256=hash_of(sorted(page["sha256"] for page in pages)),
        dateModified=source.get("last_retrieval"),
    )
    for key, kind in _KINDS.items():
        for facts in manifest.get(key, ()):
            yield _data(
                f"{kind} {facts['id']}",
                description=facts.get("title"),
                version=facts.get("edition") or facts.get("date"),
                sha256=facts["hash"],
            )
    for facts in manifest.get("figures", ()):
        yield _data(f"{facts['kind']} {facts['id']}", sha256=facts["hash"])
    for name, key, what in ((DECISIONS, "decisions", "on affiliations"), (LABELS, "labelled", "on works")):
        found = manifest.get(key)
        if found:
            yield _data(name, description=f"{len(found)} decisions of people {what}", sha256=hash_of(found))


def _data(name: str, **facts: Any) -> Entity:
    identifier = "#" + re.sub(r"[^A-Za-z0-9.]+", "-", name)
    return {"@id": identifier, "@type": "CreativeWork", "name": name} | {k: v for k, v in facts.items() if v}


def _steps(manifest: Mapping[str, Any], used: Mapping[str, Entity]) -> Iterator[Entity]:
    """Yield the software, the code of each stage, and the action of each stage."""
    version = str(manifest.get("copub_version", UNKNOWN))
    yield tool_entity(version)
    seconds = {row["stage"]: row["seconds"] for row in manifest.get("stages", ())}

    def place(name: str) -> dict[str, str]:
        if name in used:
            return ref(used[name]["@id"])
        return ref(f"tables/{name}.parquet" if name in manifest["tables"] else name)

    for row in manifest["provenance"]:
        stage = row["stage"]
        code = {"@id": f"#code-{stage}", "@type": "SoftwareSourceCode", "name": f"copub, stage {stage}"}
        yield code | {"version": version, "isPartOf": ref("#copub")} | ({"sha256": row["code"]} if row["code"] else {})
        yield {
            "@id": f"#stage-{stage}",
            "@type": "CreateAction",
            "name": stage,
            "instrument": ref(f"#code-{stage}"),
            "object": _one_or_all([place(name) for name in row["used"]]),
            "result": _one_or_all([place(name) for name in row["made"]]),
            **({"description": f"{seconds[stage]} seconds"} if stage in seconds else {}),
            "endTime": str(manifest["created"]),
        }
