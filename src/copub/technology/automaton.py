"""One automaton for all terms of all areas: it finds every term in every text in one pass.

Words are first distinguished by class (`WordClasses`): all printed words that the same rule words
match are one class. The automaton then steps from state to state by class, for all places of all
texts at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from copub.lists.terms import MIN_STEM, Term, fold_word
from copub.technology.tokens import Ints

RuleWord = tuple[str, str]
"""Kind ("word", "stem" or "cased") and letters."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Found terms: number of the first word, number of the last word, number of the term."""

    first: Ints
    last: Ints
    term: Ints


def _rule_words(term: Term) -> list[RuleWord]:
    if term.cased:
        return [("cased", word) for word in term.words]
    return [("stem" if stem else "word", word) for word, stem in zip(term.words, term.stems, strict=True)]


class WordClasses:
    """Tells the class of a printed word: which rule words match it. Class 0 is none."""

    def __init__(self, rule_words: Iterable[RuleWord]) -> None:
        kinds: dict[str, set[str]] = {"word": set(), "stem": set(), "cased": set()}
        for kind, letters in rule_words:
            kinds[kind].add(letters)
        self._words, self._stems, self._cased = kinds["word"], kinds["stem"], kinds["cased"]
        self._lengths: dict[str, list[int]] = {}
        for length, beginning in sorted({(len(stem), stem[:MIN_STEM]) for stem in self._stems}):
            self._lengths.setdefault(beginning, []).append(length)
        self._ids: dict[frozenset[RuleWord], int] = {frozenset(): 0}
        for letters in sorted(self._words | self._stems):
            found = self._folded(letters)
            self._ids.setdefault(found, len(self._ids))
            self._ids.setdefault(found - {("word", letters)}, len(self._ids))
        for letters in sorted(self._cased):
            self._ids.setdefault(self._folded(fold_word(letters)) | {("cased", letters)}, len(self._ids))

    def _folded(self, folded: str) -> frozenset[RuleWord]:
        found: set[RuleWord] = {("word", folded)} if folded in self._words else set()
        for length in self._lengths.get(folded[:MIN_STEM], ()):
            if folded[:length] in self._stems:
                found.add(("stem", folded[:length]))
        return frozenset(found)

    def of(self, word: str) -> int:
        """Return the class of a printed word."""
        folded, is_cased = fold_word(word), word in self._cased
        if not is_cased and folded not in self._words and folded[:MIN_STEM] not in self._lengths:
            return 0
        found = self._folded(folded)
        return self._ids[found | {("cased", word)} if is_cased else found]

    def sets(self) -> dict[int, frozenset[RuleWord]]:
        """Return the rule words of each class."""
        return {number: words for words, number in self._ids.items()}


class Automaton:
    """Finds terms. Term numbers are positions in `terms`; equal terms may occur several times."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.classes = WordClasses(word for term in terms for word in _rule_words(term))
        children: list[dict[RuleWord, int]] = [{}]
        ends: list[list[int]] = [[]]
        for number, term in enumerate(terms):
            node = 0
            for word in _rule_words(term):
                if word not in children[node]:
                    children[node][word] = len(children)
                    children.append({})
                    ends.append([])
                node = children[node][word]
            ends[node].append(number)
        self._build(children, ends)

    def _build(self, children: list[dict[RuleWord, int]], ends: list[list[int]]) -> None:
        having: dict[RuleWord, list[int]] = {}
        sets = self.classes.sets()
        for number, words in sets.items():
            for word in words:
                having.setdefault(word, []).append(number)
        self._width = len(sets)
        states: dict[tuple[int, ...], int] = {(0,): 0}
        queue: list[tuple[int, ...]] = [(0,)]
        steps: list[tuple[int, int]] = []
        outputs: list[list[int]] = [[]]
        for nodes in queue:
            onward: dict[int, set[int]] = {}
            for node in nodes:
                for word, child in children[node].items():
                    for number in having[word]:
                        onward.setdefault(number, set()).add(child)
            for number, reached in onward.items():
                target = tuple(sorted(reached))
                if target not in states:
                    states[target] = len(states)
                    queue.append(target)
                    outputs.append(sorted(term for node in target for term in ends[node]))
                steps.append((states[nodes] * self._width + number, states[target]))
        steps.sort()
        self._keys = np.array([key for key, _ in steps], dtype=np.int64)
        self._targets = np.array([target for _, target in steps], dtype=np.int64)
        self._counts = np.array([len(found) for found in outputs], dtype=np.int64)
        self._offsets = np.concatenate([[0], np.cumsum(self._counts)])
        self._terms = np.array([term for found in outputs for term in found], dtype=np.int64)
        self._first = np.zeros(self._width, dtype=np.int64)
        at_start = self._keys < self._width
        self._first[self._keys[at_start]] = self._targets[at_start]
        self._goes_on = np.zeros(len(states), dtype=np.bool_)
        self._goes_on[self._keys // self._width] = True

    def find(self, classes: Ints, segment: Ints) -> Matches:
        """Find all terms in the words of the segments; a term never spans two segments."""
        places = np.flatnonzero(classes > 0)
        states = self._first[classes[places]]
        begins = np.flatnonzero(states > 0)
        places, states = places[begins], states[begins]
        found = []
        length = 1
        while places.size:
            found.append(self._emit(places, length, states))
            onward = np.flatnonzero(self._goes_on[states] & (places < classes.size - length))
            places, states = places[onward], states[onward]
            after = places + length
            following = classes[after]
            fits = (following > 0) & (segment[after] == segment[places])
            places, keys = places[fits], states[fits] * self._width + following[fits]
            slots = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
            known = self._keys[slots] == keys
            places, states = places[known], self._targets[slots[known]]
            length += 1
        if not found:
            none = np.zeros(0, dtype=np.int64)
            return Matches(none, none, none)
        return Matches(*(np.concatenate([getattr(part, name) for part in found]) for name in ("first", "last", "term")))

    def _emit(self, places: Ints, length: int, states: Ints) -> Matches:
        counts = self._counts[states]
        first = np.repeat(places, counts)
        within = np.arange(first.size) - np.repeat(np.cumsum(counts) - counts, counts)
        terms = self._terms[np.repeat(self._offsets[states], counts) + within]
        return Matches(first, first + length - 1, terms)
