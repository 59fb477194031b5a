"""What an atlas is asked: one pair, the partners of a country in order, the works behind a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from copub.atlas.cells import CRITICAL, EVERY_WORK, NO_LIST
from copub.atlas.cellshares import SharesAsked, shares_of
from copub.atlas.stored import Atlas, name_of
from copub.errors import InputError
from copub.intervals import DIGITS, with_intervals
from copub.measures.ranks import ranks
from copub.measures.shares import AREA_MEASURES, COUNTING_WEIGHT, LEVEL, MEASURES, OWN_PART

WHOLE = "copublications"
"""The works of a pair, whatever they are: what may be asked for beside the measures."""
ON_LISTS = tuple(
    name for name in MEASURES if name in LEVEL or name.startswith("top_level") or name.endswith(("_lower", "_unrated"))
)
"""Measures that rest on a list."""
EXPLAINED = pl.Schema(
    {
        "work_id": pl.String(),
        "year": pl.Int32(),
        "doi": pl.String(),
        "title": pl.String(),
        "countries": pl.List(pl.String),
        "areas": pl.List(pl.String),
        "list": pl.String(),
        "category": pl.String(),
        "level": pl.String(),
        "entities": pl.List(pl.String),
        "institutions": pl.List(pl.String),
    }
)
"""Columns of the works behind a number. level: the strongest on the list; entities, institutions: ids and names of
all institutions of the list that the work names on side b, at any level."""


def show(
    atlas: Atlas,
    a: str,
    b: str,
    *,
    years: Sequence[int] = (),
    area: str = CRITICAL,
    of_list: str = "",
    by: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the shares of a pair (`copub.atlas.cellshares.shares_of`).

    Parameters
    ----------
    a, b : codes of countries; institutions count as listed on the side of b.
    years : years to count; all without any.
    area : one area instead of all.
    of_list : the list that counts; by default the headline list of b.
    by : "year", "area", "list" or several of them: one share for each; "area" takes the measures that a run has by
        area.
    """
    counted = atlas.list_for(of_list, b)
    expect_two(a, b)
    cells = atlas.cells(years).filter(pl.col("a") == a, pl.col("b") == b)
    lists = [counted]
    if "list" in by:
        lists = [one for one in atlas.lists if b in atlas.countries_of(one)] or [NO_LIST]
    areas = list(atlas.areas) if "area" in by and area == CRITICAL else [area]
    measures = AREA_MEASURES if "area" in by else tuple(MEASURES)
    rest = ("a", "b", *(name for name in by if name == "year"))
    return pl.concat(
        shares_of(atlas, cells, SharesAsked(one, of_area, rest, measures=measures))
        for of_area in areas
        for one in lists
    )


def levels(
    atlas: Atlas, a: str, b: str, *, years: Sequence[int] = (), area: str = CRITICAL, of_list: str = ""
) -> pl.DataFrame:
    """Return the works of a pair by the strongest level that they name, whether it counts or not.

    Columns: level, numerator (works), denominator (all works of the pair), works_fractional, share with its interval.

    Parameters
    ----------
    area : one area instead of all; "all" for works that are not critical too.
    """
    expect_two(a, b)
    asked = atlas.list_for(of_list, b)
    if not asked:
        raise InputError(
            f"no list that counts here names an institution in {name_of(b)}",
            where="--by level",
            hint="name another country as B, or another list",
        )
    cells = atlas.cells(years).filter(pl.col("a") == a, pl.col("b") == b)
    own = cells.filter(pl.col("list") == asked, pl.col("area") == area).group_by("level")
    found = own.agg(pl.col("works").sum(), pl.col("weight").sum()).collect()
    total = (
        cells.filter(pl.col("list") == NO_LIST, pl.col("area") == EVERY_WORK).select(pl.col("works").sum()).collect()
    )
    of = float(total.item() or 0)
    rows = pl.DataFrame({"level": list(atlas.lists[asked]["levels"])}, schema={"level": pl.String})
    counted = rows.join(found, on="level", how="left").select(
        "level",
        pl.col("works").fill_null(0).cast(pl.Float64).alias("numerator"),
        pl.lit(of).alias("denominator"),
        pl.lit(of).alias("squares"),
        pl.col("weight").fill_null(0.0).round(DIGITS).alias("works_fractional"),
    )
    small = (pl.col("numerator") < atlas.settings["small_cell"]) | (of < atlas.settings["small_rate"])
    return with_intervals(counted, atlas.settings["confidence"]).drop("squares").with_columns(is_small=small)


def _nothing(atlas: Atlas) -> pl.DataFrame:
    return shares_of(atlas, atlas.cells().filter(pl.lit(value=False)), SharesAsked(""))


