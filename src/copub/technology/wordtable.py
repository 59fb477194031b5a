"""What copub knows of a word: how it folds for the model, and which rule words it is.

A word is worked out once, in Python, and then remembered in tables addressed by its number;
they have a fixed size, so memory does not grow with the number of works.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from copub.lists.terms import fold_word
from copub.technology.tokens import Hashes, Ints, Tokens, hash_words

_BITS = 20
_UNKNOWN = np.uint64((1 << _BITS) - 1)
"""What is in a slot that no word has taken: no class has so high a number."""
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


class WordTable:
    """Remembers for each word its class (which rule words it is; 0 for none) and the number of its folded form.

    Parameters
    ----------
    classify : gives the class of a word as printed; see `copub.technology.automaton`.
    """

    def __init__(self, classify: Callable[[str], int]) -> None:
        self._classify = classify
        # A slot holds the class in its last bits and above them the bits of the word's number that
        # do not follow from the slot: one look tells whether the word is known, and its class.
        self._slots = np.full(1 << _BITS, _UNKNOWN, dtype=np.uint64)
        self._folds = np.zeros(1 << _BITS, dtype=np.uint64)

    def look_up(self, tokens: Tokens) -> tuple[Ints, Hashes]:
        """Return the class of every word, and the number of its folded form (0 for stop words)."""
        slots = _slots_of(tokens.hashes)
        found, folds = self._slots.take(slots), self._folds.take(slots)
        found ^= tokens.hashes << np.uint64(_BITS)
        missed = np.flatnonzero(found >= _UNKNOWN)
        if missed.size:
            found[missed], folds[missed] = self._learn(tokens, missed)
        return found.view(np.int64), folds

    def _learn(self, tokens: Tokens, missed: Ints) -> tuple[Hashes, Hashes]:
        hashes, first, inverse = np.unique(tokens.hashes[missed], return_index=True, return_inverse=True)
        at = missed[first]
        bounds = zip(tokens.starts[at].tolist(), tokens.ends[at].tolist(), strict=True)
        words = [tokens.text(start, end) for start, end in bounds]
        classes = np.array([self._classify(word) for word in words], dtype=np.uint64)
        folds = hash_words([fold_for_model(word) for word in words])
        # Two words may want one slot: both tables must keep the same one of them, and the first stays, as words
        # that are often there come early.
        slots, kept = np.unique(_slots_of(hashes), return_index=True)
        free = self._slots[slots] == _UNKNOWN
        slots, kept = slots[free], kept[free]
        self._slots[slots] = (hashes[kept] << np.uint64(_BITS)) | classes[kept]
        self._folds[slots] = folds[kept]
        return classes[inverse], folds[inverse]


def _slots_of(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - _BITS)).view(np.int64)
