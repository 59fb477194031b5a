"""Screening bare affiliation strings, for people who need only this part."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub.arguments import expect, expect_each
from copub.lists.watchlist import Watchlist
from copub.screening.counting import CountingRule, with_reasons
from copub.screening.index import Index, build_index
from copub.screening.matching import IF_COUNTRY

HOSPITAL = "pla_hospital"
STRINGS = pl.Schema(
    {
        "raw_affiliation_string": pl.String,
        "watchlist": pl.String,
        "edition": pl.String,
        "entity_id": pl.String,
        "entity_name": pl.String,
        "level": pl.String,
        "category": pl.String,
        "is_medical": pl.Boolean,
        "tier": pl.String,
        "matched_text": pl.String,
        "matched_start": pl.Int32,
        "matched_end": pl.Int32,
        "rule": pl.String,
        "via_entity": pl.String,
        "is_counted": pl.Boolean,
    }
)


def screen_strings(
    strings: Sequence[str] | pl.Series,
    watchlists: Sequence[Watchlist],
    *,
    include_medical: bool = True,
    include_descendants: bool = False,
    country: str | None = None,
) -> pl.DataFrame:
    """Find the listed institutions that affiliation strings name.

    Parameters
    ----------
    strings : affiliation strings, exactly as they should come back.
    watchlists : lists to screen against.
    include_medical : count medical units.
    include_descendants : also report an entity when only a descendant of it is named.
    country : country code that all strings are known to belong to; settles names which several
        countries share where a string itself names no country.

    Returns
    -------
    One row per distinct string, watchlist and institution: the columns of `STRINGS`, sorted. A
    string without a hit gives no row. A laboratory, a campus, or a hospital beside its
    university is shown under its institution: `entity_id` is the institution, `via_entity` the
    part that was named.
    """
    expect_each(watchlists, Watchlist, "watchlists", "a list of watchlists: [copub.screening.load_watchlist(NAME)]")
    expect(country, (str, type(None)), "country", "a country code, such as CN")
    values = _strings(strings)
    index = build_index(watchlists)
    mentions = _settled(index.mentions(values), index, country)
    hits = _shown_under(mentions, index).join(index.holders, on="key", how="inner")
    if not include_descendants:
        hits = hits.filter(pl.col("via_entity").is_null() | (pl.col("entity_id") == pl.col("shown_id")))
    hits = hits.with_columns(
        named_id=pl.when(pl.col("entity_id") == pl.col("own_id")).then(pl.col("shown_id")).otherwise("entity_id"),
    ).with_columns(
        entity_name=pl.when(pl.col("named_id") == pl.col("shown_id")).then("shown_name").otherwise("entity_name"),
        via_entity=pl.when(pl.col("own_id") != pl.col("named_id")).then("own_id").otherwise(None),
    )
    ordered = hits.sort(
        "value", "watchlist", "named_id", pl.col("via_entity").is_not_null(), "matched_start", "via_entity"
    ).unique(["value", "watchlist", "named_id"], keep="first", maintain_order=True)
    return (
        with_reasons(ordered.with_columns(tier=pl.lit("name")), CountingRule(include_medical=include_medical))
        .select(
            raw_affiliation_string="value",
            watchlist="watchlist",
            edition="edition",
            entity_id="named_id",
            entity_name="entity_name",
            level="risk_level",
            category="category",
            is_medical="is_medical",
            tier="tier",
            matched_text="matched_text",
            matched_start="matched_start",
            matched_end="matched_end",
            rule="rule",
            via_entity="via_entity",
            is_counted="is_counted",
        )
        .cast(STRINGS)
    )


def _strings(strings: Sequence[str] | pl.Series) -> pl.Series:
    wanted = "a list or a polars Series of affiliation strings"
    if isinstance(strings, pl.Series) and strings.dtype in (pl.String, pl.Null):
        return strings.cast(pl.String).alias("value")
    expect_each(strings, str, "strings", wanted)
    return pl.Series("value", strings, dtype=pl.String)


def _settled(mentions: pl.DataFrame, index: Index, country: str | None) -> pl.DataFrame:
    countries = pl.DataFrame(
        {"key": range(len(index.entities)), "entity_country": [entity.country for entity in index.entities]},
        schema={"key": pl.Int32, "entity_country": pl.String},
    )
    known = mentions.join(countries, on="key")
    if country is None:
        return known.filter(pl.col("condition") != IF_COUNTRY).drop("entity_country")
    is_sure = pl.col("condition") == "sure"
    return known.filter(is_sure | (pl.col("entity_country") == country)).drop("entity_country")


def _shown_under(mentions: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Add the institution under which each named entity is shown."""
    by_id = {entity.id: entity for entity in index.entities}
    named: dict[str, set[str]] = {}
    for value, key in mentions.select("value", "key").iter_rows():
        named.setdefault(value, set()).add(index.entities[key].id)
    own: list[str] = []
    shown: list[str] = []
    for value, key in mentions.select("value", "key").iter_rows():
        entity = index.entities[key]
        own.append(entity.id)
        for ancestor in index.lexicon.ancestors(entity):
            is_beside = entity.category == HOSPITAL and ancestor in named[value]
            if ancestor not in by_id or not (entity.unit or is_beside):
                break
            entity = by_id[ancestor]
        shown.append(entity.id)
    names = {entity.id: entity.name for entity in index.entities}
    return mentions.with_columns(
        own_id=pl.Series(own, dtype=pl.String),
        shown_id=pl.Series(shown, dtype=pl.String),
        shown_name=pl.Series([names[entity_id] for entity_id in shown], dtype=pl.String),
    )
