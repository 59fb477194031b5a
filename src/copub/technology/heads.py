"""Learning the heads: linear scorers over n-grams, each from one source of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from copub.technology.corpus import Text
from copub.technology.model import Vocabulary, slot_of
from copub.technology.ngrams import Ngrams
from copub.technology.reading import TextReader

CHUNK = 4_000
# Head -> arXiv categories that are its positives.
CATEGORY_HEADS: Mapping[str, tuple[str, ...]] = {
    "ai": ("cs.AI", "cs.LG", "stat.ML", "cs.CV", "cs.CL", "cs.MA", "cs.RO"),
    "learning": ("cs.LG", "stat.ML", "cs.NE", "cs.AI"),
    "vision": ("cs.CV", "eess.IV"),
    "language": ("cs.CL",),
    "speech": ("cs.SD", "eess.AS"),
    "computing": ("cs.DC", "cs.PF"),
    "robotics": ("cs.RO",),
    "security": ("cs.CR",),
    "networks": ("cs.NI",),
    "information": ("cs.IT",),
    "signals": ("eess.SP",),
    "control": ("cs.SY", "eess.SY"),
    "quantum": ("quant-ph",),
    "hardware": ("cs.AR", "cs.ET"),
    "optics": ("physics.optics",),
    "applied physics": ("physics.app-ph",),
    "detectors": ("physics.ins-det",),
    "plasma": ("physics.plasm-ph",),
    "materials": ("cond-mat.mtrl-sci",),
    "nanostructures": ("cond-mat.mes-hall",),
    "superconductors": ("cond-mat.supr-con",),
    "space physics": ("physics.space-ph", "astro-ph.IM", "astro-ph.EP"),
    "fluids": ("physics.flu-dyn",),
    "accelerators": ("physics.acc-ph",),
    "medical physics": ("physics.med-ph",),
    "genomics": ("q-bio.GN", "q-bio.BM", "q-bio.MN"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """Texts as the model reads them: n-grams of all, and rule features."""

    ngrams: Ngrams
    rules: npt.NDArray[np.float32]
    texts: int


def read_texts(reader: TextReader, texts: Sequence[Text], *, titles_only: bool = False) -> Read:
    """Read texts; `titles_only` leaves the abstracts aside."""
    parts: list[Ngrams] = []
    rules = []
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        titles = pl.Series([text.title for text in part], dtype=pl.String)
        abstracts = pl.Series(["" if titles_only else text.abstract for text in part], dtype=pl.String)
        chunk = reader.read(titles, abstracts)
        counted = chunk.ngrams()
        parts.append(Ngrams(counted.work + start, counted.key, counted.count, counted.first, counted.last))
        rules.append(chunk.rules)
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Ngrams.__slots__}
    return Read(Ngrams(**joined), np.concatenate(rules), len(texts))


def learn_vocabulary(reads: Sequence[Read], *, at_least: int, at_most: int) -> Vocabulary:
    """Choose the n-grams of at least so many texts, the commonest `at_most` of them."""
    keys, counts = np.unique(np.concatenate([read.ngrams.key for read in reads]), return_counts=True)
    keys, counts = keys[counts >= at_least], counts[counts >= at_least]
    order = np.lexsort((keys, -counts))[:at_most]
    keys, counts = keys[order], counts[order]
    _, first = np.unique(slot_of(keys), return_index=True)  # of those that share a slot, the commonest stays
    keep = np.sort(first)
    keys, counts = keys[keep], counts[keep]
    order = np.argsort(keys)
    texts = sum(read.texts for read in reads)
    idf = np.log((1.0 + texts) / (1.0 + counts[order])) + 1.0
    return Vocabulary.of(keys[order], idf.astype(np.float16).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Task:
    """What one head is to learn: rows of the vectors, which of them are positive, by which method."""

    name: str
    rows: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]
    method: str


def learn_heads(
    vectors: sp.csr_matrix, tasks: Sequence[Task], *, processes: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Learn all heads; returns n-grams x heads, and intercepts."""
    with ProcessPoolExecutor(processes) as pool:
        learnt = list(pool.map(_learn, [(vectors[task.rows], task.positive, task.method) for task in tasks]))
    weights = np.stack([weight for weight, _ in learnt], axis=1).astype(np.float32)
    return weights, np.array([intercept for _, intercept in learnt], dtype=np.float32)


def _learn(job: tuple[sp.csr_matrix, npt.NDArray[np.bool_], str]) -> tuple[npt.NDArray[np.float64], float]:
    vectors, positive, method = job
    if method == "svm":
        learner = LinearSVC(C=0.5, random_state=0)
    elif method == "balanced svm":
        learner = LinearSVC(C=0.3, class_weight="balanced", random_state=0, max_iter=3000)
    else:
        learner = LogisticRegression(C=20.0, class_weight="balanced", solver="liblinear", random_state=0)
    learner.fit(vectors, positive)
    return learner.coef_[0], float(learner.intercept_[0])
