"""Rules of a written comparison: cautions first, numbers as in the tables, titles only as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from copub.errors import InputError
from copub.history.compare import Comparison, compare
from copub.history.comparisonfiles import comparison_page, write_comparison
from copub.history.comparisontables import COMPARISON_TABLES
from copub.history.comparisonwords import comparison_lines, percent, points
from copub.study import Side

from .world import BE, CN, EARLIER, LATER, STUDY, Author, Work, make_run, plain_world

NASTY = '<script>alert("x")</script> & <b>laser</b>'


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("runs")
    before = plain_world()
    after = dict(before)
    after["W90"] = Work("W90", NASTY, date(2026, 3, 1), authors=(Author("I1", BE), Author("I22", CN)))
    del after["W1"]
    old = replace(EARLIER, epoch="affiliations before 2026-09-28, topics before 2026-10")
    return compare(make_run(folder, before.values(), old), make_run(folder, after.values(), LATER))


def test_the_tables_read_back_have_the_columns_that_are_documented(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(comparison, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"tables", "comparison.html", "comparison.json"}
    for name, table in COMPARISON_TABLES.items():
        frame = pl.read_parquet(tmp_path / "out" / "tables" / f"{name}.parquet")
        assert frame.schema == table.schema
        assert frame.equals(comparison.tables[name])


def test_writing_twice_gives_the_same_bytes(comparison: Comparison, tmp_path: Path) -> None:
    def written() -> dict[str, bytes]:
        write_comparison(comparison, tmp_path / "out")
        return {str(path): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}

    assert written() == written()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_summary_names_crossings_counts_and_parts(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(comparison, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert [change["instrument"] for change in facts["instrument_changes"]] == ["affiliations", "topics"]
    assert facts["works"] == {"added": 1, "removed": 1, "changed": 0}
    assert {part["cause"] for part in facts["parts"]} == {"newly published", "left the pair"}
    assert facts["synthetic"] is True


def test_titles_are_text_and_never_markup(comparison: Comparison) -> None:
    page = comparison_page(comparison)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_lets_nothing_in_and_nothing_out(comparison: Comparison) -> None:
    page = comparison_page(comparison)
    sheet = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet.group(1).encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page
    assert not re.search(r"(?:src|href)=", page)


def test_cautions_stand_before_every_number_and_synthetic_before_all(comparison: Comparison) -> None:
    page = comparison_page(comparison)
    assert page.index("SYNTHETIC") < page.index("OpenAlex changed its affiliations") < page.index("Works added")
    assert "OpenAlex changed its affiliations" in comparison_lines(comparison)[0]


def test_the_lines_name_share_denominator_counting_and_causes(comparison: Comparison) -> None:
    text = "\n".join(comparison_lines(comparison))
    assert "works added 1, removed 1, changed 0" in text
    assert "Critical and with a listed institution: 25.00%" in text
    assert "each work counts its share of authors" in text
    assert "newly published [world], 1 work;" in text


def test_long_lists_are_cut_on_the_page_and_say_so(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copub.history.comparisonfiles.SHOWN", 1)
    page = comparison_page(comparison)
    assert "1 more in tables/works.parquet" in page


@pytest.mark.parametrize(
    ("part", "text"), [(0.0123, "+1.23 points"), (-0.5, "−50.00 points"), (-1e-9, "0.00 points"), (None, "not defined")]
)
def test_a_difference_of_shares_is_told_in_points_with_its_sign(part: float | None, text: str) -> None:
    assert points(part) == text


def test_a_share_over_no_works_is_not_defined() -> None:
    assert percent(None) == "not defined (no works)"


def test_runs_of_two_studies_are_told_apart_before_all_else_on_page_line_and_summary(
    tmp_path: Path, comparison: Comparison
) -> None:
    other = replace(STUDY, id="other", title="Another question", side_b=Side("France", ("FR",)), year_from=2010)
    run = make_run(tmp_path, plain_world().values(), LATER, other)
    found = compare(comparison.before, run)
    lines = comparison_lines(found)
    assert lines[0].startswith("These are runs of two studies, world (Belgium and China, 2015 to 2026), then other (")
    assert lines[1] == "The question is not the same: year_from 2015, then 2010; side_b CN, then FR."
    page = comparison_page(found)
    assert "A synthetic world, then Another question" in page
    assert (
        page.index("runs of two studies") < page.index("OpenAlex changed its affiliations") < page.index("Works added")
    )
    write_comparison(found, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert (facts["studies"], len(facts["questions"])) == (["world", "other"], 2)
    back = comparison_lines(compare(run, comparison.before))
    assert back[1] == "The question is not the same: year_from 2010, then 2015; side_b FR, then CN."


def test_a_comparison_of_one_study_does_not_speak_of_its_question(comparison: Comparison) -> None:
    assert comparison.questions == ()


def test_runs_of_made_up_and_of_real_works_are_not_compared(tmp_path: Path, comparison: Comparison) -> None:
    real = make_run(tmp_path, plain_world(4).values(), LATER, replace(STUDY, synthetic=False))
    with pytest.raises(InputError, match="synthetic") as caught:
        compare(comparison.after, real)
    assert caught.value.where == str(comparison.after.folder)


def test_runs_without_a_common_work_say_so(tmp_path: Path, comparison: Comparison) -> None:
    lone = make_run(tmp_path, [Work("W777")], LATER)
    assert "No work is in both runs." in comparison_lines(compare(comparison.before, lone))
