"""SYNTHETIC worlds for the tests of the report: invented institutions, invented works, seeded.

`world(n)` gives every table of the schema and a manifest, consistent with each other. Nothing in
it names a real institution, person or work.
"""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from report_counts import (  # loaded by conftest from counts.py beside this file
    AREAS,
    COUNTED,
    ENTITIES,
    PLAIN_B,
    SIDE_A,
    TAXONOMY,
    WATCHLIST,
    periods,
    sensitivity,
    shares,
    trends,
)

from copub.schema import TABLES, conform, empty

DEEPER = Path(__file__).with_name("deeper.toml")  # rows of the tables below the first answer


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Frame of the schema's table `name`; keys that a row does not name are null."""
    schema = TABLES[name].schema
    full = [{column: row.get(column) for column in schema} for row in rows]
    return conform(name, pl.DataFrame(full, schema=schema)) if rows else empty(name)


def _work(rng: random.Random, number: int, years: tuple[int, int]) -> dict[str, Any]:
    year = rng.choices(range(years[0], years[1] + 1), weights=range(1, years[1] - years[0] + 2))[0]
    entity = rng.choices([*ENTITIES, None], weights=[3, 2, 4, 3, 2, 18])[0]
    areas = sorted(rng.sample(AREAS, rng.choice([1, 1, 1, 2]))) if rng.random() < 0.3 else []
    level = entity[2] if entity else None
    listed = level in COUNTED
    band = "none" if entity is None else "counted" if listed else "unrated" if level == "unrated" else "lower level"
    authors = rng.randint(2, 12)
    return {
        "work_id": f"W90000{number:05}",
        "doi": f"10.5555/mock.{number}",
        "title": f"An invented study number {number} of {'devices' if areas else 'letters'}",
        "publication_year": year,
        "publication_date": dt.date(year, rng.randint(1, 12), 5),
        "type": "article",
        "language": "en",
        "source_name": "Journal of Inventions",
        "publisher": "Mock Press",
        "n_authors": authors,
        "n_countries": rng.choice([2, 2, 3]),
        "n_authors_a": 1,
        "n_authors_b": 1,
        "weight": round(2 / authors, 6),
        "weight_countries": 0.5,
        "listed_fraction": 0.5 if listed else 0.0,
        "is_bilateral": True,
        "is_dual_only": False,
        "is_truncated": False,
        "is_retracted": False,
        "abstract_status": rng.choice(["full", "full", "none"]),
        "has_institution": rng.random() < 0.8,
        "has_affiliation": True,
        "classified_from": "title and abstract",
        "classifiable": True,
        "is_critical": bool(areas),
        "max_score": 0.9 if areas else 0.1,
        "areas": areas,
        "is_listed": listed,
        "listing_category": band,
        "max_risk_level": level,
        "entities": [entity[0]] if entity else [],
        "watchlists": [WATCHLIST] if entity else [],
        "tiers": [rng.choice(["identifier", "name"])] if listed else [],
        "is_critical_listed": bool(areas) and listed,
        "is_top_level": bool(areas) and level == "very high",
        "duplicate_of": None,
        "review_status": "unreviewed",
        "epoch": "unknown",
        "_entity": entity,
        "_a": rng.choice(SIDE_A),
        "_b": rng.choice(PLAIN_B),
    }


