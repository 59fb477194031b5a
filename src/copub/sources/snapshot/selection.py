"""What is extracted from a snapshot, and the exact test of a work."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Any

from copub.corpus.record import read_value
from copub.corpus.work import countries_of
from copub.pairs import Pair


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
    return set(chain.from_iterable(countries_of(read_value(work)[0])))
