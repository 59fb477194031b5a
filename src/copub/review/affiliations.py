"""Affiliations for people to read: hits, strings without a hit, and candidates that are never counted by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub.draw import in_draw_order
from copub.lists.decisions import COLUMNS
from copub.lists.watchlist import Watchlist
from copub.names import SEED
from copub.screening.candidates import candidates
from copub.screening.index import build_index


def draw_sheet(
    hits: pl.DataFrame,
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    *,
    n_hits: int = 50,
    n_others: int = 50,
    seed: str = SEED,
) -> pl.DataFrame:
    """Draw a sheet for human reading: random hits, random non-hits, all candidates (`COLUMNS`).

    Samples are drawn from distinct pairs of string and entity (hits) and distinct strings
    (non-hits), so that no much-repeated string fills the sheet. Candidates are sought in strings
    of the lists' countries and of no known country. The same seed draws the same rows, and another
    string among the affiliations replaces at most one of them.
    """
    named = hits.filter(pl.col("tier") == "name").select("value", "entity_id", "entity_name", "matched_text")
    pairs = named.sort(named.columns).unique(["value", "entity_id"], keep="first", maintain_order=True)
    texts = affiliations.select(value="raw_affiliation_string").drop_nulls().unique()
    others = texts.join(pairs, on="value", how="anti").sort("value")  # sorted for the candidates
    near = candidates(_of_country(others, affiliations, watchlists), watchlists)
    parts = [
        in_draw_order(pairs, "value", "entity_id", seed=seed).head(n_hits).with_columns(sample=pl.lit("hit")),
        in_draw_order(others.join(near, on="value", how="anti"), "value", seed=seed)
        .head(n_others)
        .with_columns(sample=pl.lit("non-hit")),
        near.drop("score").with_columns(sample=pl.lit("candidate")),
    ]
    sheet = pl.concat(parts, how="diagonal")
    absent = [name for name in COLUMNS if name not in sheet.columns]
    return sheet.with_columns(pl.lit(None, pl.String).alias(name) for name in absent).select(*COLUMNS)


def unasked(
    decisions: pl.DataFrame, hits: pl.DataFrame, affiliations: pl.DataFrame, watchlists: Sequence[Watchlist]
) -> pl.DataFrame:
    """Return the decisions on pairs of string and entity that a run did not ask about, with their effect.

    Such a pair is neither a hit nor a candidate of the run: a reader wrote the entity in, or the cells of a sheet
    were cut or exchanged. Columns: value, entity_id, effect.
    """
    pairs = pl.concat([hits.select("value", entity_id=name) for name in ("entity_id", "via_entity")]).unique()
    others = decisions.join(pairs, on=["value", "entity_id"], how="anti")
    near = candidates(others["value"], watchlists)
    listed = [entity.id for entity in build_index(watchlists).entities]
    strings = pl.concat([hits["value"], affiliations["raw_affiliation_string"]]).unique()
    nothing = "changes nothing"
    return (
        others.join(near, on=["value", "entity_id"], how="anti")
        .with_columns(
            effect=pl.when(~pl.col("value").is_in(strings.implode()))
            .then(pl.lit(f"the run has no such string; {nothing}"))
            .when(~pl.col("entity_id").is_in(listed))
            .then(pl.lit(f"no list of the run knows the institution; {nothing}"))
            .when(pl.col("decision") == "no")
            .then(pl.lit(f"the run did not find it there; {nothing}"))
            .otherwise(pl.lit("the run did not find it there; counts from now on"))
        )
        .select("value", "entity_id", "effect")
    )


def _of_country(texts: pl.DataFrame, affiliations: pl.DataFrame, watchlists: Sequence[Watchlist]) -> pl.Series:
    """Return the strings that are with a country of the lists, or with none."""
    countries = sorted({member.entity.country for watchlist in watchlists for member in watchlist.entities})
    there = affiliations.filter(pl.col("country_code").is_null() | pl.col("country_code").is_in(countries))
    return texts.join(there.select(value="raw_affiliation_string"), on="value", how="semi", maintain_order="left")[
        "value"
    ]
