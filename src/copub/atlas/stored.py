"""An atlas on disk: its manifest, its cells, and the evidence behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from copub.arguments import path_of
from copub.atlas.building import ENTITIES, FORMAT, KIND
from copub.atlas.cells import CELLS
from copub.atlas.gathering import STORED
from copub.countries import COUNTRIES, find_country, name_fault
from copub.errors import InputError
from copub.writing import MANIFEST

_SHORTEST = 2


@dataclass(frozen=True)
class Atlas:
    """An atlas: folder and manifest; tables are read when they are asked for."""

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
        return pl.read_parquet(self.folder / ENTITIES)

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
        wanted = years or self.years
        paths = [path for year in wanted if (path := self.folder / table / f"{year}.parquet").is_file()]
        return pl.scan_parquet(paths) if paths else pl.LazyFrame(schema=schema)

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
    InputError : there is no finished atlas, or one that another version of copub made.
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
        hint = "build it again: copub atlas build"
        raise InputError(
            f"an atlas of format {manifest.get('format')} is here, not {FORMAT}", where=str(place), hint=hint
        )
    return Atlas(place, manifest)
