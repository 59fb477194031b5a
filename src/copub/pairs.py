"""Pairs of country groups as written on the command line.

A pair is written ``NL:IR`` or ``Netherlands:Iran``; a named group (`copub.countrygroups`) is all its members
(``EU27:CN``). A comma or a plus sign puts countries together on a side (``NL:CN,HK,MO``), a slash makes pairs
of their own (``AT/BE/BG:CN`` is three pairs), and ``name=`` in front names the pair (``eu=AT,BE,BG:CN``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import product

from copub.countries import code_fault, find_country, name_fault
from copub.countrygroups import find_group, key_of_side
from copub.errors import InputError

WHERE = "--sides"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,63}")
_HELP = (
    "write a pair as BE:CN, several countries as BE:CN,HK, a group as EU27:CN, several pairs as AT/BE:CN, a name as "
    "eu=AT,BE:CN"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups of countries: a name (part of file names), the ISO 3166 alpha-2 codes of each side."""

    name: str
    side_a: tuple[str, ...]
    side_b: tuple[str, ...]

    def joins(self, countries: AbstractSet[str]) -> bool:
        """Return whether these countries of one work include a country of each side."""
        return not countries.isdisjoint(self.side_a) and not countries.isdisjoint(self.side_b)


def parse_pairs(texts: Sequence[str]) -> tuple[Pair, ...]:
    """Read pairs as written on the command line; countries by code, by English name or as a named group.

    Raises
    ------
    InputError : a text is not a pair, a code or name is not a country, a country is on both
        sides, a name occurs twice; all faults are named at once.
    """
    pairs: list[Pair] = []
    faults: list[str] = []
    for text in texts:
        name, _, sides = text.rpartition("=")
        side_a, colon, side_b = sides.partition(":")
        if not (colon and side_a.strip() and side_b.strip()) or ("=" in text and "/" in sides):
            faults.append(f"{text!r} is not a pair")
            continue
        for one, other in product(side_a.split("/"), side_b.split("/")):
            codes_a, codes_b = _codes(one, faults), _codes(other, faults)
            pairs.append(Pair(name.strip() or f"{key_of_side(codes_a)}-{key_of_side(codes_b)}", codes_a, codes_b))
    _raise(faults)
    return check_pairs(pairs)


def check_pairs(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs if they are well formed; raise `InputError` with all that is wrong if not."""
    faults = [] if pairs else ["no pair of countries is named"]
    for pair in pairs:
        faults += filter(None, map(code_fault, sorted({*pair.side_a, *pair.side_b})))
        faults += [f"{code} is on both sides of {pair.name}" for code in sorted({*pair.side_a} & {*pair.side_b})]
        if not (pair.side_a and pair.side_b):
            faults.append(f"a side of {pair.name!r} is empty")
        if not _NAME.fullmatch(pair.name):
            faults.append(f"{pair.name!r} cannot name a pair (letters, digits, + - _, at most 64)")
    names = [pair.name for pair in pairs]
    faults += [f"two pairs are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    _raise(faults)
    return tuple(pairs)


def _codes(text: str, faults: list[str]) -> tuple[str, ...]:
    """Return the codes of the countries of a side; what is not a country is added to `faults`."""
    codes: list[str] = []
    for part in re.split(r"[,+]", text):
        if group := find_group(part):
            codes += group.codes
        elif country := find_country(part.strip()):
            codes.append(country.code)
        else:
            faults.append(str(name_fault(part.strip())))
    return tuple(dict.fromkeys(codes))


def _raise(faults: Sequence[str]) -> None:
    if faults:
        raise InputError("; ".join(dict.fromkeys(faults)), where=WHERE, hint=_HELP)
