"""What is behind each work: its institutions of side A, why it is critical, why it is listed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from copub.report.facts import Facts, Row

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TITLE, CONTEXT, TERMS, HITS = 300, 90, 8, 6  # characters and items that a view shows
_IDENTIFIERS = ("institution_id", "ror", "lineage")
_HIT_KEYS = ("work_id", "watchlist", "edition", "entity_id", "tier", "field", "matched_text")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence by work_id: side-A institutions, assignments, hits, and how many hits were left off."""

    institutions: dict[str, list[str]]
    reasons: dict[str, list[Row]]
    hits: dict[str, list[Row]]
    more: dict[str, int]


def evidence_of(facts: Facts, works: pl.DataFrame) -> Evidence:
    """Return the evidence of `works` (column work_id): hits that differ, those of headline lists first."""
    hits, more = _hits(facts, works)
    return Evidence(side_a_institutions(facts, works), _reasons(facts, works), hits, more)


def critical_listed(facts: Facts) -> pl.DataFrame:
    """Return the works of the headline's numerator, newest first."""
    works = facts.table("copublications").filter("is_critical_listed")
    return works.sort(["publication_year", "work_id"], descending=[True, False], nulls_last=True)


def doi_of(value: str | None) -> str:
    """Return the DOI if it has the form of one, else nothing: no other text ever becomes a link."""
    return value if value and _DOI.fullmatch(value) else ""


def side_a_institutions(facts: Facts, works: pl.DataFrame) -> dict[str, list[str]]:
    """Return the names of the side-A institutions of each work, by work_id."""
    countries = (facts.study.get("side_a") or {}).get("countries") or ()
    frame = (
        facts.affiliations.filter(
            pl.col("country_code").is_in(list(countries)), pl.col("institution_name").is_not_null()
        )
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
    keys = ["work_id", "author_seq", "affiliation_seq"]
    named = facts.affiliations.select(*keys, "institution_name")
    frame = (
        facts.table("hits")
        .filter("is_counted")
        .join(works.select("work_id"), on="work_id", how="semi")
        .unique(subset=_HIT_KEYS, keep="first", maintain_order=True)
        .with_columns(_other=~pl.col("watchlist").is_in(headline), _loose=pl.col("tier") != "identifier")
        .sort("work_id", "_other", "entity_id", "_loose", maintain_order=True)
        .join(named, on=keys, how="left", maintain_order="left")
        .with_columns(_place=pl.int_range(pl.len()).over("work_id"), _all=pl.len().over("work_id"))
    )
    more = frame.filter(pl.col("_all") > HITS).select("work_id", (pl.col("_all") - HITS).cast(pl.Int64)).unique()
    return _grouped(frame.filter(pl.col("_place") < HITS)), dict(more.iter_rows())


def _grouped(frame: pl.DataFrame) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        groups.setdefault(row["work_id"], []).append(row)
    return groups


def snippet(facts: Facts, row: Row) -> tuple[str, str, str]:
    """Return what is before the match, the match, and what is after, e-mail addresses blanked.

    A matched identifier is followed by the name of the institution that carries it.
    """
    value, start, end = row["value"] or "", row["matched_start"], row["matched_end"]
    if row["field"] in _IDENTIFIERS:
        name = row.get("institution_name")
        return "", cut(row["matched_text"] or value, CONTEXT), f" ({cut(name, CONTEXT)})" if name else ""
    if start is None or end is None or not 0 <= start <= end <= len(value):
        return "", cut(row["matched_text"] or value, 2 * CONTEXT), ""
    before, after = (without_mail(facts, part) for part in (value[:start], value[end:]))
    if len(before) > CONTEXT:
        before = "…" + before[-CONTEXT:]
    return before, cut(value[start:end], 2 * CONTEXT), cut(after, CONTEXT)


def without_mail(facts: Facts, text: str) -> str:
    """Return the text with e-mail addresses blanked."""
    return _MAIL.sub(facts.words.say("evidence.mail"), text)


def terms_of(values: list[str] | None) -> list[str]:
    """Return the first few different terms of a list column, cut to the view."""
    return [cut(value, CONTEXT) for value in list(dict.fromkeys(values or ()))[:TERMS]]


def cut(text: str, limit: int) -> str:
    """Return the text, shortened with an ellipsis to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
