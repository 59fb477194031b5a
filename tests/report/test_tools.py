"""Rules of the exports in the tools they are for: each reads them, and finds what the run holds."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bibtexparser
import frictionless
import jsonschema
import networkx as nx
import polars as pl
import pytest
import requests
import rispy
import rocrate
import urllib3
from rocrate.rocrate import ROCrate
from rocrate_validator import models, services

from copub.report.exports import export

VOSVIEWER = json.loads(Path(__file__).with_name("vosviewer.schema.json").read_text(encoding="utf-8"))
CONTEXT = Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld"


@pytest.fixture(scope="module", params=["a run", "an attacked run"])
def made(request: pytest.FixtureRequest, world: Any, hostile: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run and the folder of all its exports; then the same of a run whose every text is an attack."""
    run = world if request.param == "a run" else hostile
    folder = tmp_path_factory.mktemp("exports")
    export(*run, folder)
    return run, folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer for the context of RO-Crate with the copy that the rocrate library carries; for nothing else."""

    def send(self: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        assert str(request.url).startswith("https://w3id.org/ro/crate/"), request.url
        kind = {"Content-Type": "application/ld+json"}
        body = io.BytesIO(CONTEXT.read_bytes())
        found = urllib3.HTTPResponse(body, headers=kind, status=200, preload_content=False)
        response: requests.Response = self.build_response(request, found)
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    yield


def _numerator(run: Any) -> pl.DataFrame:
    works: pl.DataFrame = run[0]["copublications"].filter("is_critical_listed")
    return works


def test_frictionless_finds_the_data_package_valid(made: Any) -> None:
    (tables, _), folder = made
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    rows = {task.name: task.stats.get("rows", 0) for task in report.tasks}
    assert rows == {name: frame.height for name, frame in tables.items()}


@pytest.mark.slow
def test_a_validator_finds_the_crate_in_order(made: Any, no_network: None) -> None:
    """All that the specification requires, and of what it recommends all but whom only the publishing people know."""
    _, folder = made
    asked = services.ValidationSettings(
        rocrate_uri=str(folder), profile_identifier="ro-crate-1.1", requirement_severity=models.Severity.RECOMMENDED
    )
    found = services.validate(asked)
    issues = [(issue.severity, str(issue.message)) for issue in found.get_issues()]
    assert not [text for severity, text in issues if severity >= models.Severity.REQUIRED]
    assert not [text for _, text in issues if "`author`" not in text and "`publisher`" not in text]


def test_the_rocrate_library_reads_the_crate(made: Any) -> None:
    _, folder = made
    crate = ROCrate(folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}
    assert {entity.id for entity in crate.data_entities} == files - {"ro-crate-metadata.json"}


def test_the_network_holds_to_the_documented_form_of_vosviewer(made: Any) -> None:
    (tables, _), folder = made
    network = json.loads((folder / "partner-network.json").read_text(encoding="utf-8"))
    jsonschema.validate(network, VOSVIEWER)
    assert 0 < len(network["network"]["links"]) <= tables["pairs"].height


def test_networkx_reads_the_gexf(made: Any) -> None:
    (tables, _), folder = made
    graph = nx.read_gexf(folder / "partner-network.gexf")
    pairs = tables["pairs"].drop_nulls(["institution_a", "institution_b"])
    assert 0 < graph.number_of_edges() <= pairs.height
    assert {data["side"] for _, data in graph.nodes(data=True)} == {"a", "b"}


def test_a_bibtex_parser_reads_every_work(made: Any) -> None:
    run, folder = made
    library = bibtexparser.parse_file(str(folder / "listed-works.bib"))
    assert not library.failed_blocks
    assert {entry.key for entry in library.entries} == set(_numerator(run)["work_id"])
    assert not [entry for entry in library.entries if "author" in entry.fields_dict]


def test_rispy_reads_every_work(made: Any) -> None:
    run, folder = made
    entries = rispy.loads((folder / "listed-works.ris").read_text(encoding="utf-8"))
    assert {entry["id"] for entry in entries} == set(_numerator(run)["work_id"])
    assert not [entry for entry in entries if "authors" in entry]
