"""The part of the page on funders that records name, and on first, last and corresponding authors of listed works."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from copub.report.blocks import Cell, Grid, Section, grid_of, rows_of
from copub.report.facts import Facts, Row
from copub.report.grids import WRITERS, Column, grid_from, section_of
from copub.report.panelfacts import pair_names

_FUNDERS = 30
_INSTITUTIONS = 20
_GROUPS = ("all", "critical", "listed", "critical_listed")
_NAMED = 2
"""Columns before the figures of a grid per institution: its name and its works."""
ROLES = ("first", "last", "corresponding")
"""In the order in which they are read."""

_FUNDING: tuple[Column, ...] = (
    ("label.group_of_works", "group", "group"),
    ("label.works", "works", "count"),
    ("label.with_award_field", "denominator", "count"),
    ("label.with_award", "numerator", "count"),
    ("label.share", "share", "marked_share"),
    ("label.interval", "ci", "bounds"),
    ("label.awards", "awards", "count"),
)
_FUNDER: tuple[Column, ...] = (
    ("label.funder", "funder", "marked"),
    ("label.works", "works", "count"),
    ("label.critical", "critical", "count"),
    ("label.listed", "listed", "count"),
    ("label.critical_listed", "critical_listed", "count"),
    ("label.share", "share", "share"),
    ("label.interval", "ci", "bounds"),
    ("label.with_award", "with_award", "count"),
    ("label.critical_listed_with_award", "critical_listed_with_award", "count"),
    ("label.awards", "awards", "count"),
)
_ROLES: tuple[Column, ...] = (
    ("label.role", "role", "role"),
    ("label.group_of_works", "group", "group"),
    ("label.works_with_role", "denominator", "count"),
    ("label.of_listed", "numerator", "count"),
    ("label.share", "share", "marked_share"),
    ("label.interval", "ci", "bounds"),
    ("label.by_lot", "expected", "share"),
    ("label.of_side_a", "share_a", "share"),
    ("label.interval", "share_a", "bounds"),
)
_WRITERS = {
    **WRITERS,
    "role": lambda facts, row, column: Cell(facts.words.name("role", row[column])),
    "marked_share": lambda facts, row, column: replace(
        WRITERS["share"](facts, row, column), mark=facts.words.say("label.small") if row["is_small"] else ""
    ),
}


def funding_section(facts: Facts) -> Section | None:
    """Return funders, awards and roles of authors: in all, and folded per institution."""
    say = facts.words.say
    section = section_of(facts, "funders", [*_funding_grids(facts), *_role_grids(facts), *_pair_grids(facts)])
    if section is None:
        return None
    floor = facts.words.count(facts.study.get("small_cell"))
    per_institution = [grid for grid in _institution_grids(facts) if grid.rows and len(grid.heads) > _NAMED]
    more = (say("label.per_institution", floor=floor), per_institution) if per_institution else None
    return replace(section, paragraphs=_notes(facts), extra={"more": more})


def _of_all(facts: Facts, name: str, *by: tuple[str, tuple[str, ...]]) -> pl.DataFrame:
    """Return the rows of all works with works in them, sorted by columns in the order of their values."""
    frame = facts.table(name).filter(pl.col("slice_kind") == "all", pl.col("works") > 0)
    return frame.sort(*(pl.col(column).replace_strict({v: n for n, v in enumerate(values)}) for column, values in by))


def _funding_grids(facts: Facts) -> list[Grid]:
    order = ["critical_listed", "works", "funder"]
    funders = facts.table("funders").sort(order, descending=[True, True, False]).head(_FUNDERS)
    say = facts.words.say
    return [
        grid_from(facts, say("section.funding"), _of_all(facts, "funding", ("group", _GROUPS)), _FUNDING, _WRITERS),
        grid_from(facts, say("section.named_funders"), funders, _FUNDER),
    ]


def _role_grids(facts: Facts) -> list[Grid]:
    frame = _of_all(facts, "roles", ("role", ROLES), ("group", _GROUPS))
    return [grid_from(facts, facts.words.say("section.roles", a=facts.a), frame, _ROLES, _WRITERS)]


def _pair_grids(facts: Facts) -> list[Grid]:
    """Return awards and roles of the pairs of a panel."""
    say, names = facts.words.say, pair_names(facts)
    awards = {row["pair"]: row for row in rows_of(facts.table("panel_funding").filter(group="critical_listed"))}
    roles = facts.table("panel_roles").filter(group="listed")
    by_role = {(row["pair"], row["role"]): row for row in rows_of(roles)}
    heads = [say("label.pair"), say("label.critical_listed_with_award")]
    heads += [say("label.role_listed", role=facts.words.name("role", role)) for role in ROLES]
    lines = (
        [
            Cell(name, is_name=True),
            _k_of_n(facts, awards.get(pair)),
            *(_k_of_n(facts, by_role.get((pair, role))) for role in ROLES),
        ]
        for pair, name in names.items()
        if awards or by_role
    )
    return [grid_of(say("section.roles_of_pairs"), heads, lines, facts.words.missing)]


def _notes(facts: Facts) -> tuple[str, ...]:
    """Return what roles say and do not say, which works are left out, and how many name authors by the alphabet."""
    words, found = facts.words, _of_all(facts, "roles", ("role", ROLES)).filter(group="listed")
    if found.is_empty():
        return (words.say("label.funding_note"),)
    rows = {row["role"]: row for row in rows_of(found)}
    row = rows["first"]
    counts = {key: words.count(row[key]) for key in ("works", "single_author", "cut")}
    counts |= {f"unknown_{role}": words.count(rows[role]["unknown"]) for role in ROLES}
    lines = [words.say("label.funding_note"), words.say("label.role_note"), words.say("label.roles_left_out", **counts)]
    if row["alphabetical"] is not None:
        lines.append(
            words.say(
                "label.alphabetical",
                count=words.count(row["alphabetical"]),
                of=words.count(row["denominator"]),
                chance=words.number(row["alphabetical_by_chance"], 1),
            )
        )
    return tuple(lines)


def _institution_grids(facts: Facts) -> list[Grid]:
    """Return awards of institutions of side A and of listed ones, then roles in the works of either."""
    return [make(facts, kind) for make in (_awards_by, _roles_by) for kind in ("institution_a", "entity")]


def _heads(facts: Facts, kind: str) -> tuple[str, str]:
    """Return the words for one institution and for several."""
    say = facts.words.say
    if kind == "entity":
        return say("label.listed_institution"), say("label.listed_institutions")
    return say("label.institution_a", a=facts.a), say("label.institutions_a", a=facts.a)


def _largest(facts: Facts, name: str, kind: str, group: str) -> pl.DataFrame:
    frame = facts.table(name).filter(slice_kind=kind, group=group).drop_nulls("slice")
    largest = (
        frame.select("slice", "slice_id", "works")
        .unique()
        .sort(["works", "slice", "slice_id"], descending=[True, False, False])
    )
    return largest.head(_INSTITUTIONS)


def _by_slice(facts: Facts, name: str, kind: str) -> dict[tuple[str, str], dict[str, Row]]:
    """Return the rows of each slice by group, or by role among the listed works."""
    frame = facts.table(name).filter(slice_kind=kind)
    key = "group"
    if name == "roles":
        frame, key = frame.filter(group="listed"), "role"
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows_of(frame):
        found.setdefault((row["slice"], row["slice_id"]), {})[row[key]] = row
    return found


def _awards_by(facts: Facts, kind: str) -> Grid:
    say, rows, (head, heads_of) = facts.words.say, _by_slice(facts, "funding", kind), _heads(facts, kind)
    groups = _GROUPS if kind == "institution_a" else ("listed", "critical_listed")  # every work of an entity is listed
    heads = [head, say("label.works"), *(facts.words.name("measure", "total" if g == "all" else g) for g in groups)]
    lines = (
        [
            Cell(_name(facts, kind, piece), is_name=True),
            Cell(facts.words.count(works), works),
            *(_k_of_n(facts, rows[piece, piece_id].get(group)) for group in groups),
        ]
        for piece, piece_id, works in _largest(facts, "funding", kind, "all").iter_rows()
    )
    return grid_of(say("section.funding_by", institutions=heads_of), heads, lines, facts.words.missing)


def _roles_by(facts: Facts, kind: str) -> Grid:
    say, rows, (head, heads_of) = facts.words.say, _by_slice(facts, "roles", kind), _heads(facts, kind)
    # of a listed institution, its own authors are in the numerator; of one of side A, in that of side A
    columns = [("role_listed", ""), ("role_own", "_a")] if kind == "institution_a" else [("role_own", "")]
    heads = [say(f"label.{name}", role=facts.words.name("role", role)) for name, _ in columns for role in ROLES]
    lines = (
        [
            Cell(_name(facts, kind, piece), is_name=True),
            Cell(facts.words.count(works), works),
            *(_k_of_n(facts, rows[piece, piece_id].get(role), of) for _, of in columns for role in ROLES),
        ]
        for piece, piece_id, works in _largest(facts, "roles", kind, "listed").iter_rows()
    )
    caption = say("section.roles_by", institutions=heads_of)
    return grid_of(caption, [head, say("label.listed"), *heads], lines, facts.words.missing)


def _k_of_n(facts: Facts, row: Row | None, of: str = "") -> Cell:
    """Write a share with its counts and its interval below it; nothing of few works."""
    words, share = facts.words, "share_a" if of else "share"
    if row is None or row[share] is None or row["denominator"] < (facts.study.get("small_cell") or 0):
        return Cell(words.missing)
    ends = {"ci_low": row["share_a_low"], "ci_high": row["share_a_high"]} if of else row
    counts = words.say("label.k_of_n", k=words.count(row[f"numerator{of}"]), n=words.count(row["denominator"]))
    parts = [counts, facts.bounds(ends)]
    if not of and "expected" in row:
        parts.append(words.say("label.lot", share=words.percent(row["expected"])))
    mark = words.say("label.small") if row["is_small"] else ""
    return Cell(words.percent(row[share]), row[share], mark, detail="; ".join(parts))


def _name(facts: Facts, kind: str, piece: str) -> str:
    if kind != "entity":
        return piece
    names = facts.table("hits").filter(pl.col("entity_id") == piece)["entity_name"].drop_nulls()
    return names[0] if names.len() else piece
