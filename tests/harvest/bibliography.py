"""Made-up works for the tests of the harvest: as many as wanted, in all four ways of having both sides."""

from __future__ import annotations

import random
from typing import Any

Work = dict[str, Any]


def author(number: int, institution_country: str | None, address_country: str | None = None) -> Work:
    """Return an authorship: with a resolved institution, or with a country read from the address only."""
    institutions = []
    if institution_country:
        institutions.append(
            {
                "id": f"https://openalex.org/I{ord(institution_country[0])}{ord(institution_country[1])}",
                "display_name": f"University of {institution_country}",
                "ror": None,
                "country_code": institution_country,
                "type": "education",
                "lineage": [],
            }
        )
    countries = sorted({code for code in (institution_country, address_country) if code})
    return {
        "author_position": "middle",
        "author": {"id": f"https://openalex.org/A{number}", "display_name": f"Author {number}", "orcid": None},
        "institutions": institutions,
        "countries": countries,
        "is_corresponding": False,
        "raw_author_name": f"Author {number}",
        "raw_affiliation_strings": [f"Somewhere, {code}" for code in countries],
        "affiliations": [],
    }


def work(number: int, authorships: list[Work], *, date: str = "2015-06-15", **more: Any) -> Work:
    """Return a complete work of that id, date and authors."""
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": f"https://doi.org/10.5555/{number}",
        "title": f"Work {number}",
        "display_name": f"Work {number}",
        "publication_year": int(date[:4]),
        "publication_date": date,
        "ids": {"openalex": f"https://openalex.org/W{number}"},
        "language": "en",
        "type": "article",
        "primary_location": None,
        "authorships": authorships,
        "countries_distinct_count": 2,
        "cited_by_count": number % 7,
        "is_retracted": False,
        "is_paratext": False,
        "is_xpac": False,
        "primary_topic": None,
        "topics": [],
        "funders": [],
        "awards": [],
        "abstract_inverted_index": {"about": [0], "something": [1]},
        "referenced_works": [],
        "updated_date": "2026-01-01T00:00:00",
        "created_date": "2025-10-10T00:00:00",
    } | more


def pair(number: int, kind: int) -> list[Work]:
    """Return two authors, Belgian and Chinese, resolved or only printed, by `kind` 0 to 3."""
    belgian = author(number, "BE") if kind in (0, 1) else author(number, None, "BE")
    chinese = author(number + 1, "CN") if kind in (0, 2) else author(number + 1, None, "CN")
    return [belgian, chinese]


def long_list(number: int, authors: int, last: str) -> list[Work]:
    """Return many German authors; the first is Belgian, the last of `last`."""
    middle = [author(number + position, "DE") for position in range(1, authors - 1)]
    return [author(number, "BE"), *middle, author(number + authors, last)]


def bibliography(count: int, *, seed: int = 1, others: int = 200) -> list[Work]:
    """Return `count` co-publications over 2000 to 2025, and works of one side or neither."""
    draw = random.Random(seed)
    works = []
    for number in range(1, count + 1):
        date = f"{draw.randint(2000, 2025)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        kind = draw.choices(range(4), weights=(90, 4, 4, 2))[0]
        works.append(work(number, pair(number * 10, kind), date=date))
    for number in range(count + 1, count + others + 1):
        countries = draw.choice((["BE"], ["CN"], ["DE"], ["BE", "DE"]))
        date = f"{draw.randint(1998, 2026)}-01-01"
        works.append(work(number, [author(number * 10 + at, code) for at, code in enumerate(countries)], date=date))
    return works
