"""The shape of a manifest: what each key must hold before anything of a run is read.

Runs are passed from hand to hand, so nothing in a manifest is trusted: its names of files stay inside the
folder of the run, its ids are those that a study file may have. Keys that an older copub did not write may be absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from copub.jsonshape import Count, Digest, Name, misfit
from copub.schema import TABLES
from copub.study import SETTINGS
from copub.study.studyfile import kind_fault, value_faults

_FILE = r"^[A-Za-z0-9_][\w.-]{0,199}(/[A-Za-z0-9_][\w.-]{0,199}){0,3}\Z"
_Path = Annotated[str, msgspec.Meta(pattern=_FILE)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[\w][\w .+()-]{0,199}\Z")]
_Number = int | float
Facts = dict[str, Any]


_Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
_Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]


class _Side(msgspec.Struct):
    name: Name
    countries: list[_Code]


class _Pair(msgspec.Struct):
    side_a: _Side
    side_b: _Side


class _Whole(msgspec.Struct):
    id: _Slug
    side_a: list[_Code]
    side_b: list[_Code]
    pairs: list[_Pair] = []


class _Event(msgspec.Struct):
    date: Name
    label: Name
    lag_months: Annotated[int, msgspec.Meta(ge=0, le=120)] = 0


class _Study(msgspec.Struct):
    id: str
    side_a: _Side
    side_b: _Side
    events: list[_Event] = []
    pairs: list[_Pair] = []
    part_of: _Whole | None = None
    bounds: dict[str, list[_Number]] = {}
    raw: str = ""
    hash: Name = ""


class _Page(msgspec.Struct):
    sha256: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    file: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6,9}\.json\.zst)?\Z")] = ""


class _WorksFile(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    sha256: Digest


class _Tombstone(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern=r"^W[0-9]{1,18}\Z")]
    status: Name = ""


class _Changes(msgspec.Struct):
    tombstones: list[_Tombstone] = []


class _Source(msgspec.Struct):
    kind: Name = ""
    query_hash: Name = ""
    round: Annotated[int, msgspec.Meta(ge=1, le=9999)] | None = None
    mode: Name = ""
    last_retrieval: Name | None = None
    pages: list[_Page] | None = None
    files: list[_WorksFile] | None = None
    missing: Count | None = None
    n_missing: Count | None = None
    gaps: list[Facts] = []
    context: dict[Name, dict[Name, Count]] | None = None
    pairs: dict[Name, dict[Name, Count]] | None = None
    changes: _Changes | None = None
    cost: Facts | None = None


class _Made(msgspec.Struct):
    sha256: Digest
    rows: Count = 0


class _Listed(msgspec.Struct):
    id: _Id
    title: str = ""
    hash: Name = ""
    date: Name = ""
    edition: str = ""
    areas: dict[Name, str] = {}
    levels: list[Name] = []
    unrated: Count = 0
    unrated_totals: dict[Name, Count] = {}
    countries: dict[Name, Count] = {}
    kind: Name = ""
    terms: str = ""


class _Decision(msgspec.Struct):
    value: str
    entity_id: str
    decision: str
    reason: str
    reviewer: str
    date: str


class _Label(msgspec.Struct):
    work_id: str
    critical: bool | None
    listed: bool | None
    top_level: bool | None = None
    reader: str = ""
    date: str = ""
    reason: str = ""
    stands_for: _Number | None = None


class _Copy(msgspec.Struct):
    file: _Path
    name: Name
    sha256: Digest


class _Copies(msgspec.Struct):
    kind: Name
    id: Name
    files: Annotated[list[_Copy], msgspec.Meta(min_length=1, max_length=2)]
    key: Name = ""


class _Stage(msgspec.Struct):
    stage: Name
    seconds: _Number = 0
    result: Name = ""


class _Step(msgspec.Struct):
    step: Name
    count: Count
    note: str = ""


class _TrueValue(msgspec.Struct):
    measure: Name
    true_value: _Number
    measured: _Number | None


class _PairRun(msgspec.Struct):
    pair: Name
    study: _Slug
    run: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z][\w-]{0,99}\Z")]


class _Provenance(msgspec.Struct):
    stage: Name
    code: Name
    used: list[Name]
    made: list[Name]


class Manifest(msgspec.Struct):
    """What is read of a manifest."""

    study: _Study
    tables: dict[_Id, _Made]
    format: int = 1
    run_id: Name = ""
    created: Name = ""
    copub_version: Name = ""
    source: _Source = msgspec.field(default_factory=_Source)
    funnel: list[_Step] = []
    epochs: list[Name] = []
    taxonomies: list[_Listed] = []
    models: list[_Listed] = []
    watchlists: list[_Listed] = []
    registry: list[_Listed] = []
    figures: list[_Listed] = []
    code: dict[Name, Name] = {}
    versions: dict[Name, Name] = {}
    decisions: list[_Decision] = []
    labelled: list[_Label] = []
    inputs: list[_Copies] = []
    true_values: list[_TrueValue] = []
    pair_runs: list[_PairRun] = []
    stages: list[_Stage] = []
    provenance: list[_Provenance] = []
    files: dict[_Path, _Made] = {}
    seal: Digest | None = None


def manifest_fault(values: Mapping[str, Any]) -> str:
    """Return which key of a manifest is wrong, what was expected and what was found; empty if none is."""
    wrong = misfit(values, Manifest)
    return wrong or next(_study_faults(values["study"]), "")


def _study_faults(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of a study that a study file could not have; lists are named by id here."""
    for setting in SETTINGS:
        name = setting.attribute
        if name and setting.required and name not in facts:
            yield f"study.{name} is missing"
        if name and name in facts:
            wrong = kind_fault(setting, facts[name])
            yield from [f"study.{name} {wrong}"] if wrong else []
            if not wrong and not setting.lists:
                yield from (f"study.{name}: {message}" for message in value_faults(setting, facts[name]))
    if facts.get("year_from", 0) > facts.get("year_to", 9999):
        yield "study.year_from is after study.year_to"


def table_fault(name: str, schema: Mapping[str, Any]) -> str:
    """Return which column of a table of a run has another type than the schema says; empty if none has."""
    known = TABLES[name].schema if name in TABLES else {}
    wrong = [column for column, kind in schema.items() if column in known and known[column] != kind]
    return f"column {wrong[0]} is {schema[wrong[0]]}, not {known[wrong[0]]}" if wrong else ""
