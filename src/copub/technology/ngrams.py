"""Word n-grams of works: single words and pairs of neighbours, stop words left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copub.technology.tokens import Hashes, Ints, Tokens, pair

TITLE_WEIGHT = 2.0
"""A word of the title counts as much as two of the abstract."""


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Distinct n-grams of a chunk, sorted by work and number.

    `count` is how often the n-gram stands in the work, the title weighed by `TITLE_WEIGHT`;
    `first` and `last` are the words of its first place.
    """

    work: Ints
    key: Hashes
    count: npt.NDArray[np.float64]
    first: Ints
    last: Ints


def count_ngrams(tokens: Tokens, folds: Hashes) -> Ngrams:
    """Count the n-grams of the works of a chunk.

    The segments of `tokens` are the titles of all works and then their abstracts, in the same
    order; `folds` are the folded numbers of the words (`copub.technology.lexicon`).
    """
    works = max(tokens.segments // 2, 1)
    kept = np.flatnonzero(folds)
    words, segment = folds[kept], tokens.segment[kept]
    beside = np.flatnonzero(segment[1:] == segment[:-1])
    key = np.concatenate([words, pair(words[beside], words[beside + 1])])
    first = np.concatenate([kept, kept[beside]])
    last = np.concatenate([kept, kept[beside + 1]])
    segment = np.concatenate([segment, segment[beside]])
    work = segment % works
    order = np.lexsort((first, key, work))
    key, work, first, last, segment = key[order], work[order], first[order], last[order], segment[order]
    new = np.ones(key.size, dtype=np.bool_)
    new[1:] = (key[1:] != key[:-1]) | (work[1:] != work[:-1])
    at = np.flatnonzero(new)
    weight = np.where(segment < works, TITLE_WEIGHT, 1.0)
    count = np.add.reduceat(weight, at) if at.size else weight
    return Ngrams(work[at], key[at], count, first[at], last[at])
