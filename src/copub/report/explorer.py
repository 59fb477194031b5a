"""The listed critical works with their evidence, as compact data for the page's table of works.

Repeated texts stand once in lists and are named by position, so that thousands of works stay small.
All values are data: the page writes them as text only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import polars as pl

from copub.report.facts import Facts, Row

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TITLE, CONTEXT, TERMS, HITS = 300, 90, 8, 6  # characters and items that the view shows
_HIT_KEYS = ("work_id", "watchlist", "edition", "entity_id", "tier", "field", "matched_text")


class _Names:
    """Texts by position, each once, in the order of their first use."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))


def doi_of(value: str | None) -> str:
    """Return the DOI if it has the form of one, else nothing: no other text ever becomes a link."""
    return value if value and _DOI.fullmatch(value) else ""


def critical_listed(facts: Facts) -> pl.DataFrame:
    """Return the works of the headline's numerator, newest first."""
    works = facts.table("copublications").filter("is_critical_listed")
    return works.sort(["publication_year", "work_id"], descending=[True, False], nulls_last=True)


def explorer_data(facts: Facts) -> dict[str, Any]:
    """Return the works table as plain lists.

    Keys: `areas`, `entities` (name, level), `institutions` (side A), `lists`, `levels`, `tiers`,
    `fields`, `snippets` (before, matched, after) and `works`, one list each: year, title, DOI,
    areas, entities, side-A institutions, level, tiers, reasons, hits, further hits.
    """
    works = critical_listed(facts)
    names = {
        key: _Names() for key in ("areas", "entities", "institutions", "lists", "levels", "tiers", "fields", "snippets")
    }
    _sorted_first(names["areas"], works["areas"].explode().drop_nulls().unique())
    own = _institutions(facts, works)
    _sorted_first(names["institutions"], sorted({name for group in own.values() for name in group}))
    hits, more = _hits(facts, works)
    listed = sorted(
        {(row["entity_name"] or row["entity_id"], row["risk_level"] or "") for group in hits.values() for row in group}
    )
    _sorted_first(names["entities"], listed, sort=False)
    reasons = _reasons(facts, works)
    rows = [_work(facts, row, names, own, reasons, hits, more) for row in works.iter_rows(named=True)]
    data: dict[str, Any] = {key: list(entry.places) for key, entry in names.items()}
    data["areas"] = [facts.area(area) for area in data["areas"]]
    data["levels"] = [facts.level(level) for level in data["levels"]]
    data["tiers"] = [facts.words.name("tier", tier) for tier in data["tiers"]]
    data["fields"] = [facts.words.name("evidence", f"field_{field}") for field in data["fields"]]
    return data | {"works": rows}


