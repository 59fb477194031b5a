"""Which works enter a corpus: the one predicate, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copub.study import Study

Group = tuple[str, ...]
"""Country codes of one side."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The works that enter a corpus: those of authors on both sides of one of the pairs.

    Without any pair, those with authors of two countries or more.
    """

    pairs: tuple[tuple[Group, Group], ...] = ()

    @classmethod
    def of(cls, study: Study) -> Entry:
        """Return the entry of a study: its pair, or that of the panel which a pair belongs to."""
        return cls(((study.whole.side_a, study.whole.side_b),))

    def admits(self, countries: Iterable[Iterable[str]]) -> bool:
        """Return whether a work enters whose authors have these countries (as `copub.corpus.work.countries_of`)."""
        codes = set(chain.from_iterable(countries))
        if not self.pairs:
            return len(codes) > 1
        return any(not codes.isdisjoint(a) and not codes.isdisjoint(b) for a, b in self.pairs)
