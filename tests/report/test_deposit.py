"""Rules of the package for everybody: nothing of a person is in it, and what would be is refused."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import polars as pl
import pytest
import yaml

from copub.errors import FileError
from copub.names import EXPORTS, PUBLIC
from copub.report.deposit import private_columns
from copub.report.exports import build_exports
from copub.schema import TABLES


@pytest.fixture(scope="module")
def package(world: Any) -> dict[str, bytes]:
    return build_exports(*world, [PUBLIC])


def test_the_package_is_made_on_request_alone(world: Any, package: dict[str, bytes]) -> None:
    assert PUBLIC not in EXPORTS
    assert not any(name.startswith("public/") for name in build_exports(*world))
    assert {"public/README.md", "public/datasheet.md", "public/CITATION.cff", "public/datapackage.json"} <= set(package)


def test_no_author_title_abstract_address_or_printed_string_is_in_it(world: Any, package: dict[str, bytes]) -> None:
    tables = world[0]
    whole = b"\n".join(package.values()).decode("utf-8")
    authors = set(tables["authorships"]["author_name"].drop_nulls())
    strings = set(tables["affiliations"]["raw_affiliation_string"].drop_nulls())
    titles = set(tables["copublications"]["title"].drop_nulls())
    assert authors and strings and titles
    for text in authors | strings | titles:
        assert text not in whole
    assert "@" not in re.sub(r"[\w-]+@v\d", "", whole)


def test_every_column_that_the_list_keeps_out_exists_and_stays_out(package: dict[str, bytes]) -> None:
    for table, columns in private_columns().items():
        assert set(columns) <= set(TABLES[table].schema)
        if f"public/csv/{table}.csv" in package:
            assert not set(columns) & set(pl.read_csv(io.BytesIO(package[f"public/csv/{table}.csv"])).columns)


def test_the_numbers_are_those_of_the_run(world: Any, package: dict[str, bytes]) -> None:
    for name in ("shares", "trends", "copublications", "hits"):
        assert pl.read_csv(io.BytesIO(package[f"public/csv/{name}.csv"])).height == world[0][name].height
    described = json.loads(package["public/datapackage.json"])["resources"]
    for resource in described:
        content = package[f"public/{resource['path']}"]
        names = pl.read_csv(io.BytesIO(content), n_rows=0).columns
        assert [field["name"] for field in resource["schema"]["fields"]] == names


def test_an_institution_that_only_a_printed_string_names_is_in_no_table(world: Any) -> None:
    tables, manifest = world
    name = tables["institutions"]["institution_name"].drop_nulls()[0]
    unresolved = pl.when(pl.col("institution_name") == name).then(None).otherwise("institution_id")
    printed = tables["institutions"].with_columns(unresolved.alias("institution_id"))
    rows = tables["bootstrap"].head(1).with_columns(item=pl.lit(name))
    changed = {**tables, "institutions": printed, "bootstrap": pl.concat([tables["bootstrap"], rows])}
    files = build_exports(changed, manifest, [PUBLIC])
    for table in ("institutions", "shares", "bootstrap"):
        assert name not in files[f"public/csv/{table}.csv"].decode("utf-8"), table


def test_the_manifest_names_no_reader(world: Any) -> None:
    tables, manifest = world
    decided = {"value": "a string", "entity_id": "e", "decision": "no", "reason": "r", "reviewer": "Jane Q. Reader"}
    labelled = {"work_id": "W1", "critical": True, "listed": None, "reader": "Jane Q. Reader"}
    files = build_exports(tables, {**manifest, "decisions": [decided], "labelled": [labelled]}, [PUBLIC])
    assert not any(b"Jane" in content or b"a string" in content for content in files.values())
    read = json.loads(files["public/manifest.json"])["read_by_people"]
    assert read == {"decisions": 1, "labelled": 1}


def test_the_citation_is_valid_yaml_and_the_readme_has_the_command(package: dict[str, bytes]) -> None:
    assert yaml.safe_load(package["public/CITATION.cff"])["type"] == "dataset"
    assert "copub run mock" in package["public/README.md"].decode("utf-8")


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("Mock Author 1", "the name of an author"),
        ("write to reader@example.org", "an e-mail address"),
        ("We study this at length. " * 30, "a text of more than 400"),
    ],
)
def test_a_cell_that_looks_like_a_person_an_address_or_an_abstract_stops_the_package(
    world: Any, cell: str, what: str
) -> None:
    tables, manifest = world
    changed = tables["funders"].with_columns(funder=pl.lit(cell)) if tables["funders"].height else None
    assert changed is not None
    with pytest.raises(FileError, match="package for everybody") as caught:
        build_exports({**tables, "funders": changed}, manifest, [PUBLIC])
    assert what in str(caught.value) and "funders.funder" in str(caught.value)
