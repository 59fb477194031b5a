"""Learning what the meta-classifier does not: the weight of rules alone, and of OpenAlex topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from copub.technology.features import RULE_FEATURES
from copub.technology.topics import topic_map
from copub.technology.training.metaclassifier import Labelled
from copub.technology.training.thresholds import best_threshold

TOPIC_PLACES = ("primary", "further")
FACTORS = {"precision": 1.5, "balanced": 1.0, "recall": 0.6}
"""Thresholds of rules alone, relative to the balanced one."""


def learn_generic(gold: Labelled) -> dict[str, Any]:
    """Learn one logistic regression over rule features for all areas together.

    It scores areas for which no scorer was trained: those of taxonomies that people write.
    """
    features, truth = gold.rules[gold.usable], gold.positive[gold.usable]
    features = np.where(np.array(RULE_FEATURES) == "context terms", 0.0, features)  # few people's lists have any
    learner = LogisticRegression(C=1.0, max_iter=1000).fit(features, truth)
    scores = learner.predict_proba(features)[:, 1]
    balanced = best_threshold(scores, truth)
    return {
        "weights": [round(float(weight), 4) for weight in learner.coef_[0]],
        "bias": round(float(learner.intercept_[0]), 4),
        "thresholds": {
            operating_point: round(min(0.9, balanced * factor), 2) for operating_point, factor in FACTORS.items()
        },
    }


def learn_topic_weights(
    logits: npt.NDArray[np.float64],
    gold: Labelled,
    topics: Sequence[Sequence[str]],
    taxonomy: str,
    areas: Sequence[str],
) -> dict[str, float]:
    """Learn what a mapped topic adds to the logit, by its rank; never less than nothing.

    Parameters
    ----------
    logits : cross-validated and calibrated, works x areas.
    topics : ids of the topics of each gold work, the primary one first; works without are left out.
    """
    places = _places(topics, taxonomy, areas)
    known = np.array([bool(ids) for ids in topics])[:, None] & gold.usable
    features = np.column_stack([logits[known], *(places[..., at][known] for at in range(len(TOPIC_PLACES)))])
    learner = LogisticRegression(C=1.0, max_iter=1000).fit(features, gold.positive[known])
    scale = max(float(learner.coef_[0, 0]), 1e-6)
    weights = np.clip(learner.coef_[0, 1:] / scale, 0.0, 1.5)
    return {name: round(float(weight), 3) for name, weight in zip(TOPIC_PLACES, weights, strict=True)}


def _places(topics: Sequence[Sequence[str]], taxonomy: str, areas: Sequence[str]) -> npt.NDArray[np.float64]:
    mapped = set(topic_map(taxonomy).select("topic_id", "area").iter_rows())
    places = np.zeros((len(topics), len(areas), len(TOPIC_PLACES)))
    for row, ids in enumerate(topics):
        for rank, topic in enumerate(ids):
            for column, area in enumerate(areas):
                if (topic, area) in mapped:
                    places[row, column, min(rank, 1)] = 1.0
    return places
