"""From logits to probabilities, and from probabilities to yes or no, by cross-validated logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from copub.technology.classifierevaluation import ENOUGH, any_area, f1_of
from copub.technology.jointadjustment import adjust_jointly, any_logits
from copub.technology.model import KINDS, read_topic_weights
from copub.technology.topics import TopicsOfWorks
from copub.technology.training.labelledworks import Text
from copub.technology.training.metaclassifier import Labelled

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
GRID = np.round(np.arange(0.10, 0.91, 0.01), 2)
SMOOTH = 5
"""A threshold is evaluated by the mean over its neighbours this many steps away on both sides."""
WANTED = 0.90
"""Precision of the operating point `precision`, recall of the operating point `recall`, over all areas together."""


def kinds_of(gold: Sequence[Text]) -> npt.NDArray[np.str_]:
    """Return for each work which kind of scorer scores it."""
    return np.array(["full" if text.abstract else "title" for text in gold])


def calibrate(runs: Sequence[Floats], labels: Labelled, gold: Sequence[Text]) -> dict[str, tuple[float, float]]:
    """Return slope and intercept by kind, so that sigmoid(slope * logit + intercept) is a probability."""
    calibration = {}
    kinds = kinds_of(gold)
    for kind in KINDS:
        chosen = labels.usable & (kinds == kind)[:, None]
        logits = np.concatenate([run[:, :-1][chosen] for run in runs])
        truth = np.concatenate([labels.positive[chosen] for _ in runs])
        learner = LogisticRegression(C=1e3).fit(logits[:, None], truth)
        calibration[kind] = (round(float(learner.coef_[0, 0]), 4), round(float(learner.intercept_[0]), 4))
    return calibration


def calibrated(run: Floats, kinds: npt.NDArray[np.str_], calibration: Mapping[str, tuple[float, float]]) -> Scores:
    """Return calibrated logits, works x areas, before the areas of a work are moved together."""
    slope = np.array([calibration[kind][0] for kind in kinds])[:, None]
    intercept = np.array([calibration[kind][1] for kind in kinds])[:, None]
    return np.asarray(slope * run[:, :-1].astype(np.float64) + intercept)


def learn_together(
    runs: Sequence[Floats], labels: Labelled, gold: Sequence[Text], calibration: Mapping[str, tuple[float, float]]
) -> tuple[float, float, float]:
    """Learn the weights of areas and base classifier for "in any area" (`copub.technology.jointadjustment`)."""
    kinds = kinds_of(gold)
    truth, _, usable = any_area(labels.positive, labels.positive, labels.usable)
    seen = [np.column_stack([any_logits(calibrated(run, kinds, calibration)), run[:, -1]])[usable] for run in runs]
    learner = LogisticRegression(C=10.0).fit(np.concatenate(seen), np.concatenate([truth[usable] for _ in runs]))
    areas, head = learner.coef_[0]
    return (round(float(areas), 4), round(float(head), 4), round(float(learner.intercept_[0]), 4))


def probabilities(
    run: Floats, kinds: npt.NDArray[np.str_], card: Mapping[str, Any], topics: TopicsOfWorks | None = None
) -> Scores:
    """Return probabilities, works x areas.

    Parameters
    ----------
    card : has the calibration, the weights of topics and those of the joint adjustment.
    topics : topics of the works, where any has some.
    """
    areas, whole = calibrated(run, kinds, card["calibration"]), run[:, -1].astype(np.float64)
    if topics is not None:
        for kind, weights in read_topic_weights(card).items():
            of_kind, moved = kinds == kind, topics.moved(areas, whole, weights)
            areas, whole = np.where(of_kind[:, None], moved[0], areas), np.where(of_kind, moved[1], whole)
    logits = adjust_jointly(areas, whole, card["together"])
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def choose_thresholds(scores: Sequence[Scores], labels: Labelled) -> dict[str, float]:
    """Choose one threshold per operating point for all areas: one for each area would follow thirty works each.

    `balanced` is the best (the middle of those that are) in macro F1 (areas with enough positives) plus F1
    of any area, smoothed over its neighbours; `precision` is the next above it, `recall` the next below it, with
    what is `WANTED` over all pairs of work and area.

    Parameters
    ----------
    scores : cross-validated probabilities of the gold works, one array a run.
    """
    gains = np.array([np.mean([_gain(run >= at, labels) for run in scores]) for at in GRID])
    window = np.convolve(np.pad(gains, SMOOTH, mode="edge"), np.ones(2 * SMOOTH + 1), mode="valid")
    best = np.flatnonzero(window >= window.max() - 1e-9)
    balanced = float(GRID[best[best.size // 2]])
    pairs = np.stack([run[labels.usable] for run in scores])
    truth = labels.positive[labels.usable]
    above = [at for at in GRID if at >= balanced and precision_of(pairs >= at, truth) >= WANTED]
    below = [at for at in GRID if at <= balanced and recall_of(pairs >= at, truth) >= WANTED]
    return {
        "precision": float(above[0] if above else GRID[-1]),
        "balanced": balanced,
        "recall": float(below[-1] if below else GRID[0]),
    }


def precision_of(taken: Bools, truth: Bools) -> float:
    """Return precision over all runs together."""
    return float((taken & truth).sum() / max(int(taken.sum()), 1))


def recall_of(taken: Bools, truth: Bools) -> float:
    """Return recall over all runs together."""
    return float((taken & truth).sum() / max(truth.sum() * len(taken), 1))


def _gain(taken: Bools, labels: Labelled) -> float:
    enough = [at for at in range(taken.shape[1]) if (labels.positive & labels.usable)[:, at].sum() >= ENOUGH]
    by_area = [f1_of(labels.positive[ok, at], taken[ok, at]) for at in enough if (ok := labels.usable[:, at]).any()]
    truth, found, usable = any_area(labels.positive, taken, labels.usable)
    return (float(np.mean(by_area)) if by_area else 0.0) + f1_of(truth[usable], found[usable])


def best_threshold(scores: Scores, truth: Bools) -> float:
    """Return the threshold of highest F1, smoothed over its neighbours."""
    gains = np.array([f1_of(truth, scores >= at) for at in GRID])
    window = np.convolve(np.pad(gains, SMOOTH, mode="edge"), np.ones(2 * SMOOTH + 1), mode="valid")
    return float(GRID[int(np.argmax(window))])
