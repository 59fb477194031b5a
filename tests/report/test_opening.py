"""Rules of the first screen: one sentence, the estimates that there are, three facts, and links that lead somewhere."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from copub.report.charts import percent_of
from copub.report.facts import Facts, facts_of
from copub.report.messages import load_messages
from copub.report.opening import answer_section, estimates
from copub.report.page import build_page
from copub.report.summary import coverage_sentences, weightiest_sentences


def _with_readings(world: Any, low: float, high: float) -> Facts:
    tables, manifest = world
    rows = [
        {"reading": reading, "measure": "critical_listed", "counting": "full", "numerator": share * 400,
         "denominator": 400.0, "share": share, "ci_low": share / 2, "ci_high": share * 2, "is_small": False}
        for reading, share in (
            ("unknown levels, smallest", low), ("unknown levels, largest", high), ("lists as at publication", 0.01),
        )
    ]  # fmt: skip
    readings = pl.DataFrame(rows, schema=tables["readings"].schema)
    return facts_of({**tables, "readings": readings}, manifest)


def test_estimates_come_in_their_order_with_their_intervals(world: Any) -> None:
    facts = _with_readings(world, 0.1, 0.2)
    rows = {row["key"]: row for row in estimates(facts)}
    assert list(rows) == ["counted", "corrected", "unknown_levels", "at_publication", "true_value"]
    counted, share = rows["counted"], facts.share("critical_listed")
    assert share is not None and (counted["share"], counted["ci_low"]) == (share["share"], share["ci_low"])
    assert (rows["unknown_levels"]["share"], rows["unknown_levels"]["ci_high"]) == (None, 0.2)


def test_what_people_read_leads(world: Any) -> None:
    tables, manifest = world
    adjusted = tables["adjusted"].with_columns(method=pl.lit("labelled sample"))
    rows = estimates(facts_of({**tables, "adjusted": adjusted}, manifest))
    assert [row["key"] for row in rows][:2] == ["read", "counted"]


def test_bounds_that_agree_are_a_point(world: Any) -> None:
    rows = {row["key"]: row for row in estimates(_with_readings(world, 0.1, 0.1))}
    assert rows["unknown_levels"]["share"] == 0.1


def test_figures_name_the_interval_only_where_there_is_one() -> None:
    words = load_messages("en")
    assert percent_of(words, {"share": 0.1, "ci_low": 0.05, "ci_high": 0.2}) == "10.0% (5.0%\u00a0–\u00a020.0%)"
    assert percent_of(words, {"share": 0.1, "ci_low": None, "ci_high": None}) == "10.0%"
    assert percent_of(words, {"share": None, "ci_low": 0.05, "ci_high": 0.2}) == "5.0%\u00a0–\u00a020.0%"


def test_three_facts_the_weightiest_gaps_first(world: Any) -> None:
    facts = facts_of(*world)
    shown = weightiest_sentences(facts)
    assert len(shown) == 3 and "works in the files" in shown[0]
    counts = [int(line.split()[0]) for line in shown[1:]]
    assert counts == sorted(counts, reverse=True)
    assert set(shown[1:]) <= set(coverage_sentences(facts))


@pytest.mark.parametrize("works", [0, 3, pytest.param(400, marks=pytest.mark.slow)])
def test_every_link_leads_to_a_part_of_the_page(make_world: Any, works: int) -> None:
    page = build_page(*make_world(works))
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets and targets <= set(re.findall(r'id="([^"]+)"', page))


def test_a_run_without_shares_has_no_figure(make_world: Any) -> None:
    section = answer_section(facts_of({}, make_world(3)[1]))
    assert section.extra["share"] == "" and "was not measured" in section.extra["sentence"]
