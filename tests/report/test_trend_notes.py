"""What is under the trend: changes of epoch, and falls that the loss of coverage alone could explain."""

from __future__ import annotations

from typing import Any

import polars as pl

from copub.report.answers import trend_section
from copub.report.charts import trend_chart
from copub.report.details import change_section
from copub.report.facts import facts_of
from copub.report.messages import load_messages
from copub.report.publishers import METRICS, publisher_grids
from copub.schema import TABLES, conform

WORDS = load_messages("en")


def marked(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the trends with a change of epoch and an explained fall in the second year."""
    second = tables["trends"]["year"].unique().sort()[1]
    here = pl.col("year") == second
    is_listed = pl.col("measure") == "listed"
    return tables["trends"].with_columns(
        epoch_changes=here, fall_within_coverage=pl.when(here & is_listed).then(True).otherwise(None)
    )


def test_the_trend_names_changes_of_epoch_and_falls_that_coverage_could_explain(world: Any) -> None:
    tables, manifest = world
    trends = marked(tables)
    year = str(trends.filter("epoch_changes")["year"][0])
    section = trend_section(facts_of({**tables, "trends": trends}, manifest))
    assert section is not None
    assert WORDS.say("label.epoch_note", years=year) in section.paragraphs
    name = WORDS.name("measure", "listed")
    assert WORDS.say("label.fall_note", measure=name, years=year) in section.paragraphs


def test_without_such_years_the_trend_says_nothing_of_them(world: Any) -> None:
    tables, manifest = world
    quiet = tables["trends"].with_columns(epoch_changes=False, fall_within_coverage=pl.lit(None, pl.Boolean))
    section = trend_section(facts_of({**tables, "trends": quiet}, manifest))
    assert section is not None
    start = WORDS.say("label.epoch_note", years="x").partition(":")[0]
    assert not any(start in text or "could explain" in text for text in section.paragraphs)


def test_a_change_of_epoch_is_drawn_as_a_line(world: Any) -> None:
    tables, _ = world
    trends = marked(tables).filter(pl.col("counting") == "full")
    text = trend_chart(trends, tables["periods"], WORDS, 1000).to_json()
    assert text.count(f'"date": "{WORDS.say("label.epoch")}"') == 1


def test_coverage_by_publisher_and_year_stands_under_the_trend(world: Any) -> None:
    tables, manifest = world
    floor = 25
    manifest = {**manifest, "study": {**manifest["study"], "small_rate": floor}}
    rows = [
        {"metric": metric, "slice_kind": "publisher and year", "slice": f"{house} | {year}", "count": count, "of": of,
         "share": count / of, "note": ""}
        for metric in METRICS.values()
        for house, of in (("House | Sons", floor), ("Tiny", 1))
        for year, count in ((2019, 0), (2020, of))
    ]  # fmt: skip
    coverage = pl.DataFrame(rows, schema=tables["coverage"].schema)
    grids = publisher_grids(facts_of({**tables, "coverage": coverage}, manifest))
    assert [grid.heads for grid in grids] == [(WORDS.say("label.publisher"), "2019", "2020")] * 2
    assert [[cell.text for cell in row] for row in grids[0].rows] == [
        ["House | Sons", WORDS.percent(0.0), WORDS.percent(1.0)]
    ]


def test_all_intervals_of_growth_and_events_are_counted_among_those_that_miss_by_chance() -> None:
    event = {"date": "2024-01", "label": "an event", "difference": 0.1, "ci_low": 0.0, "ci_high": 0.2}
    events = [{**event, "measure": "critical", "beyond_trend": 0.05}, {**event, "measure": "listed"}]
    growth = [{"measure": "listed", "kind": "count", "growth": 0.1, "ci_low": 0.0, "ci_high": 0.2}]
    tables = {
        "events": conform("events", pl.DataFrame(events, schema=TABLES["events"].schema)),
        "growth": conform("growth", pl.DataFrame(growth, schema=TABLES["growth"].schema)),
    }
    section = change_section(facts_of(tables, {"study": {"confidence": 0.95}}))
    assert section is not None
    assert WORDS.say("label.many_intervals", count="4", confidence="95%", misses="0.2") in section.paragraphs


def test_works_files_without_a_recent_year_say_that_the_last_years_may_lack_works(world: Any) -> None:
    tables, manifest = world
    for recent, kind, wanted in ((False, "works-files", True), (True, "works-files", False), (False, "api", False)):
        trends = tables["trends"].with_columns(is_recent=pl.lit(recent))
        given = {**manifest, "source": {**(manifest.get("source") or {}), "kind": kind}}
        section = trend_section(facts_of({**tables, "trends": trends}, given))
        assert section is not None and (WORDS.say("label.no_recent_note") in section.paragraphs) is wanted
