"""The result in sentences, as the page, the workbook and the summary give them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import polars as pl

from copub.countries import listing
from copub.report.certainty import certainty_sentences, read_sentence
from copub.report.facts import Facts, Row, facts_of
from copub.report.panelfacts import panel_sentences

COUNTINGS = ("full", "fractional-authors", "fractional-countries")
COVERAGE: Mapping[str, pl.Expr] = {
    "abstract": pl.col("abstract_status") == "none",
    "institution": ~pl.col("has_institution"),
    "truncated": pl.col("is_truncated"),
    "unclassifiable": ~pl.col("classifiable"),
}
"""What a work may lack -> the works that lack it."""


def headline_lines(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> list[str]:
    """Return the result as plain sentences, one line each.

    The headline as people read it, if they did, and as counted; the pairs of a panel, the other countings, the second
    headline, how certain it is, works of lower and unrated levels, coverage, true and measured values, and the run's
    warnings.
    """
    facts = facts_of(tables, manifest)
    lines = [facts.words.say("headline.synthetic")] if facts.synthetic else []
    lines += protocol_sentences(facts)
    lines += [line for line in (read_sentence(facts), first_sentence(facts), listed_sentence(facts)) if line]
    lines += panel_sentences(facts)
    lines += fractional_sentences(facts)
    lines += [line for line in (second_sentence(facts), *certainty_sentences(facts), *band_sentences(facts)) if line]
    lines += reading_sentences(facts)
    lines += coverage_sentences(facts)
    lines += true_value_sentences(facts)
    lines += [str(warning) for warning in manifest.get("warnings") or []]
    return lines


def protocol_sentences(facts: Facts) -> list[str]:
    """Return whether the run is as its protocol was frozen, and every deviation; nothing without a protocol."""
    protocol = facts.manifest.get("protocol")
    if not protocol:
        return []
    words, found = facts.words, protocol.get("deviations") or []
    primary = protocol.get("primary") or {}
    line = words.say(
        "protocol.deviates" if found else "protocol.as_frozen",
        date=words.date(str(protocol.get("frozen_on"))),
        seal=str(protocol.get("seal"))[:12],
        primary=words.name("measure", primary.get("measure")),
        counting=words.name("counting", primary.get("counting")),
        comparisons=words.count(protocol.get("comparisons")),
        runs=words.count(protocol.get("runs_before")),
        count=words.count(len(found)),
    )
    return [line, *(words.say("protocol.deviation", what=what) for what in found)]


def first_sentence(facts: Facts) -> str:
    """Return the headline, or that there is nothing to report."""
    row = facts.share("critical_listed")
    sides = {"a": facts.a, "b": facts.b, "years": facts.years}
    if row is None:
        return facts.words.say("headline.unmeasured", **sides)
    if not row["denominator"]:
        return facts.words.say("headline.none", **sides)
    return facts.words.say("headline.first", **sides, **_figures(facts, row))


def fractional_sentences(facts: Facts) -> list[str]:
    """Return the headline under the countings that the study does not put first."""
    rows = [(rule, facts.share("critical_listed", rule)) for rule in COUNTINGS if rule != facts.counting]
    return [
        facts.words.say("headline.fractional", counting=facts.words.name("counting", rule), **_figures(facts, row))
        for rule, row in rows
        if row is not None and row["denominator"]
    ]


def second_sentence(facts: Facts) -> str:
    """Return the second headline (the top level among the first), or nothing."""
    row, first = facts.share("top_level_given_critical_listed"), facts.share("critical_listed")
    if row is None or first is None or not first["numerator"]:
        return ""
    level = facts.level(facts.study.get("top_level"))
    return facts.words.say(
        "headline.second", level=level, first=facts.words.count(first["numerator"]), **_figures(facts, row)
    )


def listed_sentence(facts: Facts) -> str:
    """Return by which lists and levels an institution counts as listed, or nothing where it is not known."""
    headline = facts.study.get("watchlists") or ()
    titles = [
        f"{entry.get('title')} ({entry.get('edition')})" for entry in facts.entries("watchlists")[: len(headline)]
    ]
    levels = facts.study.get("levels") or ()
    if not titles or not levels:
        return ""
    return facts.words.say(
        "headline.listed_by",
        of=len(titles),
        lists="; ".join(titles),
        count=len(levels),
        levels=listing([facts.level(level) for level in levels], facts.words.say("language.and")),
    )


_READINGS: Mapping[str, str] = {
    "lists as at publication": "at_publication",
    "lists as at publication, works since they began": "at_publication_since",
    "lists whatever the date": "whatever_date",
}
"""Readings that are shown next to the headline, and their sentences."""


def reading_sentences(facts: Facts) -> list[str]:
    """Return the headline with the lists of another date, and the bounds that unknown levels leave."""
    own = facts.table("readings").filter(measure="critical_listed", counting=facts.counting)
    rows = {row["reading"]: row for row in own.iter_rows(named=True) if row["denominator"]}
    lines = [
        facts.words.say(f"headline.{key}", **_figures(facts, rows[name]))
        for name, key in _READINGS.items()
        if name in rows
    ]
    ends = [rows.get(f"unknown levels, {end}") for end in ("smallest", "largest")]
    headline = facts.study.get("watchlists") or ()
    lists = [entry for entry in facts.entries("watchlists")[: len(headline)] if entry.get("unrated_totals")]
    if not lists or ends[0] is None or ends[1] is None:
        return lines
    words = facts.words
    totals = (
        words.say("headline.level_count", count=words.count(n), level=facts.level(level))
        for entry in lists
        for level, n in entry["unrated_totals"].items()
    )
    is_one = ends[0]["numerator"] == ends[1]["numerator"]
    bounds = words.say(
        "headline.unknown_levels_same" if is_one else "headline.unknown_levels",
        list="; ".join(str(entry.get("title")) for entry in lists),
        count=words.count(sum(entry.get("unrated") or 0 for entry in lists)),
        totals=", ".join(totals),
        low=words.percent(ends[0]["share"]),
        fewest=words.count(ends[0]["numerator"]),
        high=words.percent(ends[1]["share"]),
        most=words.count(ends[1]["numerator"]),
    )
    return [*lines, bounds]


def band_sentences(facts: Facts) -> list[str]:
    """Return the works that the headline does not count: those with only lower or unrated levels."""
    rows = ((key, facts.share(f"critical_listed_{key}")) for key in ("lower", "unrated"))
    return [
        facts.words.say(f"headline.{key}", **_figures(facts, row))
        for key, row in rows
        if row is not None and row["numerator"]
    ]


def coverage_sentences(facts: Facts) -> list[str]:
    """Return what is missing in the data."""
    works = facts.table("copublications")
    lines = []
    for key, lacking in COVERAGE.items():
        count = works.filter(lacking).height
        if count:
            lines.append(_gap(facts, key, count, works.height))
    source = facts.manifest.get("source") or {}
    return [*lines, *missing_sentences(facts), *_source_sentences(facts, source)]


def missing_sentences(facts: Facts) -> list[str]:
    """Return how many works the source has that could not be retrieved, if any."""
    source, words = facts.manifest.get("source") or {}, facts.words
    if not source.get("missing"):
        return []
    values = {key: words.count(source.get(key)) for key in ("missing", "expected")}
    return [words.say("coverage.missing_works", **values)]


def weightiest_sentences(facts: Facts, most: int = 3) -> list[str]:
    """Return what a reader must know of the data first: its protocol, its files, then the largest gaps."""
    words, works = facts.words, facts.table("copublications")
    of_files = (facts.manifest.get("source") or {}).get("kind") == "works-files"
    gaps = [(works.filter(lacking).height, key) for key, lacking in COVERAGE.items()]
    first = [words.say("certainty.census_files")] if of_files and works.height else []
    ordered = sorted(filter(itemgetter(0), gaps), key=itemgetter(0), reverse=True)
    lines = [*first, *missing_sentences(facts), *(_gap(facts, key, count, works.height) for count, key in ordered)]
    return [*no_list_sentence(facts), *protocol_sentences(facts), *lines[:most]]


def no_list_sentence(facts: Facts) -> list[str]:
    """Return that the headline lists name nobody of side B, if so: a share of 0 then follows from the lists alone."""
    sides = set((facts.study.get("side_b") or {}).get("countries") or ())
    own = set(facts.study.get("watchlists") or ())
    lists = [entry.get("countries") for entry in facts.entries("watchlists") if entry.get("id") in own]
    if not sides or not lists or None in lists or any(sides & set(countries or ()) for countries in lists):
        return []
    return [facts.words.say("coverage.no_list", b=facts.b)]


def _gap(facts: Facts, key: str, count: int, of: int) -> str:
    words = facts.words
    values = {"count": words.count(count), "of": words.count(of), "share": words.percent(count / of)}
    return words.say(f"coverage.{key}", b=facts.b, **values)


def _source_sentences(facts: Facts, source: Mapping[str, Any]) -> list[str]:
    """Return what the reader must know of the harvest: old pages, crossed epochs, what a sweep cannot see."""
    words, lines = facts.words, []
    if source.get("age_days"):
        lines.append(
            words.say("coverage.age", days=words.count(source["age_days"]), since=words.date(source["first_retrieval"]))
        )
    if len(source.get("epochs") or ()) > 1:
        lines.append(words.say("coverage.epochs", epochs="; ".join(source["epochs"])))
    if source.get("reasked_pages"):
        lines.append(words.say("coverage.damaged", count=words.count(len(source["reasked_pages"]))))
    if source.get("blind_to"):
        lines.append(words.say("coverage.blind"))
    return lines


def true_value_sentences(facts: Facts) -> list[str]:
    """Return the true and the measured values of a synthetic run."""
    return [
        facts.words.say(
            "headline.true_values",
            measure=facts.words.name("measure", str(entry.get("measure"))),
            true_value=figure_in_words(facts, entry.get("true_value")),
            measured=figure_in_words(facts, entry.get("measured")),
        )
        for entry in facts.entries("true_values")
    ]


def figure_in_words(facts: Facts, value: float | None) -> str:
    """Return a true or measured value: shares (below or at 1, not whole counts) as per cent, else as a count."""
    return facts.words.percent(value) if isinstance(value, float) and value <= 1 else facts.words.count(value)


def _figures(facts: Facts, row: Row) -> dict[str, str]:
    return {
        "numerator": facts.words.count(row["numerator"]),
        "denominator": facts.words.count(row["denominator"]),
        "share": facts.words.percent(row["share"]),
        "interval": facts.interval(row),
    }
