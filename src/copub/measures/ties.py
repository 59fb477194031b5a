"""Formal ties of institutions: CSV files, set against the co-publications."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.errors import CorrectFile, CorrectInput, Fault
from copub.measures.events import day_of
from copub.schema import TABLES, conform
from copub.shipped import shipped_folder
from copub.study import date_fault

if TYPE_CHECKING:
    from copub.study import Study

FOLDER = "taxonomies/ties"
SEPARATOR = "|"
STRONG_PAIRS = 20
"""So many of the largest pairs without a tie are named, if they reach the floor for rates."""
UNKNOWN_LEVEL = "not on the headline lists"
EVERY, ANY_AREA, NO_AREA = "all links", "any priority area", "no priority area"


@dataclass(frozen=True, slots=True)
class Tie:
    """One agreement between an institution of side A and one of side B.

    Names of partners that the source does not give are empty: the tie stays unresolved. Dates
    are YYYY, YYYY-MM or YYYY-MM-DD or empty; `areas` are priority areas, joined by |.
    """

    tie_id: str
    institution_a: str
    institution_a_id: str
    country_a: str
    institution_b: str
    institution_b_id: str
    country_b: str
    kind: str
    start: str
    renewed: str
    end: str
    areas: str
    source: str
    note: str

    @property
    def is_resolved(self) -> bool:
        """Say whether both partners are named."""
        return bool(self.institution_a and self.institution_b)


COLUMNS = tuple(field.name for field in fields(Tie))
_NEEDED = ("tie_id", "country_a", "country_b", "kind", "source")


def load_ties(name: str | Path) -> tuple[Tie, ...]:
    """Load a file of ties by the name of a shipped one or by the path of a CSV file.

    Raises
    ------
    CorrectInput : no such file; the message lists the shipped ones.
    CorrectFile : the file has faults; all of them, with file and line.
    """
    path = Path(name)
    if path.suffix != ".csv":
        shipped = {file.stem: file for file in shipped_folder(FOLDER).glob("*.csv")}
        if str(name) not in shipped:
            raise CorrectInput(
                f"there is no file of ties {str(name)!r}",
                mend=f"shipped: {', '.join(sorted(shipped))}; or give the path of a .csv file",
            )
        path = shipped[str(name)]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
        raise CorrectInput(
            "this file of ties cannot be read", where=str(path), mend="name a CSV file in UTF-8"
        ) from None
    return read_ties(text, name=str(path))


def read_ties(text: str, *, name: str = "ties.csv") -> tuple[Tie, ...]:
    """Read the text of a file of ties. All faults are raised together as `CorrectFile`."""
    reader = csv.DictReader(io.StringIO(text))
    header = list(reader.fieldnames or ())
    faults = [
        Fault(f"{name}:1", f"the column {column!r} is {what}", f"columns: {', '.join(COLUMNS)}")
        for what, columns in (
            ("missing", [c for c in COLUMNS if c not in header]),
            ("unknown", [c for c in header if c not in COLUMNS]),
        )
        for column in columns
    ]
    if faults:
        raise CorrectFile(faults, kind="file of ties")
    ties: list[Tie] = []
    for row in reader:
        where = f"{name}:{reader.line_num}"
        values = {column: (row[column] or "").strip() for column in COLUMNS}
        faults += [Fault(where, f"{column} is empty") for column in _NEEDED if not values[column]]
        for column in ("start", "renewed", "end"):
            message = date_fault(values[column]) if values[column] else None
            faults += [Fault(where, f"{column}: {message}")] if message else []
        if any(tie.tie_id == values["tie_id"] for tie in ties):
            faults.append(Fault(where, f"the tie {values['tie_id']!r} stands here twice", "give each its own tie_id"))
        ties.append(Tie(**values))
    if faults:
        raise CorrectFile(faults, kind="file of ties")
    return tuple(ties)


def of_study(study: Study, ties: Sequence[Tie]) -> list[Tie]:
    """Return the ties between the two sides of the study, in order of their id."""
    a, b = study.side_a.countries, study.side_b.countries
    return sorted((t for t in ties if t.country_a in a and t.country_b in b), key=lambda tie: tie.tie_id)


def ties_and_works(
    study: Study,
    ties: Sequence[Tie],
    affiliations: pl.DataFrame,
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
    index = _works_of_institutions(affiliations, works)
    flags = {
        row[0]: row[1:]
        for row in works.select(
            "work_id", "publication_date", "publication_year", "is_critical", "is_listed", "is_critical_listed"
        ).iter_rows()
    }
    rows = [_tie_row(study, tie, index, flags, levels) for tie in ties]
    if ties:
        rows += _strong_pairs(study, ties, pairs, levels)
    return conform("ties", pl.DataFrame(rows, schema=TABLES["ties"].schema))


def _works_of_institutions(affiliations: pl.DataFrame, works: pl.DataFrame) -> dict[str, set[str]]:
    """Return the works of an institution by its id (with those below it by lineage) and by name."""
    inside = affiliations.join(works.select("work_id"), on="work_id", how="semi")
    keys = pl.concat(
        [
            inside.select("work_id", pl.col("institution_id").alias("key")),
            inside.select("work_id", pl.col("lineage").alias("key")).explode(
                "key", keep_nulls=False, empty_as_null=False
            ),
            inside.select("work_id", pl.col("institution_name").str.to_lowercase().alias("key")),
        ]
    ).drop_nulls()
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
    return row


def _day(flags: tuple[Any, ...]) -> date:
    return flags[0] or date(flags[1], 1, 1)


def _counts(suffix: str, works: set[str], flags: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    critical, listed, both = (sum(flags[work][at] for work in works) for at in (2, 3, 4))
    counts: dict[str, Any] = {f"works{suffix}": len(works), f"listed{suffix}": listed}
    if suffix:
        return counts | {f"listed_share{suffix}": listed / len(works) if works else None}
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
