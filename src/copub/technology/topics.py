"""OpenAlex topics as evidence: what the classifier reads in the text of a work's topics.

OpenAlex describes each of its topics by a name, keywords and a summary. The classifier has read these texts as it
reads a work, and keeps the logits. Those of a work's topics move its scores, in both directions: a title that
says little is less doubtful beside "Advanced battery materials", and more so beside "Cardiac imaging". Topics come
from a model that OpenAlex replaced in October 2026, with the same topics; compare by id, for names change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEAST, MOST = -7.0, 3.0
"""Between these the logits of a topic are kept: beyond, they only repeat how sure the classifier is of plain texts."""
_NUMBER = pl.col("topic_id").str.strip_prefix("T").cast(pl.Int64, strict=False)


@dataclass(frozen=True, slots=True)
class TopicTexts:
    """What the classifier reads in the texts of topics.

    `numbers` : the topics, sorted: 10020 is T10020. `logits` : topics x areas, and a last column for "in any area".
    """

    numbers: Ints
    logits: npt.NDArray[np.float32]

    @classmethod
    def of(cls, topics: list[str], logits: npt.NDArray[np.float32]) -> TopicTexts:
        """Return the topics in order, their logits in bounds and with two decimals."""
        numbers = np.array([int(topic.removeprefix("T")) for topic in topics], dtype=np.int64)
        order = np.argsort(numbers)
        kept = np.round(np.clip(logits.astype(np.float64), LEAST, MOST), 2)
        return cls(numbers[order], kept[order].astype(np.float32))


@dataclass(frozen=True, slots=True)
class TopicWeights:
    """How topics move a logit: slope * logit + primary * its own + further * mean of the others + bias.

    A work with one topic has it for the others too; a work without a known topic keeps its logit.
    """

    slope: float
    primary: float
    further: float
    bias: float

    def added(self, of_topics: Values) -> Values:
        """Return what topics add to logits that keep their slope (`TopicsOfWorks.logits`)."""
        return np.asarray(self.primary * of_topics[0] + self.further * of_topics[1] + self.bias)


@dataclass(frozen=True, slots=True)
class TopicsOfWorks:
    """What the topics of some works give them.

    `is_known` : which works have a topic that the model knows. `logits` : that of the primary topic, and the mean of
    the further ones: 2 x works x areas and any area.
    """

    is_known: npt.NDArray[np.bool_]
    logits: Values

    def moved(
        self, logits: Values, whole: Values, weights: Mapping[str, TopicWeights]
    ) -> tuple[Values, Values, npt.NDArray[np.bool_]]:
        """Return the logits of areas and of any area after topics moved them, and where they speak for an area."""
        areas, of_any, known = weights["areas"], weights["any"], self.is_known
        added = areas.added(self.logits[..., :-1])
        of_areas = np.where(known[:, None], areas.slope * logits + added, logits)
        of_whole = np.where(known, of_any.slope * whole + of_any.added(self.logits[..., -1]), whole)
        return of_areas, of_whole, known[:, None] & (added > 0)


def known_topics(works: pl.DataFrame, topics: pl.DataFrame, texts: TopicTexts) -> pl.DataFrame:
    """Return the topics of works that the model knows, sorted by work and rank.

    Columns: work (position in `works`), topic (position in `texts`), topic_id, topic_name, score.
    """
    places = works.select("work_id", work=pl.int_range(pl.len(), dtype=pl.Int64))
    known = pl.DataFrame({"number": texts.numbers}).with_columns(topic=pl.int_range(pl.len(), dtype=pl.Int64))
    return (
        topics.with_columns(number=_NUMBER)
        .join(places, on="work_id")
        .join(known, on="number")
        .sort("work", "rank", "topic")
        .select("work", "topic", "topic_id", "topic_name", "score")
    )


def logits_of_topics(work: Ints, topic: Ints, works: int, texts: TopicTexts) -> TopicsOfWorks:
    """Return the logits that the topics of works give them.

    Parameters
    ----------
    work, topic : position of the work, and of the topic in `texts`; sorted by work and rank.
    works : number of works.
    """
    each = texts.logits[topic].astype(np.float64)
    known = np.zeros(works, dtype=np.bool_)
    known[work] = True
    found = np.zeros((2, works, texts.logits.shape[1]))
    having, first, count = np.unique(work, return_index=True, return_counts=True)
    found[0, having] = each[first]
    sums = np.zeros_like(found[0])
    np.add.at(sums, work, each)
    others = np.maximum(count - 1, 1)[:, None]
    found[1, having] = np.where(count[:, None] > 1, (sums[having] - each[first]) / others, each[first])
    return TopicsOfWorks(known, found)


def topic_sentence(topic: Mapping[str, Any], epoch: str | None) -> str:
    """Return a topic in words: name, id, score, epoch of the topic model."""
    score = "no score" if topic["score"] is None else f"score {topic['score']:.2f}"
    return f"OpenAlex topic “{topic['topic_name'] or topic['topic_id']}” ({score}, epoch {epoch or 'unknown'})"
