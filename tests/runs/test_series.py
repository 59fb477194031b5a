"""Rules of the series: runs in the order of time, instruments beside the shares, today's line beside the run's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from copub.history.series import SERIES, series, series_lines
from copub.runs import Run, RunWriter
from copub.runs.folder import ESTIMATE
from copub.study import Study

from .world import EARLIER, LATER, STUDY, make_run, plain_world


def as_it_was(run: Run, study: Study) -> pl.DataFrame:
    """Judge with instruments that never changed: the run's own flags."""
    return run.tables["copublications"].with_columns(pl.lit(None, dtype=pl.String).alias("excluded_because"))


def all_critical(run: Run, study: Study) -> pl.DataFrame:
    return as_it_was(run, study).with_columns(pl.col("is_listed").alias("is_critical_listed"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    world = plain_world().values()
    other = replace(LATER, edition="2", listed={"I22": "very high"}, epoch="affiliations after, topics 2026-10")
    last = replace(LATER, retrieved="2026-09-01", edition="2", listed={"I22": "very high"}, version="2.0")
    return [
        make_run(folder, world, last, replace(STUDY, levels=("very high",)), whole=True),
        make_run(folder, world, EARLIER, whole=True),
        make_run(folder, world, other, whole=True),
    ]


def test_runs_stand_in_the_order_of_their_retrieval_with_their_own_headline(runs: list[Run]) -> None:
    table = series(runs, as_it_was)
    assert table.schema == SERIES.schema
    assert table["run"].to_list() == [run.folder.name for run in (runs[1], runs[2], runs[0])]
    assert table["share"].to_list() == [run.share()["share"] for run in (runs[1], runs[2], runs[0])]
    assert table["retrieved"].to_list() == ["2026-01-01", "2026-06-01", "2026-09-01"]


def test_what_changed_since_the_run_before_is_named(runs: list[Run]) -> None:
    first, second, third = series(runs, as_it_was)["changed"].to_list()
    assert first == []
    assert second == ["OpenAlex's affiliations", "watchlist list"]
    assert third[:2] == ["OpenAlex's affiliations", "copub"]
    assert third[2].startswith("setting levels: high + very high")


def test_todays_line_rests_on_todays_judgement_and_has_an_interval(runs: list[Run]) -> None:
    table = series(runs, all_critical)
    assert table["today_share"].to_list() == pytest.approx(
        [run.share("listed")["share"] for run in (runs[1], runs[2], runs[0])]
    )
    assert (table["today_ci_low"] < table["today_share"]).all()
    assert table["today_denominator"].to_list() == table["denominator"].to_list()


def test_with_instruments_that_never_changed_both_lines_are_one(runs: list[Run]) -> None:
    table = series(runs, as_it_was)
    for name in ("share", "ci_low", "ci_high"):
        assert table[f"today_{name}"].to_list() == pytest.approx(table[name].to_list())


def test_a_run_that_was_stopped_early_has_no_share(tmp_path: Path, runs: list[Run]) -> None:
    writer = RunWriter(tmp_path, "world", "stopped")
    writer.table("works", runs[0].tables["works"])
    stopped = writer.finish(runs[0].manifest | {"created": "2027", "tables": writer.written})
    row = series([*runs, stopped], as_it_was).row(-1, named=True)
    assert (row["share"], row["today_share"]) == (None, None)


def test_lines_tell_both_shares_and_every_change(runs: list[Run]) -> None:
    lines = series_lines(series(runs, as_it_was))
    assert sum(line.startswith("  changed: ") for line in lines) == 5
    assert "with today's instruments" in lines[0]


def test_the_estimate_of_a_run_is_shown_as_what_it_is(tmp_path: Path) -> None:
    run = make_run(tmp_path, plain_world().values(), whole=True)
    row = series([run], as_it_was).row(0, named=True)
    assert {name: row[name] for name in ESTIMATE} == {name: run.share()[name] for name in ESTIMATE}
    table = series([run], as_it_was).with_columns(
        adjusted=pl.lit(0.1), adjusted_low=pl.lit(0.05), adjusted_high=pl.lit(0.2), method=pl.lit("labelled sample")
    )
    assert "  estimate: 10.00% (5.00% to 20.00%), from reading" in series_lines(table)