def _partners(works: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    tally: dict[tuple[str, str, str], Counter[str]] = {}
    pairs: dict[tuple[str, str, str, str], Counter[str]] = {}
    level_of = {name: level for _, name, level in ENTITIES}
    for w in works:
        partners = (
            [w["_b"]] if w["_entity"] is None else [(f"I90000002{ENTITIES.index(w['_entity']):02}", w["_entity"][1])]
        )
        flags = {
            "works": 1,
            "critical": w["is_critical"],
            "listed": w["is_listed"],
            "critical_listed": w["is_critical_listed"],
        }
        for side, (iid, name) in (("a", w["_a"]), *(("b", b) for b in partners)):
            tally.setdefault((side, iid, name), Counter()).update(flags)
        for b in partners:
            pairs.setdefault((*w["_a"], *b), Counter()).update(flags)
    institutions = [
        {
            "side": side,
            "institution_id": iid,
            "institution_name": name,
            "country_code": "BE" if side == "a" else "CN",
            "works_fractional": c["works"] / 2,
            "entity_id": next((e[0] for e in ENTITIES if e[1] == name), None),
            "risk_level": level_of.get(name),
            "is_small": c["works"] < 5,
            **{key: c[key] for key in ("works", "critical", "listed", "critical_listed")},
        }
        for (side, iid, name), c in tally.items()
    ]
    rows = [
        {
            "institution_a": a,
            "institution_a_id": aid,
            "institution_b": b,
            "institution_b_id": bid,
            "works": c["works"],
            "critical": c["critical"],
            "critical_listed": c["critical_listed"],
            "risk_level": level_of.get(b),
            "is_small": c["works"] < 5,
        }
        for (aid, a, bid, b), c in pairs.items()
    ]
    return institutions, rows


def _hit(w: dict[str, Any], seq: int, raw: str, printed: str) -> dict[str, Any]:
    entity_id, entity_name, level = w["_entity"]
    return {
        "work_id": w["work_id"],
        "author_seq": seq,
        "affiliation_seq": 0,
        "watchlist": WATCHLIST,
        "edition": "2020 (SYNTHETIC)",
        "entity_id": entity_id,
        "entity_name": entity_name,
        "risk_level": level,
        "category": "civilian",
        "is_medical": False,
        "entity_country": "CN",
        "tier": (w["tiers"] or ["name"])[0],
        "field": "raw_affiliation_string",
        "value": raw,
        "matched_text": printed,
        "matched_start": 24,
        "matched_end": 24 + len(printed),
        "rule": printed,
        "via_entity": None,
        "not_counted_because": None,
        "is_counted": True,
    }


def _evidence(works: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    hits, assignments, affiliations, authorships = [], [], [], []
    for w in works:
        wid = w["work_id"]
        for seq, (iid, name), code in ((0, w["_a"], "BE"), (1, w["_b"], "CN")):
            entity = w["_entity"] if seq else None
            printed = entity[1] if entity else name
            iid = f"I90000002{ENTITIES.index(entity):02}" if entity else iid
            raw = f"School of Mock Studies, {printed}, 100 Invented Road, reader@example.org"
            authorships.append(
                {
                    "work_id": wid,
                    "author_seq": seq,
                    "author_name": f"Mock Author {seq}",
                    "author_position": "first" if seq == 0 else "last",
                    "countries": [code],
                    "countries_repaired": [code],
                }
            )
            affiliations.append(
                {
                    "work_id": wid,
                    "author_seq": seq,
                    "affiliation_seq": 0,
                    "institution_id": iid,
                    "institution_name": printed,
                    "country_code": code,
                    "country_code_repaired": code,
                    "is_false_institution": False,
                    "raw_affiliation_string": raw,
                    "lineage": [iid],
                }
            )
            if entity:
                hits.append(_hit(w, seq, raw, printed))
        for area in w["areas"]:
            assignments.append(
                {
                    "work_id": wid,
                    "taxonomy": TAXONOMY,
                    "area": area,
                    "technology": "Mock devices",
                    "score": 0.91,
                    "threshold": 0.5,
                    "assigned": True,
                    "method": "rules+model",
                    "matched_title": ["devices"],
                    "matched_abstract": ["mock gate"],
                    "ngrams": ["mock gate"],
                    "topic_id": None,
                    "evidence": "title names “devices”; model 0.91 ≥ 0.50",
                }
            )
    return {"hits": hits, "assignments": assignments, "affiliations": affiliations, "authorships": authorships}


def _coverage(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    n = len(works)
    none = sum(w["abstract_status"] == "none" for w in works)
    return [
        {
            "metric": metric,
            "slice_kind": "all",
            "slice": "all",
            "count": count,
            "of": n,
            "share": count / n if n else None,
            "note": "",
        }
        for metric, count in (("records read", n), ("works without abstract", none))
    ]


def manifest(n: int, years: tuple[int, int], *, synthetic: bool = True, language: str = "en") -> dict[str, Any]:
    """Manifest of a synthetic run over `n` works."""
    return {
        "run_id": "2026-11-21-mock",
        "created": "2026-11-21T20:00:00Z",
        "copub_version": "0.1.0",
        "study": {
            "id": "mock",
            "title": "A mock study",
            "question": "How large is an invented share?",
            "synthetic": synthetic,
            "hash": "ab" * 32,
            "side_a": {"name": "Belgium", "countries": ["BE"]},
            "side_b": {"name": "China", "countries": ["CN"]},
            "years": list(years),
            "taxonomy": TAXONOMY,
            "watchlists": [WATCHLIST],
            "levels": list(COUNTED),
            "top_level": "very high",
            "counting": "full",
            "apply_repairs": True,
            "confidence": 0.95,
            "language": language,
            "events": [{"date": "2024-01", "label": "A mock event"}],
            "pairs": pairs_of_panel(),
            "reference": "BE-CN",
        },
        "pair_runs": [{"pair": "BE-CN", "study": "mock-be-cn", "run": "20261121-200000-abcdef12"}],
        "source": {"kind": "works-files", "files": [{"name": "mock.jsonl", "sha256": "cd" * 32, "records": n}]},
        "funnel": [{"step": "records read", "count": n, "note": ""}, {"step": "in the study", "count": n, "note": ""}],
        "epochs": ["unknown"],
        "taxonomies": [
            {
                "id": TAXONOMY,
                "title": "A mock taxonomy",
                "date": "2023-10-03",
                "source": "mock",
                "verification": "checked",
                "hash": "12" * 32,
                "areas": {"EU-02-AI": "Artificial intelligence"},
            }
        ],
        "watchlists": [
            {
                "id": WATCHLIST,
                "title": "SYNTHETIC list",
                "authority": "nobody",
                "edition": "2020",
                "kind": "assessment",
                "retrieved": "2026-01-01",
                "completeness": "complete",
                "hash": "34" * 32,
            }
        ],
        "models": [{"id": TAXONOMY, "hash": "56" * 32}],
        "true_values": [{"measure": "critical_listed", "true_value": 0.12, "measured": 0.117}],
        "stages": [{"stage": "measure", "seconds": 0.5, "peak_mb": 120.0}],
        "tables": {"works": {"rows": n, "sha256": "78" * 32}},
        "versions": {"polars": "2.1.0"},
        "command": "copub run mock",
        "warnings": [],
    }


PAIRS = {"AT": "Austria", "BE": "Belgium", "DE": "Germany", "FR": "France", "LU": "Luxembourg", "MT": "Malta"}
"""Side A of the pairs of the panel."""


def pairs_of_panel() -> list[dict[str, Any]]:
    """Return the pairs as the manifest has them."""
    other = {"name": "China", "countries": ["CN"]}
    return [{"side_a": {"name": name, "countries": [code]}, "side_b": other} for code, name in PAIRS.items()]


def panel(members: int = len(PAIRS)) -> dict[str, list[dict[str, Any]]]:
    """Return rows of the tables of a panel: invented figures, one pair of few works, one without any."""
    rows, spans = [], []
    for place, code in enumerate(list(PAIRS)[:members]):
        of = (4000, 900, 20_000, 8000, 12, 0)[place]
        for measure in ("critical", "listed", "critical_listed", "top_level"):
            count = round(of * (0.3, 0.1, 0.05, 0.02)[len(measure) % 4])
            share = count / of if of else None
            ends = {
                f"{name}{end}": None if share is None else share + shift
                for name in ("difference", "reference_difference", "standardised", "adjusted")
                for end, shift in (("", 0.0), ("_low", -0.01), ("_high", 0.02))
            }
            known = share is not None
            rows.append({
                "pair": f"{code}-CN", "side_a": code, "side_b": "CN", "is_covered": True, "measure": measure,
                "counting": "full",
                "numerator": count, "denominator": of, "share": share, "ci_low": share and share * 0.9,
                "ci_high": share and min(share * 1.2, 1.0), **ends, "rank": place + 1.0 if known else None,
                "rank_low": 1.0 if known else None, "rank_high": 5.0 if known else None, "ratio": 1.5, "ratio_low": 1.1,
                "ratio_high": 2.0, "pairs": members, "comparisons": members * (members - 1) // 2, "confidence": 0.95,
                "reference": "BE-CN", "is_small": of < 25,
            })  # fmt: skip
        for first in range(2010, 2026, 4):
            spans.append({
                "pair": f"{code}-CN", "measure": "critical_listed", "counting": "full", "year_from": first,
                "year_to": first + 3, "numerator": of / 40, "denominator": of / 4, "share": 0.1 if of else None,
                "ci_low": 0.08 if of else None, "ci_high": 0.13 if of else None, "is_small": of < 25,
                "is_recent": first == 2022,
            })  # fmt: skip
    changes = [
        {
            "date": "2024-01", "label": "A mock event", "pair": f"{code}-CN", "measure": "critical_listed",
            "before_count": 12, "before_works": 200, "after_count": 9, "after_works": 220,
            "before_share": 0.06, "after_share": 0.04, "change": -0.02,
            "rest_change": 0.01, "difference": -0.03 + 0.01 * place, "low": -0.08, "high": 0.02, "scatter": 0.01,
            "placebo_dates": 8, "placebo_beyond": place, "confidence": 0.95, "is_small": place == 4,
        }
        for place, code in enumerate(list(PAIRS)[:5])
    ]  # fmt: skip
    return {"panel": rows, "panel_periods": spans, "panel_events": changes}


def world(
    n: int = 400, *, seed: int = 7, years: tuple[int, int] = (2010, 2025), **options: Any
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Return (tables, manifest) of a synthetic run over `n` works."""
    rng = random.Random(seed)
    works = [_work(rng, number, years) for number in range(n)]
    institutions, pairs = _partners(works)
    rows = {
        "copublications": works,
        "works": works,
        "shares": shares(works),
        "trends": trends(works),
        "periods": periods(works),
        "institutions": institutions,
        "pairs": pairs,
        "coverage": _coverage(works),
        "sensitivity": sensitivity(works),
        **_evidence(works),
        **(panel() if works else {}),
        **(tomllib.loads(DEEPER.read_text(encoding="utf-8")) if works else {}),
    }
    tables = {name: table(name, rows.get(name, [])) for name in TABLES}
    return tables, manifest(n, years, **options)


def large(copies: int = 10, n: int = 6_000) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Return a run over `copies` x `n` works: works and their evidence repeated under new ids and titles."""
    tables, facts = world(n)
    for name, frame in tables.items():
        if "work_id" in frame.columns:
            parts = [frame.with_columns(pl.col("work_id") + f"{copy}") for copy in range(copies)]
            tables[name] = conform(name, pl.concat(parts))
    return tables, facts
