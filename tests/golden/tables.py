"""Frozen behaviour: what the classifier scores, and who holds which watchlist by which descent.

``python -m tests.golden.tables --write`` (from the root of the project) writes both tables anew. Do
so only when a change of model, taxonomy or list is meant, and read the difference before it is
committed.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

import polars as pl

from copub.demo.corpus import build_corpus
from copub.harvest.record import Record
from copub.screening import load_watchlist
from copub.screening.index import build_index
from copub.shipped import shipped_names
from copub.study import load_study
from copub.tables import Tables, tabulate
from copub.technology import classify
from copub.technology.taxonomy import FOLDER as TAXONOMIES
from copub.technology.taxonomy import load_taxonomy

HERE = Path(__file__).parent
SCORES, HOLDERS = HERE / "scores.csv", HERE / "holders.csv"
WORKS = 200
DIGITS = 4


@cache
def works() -> Tables:
    """Return the first 200 synthetic works of the demo's corpus, with abstracts or without."""
    records = [Record(work, str(number), ("golden",)) for number, work in enumerate(build_corpus())]
    tables = tabulate(records, load_study("demo"))
    first = tables.works.sort("work_id").head(WORKS)
    topics = tables.topics.join(first.select("work_id"), on="work_id", how="semi")
    return Tables(first, topics, tables.authorships, tables.affiliations, tables.funnel)


def scores() -> pl.DataFrame:
    """Return work_id, text (a hash of title and abstract), taxonomy, area and score, over all taxonomies."""
    given = works()
    taxonomies = [load_taxonomy(name) for name in shipped_names(TAXONOMIES)]
    found = classify(given.works, given.topics, taxonomies).assignments
    texts = given.works.select("work_id", "title", "abstract").rows()
    hashes = {work: hashlib.sha256(f"{title}\n{abstract}".encode()).hexdigest()[:8] for work, title, abstract in texts}
    return found.select(
        "work_id",
        pl.col("work_id").replace_strict(hashes, return_dtype=pl.String).alias("text"),
        "taxonomy",
        "area",
        pl.col("score").round(DIGITS),
    ).sort("work_id", "taxonomy", "area")


def holders() -> pl.DataFrame:
    """Return for every shipped watchlist each entity that it holds, the one that is named, level and dates."""
    watchlists = [load_watchlist(name) for name in shipped_names("taxonomies/watchlists")]
    index = build_index(watchlists)
    named = pl.DataFrame({"key": range(len(index.entities)), "named": [entity.id for entity in index.entities]})
    return (
        index.holders.join(named.cast({"key": pl.Int32}), on="key")
        .select("watchlist", "entity_id", "named", "risk_level", "via_entity", "valid_from", "valid_to")
        .sort("watchlist", "entity_id", "named", nulls_last=True)
    )


def write() -> None:
    """Write both tables."""
    scores().write_csv(SCORES, float_precision=DIGITS)
    holders().write_csv(HOLDERS)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
