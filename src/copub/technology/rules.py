"""Keyword rules: which terms of which areas are in which works, and where.

Every term has a part: strong, title, weak, context, applied or mask. A found term is dropped
where a mask of its area (or of all areas) covers it: the phrase is masked, never the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copub.lists.taxonomy import Area, Taxonomy
from copub.lists.terms import Term
from copub.technology.automaton import Matches
from copub.technology.tokens import Ints, Tokens, work_of

PARTS = ("strong", "title", "weak", "context", "applied", "mask")
STRONG, TITLE, WEAK, CONTEXT, APPLIED, MASK = range(6)


@dataclass(frozen=True, slots=True)
class Rule:
    """A term with its part, its area (position in the taxonomy; -1 for all) and technology (or -1)."""

    term: Term
    part: int
    area: int
    technology: int


@dataclass(frozen=True, slots=True)
class Hits:
    """Found terms of a chunk, one row a term and place, sorted by work, area, place.

    `work` is the position of the work in the chunk, `in_title` says where the term is, `rule`
    its position in `Ruleset.rules`, `start` and `end` the bytes in the buffer of the tokens.
    """

    work: Ints
    area: Ints
    part: Ints
    rule: Ints
    in_title: npt.NDArray[np.bool_]
    start: Ints
    end: Ints


class Ruleset:
    """All rules of a taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.rules: Sequence[Rule] = tuple(_rules(taxonomy))
        self._area = np.array([rule.area for rule in self.rules], dtype=np.int64)
        self._part = np.array([rule.part for rule in self.rules], dtype=np.int64)

    def find(self, tokens: Tokens, matches: Matches) -> Hits:
        """Return the hits among the rules' terms that were found in the works of a chunk.

        The segments of `tokens` are the titles of all works and then their abstracts, in the same order.
        """
        works = tokens.segments // 2
        matches = self._unmasked(matches, tokens.hashes.size)
        segment = tokens.segment[matches.first]
        work, area = work_of(segment, works), self._area[matches.term]
        # One number a hit: sorting numbers is several times faster than sorting by four columns.
        place = (work * (len(self.taxonomy.areas) + 1) + area + 1) * tokens.hashes.size + matches.first
        order = np.argsort(place * len(self.rules) + matches.term)
        term, first, last = matches.term[order], matches.first[order], matches.last[order]
        return Hits(
            work=work[order],
            area=area[order],
            part=self._part[term],
            rule=term,
            in_title=segment[order] < works,
            start=tokens.starts[first],
            end=tokens.ends[last],
        )

    def _unmasked(self, found: Matches, words: int) -> Matches:
        is_mask = self._part[found.term] == MASK
        masks = Matches(found.first[is_mask], found.last[is_mask], found.term[is_mask])
        rest = Matches(found.first[~is_mask], found.last[~is_mask], found.term[~is_mask])
        if not masks.first.size or not rest.first.size:
            return rest
        lengths = masks.last - masks.first + 1
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        position = np.repeat(masks.first, lengths) + within
        area = np.repeat(self._area[masks.term], lengths)
        reach = np.repeat(masks.last, lengths)
        covered = np.zeros(rest.first.size, dtype=np.bool_)
        # Masks of an area cover its own terms; masks of all areas (-1) cover everything.
        own, of_all = area >= 0, area < 0
        wanted = self._area[rest.term] * words + rest.first
        covered |= _covered(area[own] * words + position[own], reach[own], wanted, rest.last)
        covered |= _covered(position[of_all], reach[of_all], rest.first, rest.last)
        keep = ~covered
        return Matches(rest.first[keep], rest.last[keep], rest.term[keep])


def _covered(keys: Ints, reach: Ints, wanted: Ints, last: Ints) -> npt.NDArray[np.bool_]:
    if not keys.size:
        return np.zeros(wanted.size, dtype=np.bool_)
    order = np.lexsort((reach, keys))
    keys, reach = keys[order], reach[order]
    at = np.searchsorted(keys, wanted, side="right") - 1  # the last of equal keys reaches farthest
    safe = np.maximum(at, 0)
    return np.asarray((at >= 0) & (keys[safe] == wanted) & (reach[safe] >= last))


def _rules(taxonomy: Taxonomy) -> Iterator[Rule]:
    for term in taxonomy.applied:
        yield Rule(term, APPLIED, -1, -1)
    for term in taxonomy.masks:
        yield Rule(term, MASK, -1, -1)
    for at, area in enumerate(taxonomy.areas):
        yield from _area_rules(at, area)


def _area_rules(at: int, area: Area) -> Iterator[Rule]:
    for number, technology in enumerate(area.technologies):
        for term in technology.strong:
            yield Rule(term, STRONG, at, number)
    for part, terms in ((TITLE, area.title), (WEAK, area.weak), (CONTEXT, area.context), (MASK, area.masks)):
        for term in terms:
            yield Rule(term, part, at, -1)
