"""Learning what the margins of a base classifier are worth (`copub.lists.modelcard`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from copub.technology.areascorer import sigmoid
from copub.technology.training.thresholds import GRID, WANTED, best_threshold, precision_of, recall_of

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


def unseen_margins(
    vectors: sp.csr_matrix, halves: npt.NDArray[np.int64], weights: Floats, intercepts: Floats
) -> Floats:
    """Return for each work the margin of the base classifier that has not seen its half.

    Parameters
    ----------
    vectors : works x n-grams.
    halves : number of the half into which each work falls.
    weights, intercepts : n-grams x base classifiers and one per base classifier, where number k was
        learnt without half k.
    """
    margins = np.asarray(vectors @ weights, dtype=np.float32) + intercepts
    return np.asarray(margins[np.arange(halves.size), halves])


def learn_head_score(margins: Floats, truth: Bools) -> dict[str, Any]:
    """Learn slope, intercept and thresholds of a base classifier from margins of works that it has not seen.

    `balanced` has the best F1, smoothed over its neighbours; `precision` and `recall` are the nearest
    above and below it with 0.90 of it.

    Returns the fields of `copub.lists.modelcard.HeadScore`, numbers rounded to four digits.
    """
    learner = LogisticRegression(C=1e3).fit(margins[:, None].astype(np.float64), truth)
    slope, intercept = round(float(learner.coef_[0, 0]), 4), round(float(learner.intercept_[0]), 4)
    scores = sigmoid(slope * margins.astype(np.float64) + intercept)
    balanced = best_threshold(scores, truth)
    above = [at for at in GRID if at >= balanced and precision_of((scores >= at)[None], truth) >= WANTED]
    below = [at for at in GRID if at <= balanced and recall_of((scores >= at)[None], truth) >= WANTED]
    thresholds = {
        "precision": float(above[0] if above else GRID[-1]),
        "balanced": balanced,
        "recall": float(below[-1] if below else GRID[0]),
    }
    return {"slope": slope, "intercept": intercept, "thresholds": thresholds}
