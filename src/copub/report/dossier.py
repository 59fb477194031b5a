"""The dossier: one page on an institution of side A and its partners, to be filed with an appraisal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from copub.errors import InputError
from copub.report import background
from copub.report.blocks import Cell, Section, count_cell, grid_of, rows_of
from copub.report.facts import Facts, facts_of
from copub.report.page import render
from copub.report.papers import paper_of
from copub.report.workevidence import evidence_of

PAPERS = 200  # works written out; the tables of the run hold them all
_KEY = pl.coalesce("institution_id", "institution_name")


@dataclass(frozen=True, slots=True)
class _Found:
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
    ties : formal agreements, rows with side_a, side_b, kind, date, source.

    Raises
    ------
    InputError : no such institution, partner or area in this run; the message names the nearest.
    """
    facts = facts_of(tables, manifest)
    say = facts.words.say
    own = _institution(facts, "a", institution)
    other = _institution(facts, "b", partner) if partner else None
    chosen = _area(facts, area) if area else None
    works = _joint_works(facts, own, other, chosen)
    title = say("dossier.title_all", institution=own.name, b=facts.b)
    if other:
        title = say("dossier.title", institution=own.name, partner=other.name)
    question = say("dossier.question")
    if chosen:
        question += " " + say("dossier.area", area=facts.area(chosen))
    sections = (
        _output_section(facts, works),
        _status_section(facts, works, other),
        _area_section(facts, works),
        _tie_section(facts, own, other, ties),
        _paper_section(facts, works),
        background.limits_section(facts),
        background.provenance_section(facts),
    )
    return render(facts, [section for section in sections if section is not None], title=title, question=question)


def _institution(facts: Facts, side: str, asked: str) -> _Found:
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
    return _Found(str(found[0]["institution_name"] or asked), keys)


def _area(facts: Facts, asked: str) -> str:
    areas = facts.table("copublications")["areas"].explode().drop_nulls().unique().sort().to_list()
    known: dict[str, str] = {name.casefold(): area for area in areas for name in (area, facts.area(area))}
    if asked.strip().casefold() not in known:
        raise InputError(
            facts.words.say("dossier.unknown_area", name=asked),
            hint=f"{facts.words.say('dossier.nearest')}: {', '.join(areas) or facts.words.missing}",
        )
    return known[asked.strip().casefold()]


def _joint_works(facts: Facts, own: _Found, other: _Found | None, area: str | None) -> pl.DataFrame:
    works = facts.table("copublications")
    for institution in (own, other):
        if institution is not None:
            present = facts.table("affiliations").filter(_KEY.is_in(sorted(institution.keys)))
            works = works.join(present.select("work_id").unique(), on="work_id", how="semi")
    if area:
        works = works.filter(pl.col("areas").list.contains(area))
    return works.sort(["publication_year", "work_id"], descending=[True, False], nulls_last=True)


def _output_section(facts: Facts, works: pl.DataFrame) -> Section:
    say, title = facts.words.say, facts.words.say("dossier.output")
    if works.is_empty():
        return Section("output", title, say("dossier.none"))
    measures = ("is_critical", "is_listed", "is_critical_listed")
    years = rows_of(
        works.group_by("publication_year")
        .agg(pl.len().alias("works"), *(pl.col(measure).sum() for measure in measures))
        .sort("publication_year", nulls_last=True)
    )
    total = {"works": works.height, **{measure: works.filter(measure).height for measure in measures}}
    lines = [
        (Cell(label), *(count_cell(facts, row[key]) for key in ("works", *measures)))
        for label, row in [(say("dossier.total"), total), *((str(row["publication_year"] or ""), row) for row in years)]
    ]
    heads = [say(f"label.{key}") for key in ("year", "works", "critical", "listed", "critical_listed")]
    return Section("output", title, say("dossier.output_lead"), grids=(grid_of(title, heads, lines),))


