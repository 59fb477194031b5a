"""An atlas on disk: its manifest, its cells, and the evidence behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import polars as pl

from copub.arguments import path_of
from copub.atlas.building import ENTITIES, FORMAT, KIND
from copub.atlas.cells import CELLS
from copub.atlas.gathering import STORED
from copub.countries import COUNTRIES, find_country, name_fault
from copub.errors import InputError
from copub.jsonshape import Count, Digest, Name, misfit
from copub.runs.folder import sha256_of
from copub.writing import MANIFEST

_SHORTEST = 2
_AGAIN = "build it again: copub atlas build"


class _Settings(msgspec.Struct):
    year_from: Count
    year_to: Count
    small_cell: Count
    small_rate: Count
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)]


class _Taxonomy(msgspec.Struct):
    id: Name
    hash: Digest
    title: str
    areas: dict[str, str]


class _Watchlist(msgspec.Struct):
    id: Name
    hash: Digest
    title: str
    edition: str


class _List(msgspec.Struct):
    id: Name
    watchlists: list[Name]
    levels: list[Name]
    counted: list[Name]
    top_level: Name


class _Rules(msgspec.Struct):
    settings: _Settings
    taxonomy: _Taxonomy
    watchlists: list[_Watchlist]
    lists: list[_List]
    headline: dict[str, Name]


class _Snapshot(msgspec.Struct):
    date: Name
    files: Count
    records: Count


class _Works(msgspec.Struct):
    counted: Count
    sharing_a_doi: Count


class _Manifest(msgspec.Struct):
    """What answers from an atlas read of its manifest."""

    complete: bool
    synthetic: bool
    snapshot: _Snapshot
    works: _Works
    faults: list[str]
    countries: list[Name]
    rules: _Rules
    files: dict[str, Digest]


@dataclass(frozen=True)
class Atlas:
    """An atlas: folder and manifest; tables are read when they are asked for, if they are as they were built."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a study that the atlas obeys."""
        settings: dict[str, Any] = self.manifest["rules"]["settings"]
        return settings

    @property
    def areas(self) -> dict[str, str]:
        """Return the areas of the taxonomy: id and name."""
        areas: dict[str, str] = self.manifest["rules"]["taxonomy"]["areas"]
        return areas

    @property
    def lists(self) -> dict[str, dict[str, Any]]:
        """Return what may be asked for as listed, by id (`copub.atlas.atlasrules.ListRule`)."""
        return {rule["id"]: rule for rule in self.manifest["rules"]["lists"]}

    @property
    def years(self) -> tuple[int, ...]:
        """Return the years of the atlas."""
        return tuple(range(self.settings["year_from"], self.settings["year_to"] + 1))

    def headline(self, country: str) -> str:
        """Return the list that counts for a country where none is asked for; "" if no list names it."""
        return str(self.manifest["rules"]["headline"].get(country, ""))

    @cached_property
    def entities(self) -> pl.DataFrame:
        """The institutions of the lists: watchlist, entity_id, name, country, level."""
        return pl.read_parquet(self._whole(ENTITIES))

    def cells(self, years: Sequence[int] = ()) -> pl.LazyFrame:
        """Return the cells of some years, or of all."""
        return self._scan("cells", years, CELLS)

    def works(self, years: Sequence[int] = ()) -> pl.LazyFrame:
        """Return the works of some years, or of all (`copub.atlas.evidence.WORKS`)."""
        return self._scan("works", years, STORED["works"])

    def listings(self, years: Sequence[int] = ()) -> pl.LazyFrame:
        """Return the listings of some years, or of all (`copub.atlas.evidence.LISTINGS`)."""
        return self._scan("listings", years, STORED["listings"])

    def _scan(self, table: str, years: Sequence[int], schema: pl.Schema) -> pl.LazyFrame:
        names = [f"{table}/{year}.parquet" for year in years or self.years]
        paths = [self._whole(name) for name in names if name in self.manifest["files"]]
        return pl.scan_parquet(paths) if paths else pl.LazyFrame(schema=schema)

    @cached_property
    def _checked(self) -> set[str]:
        return set()

    def _whole(self, name: str) -> Path:
        """Return the path of a table. Raises `InputError` unless it is as it was built."""
        path = self.folder / name
        if name not in self._checked:
            found = sha256_of(path) if path.is_file() else ""
            if found != self.manifest["files"].get(name):
                what = "a table of the atlas is not as it was built" if found else "a table of the atlas is missing"
                raise InputError(what, where=str(path), hint=_AGAIN)
            self._checked.add(name)
        return path

    def country(self, text: str) -> str:
        """Return the code of a country named by code or by English name. Raises `InputError` if it is none."""
        found = find_country(text)
        code = found.code if found else text.upper() if text.upper() in self.manifest["countries"] else ""
        if not code:
            raise InputError(name_fault(text) or text, where="the country", hint="write a code or an English name")
        return code

    def area(self, text: str) -> str:
        """Return the id of the area that a text names: its id, a part of it between dashes, or a part of its name."""
        plain = text.casefold()
        exact = [area for area in self.areas if area.casefold() == plain]
        part = [area for area in self.areas if plain in area.casefold().split("-")]
        name = [area for area, name in self.areas.items() if len(plain) > _SHORTEST and plain in name.casefold()]
        found = exact or part or name
        if len(found) != 1:
            known = "".join(f"\n    {area}  {name}" for area, name in self.areas.items())
            what = f"{text!r} names several areas: {', '.join(found)}" if found else f"there is no area {text!r}"
            raise InputError(what, where="--area", hint=f"areas:{known}")
        return found[0]

    def countries_of(self, of_list: str) -> list[str]:
        """Return the countries of which a list names institutions."""
        own = self.lists[of_list]["watchlists"]
        found: list[str] = self.entities.filter(pl.col("watchlist").is_in(own))["country"].unique().sort().to_list()
        return found

    def list_for(self, asked: str, country: str = "") -> str:
        """Return the list that counts as listed: the one asked for, else the headline list of a country.

        "" if it names no institution of the country.
        """
        if asked and asked not in self.lists:
            raise InputError(
                f"this atlas has no list {asked!r}", where="--list", hint=f"lists: {', '.join(self.lists)}"
            )
        if not asked:
            return self.headline(country)
        return asked if not country or country in self.countries_of(asked) else ""

    def years_of(self, first: int | None, last: int | None) -> tuple[int, ...]:
        """Return the years from `first` to `last` that the atlas has; all without them."""
        begin, end = (
            given if given is not None else own for given, own in ((first, self.years[0]), (last, self.years[-1]))
        )
        if begin > end and first is not None and last is not None:
            what, hint = f"the years are reversed: from {first} to {last}", "exchange them"
            raise InputError(what, where="--from-year, --to-year", hint=hint)
        years = tuple(y for y in self.years if begin <= y <= end)
        if not years:
            hint = f"the atlas has the years {self.years[0]} to {self.years[-1]}"
            raise InputError(
                "no year of the atlas lies in this range", where="--from-year, --to-year, --year", hint=hint
            )
        return years


def name_of(country: str) -> str:
    """Return the English name of a country; its code if it is no country of ISO 3166."""
    return COUNTRIES[country].name if country in COUNTRIES else country


def open_atlas(folder: str | Path) -> Atlas:
    """Open the folder of an atlas.

    Raises
    ------
    InputError : there is no finished atlas, one that another version of copub made, or one whose manifest is damaged.
    """
    place = path_of(folder, "the folder of the atlas")
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise InputError(
            "no finished atlas is here", where=str(place), hint="build one: copub atlas build --from SNAPSHOT --to DIR"
        )
    if manifest.get("format") != FORMAT:
        what = f"an atlas of format {manifest.get('format')} is here, not {FORMAT}"
        raise InputError(what, where=str(place), hint=_AGAIN)
    if wrong := misfit(manifest, _Manifest):
        raise InputError(f"the manifest of the atlas is damaged: {wrong}", where=str(place / MANIFEST), hint=_AGAIN)
    return Atlas(place, manifest)
