"""An atlas as one table for other programs: every share of every pair, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from copub.atlas.atlasanswers import ON_LISTS, expect_two
from copub.atlas.cells import CRITICAL
from copub.atlas.cellshares import SharesAsked, shares_of
from copub.atlas.stored import Atlas
from copub.measures.shares import AREA_MEASURES, MEASURES

BY = ("year", "area")


def export(
    atlas: Atlas, *, a: str = "", b: str = "", years: Sequence[int] = (), of_list: str = "", by: Sequence[str] = ()
) -> Iterator[pl.DataFrame]:
    """Yield shares of all pairs (`copub.atlas.cellshares.shares_of`), the pairs of one country a at a time.

    Every row states its ``source``: SYNTHETIC, or the snapshot.

    Parameters
    ----------
    a, b : only pairs with these countries on their side.
    of_list : the list that counts; by default the headline list of each country b. Where no list names an institution
        of b, only measures that rest on no list have rows.
    by : "year", "area" or both: rows of their own; "area" takes the measures that a run has by area.
    """
    if a:
        expect_two(a, b)
    # without rows, so that there is a head in any case
    nothing = atlas.cells().filter(pl.lit(value=False))
    yield _ordered(atlas, shares_of(atlas, nothing, SharesAsked("", by=_keys(by))))
    partners: dict[str, list[str]] = {}
    for code in [b] if b else atlas.manifest["countries"]:
        partners.setdefault(atlas.list_for(of_list, code), []).append(code)
    for one in [a] if a else atlas.manifest["countries"]:
        own = atlas.cells(years).filter(pl.col("a") == one).collect().lazy()
        found = [
            shares_of(atlas, own.filter(pl.col("b").is_in(codes)), asked)
            for counted, codes in partners.items()
            for asked in _asked(atlas, counted, by)
        ]
        yield _ordered(atlas, pl.concat(found)).sort("b", *by)


def _keys(by: Sequence[str]) -> tuple[str, ...]:
    return ("a", "b", *(name for name in by if name == "year"))


def _asked(atlas: Atlas, counted: str, by: Sequence[str]) -> Iterator[SharesAsked]:
    measures = AREA_MEASURES if "area" in by else tuple(MEASURES)
    kept = tuple(name for name in measures if counted or name not in ON_LISTS)
    for area in atlas.areas if "area" in by else [CRITICAL]:
        yield SharesAsked(counted, area, _keys(by), measures=kept)


def _ordered(atlas: Atlas, shares: pl.DataFrame) -> pl.DataFrame:
    year = [] if "year" in shares.columns else [pl.lit(None, pl.Int32).alias("year")]
    source = "SYNTHETIC" if atlas.manifest["synthetic"] else f"OpenAlex snapshot {atlas.manifest['snapshot']['date']}"
    return shares.with_columns(*year, source=pl.lit(source.strip())).select(
        "a", "b", "year", pl.exclude("a", "b", "year")
    )
