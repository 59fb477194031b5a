"""From evidence to cells: works, and their weights, of every ordered pair of countries.

A cell is a pair (a, b), a year, an area, and a list with a category and a level; it holds sums over works from
which every share and interval of a run follows (`copub.atlas.cellshares`). What is listed is on the side of b, so
(a, b) and (b, a) differ. Sums are made in the order of the works, which no number of workers changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from copub.atlas.atlasrules import Rules
from copub.packed import pack, unpack

EVERY_WORK, CRITICAL = "all", "critical"
"""Areas of a cell beside those of the taxonomy: all works, and those of any area."""
NO_LIST = ""
"""The list of cells that hold all works of a pair, whatever they name."""
SUMS = (
    "works", "weight", "weight_squares", "weight_countries", "weight_countries_squares", "listed_authors",
)  # fmt: skip
KEYS = ("a", "b", "year", "area", "list", "category", "is_top_level", "level")
CELLS = pl.Schema(
    {
        "a": pl.String(),
        "b": pl.String(),
        "year": pl.Int32(),
        "area": pl.String(),
        "list": pl.String(),
        "category": pl.String(),
        "is_top_level": pl.Boolean(),
        "level": pl.String(),
        "works": pl.Int64(),
        **{name: pl.Float64() for name in SUMS[1:]},
    }
)
READ_WORKS = ("number", "countries", "weights", "n_countries", "areas")
READ_LISTINGS = ("number", "list", "country", "category", "is_top_level", "level", "listed_fraction")
CATEGORIES = ("counted", "lower level", "unrated")
PAIRS_AT_ONCE = 400_000
"""Pairs of countries of works that are held at once; a work of 100 countries has 9,900."""
_ROWS_AT_ONCE = 1_000_000
_NO_LISTING = (NO_LIST, "none", False, None)


@dataclass(frozen=True, slots=True)
class Codes:
    """Numbers for what names a cell: one number holds the whole name, and sorting by it sorts cells by name."""

    countries: tuple[str, ...]
    areas: tuple[str, ...]
    listings: tuple[tuple[str, str, bool, str | None], ...]

    @classmethod
    def of(cls, rules: Rules, countries: Iterable[str]) -> Codes:
        """Return the numbers for an atlas."""
        listings = [
            (rule.id, *rest)
            for rule in rules.lists
            for rest in product(CATEGORIES, (False, True), (*rule.levels, None))
        ]
        return cls(
            tuple(sorted(countries)),
            (EVERY_WORK, CRITICAL, *rules.taxonomy.area_ids),
            (_NO_LISTING, *listings),
        )

    def country(self, column: str) -> pl.Expr:
        """Return the number of a country."""
        numbers = {code: number for number, code in enumerate(self.countries)}
        return pl.col(column).replace_strict(numbers, return_dtype=pl.Int64)

    def key(self) -> pl.Expr:
        """Return the number of a cell from those of its parts: a, b, area, listing."""
        pair = pl.col("a") * len(self.countries) + pl.col("b")
        return (pair * len(self.areas) + pl.col("area")) * len(self.listings) + pl.col("listing")

    def named(self, sums: pl.DataFrame, year: int) -> pl.DataFrame:
        """Return cells with their names (`CELLS`)."""
        listings = pl.DataFrame(
            self.listings, orient="row", schema={name: CELLS[name] for name in KEYS[4:]}
        ).with_row_index("listing")
        key = pl.col("key")
        rest, pair = key // len(self.listings), key // len(self.listings) // len(self.areas)
        named = sums.with_columns(
            a=_name_of(pair // len(self.countries), self.countries),
            b=_name_of(pair % len(self.countries), self.countries),
            area=_name_of(rest % len(self.areas), self.areas),
            year=pl.lit(year, pl.Int32),
            listing=(key % len(self.listings)).cast(pl.UInt32),
        )
        return named.join(listings, on="listing", how="left", maintain_order="left").select(CELLS.names())


def _name_of(number: pl.Expr, names: Sequence[str]) -> pl.Expr:
    return number.replace_strict(range(len(names)), list(names), return_dtype=pl.String)


def count_group(codes: Codes, group: tuple[bytes, bytes]) -> bytes:
    """Return the sums of a group of works by the key of their cell, packed.

    Parameters
    ----------
    group : packed columns `READ_WORKS` of works, and `READ_LISTINGS` of their listings.
    """
    works, listings = map(unpack, group)
    rows = works.with_row_index("row")
    listed = _listings(codes, listings.join(rows.select("number", "row"), on="number"))
    return pack(summed(_sums(codes, part, listed) for part in _slices(rows)))


def _slices(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield works in slices of about `PAIRS_AT_ONCE` pairs."""
    number = rows["countries"].list.len().cast(pl.Int64)
    slices = (number * (number - 1)).cum_sum() // PAIRS_AT_ONCE
    for _, part in rows.group_by(slices.alias("slice"), maintain_order=True):
        yield part


