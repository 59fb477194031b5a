"""OpenAlex topics as evidence: which areas a work's topics are mapped to.

Topics come from a model that OpenAlex replaced in October 2026; they add to a score, they never
decide. Compare by id: names change. The map is ``<taxonomy>.topics.csv`` beside the taxonomy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from copub.lists.taxonomy import FOLDER, Taxonomy
from copub.shipped import shipped_folder
from copub.technology.model import Model

_SCHEMA = {
    "work": pl.Int64,
    "area": pl.Int64,
    "weight": pl.Float64,
    "topic_id": pl.String,
    "topic_name": pl.String,
    "score": pl.Float64,
}


@cache
def topic_map(taxonomy: str) -> pl.DataFrame:
    """Return topic_id, area, technology, strength (core or partial) of a taxonomy's map."""
    return pl.read_csv(shipped_folder(FOLDER) / f"{taxonomy}.topics.csv")


def mapped_topics(works: pl.DataFrame, topics: pl.DataFrame, taxonomy: Taxonomy, model: Model) -> pl.DataFrame:
    """Return for each work and area the mapped topic that weighs most.

    Columns: work (position in `works`), area (position in the taxonomy), weight (added to the
    logit), topic_id, topic_name, score.
    """
    if not topics.height or not model.topic_weights:
        return pl.DataFrame(schema=_SCHEMA)
    places = works.select("work_id", work=pl.int_range(pl.len()))
    areas = pl.DataFrame({"area_id": taxonomy.area_ids}).with_columns(area=pl.int_range(pl.len()))
    mapped = topic_map(taxonomy.id).rename({"area": "area_id"}).join(areas, on="area_id")
    weights = model.topic_weights
    weight = pl.when(pl.col("rank") == 0).then(weights["primary"]).otherwise(weights["further"])
    return (
        topics.join(places, on="work_id")
        .join(mapped, on="topic_id")
        .with_columns(weight=weight)
        .filter(pl.col("weight") > 0)
        .sort("work", "area", "weight", "rank", descending=[False, False, True, False])
        .unique(["work", "area"], keep="first", maintain_order=True)
        .select(_SCHEMA.keys())
    )


def topic_sentence(topic: Mapping[str, Any], epoch: str | None) -> str:
    """Return a topic in words: name, id, score, epoch of the topic model."""
    score = "no score" if topic["score"] is None else f"score {topic['score']:.2f}"
    return f"OpenAlex topic “{topic['topic_name'] or topic['topic_id']}” ({score}, epoch {epoch or 'unknown'})"
