"""Files as people bring them: every row of ``data/field/README.md`` is read, with the right value."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import copub
from copub.cli.app import app
from copub.errors import InputError
from copub.lists.decisions import read_decisions
from copub.lists.watchlist import Watchlist, load_watchlist
from copub.report.exports import build_exports
from copub.screening import screen_strings
from copub.shipped import shipped_names
from copub.sources.snapshot import extract, parse_pairs

pytestmark = pytest.mark.real


@pytest.fixture(scope="session")
def field(real_data: Path) -> Path:
    return real_data / "field"


@pytest.fixture(scope="session")
def run_of(field: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., copub.Run]:
    folder = tmp_path_factory.mktemp("field")

    def run(name: str, until: str = "tabulate", study: str = "belgium-china") -> copub.Run:
        return copub.run(study, works=[field / name], until=until, cache=folder / "c", reports=folder / "r")

    return run


@pytest.fixture(scope="session")
def all_lists() -> list[Watchlist]:
    return [load_watchlist(name) for name in shipped_names("taxonomies/watchlists") if name != "demo-list"]


def areas_of(run: copub.Run) -> dict[str, list[str]]:
    assigned = run.tables["assignments"].filter("assigned").sort("work_id", "taxonomy", "area")
    found = assigned.group_by("work_id", maintain_order=True).agg(pl.format("{} {}", "taxonomy", "area").alias("areas"))
    return {work: [*areas] for work, areas in found.iter_rows()}


def test_namesakes_abroad_are_no_hits_in_works(run_of: Callable[..., copub.Run]) -> None:
    run = run_of("namesake-abroad-works.jsonl", "screen")
    assert run.tables["works"].height == 3 and run.tables["hits"].is_empty()


def test_both_scripts_of_chinese_names_are_found(field: Path, all_lists: list[Watchlist]) -> None:
    with (field / "traditional-script.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    hits = screen_strings([row["raw_affiliation_string"] for row in rows], all_lists, country="CN")
    found = set(hits.select("raw_affiliation_string", "entity_id").rows())
    found |= set(hits.select("raw_affiliation_string", "via_entity").rows())
    assert len(rows) == 160
    assert [row for row in rows if (row["raw_affiliation_string"], row["entity_id"]) not in found] == []


def test_every_spelling_of_a_formula_gives_the_same_areas(run_of: Callable[..., copub.Run]) -> None:
    run = run_of("formula-in-title.jsonl", "classify")
    titles = dict(run.tables["works"].sort("work_id").select("work_id", "title").iter_rows())
    areas = areas_of(run)
    groups: dict[str, list[list[str] | None]] = {}
    for work, title in titles.items():
        groups.setdefault(title, []).append(areas.get(work))
    assert len(titles) == 32 and len(groups) == 8
    assert all(len(some) == 4 and some.count(some[0]) == 4 for some in groups.values())
    assert sum(some[0] is not None for some in groups.values()) == 6


def test_an_abstract_index_as_map_is_read(run_of: Callable[..., copub.Run]) -> None:
    works = run_of("abstract-index-as-map.parquet").tables["works"]
    assert works.height and works["abstract_status"].to_list() == ["full"] * works.height
    assert works["abstract"].str.contains("[a-z] [a-z]").all()


def test_a_plain_abstract_is_read_by_run_and_by_classify(run_of: Callable[..., copub.Run], field: Path) -> None:
    run = run_of("plain-abstract.jsonl", "classify")
    printed = {json.loads(line)["id"].rpartition("/")[2]: json.loads(line).get("abstract")
               for line in (field / "plain-abstract.jsonl").read_text(encoding="utf-8").splitlines()}  # fmt: skip
    read = dict(run.tables["works"].select("work_id", "abstract").iter_rows())
    assert {work: text for work, text in read.items() if text} == {work: text for work, text in printed.items() if text}
    assert any(read.values())


def test_unboxed_lists_give_the_same_result(run_of: Callable[..., copub.Run]) -> None:
    lists, unboxed = run_of("one-author-lists.jsonl", "screen"), run_of("one-author-unboxed.jsonl", "screen")
    assert lists.tables["works"].height == 1
    for name in ("works", "authorships", "affiliations", "hits"):
        assert lists.tables[name].equals(unboxed.tables[name]), name


def test_years_as_decimal_numbers_are_read(run_of: Callable[..., copub.Run]) -> None:
    works = run_of("year-as-float.jsonl").tables["works"]
    assert works.height == 3 and 2019 in works["publication_year"].to_list()


def test_unpacked_parts_of_a_snapshot_are_read(field: Path, tmp_path: Path) -> None:
    source = field / "snapshot-unpacked-parts"
    summary = extract(source, tmp_path / "works.jsonl", parse_pairs(["BE:CN"]))
    assert summary.complete and summary.outputs[0][2] == 5


def test_a_work_that_was_merged_away_is_left_out_and_counted(field: Path, tmp_path: Path) -> None:
    source = field / "snapshot-legacy-merged-ids"
    summary = extract(source, tmp_path / "works.jsonl", parse_pairs(["BE:CN"]))
    assert (summary.outputs[0][2], summary.merged) == (3, 1)
    assert "W4400000001" not in (tmp_path / "works.jsonl").read_text(encoding="utf-8")


def test_the_republic_of_china_is_taiwan_or_not_repaired(
    field: Path, run_of: Callable[..., copub.Run], tmp_path: Path
) -> None:
    study = tmp_path / "repairs-on.toml"  # the key has another name since
    text = (field / "repairs-on.toml").read_text(encoding="utf-8")
    study.write_text(text.replace("\nrepairs =", "\napply_repairs ="), encoding="utf-8")
    run = run_of("republic-of-china.jsonl", "screen", study=str(study))
    repairs = run.tables["repairs"]
    assert set(repairs["after"]) == {"TW"} and repairs.height == 10


@pytest.mark.parametrize("kind", ["comma", "semicolon"])
def test_review_sheets_of_every_spreadsheet_are_taken(kind: str, field: Path) -> None:
    decisions = read_decisions(field / f"review-sheet-{kind}.csv")
    assert decisions["decision"].to_list() == ["no"] * 3
    assert decisions.equals(read_decisions(field / "review-sheet-comma.csv"))


def test_an_export_with_semicolons_is_screened(field: Path, tmp_path: Path) -> None:
    out = tmp_path / "hits.csv"
    result = CliRunner().invoke(
        app, ["screen", "--strings", str(field / "export-semicolon.csv"), "--column", "Affiliations", "--out", str(out)]
    )
    assert result.exit_code == 0 and "3 of 4 distinct strings" in result.output


def test_spellings_of_a_doi_are_one_doi(run_of: Callable[..., copub.Run], field: Path) -> None:
    read = run_of("doi-spellings.jsonl").tables["works"].select("work_id", "doi")
    given = [json.loads(line) for line in (field / "doi-spellings.jsonl").read_text(encoding="utf-8").splitlines()]
    printed = {work["id"].rpartition("/")[2]: work["doi"] for work in given}
    sici = "10.1002/(sici)1096-9861(19971020)387:2<167::aid-cne1>3.0.co;2-z"
    right = [sici] * 5 + ["10.5555/abc.123"] * 12 + [None] * 2  # the last two are a short DOI and none
    assert read.sort("work_id")["doi"].to_list() == right, printed


def test_versions_and_name_forms_are_marked(run_of: Callable[..., copub.Run]) -> None:
    marked = dict(run_of("versions-and-names.jsonl").tables["works"].select("work_id", "duplicate_of").iter_rows())
    group = [f"W44000000{n}" for n in (20, 21, 22, 23, 24, 28, 29)]
    assert [marked[work] for work in group] == [None, *["W4400000020"] * 6]
    for one, other in ((30, 31), (32, 33), (34, 35)):
        assert marked[f"W44000000{other}"] == f"W44000000{one}"


def test_the_same_work_under_a_new_id_is_said_to_be_the_same(run_of: Callable[..., copub.Run]) -> None:
    before, after = run_of("new-id-before.jsonl", "measure"), run_of("new-id-after.jsonl", "measure")
    works = copub.compare(before, after).tables["works"]
    assert sorted(works["work_id"]) == ["W4400000022", "W7100000001"]
    assert {tuple(causes) for causes in works["causes"]} == {("same work, new id",)}


def test_a_doi_with_an_underscore_is_exported_as_it_is(run_of: Callable[..., copub.Run]) -> None:
    run = run_of("doi-underscore.jsonl", "measure")
    (text,) = build_exports(run.tables, run.manifest, ["bibtex"]).values()
    assert b"  doi = {10.1007/978-3-030-12345-6_12}," in text


def test_an_export_of_the_website_is_named(run_of: Callable[..., copub.Run]) -> None:
    with pytest.raises(InputError, match="this is a CSV file"):
        run_of("website-export.csv")
