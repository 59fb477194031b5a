"""Rules of provenance: for every table and file, the code, data, lists, model and decisions that made it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests
import rocrate
import urllib3

import copub
from copub.lists.decisions import keep_decisions
from copub.rocrate import CRATE
from copub.runs import Run, sha256_of
from copub.runs.instruments import figures, hash_of, instruments, study_of
from copub.runs.provenance import provenance, stage_of
from copub.schema import TABLES
from copub.shipped import shipped_folder


def graph_of(run: Run) -> dict[str, dict[str, Any]]:
    crate = json.loads((run.folder / CRATE).read_text(encoding="utf-8"))
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"]), "an @id occurs twice"
    return entities


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and set(value) == {"@id"}:
        yield value["@id"]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from references(part)


def test_every_table_and_every_file_is_made_by_exactly_one_stage(small_run: Run) -> None:
    rows = small_run.manifest["provenance"]
    assert [row["stage"] for row in rows] == ["harvest", "tabulate", "classify", "screen", "measure", "report"]
    made = [name for row in rows for name in row["made"]]
    assert len(made) == len(set(made))
    files = {path.name for path in small_run.folder.iterdir() if path.is_file()} - {CRATE, "manifest.json"}
    assert set(made) == {"records", *small_run.tables, *files}
    assert set(small_run.tables) <= set(TABLES)


def test_a_stage_uses_nothing_that_a_later_stage_makes(small_run: Run) -> None:
    there: set[str] = set()
    given = {"study", "decisions"} | {
        name
        for name in instruments(small_run.manifest) | figures(small_run.manifest)
        if not name.startswith(("OpenAlex", "copub"))
    }
    for row in small_run.manifest["provenance"]:
        assert set(row["used"]) <= given | there, row["stage"]
        there |= set(row["made"])


def test_the_stages_name_lists_taxonomies_models_registry_and_evaluation_with_their_hashes(small_run: Run) -> None:
    rows = {row["stage"]: row for row in small_run.manifest["provenance"]}
    assert {"taxonomy eu-2023-2113", "model of eu-2023-2113"} <= set(rows["classify"]["used"])
    assert {"watchlist demo-list", "registry words", "registry entities"} <= set(rows["screen"]["used"])
    assert {"hits", "assignments", "evaluation matcher"} <= set(rows["measure"]["used"])
    assert "registry patches" in rows["tabulate"]["used"]
    facts = {facts["id"]: facts["hash"] for facts in small_run.manifest["registry"]}
    places = shipped_folder("taxonomies/watchlists/registry")
    assert facts == {path.stem: sha256_of(path) for path in places.glob("*.csv")}
    assert all(len(rows[stage]["code"]) == 64 for stage in ("tabulate", "classify", "screen", "measure"))


@pytest.mark.parametrize(
    ("stage", "table", "study", "tables"),
    [
        ("screen", "works", {"listed_at_publication_only": True}, ()),
        ("measure", "topics", {}, ("topics", "panel")),
    ],
)
def test_the_provenance_names_a_table_that_only_some_studies_read(
    small_run: Run, stage: str, table: str, study: dict[str, Any], tables: tuple[str, ...]
) -> None:
    def used(manifest: dict[str, Any]) -> list[str]:
        return next(row["used"] for row in provenance(manifest, []) if row["stage"] == stage)

    plain = dict(small_run.manifest)
    more = plain | {"study": plain["study"] | study, "tables": plain["tables"] | {name: {} for name in tables}}
    assert table not in used(plain)
    assert table in used(more)


def test_the_crate_describes_every_file_of_the_run_folder_with_its_hash(small_run: Run) -> None:
    graph = graph_of(small_run)
    parts = {part["@id"] for part in graph["./"]["hasPart"]}
    there = {path.relative_to(small_run.folder).as_posix() for path in small_run.folder.rglob("*") if path.is_file()}
    assert parts == there - {CRATE}
    for name in parts - {"manifest.json"}:
        path = small_run.folder / name
        assert graph[name]["@type"] == "File"
        assert graph[name]["sha256"] == sha256_of(path), name
        assert graph[name]["contentSize"] == str(path.stat().st_size)
    for name, facts in small_run.manifest["tables"].items():
        assert graph[f"tables/{name}.parquet"]["sha256"] == facts["sha256"]


def test_the_crate_keeps_the_musts_of_ro_crate_and_of_process_run_crate(small_run: Run) -> None:
    graph = graph_of(small_run)
    assert graph[CRATE]["about"] == {"@id": "./"}
    assert graph[CRATE]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph["./"]
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    assert root["name"].startswith("SYNTHETIC: ")
    outside = {"https://w3id.org/ro/crate/1.1"}
    assert {name for entity in graph.values() for name in references(entity)} <= {*graph, *outside}
    actions = [entity for entity in graph.values() if entity["@type"] == "CreateAction"]
    assert {action["@id"] for action in actions} == {mention["@id"] for mention in root["mentions"]}
    for action in actions:
        code = graph[action["instrument"]["@id"]]
        assert code["@type"] == "SoftwareSourceCode"
        assert code["version"] == small_run.manifest["copub_version"]
        assert action["result"]


@pytest.mark.slow
def test_a_validator_finds_the_crate_in_order_as_a_crate_of_processes(
    small_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, models = (pytest.importorskip(f"rocrate_validator.{name}") for name in ("services", "models"))
    context = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"

    def answer(self: Any, request: requests.PreparedRequest, **_: Any) -> Any:
        """Stand in for the network: the context that the rocrate library carries."""
        kind = {"Content-Type": "application/ld+json"}
        body = io.BytesIO(context.read_bytes())
        return self.build_response(request, urllib3.HTTPResponse(body, headers=kind, status=200, preload_content=False))

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    asked = services.ValidationSettings(
        rocrate_uri=str(small_run.folder),
        profile_identifier="process-run-crate-0.5",
        requirement_severity=models.Severity.RECOMMENDED,
    )
    issues = [(issue.severity, str(issue.message)) for issue in services.validate(asked).get_issues()]
    assert not [text for severity, text in issues if severity >= models.Severity.REQUIRED]
    # who ran and publishes it, and where the software can be had, the run does not know
    unknown = ("agent", "`author`", "`publisher`", "url", "absolute URI")
    assert not [text for _, text in issues if not any(word in text for word in unknown)]


def test_from_a_table_one_can_follow_the_crate_back_to_the_records_and_the_lists(small_run: Run) -> None:
    graph = graph_of(small_run)
    makers = {name: action for action in graph.values() for name in references(action.get("result"))}
    seen: set[str] = set()
    waiting = ["tables/shares.parquet"]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += references(makers.get(name, {}).get("object"))
    assert {"#records", "#study", "#watchlist-demo-list", "#model-of-eu-2023-2113", "tables/hits.parquet"} <= seen
    assert graph["#study"]["sha256"] == small_run.manifest["study"]["hash"]


def test_people_s_decisions_stand_in_the_provenance_of_hits(small_run: Run, small_works: Path, tmp_path: Path) -> None:
    hit = small_run.tables["hits"].filter(tier="name").row(0, named=True)
    (tmp_path / "demo").mkdir()
    facts = {"decision": "no", "reason": "read", "reviewer": "R", "date": "2026-01-01"}
    decided = pl.DataFrame([{"value": hit["value"], "entity_id": hit["entity_id"], **facts}])
    keep_decisions(tmp_path, "demo", decided)
    options: dict[str, Any] = {"cache": tmp_path / "cache", "reports": tmp_path, "until": "screen"}
    run = copub.run(study_of(small_run.manifest), works=[small_works], **options)
    assert "decisions" in {row["stage"]: row for row in run.manifest["provenance"]}["screen"]["used"]
    assert graph_of(run)["#decisions"]["sha256"] == hash_of(run.manifest["decisions"])


def test_a_manifest_of_an_older_copub_tells_what_it_knows() -> None:
    rows = provenance({"study": {}, "tables": {"works": {}, "hits": {}, "shares": {}}})
    assert [(row["stage"], row["made"]) for row in rows] == [
        ("harvest", ["records"]), ("tabulate", ["works"]), ("screen", ["hits"]), ("measure", ["shares"]),
    ]  # fmt: skip
    assert {row["code"] for row in rows} == {""}


@pytest.mark.parametrize(("table", "stage"), [("repairs", "tabulate"), ("hits", "screen"), ("shares", "measure")])
def test_every_table_has_a_stage(table: str, stage: str) -> None:
    assert stage_of(table) == stage


def test_the_bar_of_measure_counts_the_tables_of_its_stage() -> None:
    from copub.measures.measure import GIVEN

    assert {name for name in TABLES if stage_of(name) == "measure"} == TABLES.keys() - GIVEN
