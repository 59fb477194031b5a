"""On real works, names find what OpenAlex links to a listed institution by its own means."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from copub.screening import Watchlist
from copub.screening.index import build_index
from copub.screening.matching import find_mentions


@pytest.mark.real
def test_names_find_the_institutions_that_openalex_links(real_data: Path, all_lists: list[Watchlist]) -> None:
    index = build_index(all_lists)
    entities = {entity.id: entity for entity in index.entities}
    by_id = {identifier: entity.id for entity in index.entities for identifier in entity.openalex}

    def with_ancestors(entity_id: str) -> set[str]:
        return {entity_id, *index.lexicon.ancestors(entities[entity_id])}

    linked = {
        (affiliation["raw_affiliation_string"], by_id[short])
        for work in _works(real_data / "real" / "works_cn_or_be_versions.jsonl.gz")
        for authorship in work.get("authorships") or ()
        for affiliation in authorship.get("affiliations") or ()
        for identifier in affiliation.get("institution_ids") or ()
        if identifier and affiliation["raw_affiliation_string"] and (short := identifier.rsplit("/", 1)[-1]) in by_id
    }
    found = 0
    for text, entity_id in linked:
        named = set().union(*(with_ancestors(m.entity.id) for m in find_mentions(text, index.lexicon)))
        found += not named.isdisjoint(with_ancestors(entity_id))
    assert len(linked) > 300
    assert found / len(linked) > 0.97


def _works(path: Path) -> list[dict]:
    with gzip.open(path) as file:
        return [orjson.loads(line) for line in file]
