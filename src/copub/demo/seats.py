"""The author lists of the synthetic works: who sits where, and how the affiliation is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from copub.demo.places import (
    FIRST_AUTHOR,
    PEOPLE_PER_INSTITUTION,
    PREFIX,
    Institution,
    draw,
    institutions,
    people,
    person,
)
from copub.demo.plan import GROUPS, Plan

CROWDS = {
    "authors-3000": 3000,
    "authors-150": 150,
    "authors-150-late-a": 150,
    "authors-150-late-b": 150,
    "authors-150-mixed": 150,
    "authors-100": 100,
}
GUESTS = ("cedar-hollow", "wexmoor", "pontclair", "falkenried", "monteselva", "global-detector")
CROWD_IDS = FIRST_AUTHOR + 100_000_000
_FORMS = (
    "{department}, {name}, {city}, {country}",
    "{name}, {city}, {country}",
    "{department}, {name}, {country}",
    "{name}, {country}",
)


@dataclass(frozen=True, slots=True)
class Seat:
    """One author: institutions, and whether the record resolves them or only prints them."""

    keys: tuple[str, ...]
    is_resolved: bool = True
    is_garbled: bool = False
    is_countryless: bool = False


def authorships(plan: Plan, rng: Random) -> list[dict[str, Any]]:
    """Return the authorships of a work as OpenAlex gives them for a single work: all of them."""
    if plan.oddity == "no-authors":
        return []
    seats = _crowd(plan, rng) if plan.oddity in CROWDS else _table(plan, rng)
    found = [_authorship(plan, seat, number, len(seats), rng) for number, seat in enumerate(seats)]
    if plan.oddity == "block-glued":
        _glue(found)
    return found


@cache
def _of(*groups: str) -> tuple[Institution, ...]:
    return tuple(i for i in institutions().values() if i.group in groups)


def _chinese(plan: Plan, rng: Random) -> str:
    return draw(rng, _of("plain", "lookalike"), health=plan.is_health).key


def _belgian(plan: Plan, rng: Random) -> str:
    return draw(rng, _of("be"), health=plan.is_health).key


def _guest(rng: Random) -> str:
    return draw(rng, _of("other"), health=False).key


def _side_b(plan: Plan, rng: Random) -> list[Seat]:
    """Return the Chinese authors. A listed institution of the plan sits first; no other one comes in."""
    lead = plan.listed or _chinese(plan, rng)
    # an institution without a record in OpenAlex is never resolved
    resolved = plan.resolved_b and institutions()[lead].tier != "name"
    seats = [Seat((lead,), resolved, plan.tier == "unfindable")] * rng.randint(1, 3)
    if rng.random() < 0.3:
        seats.append(Seat((_chinese(plan, rng),), plan.resolved_b))
    if rng.random() < 0.08 and resolved:
        seats[-1] = Seat((*seats[-1].keys, _chinese(plan, rng)))
    return seats


def _table(plan: Plan, rng: Random) -> list[Seat]:
    if plan.oddity == "dual-only":
        lead = plan.listed or _chinese(plan, rng)
        return [Seat((_belgian(plan, rng), lead)), *(Seat((_guest(rng),)) for _ in range(rng.randint(1, 3)))]
    seats: list[Seat] = []
    for country in next(countries for name, _, countries in GROUPS if name == plan.group):
        if country == "CN":
            seats += _side_b(plan, rng)
        elif country == "BE":
            seats += [Seat((_belgian(plan, rng),), plan.resolved_a) for _ in range(rng.randint(1, 3))]
        elif country == "OTHER":
            seats += [Seat((_guest(rng),)) for _ in range(rng.randint(1, 4))]
        else:
            seats += [Seat((draw(rng, _of(country.lower()), health=False).key,)) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.35:
        seats += [Seat((_guest(rng),)) for _ in range(rng.randint(1, 3))]
    if plan.oddity == "several-affiliations":
        extra = [key for key in (_belgian(plan, rng) for _ in range(6)) if key not in seats[0].keys]
        seats.append(Seat(tuple(dict.fromkeys(extra))[:3]))
    rng.shuffle(seats)
    if plan.oddity == "string-unread":
        seats.append(Seat((_guest(rng),), False, True, True))
    if plan.oddity == "institution-without-country":
        seats.append(Seat((draw(rng, _of("nowhere"), health=False).key,)))
    return seats


def _crowd(plan: Plan, rng: Random) -> list[Seat]:
    """Return the seats of a large collaboration; who is late depends on the oddity."""
    size = CROWDS[plan.oddity]
    guests = [Seat((key,)) for key in GUESTS]
    seats = [guests[number % len(guests)] for number in range(size)]
    belgian, chinese = Seat((_belgian(plan, rng),), plan.resolved_a), Seat((plan.listed or _chinese(plan, rng),))
    late_a = plan.oddity in ("authors-150-late-a", "authors-3000")
    late_b = plan.oddity in ("authors-150-late-b", "authors-150-mixed")
    seats[size - 20 if late_a else 7] = belgian
    seats[size - 9 if late_b else 42] = chinese
    return seats


def _authorship(plan: Plan, seat: Seat, number: int, of: int, rng: Random) -> dict[str, Any]:
    places = [institutions()[key] for key in seat.keys]
    if plan.oddity in CROWDS:
        id, name = f"A{CROWD_IDS + number}", person(seat.keys[0], number % PEOPLE_PER_INSTITUTION)[1]
    else:
        id, name = person(seat.keys[0], rng.randrange(PEOPLE_PER_INSTITUTION))
    resolved = [place for place in places if seat.is_resolved]
    strings = [_printed(place, seat, rng) for place in places]
    if plan.oddity == "strings-missing" and seat.is_resolved:
        strings = []
    countries = sorted({place.country for place in (places if not seat.is_countryless else []) if place.country})
    return {
        "author_position": "first" if number == 0 else "last" if number == of - 1 else "middle",
        "author": {"id": PREFIX + id, "display_name": name, "orcid": None},
        "institutions": [place.dehydrated() for place in resolved],
        "countries": countries,
        "is_corresponding": number == 0,
        "raw_author_name": name if rng.random() < 0.7 else ", ".join(reversed(name.split(" ", 1))),
        "raw_affiliation_strings": strings,
        "affiliations": [
            {"raw_affiliation_string": string, "institution_ids": [PREFIX + place.id] if seat.is_resolved else []}
            for string, place in zip(strings, places, strict=False)
        ],
    }


def _printed(place: Institution, seat: Seat, rng: Random) -> str:
    """Return a raw affiliation string; a Chinese institution is now and then printed in Chinese."""
    name = rng.choice((place.name, place.name, *place.aliases))
    country = rng.choice(people()["countries"].get(place.country, [""]))
    if seat.is_garbled:
        name = " ".join(word[:4] + "." for word in place.name.split() if word[0].isupper())
    elif place.name_zh and rng.random() < 0.04:
        return f"{place.name_zh}, 中国 (China)"
    if seat.is_countryless:
        return name
    department = rng.choice(people()["departments"]["names"])
    string = rng.choice(_FORMS).format(department=department, name=name, city=place.city, country=country)
    return string.rstrip(", ")


def _glue(found: list[dict[str, Any]]) -> None:
    def union(key: str) -> list[Any]:
        return _distinct(item for authorship in found for item in authorship[key])

    block = {key: union(key) for key in ("institutions", "countries", "raw_affiliation_strings")}
    string = " ".join(block["raw_affiliation_strings"])
    ids = [institution["id"] for institution in block["institutions"]]
    for authorship in found:
        authorship["institutions"] = [dict(institution) for institution in block["institutions"]]
        authorship["countries"] = sorted(block["countries"])
        authorship["raw_affiliation_strings"] = [string]
        authorship["affiliations"] = [{"raw_affiliation_string": string, "institution_ids": list(ids)}]


def _distinct(items: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
