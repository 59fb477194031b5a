"""Reviewed corrections of institution links, in the form that OpenAlex accepts from its users.

Two sources: decisions of a person who read an affiliation string, and the reviewed corrections of
``taxonomies/watchlists/registry/patches.csv``. copub sends nothing: a person submits the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from copub.corpus.repairs import patches
from copub.lists.watchlist import registry
from copub.report.facts import Facts

Curation = tuple[str, str, str]
"""String, action (add | remove), OpenAlex id of the institution."""

FALSE = "false institution"
"""Kind of repair that corrects a link; the others correct a country, which OpenAlex takes from the institution."""
_PLACE = ["work_id", "author_seq", "affiliation_seq"]


def curations(facts: Facts) -> bytes:
    """Return one curation per line as JSON, sorted; nothing for a synthetic study, whose strings nobody printed."""
    if facts.synthetic:
        return b""
    found = sorted({*_decided(facts), *_false_links(facts)})
    return "".join(f"{json.dumps(_form(one), ensure_ascii=False)}\n" for one in found).encode("utf-8")


def _form(curation: Curation) -> Mapping[str, Any]:
    text, action, institution = curation
    return {
        "entity": "ras",
        "entity_id": text,
        "property": "institution_ids",
        "action": action,
        "value": institution,
    }


def _decided(facts: Facts) -> Iterator[Curation]:
    """Yield what decisions say: a link that is missing, or one that is wrong.

    An entity that has no OpenAlex id, or several, gives no link to add: a person chooses.
    """
    ids = {entity.id: entity.openalex for entity in registry()}
    rows = facts.table("affiliations").select("raw_affiliation_string", "institution_id").drop_nulls()
    linked: dict[str, set[str]] = {}
    for text, institution in rows.iter_rows():
        linked.setdefault(text, set()).add(institution)
    strings = set(facts.table("affiliations")["raw_affiliation_string"].drop_nulls())
    for decision in facts.entries("decisions"):
        text, known = decision["value"], ids.get(decision["entity_id"], ())
        there = linked.get(text, set())
        if text not in strings:
            continue
        if decision["decision"] == "no":
            yield from ((text, "remove", one) for one in known if one in there)
        elif len(known) == 1 and known[0] not in there:
            yield text, "add", known[0]


def _false_links(facts: Facts) -> Iterator[Curation]:
    """Yield the links to institutions that the reviewed corrections name as false for their string."""
    ids = {patch.institution_name: patch.institution_id for patch in patches() if patch.institution_id}
    repairs = facts.table("repairs").filter(pl.col("kind") == FALSE).select(*_PLACE, "before")
    rows = facts.table("affiliations").select(*_PLACE, "raw_affiliation_string").drop_nulls()
    for text, name in repairs.join(rows, on=_PLACE).select("raw_affiliation_string", "before").unique().iter_rows():
        if name in ids:
            yield text, "remove", ids[name]
