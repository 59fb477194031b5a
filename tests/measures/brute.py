"""Every measure once more, in plain Python over dicts, from the definitions in docs/method.md.

Nothing here is shared with `copub.measures`: no import of it, no polars.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

SIDE_A, SIDE_B = {"BE"}, {"CN", "HK"}
Row = dict[str, Any]


def countries_of(author: Row) -> set[str]:
    return {a["country"] for a in author["affiliations"] if a["country"]} | set(author["parsed"])


def weight_of(people: list[set[str]], sides: set[str]) -> float:
    """Return the mean over authors with a known country of the share of their countries on a side."""
    parts = [len(p & sides) / len(p) for p in people if p]
    return sum(parts) / len(parts) if parts else 0.0


def weight_of_countries(people: list[set[str]], sides: set[str]) -> float:
    every: set[str] = set().union(*people)
    return len(every & sides) / len(every) if every else 0.0


def flags(
    work: Row,
    *,
    entities: Mapping[str, tuple[str, str, bool, str]],
    watchlists: Iterable[str] = ("list-one",),
    levels: Iterable[str] = ("very high", "high"),
    top: str = "very high",
    taxonomy: str = "tax-one",
    threshold: float = 0.5,
    order: tuple[str, ...] = ("very high", "high", "medium", "low", "unrated"),
) -> Row:
    """Return the flags, weights and numbers of one work."""
    people = [countries_of(a) for a in work["authors"]]
    every = set().union(*people)
    on_a, on_b = [bool(p & SIDE_A) for p in people], [bool(p & SIDE_B) for p in people]
    areas = sorted({area for t, area, score in work["assignments"] if t == taxonomy and score >= threshold})
    counted = [
        (entities[e], tier)
        for author in work["authors"]
        for affiliation in author["affiliations"]
        for e, tier, _, _, ok in affiliation["hits"]
        if ok and tier != "review" and entities[e][0] in watchlists and entities[e][3] in SIDE_B
    ]
    listing = [entity[1] for entity, _ in counted]
    own = []  # of each author with a known country: the part of the affiliations that name a listed institution
    for author, countries in zip(work["authors"], people, strict=True):
        named = [
            any(
                ok and tier != "review" and entities[e][0] in watchlists and entities[e][3] in SIDE_B
                and entities[e][1] in levels
                for e, tier, _, _, ok in affiliation["hits"]
            )
            for affiliation in author["affiliations"]
        ]  # fmt: skip
        own += [sum(named) / len(named) if named else 0.0] if countries else []
    listed = any(level in levels for level in listing)
    known = [level for level in listing if level in order]
    side_b = [a for a, b in zip(work["authors"], on_b, strict=True) if b]
    return {
        "n_authors_a": sum(on_a),
        "n_authors_b": sum(on_b),
        "weight": weight_of(people, SIDE_A | SIDE_B),
        "weight_countries": weight_of_countries(people, SIDE_A | SIDE_B),
        "listed_fraction": sum(own) / len(own) if own else 0.0,
        "is_bilateral": every <= SIDE_A | SIDE_B,
        "is_dual_only": any(
            sum(side) == 1 and people[side.index(True)] & SIDE_A and people[side.index(True)] & SIDE_B
            for side in (on_a, on_b)
        ),
        "has_institution": all(any(x["id"] for x in a["affiliations"]) for a in side_b),
        "has_affiliation": all(any(x["id"] or x["raw"] for x in a["affiliations"]) for a in side_b),
        "is_critical": bool(areas),
        "areas": areas,
        "is_listed": listed,
        "listing_category": "counted"
        if listed
        else "none"
        if not listing
        else "unrated"
        if set(listing) == {"unrated"}
        else "lower level",
        "max_risk_level": min(known, key=order.index) if known else None,
        "is_critical_listed": bool(areas) and listed,
        "is_top_level": bool(areas) and top in listing and top in levels,
    }


def wilson(k: float, n: float, z: float = 1.959963984540054) -> tuple[float, float] | tuple[None, None]:
    """Solve |p - k/n| = z sqrt(p(1-p)/n) for p."""
    if n == 0:
        return None, None
    a, b, c = 1 + z * z / n, -(2 * k / n + z * z / n), (k / n) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


WEIGHT: dict[str, Callable[[Row], float]] = {
    "full": lambda f: 1.0,
    "fractional-authors": lambda f: f["weight"],
    "fractional-countries": lambda f: f["weight_countries"],
}
HAS: dict[str, tuple[Callable[[Row], float], Callable[[Row], bool]]] = {
    "critical": (lambda f: f["is_critical"], lambda f: True),
    "listed": (lambda f: f["is_listed"], lambda f: True),
    "critical_listed": (lambda f: f["is_critical"] and f["is_listed"], lambda f: True),
    "top_level": (lambda f: f["is_top_level"], lambda f: True),
    "critical_listed_lower": (lambda f: f["is_critical"] and f["listing_category"] == "lower level", lambda f: True),
    "critical_listed_unrated": (lambda f: f["is_critical"] and f["listing_category"] == "unrated", lambda f: True),
    "listed_lower": (lambda f: f["listing_category"] == "lower level", lambda f: True),
    "listed_unrated": (lambda f: f["listing_category"] == "unrated", lambda f: True),
    "top_level_given_critical_listed": (lambda f: f["is_top_level"], lambda f: f["is_critical_listed"]),
    "listed_given_critical": (lambda f: f["is_critical_listed"], lambda f: f["is_critical"]),
    "critical_given_listed": (lambda f: f["is_critical_listed"], lambda f: f["is_listed"]),
    "listed_authors": (lambda f: f["listed_fraction"], lambda f: True),
    "critical_listed_authors": (lambda f: f["listed_fraction"] * f["is_critical"], lambda f: True),
}


def share(rows: list[Row], measure: str, counting: str) -> Row:
    """Return numerator, denominator, share and interval of one measure over some works."""
    has, of = HAS[measure]
    weight = WEIGHT[counting]
    base = [weight(f) for f in rows if of(f)]
    top = sum(weight(f) * has(f) for f in rows if of(f))
    total = sum(base)
    effective = total * total / sum(w * w for w in base) if base else 0
    low, high = wilson(top / total * effective if total else 0, effective)
    return {
        "numerator": top,
        "denominator": total,
        "share": top / total if total else None,
        "ci_low": low,
        "ci_high": high,
    }


def population(world: list[Row]) -> list[Row]:
    return [w for w in world if w["excluded_because"] is None]


def root(work_id: str, pointer: Mapping[str, str | None]) -> str:
    """Follow the pointers of duplicates to their end."""
    while pointer.get(work_id):
        work_id = str(pointer[work_id])
    return work_id


def first_of_duplicates(world: list[Row], kept: list[Row]) -> set[str]:
    """Return the ids of the first work of each group among the kept works."""
    pointer = {w["work_id"]: w["duplicate_of"] for w in world}
    groups: dict[str, list[Row]] = defaultdict(list)
    for work in kept:
        groups[root(work["work_id"], pointer)].append(work)
    return {
        min(group, key=lambda w: (w["publication_date"], len(w["work_id"]), w["work_id"]))["work_id"]
        for group in groups.values()
    }


def slices_of(world: list[Row], flagged: Mapping[str, Row]) -> dict[tuple[str, str], list[Row]]:
    """Return the works of each slice that needs no institution."""
    kept = population(world)
    first = first_of_duplicates(world, kept)
    out: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for work in kept:
        f = flagged[work["work_id"]]
        out["all", "all"].append(f)
        out["year", str(work["publication_year"])].append(f)
        out["bilateral", "bilateral" if f["is_bilateral"] else "multilateral"].append(f)
        out["abstract", "with abstract" if work["abstract_status"] == "full" else "title only"].append(f)
        out["dual", "dual-affiliated link only" if f["is_dual_only"] else "other links"].append(f)
        out["author_cap", "none"].append(f)
        for cap in (100, 30):
            if len(work["authors"]) <= cap:
                out["author_cap", f"at most {cap}"].append(f)
        if work["work_id"] in first:
            out["duplicates", "kept"].append(f)
    return out


def institutions(world: list[Row], flagged: Mapping[str, Row]) -> dict[tuple[str, str], Row]:
    """Return per side and institution (id, else name) its works, fractional works and flags."""
    out: dict[tuple[str, str], Row] = {}
    for work in population(world):
        seen: set[tuple[str, str]] = set()
        for author in work["authors"]:
            named: dict[str, str | None] = {}
            for a in author["affiliations"]:
                if a["name"]:
                    named[a["id"] or a["name"]] = named.get(a["id"] or a["name"]) or a["country"]
            for key, country in named.items():
                side = "a" if country in SIDE_A else "b" if country in SIDE_B else None
                if side is None:
                    continue
                row = out.setdefault(
                    (side, key), {"works": 0, "works_fractional": 0.0, "critical": 0, "listed": 0, "critical_listed": 0}
                )
                row["works_fractional"] += 1 / len(named) / len(work["authors"])
                seen.add((side, key))
        f = flagged[work["work_id"]]
        for place in seen:
            out[place]["works"] += 1
            for name in ("critical", "listed", "critical_listed"):
                out[place][name] += f[f"is_{name}"]
    return out


def pairs(world: list[Row], flagged: Mapping[str, Row]) -> dict[tuple[str, str], Counter[str]]:
    """Return per pair of institutions the works in which both are."""
    out: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for work in population(world):
        sides: dict[str, set[str]] = {"a": set(), "b": set()}
        for author in work["authors"]:
            for a in author["affiliations"]:
                side = "a" if a["country"] in SIDE_A else "b" if a["country"] in SIDE_B else None
                if side and a["name"]:
                    sides[side].add(a["id"] or a["name"])
        f = flagged[work["work_id"]]
        for one in sides["a"]:
            for two in sides["b"]:
                out[one, two].update(
                    {"works": 1, "critical": f["is_critical"], "critical_listed": f["is_critical_listed"]}
                )
    return out


FLOORS = {
    "very high and above": {"very high"},
    "high and above": {"very high", "high"},
    "medium and above": {"very high", "high", "medium"},
    "low and above": {"very high", "high", "medium", "low"},
    "every entity": {"very high", "high", "medium", "low", "unrated"},
}


def _listed_under(work: Row, spec: Row, entities: Mapping[str, tuple[str, str, bool, str]], side_b: set[str]) -> bool:
    for author in work["authors"]:
        for affiliation in author["affiliations"]:
            for entity, tier, _, through_child, in_date in affiliation["hits"]:
                watchlist, level, medical, country = entities[entity]
                child = through_child or tier == "lineage"
                if (
                    in_date
                    and watchlist == spec["watchlist"]
                    and country in side_b
                    and tier in spec["tiers"].split("+")
                    and (watchlist == "list-two" or level in FLOORS[spec["risk_floor"]])
                    and (spec["medical"] == "with" or not medical)
                    and (spec["children"] == "with" or not child)
                ):
                    return True
    return False


def specification(
    world: list[Row],
    spec: Row,
    entities: Mapping[str, tuple[str, str, bool, str]],
    thresholds: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> tuple[float, float]:
    """Return numerator and denominator of the headline under one combination of switches."""
    of_works = specification_of_works(world, spec, entities, thresholds).values()
    return sum(x for x, _ in of_works), sum(w for _, w in of_works)


def specification_of_works(
    world: list[Row],
    spec: Row,
    entities: Mapping[str, tuple[str, str, bool, str]],
    thresholds: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, tuple[float, float]]:
    """Return by work_id what each work that counts brings to numerator and denominator."""
    side_b = {"CN"} if spec["hk_mo"] == "without" else {"CN", "HK"}
    kept = []
    for work in world:
        people = [countries_of(a) for a in work["authors"]]
        a, b = [bool(p & SIDE_A) for p in people], [bool(p & side_b) for p in people]
        both = [one and two for one, two in zip(a, b, strict=True)]
        dual = any(both) and (sum(a) == 1 or sum(b) == 1)
        if (
            work["publication_year"] < 2015
            or (spec["types"] == "as the study" and work["type"] == "editorial")
            or (spec["types"] == "articles only" and work["type"] != "article")
            or (spec["types"] == "articles or no type" and work["type"] not in ("article", None))
            or (spec["author_cap"] != "none" and len(people) > int(spec["author_cap"].split()[-1]))
            or not (any(a) and any(b))
            or (spec["dual_affiliated"] == "without" and dual)
        ):
            continue
        kept.append(work)
    if spec["duplicates"] == "without":
        first = first_of_duplicates(world, kept)
        kept = [w for w in kept if w["work_id"] in first]
    brought: dict[str, tuple[float, float]] = {}
    for work in kept:
        people = [countries_of(a) for a in work["authors"]]
        weight = {
            "full": 1.0,
            "fractional-authors": weight_of(people, SIDE_A | side_b),
            "fractional-countries": weight_of_countries(people, SIDE_A | side_b),
        }[spec["counting"]]
        needed = thresholds.get(spec["taxonomy"], {}).get(spec["operating_point"], {})
        critical = any(
            t == spec["taxonomy"] and score >= (0.5 if spec["operating_point"] == "balanced" else needed.get(area, 0.5))
            for t, area, score in work["assignments"]
        )
        brought[work["work_id"]] = (weight * (critical and _listed_under(work, spec, entities, side_b)), weight)
    return brought
