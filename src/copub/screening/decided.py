"""What reviewers decided, applied to hits: by string and entity, so on every affiliation with that string."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub import schema
from copub.lists.watchlist import Watchlist
from copub.screening.candidates import REVIEW
from copub.screening.counting import EVERYTHING, CountingRule, with_reasons, with_rejected
from copub.screening.index import HOLDERS, build_index

_CONFIRMED = "confirmed by review"
_PLACE = ["work_id", "author_seq", "affiliation_seq"]


def apply_decisions(
    hits: pl.DataFrame,
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    decisions: pl.DataFrame,
    *,
    rule: CountingRule = EVERYTHING,
    dates: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return `hits` as decided: rejected name hits no longer count, confirmed pairs are hits.

    A confirmed pair that the matcher did not find becomes a name hit whose `rule` says that a
    reviewer confirmed it. The reviewer says what the string names; whether the study counts such a
    hit depends on its settings and dates, as for every other hit. Identifier and lineage hits do not
    change: they rest on the registry, not on a reading of the string.
    """
    rejected = decisions.filter(pl.col("decision") == "no").select("value", entity="entity_id", is_rejected=True)
    reviewed = hits
    for name in ("entity_id", "via_entity"):  # a sheet shows the institution, a list of strings the part of it
        reviewed = reviewed.join(
            rejected.rename({"entity": name, "is_rejected": f"{name}_rejected"}),
            on=["value", name],
            how="left",
            maintain_order="left",
        )
    is_rejected = pl.any_horizontal("entity_id_rejected", "via_entity_rejected").fill_null(False)
    kept = with_rejected(reviewed, pl.col("tier").is_in(["name", REVIEW]) & is_rejected).select(hits.columns)
    found = _confirmed(affiliations, watchlists, decisions.filter(pl.col("decision") == "yes"))
    added = with_reasons(found, rule, dates).select(schema.TABLES["hits"].schema.names())
    key = list(schema.TABLES["hits"].key)
    return schema.conform("hits", pl.concat([kept, added.join(kept, on=key, how="anti").select(hits.columns)]))


def _confirmed(affiliations: pl.DataFrame, watchlists: Sequence[Watchlist], decisions: pl.DataFrame) -> pl.DataFrame:
    index = build_index(watchlists)
    keys = pl.DataFrame(
        {"decided_id": [entity.id for entity in index.entities], "key": range(len(index.entities))},
        schema={"decided_id": pl.String, "key": HOLDERS["key"]},
    )
    pairs = decisions.select("value", "reviewer", "date", decided_id="entity_id").join(keys, on="decided_id")
    rows = affiliations.select(*_PLACE, value="raw_affiliation_string").join(pairs, on="value")
    found = rows.join(index.holders, on="key").sort(pl.col("via_entity").is_not_null())
    complete = found.with_columns(
        tier=pl.lit("name"),
        field=pl.lit("raw_affiliation_string"),
        matched_text=pl.col("value"),
        matched_start=pl.lit(0, pl.Int32),
        matched_end=pl.col("value").str.len_chars().cast(pl.Int32),
        rule=pl.format("{}: {}, {}", pl.lit(_CONFIRMED), "reviewer", "date"),
    )
    return complete.unique(schema.TABLES["hits"].key, keep="first", maintain_order=True)
