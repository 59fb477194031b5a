"""The parts of the page on what others say: published figures beside ours, formal ties beside joint works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from copub.measures.comparison import YEARS
from copub.report.blocks import Cell, Section
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, Writer, grid_from, section_of

_COMPARISON: tuple[Column, ...] = (
    ("label.figure", "name", "dated"),
    ("label.theirs", "theirs", "theirs"),
    ("label.reading", "reading", "reading"),
    ("label.ours", "ours", "by_kind"),
    ("label.verdict", "verdict", "verdict"),
    ("label.notes_numbered", "notes", "text"),
    ("label.source", "sources", "text"),
)
_TIES: tuple[Column, ...] = (
    ("label.institution_a", "institution_a", "marked"),
    ("label.institution_b", "institution_b", "text"),
    ("label.status", "status", "value"),
    ("label.kind", "kind", "reason"),
    ("label.since", "start", "date"),
    ("label.level", "risk_level", "level"),
    ("label.works", "works", "count"),
    ("label.critical_listed", "critical_listed", "count"),
    ("label.critical_before", "critical before", "part"),
    ("label.critical_after", "critical after", "part"),
    ("label.listed_before", "listed before", "part"),
    ("label.listed_after", "listed after", "part"),
    ("label.source", "sources", "text"),
)
_TIE_AREAS: tuple[Column, ...] = (
    ("label.priority_area", "area", "value"),
    ("label.links", "links", "count"),
    ("label.at_counted_levels", "at_counted_levels", "count"),
    ("label.unresolved", "unresolved", "count"),
    ("label.share", "share_of_links", "share"),
)
_AS_SHARE = ("share", "growth", "sign")  # of a direction: ours is a growth, theirs a word


def _figure(facts: Facts, kind: str, value: float | None) -> str:
    if kind in _AS_SHARE:
        return facts.words.percent(value)
    return facts.words.number(value, 2) if kind == "ratio" else facts.words.count(value)


def _by_kind(facts: Facts, row: Row, column: str) -> Cell:
    """Write a figure of this run, and below it its interval."""
    small = facts.words.say("label.small") if row["is_small"] and row[column] is not None else ""
    ends = [row[f"{column}_low"], row[f"{column}_high"]]
    bounds = "" if None in ends else "\u00a0–\u00a0".join(_figure(facts, row["kind"], end) for end in ends)
    return Cell(_figure(facts, row["kind"], row[column]), row[column], mark=small, detail=bounds)


def _theirs(facts: Facts, row: Row, column: str) -> Cell:
    if row["kind"] != "sign" or row[column] is None:
        return Cell(_figure(facts, row["kind"], row[column]), row[column])
    return Cell(facts.words.say("label.faster" if row[column] > 0 else "label.slower"), row[column])


def _reading(facts: Facts, row: Row, column: str) -> Cell:
    """Write under which reading our figure is given."""
    if (row[column] or "").startswith(YEARS):
        first, last = row[column].removeprefix(YEARS).split(" to ")
        return Cell(facts.words.say("label.reading_years", first=first, last=last))
    return Cell(facts.words.name("reading", row[column]))


def _verdict(facts: Facts, row: Row, column: str) -> Cell:
    """Write how two figures compare, with everything that is in the way of a verdict."""
    words = facts.words
    if row[column] is None:
        return Cell("")
    reasons = []
    for reason in row["reasons"] or ():
        what, colon, value = reason.partition(": ")
        reasons.append(words.name("verdict", what) + (words.say("label.of_value", value=value) if colon else ""))
    if row["left_open"]:
        items = ", ".join(words.name("left_open", item) for item in row["left_open"])
        reasons.append(words.say("label.source_leaves_open", items=items))
    verdict = words.name("verdict", row[column])
    return Cell(
        verdict + words.say("label.of_value", value=words.say("label.and_reason").join(reasons)) if reasons else verdict
    )


def _part(facts: Facts, row: Row, column: str) -> Cell:
    """Write a share of the works before or after a tie, and below it its counts."""
    words, (what, when) = facts.words, column.split()
    share, of = row[f"{what}_share_{when}"], row[f"works_{when}"]
    if share is None:
        return Cell(words.missing)
    counts = words.say("label.k_of_n", k=words.count(row[f"{what}_{when}"]), n=words.count(of))
    small = words.say("label.small") if of < (facts.study.get("small_rate") or 0) else ""
    return Cell(words.percent(share), share, mark=small, detail=counts)


def _dated(facts: Facts, row: Row, column: str) -> Cell:
    detail = " · ".join(facts.words.value(text) for text in (row["period"], row["status"]) if text)
    return Cell(row[column] or "", detail=detail, is_name=True)


WAYS: Mapping[str, Writer] = {
    **WRITERS,
    "by_kind": _by_kind,
    "theirs": _theirs,
    "reading": _reading,
    "verdict": _verdict,
    "dated": _dated,
    "part": _part,
}
"""Ways of writing cells of this part, beside the common ones."""


def comparison_section(facts: Facts) -> Section | None:
    """Return published figures beside ours, those that do not depend on the size of the database first.

    Differences of definition and sources, which many figures share, are once below and are named by number.
    """
    say, frame = facts.words.say, facts.table("comparison")
    differences = frame["differences"].to_list()
    notes, sources = _numbered(differences), lettered(frame["source"].to_list())
    frame = frame.with_columns(
        notes=pl.Series([_spans(notes[note] for note in row or ()) for row in differences], dtype=pl.String),
        sources=pl.Series([sources.get(source, "") for source in frame["source"]], dtype=pl.String),
    )
    # what holds for a figure under all readings is with the first of them; its name is a head, so every row has it
    further = pl.col("reading") != pl.col("reading").first().over("published", "figure")
    once = ("period", "status", "verdict", "reasons", "left_open", "notes", "sources")
    frame = frame.with_columns(pl.when(~further.fill_null(False)).then(name).alias(name) for name in once)
    comparable, others = (
        grid_from(facts, say("section.comparison"), rows, _COMPARISON, WAYS)
        for rows in (
            frame.drop_nulls(["theirs", "ours"]),
            frame.filter(pl.any_horizontal(pl.col("theirs", "ours").is_null())),
        )
    )
    lists = [
        (say("section.comparison_differences"), "1", tuple(notes)),
        (say("section.comparison_sources"), "a", tuple(sources)),
    ]
    if not comparable.rows and not others.rows:
        return None
    more = (say("action.show_context", count=facts.words.count(len(others.rows))), (others,)) if others.rows else None
    is_file = (facts.manifest.get("source") or {}).get("kind") == "works-files"
    return Section(
        "comparison",
        say("section.comparison"),
        say("lead.comparison_of_files" if is_file else "lead.comparison"),
        grids=(comparable,) if comparable.rows else (),
        extra={"lists": lists, "more": more},
    )


def _numbered(rows: Iterable[Iterable[str] | None]) -> dict[str, int]:
    """Return the different texts of all rows in the order of their first use, numbered from 1."""
    texts = dict.fromkeys(text for row in rows for text in row or ())
    return {text: number for number, text in enumerate(texts, start=1)}


def lettered(sources: Iterable[str | None]) -> dict[str, str]:
    """Return the different sources in the order of their first use, named a, b, c … as the page's list counts them."""
    return {source: _letters(number) for source, number in _numbered([filter(None, sources)]).items()}


def _letters(number: int) -> str:
    text = ""
    while number:
        number, place = divmod(number - 1, 26)
        text = chr(ord("a") + place) + text
    return text


def _spans(numbers: Iterable[int]) -> str:
    """Return numbers with runs drawn together: 1–4, 7."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}–{last}" if last > first else str(first) for first, last in spans)


def tie_section(facts: Facts) -> Section | None:
    """Return formal ties with their joint works, strong pairs without a tie, and ties by priority area."""
    say, frame = facts.words.say, facts.table("ties")
    sources = lettered(frame["source"].to_list())
    named = pl.Series([sources.get(source, "") for source in frame["source"]], dtype=pl.String)
    grids = [
        grid_from(facts, say("section.ties"), frame.with_columns(sources=named), _TIES, WAYS),
        grid_from(facts, say("section.tie_areas"), facts.table("tie_areas"), _TIE_AREAS),
    ]
    section = section_of(facts, "ties", grids)
    lists = [(say("section.comparison_sources"), "a", tuple(sources))]
    return replace(section, extra={"lists": lists}) if section else None
