"""A pair beside the other works of its sides, from the evidence of an atlas (`copub.measures.baselines`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from copub.atlas.cells import CRITICAL
from copub.atlas.stored import Atlas
from copub.countrygroups import expanded, find_group, key_of_side
from copub.errors import InputError
from copub.measures.baselines import BaselinesAsked, baselines, largest_partners
from copub.names import PARTNERS_COMPARED


@dataclass(frozen=True, slots=True)
class AtlasBaselines:
    """What was compared, and the table (`copub.measures.baselines.baselines`).

    years, area : what counts. list : the list that counts as listed, "" if none names side B.
    """

    asked: BaselinesAsked
    years: tuple[int, ...]
    area: str
    list: str
    table: pl.DataFrame


def baselines_of(
    atlas: Atlas,
    a: Sequence[str],
    b: Sequence[str],
    *,
    partners: Sequence[str] = (),
    most: int = PARTNERS_COMPARED,
    years: Sequence[int] = (),
    area: str = CRITICAL,
    of_list: str = "",
) -> AtlasBaselines:
    """Compare a pair with side A's works with other partners and with all international works of side B.

    Parameters
    ----------
    a, b : codes of the countries of each side; institutions count as listed on side B.
    partners : each a country, or a group such as EU27 that counts as one partner: its members that are on neither side.
    most : without partners, how many: those with the most works with side A.
    years, area, of_list : as for `copub.atlas.atlasanswers.show`.

    Raises
    ------
    InputError : a country is on both sides, a partner is none or is on side B, or the lists of side B are several.
    """
    twice = sorted({*a} & {*b})
    if twice:
        raise InputError(f"{', '.join(twice)} is on both sides", where="the pair", hint="name two other sides")
    asked_list = _list_for(atlas, of_list, b)
    asked_years = tuple(years) or atlas.years
    named = dict(_partner(atlas, text, a, b) for text in partners)
    if not named:
        named = largest_partners((atlas.works([year]) for year in asked_years), a, b, most)
    settings = atlas.settings
    asked = BaselinesAsked(
        tuple(a), tuple(b), named, settings["confidence"], settings["small_cell"], settings["small_rate"]
    )
    table = baselines((_works(atlas, year, area, asked_list, b) for year in asked_years), asked)
    return AtlasBaselines(asked, asked_years, area, asked_list, table)


def side_of(atlas: Atlas, text: str) -> tuple[str, ...]:
    """Return the codes of a side: countries by code or English name, or groups, put together with a comma or plus."""
    names = expanded(part.strip() for part in re.split("[,+]", text))
    return tuple(dict.fromkeys(atlas.country(name) for name in names))


def _partner(atlas: Atlas, text: str, a: Sequence[str], b: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return a partner's key and its countries; of a group, those that are on neither side."""
    group = find_group(text)
    codes = group.codes if group else (atlas.country(text),)
    rest = tuple(code for code in codes if code not in (*a, *b))
    if not rest:
        raise InputError(f"{text} is on a side of the pair", where="--with", hint="name another partner")
    return (group.id if group else key_of_side(rest)), rest


def _list_for(atlas: Atlas, of_list: str, b: Sequence[str]) -> str:
    found = sorted({atlas.list_for(of_list, code) for code in b} - {""})
    if len(found) > 1:
        hint = f"name one: --list {' or --list '.join(found)}"
        raise InputError(f"side B has several headline lists: {', '.join(found)}", where="the lists", hint=hint)
    return found[0] if found else ""


def _works(atlas: Atlas, year: int, area: str, of_list: str, b: Sequence[str]) -> pl.LazyFrame:
    """Return the works of a year with the flags that baselines count."""
    listed = (
        atlas.listings([year])
        .filter(pl.col("list") == of_list, pl.col("country").is_in(list(b)), pl.col("category") == "counted")
        .select("number")
        .unique()
        .with_columns(is_listed=pl.lit(value=True))
    )
    is_critical = pl.col("areas").list.len() > 0 if area == CRITICAL else pl.col("areas").list.contains(area)
    return (
        atlas.works([year])
        .select("number", "countries", "weights", "n_countries", is_critical=is_critical)
        .join(listed, on="number", how="left")
        .with_columns(pl.col("is_listed").fill_null(value=False))
    )