def _listings(codes: Codes, listings: pl.DataFrame) -> pl.DataFrame:
    names = pl.DataFrame(codes.listings, orient="row", schema={name: CELLS[name] for name in KEYS[4:]}).with_row_index(
        "listing"
    )
    return listings.join(names, on=KEYS[4:], how="left", nulls_equal=True).select(
        "row",
        codes.country("country").alias("b"),
        pl.col("listing").cast(pl.Int64),
        fraction="listed_fraction",
    )


def _sums(codes: Codes, works: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    sides = works.select("row", "countries", "weights", "n_countries").explode("countries", "weights")
    sides = sides.select("row", codes.country("countries").alias("a"), "weights", "n_countries")
    others = sides.select("row", b="a", weight_b="weights")
    pairs = (
        sides.join(others, on="row")
        .filter(pl.col("a") != pl.col("b"))
        .select(
            "row", "a", "b", weight=pl.col("weights") + pl.col("weight_b"), weight_countries=2 / pl.col("n_countries")
        )
    )
    every = pairs.with_columns(listing=pl.lit(0, pl.Int64), fraction=pl.lit(0.0))
    listed = pairs.join(listings, on=["row", "b"]).select(every.columns)
    areas = _areas(codes, works)
    cells = pl.concat([every, listed]).join(areas, on="row").select("row", codes.key().alias("key"), pl.exclude("row"))
    weight, countries = pl.col("weight"), pl.col("weight_countries")
    # no work is twice in a cell, so this order is the same however the joins were made
    ordered = cells.sort("key", "row").select(
        "key",
        pl.lit(1, pl.Int64).alias("works"),
        weight,
        (weight * weight).alias("weight_squares"),
        countries,
        (countries * countries).alias("weight_countries_squares"),
        pl.col("fraction").alias("listed_authors"),
    )
    return _reduced(ordered)


def _areas(codes: Codes, works: pl.DataFrame) -> pl.DataFrame:
    numbers = {area: number for number, area in enumerate(codes.areas)}
    named = works.select("row", area="areas").explode("area", keep_nulls=False, empty_as_null=False)
    each = named.select("row", pl.col("area").replace_strict(numbers, return_dtype=pl.Int64))
    critical = named.select("row").unique().with_columns(area=pl.lit(numbers[CRITICAL], pl.Int64))
    every = works.select("row").with_columns(area=pl.lit(numbers[EVERY_WORK], pl.Int64))
    return pl.concat([every, critical, each])


def summed(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of several parts by key, added in the order of the parts."""
    waiting: list[pl.DataFrame] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) > 1 and sum(one.height for one in waiting) > _ROWS_AT_ONCE + waiting[0].height:
            waiting = [_added(waiting)]
    return _added(waiting)


def _added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return _reduced(pl.concat(parts).sort("key", maintain_order=True)) if parts else _no_sums()


def _no_sums() -> pl.DataFrame:
    return pl.DataFrame(schema={"key": pl.Int64} | {name: CELLS[name] for name in SUMS})


def _reduced(ordered: pl.DataFrame) -> pl.DataFrame:
    """Add up rows of one key that follow each other, one after the other: polars adds in the order of its threads."""
    if not ordered.height:
        return _no_sums()
    keys = ordered["key"].to_numpy()
    starts = np.concatenate(([0], np.flatnonzero(keys[1:] != keys[:-1]) + 1))
    sums = {name: np.add.reduceat(ordered[name].to_numpy(), starts) for name in SUMS}
    return pl.DataFrame({"key": keys[starts], **sums}, schema=_no_sums().schema)
