"""The page of an atlas: one file that works offline, for choosing a country and seeing its partners."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from scipy.special import ndtri

from copub.atlas.atlaswords import SYNTHETIC, caveats, head
from copub.atlas.cells import CRITICAL, EVERY_WORK, NO_LIST
from copub.atlas.stored import Atlas, name_of
from copub.countrygroups import GROUPS
from copub.errors import InputError
from copub.report.messages import load_messages
from copub.report.page import policy

MEASURES = ("critical_listed", "critical", "listed", "listed_given_critical", "top_level")
"""Measures of the page, in the order in which it offers them."""
MOST_BYTES = 5_500_000
"""Bytes of the numbers of a page: with more, the smallest pairs are left out."""
_TEMPLATES = Path(__file__).parent / "templates"
_SHEET = Path(__file__).parents[1] / "report" / "templates" / "page.css"


def atlas_page(atlas: Atlas, *, most_bytes: int = MOST_BYTES) -> str:
    """Return the page.

    Pairs with so few works that the numbers of all would not fit into `most_bytes` are left out; the page says so.

    Raises
    ------
    InputError : the atlas counts no work.
    """
    if not atlas.manifest["countries"]:
        hint = "build it from a snapshot that has works of two countries"
        raise InputError("the atlas counts no work", where=str(atlas.folder), hint=hint)
    least, packed = 1, _packed(_numbers(atlas, 1))
    while len(packed) > most_bytes:
        least *= 2
        packed = _packed(_numbers(atlas, least))
    script = _asset("atlas.js")
    sheet = f"\n{_SHEET.read_text(encoding='utf-8')}{_asset('atlas.css')}"
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    words, settings = load_messages(), atlas.settings
    page = environment.get_template("atlas.html.j2").render(
        policy=policy(script, sheet),
        script=Markup(script),  # our own files, and the policy lets no others through
        sheet=Markup(sheet),
        numbers=packed,
        synthetic=SYNTHETIC if atlas.manifest["synthetic"] else "",
        heads=[line for line in head(atlas) if line != SYNTHETIC],
        caveats=caveats(atlas),
        least=least,
        years=atlas.years,
        countries=_named(atlas),
        areas=[("", "All areas"), *atlas.areas.items()],
        measures=[(name, words.name("measure", name)) for name in MEASURES],
        lists=[_list_facts(atlas, one) for one in atlas.lists],
        groups=[(group.id, group.name) for group in GROUPS.values()],
        settings=settings,
        confidence=words.percent(settings["confidence"], 0),
    )
    return page + "\n"


def _list_facts(atlas: Atlas, of_list: str) -> dict[str, Any]:
    rule = atlas.lists[of_list]
    known = {one["id"]: one for one in atlas.manifest["rules"]["watchlists"]}
    return {
        "id": of_list,
        "titles": [f"{known[one]['title']} ({known[one]['edition']})" for one in rule["watchlists"]],
        "levels": ", ".join(rule["counted"]),
        "countries": ", ".join(map(name_of, atlas.countries_of(of_list))),
    }


def _named(atlas: Atlas) -> list[tuple[str, str]]:
    """Return the countries of the atlas, by name."""
    return sorted(((code, name_of(code)) for code in atlas.manifest["countries"]), key=lambda one: one[1])


def _numbers(atlas: Atlas, least: int) -> dict[str, Any]:
    """Return the numbers of the page: full counts of pairs with so many works, by area, year and list."""
    codes = [code for code, _ in _named(atlas)]
    lists = list(atlas.lists)
    areas = [EVERY_WORK, CRITICAL, *atlas.areas]
    cells = atlas.cells().select("a", "b", "year", "area", "list", "category", "is_top_level", "works")
    every = cells.filter(pl.col("list") == NO_LIST, pl.col("a") < pl.col("b"))
    total = pl.col("works").filter(pl.col("area") == EVERY_WORK).sum().over("a", "b")
    kept = every.filter(total >= least).collect()
    both = kept.select("a", "b").unique()
    large = pl.concat([both, both.select(a="b", b="a")])
    top = pl.col("works").filter("is_top_level").sum().alias("top")
    listed = (
        cells.filter(pl.col("category") == "counted", pl.col("list") != NO_LIST)
        .join(large.lazy(), on=["a", "b"], how="semi")
        .group_by("a", "b", "list", "area", "year")
        .agg(pl.col("works").sum(), top)
        .collect()
    )
    settings = atlas.settings
    named = {
        column: {name: place for place, name in enumerate(names)}
        for column, names in (("a", codes), ("b", codes), ("area", areas), ("list", lists))
    }

    def coded(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.col(name).replace_strict(places, return_dtype=pl.Int32)
            for name, places in named.items()
            if name in frame.columns
        ).with_columns(pl.col("year") - atlas.years[0])

    return {
        "z": float(ndtri(0.5 + settings["confidence"] / 2)),
        "smallCell": settings["small_cell"],
        "smallRate": settings["small_rate"],
        "firstYear": atlas.years[0],
        "countries": _named(atlas),
        "areas": areas,
        "lists": lists,
        "headline": {code: lists.index(one) for code in codes if (one := atlas.headline(code))},
        "onList": [[codes.index(code) for code in atlas.countries_of(one) if code in codes] for one in lists],
        "groups": {group.id: [codes.index(code) for code in group.codes if code in codes] for group in GROUPS.values()},
        "works": _runs(coded(kept.select("a", "b", "area", "year", "works")), ["a", "b"]),
        "listed": _runs(coded(listed), ["a", "b", "list"]),
    }


def _runs(rows: pl.DataFrame, keys: list[str]) -> dict[str, list[int]]:
    """Return a table column by column, with each key once and the row at which it begins."""
    rest = [name for name in rows.columns if name not in keys]
    ordered = rows.sort(*keys, "area", "year")
    starts = ordered.with_row_index("start").group_by(keys, maintain_order=True).agg(pl.col("start").first())
    columns = {name: starts[name].to_list() for name in (*keys, "start")}
    return columns | {f"of_{name}": ordered[name].to_list() for name in rest}


def _packed(numbers: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(orjson.dumps(numbers), 9)).decode("ascii")


def _asset(name: str) -> str:
    return "\n" + (_TEMPLATES / name).read_text(encoding="utf-8")
