"""Rules of the exports: each opens in the tool it is for, and names no person."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import networkx as nx
import polars as pl
import pytest

from copub.errors import InputError
from copub.names import EXPORTS
from copub.report.exports import build_exports, export


@pytest.fixture(scope="module")
def files(world: Any) -> dict[str, bytes]:
    return build_exports(*world)


def test_an_unknown_kind_is_the_users_to_correct(world: Any) -> None:
    with pytest.raises(InputError, match="no export 'docx'"):
        build_exports(*world, ["docx"])


def test_only_what_is_asked_is_made_with_what_it_describes(world: Any) -> None:
    assert set(build_exports(*world, ["gexf"])) == {"partner-network.gexf"}
    paths = set(build_exports(*world, ["datapackage"]))
    assert "datapackage.json" in paths and "csv/shares.csv" in paths and "summary.md" not in paths


def test_files_are_written_where_asked(world: Any, tmp_path: Path) -> None:
    paths = export(*world, tmp_path / "out", ["csv", "markdown"])
    assert all(path.is_file() for path in paths) and (tmp_path / "out/csv/copublications.csv") in paths


def test_the_same_run_gives_the_same_bytes(world: Any, files: dict[str, bytes]) -> None:
    assert build_exports(*world, EXPORTS) == files


def test_no_reference_names_an_author(files: dict[str, bytes]) -> None:
    for name in ("listed-works.bib", "listed-works.ris", "summary.md"):
        assert b"Mock Author" not in files[name]


def test_csv_reads_back_with_all_rows(world: Any, files: dict[str, bytes]) -> None:
    for name, frame in world[0].items():
        assert pl.read_csv(io.BytesIO(files[f"csv/{name}.csv"])).shape == frame.shape, name


def test_gexf_is_read_by_networkx(world: Any, files: dict[str, bytes]) -> None:
    graph = nx.read_gexf(io.BytesIO(files["partner-network.gexf"]))
    pairs = world[0]["pairs"]
    assert graph.number_of_edges() == pairs.height
    assert sum(data["weight"] for *_, data in graph.edges(data=True)) == pairs["works"].sum()
    assert {data["side"] for _, data in graph.nodes(data=True)} == {"a", "b"}
    assert b'lastmodifieddate="2026-11-21"' in files["partner-network.gexf"]


def test_vosviewer_links_join_known_items(world: Any, files: dict[str, bytes]) -> None:
    network = json.loads(files["partner-network.json"])["network"]
    known = {item["id"] for item in network["items"]}
    assert len(known) == len(network["items"])
    assert all({link["source_id"], link["target_id"]} <= known for link in network["links"])
    assert sum(link["strength"] for link in network["links"]) == world[0]["pairs"]["works"].sum()
    assert {item["cluster"] for item in network["items"]} == {1, 2, 3}


def test_every_listed_work_has_one_reference(world: Any, files: dict[str, bytes]) -> None:
    count = world[0]["copublications"]["is_critical_listed"].sum()
    assert len(re.findall(rb"^@(?:article|misc)\{W\d+,$", files["listed-works.bib"], flags=re.M)) == count
    assert files["listed-works.ris"].count(b"TY  - ") == files["listed-works.ris"].count(b"ER  - ") == count


def test_the_data_package_describes_each_csv_truly(files: dict[str, bytes]) -> None:
    package = json.loads(files["datapackage.json"])
    for resource in package["resources"]:
        content = files[resource["path"]]
        assert resource["bytes"] == len(content)
        assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        heads = content.decode().splitlines()[0].split(",")
        assert [field["name"] for field in resource["schema"]["fields"]] == heads
    assert package["title"].startswith("SYNTHETIC")


def test_the_crate_describes_every_file_and_itself(files: dict[str, bytes]) -> None:
    crate = json.loads(files["ro-crate-metadata.json"])
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    root = entities["./"]
    assert {"name", "description", "datePublished", "license", "hasPart"} <= set(root)
    parts = {part["@id"] for part in root["hasPart"]}
    assert parts == set(files) - {"ro-crate-metadata.json"}
    for part in parts:
        assert entities[part]["sha256"] == hashlib.sha256(files[part]).hexdigest()
    named = set(re.findall(r'"@id": "([^"]+)"', json.dumps(crate)))
    assert {name for name in named if not name.startswith("https://")} <= set(entities)


def test_the_summary_says_the_sentence_and_the_notes(files: dict[str, bytes]) -> None:
    text = files["summary.md"].decode()
    assert "of 400 co-publications (" in text and "no finding about a person" in text


def test_hostile_texts_stay_inert_in_every_export(hostile: Any) -> None:
    files = build_exports(*hostile)
    graph = nx.read_gexf(io.BytesIO(files["partner-network.gexf"]))
    assert graph.number_of_nodes() > 0
    assert json.loads(files["partner-network.json"]) and json.loads(files["ro-crate-metadata.json"])
    bib = files["listed-works.bib"].decode()
    assert bib.count("{") - bib.count(r"\{") == bib.count("}") - bib.count(r"\}")
    assert "\\end{document}" not in bib
    ris = files["listed-works.ris"].decode()
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in ris.split("\r\n") if line)
    assert "<script" not in re.sub(r"\\<script", "", files["summary.md"].decode())


@pytest.mark.parametrize("n", [0, 1])
def test_empty_and_tiny_runs_export(make_world: Any, n: int) -> None:
    assert set(build_exports(*make_world(n))) >= {"datapackage.json", "ro-crate-metadata.json"}
    assert "summary.md" in build_exports({}, {})
