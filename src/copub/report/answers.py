"""The parts of the page that answer the question: what the answer rests on, the square, years, areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from copub.report.blocks import (
    Cell,
    Grid,
    Section,
    count_cell,
    figure_of,
    grid_of,
    rows_of,
    share_cell,
)
from copub.report.certainty import certainty_sentences, read_sentence
from copub.report.charts import overlap_chart, trend_chart
from copub.report.facts import Facts, Row
from copub.report.messages import Messages
from copub.report.publishers import publisher_grids
from copub.report.summary import (
    COUNTINGS,
    band_sentences,
    first_sentence,
    reading_sentences,
    second_sentence,
)

_MEASURES = (
    "critical",
    "listed",
    "critical_listed",
    "top_level",
    "top_level_given_critical_listed",
    "critical_listed_lower",
    "critical_listed_unrated",
    "critical_listed_authors",
)


def basis_section(facts: Facts) -> Section:
    """Return what the answer rests on: the further sentences, countings side by side, definitions."""
    row, grid = facts.share("critical_listed"), _counting_grid(facts)
    counted = first_sentence(facts) if read_sentence(facts) else ""
    sentences = (
        counted,
        second_sentence(facts),
        *certainty_sentences(facts),
        *band_sentences(facts),
        *reading_sentences(facts),
    )
    return Section(
        id="basis",
        title=facts.words.say("section.basis"),
        lead=facts.words.say("lead.basis"),
        paragraphs=tuple(filter(None, sentences)),
        grids=(grid,) if grid.rows else (),
        pairs=_rests_on(facts, row),
        extra={"table": "shares"},
    )


def _counting_grid(facts: Facts) -> Grid:
    """Return measures by counting rule: the share, and below it counts and interval."""
    words = facts.words
    order = (facts.counting, *(rule for rule in COUNTINGS if rule != facts.counting))
    rows = []
    for measure in _MEASURES:
        measured = [facts.share(measure, counting) for counting in order]
        if any(row is not None for row in measured):
            rows.append((Cell(words.name("measure", measure)), *(_counting_cell(facts, row) for row in measured)))
    heads = (words.say("label.share"), *(words.name("counting", counting) for counting in order))
    return grid_of(words.say("label.counting"), heads, rows)


def _counting_cell(facts: Facts, row: Row | None) -> Cell:
    if row is None or row["share"] is None:
        return Cell(facts.words.missing)
    counts = facts.words.say(
        "label.k_of_n", k=facts.words.count(row["numerator"]), n=facts.words.count(row["denominator"])
    )
    return Cell(facts.words.percent(row["share"]), row["share"], detail=f"{counts}; {facts.bounds(row)}")


def _rests_on(facts: Facts, row: Row | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    words, study = facts.words, facts.study
    countries = {side: ", ".join((study.get(f"side_{side}") or {}).get("countries") or ()) for side in "ab"}
    pairs: list[tuple[str, tuple[str, ...]]] = []
    if row is not None:
        denominator = words.say(
            "rests.denominator", denominator=words.count(row["denominator"]), years=facts.years,
            a_countries=countries["a"], b_countries=countries["b"],
        )  # fmt: skip
        pairs.append((words.say("label.denominator_rule"), (denominator,)))
    rule = facts.counting.removeprefix("fractional-") + "_rule"
    counted = words.say(
        "rests.counting", counting=words.name("counting", facts.counting), rule=words.name("counting", rule)
    )
    pairs.append((words.say("label.counting"), (counted,)))
    lists = [f"{list_line(facts, entry)}{_listed_on_b(facts, entry)}" for entry in facts.entries("watchlists")]
    pairs += _headline_first(facts, "lists", lists, len(study.get("watchlists") or ()))
    levels = ", ".join(facts.level(level) for level in study.get("levels") or ()) or words.say("rests.levels_all")
    pairs.append((words.say("label.levels"), (levels,)))
    taxonomies = [_dated(words, entry) for entry in facts.entries("taxonomies")]
    pairs += _headline_first(facts, "taxonomies", taxonomies, 1)
    pairs.append((words.say("label.classifier"), (words.say("rests.classifier"),)))
    return tuple((label, values) for label, values in pairs if values)


def _listed_on_b(facts: Facts, entry: Row) -> str:
    """Return how many institutions of side B a watchlist names; "" if an older run did not keep it."""
    if "countries" not in entry:
        return ""
    side = (facts.study.get("side_b") or {}).get("countries") or ()
    number = sum(entry["countries"].get(country, 0) for country in side)
    return facts.words.say("rests.listed_on_b", number=facts.words.count(number))


def _headline_first(facts: Facts, what: str, lines: Sequence[str], headline: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return the lists or taxonomies of the headline, and the further ones apart from them."""
    of_headline = "headline_lists" if what == "lists" else "headline_taxonomy"
    return [
        (facts.words.say(f"label.{of_headline}"), tuple(lines[:headline])),
        (facts.words.say(f"label.other_{what}"), tuple(lines[headline:])),
    ]


def _dated(words: Messages, entry: Row) -> str:
    title, date = entry.get("title") or entry.get("id") or "", entry.get("date")
    return f"{title} ({words.date(str(date))})" if date else str(title)


def list_line(facts: Facts, entry: Row) -> str:
    """Return a watchlist in one line: title, authority, edition, date of retrieval."""
    words = facts.words
    given = [key for key in ("edition", "retrieved") if entry.get(key)]
    details = [f"{words.say(f'label.{key}')} {words.date(str(entry[key]))}" for key in given]
    if entry.get("authority"):
        details.insert(0, str(entry["authority"]))
    return (
        f"{entry.get('title') or entry.get('id')} ({'; '.join(details)})"
        if details
        else str(entry.get("title") or entry.get("id"))
    )


