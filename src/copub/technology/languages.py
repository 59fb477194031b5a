"""Whether a text is in a language that the model knows.

OpenAlex guesses languages and errs on short titles, so its word is checked against the text: a
work said to be in another language is still judged if most of its words are known to the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from copub.technology.lexicon import Lexicon
from copub.technology.model import Vocabulary, slot_of
from copub.technology.tokens import tokenize

SHARE_KNOWN = 0.6
SHARE_KNOWN_UNSAID = 0.4
"""Words known to the model, of all that are no stop words; the second where no language is said."""


def classifiable(works: pl.DataFrame, vocabulary: Vocabulary, languages: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return for each work whether its title and abstract are in a known language."""
    said = works["language"].is_in(list(languages)).fill_null(False).to_numpy()
    unsaid = works["language"].is_null().to_numpy()
    share = known_share(works["title"] + " " + works["abstract"], vocabulary)
    needed = np.where(said, 0.0, np.where(unsaid, SHARE_KNOWN_UNSAID, SHARE_KNOWN))
    return np.asarray(share >= needed) & (said | (share > 0))


def known_share(texts: pl.Series, vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
    """Return the share of words that the model knows; 0 for texts without words."""
    tokens = tokenize(texts)
    folds, _ = Lexicon(lambda _: 0).look_up(tokens)
    told = folds > 0
    column = vocabulary.slots[slot_of(folds)]
    known = told & (column >= 0) & (vocabulary.keys[column] == folds)
    words = np.bincount(tokens.segment[told], minlength=tokens.segments)
    hits = np.bincount(tokens.segment[known], minlength=tokens.segments)
    return hits / np.maximum(words, 1)
