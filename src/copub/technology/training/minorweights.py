"""Learning what the meta-classifier does not: the weight of rules alone, and of OpenAlex topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from copub.technology.features import RULE_FEATURES
from copub.technology.topics import TopicsOfWorks, TopicTexts, TopicWeights, logits_of_topics
from copub.technology.training.labelledworks import Text
from copub.technology.training.metaclassifier import Labelled, tells_of_any
from copub.technology.training.thresholds import best_threshold

Scores = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_WEIGHTS = tuple(field.name for field in fields(TopicWeights))
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


def topics_of(texts: Sequence[Text], topics: Mapping[str, Sequence[str]], known: TopicTexts) -> TopicsOfWorks:
    """Return the topics of texts (by id of the work, primary first) that the model knows."""
    place = {number: at for at, number in enumerate(known.numbers.tolist())}
    found = [
        (work, place[number])
        for work, text in enumerate(texts)
        for number in (int(topic.removeprefix("T")) for topic in topics.get(text.id, ()))
        if number in place
    ]
    work, topic = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return logits_of_topics(work, topic, len(texts), known)


def learn_topic_weights(logits: Scores, whole: Scores, works: Labelled, of_topics: Scores) -> dict[str, Any]:
    """Learn how topics move the logits of areas, all alike, and of any area.

    Parameters
    ----------
    logits, whole : cross-validated; those of areas calibrated, works x areas.
    works : labels of works that have topics. of_topics : their logits (`copub.technology.topics.TopicsOfWorks`).
    """
    truth = np.asarray(works.positive.any(axis=1))
    of_areas, of_any = of_topics[..., :-1], of_topics[..., -1]
    usable, is_whole = works.usable, tells_of_any(works)
    return {
        "areas": _moving(logits[usable], of_areas[:, usable], works.positive[usable]),
        "any": _moving(whole[is_whole], of_any[:, is_whole], truth[is_whole]),
    }


def _moving(logits: Scores, of_topics: Scores, truth: Bools) -> dict[str, float]:
    if truth.all() or not truth.any():  # nothing can be learnt: topics move nothing
        return dict(zip(_WEIGHTS, (1.0, 0.0, 0.0, 0.0), strict=True))
    learner = LogisticRegression(C=1.0, max_iter=1000).fit(np.column_stack([logits, *of_topics]), truth)
    learnt = (*learner.coef_[0], learner.intercept_[0])
    return {name: round(float(value), 3) for name, value in zip(_WEIGHTS, learnt, strict=True)}
