"""Named groups of countries, such as EU27 or G7: members, since when they are the members, and the source.

``named-groups.csv`` holds the groups. A group has the members of its date in every year of a study, so that
it does not change along a trend.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from copub.countries import COUNTRIES, PlaceName, code_fault, listing, place_names

_SPELLED_OUT = 4
"""Countries of a side that its name spells out; a longer list would fill the title of the report."""


@dataclass(frozen=True, slots=True)
class CountryGroup:
    """A group of countries: id, the ISO 3166 codes of its members, since when these are the members, source, names."""

    id: str
    codes: tuple[str, ...]
    since: str
    source: str
    in_language: Mapping[str, PlaceName] = field(hash=False)

    @property
    def name(self) -> str:
        """Return the English name."""
        return self.in_language["en"].name

    @property
    def name_in_sentence(self) -> str:
        """Return the English name with its article, such as "the European Union"."""
        return self.in_language["en"].in_sentence


def _read_groups() -> dict[str, CountryGroup]:
    with Path(__file__).with_name("named-groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["id"]: CountryGroup(
            row["id"], tuple(row["codes"].split("|")), row["since"], row["source"], place_names(row)
        )
        for row in rows
    }


GROUPS: Mapping[str, CountryGroup] = _read_groups()
"""Every group by its id."""


def _simplified(text: str) -> str:
    return re.sub(r"\W", "", text.casefold())


_BY_ID = {_simplified(group.id): group for group in GROUPS.values()}


def find_group(text: str) -> CountryGroup | None:
    """Return the group that a text names by its id, in any case, with or without hyphens.

    >>> find_group("Five Eyes").codes
    ('AU', 'CA', 'GB', 'NZ', 'US')
    """
    return _BY_ID.get(_simplified(text))


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of countries and groups, each once, in order."""
    found = ((group.codes if (group := find_group(name)) else (name,)) for name in names)
    return tuple(dict.fromkeys(code for codes in found for code in codes))


def member_fault(value: object) -> str | None:
    """Return what is wrong with a value that should be a country code or the id of a group; None if it is one."""
    if isinstance(value, str) and find_group(value):
        return None
    return code_fault(value)


def group_of(codes: Sequence[str]) -> CountryGroup | None:
    """Return the group that has exactly these members."""
    wanted = set(codes)
    return next((group for group in GROUPS.values() if set(group.codes) == wanted), None)


def key_of_side(codes: Sequence[str]) -> str:
    """Return countries in short, joined by +: of many, the largest group that all belong to, then the others."""
    group = group_of(codes)
    if group is None and len(codes) > _SPELLED_OUT:
        inside = [group for group in GROUPS.values() if set(group.codes) <= set(codes)]
        group = max(inside, key=lambda group: len(group.codes), default=None)
    members = group.codes if group else ()
    return "+".join([*([group.id] if group else []), *(code for code in codes if code not in members)])


def name_of_side(codes: Sequence[str]) -> str:
    """Return the name of a side: of the country, of the group, or of few countries; else their codes."""
    return listing([place.name for place in places_of_side(codes)]) or " ".join(codes)


def places_of_side(codes: Sequence[str], language: str = "en") -> list[PlaceName]:
    """Return the names that make the name of a side: of the group, or of few countries; none of many countries."""
    if group := group_of(codes):
        return [group.in_language[language]]
    if len(codes) > _SPELLED_OUT:
        return []
    return [COUNTRIES[code].in_language[language] if code in COUNTRIES else PlaceName("", code) for code in codes]
