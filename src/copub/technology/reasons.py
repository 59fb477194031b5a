"""The reason for a score in words: terms with their place, heaviest n-grams, topic, link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from copub.technology.areascorer import ModelView
from copub.technology.rules import CONTEXT, PARTS, STRONG, TITLE, WEAK, Ruleset
from copub.technology.workchunk import Chunk

SHOWN = 8
NGRAMS = 5


class Found(NamedTuple):
    """Terms found for one work and area: the technology most named, and as printed in title and abstract."""

    technology: str | None
    title: list[str]
    abstract: list[str]


class TermFinder:
    """Looks up the terms found for a work and an area in a chunk."""

    def __init__(self, chunk: Chunk, ruleset: Ruleset) -> None:
        self._tokens, self._ruleset = chunk.tokens, ruleset
        hits, self._width = chunk.hits, len(ruleset.taxonomy.areas)
        speaking = np.flatnonzero(np.isin(hits.part, (STRONG, TITLE, WEAK, CONTEXT)) & (hits.area >= 0))
        cell = hits.work[speaking] * self._width + hits.area[speaking]
        order = speaking[np.argsort(cell * len(PARTS) + hits.part[speaking], kind="stable")]
        self._rows = np.stack((hits.part, hits.rule, hits.in_title, hits.start, hits.end), axis=1)[order]
        self._bounds = np.cumsum(np.bincount(cell + 1, minlength=chunk.works * self._width + 1))

    def find(self, work: int, area: int) -> Found:
        """Return the terms; weak and context terms are shown only where both occur, or a strong one does."""
        cell = work * self._width + area
        rows = self._rows[self._bounds[cell] : self._bounds[cell + 1]].tolist()
        parts = {part for part, *_ in rows}
        if not parts & {STRONG, TITLE} and not {WEAK, CONTEXT} <= parts:
            return Found(None, [], [])
        places: tuple[dict[str, None], dict[str, None]] = ({}, {})
        technologies: dict[int, int] = {}
        for part, number, in_title, start, end in rows:
            technology = self._ruleset.rules[number].technology
            if technology >= 0:
                technologies[technology] = technologies.get(technology, 0) + 1
            if part != CONTEXT:
                places[0 if in_title else 1].setdefault(self._tokens.text(start, end))
        named = self._ruleset.taxonomy.areas[area].technologies
        most = min(technologies, key=lambda t: (-technologies[t], t)) if technologies else None
        return Found(named[most].id if most is not None else None, list(places[0])[:SHOWN], list(places[1])[:SHOWN])


class NgramFinder:
    """Finds the n-grams that weigh heaviest for a work and an area."""

    def __init__(self, chunk: Chunk, view: ModelView) -> None:
        self._tokens, self._view = chunk.tokens, view

    def find(self, work: int, area: int) -> list[str]:
        """Return up to five n-grams as printed that weigh heaviest for an area, heaviest first."""
        view = self._view
        slopes = view.scorer.slopes(view.margins[work : work + 1])[0, area]
        return self._heaviest(work, slopes)

    def find_in_head(self, work: int, head: str) -> list[str]:
        """Return the same for one base classifier alone."""
        return self._heaviest(work, np.array([name == head for name in self._view.scorer.heads], dtype=np.float32))

    def _heaviest(self, work: int, slopes: npt.NDArray[np.floating]) -> list[str]:
        view = self._view
        chosen = slice(int(view.starts[work]), int(view.starts[work + 1]))
        weights = view.values[chosen] * (view.scorer.weights[view.columns[chosen]] @ slopes)
        shown: dict[str, None] = {}
        for at in np.argsort(-weights, kind="stable")[: 3 * NGRAMS].tolist():
            if weights[at] <= 0 or len(shown) == NGRAMS:
                break
            start = int(self._tokens.starts[view.first[chosen.start + at]])
            end = int(self._tokens.ends[view.last[chosen.start + at]])
            shown.setdefault(self._tokens.text(start, end))
        return list(shown)


def quote(texts: Sequence[str]) -> str:
    """Return texts in quotation marks, parted by commas."""
    return ", ".join(f"“{text}”" for text in texts)


def sentence(found: Found, ngrams: Sequence[str], topic: str, via: str) -> str:
    """Return the reason as one line of text; "" where nothing speaks."""
    parts = []
    if found.title:
        parts.append(f"title has {quote(found.title)}")
    if found.abstract:
        parts.append(f"abstract has {quote(found.abstract)}")
    if ngrams:
        parts.append(f"the model weighs {quote(ngrams)}")
    if topic:
        parts.append(topic)
    reason = "; ".join(parts)
    if via:
        return f"through {via}: {reason}" if reason else f"through {via}"
    return reason
