"""Learning the meta-classifier from works read by people or readers, and evaluating it by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from copub.technology.model import SQUASH, Scorer, Vocabulary, any_features

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
DIRECT_SCALE = 4.0
DENSE_SCALE = 0.8
PENALTY = 0.5
AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled works as the meta-classifier sees them.

    `squashed` is works x base classifiers, `rules` works x areas x rule features, `vectors` works x n-grams;
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
    """What the meta-classifier learnt: for each area weights of base classifiers, rules and n-grams, and a bias.

    `direct` and `bias` have a last row for "in any area"; `any_heads` and `any_rules` are its other weights.
    """

    heads: Floats
    rules: Floats
    direct: Floats
    bias: Floats
    any_heads: Floats
    any_rules: Floats

    def logits(self, works: Labelled) -> Floats:
        """Return works x areas, and a last column for "in any area"."""
        areas = works.squashed @ self.heads.T + np.einsum("waf,af->wa", works.rules, self.rules)
        whole = works.squashed @ self.any_heads + any_features(works.rules) @ self.any_rules
        direct = np.asarray(works.vectors @ self.direct.T, dtype=np.float32)
        return np.asarray(np.column_stack([areas, whole]) + direct + self.bias, dtype=np.float32)


def squash(margins: Floats) -> Floats:
    """Bend margins of base classifiers into -1 to 1."""
    return np.asarray(np.tanh(margins / SQUASH), dtype=np.float32)


def learn_weights(works: Labelled) -> Weights:
    """Learn one logistic regression an area over base classifiers, rules and n-grams, and one for any area."""
    frequency = np.bincount(works.vectors.indices, minlength=works.vectors.shape[1])
    columns = np.flatnonzero(frequency >= AT_LEAST)
    vectors = works.vectors[:, columns] * DIRECT_SCALE
    areas, heads = works.positive.shape[1], works.squashed.shape[1]
    learnt, direct, bias = [], np.zeros((areas + 1, works.vectors.shape[1]), dtype=np.float32), []
    critical = np.asarray(works.positive.any(axis=1))
    whole = tells_of_any(works)
    for area in range(areas + 1):
        of_all = area == areas
        usable = whole if of_all else works.usable[:, area]
        rules = any_features(works.rules) if of_all else works.rules[:, area]
        rows = np.flatnonzero(usable)
        dense = sp.csr_matrix(np.hstack([works.squashed[rows], rules[rows]]) * DENSE_SCALE)
        truth = critical if of_all else works.positive[:, area]
        learner = LogisticRegression(C=PENALTY, solver="newton-cg", max_iter=50)
        learner.fit(sp.hstack([dense, vectors[rows]]).tocsr(), truth[rows], works.weight[rows])
        width = heads + rules.shape[1]
        learnt.append(learner.coef_[0, :width].astype(np.float32) * DENSE_SCALE)
        direct[area, columns] = learner.coef_[0, width:] * DIRECT_SCALE
        bias.append(learner.intercept_[0])
    own, of_any = np.stack(learnt[:-1]), learnt[-1]
    return Weights(
        own[:, :heads], own[:, heads:], direct, np.array(bias, dtype=np.float32), of_any[:heads], of_any[heads:]
    )


def tells_of_any(works: Labelled) -> Bools:
    """Return which works tell whether they are in any area: those read for one alone do not, if they are not in it."""
    critical = works.positive.any(axis=1)
    return np.asarray(works.usable.all(axis=1) | (critical & (works.usable.mean(axis=1) > 0.5)))


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
    works: Labelled, scored: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], *, processes: int
) -> Floats:
    """Return logits (scored works x areas and any area), each from a meta-classifier that has not seen the work.

    Parameters
    ----------
    scored : rows of `works` that are scored; all other rows are learnt from every time.
    folds : fold of each scored row.
    """
    jobs = []
    for fold in np.unique(folds):
        kept = np.ones(works.positive.shape[0], dtype=np.bool_)
        kept[scored[folds == fold]] = False
        jobs.append((works, np.flatnonzero(kept), scored[folds == fold]))
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(_score, jobs))
    logits = np.zeros((scored.size, works.positive.shape[1] + 1), dtype=np.float32)
    for fold, part in zip(np.unique(folds), parts, strict=True):
        logits[folds == fold] = part
    return logits


def _score(job: tuple[Labelled, npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> Floats:
    threadpool_limits(1)
    works, learnt_from, scored = job
    return learn_weights(works.of(learnt_from)).logits(works.of(scored))


def to_scorer(
    vocabulary: Vocabulary, names: Sequence[str], weights: Floats, intercepts: Floats, learnt: Weights
) -> Scorer:
    """Join base classifiers and meta-classifier into what is shipped."""
    direct = [*(f"direct:{area}" for area in range(learnt.bias.size - 1)), "direct:any"]
    return Scorer(
        vocabulary=vocabulary,
        heads=(*names, *direct),
        weights=np.hstack([weights, learnt.direct.T]).astype(np.float32),
        intercepts=np.concatenate([intercepts, np.zeros(len(direct), dtype=np.float32)]),
        head_weights=learnt.heads,
        rule_weights=learnt.rules,
        bias=learnt.bias,
        any_head_weights=learnt.any_heads,
        any_rule_weights=learnt.any_rules,
    )