def rank(
    atlas: Atlas,
    *,
    a: str = "",
    b: str = "",
    years: Sequence[int] = (),
    area: str = CRITICAL,
    of_list: str = "",
    measure: str = "critical_listed",
    counting: str = "full",
) -> pl.DataFrame:
    """Return the partners of one country, the highest share first; those with too few works for a share come last.

    Parameters
    ----------
    a, b : the country whose partners are ranked, on one of the two sides.
    measure, counting : names of table ``shares``.

    Returns
    -------
    Columns of `copub.atlas.cellshares.shares_of` with ``country`` and ``name`` of the partner, and its rank with the
    ranks that the data leave possible (`copub.measures.ranks.ranks`).
    """
    if bool(a) == bool(b):
        raise InputError("one country is wanted", where="--a, --b", hint="write --b CN, or --a BE")
    if measure not in MEASURES or counting not in COUNTING_WEIGHT:
        hint = f"measures: {', '.join(MEASURES)}; counting: {', '.join(COUNTING_WEIGHT)}"
        raise InputError(f"there is no {measure!r} under {counting!r}", where="--measure, --counting", hint=hint)
    if measure in OWN_PART and counting != "full":
        what = f"{measure} is a sum of authors' parts: it has no other counting than full"
        raise InputError(what, where="--counting", hint="leave it out")
    side, partner = ("a", "b") if a else ("b", "a")
    cells = atlas.cells(years).filter(pl.col(side) == (a or b))
    found = [_nothing(atlas)]
    for one, partners in _by_list(atlas, of_list, a=a, b=b):
        if not one and measure in ON_LISTS:
            continue  # no list names an institution there: a share of 0 would say nothing
        own = cells.filter(pl.col("b").is_in(partners))
        found.append(shares_of(atlas, own, SharesAsked(one, area, counting=(counting,), measures=(measure,))))
    names = {code: name_of(code) for code in atlas.manifest["countries"]}
    rows = pl.concat(found).with_columns(
        country=partner, name=pl.col(partner).replace_strict(names, return_dtype=pl.String)
    )
    ranked = _with_ranks(rows, atlas.settings)
    order = [pl.col("rank").is_null(), "share", "denominator", "country"]
    ordered = ranked.sort(order, descending=[False, True, True, False], nulls_last=True)
    return ordered.select("rank", "rank_low", "rank_high", "country", "name", *found[0].columns)


def _with_ranks(rows: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Add rank, rank_low and rank_high; null where there are too few works for a share.

    Cells do not say which works two pairs have in common; to take none makes the differences look less certain than
    they are, so the ends are wider and hold all the more.
    """
    enough = rows["denominator"].to_numpy() >= settings["small_rate"]
    trials = np.where(enough, rows["trials"].to_numpy(), 0.0)
    found = ranks(rows["share"].to_numpy().astype(float), trials, np.zeros((1, 1)), settings["confidence"])
    named = zip(("rank", "rank_low", "rank_high"), found, strict=True)
    return rows.with_columns(pl.Series(name, ends, nan_to_null=True).cast(pl.Int32) for name, ends in named)


def _by_list(atlas: Atlas, of_list: str, *, a: str, b: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each list that counts, with the countries on side b for which it does."""
    if b:
        yield atlas.list_for(of_list, b), [b]
        return
    partners: dict[str, list[str]] = {}
    for code in atlas.manifest["countries"]:
        if code != a:
            partners.setdefault(atlas.list_for(of_list, code), []).append(code)
    yield from partners.items()


def explain(
    atlas: Atlas,
    a: str,
    b: str,
    *,
    years: Sequence[int] = (),
    area: str = CRITICAL,
    of_list: str = "",
    measure: str = "critical_listed",
) -> pl.DataFrame:
    """Return the works behind a number of a pair (`EXPLAINED`), by year and id: those that its numerator counts.

    Parameters
    ----------
    measure : a measure of table ``shares``, or "copublications" for all works of the pair.
    """
    expect_two(a, b)
    if measure not in (*MEASURES, WHOLE):
        hint = f"measures: {WHOLE}, {', '.join(MEASURES)}"
        raise InputError(f"there is no measure {measure!r}", where="--measure", hint=hint)
    asked = atlas.list_for(of_list, b)
    has_both = pl.col("countries").list.contains(a) & pl.col("countries").list.contains(b)
    works = atlas.works(years).filter(has_both).select("number", "year", "doi", "title", "countries", "areas")
    listings = (
        atlas.listings(years)
        .filter(pl.col("list") == asked, pl.col("country") == b)
        .select("number", "list", "category", "is_top_level", "level", "listed_fraction", "entities")
    )
    is_critical = pl.col("areas").list.len() > 0 if area == CRITICAL else pl.col("areas").list.contains(area)
    listed = pl.col("category") == "counted"
    flagged = works.join(listings, on="number", how="left").with_columns(
        pl.col("listed_fraction").fill_null(0.0),
        pl.col("entities").fill_null([]),
        work_id=pl.lit("W") + pl.col("number").cast(pl.String),
        is_critical=is_critical,
        is_listed=listed.fill_null(value=False),
        is_critical_listed=is_critical & listed.fill_null(value=False),
        is_top_level=is_critical & pl.col("is_top_level").fill_null(value=False),
        listing_category=pl.col("category").fill_null("none"),
    )
    if measure != WHOLE:
        has, of = MEASURES[measure]
        flagged = flagged.filter(pl.lit(1.0) * has * of > 0)
    names = _names(atlas, asked)
    return (
        flagged.sort("year", "number")
        .with_columns(institutions=pl.col("entities").list.eval(pl.element().replace(names)))
        .select(pl.col(name).cast(dtype) for name, dtype in EXPLAINED.items())
        .collect()
    )


def _names(atlas: Atlas, of_list: str) -> Mapping[str, str]:
    own = atlas.lists[of_list]["watchlists"] if of_list else []
    named = atlas.entities.filter(pl.col("watchlist").is_in(own))
    return dict(zip(named["entity_id"], named["name"], strict=True))


def expect_two(a: str, b: str) -> None:
    """Raise `InputError` if the two countries of a pair are one."""
    if a == b:
        raise InputError(f"{a} is on both sides", where="the pair", hint="name two countries")
