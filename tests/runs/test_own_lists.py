"""Rules of a person's own lists: they give what shipped ones give, from any folder, and a run keeps copies of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import copub
from copub import parse_study
from copub.cli import app
from copub.cli.app import call
from copub.cli.runs import run_lines
from copub.errors import InputError
from copub.history.verify import verification_lines, verify
from copub.pipeline import STAGES
from copub.report.exports import export
from copub.runs import Run, open_run
from copub.runs.copies import FOLDER, copies_in, question_of, watchlists_of
from copub.runs.folder import sha256_of
from copub.runs.manifest import command_line
from copub.shipped import shipped_folder

from .conftest import study_text

SHIPPED = {
    "taxonomy": ("taxonomies/technologies", "aspi-64"),
    "watchlist": ("taxonomies/watchlists", "demo-list"),
    "published": ("taxonomies/published", "ceias-belgium-2026"),
    "ties": ("taxonomies/ties", "belgium"),
}
STAGE = re.compile(rf'<tr><th scope="row"><bdi>({"|".join(STAGES)})</bdi></th><td><bdi>\d')  # its time differs
LABELS = "work_id,critical,listed,top_level,reader,date,stands_for\n"


def command(*arguments: str | Path) -> int:
    return call(lambda: app(list(map(str, arguments)), standalone_mode=False))


def own_lists(folder: Path) -> dict[str, str]:
    """Copy a shipped list of each kind under an id of its own; return the paths that a study in `folder` gives.

    All of them are called ``list``, in folders of their own; the members of the watchlist are in yet another one.
    """
    names = {}
    for kind, (place, name) in SHIPPED.items():
        suffix = ".csv" if kind == "ties" else ".toml"
        target = folder.parent / kind / f"list{suffix}"
        target.parent.mkdir(parents=True)
        text = (shipped_folder(place) / f"{name}{suffix}").read_text(encoding="utf-8")
        target.write_text(text.replace(f'id = "{name}"', f'id = "my-{name}"', 1), encoding="utf-8")
        names[kind] = f"../{kind}/list{suffix}"
    head = folder.parent / "watchlist" / "list.toml"
    head.write_text(f'{head.read_text(encoding="utf-8")}\nmembers = "../members/list.csv"\n', encoding="utf-8")
    (folder.parent / "members").mkdir()
    shutil.copy(shipped_folder(SHIPPED["watchlist"][0]) / "demo-list.csv", folder.parent / "members" / "list.csv")
    return names


def study_with(names: dict[str, str], study_id: str, more: str = "") -> str:
    text = study_text(2000).replace('id = "demo"', f'id = "{study_id}"').replace('title = "', 'title = "Lists: ')
    text = text.replace('headline = "eu-2023-2113"', f'headline = "{names["taxonomy"]}"')
    text = text.replace('["demo-list"]', f'["{names["watchlist"]}"]')
    compared = f'published = ["{names["published"]}"]\nties = ["{names["ties"]}"]\n'
    return f'{text}\n[comparison]\n{compared}\n[adjusted]\nlabelled = "{names["labelled"]}"\n{more}'


@dataclass(frozen=True)
class World:
    """A run with shipped lists, one with the same lists as a person's own, and where all of it is."""

    shipped: Run
    own: Run
    project: Path
    works: Path
    reports: Path
    cache: Path
    originals: dict[str, bytes]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, small_works: Path, small_run: Run) -> Iterator[World]:
    """Run both studies from a folder that holds neither; then the originals are gone."""
    place = tmp_path_factory.mktemp("own")
    studies = place / "project" / "studies"
    studies.mkdir(parents=True)
    ids = small_run.tables["copublications"]["work_id"].sort().head(30)
    rows = [
        f"{work},{'yes' if n % 3 else 'no'},{'yes' if n % 2 else 'no'},,R,2026-11-20,7\n" for n, work in enumerate(ids)
    ]
    (studies / "read.csv").write_text(LABELS + "".join(rows), encoding="utf-8")
    names = own_lists(studies)
    shipped = {kind: name for kind, (_, name) in SHIPPED.items()}
    (studies / "own.toml").write_text(study_with(names | {"labelled": "read.csv"}, "study-own"), encoding="utf-8")
    (studies / "shipped.toml").write_text(
        study_with(shipped | {"labelled": "read.csv"}, "study-shipped"), encoding="utf-8"
    )
    options: dict[str, Any] = {"works": [small_works], "cache": place / "cache", "reports": place / "reports"}
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(elsewhere)
        patch.setenv("COPUB_REPORTS", str(place / "reports"))
        patch.setenv("COPUB_CACHE", str(place / "cache"))
        runs = [copub.run(f"../project/studies/{name}.toml", **options) for name in ("shipped", "own")]
        originals = {str(p.relative_to(place / "project")): p.read_bytes() for p in (place / "project").rglob("*.*")}
        shutil.rmtree(place / "project")
        yield World(*runs, place / "project", small_works, place / "reports", place / "cache", originals)


