"""Reading a chunk of works once, for rules and model alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from copub.lists.taxonomy import Taxonomy
from copub.technology.automaton import Automaton, Matches
from copub.technology.features import rule_features
from copub.technology.ngrams import Ngrams, place_ngrams
from copub.technology.rules import Hits, Ruleset
from copub.technology.tokens import Hashes, Tokens, tokenize
from copub.technology.wordtable import WordTable


@dataclass(frozen=True)
class Chunk:
    """What was read of a chunk of works: words, their folded numbers (0 for stop words), terms found, rule features."""

    works: int
    tokens: Tokens
    hits: Hits
    rules: npt.NDArray[np.float32]
    folds: Hashes

    def ngrams(self) -> Ngrams:
        """Return the n-grams, place by place."""
        return place_ngrams(self.tokens, self.folds)


class TextReader:
    """Reads works once by the rules of some taxonomies; keeps what it learns of words between chunks."""

    def __init__(self, *taxonomies: Taxonomy) -> None:
        self.rulesets = tuple(map(Ruleset, taxonomies))
        self._automaton = Automaton([rule.term for ruleset in self.rulesets for rule in ruleset.rules])
        self._words = WordTable(self._automaton.classes.of)

    def read(self, titles: pl.Series, abstracts: pl.Series) -> tuple[Chunk, ...]:
        """Read works and return a chunk a taxonomy; the two series have one value a work, null meaning none."""
        tokens = tokenize(pl.concat([titles.rename("text"), abstracts.rename("text")]))
        classes, folds = self._words.look_up(tokens)
        found = self._automaton.find(classes, tokens.segment)
        return tuple(self._chunks(titles.len(), tokens, folds, found))

    def _chunks(self, works: int, tokens: Tokens, folds: Hashes, found: Matches) -> Iterator[Chunk]:
        before = 0
        for ruleset in self.rulesets:
            rules, areas = len(ruleset.rules), len(ruleset.taxonomy.areas)
            own = (found.term >= before) & (found.term < before + rules)
            hits = ruleset.find(tokens, Matches(found.first[own], found.last[own], found.term[own] - before))
            yield Chunk(works, tokens, hits, rule_features(hits, works, areas, rules), folds)
            before += rules