def as_script(data: Any) -> str:
    """Return JSON that can stand inside a script element: no sign in it can close or open a tag."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _sorted_first(names: _Names, values: Iterable[Any], *, sort: bool = True) -> None:
    for value in sorted(values) if sort else values:
        names.place(value)


def _work(
    facts: Facts,
    row: Row,
    names: dict[str, _Names],
    own: dict[str, list[str]],
    reasons: dict[str, list[Row]],
    hits: dict[str, list[Row]],
    more: dict[str, int],
) -> list[Any]:
    wid, found = row["work_id"], hits.get(row["work_id"], [])
    entities = [
        names["entities"].place((hit["entity_name"] or hit["entity_id"], hit["risk_level"] or "")) for hit in found
    ]
    return [
        row["publication_year"],
        _cut(row["title"] or "", TITLE),
        doi_of(row["doi"]),
        [names["areas"].place(area) for area in row["areas"] or ()],
        list(dict.fromkeys(entities)),
        [names["institutions"].place(name) for name in own.get(wid, ())],
        names["levels"].place(row["max_risk_level"] or ""),
        [names["tiers"].place(tier) for tier in row["tiers"] or ()],
        [_reason(facts, reason, names) for reason in reasons.get(wid, ())],
        [_hit(facts, hit, names) for hit in found],
        more.get(wid, 0),
    ]


def _institutions(facts: Facts, works: pl.DataFrame) -> dict[str, list[str]]:
    countries = (facts.study.get("side_a") or {}).get("countries") or ()
    frame = (
        facts.table("affiliations")
        .filter(pl.col("country_code").is_in(list(countries)), pl.col("institution_name").is_not_null())
        .join(works.select("work_id"), on="work_id", how="semi")
        .group_by("work_id")
        .agg(pl.col("institution_name").unique().sort())
    )
    return dict(frame.iter_rows())


def _reasons(facts: Facts, works: pl.DataFrame) -> dict[str, list[Row]]:
    frame = (
        facts.table("assignments")
        .filter(pl.col("assigned"), pl.col("taxonomy") == str(facts.study.get("taxonomy")))
        .join(works.select("work_id"), on="work_id", how="semi")
        .sort(["work_id", "score", "area"], descending=[False, True, False], nulls_last=True)
    )
    return _grouped(frame)


def _hits(facts: Facts, works: pl.DataFrame) -> tuple[dict[str, list[Row]], dict[str, int]]:
    headline = list(facts.study.get("watchlists") or ())
    frame = (
        facts.table("hits")
        .filter("is_counted")
        .join(works.select("work_id"), on="work_id", how="semi")
        .unique(subset=_HIT_KEYS, keep="first", maintain_order=True)
        .with_columns(_other=~pl.col("watchlist").is_in(headline), _loose=pl.col("tier") != "identifier")
        .sort("work_id", "_other", "entity_id", "_loose", maintain_order=True)
        .with_columns(_place=pl.int_range(pl.len()).over("work_id"), _all=pl.len().over("work_id"))
    )
    more = frame.filter(pl.col("_all") > HITS).select("work_id", (pl.col("_all") - HITS).cast(pl.Int64)).unique()
    return _grouped(frame.filter(pl.col("_place") < HITS)), dict(more.iter_rows())


def _grouped(frame: pl.DataFrame) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        groups.setdefault(row["work_id"], []).append(row)
    return groups


def _reason(facts: Facts, row: Row, names: dict[str, _Names]) -> list[Any]:
    score, threshold = (facts.words.number(row[key], 2) for key in ("score", "threshold"))
    return [
        names["areas"].place(row["area"]),
        _cut(row["technology"] or "", CONTEXT),
        facts.words.say("evidence.score", score=score, threshold=threshold),
        row["method"] or "",
        *(_terms(row[key]) for key in ("matched_title", "matched_abstract", "ngrams")),
    ]


def _hit(facts: Facts, row: Row, names: dict[str, _Names]) -> list[Any]:
    listing = (
        f"{row['watchlist']}, {facts.words.say('label.edition')} {row['edition']}"
        if row["edition"]
        else row["watchlist"]
    )
    return [
        names["entities"].place((row["entity_name"] or row["entity_id"], row["risk_level"] or "")),
        names["lists"].place(listing),
        names["tiers"].place(row["tier"]),
        names["fields"].place(row["field"]),
        names["snippets"].place(snippet(facts, row)),
        _cut(row["rule"] or "", CONTEXT),
        _cut(row["via_entity"] or "", CONTEXT),
    ]


def snippet(facts: Facts, row: Row) -> tuple[str, str, str]:
    """Return what stands before the match, the match, and what stands after, e-mail addresses blanked."""
    value, start, end = row["value"] or "", row["matched_start"], row["matched_end"]
    if start is None or end is None or not 0 <= start <= end <= len(value):
        return "", _cut(row["matched_text"] or value, 2 * CONTEXT), ""
    before, after = (_MAIL.sub(facts.words.say("evidence.mail"), part) for part in (value[:start], value[end:]))
    if len(before) > CONTEXT:
        before = "…" + before[-CONTEXT:]
    return before, _cut(value[start:end], 2 * CONTEXT), _cut(after, CONTEXT)


def _terms(values: list[str] | None) -> list[str]:
    return [_cut(value, CONTEXT) for value in list(dict.fromkeys(values or ()))[:TERMS]]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