@pytest.fixture
def third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_shipped(text: str) -> str:
    """Return a text with the ids of the own lists replaced by those of the shipped ones."""
    for _, name in SHIPPED.values():
        text = text.replace(f"my-{name}", name)
    return text


def sentences(text: str, run: Run) -> list[str]:
    """Return a text without ids of lists and study, names of the run, hashes, and dates of making."""
    text = as_shipped(text).replace(run.folder.name, "RUN").replace(run.manifest["created"], "CREATED")
    text = text.replace(str(run.folder.parent), "REPORTS").replace(run.manifest["created"][:10], "DAY")
    text = re.sub(rf"\b{run.manifest['study']['id']}\b", "STUDY", text)
    text = re.sub(r"\b[0-9a-f]{8,64}\b", "HASH", text)
    return [line for line in text.splitlines() if not STAGE.match(line)]


def test_every_table_is_that_of_the_shipped_lists(world: World) -> None:
    assert set(world.own.tables) == set(world.shipped.tables)
    for name, table in world.own.tables.items():
        rows = [json.loads(as_shipped(json.dumps(row, default=str))) for row in table.to_dicts()]
        expected = [json.loads(json.dumps(row, default=str)) for row in world.shipped.tables[name].to_dicts()]
        assert sorted(map(str, rows)) == sorted(map(str, expected)), name  # some tables are sorted by ids of lists


def test_the_terminal_output_is_that_of_the_shipped_lists(world: World) -> None:
    lines = [sentences("\n".join(run_lines(run)), run) for run in (world.own, world.shipped)]
    assert lines[0] == lines[1]
    assert "involve a listed institution" in " ".join(lines[0]) and "not measured" not in " ".join(lines[0])


def test_the_page_is_that_of_the_shipped_lists(world: World) -> None:
    pages = [
        sentences((run.folder / "report.html").read_text(encoding="utf-8"), run) for run in (world.own, world.shipped)
    ]
    assert pages[0] == pages[1]
    joined = "\n".join(pages[0])
    for heading in ("By area of technology", "Before and after", "Within parts of the corpus"):
        assert heading in joined


def cells(run: Run) -> list[list[str]]:
    book = openpyxl.load_workbook(run.folder / "workbook.xlsx", read_only=True)
    rows = [[sheet.title, *map(str, row)] for sheet in book for row in sheet.iter_rows(values_only=True)]
    return [sentences("\t".join(row), run) for row in rows]


def test_the_workbook_is_that_of_the_shipped_lists(world: World) -> None:
    own, shipped = cells(world.own), cells(world.shipped)
    assert sorted(own) == sorted(shipped)


def test_the_summary_is_that_of_the_shipped_lists(world: World, tmp_path: Path) -> None:
    texts = []
    for run in (world.own, world.shipped):
        (path,) = export(run.tables, run.manifest, tmp_path / run.folder.parent.name, ["markdown"])
        texts.append(sentences(path.read_text(encoding="utf-8"), run))
    assert texts[0] == texts[1]


def test_the_run_keeps_byte_exact_copies_and_its_manifest_names_no_folder_of_the_machine(world: World) -> None:
    kept = {copy["file"]: copy for copy in copies_in(world.own)}
    assert sorted(kept) == [
        "inputs/labelled/read.csv", "inputs/published/my-ceias-belgium-2026.toml", "inputs/study.toml",
        "inputs/taxonomies/my-aspi-64.toml", "inputs/ties/list.csv",
        "inputs/watchlists/my-demo-list.csv", "inputs/watchlists/my-demo-list.toml",
    ]  # fmt: skip
    files = {p.relative_to(world.own.folder).as_posix(): p for p in (world.own.folder / FOLDER).rglob("*.*")}
    assert sorted(files) == sorted(kept)
    for name, path in files.items():
        assert path.read_bytes() in world.originals.values()
        assert sha256_of(path) == kept[name]["sha256"] and "/" not in kept[name]["name"]
    text = (world.own.folder / "manifest.json").read_text(encoding="utf-8")
    assert str(world.project) not in text and "../" not in text
    assert [copy["file"] for copy in copies_in(world.shipped)] == ["inputs/study.toml", "inputs/labelled/read.csv"]


