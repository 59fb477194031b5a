"""Pairs of country groups, as asked for on the command line, and the exact test of a work.

A pair is written ``BE:CN``. A comma puts countries together on a side (``BE:CN,HK,MO``), a slash
sets them side by side as pairs of their own (``AT/BE/BG:CN`` is three pairs), and ``name=`` in
front names the pair (``eu=AT,BE,BG:CN``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

from copub.countries import COUNTRY_CODES
from copub.errors import CorrectInput
from copub.tables.work import countries_of_authors

WHERE = "--sides"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,63}")
_HELP = "write a pair as BE:CN, several countries as BE:CN,HK, several pairs as AT/BE:CN, a name as eu=AT,BE:CN"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups of countries: a name (part of file names), the ISO 3166 alpha-2 codes of each side."""

    name: str
    side_a: tuple[str, ...]
    side_b: tuple[str, ...]

    def joins(self, countries: AbstractSet[str]) -> bool:
        """Return whether these countries of one work touch both sides."""
        return not countries.isdisjoint(self.side_a) and not countries.isdisjoint(self.side_b)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is cut out of a snapshot: the pairs, and whether the expansion corpus (xpac) stays in."""

    pairs: tuple[Pair, ...]
    expansion: bool = False

    def joined(self, countries: AbstractSet[str]) -> list[int]:
        """Return the positions of the pairs that these countries of one work join."""
        return [position for position, pair in enumerate(self.pairs) if pair.joins(countries)]


def countries_of_work(work: dict[str, Any]) -> set[str]:
    """Return the country codes of a Work: of its institutions and those read from printed addresses."""
    return set(chain.from_iterable(countries_of_authors(work)))


def parse_pairs(texts: Sequence[str]) -> tuple[Pair, ...]:
    """Read pairs as written on the command line.

    Raises
    ------
    CorrectInput : a text is no pair, a code is no country, a country stands on both sides, a
        name occurs twice; all faults are named at once.
    """
    pairs: list[Pair] = []
    faults: list[str] = []
    for text in texts:
        name, _, sides = text.rpartition("=")
        side_a, colon, side_b = sides.partition(":")
        if not (colon and side_a.strip() and side_b.strip()) or ("=" in text and "/" in sides):
            faults.append(f"{text!r} is no pair")
            continue
        for one, other in product(side_a.split("/"), side_b.split("/")):
            pairs.append(_pair(name.strip(), _codes(one), _codes(other)))
    if faults:
        raise CorrectInput("; ".join(faults), where=WHERE, mend=_HELP)
    return check_pairs(pairs)


def check_pairs(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs if they are well formed; raise `CorrectInput` with all that is wrong if not."""
    faults = [] if pairs else ["no pair of countries is named"]
    for pair in pairs:
        wrong = sorted(set(pair.side_a + pair.side_b) - COUNTRY_CODES)
        faults += [f"{code!r} is no ISO 3166 two-letter country code" for code in wrong]
        faults += [f"{code} stands on both sides of {pair.name}" for code in sorted({*pair.side_a} & {*pair.side_b})]
        if not (pair.side_a and pair.side_b):
            faults.append(f"a side of {pair.name!r} is empty")
        if not _NAME.fullmatch(pair.name):
            faults.append(f"{pair.name!r} cannot name a pair (letters, digits, + - _, at most 64)")
    names = [pair.name for pair in pairs]
    faults += [f"two pairs are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise CorrectInput("; ".join(dict.fromkeys(faults)), where=WHERE, mend=_HELP)
    return tuple(pairs)


def _pair(name: str, side_a: tuple[str, ...], side_b: tuple[str, ...]) -> Pair:
    return Pair(name or f"{'+'.join(side_a)}-{'+'.join(side_b)}", side_a, side_b)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code.strip() for code in text.split(",")))
