"""Rules of a whole run: what comes out, that it is the same twice, that nothing is lost on the way."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import copub
from copub.demo.corpus import build_corpus
from copub.errors import AssertionFailedError, FileError, InputError, SourceUnavailableError
from copub.measures.measure import GIVEN, OPTIONAL
from copub.pipeline import STAGES
from copub.runs import Run
from copub.schema import TABLES
from copub.study import load_study, parse_study
from copub.technology.model import load_model


@pytest.fixture(scope="module")
def demo(demo_run: Run) -> Run:
    return demo_run


def test_a_demo_run_writes_page_workbook_dictionary_manifest_and_every_table(demo: Run) -> None:
    assert {path.name for path in demo.folder.iterdir()} == {
        "tables", "report.html", "workbook.xlsx", "manifest.json", "data-dictionary.md", "ro-crate-metadata.json",
        "inputs",
    }  # fmt: skip
    assert set(demo.tables) == set(TABLES) - OPTIONAL
    for name, frame in demo.tables.items():
        assert frame.schema == TABLES[name].schema, name
    filled = {name for name, frame in demo.tables.items() if frame.height}
    assert filled >= {"works", "topics", "authorships", "affiliations", "assignments", "hits", "copublications"}
    assert filled >= {"shares", "trends", "institutions", "pairs", "coverage", "sensitivity", "repairs"}


def test_the_demo_measures_about_2000_works_of_the_pair(demo: Run) -> None:
    assert 1_700 <= demo.tables["copublications"].height <= 2_300
    assert demo.manifest["source"]["kind"] == "embedded"
    assert demo.manifest["source"]["n_missing"] == 0


def test_found_stands_beside_planted_and_lies_near_it(demo: Run) -> None:
    rows = {row["measure"]: row for row in demo.manifest["true_values"]}
    assert set(rows) >= {"critical", "listed", "critical_listed", "top_level"}
    assert abs(rows["listed"]["measured"] - rows["listed"]["true_value"]) < 0.01
    assert 0 < rows["critical_listed"]["measured"] < 1


def test_everything_made_from_the_demo_says_synthetic(demo: Run) -> None:
    assert demo.manifest["study"]["synthetic"] is True
    assert "SYNTHETIC" in (demo.folder / "report.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(demo.folder / "workbook.xlsx", read_only=True)
    first = book[book.sheetnames[0]]
    assert any("SYNTHETIC" in str(cell) for row in first.iter_rows(values_only=True) for cell in row if cell)


def test_the_manifest_tells_seconds_and_memory_of_every_stage(demo: Run) -> None:
    stages = demo.manifest["stages"]
    assert tuple(row["stage"] for row in stages) == STAGES
    assert all(row["seconds"] >= 0 and row["peak_mb"] > 0 for row in stages)


def test_the_manifest_names_hashes_of_study_lists_taxonomies_and_tables(demo: Run) -> None:
    manifest = demo.manifest
    assert manifest["study"]["hash"] == load_study("demo").hash
    assert all(len(part["hash"]) == 64 for part in [*manifest["taxonomies"], *manifest["watchlists"]])
    assert set(manifest["tables"]) == set(demo.tables)
    assert {"copub", "python", "polars"} <= set(manifest["versions"])


def test_the_funnel_adds_up_to_the_denominator(demo: Run) -> None:
    steps = {step["step"]: step["count"] for step in demo.manifest["funnel"]}
    out = sum(count for step, count in steps.items() if step.startswith("left out"))
    assert steps["records read"] == steps["works"] + steps["unreadable records"] + steps["repeated records"]
    assert (
        steps["co-publications counted"] == steps["co-publications found"] - out == demo.tables["copublications"].height
    )


def test_the_share_is_numerator_over_denominator_within_its_interval(demo: Run) -> None:
    share = demo.share("critical_listed")
    works = demo.tables["copublications"]
    assert share["numerator"] == works["is_critical_listed"].sum()
    assert share["denominator"] == works.height
    assert share["ci_low"] < share["share"] < share["ci_high"]


def test_a_second_run_from_the_cache_gives_the_same_bytes(
    demo: Run, demo_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    again = copub.run("demo", cache=demo_folders[0], reports=tmp_path, offline=True, until="measure")
    assert again.folder.parent != demo.folder.parent
    assert again.manifest["tables"] == demo.manifest["tables"]


def test_a_stopped_run_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works_file: Path) -> None:
    def fail(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("copub.pipeline.build_page", fail)
    with pytest.raises(KeyboardInterrupt):
        copub.run("belgium-china", works=[works_file], reports=tmp_path)
    assert list((tmp_path / "belgium-china").iterdir()) == []


@pytest.fixture
def works_file(tmp_path: Path) -> Path:
    authors = [
        {
            "author": {"id": "https://openalex.org/A1", "display_name": "N"},
            "countries": ["BE"],
            "raw_affiliation_strings": ["Ghent"],
        },
        {
            "author": {"id": "https://openalex.org/A2", "display_name": "M"},
            "countries": ["CN"],
            "raw_affiliation_strings": ["Beihang University, Beijing, China"],
        },
    ]
    work = {
        "id": "https://openalex.org/W1",
        "title": "Quantum key distribution over fibre",
        "publication_year": 2015,
        "authorships": authors,
    }
    path = tmp_path / "works.jsonl"
    path.write_text(json.dumps(work) + "\n", encoding="utf-8")
    return path


def test_unreadable_records_are_named_in_the_funnel(tmp_path: Path, works_file: Path) -> None:
    with works_file.open("a", encoding="utf-8") as file:
        file.write('{"id": "https://openalex.org/W2", "publication_year": "about 2015"}\n')
    run = copub.run("belgium-china", works=[works_file], reports=tmp_path / "r", until="tabulate")
    note = {step["step"]: step.get("note", "") for step in run.manifest["funnel"]}["unreadable records"]
    assert "works.jsonl:2" in note
    assert "publication_year" in note


def test_one_work_makes_a_whole_run(tmp_path: Path, works_file: Path) -> None:
    run = copub.run("belgium-china", works=[works_file], reports=tmp_path / "r")
    assert run.share("listed")["numerator"] == 1
    assert run.manifest["source"]["files"][0]["name"] == "works.jsonl"
    assert (run.folder / "report.html").stat().st_size > 10_000


def test_no_co_publication_makes_a_run_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    path.write_text('{"id": "https://openalex.org/W1", "title": "t", "authorships": []}\n', encoding="utf-8")
    unbounded = tmp_path / "unbounded.toml"
    unbounded.write_text(load_study("belgium-china").raw.split("[assertions]")[0], encoding="utf-8")
    run = copub.run(unbounded, works=[path], reports=tmp_path / "r")
    share = run.share("critical_listed")
    assert (share["denominator"], share["share"], share["interval"]) == (0, None, "none")
    assert run.tables["copublications"].is_empty()
    assert (run.folder / "report.html").exists()


_UP_TO: dict[str, set[str]] = {
    "harvest": set(),
    "tabulate": {"works", "topics", "authorships", "affiliations", "repairs", "awards", "population"},
    "classify": {"assignments"},
    "screen": {"hits"},
    "measure": set(TABLES) - GIVEN - OPTIONAL,
    "report": set(),
}
"""Tables that each stage adds."""


@pytest.mark.parametrize("until", STAGES)
def test_a_run_that_ends_after_a_stage_has_exactly_the_tables_made_so_far(
    until: str, tmp_path: Path, works_file: Path
) -> None:
    run = copub.run("belgium-china", works=[works_file], reports=tmp_path / "r", until=until)
    done = STAGES[: STAGES.index(until) + 1]
    assert set(run.tables) == set().union(*(_UP_TO[stage] for stage in done))
    assert [row["stage"] for row in run.manifest["stages"]] == [*done, *(["write"] if until != "report" else [])]
    assert (run.folder / "report.html").exists() == (until == "report")


def test_a_run_until_harvest_counts_the_records_and_names_faults_of_the_file(tmp_path: Path, works_file: Path) -> None:
    run = copub.run("belgium-china", works=[works_file], reports=tmp_path / "r", until="harvest")
    assert run.manifest["funnel"] == [{"step": "records read", "count": 1}]
    assert run.manifest["source"]["files"][0]["name"] == "works.jsonl"
    with works_file.open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    with pytest.raises(FileError, match="works file has 1 fault"):
        copub.run("belgium-china", works=[works_file], reports=tmp_path / "r", until="harvest")


def test_an_unknown_stage_is_refused_before_anything_is_harvested(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no stage 'foo'") as caught:
        copub.run("demo", cache=tmp_path / "c", reports=tmp_path / "r", until="foo")
    assert all(stage in caught.value.hint for stage in STAGES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_thresholds_of_the_study_hold_under_every_operating_point(
    demo: Run, demo_folders: tuple[Path, Path], tmp_path: Path
) -> None:
    own = {"EU-02-AI": 0.95}
    text = load_study("demo").raw.split("[assertions]")[0] + '\n[technology.thresholds]\n"EU-02-AI" = 0.95\n'
    run = copub.run(parse_study(text), cache=demo_folders[0], reports=tmp_path / "r", until="measure")
    works, assignments = run.tables["copublications"], run.tables["assignments"]
    for operating_point, by_area in load_model().thresholds.items():
        needed = pl.col("area").replace_strict({**by_area, **own}, return_dtype=pl.Float64)
        critical = assignments.filter(pl.col("score") >= needed)["work_id"].unique()
        expected = works.filter(pl.col("work_id").is_in(critical.implode()) & pl.col("is_listed")).height
        grid = run.tables["specifications"]
        own_row = grid.filter("is_study").drop("operating_point")
        switches = own_row.columns[: own_row.columns.index("is_study")]
        row = grid.filter(operating_point=operating_point).join(own_row.select(switches), on=switches, how="semi")
        assert row["numerator"].to_list() == [expected], operating_point


def test_a_breached_assertion_ends_the_run_with_bound_and_value(tmp_path: Path, works_file: Path) -> None:
    study = load_study("belgium-china").raw.replace('id = "belgium-china"', 'id = "bounded"').split("[assertions]")[0]
    path = tmp_path / "bounded.toml"
    path.write_text(study + "\n[assertions]\ncopublications = [10, 20]\n", encoding="utf-8")
    with pytest.raises(AssertionFailedError, match="copublications") as caught:
        copub.run(path, works=[works_file], reports=tmp_path / "r")
    assert "10" in str(caught.value)
    assert caught.value.exit_code == 4


def test_without_a_network_the_run_stops_resumably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPUB_OPENALEX_URL", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailableError) as caught:
        copub.run("belgium-china", cache=tmp_path / "c", reports=tmp_path / "r")
    assert caught.value.hint
    assert not list(tmp_path.glob("r/*/*"))


def test_missing_and_broken_works_files_are_all_named(tmp_path: Path, works_file: Path) -> None:
    with pytest.raises(InputError, match=r"one\.jsonl") as caught:
        copub.run("belgium-china", works=[tmp_path / "one.jsonl", tmp_path / "two.jsonl"], reports=tmp_path / "r")
    assert "two.jsonl" in str(caught.value)
    with works_file.open("a", encoding="utf-8") as file:
        file.write("{broken\n[1\n")
    with pytest.raises(FileError) as broken:
        copub.run("belgium-china", works=[works_file], reports=tmp_path / "r")
    assert [fault.where.rpartition(":")[2] for fault in broken.value.faults] == ["2", "3"]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OPENALEX_API_KEY", "COPUB_API_KEY", "COPUB_OPENALEX_URL"):
        monkeypatch.delenv(name, raising=False)
    yield


def test_listed_works_have_a_hit_that_leads_to_its_evidence(demo: Run) -> None:
    listed = demo.tables["copublications"].filter("is_listed")
    hits = demo.tables["hits"].filter("is_counted")
    assert listed.join(hits, on="work_id", how="anti").is_empty()
    spans = hits.filter(pl.col("matched_start").is_not_null())
    cut = [value[start:end] for value, start, end in spans.select("value", "matched_start", "matched_end").iter_rows()]
    assert cut == spans["matched_text"].to_list()


@pytest.mark.slow
def test_a_run_is_in_its_place_before_a_breach_of_its_bounds_is_raised(demo: Run, tmp_path: Path) -> None:
    text = load_study("demo").raw.split("[assertions]")[0]
    path = tmp_path / "bounded.toml"
    path.write_text(text.replace('id = "demo"', 'id = "bounded"') + "[assertions]\ncopublications = [1, 2]\n", "utf-8")
    works = tmp_path / "works.jsonl"
    works.write_text("".join(json.dumps(work) + "\n" for work in islice(build_corpus(), 60)), encoding="utf-8")
    with pytest.raises(AssertionFailedError):
        copub.run(path, works=[works], cache=tmp_path / "c", reports=tmp_path / "r", until="measure")
    (folder,) = (tmp_path / "r" / "bounded").iterdir()
    assert copub.open_run(folder).share("critical_listed")["denominator"] > 2


@pytest.mark.parametrize("option", ["refresh", "sweep"])
def test_works_files_and_a_new_harvest_exclude_each_other(works_file: Path, tmp_path: Path, option: str) -> None:
    with pytest.raises(InputError, match="exclude each other") as caught:
        copub.run("demo", works=[works_file], reports=tmp_path, cache=tmp_path, **{option: True})
    assert caught.value.where == f"--{option}"


class _Full(StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("stream", [None, _Full()])
def test_a_run_needs_no_standard_error(
    works_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: _Full | None
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    run = copub.run("demo", works=[works_file], reports=tmp_path, cache=tmp_path, until="tabulate")
    assert run.tables["works"].height
