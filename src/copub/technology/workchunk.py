"""Reading a chunk of works once, for rules and model alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from copub.lists.taxonomy import Taxonomy
from copub.technology.features import rule_features
from copub.technology.ngrams import Ngrams, place_ngrams
from copub.technology.rules import Hits, Ruleset
from copub.technology.tokens import Hashes, Tokens, tokenize
from copub.technology.wordtable import Classes, Folds


@dataclass(frozen=True)
class Chunk:
    """What was read of a chunk of works: words, terms found, rule features; folded words when asked for."""

    works: int
    tokens: Tokens
    hits: Hits
    rules: npt.NDArray[np.float32]
    known: Folds

    @cached_property
    def folds(self) -> Hashes:
        """The folded number of every word; 0 for stop words."""
        return self.known.look_up(self.tokens)

    def ngrams(self) -> Ngrams:
        """Return the n-grams, place by place."""
        return place_ngrams(self.tokens, self.folds)


class TextReader:
    """Reads works by the rules of one taxonomy; keeps what it learns of words between chunks."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.ruleset = Ruleset(taxonomy)
        self._classes = Classes(self.ruleset.automaton.classes.of)
        self._folds = Folds()

    def read(self, titles: pl.Series, abstracts: pl.Series) -> Chunk:
        """Read works; the two series have one value a work, null meaning none."""
        tokens = tokenize(pl.concat([titles.rename("text"), abstracts.rename("text")]))
        hits = self.ruleset.find(tokens, self._classes.look_up(tokens))
        areas = len(self.ruleset.taxonomy.areas)
        features = rule_features(hits, titles.len(), areas, len(self.ruleset.rules))
        return Chunk(titles.len(), tokens, hits, features, self._folds)