@pytest.mark.slow
def test_from_a_third_folder_every_command_works_though_the_originals_are_gone(
    world: World, third: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not world.project.exists()
    assert command("verify", "study-own", "--works", world.works, "--quiet") == 0
    assert "The same to the byte" in capsys.readouterr().out
    assert command("trend", "study-own", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["runs"]
    assert row["today_share"] == row["share"] == world.own.share()["share"]
    institution = world.own.tables["institutions"].filter(side="a")["institution_name"][0]
    for arguments in (
        ("review", "sample", "study-own", "--out", "hits.csv"),
        ("review", "works", "study-own", "--out", "works.csv", "--size", "16"),
        ("review", "texts", "study-own", "--out", "texts.csv", "--size", "6"),
        ("compare", world.shipped.folder.parent.name, "study-own", "--out", "compared"),
        ("dossier", "study-own", "--institution", institution),
        ("export", "study-own", "--out", "export"),
        ("runs", "list", "study-own"),
    ):
        assert command(*arguments) == 0, arguments
    assert (third / "hits.csv").stat().st_size > 1000
    sheet = pl.read_csv(third / "texts.csv", infer_schema=False)
    read = sheet.with_columns(
        core=pl.lit(next(iter(world.own.manifest["taxonomies"][0]["areas"]))), reader=pl.lit("R"),
        date=pl.lit("2026-11-20"),
    )  # fmt: skip
    read.write_csv(third / "read.csv")
    assert command("review", "labels", "study-own", "read.csv", "--out", "labelled.jsonl") == 0


def test_a_run_folder_can_be_asked_again(world: World, third: Path) -> None:
    again = copub.run(world.own.folder, works=[world.works], reports=third / "reports", until="measure")
    assert {name: facts["sha256"] for name, facts in again.manifest["tables"].items()} == {
        name: facts["sha256"] for name, facts in world.own.manifest["tables"].items()
    }
    assert [copy["sha256"] for copy in copies_in(again)] == [copy["sha256"] for copy in copies_in(world.own)]
    assert again.manifest["study"] == world.own.manifest["study"]


@pytest.fixture
def damaged(world: World, tmp_path: Path) -> Run:
    return open_run(shutil.copytree(world.own.folder, tmp_path / "reports" / "study-own" / world.own.folder.name))


def test_verify_names_a_copy_that_is_not_as_the_run_wrote_it(world: World, damaged: Run) -> None:
    members = damaged.folder / "inputs" / "watchlists" / "my-demo-list.csv"
    lines = members.read_text(encoding="utf-8").splitlines(keepends=True)
    members.write_text("".join(lines[:-1]), encoding="utf-8")
    found = verify(damaged, world.cache, [world.works])
    assert not found.is_same
    stated = "\n".join(verification_lines(found))
    assert "inputs/watchlists/my-demo-list.csv: the file in the run folder is not the one" in stated
    assert "watchlist my-demo-list was" in stated


def test_a_copy_that_is_gone_is_named(damaged: Run, world: World) -> None:
    (damaged.folder / "inputs" / "taxonomies" / "my-aspi-64.toml").unlink()
    with pytest.raises(InputError, match="no such taxonomy") as caught:
        verify(damaged, world.cache, [world.works])
    assert "inputs/taxonomies/my-aspi-64.toml" in str(caught.value)


@pytest.mark.slow
def test_an_own_list_with_the_id_of_a_shipped_one_is_the_one_that_counts(small_works: Path, tmp_path: Path) -> None:
    text = (shipped_folder("taxonomies/watchlists") / "demo-list.toml").read_text(encoding="utf-8")
    members = (shipped_folder("taxonomies/watchlists") / "demo-list.csv").read_text(encoding="utf-8")
    (tmp_path / "list.toml").write_text(text, encoding="utf-8")
    (tmp_path / "list.csv").write_text("".join(members.splitlines(keepends=True)[:4]), encoding="utf-8")
    asked = parse_study(study_text(2000).replace('["demo-list"]', '["list.toml"]'), folder=tmp_path)
    options: dict[str, Any] = {"cache": tmp_path / "cache", "reports": tmp_path / "reports", "until": "measure"}
    few = tmp_path / "few.jsonl"
    few.write_bytes(b"".join(small_works.read_bytes().splitlines(keepends=True)[:60]))
    run = copub.run(asked, works=[few], **options)
    for name in ("list.toml", "list.csv"):
        (tmp_path / name).unlink()
    assert run.manifest["study"]["watchlists"] == ["demo-list"]
    assert len(watchlists_of(run)[0].entities) == 3 == len(question_of(run).watchlists[0].entities)
    assert set(run.tables["hits"]["entity_id"]) <= {member.entity.id for member in watchlists_of(run)[0].entities}
    assert verify(run, tmp_path / "cache", [few]).is_same


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["/opt/bin/copub", "run", "../a/s.toml"], ["copub", "run", "s.toml"]),
        (["copub", "run", "demo", "--reports=/home/a=b/c", "-q"], ["copub", "run", "demo", "--reports=c", "-q"]),
        (["copub", "run", "--works", "/data/w.jsonl"], ["copub", "run", "--works", "w.jsonl"]),
    ],
)
def test_the_command_in_the_manifest_names_files_without_their_folders(given: list[str], kept: list[str]) -> None:
    assert command_line(given) == kept
