"""Rules of the sentences: counts, interval and rule are with every share, and nothing is invented."""

from __future__ import annotations

from typing import Any

import polars as pl

from copub.report.facts import facts_of
from copub.report.summary import headline_lines, second_sentence, weightiest_sentences
from copub.schema import empty


def _share(tables: dict[str, pl.DataFrame], measure: str, counting: str = "full") -> dict[str, Any]:
    return (
        tables["shares"]
        .filter(pl.col("measure") == measure, pl.col("slice_kind") == "all", pl.col("counting") == counting)
        .row(0, named=True)
    )


def test_the_first_sentence_holds_counts_and_share_of_the_table_and_no_interval_for_an_exact_count(world: Any) -> None:
    tables, manifest = world
    row = _share(tables, "critical_listed")
    sentence = headline_lines(tables, manifest)[1]
    counts = f"{row['numerator']:.0f} of {row['denominator']:,.0f}"
    start = f"{counts} co-publications ({row['share']:.1%}) of Belgium and China, published 2010–2025, "
    assert sentence.startswith(start)


def test_the_second_sentence_counts_among_the_first(world: Any) -> None:
    tables, manifest = world
    row = _share(tables, "top_level_given_critical_listed")
    line = next(line for line in headline_lines(tables, manifest) if "level “very high”" in line)
    assert line.startswith(f"{row['numerator']:.0f} of these {row['denominator']:.0f} works ({row['share']:.1%}, 95%")


def test_the_second_line_says_by_which_lists_and_levels(world: Any) -> None:
    tables, manifest = world
    line = next(line for line in headline_lines(tables, manifest) if line.startswith("An institution counts as listed"))
    assert manifest["watchlists"][0]["title"] in line
    assert all(level in line for level in manifest["study"]["levels"])


def test_every_other_counting_rule_has_its_line(world: Any) -> None:
    lines = "\n".join(headline_lines(*world))
    assert "fractional counting by authors: " in lines and "fractional counting by countries: " in lines


def test_lower_and_unrated_levels_are_reported_and_never_counted(world: Any) -> None:
    tables, manifest = world
    lines = [line for line in headline_lines(tables, manifest) if line.startswith("Not counted")]
    for measure, line in zip(("critical_listed_lower", "critical_listed_unrated"), lines, strict=True):
        row = _share(tables, measure)
        assert f": {row['numerator']:.0f} works ({row['share']:.1%}, " in line


def test_a_synthetic_run_says_so_first_and_shows_true_and_measured_values(world: Any) -> None:
    lines = headline_lines(*world)
    assert lines[0].startswith("SYNTHETIC")
    assert any("true value 12.0%" in line and "measured 11.7%" in line for line in lines)


def test_a_real_run_says_nothing_of_synthetic(make_world: Any) -> None:
    tables, manifest = make_world(50, synthetic=False)
    manifest |= {"true_values": [], "watchlists": []}
    assert "SYNTHETIC" not in "\n".join(headline_lines(tables, manifest))


def test_no_works_give_a_sentence_and_no_share(make_world: Any) -> None:
    lines = headline_lines(*make_world(0, synthetic=False))
    assert lines[0].startswith("No co-publications of Belgium and China")
    assert "0.0%" not in lines[0]


def test_a_run_without_shares_says_that_nothing_was_measured(world: Any) -> None:
    tables, manifest = world
    assert "was not measured" in headline_lines({**tables, "shares": empty("shares")}, manifest)[1]


def test_shares_over_other_levels_or_lists_are_never_taken_for_the_headline(world: Any) -> None:
    tables, manifest = world
    other = tables["shares"].with_columns(pl.lit("very high+high+medium+unrated").alias("risk_level"))
    assert "was not measured" in headline_lines({**tables, "shares": other}, manifest)[1]
    other = tables["shares"].with_columns(pl.lit("another-list").alias("watchlist"))
    assert "was not measured" in headline_lines({**tables, "shares": other}, manifest)[1]


def test_gaps_of_the_data_are_counted(world: Any) -> None:
    tables, manifest = world
    none = tables["copublications"].filter(pl.col("abstract_status") == "none").height
    lines = [line for line in headline_lines(tables, manifest) if "have no abstract" in line]
    assert lines[0].startswith(f"{none} of 400 works")


def test_missing_works_of_the_source_are_said(world: Any) -> None:
    tables, manifest = world
    source = {"kind": "api", "expected": 500, "got": 400, "missing": 100}
    assert "100 of the 500 works that the source reports could not be retrieved." in headline_lines(
        tables, {**manifest, "source": source}
    )


def test_warnings_of_the_run_are_passed_on(world: Any) -> None:
    tables, manifest = world
    assert headline_lines(tables, {**manifest, "warnings": ["a thing to know"]})[-1] == "a thing to know"


def test_a_first_headline_of_no_works_has_no_second(world: Any) -> None:
    tables, manifest = world
    none = pl.when(pl.col("measure") == "critical_listed").then(0.0).otherwise("numerator").alias("numerator")
    facts = facts_of({**tables, "shares": tables["shares"].with_columns(none)}, manifest)
    assert second_sentence(facts_of(tables, manifest)) != ""
    assert second_sentence(facts) == ""


def test_lists_that_name_nobody_of_side_b_are_named_first_for_their_zero_says_nothing(world: Any) -> None:
    tables, manifest = world
    lists = [{**entry, "countries": {"RU": 3}} for entry in manifest["watchlists"]]
    first = weightiest_sentences(facts_of(tables, {**manifest, "watchlists": lists}))[0]
    assert first.startswith("No list of this study names an institution of China")
    covered = [{**entry, "countries": {"RU": 3, "CN": 1}} for entry in manifest["watchlists"]]
    assert not any(
        "No list" in line for line in weightiest_sentences(facts_of(tables, {**manifest, "watchlists": covered}))
    )
