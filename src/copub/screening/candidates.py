"""Candidates for human reading: names that never count by themselves, and near misses. Never counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
from rapidfuzz import fuzz, process

from copub.addresses.affiliationtext import DIVIDER
from copub.lists.watchlist import Watchlist
from copub.progress import bar
from copub.screening.compilednames import build_lexicon
from copub.screening.index import Index, build_index
from copub.screening.matching import find_mentions

REVIEW = "review"
"""The tier of candidates."""

CUTOFF = 90.0
"""Similarity (0 to 100, `rapidfuzz.fuzz.ratio` of canonical clauses) from which a candidate is shown."""

_SHORTEST = 8
_MOST = 3

Near = tuple[str, str, str, float]
"""entity_id, name of the entity, clause, similarity."""


def candidates(strings: Sequence[str] | pl.Series, watchlists: Sequence[Watchlist]) -> pl.DataFrame:
    """Return entities that a person might see in strings which name none of them.

    Two sources: names that never count by themselves (laboratories, bodies that merged into an
    entity later), and clauses whose canonical form is nearly a name. Columns: value, entity_id,
    entity_name, matched_text, score; sorted.
    """
    index = build_index(watchlists)
    values = pl.Series("value", strings, dtype=pl.String).drop_nulls().unique(maintain_order=True)
    known = set(index.mentions(values)["value"].to_list())
    silent = build_lexicon(index.entities, silent=True)
    members = {member.entity.id for watchlist in watchlists for member in watchlist.entities}
    names = _long_names(index)
    clauses: dict[str, list[Near]] = {}
    rows: dict[tuple[str, str], tuple[str, str, str, str, float]] = {}
    for text in bar(values.to_list(), label="look for near misses", unit="strings"):
        for mention in find_mentions(text, silent):
            found = text[mention.start : mention.end]
            rows[text, mention.entity.id] = (text, mention.entity.id, mention.entity.name, found, 100.0)
        if text in known:
            continue
        for entity_id, entity_name, clause, score in _near(text, index, names, clauses):
            rows.setdefault((text, entity_id), (text, entity_id, entity_name, clause, score))
    columns = ("value", "entity_id", "entity_name", "matched_text")
    frame_schema = pl.Schema({**dict.fromkeys(columns, pl.String()), "score": pl.Float64()})
    kept = [row for row in rows.values() if row[1] in members]
    return pl.DataFrame(kept, schema=frame_schema, orient="row").sort("value", "entity_id")


def _near(
    text: str, index: Index, names: Mapping[str, tuple[str, str]], clauses: dict[str, list[Near]]
) -> Iterator[Near]:
    """Yield what the clauses of a string nearly name; each distinct clause is compared once."""
    reading = index.lexicon.reader.read(text)
    for clause in sorted({part for part in reading.text.split(DIVIDER) if len(part) >= _SHORTEST}):
        if clause in index.lexicon.patterns:  # a name or a look-alike, already decided
            continue
        if clause not in clauses:
            near = process.extract(clause, names.keys(), scorer=fuzz.ratio, score_cutoff=CUTOFF, limit=_MOST)
            clauses[clause] = [(*names[name], clause, float(score)) for name, score, _ in near]
        yield from clauses[clause]


def _long_names(index: Index) -> dict[str, tuple[str, str]]:
    return {
        pattern: (meaning.entity.id, meaning.entity.name)
        for pattern, meanings in index.lexicon.patterns.items()
        for meaning in meanings[:1]
        if meaning.entity is not None and len(pattern) >= _SHORTEST and DIVIDER not in pattern
    }
