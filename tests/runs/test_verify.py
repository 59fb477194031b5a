"""Rules of verifying: the same to the byte, or the first stage that differs and what may explain it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.demo import embedded
from copub.demo.corpus import build_corpus
from copub.errors import InputError
from copub.history.compare import compare
from copub.history.rescoring import today
from copub.history.verify import verification_lines, verify
from copub.lists.decisions import keep_decisions
from copub.report.exports import export
from copub.runs import Run
from copub.runs.copies import question_of
from copub.runs.instruments import study_of
from copub.study import Study


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="module", autouse=True)
def small_corpus() -> Iterator[None]:
    """Let the embedded server serve every tenth work only: these tests are not about their number."""
    works = build_corpus()[::10]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "build_corpus", lambda: works)
        embedded._corpus.cache_clear()  # it keeps the corpus of the process
        yield
    embedded._corpus.cache_clear()


@pytest.fixture(scope="module")
def from_file(small_run: Run) -> Run:
    return small_run


@pytest.fixture
def recomputed(from_file: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the recomputation give the run itself: that it does so is tested above, here what is made of it."""
    monkeypatch.setattr("copub.history.verify._recompute", lambda *_: from_file)


@pytest.fixture
def copied(from_file: Run, tmp_path: Path) -> Run:
    shutil.copytree(from_file.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def with_manifest(run: Run, change: Callable[[dict[str, Any]], None]) -> Run:
    values = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    change(values)
    (run.folder / "manifest.json").write_text(json.dumps(values), encoding="utf-8")
    return Run(run.folder)


def test_a_run_from_works_files_comes_out_the_same_wherever_the_files_lie(
    from_file: Run, small_works: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / small_works.name
    shutil.copy(small_works, elsewhere)
    found = verify(from_file, tmp_path / "cache", [elsewhere])
    assert found.is_same
    assert (found.first_difference, found.reasons) == ("", ())
    assert set(found.tables["table"]) == set(from_file.tables)
    assert "The same to the byte" in verification_lines(found)[0]
    assert not (tmp_path / "cache").exists()  # nothing is written outside a folder that is gone


def rejections_of(run: Run) -> pl.DataFrame:
    """Return the decisions that no name hit of a run is one."""
    pairs = run.tables["hits"].filter(pl.col("via_entity").is_null(), tier="name").select("value", "entity_id").unique()
    facts = {"decision": "no", "reason": "read", "reviewer": "R", "date": "2026-01-01"}
    return pairs.with_columns(pl.lit(value).alias(name) for name, value in facts.items())


@pytest.mark.slow
def test_people_s_decisions_are_repeated_as_they_were(from_file: Run, small_works: Path, tmp_path: Path) -> None:
    (tmp_path / "reports" / "demo").mkdir(parents=True)
    decided = rejections_of(from_file)
    keep_decisions(tmp_path / "reports", "demo", decided)
    options: dict[str, Any] = {"cache": tmp_path / "cache", "reports": tmp_path / "reports", "until": "measure"}
    run = copub.run(study_of(from_file.manifest), works=[small_works], **options)
    assert run.tables["hits"]["is_counted"].sum() < from_file.tables["hits"]["is_counted"].sum()
    # what people decide later plays no part in what the run was
    keep_decisions(
        tmp_path / "reports", "demo", decided.with_columns(decision=pl.lit("yes"), date=pl.lit("2026-02-01"))
    )
    assert verify(run, tmp_path / "cache", [small_works]).is_same
    comparison = compare(from_file, run)
    assert set(comparison.tables["parts"]["cause"]) == {"decisions changed"}
    own = run.tables["copublications"]["is_listed"].sum()
    assert (
        today(decided)(from_file, study_of(run.manifest))
        .filter(pl.col("excluded_because").is_null())["is_listed"]
        .sum()
        == own
    )


def test_other_works_files_are_refused_and_the_right_ones_named(
    from_file: Run, small_works: Path, tmp_path: Path
) -> None:
    other = tmp_path / small_works.name
    other.write_bytes(small_works.read_bytes()[:-1])
    for works, what in (
        ([other], "not the works files"),
        ([], "made from works files"),
        ([tmp_path / "no"], "no such"),
    ):
        with pytest.raises(InputError, match=what) as caught:
            verify(from_file, tmp_path, works)
        assert small_works.name in caught.value.hint or what == "no such"


@pytest.mark.parametrize(
    ("tables", "stage"),
    [
        (("hits",), "screen"),
        (("shares", "assignments"), "classify"),
        (("topics", "hits"), "tabulate"),
        (("pairs",), "measure"),
    ],
)
def test_the_first_stage_that_differs_is_named(
    recomputed: None, copied: Run, small_works: Path, tmp_path: Path, tables: tuple[str, ...], stage: str
) -> None:
    def change(values: dict[str, Any]) -> None:
        for table in tables:
            values["tables"][table]["sha256"] = "0" * 64
        values["watchlists"][0]["hash"] = "1" * 64

    found = verify(with_manifest(copied, change), tmp_path / "cache", [small_works])
    assert not found.is_same
    assert found.first_difference == stage
    assert set(found.tables.filter(~pl.col("same"))["table"]) == set(tables)
    assert any(reason.startswith("watchlist demo-list was") for reason in found.reasons)
    differ = "differs" if len(tables) == 1 else "differ"
    assert verification_lines(found)[0].endswith(f"tables {differ}, first in stage {stage}.")


def test_a_table_altered_in_the_run_folder_is_found(
    recomputed: None, copied: Run, small_works: Path, tmp_path: Path
) -> None:
    copied.tables["shares"].with_columns(share=pl.lit(0.5)).write_parquet(copied.folder / "tables" / "shares.parquet")
    found = verify(copied, tmp_path / "cache", [small_works])
    assert not found.is_same
    assert found.first_difference == ""
    assert found.reasons[0].startswith("table shares: the file in the run folder is not")


def test_a_run_that_asked_openalex_needs_its_cache(copied: Run, tmp_path: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["source"] = {"kind": "api", "query_hash": "0", "round": 1, "pages": []}

    with pytest.raises(InputError, match="holds no pages of this run"):
        verify(with_manifest(copied, change), tmp_path / "cache")
    with pytest.raises(InputError, match="not made from works files"):
        verify(Run(copied.folder), tmp_path / "cache", [copied.folder / "manifest.json"])


@pytest.fixture(scope="module")
def two_rounds(place: Path, small_study: Study) -> tuple[Run, Run]:
    options: dict[str, Any] = {"cache": place / "pages", "reports": place / "reports", "until": "screen"}
    return copub.run(small_study, **options), copub.run(small_study, refresh=True, **options)


def test_a_run_is_recomputed_from_its_own_round_of_the_harvest(place: Path, two_rounds: tuple[Run, Run]) -> None:
    first, second = two_rounds
    assert (first.manifest["source"]["round"], second.manifest["source"]["round"]) == (1, 2)
    for run in two_rounds:
        found = verify(run, place / "pages")
        assert found.is_same, verification_lines(found)
    assert not list((place / "pages").glob("_verify-*"))


def test_a_stopped_harvest_of_another_study_with_the_same_query_is_not_taken_for_the_runs_own(
    place: Path, tmp_path: Path, two_rounds: tuple[Run, Run]
) -> None:
    shutil.copytree(place / "pages", tmp_path / "pages")
    own = next((tmp_path / "pages").glob("demo*/harvest.json"))
    stopped = tmp_path / "pages" / "a-study"  # before the other by name
    (stopped / "0001").mkdir(parents=True)
    shutil.copy(own, stopped)
    assert verify(two_rounds[0], tmp_path / "pages").is_same


def test_a_demo_run_whose_pages_are_gone_is_harvested_again(tmp_path: Path, two_rounds: tuple[Run, Run]) -> None:
    found = verify(two_rounds[0], tmp_path / "nothing")
    assert found.tables.filter(pl.col("expected") != pl.col("recomputed")).is_empty()


def test_a_damaged_page_is_not_taken_for_the_runs_own(place: Path, tmp_path: Path, two_rounds: tuple[Run, Run]) -> None:
    shutil.copytree(place / "pages", tmp_path / "pages")
    page = next((tmp_path / "pages").glob("demo*/0001/000001.json.zst"))
    page.write_bytes(page.read_bytes()[:-1])
    api = with_manifest(
        Run(shutil.copytree(two_rounds[0].folder, tmp_path / "run")), lambda values: values["source"].update(kind="api")
    )
    with pytest.raises(InputError, match="holds no pages of this run"):
        verify(api, tmp_path / "pages")


@pytest.mark.parametrize("study_id", ["/any/new/path", "../../..", "..", "", "a/b", "A", 7, None, ["x"]])
def test_an_id_that_no_study_file_may_have_is_refused_and_nothing_is_written(
    copied: Run, tmp_path: Path, small_works: Path, study_id: Any
) -> None:
    before = sorted(tmp_path.rglob("*"))
    run = with_manifest(copied, lambda values: values["study"].update(id=study_id))
    with pytest.raises(InputError, match=r"study\.id"):
        verify(run, tmp_path / "cache", [small_works])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["source"].update(pages=[{"file": "../../x", "sha256": "0" * 64}]),
        lambda values: values["source"].update(round="1/.."),
        lambda values: values["inputs"].append(
            {"kind": "ties", "id": "x", "files": [{"file": "../../../etc/passwd", "name": "x", "sha256": "0" * 64}]}
        ),
        lambda values: values["tables"].update({"../../x": {"rows": 1, "sha256": "0" * 64}}),
        lambda values: values.update(files={"/etc/passwd": {"sha256": "0" * 64}}),
    ],
    ids=["pages", "round", "inputs", "tables", "files"],
)
def test_no_name_in_a_manifest_leads_out_of_the_run(
    copied: Run, tmp_path: Path, small_works: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(InputError, match="manifest of the run is damaged"):
        verify(with_manifest(copied, change), tmp_path / "cache", [small_works])


def test_a_list_that_the_run_has_no_copy_of_is_not_read_from_anywhere_else(copied: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[watchlist]")
    run = with_manifest(copied, lambda values: values["study"].update(watchlists=[str(tmp_path / "mine.toml")]))
    with pytest.raises(InputError, match="keeps no copy of its watchlist"):
        question_of(run)


HARM: dict[str, Callable[[Path], object]] = {
    "report.html": lambda run: (run / "report.html").write_text("<p>another share</p>"),
    "workbook.xlsx": lambda run: (run / "workbook.xlsx").unlink(),
    "ro-crate-metadata.json": lambda run: (run / "ro-crate-metadata.json").write_text("{}"),
    "manifest.json": lambda run: with_manifest(Run(run), lambda values: values.update(created="2020-01-01")),
    "manifest.json, funnel": lambda run: with_manifest(Run(run), lambda v: v["funnel"][0].update(count=1)),
    "export/summary.md": lambda run: (run / "export" / "summary.md").write_text("# another share"),
    "export/listed-works.ris": lambda run: (run / "export" / "listed-works.ris").unlink(),
}


@pytest.mark.usefixtures("recomputed")
@pytest.mark.parametrize("what", HARM)
def test_page_workbook_manifest_and_exports_are_part_of_what_is_verified(
    copied: Run, from_file: Run, tmp_path: Path, small_works: Path, what: str
) -> None:
    export(copied.tables, copied.manifest, copied.folder / "export", ["markdown", "ris"])
    assert verify(copied, tmp_path / "cache", [small_works]).is_same
    HARM[what](copied.folder)
    found = verify(Run(copied.folder), tmp_path / "cache", [small_works])
    assert not found.is_same and found.first_difference == ""
    assert what in found.altered
    assert f"{what}: the file in the run folder is not the one" in "\n".join(verification_lines(found))


@pytest.mark.usefixtures("recomputed")
def test_what_is_not_recomputed_is_said(copied: Run, tmp_path: Path, small_works: Path) -> None:
    (copied.folder / "notes.txt").write_text("mine")
    found = verify(copied, tmp_path / "cache", [small_works])
    stated = "\n".join(verification_lines(found))
    assert found.is_same
    assert "not made again, compared by hash: " in stated and "report.html" in stated
    assert "not written by the run: notes.txt" in stated


def test_a_run_of_another_source_is_verified_without_naming_it(
    place: Path, tmp_path: Path, two_rounds: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(place / "pages", tmp_path / "pages")
    for info in (tmp_path / "pages").glob("*/harvest.json"):
        info.write_text(json.dumps(json.loads(info.read_text()) | {"source": "mirror.example"}))
    assert verify(two_rounds[0], tmp_path / "pages").is_same
