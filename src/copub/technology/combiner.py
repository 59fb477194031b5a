"""Learning the combiner from works read by people or readers, and judging it by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from copub.technology.model import SQUASH, Scorer, Vocabulary

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
DIRECT_SCALE = 3.0
PENALTY = 0.5
AT_LEAST = 3


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled works as the combiner sees them.

    `squashed` is works x heads, `rules` works x areas x rule features, `vectors` works x n-grams;
    `positive` and `usable` are works x areas (not usable: the readers differed); `weight` says
    how much a work counts.
    """

    squashed: Floats
    rules: Floats
    vectors: sp.csr_matrix
    positive: Bools
    usable: Bools
    weight: npt.NDArray[np.float64]

    def of(self, rows: npt.NDArray[np.int64]) -> Labelled:
        """Return some of the works."""
        return Labelled(
            self.squashed[rows],
            self.rules[rows],
            self.vectors[rows],
            self.positive[rows],
            self.usable[rows],
            self.weight[rows],
        )


@dataclass(frozen=True, slots=True)
class Weights:
    """What the combiner learnt: for each area weights of heads, rules and n-grams, and a bias."""

    heads: Floats
    rules: Floats
    direct: Floats
    bias: Floats

    def logits(self, works: Labelled) -> Floats:
        """Return works x areas."""
        direct = np.asarray(works.vectors @ self.direct.T, dtype=np.float32)
        return np.asarray(
            works.squashed @ self.heads.T + np.einsum("waf,af->wa", works.rules, self.rules) + direct + self.bias,
            dtype=np.float32,
        )


def squash(margins: Floats) -> Floats:
    """Bend margins of heads into -1 to 1."""
    return np.asarray(np.tanh(margins / SQUASH), dtype=np.float32)


def learn_weights(works: Labelled) -> Weights:
    """Learn one logistic regression an area over heads, rules and n-grams."""
    frequency = np.bincount(works.vectors.indices, minlength=works.vectors.shape[1])
    columns = np.flatnonzero(frequency >= AT_LEAST)
    vectors = works.vectors[:, columns] * DIRECT_SCALE
    areas, heads, rules = works.positive.shape[1], works.squashed.shape[1], works.rules.shape[2]
    direct = np.zeros((areas, works.vectors.shape[1]), dtype=np.float32)
    learnt = np.zeros((areas, heads + rules), dtype=np.float32)
    bias = np.zeros(areas, dtype=np.float32)
    for area in range(areas):
        rows = np.flatnonzero(works.usable[:, area])
        dense = sp.csr_matrix(np.hstack([works.squashed[rows], works.rules[rows, area]]))
        learner = LogisticRegression(C=PENALTY, solver="liblinear", intercept_scaling=5.0, random_state=0, max_iter=200)
        learner.fit(sp.hstack([dense, vectors[rows]]).tocsr(), works.positive[rows, area], works.weight[rows])
        weights = learner.coef_[0]
        learnt[area] = weights[: heads + rules]
        direct[area, columns] = weights[heads + rules :] * DIRECT_SCALE
        bias[area] = learner.intercept_[0]
    return Weights(learnt[:, :heads], learnt[:, heads:], direct, bias)


def draw_folds(positive: Bools, strata: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal works into folds, evenly by stratum and rarest label."""
    totals = positive.sum(axis=0)
    rarest = [min(((int(totals[a]), int(a)) for a in np.flatnonzero(row)), default=(0, -1))[1] for row in positive]
    groups: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(strata, rarest, strict=True)):
        groups.setdefault(key, []).append(row)
    generator = np.random.default_rng(seed)
    fold = np.zeros(len(strata), dtype=np.int64)
    for key in sorted(groups):
        rows = generator.permutation(groups[key])
        fold[rows] = (np.arange(rows.size) + generator.integers(folds)) % folds
    return fold


def cross_validate(
    works: Labelled, judged: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], *, processes: int
) -> Floats:
    """Return logits (judged works x areas), each from a combiner that has not seen the work.

    Parameters
    ----------
    judged : rows of `works` that are judged; all other rows are learnt from every time.
    folds : fold of each judged row.
    """
    jobs = []
    for fold in np.unique(folds):
        kept = np.ones(works.positive.shape[0], dtype=np.bool_)
        kept[judged[folds == fold]] = False
        jobs.append((works, np.flatnonzero(kept), judged[folds == fold]))
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(_judge, jobs))
    logits = np.zeros((judged.size, works.positive.shape[1]), dtype=np.float32)
    for fold, part in zip(np.unique(folds), parts, strict=True):
        logits[folds == fold] = part
    return logits


def _judge(job: tuple[Labelled, npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> Floats:
    works, learnt_from, judged = job
    return learn_weights(works.of(learnt_from)).logits(works.of(judged))


def to_scorer(
    vocabulary: Vocabulary, names: Sequence[str], weights: Floats, intercepts: Floats, learnt: Weights
) -> Scorer:
    """Join heads and combiner into what is shipped."""
    areas = learnt.bias.size
    return Scorer(
        vocabulary=vocabulary,
        heads=(*names, *(f"direct:{area}" for area in range(areas))),
        weights=np.hstack([weights, learnt.direct.T]).astype(np.float32),
        intercepts=np.concatenate([intercepts, np.zeros(areas, dtype=np.float32)]),
        head_weights=learnt.heads,
        rule_weights=learnt.rules,
        bias=learnt.bias,
    )
