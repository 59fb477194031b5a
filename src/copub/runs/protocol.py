"""The sealed protocol of a study: what is asked, with what, and which outcome is primary, before the data are seen.

It is in the folder of the study's runs and is written once. A run of a study that has one says whether all is
as frozen, or names every deviation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from copub.errors import InputError
from copub.jsonshape import Count, Digest, Name, read_json
from copub.measures.events import measures_of
from copub.measures.growth import KINDS_OF_GROWTH
from copub.measures.inputs import thresholds_of
from copub.measures.panelworks import MEASURES as PANEL_MEASURES
from copub.measures.switches import settings_of
from copub.runs.folder import RunWriter, seal_of
from copub.runs.keep import runs_of
from copub.runs.manifest import study_facts
from copub.runs.stagecache import stage_codes
from copub.runs.staging import model_facts
from copub.study.question import Question

FILE = "protocol.json"
FORMAT = 1
PRIMARY = "critical_listed"
AS_FROZEN, DEVIATES = "as frozen", "with deviations"
_ASIDE = ("hash", "years", "raw")
"""Of the facts of a study, what repeats other facts or is compared by its hash."""


class _Planned(msgspec.Struct):
    what: Name
    items: list[str]


class _Protocol(msgspec.Struct):
    format: Annotated[int, msgspec.Meta(ge=1, le=FORMAT)]
    frozen_on: Name
    copub_version: Name
    study: dict[str, Any]
    lists: dict[str, Digest]
    models: dict[str, Digest]
    code: dict[str, Name]
    primary: dict[str, Any]
    planned: list[_Planned]
    comparisons: Count
    runs_before: Count
    seal: Digest


def freeze(asked: Question, reports: Path, version: str) -> Path:
    """Write the sealed protocol of a study; return its file.

    Raises `InputError` if the study has one: what is frozen is never overwritten.
    """
    path = reports / asked.study.id / FILE
    planned = list(planned_comparisons(asked))
    values = {
        "format": FORMAT,
        "frozen_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "copub_version": version,
        **_state(asked),
        "primary": {
            "measure": PRIMARY,
            "counting": asked.study.counting,
            "of": "all co-publications of the study's years",
            "levels": list(asked.study.levels),
            "confidence": asked.study.confidence,
        },
        "planned": planned,
        "comparisons": sum(len(group["items"]) for group in planned),
        "runs_before": len(runs_of(reports, asked.study.id)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values | {"seal": seal_of(values)}, indent=1, ensure_ascii=False) + "\n"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"the study {asked.study.id} is frozen already",
            where=str(path),
            hint="run it as it is frozen; to freeze it anew, move this protocol to another place, and keep it",
        ) from None
    return path


def planned_comparisons(asked: Question) -> Iterator[dict[str, Any]]:
    """Yield the groups of comparisons that a run of the study makes beside its primary outcome."""
    study = asked.study
    points = sorted({point for by_point in thresholds_of(study).values() for point in by_point})
    yield {
        "what": "before and after dated events",
        "items": [f"{event.date} {event.label}: {measure}" for event in study.events for measure in measures_of(study)],
    }
    yield {"what": "growth per year", "items": [f"{measure}, {kind}" for measure, kind in KINDS_OF_GROWTH]}
    yield {
        "what": "one switch moved at a time",
        "items": [
            f"{switch}: {setting.name}"
            for switch, choices in settings_of(study, asked.headline_levels, points).items()
            for setting in choices
            if not setting.own
        ],
    }
    if study.pairs:
        items = [f"{pair.key}: {measure}" for pair in study.pairs for measure in PANEL_MEASURES]
        yield {"what": "pairs of the panel, by rank and difference", "items": items}
        dated = [f"{event.date} {event.label}: {item}" for event in study.events for item in items]
        yield {"what": "dated events in pairs against the rest of the panel", "items": dated}
    yield {
        "what": "published figures",
        "items": [
            f"{source.id}: {figure.id}"
            for source in asked.published
            for figure in source.figures
            if figure.kind != "context"
        ],
    }


def _state(asked: Question) -> dict[str, Any]:
    """Return what a protocol holds fast: study, lists, model and code, by value or by hash."""
    lists = {f"taxonomy {t.id}": t.hash for t in asked.taxonomies}
    lists |= {f"watchlist {w.id}": w.hash for w in asked.watchlists}
    lists |= {f"{one.kind} {one.id}": one.sha256 for one in asked.lists if one.kind not in ("taxonomy", "watchlist")}
    study: dict[str, Any] = json.loads(json.dumps(study_facts(asked.study), ensure_ascii=False))
    study.pop("raw", None)
    return {
        "study": study,
        "lists": lists,
        "models": {model["id"]: model["hash"] for model in model_facts(asked.taxonomies)},
        "code": stage_codes(),
    }


def protocol_facts(
    asked: Question, reports: Path, source: Mapping[str, Any], writer: RunWriter
) -> dict[str, Any] | None:
    """Return for the manifest whether a run is as frozen, with every deviation; None if the study is not frozen.

    Parameters
    ----------
    source : what the manifest says of the records.
    writer : gets a copy of the protocol.
    """
    path = reports / asked.study.id / FILE
    if not path.exists():
        return None
    writer.file(FILE, path.read_bytes())
    frozen = read_json(path, _Protocol, kind="protocol", hint="restore the file, or move it away to freeze anew")
    found = [*_broken(frozen), *_differences(frozen, _state(asked)), *_seen_before(frozen, source)]
    return {
        "frozen_on": frozen["frozen_on"],
        "seal": frozen["seal"],
        "status": DEVIATES if found else AS_FROZEN,
        "deviations": found,
        "primary": frozen["primary"],
        "comparisons": frozen["comparisons"],
        "runs_before": frozen["runs_before"],
    }


def _broken(frozen: Mapping[str, Any]) -> Iterator[str]:
    if seal_of(frozen) != frozen["seal"]:
        yield "the protocol was changed after it was sealed"


def _differences(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before, after = frozen["study"], now["study"]
    changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    settings = [key for key in changed if key not in _ASIDE]
    yield from (f"setting {key}: frozen {_told(before.get(key))}, now {_told(after.get(key))}" for key in settings)
    if "hash" in changed and not settings:
        yield "the text of the study file has changed, but no setting"
    for part, name in (("lists", ""), ("models", "model for "), ("code", "code of the stage ")):
        for key in sorted(frozen[part].keys() | now[part].keys()):
            old, new = frozen[part].get(key), now[part].get(key)
            if old != new:
                how = "is new" if old is None else "is gone" if new is None else "has changed"
                yield f"{name}{key} {how}"


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _seen_before(frozen: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[str]:
    """Yield that the data were at hand before the protocol; of works files nothing tells when they were made."""
    first = str(source.get("first_retrieval") or "")
    if first and datetime.fromisoformat(first) < datetime.fromisoformat(frozen["frozen_on"]):
        yield f"pages were first retrieved on {first[:10]}, before the protocol was sealed"
    if source.get("kind") == "works-files":
        yield "works files do not tell when they were made: whether they were seen before cannot be shown"
