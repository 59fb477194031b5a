"""The dossier: two printed pages on an institution of side A and its partners, to be filed with an assessment.

Paper has the works that fit; the page on the screen has more of them, and the tables of the run all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import ceil
from typing import Any

import polars as pl

from copub.errors import InputError
from copub.measures.partners import OWN_FIELDS
from copub.report import background
from copub.report.blocks import Cell, Section, count_cell, figure_of, grid_of, rows_of
from copub.report.charts import output_chart
from copub.report.context import lettered
from copub.report.facts import Facts, facts_of
from copub.report.page import render
from copub.report.papers import paper_of
from copub.report.workevidence import evidence_of

PAPERS = 200  # works written out; the tables of the run hold them all
LINES, LETTERS = 48, 100  # lines of two sheets that are left for works, ties and list status; letters of a line
ROWS, HITS = 8, 2  # partners, ties, and affiliations of a work on paper; the others are on the screen
_KEY = pl.coalesce("institution_id", "institution_name")


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution of a run: its name, and the ids (or names, where unresolved) it has."""

    name: str
    keys: frozenset[str]


def build_dossier(
    tables: Mapping[str, pl.DataFrame],
    manifest: Mapping[str, Any],
    *,
    institution: str,
    partner: str | None = None,
    area: str | None = None,
    ties: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the dossier as one self-contained HTML page.

    Parameters
    ----------
    tables, manifest : of a run, as for `copub.report.page.build_page`.
    institution : name or OpenAlex id of an institution of side A.
    partner : the same of side B; None for all partners.
    area : id or name of an area of the headline taxonomy; None for all.
    ties : formal agreements, rows with side_a, side_b, country (that of side_b), kind, date, source.

    Raises
    ------
    InputError : no such institution, partner or area in this run; the message names the nearest.
    """
    facts = facts_of(tables, manifest)
    say = facts.words.say
    own = institution_of(facts, "a", institution)
    other = institution_of(facts, "b", partner) if partner else None
    chosen = _area(facts, area) if area else None
    works = joint_works(facts, own, other, chosen)
    title = say("dossier.title_all", institution=own.name, b=facts.b)
    if other:
        title = say("dossier.title", institution=own.name, partner=other.name)
    question = say("dossier.question")
    if chosen:
        question += " " + say("dossier.area", area=facts.area(chosen))
    status, formal = _status_section(facts, works, other), _tie_section(facts, own, other, ties)
    limits = background.limits_section(facts)  # its first lines are under the title of the dossier
    taken = sum(2 * len(grid.rows) for section in (status, formal) for grid in section.grids)
    sections = (
        _output_section(facts, works, own, other),
        status,
        _paper_section(facts, works, LINES - taken),
        formal,
        replace(limits, title=say("dossier.cannot"), paragraphs=limits.paragraphs[len(background.NOTES) :]),
        replace(background.provenance_section(facts), is_folded=True),
    )
    shown = [section for section in sections if section is not None]
    return render(facts, shown, title=title, question=question, kind="dossier")


def institution_of(facts: Facts, side: str, asked: str) -> Institution:
    """Return the institution of a side (a or b) by its name or OpenAlex id.

    Raises `InputError` if the run has none; the hint lists the nearest names.
    """
    rows = rows_of(facts.table("institutions").filter(pl.col("side") == side))
    wanted = asked.strip().casefold()
    columns = ("institution_name", "institution_id")
    found = [row for row in rows if wanted and wanted in {(row[column] or "").casefold() for column in columns}]
    if not found:
        names = {(row["institution_name"] or "").casefold(): row["institution_name"] for row in rows}
        near = [names[name] for name in get_close_matches(wanted, list(names), n=5, cutoff=0.4)]
        raise InputError(
            facts.words.say("dossier.unknown", side={"a": facts.a, "b": facts.b}[side], name=asked),
            hint=f"{facts.words.say('dossier.nearest')}: {', '.join(near) or facts.words.missing}",
        )
    keys = frozenset(str(row["institution_id"] or row["institution_name"]) for row in found)
    return Institution(str(found[0]["institution_name"] or asked), keys)


def _area(facts: Facts, asked: str) -> str:
    areas = facts.table("copublications")["areas"].explode().drop_nulls().unique().sort().to_list()
    known: dict[str, str] = {name.casefold(): area for area in areas for name in (area, facts.area(area))}
    if asked.strip().casefold() not in known:
        raise InputError(
            facts.words.say("dossier.unknown_area", name=asked),
            hint=f"{facts.words.say('dossier.nearest')}: {', '.join(areas) or facts.words.missing}",
        )
    return known[asked.strip().casefold()]


def joint_works(
    facts: Facts, own: Institution, other: Institution | None = None, area: str | None = None
) -> pl.DataFrame:
    """Return the works of an institution, with a partner and in an area if given; the latest year first."""
    works = facts.table("copublications")
    for institution in (own, other):
        if institution is not None:
            present = facts.affiliations.filter(_KEY.is_in(sorted(institution.keys)))
            works = works.join(present.select("work_id").unique(), on="work_id", how="semi")
    if area:
        works = works.filter(pl.col("areas").list.contains(area))
    return works.sort(["publication_year", "work_id"], descending=[True, False], nulls_last=True)


def _output_section(facts: Facts, works: pl.DataFrame, own: Institution, other: Institution | None) -> Section:
    """Return how many joint works there are and on what, in a sentence and by year; years without works are omitted."""
    words, say, title = facts.words, facts.words.say, facts.words.say("dossier.output")
    if works.is_empty():
        return Section("output", title, say("dossier.none"))
    measures = ("is_critical", "is_listed", "is_critical_listed")
    years = rows_of(
        works.group_by("publication_year")
        .agg(pl.len().alias("works"), *(pl.col(measure).sum() for measure in measures))
        .sort("publication_year", nulls_last=True)
    )
    total = {"works": works.height, **{measure: works.filter(measure).height for measure in measures}}
    rows = [
        (Cell(label), *(count_cell(facts, row[key]) for key in ("works", *measures)))
        for label, row in [(say("dossier.total"), total), *((str(row["publication_year"] or ""), row) for row in years)]
    ]
    heads = [say(f"label.{key}") for key in ("year", "works", "critical", "listed", "critical_listed")]
    sentence = say(
        "dossier.answer",
        institution=own.name,
        partner=other.name if other else say("dossier.partners", b=facts.b),
        years=facts.years,
        **{key.removeprefix("is_"): words.count(count) for key, count in total.items()},
    )
    grid = grid_of(title, heads, rows)
    figures = figure_of(facts, "output", title, lambda width: output_chart(years, words, width), grid)
    return Section("output", title, sentence, figures=figures, paragraphs=_by_area(facts, works))


def _by_area(facts: Facts, works: pl.DataFrame) -> tuple[str, ...]:
    counted = works.explode("areas").drop_nulls("areas")["areas"].value_counts()
    ordered = counted.sort(["count", "areas"], descending=[True, False]).iter_rows()
    areas = "; ".join(f"{facts.area(area)} {facts.words.count(count)}" for area, count in ordered)
    return (facts.words.say("dossier.by_area", areas=areas),) if areas else ()


def _status_section(facts: Facts, works: pl.DataFrame, other: Institution | None) -> Section:
    """Return on which lists the partners of side B are: hits on the institution itself, by identifier, lineage or name.

    Of a partner that was asked for, the hits in all works of the run are looked at: it is on a list, or not, whether
    or not it has joint works.
    """
    say, title = facts.words.say, facts.words.say("dossier.status")
    keys = ["work_id", "author_seq", "affiliation_seq"]
    of_b = facts.table("institutions").filter(side="b").select(_KEY.alias("key"))
    named = (
        facts.table("hits")
        .filter(pl.col("is_counted") & pl.col("field").is_in(OWN_FIELDS))
        .join(facts.affiliations.select(*keys, "institution_name", _KEY.alias("key")), on=keys)
        .join(of_b, on="key", how="semi")
    )
    joined = (
        named.filter(pl.col("key").is_in(sorted(other.keys)))
        if other
        else named.join(works.select("work_id"), on="work_id", how="semi")
    )
    rows = rows_of(
        joined.group_by("institution_name", "watchlist", "edition", "entity_name", "risk_level")
        .agg(pl.col("tier").unique().sort(), pl.col("work_id").n_unique().alias("works"))
        .sort(["works", "institution_name", "watchlist", "entity_name"], descending=[True, False, False, False])
    )
    titles = {entry.get("id"): str(entry.get("title") or entry.get("id")) for entry in facts.entries("watchlists")}
    lists = [f"{titles.get(row['watchlist'], row['watchlist'])} ({row['edition']})" for row in rows]
    letters = lettered(lists)
    cells = [
        (
            Cell(row["institution_name"] or facts.words.missing, is_name=True),
            Cell(letters[name], is_name=True),
            Cell(row["entity_name"] or "", is_name=True),
            Cell(facts.level(row["risk_level"])),
            Cell(", ".join(facts.words.name("tier", tier) for tier in row["tier"])),
            count_cell(facts, row["works"]),
        )
        for row, name in zip(rows, lists, strict=True)
    ]
    heads = [say(f"label.{key}") for key in ("institution", "list", "entity", "level", "tier", "works")]
    paper = _on_paper(facts, title, heads, cells)
    if letters:
        paper["extra"]["lists"] = [(say("label.lists"), "a", tuple(letters))]
    lines = () if rows else (say("label.none"),)
    lead = say("dossier.status_one", partner=other.name) if other else say("dossier.status_lead", b=facts.b)
    return Section("status", title, lead, paragraphs=lines, **paper)


def _on_paper(facts: Facts, title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    """Return the first rows as a grid, and the others as one that is folded and not printed."""
    grids = tuple(grid_of(title, heads, part) for part in (rows[:ROWS], rows[ROWS:]) if part)
    more = facts.words.say("dossier.more_rows", count=facts.words.count(len(rows) - ROWS))
    return {"grids": grids[:1], "extra": {"more": (more, grids[1:]) if grids[1:] else None}}


def _tie_section(
    facts: Facts, own: Institution, other: Institution | None, ties: Sequence[Mapping[str, Any]]
) -> Section:
    say, title = facts.words.say, facts.words.say("dossier.ties")
    countries = (facts.study.get("side_b") or {}).get("countries") or ()
    mine = [
        tie
        for tie in ties
        if str(tie.get("side_a") or "").casefold() == own.name.casefold()
        and tie["country"] in countries
        and (other is None or str(tie.get("side_b") or "").casefold() == other.name.casefold())
    ]
    heads = [say("label.institution"), say("dossier.kind"), say("dossier.date"), say("label.source")]
    cells = [
        [
            Cell(str(tie.get("side_b") or ""), is_name=True),
            Cell(facts.words.value(str(tie.get("kind") or ""))),
            Cell(facts.words.date(str(tie.get("date") or ""))),
            Cell(str(tie.get("source") or ""), is_name=True),
        ]
        for tie in mine
    ]
    lead = say("dossier.ties_lead" if mine else "dossier.no_tie")
    return Section("ties", title, lead, **_on_paper(facts, title, heads, cells))


def _paper_section(facts: Facts, works: pl.DataFrame, lines: int) -> Section | None:
    """Return the critical works with their evidence: first those that `lines` lines of paper have space for."""
    critical = works.filter("is_critical")
    if critical.is_empty():
        return None
    # listed works first, and of these the newest
    shown, say = critical.sort("is_listed", descending=True, maintain_order=True).head(PAPERS), facts.words.say
    evidence = evidence_of(facts, shown)
    papers = [paper_of(facts, row, evidence) for row in rows_of(shown)]
    printed = _printed(papers, lines)
    lead = say("dossier.papers_lead")
    if len(papers) > printed:
        counts = {"count": facts.words.count(printed), "total": facts.words.count(critical.height)}
        lead += " " + say("dossier.papers_printed", **counts)
    if critical.height > shown.height:
        lead += " " + say("dossier.papers_more", count=facts.words.count(critical.height - shown.height))
    extra = {"papers": papers[:printed], "folded": papers[printed:], "hits": HITS}
    return Section("papers", say("dossier.papers"), lead, kind="papers", extra=extra)


def _printed(papers: Sequence[Mapping[str, Any]], lines: int) -> int:
    """Return how many works, at least one, fit into so many lines."""
    for place, paper in enumerate(papers):
        reasons = [(reason["area"], reason["technology"], reason["terms"]) for reason in paper["reasons"]]
        lengths = [len(paper["title"]), 1, *map(_length, (*reasons, *paper["hits"][:HITS]))]
        lines -= sum(ceil(length / LETTERS) for length in lengths)
        if lines < 0:
            return max(1, place)
    return len(papers)


def _length(evidence: Any) -> int:
    """Return about how many letters a reason or a hit has."""
    if isinstance(evidence, Mapping):
        evidence = tuple(evidence.values())
    return len(evidence) + 1 if isinstance(evidence, str) else sum(map(_length, evidence))
