"""Funders, awards and roles of plain works, counted one work at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from math import factorial
from typing import Any

from .brute import wilson

Row = dict[str, Any]
Key = tuple[str, str]
GROUPS = ("all", "critical", "listed", "critical_listed")


def awards_of(work: Row) -> set[tuple[str, str]]:
    """Return funder and number of each award of a funder that the record names."""
    named = ((funder_id or name, number) for _, funder_id, name, number in work["awards"])
    return {(funder, number) for funder, number in named if funder and number}


def identified(works: Iterable[Row]) -> list[Row]:
    """Return works whose funders without an id have the id that alone bears their name in these works."""
    listed = list(works)
    pairs = {(name, funder) for work in listed for _, funder, name, _ in work["awards"] if name and funder}
    names = [name for name, _ in pairs]
    alone = {name: funder for name, funder in pairs if names.count(name) == 1}
    return [
        {**work, "awards": [(field, f or alone.get(name), name, key) for field, f, name, key in work["awards"]]}
        for work in listed
    ]


def states_awards(work: Row) -> bool:
    return any(field != "funders" for field, *_ in work["awards"])


def in_group(flags: Row, group: str) -> bool:
    return group == "all" or bool(flags[f"is_{group}"])


def funding(works: Iterable[tuple[Row, Row]], group: str) -> Row:
    """Return the row of a group among works with their flags."""
    own = [work for work, flags in works if in_group(flags, group)]
    stating = [work for work in own if states_awards(work)]
    with_award = [work for work in stating if awards_of(work)]
    awards = set().union(*map(awards_of, own))
    n, k = len(stating), len(with_award)
    low, high = wilson(k, n)
    return {
        "works": len(own),
        "unknown": len(own) - n,
        "denominator": n,
        "with_funder": sum(any(f or name for _, f, name, _ in work["awards"]) for work in stating),
        "numerator": k,
        "share": k / n if n else None,
        "ci_low": low,
        "ci_high": high,
        "funders": len({funder for funder, _ in awards}),
        "awards": len(awards),
    }


def holders(work: Row, role: str) -> list[int]:
    """Return the places of the authors with a role."""
    if role == "corresponding":
        return [seq for seq, author in enumerate(work["authors"]) if author["corresponding"]]
    return [seq for seq, author in enumerate(work["authors"]) if author["position"] == role]


def is_in_order(work: Row) -> bool:
    """Return whether the family names of the authors, as the worlds spell them, are in order; all must have one."""
    names = [author["name"] for author in work["authors"]]
    if None in names:
        return False
    families = [name.split(",")[0] if "," in name else name.split()[-1] for name in names]
    return families == sorted(families)


def chance(authors: int, listed: int, with_role: int) -> float:
    """Return the chance that a draw of some authors has a listed one, by going through every draw."""
    draws = list(combinations(range(authors), with_role))
    return sum(min(draw) < listed for draw in draws) / len(draws)


def roles(works: Iterable[tuple[Row, set[int], set[int]]], role: str, least: int) -> Row:
    """Return the row of a role among listed works, each with the places of its listed authors and of its own side.

    Of fewer than `least` works with a known role nothing is said.
    """
    found = dict.fromkeys(("works", "single_author", "cut", "unknown", "denominator", "numerator", "numerator_a"), 0)
    found["alphabetical"] = 0
    by_chance = by_lot = 0.0
    for work, listed, own in works:
        found["works"] += 1
        n, who = len(work["authors"]), set(holders(work, role))
        if n == 1:
            found["single_author"] += 1
        elif work["is_truncated"]:
            found["cut"] += 1
        elif not who:
            found["unknown"] += 1
        else:
            found["denominator"] += 1
            found["numerator"] += bool(who & listed)
            found["numerator_a"] += bool(who & own)
            found["alphabetical"] += is_in_order(work)
            by_chance += 1 / factorial(n)
            by_lot += chance(n, len(listed), len(who)) if n < 20 else _product(n, len(listed), len(who))
    n = found["denominator"]
    (low, high), (low_a, high_a) = wilson(found["numerator"], n), wilson(found["numerator_a"], n)
    counts = {name: found.pop(name) for name in ("numerator", "numerator_a", "alphabetical")}
    held = {
        **counts,
        "alphabetical_by_chance": by_chance,
        "expected": by_lot / n if n else None,
        "share": counts["numerator"] / n if n else None,
        "ci_low": low,
        "ci_high": high,
        "share_a": counts["numerator_a"] / n if n else None,
        "share_a_low": low_a,
        "share_a_high": high_a,
    }
    return {**found, **(held if n >= least else dict.fromkeys(held))}


def _product(n: int, listed: int, with_role: int) -> float:
    none = 1.0
    for place in range(with_role):
        none *= max(n - listed - place, 0) / (n - place)
    return 1 - none


def listed_authors(
    work: Row, entities: Mapping[str, tuple[str, str, bool, str]], sides: Iterable[str]
) -> Iterator[tuple[int, str, str, str]]:
    """Yield place of the author, list, entity and level of each hit that counts."""
    for seq, author in enumerate(work["authors"]):
        for affiliation in author["affiliations"]:
            for entity, tier, _, _, counts in affiliation["hits"]:
                watchlist, level, _, country = entities[entity]
                if counts and tier != "review" and country in sides:
                    yield seq, watchlist, entity, level
