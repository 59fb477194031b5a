"""A pair beside the other works of its sides, from the evidence of an atlas (`copub.measures.baselines`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import orjson
import polars as pl

from copub.atlas.cells import CRITICAL
from copub.atlas.stored import Atlas
from copub.countrygroups import expanded, find_group, key_of_side
from copub.errors import InputError
from copub.lists.baselinefile import FORMAT, BaselineFile, signed
from copub.measures.baselines import BaselinesAsked, baselines, largest_partners
from copub.names import PARTNERS_COMPARED
from copub.study.question import Question
from copub.study.samerules import disagreements

_BUILD = "build one by the rules of the study: copub atlas build --study STUDY"
_STATED = ("synthetic", "year_from", "year_to", "taxonomy")
"""Settings of an atlas that a file of baselines states at another place."""


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


def list_of(atlas: Atlas, question: Question) -> str:
    """Return the list of an atlas that counts what a study counts as listed. Raises `InputError` if none does."""
    study = question.study
    counted = set(study.levels or question.headline_levels)
    for name, rule in atlas.lists.items():
        if tuple(rule["watchlists"]) == study.watchlists and set(rule["counted"]) == counted:
            return name
    raise InputError(
        f"no list of this atlas is {'+'.join(study.watchlists)} at the levels {', '.join(sorted(counted))}",
        where=f"the study {study.id}",
        hint=_BUILD,
    )


def file_of(atlas: Atlas, found: AtlasBaselines, question: Question | None = None) -> bytes:
    """Return the file of baselines that a study names as ``comparison.baselines``.

    Parameters
    ----------
    question : that of a study which is to name it.

    Raises
    ------
    InputError : the study counts by other rules, or asks for other years or sides; one area was asked for, or no
        list names side B; or the atlas is not complete, or older than its note on the model.
    """
    rules, years = atlas.manifest["rules"], found.years
    if "model" not in rules:
        what = "this atlas does not say which model classified its works"
        raise InputError(what, where="--out", hint="build it again: copub atlas build")
    if found.area != CRITICAL or not found.list or not atlas.manifest["complete"]:
        what = "one area alone" if found.area != CRITICAL else "an atlas that is not complete"
        what = what if found.list else "a side of which no list names an institution"
        raise InputError(f"a study cannot name baselines of {what}", where="--out", hint="leave out --out")
    of_list = rules["lists"][list(atlas.lists).index(found.list)]
    hashes = {one["id"]: one["hash"] for one in rules["watchlists"]}
    unsigned = {
        "kind": "baselines",
        "format": FORMAT,
        "side_a": found.asked.side_a,
        "side_b": found.asked.side_b,
        "year_from": years[0],
        "year_to": years[-1],
        "synthetic": atlas.manifest["synthetic"],
        "snapshot": {"date": atlas.manifest["snapshot"]["date"], "records": atlas.manifest["snapshot"]["records"]},
        "settings": {name: value for name, value in rules["settings"].items() if name not in _STATED},
        "model": rules["model"],
        "taxonomy": {name: rules["taxonomy"][name] for name in ("id", "hash")},
        "watchlists": [{"id": one, "hash": hashes[one]} for one in of_list["watchlists"]],
        "levels": of_list["counted"],
        "rows": found.table.to_dicts(),
    }
    values = signed(unsigned)
    made = msgspec.convert(values, BaselineFile)
    if question is not None:
        headline, levels = question.headline_watchlists, question.headline_levels
        differ = list(disagreements(question.study, question.taxonomies[0], headline, levels, made))
        if differ:
            what = f"this atlas was counted under other rules: {'; '.join(differ)}"
            raise InputError(what, where=f"the study {question.study.id}", hint=_BUILD)
    return orjson.dumps(values, option=orjson.OPT_INDENT_2) + b"\n"


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
