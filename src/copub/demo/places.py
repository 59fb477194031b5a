"""Invented institutions, people, journals: who and where, in the synthetic corpus.

Identifiers lie in ranges that OpenAlex does not use (I9000000…, A9000000…), and the ROR ids
hold the letter o, which the ROR alphabet lacks: none can be taken for a real one.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from copub.demo.synthetictexts import DATA

PREFIX = "https://openalex.org/"
FIRST_INSTITUTION = 9_000_000_000
FIRST_AUTHOR = 9_000_000_000
PEOPLE_PER_INSTITUTION = 60
_POOLS = {"BE": "be", "CN": "cn", "HK": "cn", "MO": "cn", "TW": "cn"}
LEVELS = ("very high", "high", "medium", "low", "unrated")


@dataclass(frozen=True, slots=True)
class Institution:
    """An invented institution. `level` is empty if it is not listed; `tier` says how it can be found."""

    key: str
    number: int
    name: str
    name_zh: str
    country: str
    type: str
    city: str
    parents: tuple[str, ...]
    ror: str
    aliases: tuple[str, ...]
    group: str
    level: str
    tier: str
    weight: int

    @property
    def id(self) -> str:
        """Return the short OpenAlex id (I…)."""
        return f"I{FIRST_INSTITUTION + self.number}"

    @property
    def entity(self) -> str:
        """Return the listed entity: the institution itself, or the parent it is under."""
        return (self.parents[0] if self.parents else self.key) if self.level else ""

    @property
    def is_medical(self) -> bool:
        """Return whether medicine is its field."""
        return self.type == "healthcare" or "Medical" in self.name

    def dehydrated(self) -> dict[str, Any]:
        """Return the institution as it is inside an authorship."""
        known = institutions()
        lineage = [self.id, *(known[parent].id for parent in self.parents)]
        return {
            "id": PREFIX + self.id,
            "display_name": self.name,
            "ror": f"https://ror.org/{self.ror}" if self.ror else None,
            "country_code": self.country or None,
            "type": self.type,
            "lineage": [PREFIX + id for id in lineage],
        }


@cache
def institutions() -> dict[str, Institution]:
    """Return the invented institutions by key."""
    with (DATA / "institutions.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: _institution(row) for row in csv.DictReader(file)}


def _institution(row: dict[str, str]) -> Institution:
    group = row["group"]
    level = next((level for level in LEVELS if group.startswith(level)), "")
    tier = next((tier for tier in ("lineage", "name") if group.endswith(tier)), "identifier")
    return Institution(
        key=row["key"],
        number=int(row["number"]),
        name=row["name"],
        name_zh=row["name_zh"],
        country=row["country"],
        type=row["type"],
        city=row["city"],
        parents=tuple(filter(None, row["parents"].split("|"))),
        ror=row["ror"],
        aliases=tuple(filter(None, row["aliases"].split("|"))),
        group=group,
        level=level,
        tier=tier if level else "",
        weight=int(row["weight"]),
    )


def draw(rng: Random, found: Sequence[Institution], *, health: bool) -> Institution:
    """Return one of `found` by weight; medical ones come forward in works on health and step back elsewhere."""
    weights = [i.weight * (3.0 if health else 0.15) if i.is_medical else float(i.weight) for i in found]
    return rng.choices(found, weights)[0]


@cache
def people() -> dict[str, Any]:
    """Return names, departments and country words for authors and printed affiliations."""
    return tomllib.loads((DATA / "people.toml").read_text(encoding="utf-8"))


@cache
def sources() -> tuple[dict[str, Any], ...]:
    """Return the invented journals and what of their metadata reaches the index."""
    return tuple(tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))["source"])


@cache
def topics() -> dict[str, list[dict[str, str]]]:
    """Return the OpenAlex topics of each theme, the nearest first."""
    found: dict[str, list[dict[str, str]]] = {}
    with (DATA / "topics.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["theme"], []).append(row)
    return found


@cache
def person(key: str, position: int) -> tuple[str, str]:
    """Return id (A…) and name of one of the people of an institution; `position` from 0."""
    institution = institutions()[key]
    pool = people()[_POOLS.get(institution.country, "other")]
    surnames, givens = pool["surnames"], pool["given"]
    surname = surnames[(institution.number * 7 + position) % len(surnames)]
    given = givens[(institution.number * 5 + position * 3 + position // len(surnames)) % len(givens)]
    return f"A{FIRST_AUTHOR + institution.number * PEOPLE_PER_INSTITUTION + position}", f"{given} {surname}"
