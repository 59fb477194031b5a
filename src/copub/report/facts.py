"""What the report may say: rows of the run's tables and entries of its manifest, found by name.

`Facts` looks up and never calculates; a row or entry that is not there is None or empty, and the
report then says nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import polars as pl

from copub.corpus.population import affiliations_under
from copub.countries import COUNTRIES, listing
from copub.countrygroups import name_of_side, places_of_side
from copub.report.messages import DEFAULT, Messages, SideName, load_messages
from copub.schema import empty
from copub.shipped import find_shipped
from copub.study.template import question_of_sides, title_of_sides

Row = Mapping[str, Any]
_ACRONYM = 2  # letters; shorter parts of an area id, such as AI, keep their capitals
ANY_AREA = "any area"  # how table `area_levels` names critical works of whatever area, each once

# Measures that rest on the study's levels: a row over other levels is not the study's own.
_BY_LEVELS = ("listed", "critical_listed", "listed_given_critical", "critical_given_listed")


@dataclass(frozen=True, slots=True)
class Facts:
    """The tables and the manifest of one run, the words to refer to them, the tables of the run before."""

    tables: Mapping[str, pl.DataFrame]
    manifest: Mapping[str, Any]
    words: Messages
    previous: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def study(self) -> Mapping[str, Any]:
        """Return the study as the manifest keeps it."""
        return self.manifest.get("study") or {}

    @property
    def synthetic(self) -> bool:
        """Return whether the works are synthetic."""
        return bool(self.study.get("synthetic"))

    @property
    def a(self) -> SideName:
        """Return the name of side A."""
        return self.side_name(self.study.get("side_a") or {}) or SideName("A")

    @property
    def b(self) -> SideName:
        """Return the name of side B."""
        return self.side_name(self.study.get("side_b") or {}) or SideName("B")

    def side_name(self, side: Mapping[str, Any]) -> SideName:
        """Return the name of a side in the language of the report; a name that a person gave it stays as it is."""
        return side_name(self.words, str(side.get("name") or ""), side.get("countries") or ())

    @property
    def years(self) -> str:
        """Return the years of publication as text."""
        years = self.study.get("years") or ()
        return "–".join(dict.fromkeys(str(year) for year in years)) or self.words.missing

    @property
    def counting(self) -> str:
        """Return the counting rule of the headline."""
        return str(self.study.get("counting") or "full")

    @property
    def title(self) -> str:
        """Return the title of the report."""
        title = str(self.study.get("title") or self.study.get("id") or "copub")
        names = [str((self.study.get(f"side_{side}") or {}).get("name")) for side in "ab"]
        is_own = title == title_of_sides(*names)
        return self.words.say("headline.title", a=self.a.alone, b=self.b.alone) if is_own else title

    @property
    def question(self) -> str:
        """Return the question of the study, in the language of the report unless a person wrote it."""
        question = str(self.study.get("question") or "")
        sides = [(self.study.get(f"side_{side}") or {}).get("countries") or () for side in "ab"]
        is_own = set().union(*sides) <= set(COUNTRIES) and question == question_of_sides(*sides)
        if not is_own or self.words.code == DEFAULT:
            return question
        return self.words.say("headline.question", a=self.a, b=self.b)

    @property
    def command(self) -> str:
        """Return the command that makes the run again, from the file of the study if it has one of its own."""
        source = self.manifest.get("source") or {}
        study = str(self.study.get("id") or "STUDY")
        own = [copy["files"][0] for copy in self.entries("inputs") if copy.get("kind") == "study"]
        shipped = find_shipped("studies", study)  # it needs no file: its name is enough, unless the file was changed
        is_shipped = shipped is not None and own and own[0].get("sha256") == sha256(shipped.read_bytes()).hexdigest()
        if own and not is_shipped and not own[0]["name"].startswith(("/", "\\")):
            study = own[0]["name"]
        files = " ".join(str(file["name"]) for file in source.get("files", ()))
        return f"copub run {study}{f' --works {files}' if files else ''}"

    def table(self, name: str) -> pl.DataFrame:
        """Return the table of that name, without rows if the run has none."""
        frame = self.tables.get(name)
        return empty(name) if frame is None else frame

    @property
    def affiliations(self) -> pl.DataFrame:
        """Return the affiliations as the study's rule for repairs has them."""
        return affiliations_under(self.table("affiliations"), repairs=bool(self.study.get("apply_repairs")))

    def entries(self, key: str) -> list[Mapping[str, Any]]:
        """Return a list of entries of the manifest, empty if absent."""
        return [entry for entry in self.manifest.get(key) or [] if isinstance(entry, Mapping)]

    def shares(self, measure: str, kind: str = "all", counting: str | None = None) -> pl.DataFrame:
        """Return the study's own rows of `shares` for a measure and kind of slice, in table order."""
        frame = self.table("shares").filter(
            pl.col("measure") == measure,
            pl.col("slice_kind") == kind,
            pl.col("counting") == (counting or self.counting),
        )
        return frame.filter(
            pl.Series([self._own(row, measure) for row in frame.iter_rows(named=True)], dtype=pl.Boolean)
        )

    def share(self, measure: str, counting: str | None = None) -> Row | None:
        """Return the study's own share over all works, or None."""
        rows = self.shares(measure, counting=counting)
        return rows.row(0, named=True) if rows.height else None

    def _own(self, row: Row, measure: str) -> bool:
        taxonomy, lists, levels = row["taxonomy"], row["watchlist"], row["risk_level"]
        if taxonomy and taxonomy != self.study.get("taxonomy"):
            return False
        if lists and not _joins(lists, self.study.get("watchlists") or ()):
            return False
        asked = self.study.get("levels") or ()
        return measure not in _BY_LEVELS or not asked or _joins(levels or "", asked)

    def area(self, area: str | None) -> str:
        """Return the name of an area: as the manifest's taxonomy names it, else made readable from its id."""
        if area is None:
            return self.words.missing
        for taxonomy in self.entries("taxonomies"):
            name = (taxonomy.get("areas") or {}).get(area)
            if name:
                return self.words.values.get(str(name), str(name))
        if area == ANY_AREA:
            return self.words.say("label.any_area")
        parts = [part for part in area.split("-") if not (part.isdigit() or part == "EU")]
        words = [part if len(part) <= _ACRONYM else part.lower() for part in parts]
        return " ".join([words[0][0].upper() + words[0][1:], *words[1:]]) if words and words[0] else area

    def by_level(self, level: str | None) -> tuple[int, str]:
        """Return the sort key of a risk level: strongest first, as the lists of the run order them, then the words."""
        of_lists = [name for entry in self.entries("watchlists") for name in entry.get("levels") or ()]
        # institutions without a level come last, whichever list they are on
        known = list(dict.fromkeys([*(name for name in of_lists if name != "unrated"), *self.words.words["level"]]))
        return (known.index(level), "") if level in known else (len(known), level or "")

    def level(self, level: str | None) -> str:
        """Return the word for a risk level."""
        return self.words.value(self.words.name("level", level))

    def interval(self, row: Row) -> str:
        """Return the interval of a share in words."""
        if row["ci_low"] is None or row["ci_high"] is None:
            return self.words.say("headline.no_interval")
        return self.words.say(
            "headline.interval",
            confidence=self.words.percent(row.get("confidence") or self.study.get("confidence") or 0.95, 0),
            low=self.words.percent(row["ci_low"]),
            high=self.words.percent(row["ci_high"]),
        )

    def bounds(self, row: Row) -> str:
        """Return the interval of a share as two figures."""
        if row["ci_low"] is None or row["ci_high"] is None:
            return self.words.missing
        return f"{self.words.percent(row['ci_low'])}\u00a0–\u00a0{self.words.percent(row['ci_high'])}"


def _joins(joined: str, names: Sequence[str]) -> bool:
    """Return whether a text is these names joined by +, in any order. A name may have a + of its own."""
    return sorted(joined.split("+")) == sorted("+".join(names).split("+"))


def facts_of(
    tables: Mapping[str, pl.DataFrame],
    manifest: Mapping[str, Any],
    previous: Mapping[str, pl.DataFrame] | None = None,
) -> Facts:
    """Return the facts of a run in the language its study asks for (English by default).

    Raises `InputError` if the study asks for a language that has no messages file.
    """
    language = (manifest.get("study") or {}).get("language") or "en"
    return Facts(tables, manifest, load_messages(str(language)), previous or {})


def side_name(words: Messages, name: str, countries: Sequence[str]) -> SideName:
    """Return the name of a side in a language: translated if it is that of its countries, else as it is."""
    if not set(countries) <= set(COUNTRIES) or name != name_of_side(countries):
        return SideName(name)
    places, and_ = places_of_side(countries, words.code), words.say("language.and")
    alone = listing([place.name for place in places], and_) or name
    return SideName(listing([place.in_sentence for place in places], and_) or name, alone)
