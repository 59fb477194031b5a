"""The funnel from records read to the study's denominator, every step counted and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import polars as pl

from copub.corpus.paratext import paratext_title
from copub.schema import TABLES, conform
from copub.study import Study

PARATEXT_TITLE = "paratext title"
SHOWN = 3
NAMED_RECORDS = 1000
"""Unreadable, repeated and shortened records are all kept; at most this many are named one by one."""


def excluded_because(row: Mapping[str, Any], study: Study) -> str | None:
    """Return why a co-publication is not in the study's denominator; None if it is.

    The first reason that applies, in the order year, type, paratext title, retracted, expansion, author cap.
    """
    year = row["publication_year"]
    if year is None or not study.year_from <= year <= study.year_to:
        return "year"
    if row["type"] in study.exclude_types or (row["is_paratext"] and "paratext" in study.exclude_types):
        return "type"
    if not study.paratext_titles and paratext_title(row):
        return PARATEXT_TITLE
    if row["is_retracted"] and not study.include_retracted:
        return "retracted"
    if row["is_xpac"] and not study.include_expansion_corpus:
        return "expansion"
    if study.author_cap and row["n_authors"] > study.author_cap:
        return "author cap"
    return None


@dataclass(slots=True)
class Funnel:
    """Counts records on their way to the study's denominator."""

    read: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    repeated: list[tuple[str, str]] = field(default_factory=list)
    shortened: list[tuple[str, str]] = field(default_factory=list)
    converted: list[tuple[str, str]] = field(default_factory=list)
    copublications: int = 0
    excluded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def leave_out(self, reason: str, row: Mapping[str, Any]) -> None:
        """Count a co-publication that is left out; years, types and titles of paratext are counted one by one."""
        self.excluded[_cell(reason, row)] += 1

    def take_back(self, reason: str | None, row: Mapping[str, Any]) -> None:
        """Count a co-publication no more: it came before."""
        self.copublications -= 1
        if reason:
            self.excluded[_cell(reason, row)] -= 1

    def add(self, other: Funnel) -> None:
        """Add the counts of the records that follow."""
        self.read += other.read
        self.unreadable += other.unreadable
        self.repeated += other.repeated
        self.shortened += other.shortened
        self.converted += other.converted
        self.copublications += other.copublications
        self.excluded = +(self.excluded + other.excluded)

    def facts(self) -> dict[str, Any]:
        """Return the counts as JSON can hold them."""
        values = {f.name: getattr(self, f.name) for f in fields(Funnel)}
        return values | {"excluded": sorted([*key, count] for key, count in self.excluded.items())}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Funnel:
        """Return the funnel that gave these facts."""
        excluded = Counter({(reason, detail): count for reason, detail, count in facts["excluded"]})
        named = {
            name: [tuple(row) for row in facts[name]] for name in ("unreadable", "repeated", "shortened", "converted")
        }
        return cls(**{**facts, **named, "excluded": excluded})

    @property
    def works(self) -> int:
        """Return the number of distinct readable works."""
        return self.read - len(self.unreadable) - len(self.repeated)

    @property
    def population(self) -> int:
        """Return the number of works in the study's denominator."""
        return self.copublications - sum(self.excluded.values())

    def steps(self) -> list[dict[str, Any]]:
        """Return the funnel as rows of step and count, for the manifest and the report."""
        out: dict[str, int] = Counter()
        for (reason, _), count in self.excluded.items():
            out[reason] += count
        return [
            {"step": "records read", "count": self.read},
            {"step": "unreadable records", "count": len(self.unreadable), "note": _first(self.unreadable)},
            {"step": "repeated records", "count": len(self.repeated)},
            {"step": "works", "count": self.works},
            {"step": "co-publications found", "count": self.copublications},
            *(
                {"step": f"left out: {reason}", "count": out[reason], "note": self._detail(reason)}
                for reason in sorted(out)
            ),
            {"step": "co-publications counted", "count": self.population},
        ]

    def _detail(self, reason: str) -> str:
        parts = sorted((d, n) for (r, d), n in self.excluded.items() if r == reason and d)
        return ", ".join(f"{detail} {count}" for detail, count in parts)

    def table(self) -> pl.DataFrame:
        """Return the funnel as rows of the table ``coverage``."""
        rows: list[dict[str, Any]] = [
            _row(step["step"], "all", "all", step["count"], self.read, step.get("note", "")) for step in self.steps()
        ]
        for (reason, detail), count in sorted(self.excluded.items()):
            if detail:
                rows.append(_row(f"left out: {reason}", reason, detail, count, self.copublications))
        for metric, named in (
            ("unreadable record", self.unreadable),
            ("repeated record", self.repeated),
            ("text read in part", self.shortened),
            ("value of a wrong type", self.converted),
        ):
            rows += [_row(metric, "record", where, 1, self.read, why) for where, why in named[:NAMED_RECORDS]]
        return conform("coverage", pl.DataFrame(rows, schema=TABLES["coverage"].schema))


def _cell(reason: str, row: Mapping[str, Any]) -> tuple[str, str]:
    if reason == PARATEXT_TITLE:
        return reason, paratext_title(row)
    detail = {"year": row["publication_year"], "type": row["type"]}.get(reason)
    return reason, "unknown" if detail is None and reason in ("year", "type") else str(detail or "")


def _first(named: list[tuple[str, str]]) -> str:
    shown = [f"{where}: {why}" for where, why in named[:SHOWN]]
    return "; ".join([*shown, *([f"and {len(named) - SHOWN} more"] if len(named) > SHOWN else [])])


def _row(metric: str, kind: str, piece: str, count: int, of: int, note: str = "") -> dict[str, Any]:
    return {
        "metric": metric,
        "slice_kind": kind,
        "slice": piece,
        "count": count,
        "of": of,
        "share": count / of if of else None,
        "note": note,
    }
