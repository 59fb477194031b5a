"""What copub knows of a word: how it folds for the model, and which rule words it is.

A word is worked out once, in Python, and then remembered in a table addressed by its number;
the table has a fixed size, so memory does not grow with the number of works.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from copub.technology.terms import fold_word
from copub.technology.tokens import Hashes, Ints, Tokens, hash_words

_BITS = 20
# The plainest English words: they part phrases of the model rather than speak for anything.
# fmt: off
STOP_WORDS = frozenset({
    "a", "about", "above", "after", "al", "all", "also", "although", "among", "an", "and", "another", "any",
    "are", "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by",
    "can", "could", "did", "do", "does", "doing", "down", "due", "during", "each", "either", "et", "few", "for",
    "from", "further", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how",
    "however", "i", "if", "in", "into", "is", "it", "its", "itself", "may", "me", "might", "more", "most",
    "much", "must", "my", "neither", "no", "nor", "not", "of", "off", "on", "once", "one", "only", "onto", "or",
    "other", "our", "ours", "out", "over", "own", "per", "same", "shall", "she", "should", "since", "so",
    "some", "such", "than", "that", "the", "their", "theirs", "them", "then", "there", "thereby", "therefore",
    "these", "they", "this", "those", "through", "thus", "to", "too", "towards", "two", "under", "until", "up",
    "upon", "us", "use", "used", "uses", "using", "very", "via", "was", "we", "were", "what", "when", "where",
    "whereas", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without",
    "would", "yet", "you", "your",
})
# fmt: on


def fold_for_model(word: str) -> str:
    """Fold a word for the model: lower case, accents off, plain plural off; "" for stop words."""
    folded = fold_word(word)
    if folded in STOP_WORDS or len(folded) < 2 or folded.isdigit():
        return ""
    if len(folded) > 3 and folded.endswith("s") and not folded.endswith(("ss", "us", "is")):
        return folded[:-3] + "y" if folded.endswith("ies") and len(folded) > 4 else folded[:-1]
    return folded


class Lexicon:
    """Remembers for each word its folded number (0 for stop words) and its class (0 for none).

    Parameters
    ----------
    classify : gives the class of a word as printed; see `copub.technology.automaton`.
    """

    def __init__(self, classify: Callable[[str], int]) -> None:
        self._classify = classify
        self._keys = np.zeros(1 << _BITS, dtype=np.uint64)
        self._folds = np.zeros(1 << _BITS, dtype=np.uint64)
        self._classes = np.zeros(1 << _BITS, dtype=np.int32)

    def look_up(self, tokens: Tokens) -> tuple[Hashes, npt.NDArray[np.int32]]:
        """Return the folded number and the class of every word."""
        slots = (tokens.hashes >> np.uint64(64 - _BITS)).astype(np.int64)
        folds, classes = self._folds[slots], self._classes[slots]
        missed = np.flatnonzero(self._keys[slots] != tokens.hashes)
        if missed.size:
            self._learn(tokens, missed, folds, classes)
        return folds, classes

    def _learn(self, tokens: Tokens, missed: Ints, folds: Hashes, classes: npt.NDArray[np.int32]) -> None:
        hashes, first, inverse = np.unique(tokens.hashes[missed], return_index=True, return_inverse=True)
        places = missed[first]
        bounds = zip(tokens.starts[places].tolist(), tokens.ends[places].tolist(), strict=True)
        words = [tokens.text(start, end) for start, end in bounds]
        new_folds = hash_words([fold_for_model(word) for word in words])
        new_classes = np.array([self._classify(word) for word in words], dtype=np.int32)
        folds[missed], classes[missed] = new_folds[inverse], new_classes[inverse]
        slots = (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
        # Two words may want one slot: all three tables must keep the same one of them.
        slots, last = np.unique(slots[::-1], return_index=True)
        last = hashes.size - 1 - last
        self._keys[slots], self._folds[slots], self._classes[slots] = hashes[last], new_folds[last], new_classes[last]
