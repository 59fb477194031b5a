"""Rules of running again: what did not change is not repeated, and the result equals a run from nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.corpus import TABULATED, Entry, tabulate
from copub.lists.taxonomy import load_taxonomy
from copub.runs import Run
from copub.runs.stagecache import DAMAGED, FOLDER, MADE, REUSED, StageCache
from copub.runs.staging import model_facts, tabulated
from copub.shipped import shipped_folder
from copub.sources.worksfile import read_works
from copub.study import Study


def results(run: Run) -> dict[str, str]:
    return {row["stage"]: row["result"] for row in run.manifest["stages"] if "result" in row}


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    folder = tmp_path / "list"
    folder.mkdir()
    for suffix in (".toml", ".csv"):
        shipped = shipped_folder("taxonomies/watchlists") / f"demo-list{suffix}"
        text = shipped.read_text(encoding="utf-8").replace('id = "demo-list"', 'id = "own-list"')
        (folder / f"own-list{suffix}").write_text(text, encoding="utf-8")
    return folder / "own-list.toml"


def run_of(study: Study, works: Path, folder: Path) -> Run:
    return copub.run(study, works=[works], cache=folder / "cache", reports=folder / "reports", until="screen")


def test_after_a_change_of_one_watchlist_line_only_screening_and_what_follows_is_repeated(
    tmp_path: Path, all_years: Study, small_works: Path, watchlist: Path
) -> None:
    study = replace(all_years, other_watchlists=(str(watchlist),))
    first = run_of(study, small_works, tmp_path)
    assert results(first) == {"tabulate": MADE, "classify": MADE, "screen": MADE}
    members = watchlist.with_suffix(".csv")
    hits = first.tables["hits"].filter(pl.col("via_entity").is_null(), watchlist="own-list", tier="identifier")
    named = hits["entity_id"][0]
    text = members.read_text(encoding="utf-8")
    left = [line for line in text.splitlines(keepends=True) if not line.startswith(f"{named},")]
    assert len(left) == len(text.splitlines()) - 1
    members.write_text("".join(left), encoding="utf-8")
    second = run_of(study, small_works, tmp_path)
    anew = run_of(study, small_works, tmp_path / "from nothing")
    assert results(second) == {"tabulate": REUSED, "classify": REUSED, "screen": MADE}
    assert second.manifest["tables"] == anew.manifest["tables"]
    assert second.manifest["tables"]["hits"] != first.manifest["tables"]["hits"]


def test_a_study_that_differs_in_words_alone_repeats_nothing_and_one_that_asks_otherwise_does(
    tmp_path: Path, all_years: Study, small_works: Path
) -> None:
    run_of(all_years, small_works, tmp_path)
    reused = {"tabulate": REUSED, "classify": REUSED, "screen": REUSED}
    assert results(run_of(replace(all_years, title="Another title", small_cell=9), small_works, tmp_path)) == reused
    for change, repeated in (
        ({"operating_point": "precision"}, {"classify": MADE}),
        ({"include_medical": False, "apply_repairs": False, "exclude_types": ()}, {}),
    ):
        changed = run_of(replace(all_years, **change), small_works, tmp_path)  # type: ignore[arg-type]
        assert results(changed) == reused | repeated
        anew = run_of(replace(all_years, **change), small_works, tmp_path / str(change))  # type: ignore[arg-type]
        assert changed.manifest["tables"] == anew.manifest["tables"]


def test_a_damaged_result_is_made_anew_and_the_manifest_says_so(
    tmp_path: Path, all_years: Study, small_works: Path
) -> None:
    first = run_of(all_years, small_works, tmp_path)
    path = next((tmp_path / "cache" / FOLDER).glob("classify-*/assignments.parquet"))
    path.write_bytes(path.read_bytes()[:-3])
    second = run_of(all_years, small_works, tmp_path)
    assert results(second) == {"tabulate": REUSED, "classify": DAMAGED, "screen": REUSED}
    assert second.manifest["tables"] == first.manifest["tables"]


def test_the_funnel_comes_back_as_it_was(tmp_path: Path, all_years: Study, small_works: Path) -> None:
    broken = tmp_path / "works.jsonl"
    lines = small_works.read_text(encoding="utf-8").splitlines()[:40]
    broken.write_text("\n".join([*lines, lines[0], '{"id": 7}', "[]"]) + "\n", encoding="utf-8")
    entry = Entry.of(all_years)
    made = tabulate(read_works([broken]), entry)
    source = {"kind": "works-files", "files": [{"name": "works.jsonl", "sha256": "0"}]}
    for _ in range(2):
        kept = tabulated(StageCache(tmp_path), read_works([broken]), source, entry)
        assert kept.corpus.funnel == made.funnel
        assert kept.corpus["works"].equals(made["works"])
    assert kept.origins["tabulate"] == REUSED
    assert len(made.funnel.unreadable) == 2


def test_a_corpus_knows_no_study(small_works: Path) -> None:
    pairs = [Entry(((("BE",), ("CN",)),)), Entry(((("CN",), ("BE",)),)), Entry()]
    made = [tabulate(read_works([small_works]), entry) for entry in pairs]
    assert made[0]["works"].height > 100
    for name in TABULATED:
        assert made[0][name].equals(made[1][name])
        entered = made[2][name].join(made[0]["works"], on="work_id", how="semi", maintain_order="left")
        assert entered.equals(made[0][name]), name  # the same rows, whoever else is in the corpus


def test_the_manifest_names_the_model_behind_each_taxonomy() -> None:
    facts = model_facts([load_taxonomy("eu-2023-2113")])
    assert [fact["id"] for fact in facts] == ["eu-2023-2113"]
    assert len(facts[0]["hash"]) == 64
