"""Which code, data, lists, models and decisions made which table.

One row per stage: what it used, what it made, and the hash of its code. Names are those of
`copub.runs.instruments.instruments`, of the tables, and of the files of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from copub.lists.modelcard import FOLDER as MODELS
from copub.lists.modelcard import MODEL
from copub.measures.inputs import EVALUATIONS, errors_of, is_read_for
from copub.runs.folder import sha256_of
from copub.runs.instruments import CORRECTIONS, ENTITIES
from copub.shipped import shipped_folder
from copub.study.question import Question
from copub.technology.taught import FILES

REGISTRY = "taxonomies/watchlists/registry"
RECORDS, STUDY, DECISIONS, LABELS = "records", "study", "decisions", "labelled works"
HARVEST, TABULATE, CLASSIFY, SCREEN, MEASURE, REPORT = "harvest", "tabulate", "classify", "screen", "measure", "report"
_STAGE_OF: Mapping[str, str] = {
    **dict.fromkeys(("works", "topics", "authorships", "affiliations", "repairs", "awards", "population"), TABULATE),
    "assignments": CLASSIFY,
    "hits": SCREEN,
}


def stage_of(table: str) -> str:
    """Return the stage that makes a table."""
    return _STAGE_OF.get(table, MEASURE)


def registry_facts() -> list[dict[str, str]]:
    """Return id and hash of each file of the registry behind the watchlists, for the manifest."""
    return [{"id": path.stem, "hash": sha256_of(path)} for path in sorted(shipped_folder(REGISTRY).glob("*.csv"))]


def figure_facts(question: Question) -> list[dict[str, str]]:
    """Return kind, id and hash of each file that measure reads: published figures, ties, evaluations and the like."""
    kinds = {"published": "published figures", "ties": "ties", "evaluation": "evaluation", "baselines": "baselines"}
    found = [(kinds[one.kind], one.id, one.sha256) for one in question.lists if one.kind in kinds]
    if errors_of(question) is not None:
        sets = sorted(shipped_folder(EVALUATIONS).glob("*.toml"))
        found.append(("evaluation", "classifier", sha256_of(shipped_folder(MODELS) / f"{MODEL}.json")))
        found += [("evaluation", path.stem, sha256_of(path)) for path in sets]
    if is_read_for(question.taxonomies[0]):
        found += [("training works", name, sha256_of(shipped_folder(MODELS) / name)) for name in FILES]
    return [{"kind": kind, "id": name, "hash": digest} for kind, name, digest in found]


def baseline_facts(question: Question) -> dict[str, list[dict[str, Any]]]:
    """Return, for the manifest, the records behind the baselines that a study names; nothing if it names none."""
    given = question.baselines
    return {"baselines": [{"date": given.snapshot.date, "records": given.snapshot.records}]} if given else {}


def provenance(manifest: Mapping[str, Any], files: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return one row per stage that a run carried out: stage, code (hash, or ""), used, made.

    Parameters
    ----------
    manifest : the manifest, without this part.
    files : the files of the run beside its tables, which the report makes.
    """
    made: dict[str, list[str]] = {HARVEST: [RECORDS]}
    for table in manifest["tables"]:
        made.setdefault(stage_of(table), []).append(table)
    if files:
        made[REPORT] = list(files)
    code = manifest.get("code", {})
    return [
        {"stage": stage, "code": code.get(stage, ""), "used": _used(stage, manifest), "made": sorted(made[stage])}
        for stage in (HARVEST, TABULATE, CLASSIFY, SCREEN, MEASURE, REPORT)
        if stage in made
    ]


def _used(stage: str, manifest: Mapping[str, Any]) -> list[str]:
    study = manifest["study"]
    decisions = [DECISIONS] if manifest.get("decisions") else []
    labels = [LABELS] if manifest.get("labelled") else []
    dates = ["works"] if study.get("listed_at_publication_only") else []
    unread = () if "panel" in manifest["tables"] else ("topics",)  # only a panel standardises by field
    used: Mapping[str, list[str]] = {
        HARVEST: [],
        TABULATE: [RECORDS, *_registry(manifest, ENTITIES)],
        CLASSIFY: [
            "works",
            "topics",
            *_named("taxonomy", manifest, "taxonomies"),
            *_named("model of", manifest, "models"),
        ],
        SCREEN: [
            "affiliations",
            *dates,
            *_named("watchlist", manifest, "watchlists"),
            *_registry(manifest, CORRECTIONS),
            *decisions,
        ],
        MEASURE: [
            *(table for table in manifest["tables"] if stage_of(table) != MEASURE and table not in unread),
            *_named("taxonomy", manifest, "taxonomies"),
            *_named("watchlist", manifest, "watchlists"),
            *decisions,
            *labels,
            *(f"{facts['kind']} {facts['id']}" for facts in manifest.get("figures", ())),
        ],
        REPORT: list(manifest["tables"]),
    }
    return [STUDY, *used[stage]]


def _registry(manifest: Mapping[str, Any], but: str) -> list[str]:
    return [f"registry {facts['id']}" for facts in manifest.get("registry", ()) if facts["id"] != but]


def _named(kind: str, manifest: Mapping[str, Any], key: str) -> Iterable[str]:
    return (f"{kind} {facts['id']}" for facts in manifest.get(key, ()))
