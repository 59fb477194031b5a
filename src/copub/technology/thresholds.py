"""From logits to probabilities, and from probabilities to yes or no, by cross-validated logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from copub.technology.combiner import Labelled
from copub.technology.corpus import Text
from copub.technology.evaluation import ENOUGH, f1_of
from copub.technology.model import KINDS

Floats = npt.NDArray[np.float32]
GRID = np.round(np.arange(0.10, 0.91, 0.01), 2)
PRIOR = 0.40
PULL = 0.30
"""How strongly a threshold is pulled towards `PRIOR`: loss of F1 per unit of distance."""
WANTED = {"precision": 0.85, "recall": 0.85}


def kinds_of(gold: Sequence[Text]) -> npt.NDArray[np.str_]:
    """Return for each work which kind of scorer judges it."""
    return np.array(["full" if text.abstract else "title" for text in gold])


def calibrate(runs: Sequence[Floats], labels: Labelled, gold: Sequence[Text]) -> dict[str, tuple[float, float]]:
    """Return slope and intercept by kind, so that sigmoid(slope * logit + intercept) is a probability."""
    calibration = {}
    kinds = kinds_of(gold)
    for kind in KINDS:
        chosen = labels.usable & (kinds == kind)[:, None]
        logits = np.concatenate([run[chosen] for run in runs])
        truth = np.concatenate([labels.positive[chosen] for _ in runs])
        learner = LogisticRegression(C=1e3).fit(logits[:, None], truth)
        calibration[kind] = (round(float(learner.coef_[0, 0]), 4), round(float(learner.intercept_[0]), 4))
    return calibration


def probabilities(
    logits: Floats, kinds: npt.NDArray[np.str_], calibration: Mapping[str, tuple[float, float]]
) -> npt.NDArray[np.float64]:
    """Return calibrated probabilities, works x areas."""
    slope = np.array([calibration[kind][0] for kind in kinds])[:, None]
    intercept = np.array([calibration[kind][1] for kind in kinds])[:, None]
    return np.asarray(1.0 / (1.0 + np.exp(-(slope * logits.astype(np.float64) + intercept))))


def choose_thresholds(
    runs: Sequence[Floats],
    labels: Labelled,
    gold: Sequence[Text],
    areas: Sequence[str],
    calibration: Mapping[str, tuple[float, float]],
) -> dict[str, dict[str, float]]:
    """Choose thresholds by profile and area; thin areas take the one of all areas together."""
    kinds = kinds_of(gold)
    scores = np.stack([probabilities(run, kinds, calibration) for run in runs])
    chosen: dict[str, dict[str, float]] = {profile: {} for profile in ("precision", "balanced", "recall")}
    everything = _of_pairs(scores[:, labels.usable], labels.positive[labels.usable])
    for at, area in enumerate(areas):
        ok = labels.usable[:, at]
        truth = labels.positive[ok, at]
        profiles = _of_pairs(scores[:, ok, at], truth) if truth.sum() >= ENOUGH else everything
        for profile, threshold in profiles.items():
            chosen[profile][area] = threshold
    return chosen


def best_threshold(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> float:
    """Return the threshold of highest mean F1 over runs, pulled towards `PRIOR`."""
    means = [np.mean([f1_of(truth, run >= threshold) for run in scores]) for threshold in GRID]
    gains = np.array(means) - PULL * np.abs(GRID - PRIOR)
    return float(GRID[int(np.argmax(gains))])


def _of_pairs(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> dict[str, float]:
    balanced = best_threshold(scores, truth)
    precise, complete = balanced, balanced
    for threshold in GRID:
        taken = scores >= threshold
        hits = (taken & truth).sum()
        if threshold >= balanced and hits / max(taken.sum(), 1) < WANTED["precision"]:
            precise = float(min(threshold + 0.01, GRID[-1]))
        if threshold <= balanced and hits / (truth.sum() * len(scores)) >= WANTED["recall"]:
            complete = float(threshold)
    if complete == balanced:
        complete = float(max(GRID[0], balanced / 2))
    return {"precision": round(precise, 2), "balanced": round(balanced, 2), "recall": round(complete, 2)}
