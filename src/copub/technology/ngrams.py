"""Word n-grams of works: single words and pairs of neighbours, stop words left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copub.technology.tokens import Hashes, Ints, Tokens, pair

TITLE_WEIGHT = 2.0
"""A word of the title counts as much as two of the abstract."""


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The n-grams of a chunk, place by place: first all words, then all pairs.

    `words` is how many are words, `segment` the text in which each is, `first` and `last` its words.
    """

    words: int

    key: Hashes
    segment: Ints
    first: Ints
    last: Ints


def place_ngrams(tokens: Tokens, folds: Hashes) -> Ngrams:
    """Return the n-grams; `folds` are the folded numbers of the words (`copub.technology.wordtable`)."""
    kept = np.flatnonzero(folds > 0)
    words, segment = folds[kept], tokens.segment[kept]
    beside = np.flatnonzero(segment[1:] == segment[:-1])
    return Ngrams(
        words=kept.size,
        key=np.concatenate([words, pair(words[beside], words[beside + 1])]),
        segment=np.concatenate([segment, segment[beside]]),
        first=np.concatenate([kept, kept[beside]]),
        last=np.concatenate([kept, kept[beside + 1]]),
    )
