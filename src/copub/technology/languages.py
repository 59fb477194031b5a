"""Whether a text is in a language that the model knows.

OpenAlex guesses languages and errs on short titles, so its word is checked against the text: a
work that is marked as written in another language is still classified if most of its words are known to the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from copub.technology.ngrams import Ngrams
from copub.technology.tokens import work_of

SHARE_KNOWN = 0.6
SHARE_KNOWN_UNSAID = 0.4
"""Words known to the model, of all that are no stop words; the second where no language is stated."""


def classifiable(languages: pl.Series, share: npt.NDArray[np.float64], known: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return for each work of a chunk whether its title and abstract are in a known language.

    Parameters
    ----------
    languages : what OpenAlex says of each work; null where it says nothing.
    share : share of the words of each work that the model knows (`known_share`).
    known : the languages of the model.
    """
    is_stated = languages.is_in(list(known)).fill_null(False).to_numpy()
    is_unstated = languages.is_null().to_numpy()
    needed = np.where(is_stated, 0.0, np.where(is_unstated, SHARE_KNOWN_UNSAID, SHARE_KNOWN))
    return np.asarray((share >= needed) & (is_stated | (share > 0)))


def known_share(ngrams: Ngrams, is_known: npt.NDArray[np.bool_], works: int) -> npt.NDArray[np.float64]:
    """Return the share of a work's words that the model knows, of all n-grams; 0 for works without words."""
    work = work_of(ngrams.segment[: ngrams.words], works)
    words = np.bincount(work, minlength=works)
    return np.bincount(work, weights=is_known[: ngrams.words], minlength=works) / np.maximum(words, 1)
