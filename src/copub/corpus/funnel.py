"""The funnel from records read to the study's denominator, every step counted and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import polars as pl

from copub.corpus.population import PARATEXT_TITLE, TYPE, YEAR
from copub.schema import TABLES, conform

_NAMED = ("unreadable", "repeated", "shortened", "converted")
_DETAIL: Mapping[str, str] = {YEAR: "publication_year", TYPE: "type", PARATEXT_TITLE: "paratext_title"}
"""What is stated of works that are left out for a reason."""
SHOWN = 3
NAMED_RECORDS = 1000
"""Unreadable, repeated and shortened records are all kept; at most this many are named one by one."""


@dataclass(slots=True)
class Funnel:
    """Counts records on their way into a corpus, and its works on their way to the denominator of a study (`to`)."""

    read: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    repeated: list[tuple[str, str]] = field(default_factory=list)
    shortened: list[tuple[str, str]] = field(default_factory=list)
    converted: list[tuple[str, str]] = field(default_factory=list)
    copublications: int = 0
    excluded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Funnel) -> None:
        """Add the counts of the records that follow."""
        self.read += other.read
        self.unreadable += other.unreadable
        self.repeated += other.repeated
        self.shortened += other.shortened
        self.converted += other.converted

    def facts(self) -> dict[str, Any]:
        """Return what became of the records, as JSON can hold it."""
        return {name: getattr(self, name) for name in ("read", *_NAMED)}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Funnel:
        """Return the funnel that gave these facts."""
        unreadable, repeated, shortened, converted = ([(where, why) for where, why in facts[name]] for name in _NAMED)
        return cls(facts["read"], unreadable, repeated, shortened, converted)

    def to(self, population: pl.DataFrame, works: pl.DataFrame) -> Funnel:
        """Return the funnel on to the denominator of a study.

        Parameters
        ----------
        population : table ``population``.
        works : work_id, publication_year, type and paratext_title of these works.
        """
        left_out = population.drop_nulls("excluded_because").join(works, on="work_id", how="left")
        detail = pl.coalesce(
            pl.when(pl.col("excluded_because") == reason).then(pl.col(column).cast(pl.String).fill_null("unknown"))
            for reason, column in _DETAIL.items()
        ).fill_null("")
        cells = left_out.group_by("excluded_because", detail.alias("detail")).len()
        excluded = Counter({(reason, value): count for reason, value, count in cells.iter_rows()})
        return replace(self, copublications=population.height, excluded=excluded)

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
        for metric, partly in (
            ("records with texts read in part", self.shortened),
            ("records with values of a wrong type", self.converted),
        ):
            if partly:  # the values of a record follow each other
                count = sum(1 for _ in groupby(where for where, _ in partly))
                rows.append(_row(metric, "all", "all", count, self.read))
        for metric, named in (
            ("unreadable record", self.unreadable),
            ("repeated record", self.repeated),
            ("text read in part", self.shortened),
            ("value of a wrong type", self.converted),
        ):
            rows += [_row(metric, "record", where, 1, self.read, why) for where, why in named[:NAMED_RECORDS]]
        return conform("coverage", pl.DataFrame(rows, schema=TABLES["coverage"].schema))


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
