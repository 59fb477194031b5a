"""The reason for a score in words: terms with their place, heaviest n-grams, topic, link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copub.technology.areascorer import ModelView
from copub.technology.rules import CONTEXT, STRONG, TITLE, WEAK, Ruleset
from copub.technology.workchunk import Chunk

SHOWN = 8
NGRAMS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """Terms found for one work and area: as printed in title and abstract, and the technology most named."""

    title: list[str]
    abstract: list[str]
    technology: str | None


class TermFinder:
    """Looks up the terms found for a work and an area in a chunk."""

    def __init__(self, chunk: Chunk, ruleset: Ruleset) -> None:
        self._chunk, self._ruleset = chunk, ruleset
        hits = chunk.hits
        width = len(ruleset.taxonomy.areas)
        speaking = np.isin(hits.part, (STRONG, TITLE, WEAK, CONTEXT)) & (hits.area >= 0)
        self._rows = np.flatnonzero(speaking)
        self._keys = hits.work[self._rows] * width + hits.area[self._rows]
        self._width = width

    def find(self, work: int, area: int) -> Found:
        """Return the terms; weak and context terms are shown only where both occur, or a strong one does."""
        hits = self._chunk.hits
        low, high = np.searchsorted(self._keys, [work * self._width + area, work * self._width + area + 1])
        rows = self._rows[low:high]
        parts = set(hits.part[rows].tolist())
        if not parts & {STRONG, TITLE} and not {WEAK, CONTEXT} <= parts:
            return Found([], [], None)
        places: tuple[dict[str, None], dict[str, None]] = ({}, {})
        technologies: dict[int, int] = {}
        for row in rows[np.argsort(hits.part[rows], kind="stable")].tolist():
            rule = self._ruleset.rules[int(hits.rule[row])]
            if rule.technology >= 0:
                technologies[rule.technology] = technologies.get(rule.technology, 0) + 1
            if rule.part != CONTEXT:
                text = self._chunk.tokens.text(int(hits.start[row]), int(hits.end[row]))
                places[0 if hits.in_title[row] else 1].setdefault(text)
        named = self._ruleset.taxonomy.areas[area].technologies
        most = min(technologies, key=lambda t: (-technologies[t], t)) if technologies else None
        return Found(list(places[0])[:SHOWN], list(places[1])[:SHOWN], named[most].id if most is not None else None)


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
