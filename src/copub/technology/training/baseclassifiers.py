"""Learning the base classifiers: linear scorers over n-grams, each from one source of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from copub.technology.model import Vocabulary, slot_of
from copub.technology.training.labelledworks import Text
from copub.technology.workchunk import Chunk, TextReader

CHUNK = 4_000
# Base classifier -> arXiv categories that are its positives.
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
class Batch:
    """Texts to be read alike; `titles_only` leaves the abstracts aside."""

    texts: Sequence[Text]
    titles_only: bool = False


def read_batches(reader: TextReader, batches: Sequence[Batch]) -> Iterator[Chunk]:
    """Read the texts of all batches in order, chunk by chunk."""
    for batch in batches:
        for start in range(0, len(batch.texts), CHUNK):
            part = batch.texts[start : start + CHUNK]
            titles = pl.Series([text.title for text in part], dtype=pl.String)
            abstracts = pl.Series(["" if batch.titles_only else text.abstract for text in part], dtype=pl.String)
            yield from reader.read(titles, abstracts)


def learn_vocabulary(reader: TextReader, batches: Sequence[Batch], *, at_least: int, at_most: int) -> Vocabulary:
    """Choose the n-grams of at least so many texts, the commonest `at_most` of them."""
    parts = []
    for chunk in read_batches(reader, batches):
        placed = chunk.ngrams()
        order = np.lexsort((placed.segment % chunk.works, placed.key))
        key, work = placed.key[order], placed.segment[order] % chunk.works
        new = np.ones(key.size, dtype=np.bool_)
        new[1:] = (key[1:] != key[:-1]) | (work[1:] != work[:-1])
        parts.append(key[new])
    keys, counts = np.unique(np.concatenate(parts), return_counts=True)
    keys, counts = keys[counts >= at_least], counts[counts >= at_least]
    order = np.lexsort((keys, -counts))[:at_most]
    keys, counts = keys[order], counts[order]
    _, first = np.unique(slot_of(keys), return_index=True)  # of those that share a slot, the commonest stays
    keys, counts = keys[np.sort(first)], counts[np.sort(first)]
    order = np.argsort(keys)
    texts = sum(len(batch.texts) for batch in batches)
    idf = np.log((1.0 + texts) / (1.0 + counts[order])) + 1.0
    return Vocabulary.of(keys[order], idf.astype(np.float16).astype(np.float32))


def vectorize(
    reader: TextReader, vocabulary: Vocabulary, batches: Sequence[Batch]
) -> tuple[sp.csr_matrix, npt.NDArray[np.float32]]:
    """Return TF-IDF rows and rule features of all texts."""
    vectors, rules = [], []
    for chunk in read_batches(reader, batches):
        placed = chunk.ngrams()
        vectors.append(vocabulary.vectors(placed, vocabulary.columns(placed.key), chunk.works)[0])
        rules.append(chunk.rules)
    return sp.vstack(vectors).tocsr(), np.concatenate(rules)


@dataclass(frozen=True, slots=True)
class Task:
    """What one base classifier is to learn: rows of the vectors, which of them are positive, by which method."""

    name: str
    rows: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]
    method: str


def learn_heads(
    vectors: sp.csr_matrix, tasks: Sequence[Task], *, processes: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Learn all base classifiers; returns n-grams x base classifiers, and intercepts."""
    with ProcessPoolExecutor(processes) as pool:
        learnt = list(pool.map(_learn, [(vectors[task.rows], task.positive, task.method) for task in tasks]))
    weights = np.stack([weight for weight, _ in learnt], axis=1).astype(np.float32)
    return weights, np.array([intercept for _, intercept in learnt], dtype=np.float32)


def _learn(job: tuple[sp.csr_matrix, npt.NDArray[np.bool_], str]) -> tuple[npt.NDArray[np.float64], float]:
    threadpool_limits(1)
    vectors, positive, method = job
    if method == "svm":
        learner = LinearSVC(C=0.5, random_state=0)
    elif method == "balanced svm":
        learner = LinearSVC(C=0.3, class_weight="balanced", random_state=0, max_iter=3000)
    else:
        learner = LogisticRegression(C=20.0, class_weight="balanced", solver="liblinear", random_state=0)
    learner.fit(vectors, positive)
    return learner.coef_[0], float(learner.intercept_[0])
