"""Candidates for human reading: names that never count by themselves, and near misses. Never counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
from rapidfuzz import fuzz, process

from copub.screening.index import Index, build_index
from copub.screening.lexicon import build_lexicon
from copub.screening.matching import find_mentions
from copub.screening.text import DIVIDER
from copub.screening.watchlist import Watchlist

REVIEW = "review"
"""The tier of candidates."""

CUTOFF = 90.0
"""Similarity (0 to 100, `rapidfuzz.fuzz.ratio` of canonical clauses) from which a candidate is shown."""

_SHORTEST = 8


def candidates(strings: Sequence[str] | pl.Series, watchlists: Sequence[Watchlist]) -> pl.DataFrame:
    """Return entities that a person might see in strings which name none of them.

    Two sources: names that never count by themselves (laboratories, bodies that merged into an
    entity later), and clauses whose canonical form is nearly a name. Columns: value, entity_id,
    entity_name, matched_text, score; sorted.
    """
    index = build_index(watchlists)
    values = pl.Series("value", strings, dtype=pl.String).drop_nulls().unique(maintain_order=True)
    known = set(index.mentions(values).select("value").to_series().to_list())
    silent = build_lexicon(index.entities, silent=True)
    members = {member.entity.id for watchlist in watchlists for member in watchlist.entities}
    rows: dict[tuple[str, str], tuple[str, str, str, str, float]] = {}
    for text in values.to_list():
        for mention in find_mentions(text, silent):
            row = (text, mention.entity.id, mention.entity.name, text[mention.start : mention.end], 100.0)
            rows[text, mention.entity.id] = row
        if text not in known:
            for row in _near(text, index):
                rows.setdefault((row[0], row[1]), row)
    names = ("value", "entity_id", "entity_name", "matched_text")
    frame_schema = pl.Schema({**dict.fromkeys(names, pl.String()), "score": pl.Float64()})
    kept = [row for row in rows.values() if row[1] in members]
    return pl.DataFrame(kept, schema=frame_schema, orient="row").sort("value", "entity_id")


def _near(text: str, index: Index) -> Iterator[tuple[str, str, str, str, float]]:
    reading = index.lexicon.reader.read(text)
    names = _long_names(index)
    for clause in sorted({part for part in reading.text.split(DIVIDER) if len(part) >= _SHORTEST}):
        for name, score, _ in process.extract(clause, names.keys(), scorer=fuzz.ratio, score_cutoff=CUTOFF, limit=3):
            entity_id, entity_name = names[name]
            yield text, entity_id, entity_name, clause, float(score)


def _long_names(index: Index) -> dict[str, tuple[str, str]]:
    return {
        pattern: (meaning.entity.id, meaning.entity.name)
        for pattern, meanings in index.lexicon.patterns.items()
        for meaning in meanings[:1]
        if meaning.entity is not None and len(pattern) >= _SHORTEST and DIVIDER not in pattern
    }
