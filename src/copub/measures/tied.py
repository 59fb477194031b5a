"""Formal ties set against the co-publications, and crossed by priority area and risk level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.lists.ties import COLUMNS, SEPARATOR, Tie
from copub.measures.events import day_of
from copub.parallel import Table, by_parts, columns_of, own_rows, with_own_buffers
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

STRONG_PAIRS = 20
"""So many of the largest pairs without a tie are named, if they reach the floor for rates."""
UNKNOWN_LEVEL = "not on the headline lists"
EVERY, ANY_AREA, NO_AREA = "all links", "any priority area", "no priority area"


def ties_and_works(
    study: Study,
    ties: Sequence[Tie],
    affiliations: Table,
    works: pl.DataFrame,
    pairs: pl.DataFrame,
    levels: Mapping[str, str],
) -> pl.DataFrame:
    """Return the table ``ties``: each tie with its co-publications, then strong pairs without a tie.

    Parameters
    ----------
    ties : ties of the study (`of_study`).
    affiliations, works, pairs : tables ``affiliations``, ``copublications`` and ``pairs``.
    levels : risk level on the headline lists by OpenAlex id or name in lower case.
    """
    index = _works_of_institutions(
        affiliations, works, {key for tie in ties for side in "ab" for key in _keys(tie, side)}
    )
    named = pl.DataFrame({"work_id": sorted(set().union(*index.values()))}, schema={"work_id": pl.String})
    flags = {
        row[0]: row[1:]
        for row in works.select(
            "work_id", "publication_date", "publication_year", "is_critical", "is_listed", "is_critical_listed"
        )
        .join(named, on="work_id", how="semi")
        .iter_rows()
    }
    rows = [_tie_row(study, tie, index, flags, levels) for tie in ties]
    if ties:
        rows += _strong_pairs(study, ties, pairs, levels)
    return conform("ties", pl.DataFrame(rows, schema=TABLES["ties"].schema))


def _works_of_institutions(affiliations: Table, works: pl.DataFrame, wanted: set[str]) -> dict[str, set[str]]:
    """Return the works of the wanted institutions by id (with those below it by lineage) and by name in lower case."""
    if not wanted:
        return {}
    ids, is_wanted = works.select("work_id"), pl.col("key").is_in(sorted(wanted))

    def keys_of(part: pl.DataFrame) -> pl.DataFrame:
        inside = part.join(own_rows(ids, part), on="work_id", how="semi")
        lineage = inside.select("work_id", key="lineage").explode("key", keep_nulls=False, empty_as_null=False)
        names = inside.select("work_id", pl.col("institution_name").str.to_lowercase().alias("key"))
        every = pl.concat([inside.select("work_id", key="institution_id"), lineage, names])
        return with_own_buffers(every.filter(is_wanted))

    keys = by_parts(columns_of(affiliations, "work_id", "institution_id", "institution_name", "lineage"), keys_of)
    return {key: set(found) for key, found in keys.group_by("key").agg("work_id").iter_rows()}


def _of(index: Mapping[str, set[str]], institution_id: str, name: str) -> set[str]:
    return index.get(institution_id, set()) | index.get(name.lower(), set())


def level_of(levels: Mapping[str, str], institution_id: str | None, name: str | None) -> str | None:
    """Return the level of an institution on the headline lists, by id, else by name; None if it is not named."""
    if not name:
        return None
    return levels.get(institution_id or "") or levels.get(name.lower()) or UNKNOWN_LEVEL


def _tie_row(
    study: Study,
    tie: Tie,
    index: Mapping[str, set[str]],
    flags: Mapping[str, tuple[Any, ...]],
    levels: Mapping[str, str],
) -> dict[str, Any]:
    row: dict[str, Any] = {
        **{
            column: getattr(tie, column) or None
            for column in COLUMNS
            if column not in ("areas", "country_a", "country_b")
        },
        "areas": [area.strip() for area in tie.areas.split(SEPARATOR) if area.strip()],
        "risk_level": level_of(levels, tie.institution_b_id, tie.institution_b),
        "status": "unresolved",
    }
    if not tie.is_resolved:
        return row
    both = _of(index, tie.institution_a_id, tie.institution_a) & _of(index, tie.institution_b_id, tie.institution_b)
    row |= _counts("", both, flags) | {
        "status": "with co-publications" if both else "no co-publications",
        "is_small": len(both) < study.small_cell,
    }
    if tie.start:
        day = day_of(tie.start)
        after = {work for work in both if _day(flags[work]) >= day}
        row |= _counts("_before", both - after, flags) | _counts("_after", after, flags)
        if row["risk_level"] in (set(study.levels) or set(levels.values())):
            # the partner itself makes each of these works listed: before and after are 100 % by construction
            row |= {"listed_share_before": None, "listed_share_after": None}
    return row


def _day(flags: tuple[Any, ...]) -> date:
    return flags[0] or date(flags[1], 1, 1)


def _counts(suffix: str, works: set[str], flags: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    critical, listed, both = (sum(flags[work][at] for work in works) for at in (2, 3, 4))
    counts: dict[str, Any] = {f"works{suffix}": len(works), f"listed{suffix}": listed}
    if suffix:
        shares = {name: k / len(works) if works else None for name, k in (("listed", listed), ("critical", critical))}
        return counts | {f"critical{suffix}": critical} | {f"{n}_share{suffix}": share for n, share in shares.items()}
    return counts | {"critical": critical, "critical_listed": both}


def _strong_pairs(
    study: Study, ties: Sequence[Tie], pairs: pl.DataFrame, levels: Mapping[str, str]
) -> list[dict[str, Any]]:
    tied = {(one, two) for t in ties if t.is_resolved for one in _keys(t, "a") for two in _keys(t, "b")}
    rows: list[dict[str, Any]] = []
    order = pairs.filter(pl.col("works") >= study.small_rate).sort(
        ["works", "institution_a", "institution_b"], descending=[True, False, False]
    )
    for pair in order.iter_rows(named=True):
        one = {pair["institution_a_id"], pair["institution_a"].lower()}
        two = {pair["institution_b_id"], pair["institution_b"].lower()}
        if any((a, b) in tied for a in one for b in two):
            continue
        kept = (
            "institution_a",
            "institution_a_id",
            "institution_b",
            "institution_b_id",
            "works",
            "critical",
            "critical_listed",
        )
        rows.append(
            {name: pair[name] for name in kept}
            | {
                "tie_id": f"pair-{len(rows) + 1:02}",
                "status": "strong pair without a tie",
                "areas": [],
                "risk_level": pair["risk_level"] or level_of(levels, pair["institution_b_id"], pair["institution_b"]),
                "is_small": False,
            }
        )
        if len(rows) == STRONG_PAIRS:
            break
    return rows


def _keys(tie: Tie, side: str) -> list[str]:
    found = [getattr(tie, f"institution_{side}_id"), getattr(tie, f"institution_{side}").lower()]
    return [key for key in found if key]


def tie_areas(study: Study, ties: Sequence[Tie], levels: Mapping[str, str]) -> pl.DataFrame:
    """Return the table ``tie_areas``: links by priority area, and those with a partner at a counted level.

    Parameters as in `ties_and_works`. A link of two areas counts in both, and once in "any
    priority area". Partners that the source does not name have no level.
    """
    counted = set(study.levels) or set(levels.values())
    links = [
        (
            {area.strip() for area in tie.areas.split(SEPARATOR) if area.strip()},
            level_of(levels, tie.institution_b_id, tie.institution_b) in counted,
            not tie.is_resolved,
        )
        for tie in ties
    ]
    named = sorted({area for areas, _, _ in links for area in areas})
    sets: list[tuple[str, list[tuple[set[str], bool, bool]]]] = [(EVERY, links)] if links else []
    if links:
        sets += [(ANY_AREA, [x for x in links if x[0]]), (NO_AREA, [x for x in links if not x[0]])]
        sets += [(area, [x for x in links if area in x[0]]) for area in named]
    rows = [
        {
            "position": position,
            "area": area,
            "links": len(part),
            "at_counted_levels": sum(high for _, high, _ in part),
            "unresolved": sum(unresolved for _, _, unresolved in part),
            "share_of_links": len(part) / len(links),
        }
        for position, (area, part) in enumerate(sets, start=1)
    ]
    return conform("tie_areas", pl.DataFrame(rows, schema=TABLES["tie_areas"].schema))
