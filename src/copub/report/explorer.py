"""The listed critical works with their evidence, as compact data for the page's table of works.

Repeated texts are once in lists and are named by position, so that thousands of works stay small.
All values are data: the page writes them as text only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from copub.report.facts import Facts, Row
from copub.report.workevidence import (
    CONTEXT,
    TITLE,
    Evidence,
    critical_listed,
    cut,
    doi_of,
    evidence_of,
    snippet,
    terms_of,
)


class _Names:
    """Texts by position, each once, in the order of their first use."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))


def explorer_data(facts: Facts) -> dict[str, Any]:
    """Return the works table as plain lists.

    Keys: `areas`, `entities` (name, level), `institutions` (side A), `lists`, `levels`, `tiers`,
    `fields`, `snippets` (before, matched, after) and `works`, one list each: year, title, DOI,
    areas, entities, side-A institutions, level (0 = strongest), tiers, reasons, hits, further hits.
    """
    works = critical_listed(facts)
    names = {
        key: _Names() for key in ("areas", "entities", "institutions", "lists", "levels", "tiers", "fields", "snippets")
    }
    _sorted_first(names["areas"], works["areas"].explode().drop_nulls().unique())
    evidence = evidence_of(facts, works)
    _sorted_first(names["institutions"], {name for group in evidence.institutions.values() for name in group})
    _sorted_first(names["entities"], {_entity(hit) for group in evidence.hits.values() for hit in group})
    for level in sorted({level or "" for level in works["max_risk_level"]}, key=facts.by_level):
        names["levels"].place(level)
    rows = [_work(facts, row, names, evidence) for row in works.iter_rows(named=True)]
    data: dict[str, Any] = {key: list(entry.places) for key, entry in names.items()}
    data["areas"] = [facts.area(area) for area in data["areas"]]
    data["entities"] = [(name, facts.level(level)) for name, level in data["entities"]]
    data["levels"] = [facts.level(level) for level in data["levels"]]
    data["tiers"] = [facts.words.name("tier", tier) for tier in data["tiers"]]
    data["fields"] = [facts.words.name("evidence", f"field_{field}") for field in data["fields"]]
    return data | {"works": rows}


def as_script(data: Any) -> str:
    """Return JSON that can be inside a script element: no sign in it can close or open a tag."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _sorted_first(names: _Names, values: Iterable[Any]) -> None:
    for value in sorted(values):
        names.place(value)


def _entity(hit: Row) -> tuple[str, str]:
    return hit["entity_name"] or hit["entity_id"], hit["risk_level"] or ""


def _work(facts: Facts, row: Row, names: dict[str, _Names], evidence: Evidence) -> list[Any]:
    wid = row["work_id"]
    found = evidence.hits.get(wid, [])
    entities = [names["entities"].place(_entity(hit)) for hit in found]
    return [
        row["publication_year"],
        cut(row["title"] or "", TITLE),
        doi_of(row["doi"]),
        [names["areas"].place(area) for area in row["areas"] or ()],
        list(dict.fromkeys(entities)),
        [names["institutions"].place(name) for name in evidence.institutions.get(wid, ())],
        names["levels"].place(row["max_risk_level"] or ""),
        [names["tiers"].place(tier) for tier in row["tiers"] or ()],
        [_reason(facts, reason, names) for reason in evidence.reasons.get(wid, ())],
        [_hit(facts, hit, names) for hit in found],
        evidence.more.get(wid, 0),
    ]


def _reason(facts: Facts, row: Row, names: dict[str, _Names]) -> list[Any]:
    score, threshold = (facts.words.number(row[key], 2) for key in ("score", "threshold"))
    return [
        names["areas"].place(row["area"]),
        cut(row["technology"] or "", CONTEXT),
        facts.words.say("evidence.score", score=score, threshold=threshold),
        facts.words.value(row["method"] or ""),
        *(terms_of(row[key]) for key in ("matched_title", "matched_abstract", "ngrams")),
    ]


def _hit(facts: Facts, row: Row, names: dict[str, _Names]) -> list[Any]:
    listing = (
        f"{row['watchlist']}, {facts.words.say('label.edition')} {row['edition']}"
        if row["edition"]
        else row["watchlist"]
    )
    return [
        names["entities"].place(_entity(row)),
        names["lists"].place(listing),
        names["tiers"].place(row["tier"]),
        names["fields"].place(row["field"]),
        names["snippets"].place(snippet(facts, row)),
        cut(row["rule"] or "", CONTEXT),
        cut(row["via_entity"] or "", CONTEXT),
    ]
