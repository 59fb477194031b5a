"""Frozen results: what the classifier scores, and who holds which watchlist by which descent.

``make golden`` (``python -m tests.golden.tables --write`` in the root of the project) writes both tables. Run it
only after a deliberate change of the model, a taxonomy or a watchlist, and read the difference before you commit.

``works.csv`` holds the 200 synthetic works that are scored: 160 from the text generator of the demo
(``copub.demo.synthetictexts``), 40 written by hand. They are stored, not generated, so that a change of the
generator does not change the scores. Nothing rewrites them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from copub.lists.entity import Entity
from copub.lists.taxonomy import FOLDER as TAXONOMIES
from copub.lists.taxonomy import load_taxonomy
from copub.schema import TABLES
from copub.screening import load_watchlist
from copub.screening.index import build_index
from copub.shipped import shipped_names
from copub.technology import classify

HERE = Path(__file__).parent
WORKS, SCORES, HOLDERS = HERE / "works.csv", HERE / "scores.csv", HERE / "holders.csv"
DIGITS = 4


def works() -> pl.DataFrame:
    """Return work_id, title, abstract and topics (ids separated by |, the primary topic first)."""
    return pl.read_csv(WORKS, infer_schema=False)


def scores() -> pl.DataFrame:
    """Return work_id, taxonomy, area and score of the works, over all shipped taxonomies."""
    given = works()
    has_abstract = pl.col("abstract").is_not_null()
    texts = given.drop("topics").with_columns(
        abstract_status=pl.when(has_abstract).then(pl.lit("full")).otherwise(pl.lit("none")),
        language=pl.lit(None, pl.String),
        epoch=pl.lit("unknown"),
    )
    taxonomies = [load_taxonomy(name) for name in shipped_names(TAXONOMIES)]
    found = classify(texts, _topics(given), taxonomies).assignments
    return found.select("work_id", "taxonomy", "area", pl.col("score").round(DIGITS)).sort(
        "work_id", "taxonomy", "area"
    )


def _topics(given: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {"work_id": work, "rank": rank, "topic_id": topic}
        for work, topics in given.select("work_id", "topics").drop_nulls().iter_rows()
        for rank, topic in enumerate(topics.split("|"))
    ]
    schema = TABLES["topics"].schema
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


def holders() -> pl.DataFrame:
    """Return who counts as which entry of which shipped watchlist, with level, dates and descent.

    `entity_id` is the listed institution. Rows without `via_entity` are that institution itself. In the others,
    `via_entity` counts for it, and `descent` is the path of parents from `via_entity` up to the listed institution.
    """
    index = build_index([load_watchlist(name) for name in shipped_names("taxonomies/watchlists")])
    known = {entity.id: entity for entity in index.entities}
    columns = ["watchlist", "entity_id", "risk_level", "via_entity", "valid_from", "valid_to"]
    table = index.holders.select(columns).sort("watchlist", "entity_id", "via_entity", nulls_last=False)
    paths = [_descent(via, entity, known) for via, entity in table.select("via_entity", "entity_id").iter_rows()]
    return table.with_columns(descent=pl.Series(paths, dtype=pl.String))


def _descent(via: str | None, listed: str, known: Mapping[str, Entity]) -> str | None:
    if via is None:
        return None
    path = [via]
    while path[-1] != listed:
        path.append(known[path[-1]].parent)
    return " < ".join(path)


def write() -> None:
    """Write both tables."""
    scores().write_csv(SCORES, float_precision=DIGITS)
    holders().write_csv(HOLDERS)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
