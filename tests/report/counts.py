"""SYNTHETIC: what a synthetic world holds, and its shares, trends and sensitivity, counted in plain Python."""

from __future__ import annotations

import math
from typing import Any

AREAS = ("EU-01-SEMICONDUCTORS", "EU-02-AI", "EU-03-QUANTUM", "EU-08-ENERGY", "EU-10-MATERIALS-MANUFACTURING")
SIDE_A = tuple(
    (f"I90000001{i:02}", f"Université Inventée {name}")
    for i, name in enumerate(["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir"])
)
ENTITIES = (
    ("mock-aerospace-university", "Mock University of Aerospace", "very high"),
    ("invented-institute-of-technology", "Invented Institute of Technology", "very high"),
    ("fancy-polytechnic", "Fancy Polytechnic", "high"),
    ("synthetic-university", "Made-Up University of Sciences", "medium"),
    ("nowhere-college", "Nowhere College", "unrated"),
)
PLAIN_B = (("I9000000300", "Imaginary Normal University"), ("I9000000301", "Fictional Academy of Letters"))
COUNTED = ("very high", "high")
WATCHLIST = "demo-list"
TAXONOMY = "eu-2023-2113"
LEVEL_OF = {
    "listed": "very high+high",
    "critical_listed": "very high+high",
    "top_level": "very high",
    "top_level_given_critical_listed": "very high",
    "critical_listed_lower": "medium",
    "critical_listed_unrated": "unrated",
}
COUNTINGS = ("full", "fractional-authors", "fractional-countries")


def wilson(k: float, n: float, z: float = 1.959964) -> tuple[float | None, float | None]:
    """Wilson interval of k of n; (None, None) over an empty denominator."""
    if n <= 0:
        return None, None
    p = k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


MEASURES = {
    "critical": lambda w: w["is_critical"],
    "listed": lambda w: w["is_listed"],
    "critical_listed": lambda w: w["is_critical_listed"],
    "critical_listed_lower": lambda w: w["is_critical"] and w["listing_category"] == "lower level",
    "critical_listed_unrated": lambda w: w["is_critical"] and w["listing_category"] == "unrated",
}


def _weight(work: dict[str, Any], counting: str) -> float:
    return {"full": 1.0, "fractional-authors": work["weight"], "fractional-countries": work["weight_countries"]}[
        counting
    ]


def _share(measure: str, counting: str, kind: str, value: str, k: float, n: float) -> dict[str, Any]:
    low, high = wilson(k, n)
    return {
        "measure": measure,
        "taxonomy": TAXONOMY,
        "watchlist": WATCHLIST,
        "risk_level": LEVEL_OF.get(measure, ""),
        "slice_kind": kind,
        "slice": value,
        "counting": counting,
        "numerator": k,
        "denominator": n,
        "share": k / n if n else None,
        "ci_low": low,
        "ci_high": high,
        "interval": "wilson" if n else "none",
        "confidence": 0.95,
        "is_small": k < 5,
    }


def shares(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    slices: list[tuple[str, str, list[dict[str, Any]]]] = [("all", "all", works)]
    for year in sorted({w["publication_year"] for w in works}):
        slices.append(("year", str(year), [w for w in works if w["publication_year"] == year]))
    slices += [("institution_a", a[1], [w for w in works if w["_a"] == a]) for a in SIDE_A]
    slices.append(("abstract", "title only", [w for w in works if w["abstract_status"] == "none"]))
    rows = []
    for kind, value, part in slices:
        for counting in COUNTINGS:
            n = sum(_weight(w, counting) for w in part)
            for measure, test in MEASURES.items():
                k = sum(_weight(w, counting) for w in part if test(w))
                rows.append(_share(measure, counting, kind, value, k, n))
            both = sum(_weight(w, counting) for w in part if w["is_critical_listed"])
            top = sum(_weight(w, counting) for w in part if w["is_top_level"])
            rows.append(_share("top_level", counting, kind, value, top, n))
            rows.append(_share("top_level_given_critical_listed", counting, kind, value, top, both))
    for area in AREAS:
        for measure in ("critical", "critical_listed"):
            for counting in COUNTINGS:
                k = sum(_weight(w, counting) for w in works if area in w["areas"] and MEASURES[measure](w))
                rows.append(_share(measure, counting, "area", area, k, sum(_weight(w, counting) for w in works)))
    return rows


def trends(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    tests = {"copublications": lambda w: True, "top_level": lambda w: w["is_top_level"], **MEASURES}
    for year in sorted({w["publication_year"] for w in works}):
        part = [w for w in works if w["publication_year"] == year]
        for counting in COUNTINGS:
            n = sum(_weight(w, counting) for w in part)
            for measure in ("copublications", "critical", "listed", "critical_listed", "top_level"):
                k = sum(_weight(w, counting) for w in part if tests[measure](w))
                low, high = wilson(k, n)
                rows.append(
                    {
                        "measure": measure,
                        "counting": counting,
                        "year": year,
                        "count": k,
                        "share": k / n,
                        "ci_low": low,
                        "ci_high": high,
                        "index": 100.0,
                        "base_year": 2010,
                        "is_small": len(part) < 25,
                        "with_abstract": sum(w["abstract_status"] == "full" for w in part) / len(part),
                        "with_institution": sum(w["has_institution"] for w in part) / len(part),
                        "is_recent": year >= 2024,
                    }
                )
    return rows


def sensitivity(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    n, k = float(len(works)), float(sum(w["is_critical_listed"] for w in works))
    rows = []
    for switch, setting, factor in (
        ("base", "the study as it is", 1.0),
        ("medical", "without", 0.8),
        ("author cap", "100", 0.95),
        ("levels", "very high", 0.4),
        ("levels", "all", 1.6),
        ("counting", "fractional-authors", 0.9),
    ):
        low, high = wilson(min(n, k * factor), n)
        share = k * factor / n if n else None
        rows.append(
            {
                "switch": switch,
                "setting": setting,
                "numerator": k * factor,
                "denominator": n,
                "share": share,
                "ci_low": low,
                "ci_high": high,
                "difference": share - k / n if n else None,
                "difference_low": share - k / n - 0.01 if n else None,
                "difference_high": share - k / n + 0.01 if n else None,
                "gained": int(max(0, k * factor - k)),
                "lost": int(max(0, k - k * factor)),
                "entered": 0,
                "left": 0,
                "is_small": n < 25,
                "is_defensible": setting != "all",
            }
        )
    return rows


def periods(works: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each year as a period of its own."""
    return [
        {
            **{key: row[key] for key in ("measure", "counting", "share", "ci_low", "ci_high", "is_small", "is_recent")},
            "year_from": row["year"],
            "year_to": row["year"],
            "numerator": row["count"],
            "denominator": row["count"] / row["share"] if row["share"] else 0.0,
        }
        for row in trends(works)
        if row["measure"] != "copublications"
    ]
