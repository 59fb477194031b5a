"""Works written out with their evidence, for pages that are printed and filed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from copub.report.facts import Facts, Row
from copub.report.workevidence import TITLE, Evidence, cut, doi_of, snippet, terms_of


def paper_of(facts: Facts, row: Row, evidence: Evidence) -> dict[str, Any]:
    """Return one row of `copublications` as the template writes it: title, link, reasons, hits."""
    doi = doi_of(row["doi"])
    return {
        "title": cut(row["title"] or "", TITLE),
        "year": row["publication_year"] or facts.words.missing,
        "work_id": row["work_id"],
        "doi": doi,
        "link": "https://doi.org/" + quote(doi, safe="/"),
        "reasons": [_reason(facts, reason) for reason in evidence.reasons.get(row["work_id"], ())],
        "hits": [_hit(facts, hit) for hit in evidence.hits.get(row["work_id"], ())],
    }


def _reason(facts: Facts, row: Row) -> dict[str, Any]:
    say = facts.words.say
    terms = [
        (say("evidence.title_terms"), terms_of(row["matched_title"])),
        (say("evidence.abstract_terms"), terms_of(row["matched_abstract"])),
    ]
    score = say("evidence.score", **{key: facts.words.number(row[key], 2) for key in ("score", "threshold")})
    return {
        "area": facts.area(row["area"]),
        "technology": row["technology"] or "",
        "terms": [(where, words) for where, words in terms if words],
        "ngrams": ", ".join(terms_of(row["ngrams"])),
        "score": score,
    }


def _hit(facts: Facts, row: Row) -> dict[str, str]:
    words = facts.words
    before, matched, after = snippet(facts, row)
    field = words.name("evidence", f"field_{row['field']}")
    how = f"{words.name('tier', row['tier'])}, {words.say('evidence.matched')} {field}"
    return {
        "entity": row["entity_name"] or row["entity_id"],
        "level": facts.level(row["risk_level"]),
        "how": how,
        "before": before,
        "matched": matched,
        "after": after,
        "list": f"{row['watchlist']}, {words.say('label.edition')} {row['edition'] or words.missing}",
    }