def square_section(facts: Facts) -> Section | None:
    """Return the 2×2 of critical and listed, counted over `copublications`."""
    works, words = facts.table("copublications"), facts.words
    if works.is_empty():
        return None
    heads = (words.say("label.works"), *(words.name("measure", key) for key in ("listed", "not_listed", "total")))
    rows = []
    for label, part in (
        ("critical", works.filter("is_critical")),
        ("not_critical", works.filter(~pl.col("is_critical"))),
        ("total", works),
    ):
        counts = (part.filter("is_listed").height, part.filter(~pl.col("is_listed")).height, part.height)
        rows.append((Cell(words.name("measure", label)), *(count_cell(facts, float(count)) for count in counts)))
    title = words.say("section.square")
    return Section("square", title, words.say("lead.square"), kind="square", grids=(grid_of(title, heads, rows),))


def trend_section(facts: Facts) -> Section | None:
    """Return the years: share with interval, counts, coverage."""
    words = facts.words
    trends = facts.table("trends").filter(pl.col("counting") == facts.counting)
    if trends.is_empty():
        return None
    title = words.say("section.trend")
    grid = _trend_grid(facts, trends, title)
    events = facts.entries("events") or list(facts.study.get("events") or ())
    pooled = facts.table("periods").filter(pl.col("counting") == facts.counting)
    figures = figure_of(facts, "trend", title, lambda width: trend_chart(trends, pooled, words, width, events), grid)
    notes = [f"{words.date(str(event.get('date') or ''))}{words.value(': ')}{event.get('label')}" for event in events]
    if trends["is_recent"].any():
        notes.append(words.say("label.recent_note"))
    elif (facts.manifest.get("source") or {}).get("kind") == "works-files":
        notes.append(words.say("label.no_recent_note"))
    notes += _notes_on_years(facts, trends)
    publishers = publisher_grids(facts)
    return Section(
        "trend",
        title,
        words.say("lead.trend"),
        figures=figures,
        grids=() if figures else (grid,),
        paragraphs=tuple(notes),
        extra={"more": (words.say("action.show_publishers"), publishers) if publishers else None},
    )


def _notes_on_years(facts: Facts, trends: pl.DataFrame) -> list[str]:
    """Return in which years the instruments changed, and which falls the loss of coverage alone could explain."""
    words = facts.words

    def years_of(rows: pl.DataFrame) -> str:
        return ", ".join(str(year) for year in rows["year"].unique().sort())

    changed = trends.filter("epoch_changes")
    notes = [words.say("label.epoch_note", years=years_of(changed))] if changed.height else []
    for measure in trends["measure"].unique(maintain_order=True):
        falls = trends.filter(pl.col("measure") == measure, "fall_within_coverage")
        if falls.height:
            name = words.name("measure", measure)
            notes.append(words.say("label.fall_note", measure=name, years=years_of(falls)))
    return notes


def _trend_grid(facts: Facts, trends: pl.DataFrame, title: str) -> Grid:
    words = facts.words
    counts = ("copublications", "critical", "listed", "critical_listed", "top_level")
    heads = (
        words.say("label.year"), *(words.name("measure", key) for key in counts), words.say("label.share"),
        words.say("label.interval"), words.say("label.with_abstract"), words.say("label.with_institution"),
    )  # fmt: skip
    by_year: dict[int, dict[str, Row]] = {}
    for row in rows_of(trends):
        by_year.setdefault(row["year"], {})[row["measure"]] = row
    rows = []
    for year, measured in sorted(by_year.items()):
        own = measured.get("critical_listed") or next(iter(measured.values()))
        cells = [
            count_cell(facts, measured[key]["count"], small=measured[key]["is_small"])
            if key in measured
            else count_cell(facts, None)
            for key in counts
        ]
        rows.append((
            Cell(str(year)), *cells, share_cell(facts, own["share"]), Cell(facts.bounds(own), keep=True),
            share_cell(facts, own["with_abstract"]), share_cell(facts, own["with_institution"]),
        ))  # fmt: skip
    return grid_of(title, heads, rows)


def area_section(facts: Facts) -> Section | None:
    """Return the areas of the headline taxonomy: works, listed works, share, interval."""
    words = facts.words
    on_area = {row["slice"]: row["numerator"] for row in rows_of(facts.shares("critical", "area"))}
    rows = [row for row in rows_of(facts.shares("critical_listed", "area")) if on_area.get(row["slice"])]
    rows.sort(key=lambda row: (-row["numerator"], -on_area[row["slice"]], row["slice"]))
    if not rows:
        return None
    title = words.say("section.areas")
    heads = ("area", "on_area", "critical_listed", "share_of_all", "interval")
    grid = grid_of(
        title, [words.say(f"label.{key}") for key in heads], (_area_cells(facts, row, on_area) for row in rows)
    )
    bars = [
        {"label": facts.area(row["slice"]), "whole": on_area[row["slice"]], "part": row["numerator"],
         "text": words.say("label.k_of_n", k=words.count(row["numerator"]), n=words.count(on_area[row["slice"]]))}
        for row in rows
    ]  # fmt: skip
    figures = figure_of(facts, "areas", title, lambda width: overlap_chart(bars, words, width), grid)
    return Section("areas", title, words.say("lead.areas"), figures=figures)


def _area_cells(facts: Facts, row: Row, on_area: Mapping[str, float]) -> tuple[Cell, ...]:
    return (
        Cell(facts.area(row["slice"])),
        count_cell(facts, on_area[row["slice"]]),
        count_cell(facts, row["numerator"], small=row["is_small"]),
        share_cell(facts, row["share"]),
        Cell(facts.bounds(row), keep=True),
    )