def _status_section(facts: Facts, works: pl.DataFrame, other: _Found | None) -> Section:
    """Return on which lists the partners are: hits on the institution itself, by identifier, lineage or name."""
    say, title = facts.words.say, facts.words.say("dossier.status")
    keys = ["work_id", "author_seq", "affiliation_seq"]
    hits = facts.table("hits").filter("is_counted").join(works.select("work_id"), on="work_id", how="semi")
    joined = hits.join(facts.table("affiliations").select(*keys, "institution_name", _KEY.alias("key")), on=keys)
    if other:
        joined = joined.filter(pl.col("key").is_in(sorted(other.keys)))
    rows = rows_of(
        joined.group_by("institution_name", "watchlist", "edition", "entity_name", "risk_level")
        .agg(pl.col("tier").unique().sort(), pl.col("work_id").n_unique().alias("works"))
        .sort(["works", "institution_name", "watchlist", "entity_name"], descending=[True, False, False, False])
    )
    titles = {entry.get("id"): str(entry.get("title") or entry.get("id")) for entry in facts.entries("watchlists")}
    cells = (
        (
            Cell(row["institution_name"] or facts.words.missing),
            Cell(str(titles.get(row["watchlist"], row["watchlist"])), detail=row["edition"] or ""),
            Cell(row["entity_name"] or ""),
            Cell(facts.level(row["risk_level"])),
            Cell(", ".join(facts.words.name("tier", tier) for tier in row["tier"])),
            count_cell(facts, row["works"]),
        )
        for row in rows
    )
    heads = [say(f"label.{key}") for key in ("institution", "list", "entity", "level", "tier", "works")]
    grids = (grid_of(title, heads, cells),) if rows else ()
    lines = () if rows else (say("label.none"),)
    return Section("status", title, say("dossier.status_lead", b=facts.b), grids=grids, paragraphs=lines)


def _area_section(facts: Facts, works: pl.DataFrame) -> Section | None:
    say, title = facts.words.say, facts.words.say("dossier.areas")
    counted = (
        works.explode("areas")
        .drop_nulls("areas")
        .group_by("areas")
        .agg(pl.len().alias("works"), pl.col("is_listed").sum())
        .sort(["works", "areas"], descending=[True, False])
    )
    if counted.is_empty():
        return None
    cells = (
        (Cell(facts.area(row["areas"])), count_cell(facts, row["works"]), count_cell(facts, row["is_listed"]))
        for row in rows_of(counted)
    )
    grid = grid_of(title, [say(f"label.{key}") for key in ("area", "works", "critical_listed")], cells)
    return Section("areas", title, say("dossier.areas_lead"), grids=(grid,))


def _tie_section(facts: Facts, own: _Found, other: _Found | None, ties: Sequence[Mapping[str, Any]]) -> Section | None:
    say, title = facts.words.say, facts.words.say("dossier.ties")
    mine = [
        tie
        for tie in ties
        if str(tie.get("side_a") or "").casefold() == own.name.casefold()
        and (other is None or str(tie.get("side_b") or "").casefold() == other.name.casefold())
    ]
    if not mine:
        return None
    heads = [say("label.institution"), say("dossier.kind"), say("dossier.date"), say("label.source")]
    cells = ([Cell(str(tie.get(key) or "")) for key in ("side_b", "kind", "date", "source")] for tie in mine)
    return Section("ties", title, say("dossier.ties_lead"), grids=(grid_of(title, heads, cells),))


def _paper_section(facts: Facts, works: pl.DataFrame) -> Section | None:
    critical = works.filter("is_critical")
    if critical.is_empty():
        return None
    shown, say = critical.head(PAPERS), facts.words.say
    evidence = evidence_of(facts, shown)
    papers = [paper_of(facts, row, evidence) for row in rows_of(shown)]
    left = critical.height - shown.height
    lead = say("dossier.papers_lead")
    if left:
        lead += " " + say("dossier.papers_more", count=facts.words.count(left))
    return Section("papers", say("dossier.papers"), lead, kind="papers", extra={"papers": papers})
