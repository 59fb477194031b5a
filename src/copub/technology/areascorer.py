"""From the texts of works to scores: one scorer per taxonomy.

The areas of the model's taxonomy are scored by base classifiers, rules and topics; those of any other by its own rules,
with the weights that rules have on average, through its links, or by a base classifier of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copub.errors import InputError
from copub.lists.taxonomy import Taxonomy
from copub.technology.jointadjustment import adjust_jointly
from copub.technology.languages import known_share
from copub.technology.linking import Route, follow, routes_of
from copub.technology.model import Model, Scorer
from copub.technology.rules import STRONG
from copub.technology.tokens import Ints
from copub.technology.topics import TopicsOfWorks
from copub.technology.workchunk import Chunk

Values = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Scores:
    """Values of a chunk under one taxonomy.

    `score` and `threshold` are works x areas. `by_rules`, `by_model`, `by_topic` say what speaks;
    `route` is the link that gave the score (-1: none did).
    """

    score: Values
    threshold: Values
    by_rules: Bools
    by_model: Bools
    by_topic: Bools
    route: Ints


@dataclass(frozen=True, slots=True)
class ModelView:
    """What the model saw of a chunk, kept for evidence.

    `starts`, `columns` and `values` are the rows of TF-IDF; `first` and `last` are the words of
    each stored n-gram; `known_share` is the share of each work's words that the model knows.
    """

    scorer: Scorer
    margins: npt.NDArray[np.float32]
    starts: Ints
    columns: Ints
    values: npt.NDArray[np.float32]
    first: Ints
    last: Ints
    known_share: Values


def sigmoid(logits: Values) -> Values:
    """Return probabilities of logits."""
    return 1.0 / (1.0 + np.exp(-logits))


def technologies_found(chunk: Chunk, taxonomy: Taxonomy, technology_of: Ints) -> Bools:
    """Return works x areas x technologies: whether a strong term of it was found."""
    widest = max((len(area.technologies) for area in taxonomy.areas), default=0)
    found = np.zeros((chunk.works, len(taxonomy.areas), max(widest, 1)), dtype=np.bool_)
    strong = chunk.hits.part == STRONG
    found[chunk.hits.work[strong], chunk.hits.area[strong], technology_of[chunk.hits.rule[strong]]] = True
    return found


class ModelAreaScorer:
    """Scores the areas of the model's own taxonomy.

    Raises
    ------
    InputError : the taxonomy has the id of the model's but other areas, or in another order.
    """

    def __init__(self, model: Model, taxonomy: Taxonomy, thresholds: Mapping[str, float]) -> None:
        if taxonomy.area_ids != model.areas:
            raise InputError(
                f"the model was trained for other areas than those of this {taxonomy.id!r}",
                hint="give a taxonomy with other areas an id of its own, or train a model for it",
            )
        self.model = model
        self.thresholds = np.array([thresholds[area] for area in taxonomy.area_ids])

    def score(self, chunk: Chunk, kind: str, topics: TopicsOfWorks) -> tuple[Scores, ModelView]:
        """Score a chunk of works with these topics."""
        scorer = self.model.scorers[kind]
        placed = chunk.ngrams()
        column = scorer.vocabulary.columns(placed.key)
        vectors, known = scorer.vocabulary.vectors(placed, column, chunk.works)
        margins = scorer.margins(vectors)
        slope, intercept = self.model.calibration[kind]
        none = np.zeros_like(chunk.rules)
        logits = slope * scorer.logits(margins, chunk.rules).astype(np.float64) + intercept
        whole = scorer.any_logits(margins, chunk.rules).astype(np.float64)
        without = slope * scorer.logits(margins, none).astype(np.float64) + intercept
        logits, whole, by_topic = topics.moved(logits, whole, self.model.topic_weights[kind])
        score = np.round(sigmoid(adjust_jointly(logits, whole, self.model.joint_weights)), DECIMALS)
        scores = Scores(
            score=score,
            threshold=np.broadcast_to(self.thresholds, score.shape),
            by_rules=rules_speak(chunk),
            by_model=sigmoid(without) >= 0.10,
            by_topic=by_topic,
            route=np.full(score.shape, -1, dtype=np.int64),
        )
        first, last = placed.first[known], placed.last[known]
        share = known_share(placed, column >= 0, chunk.works)
        return scores, ModelView(scorer, margins, vectors.indptr, vectors.indices, vectors.data, first, last, share)


def rules_speak(chunk: Chunk) -> Bools:
    """Return works x areas: a strong or title term, or a weak term of the title beside a context term."""
    features = chunk.rules
    return np.asarray((features[..., [0, 2, 3, 7]] > 0).any(axis=2))


class RuleAreaScorer:
    """Scores the areas of a taxonomy by its own rules, through its links, and by base classifiers of the model.

    Raises
    ------
    InputError : an area links to a base classifier that the model does not calibrate.
    """

    def __init__(
        self,
        model: Model,
        taxonomy: Taxonomy,
        target: Taxonomy | None,
        operating_point: str,
        thresholds: Mapping[str, float],
    ) -> None:
        self.taxonomy = taxonomy
        self.routes: tuple[tuple[Route, ...], ...] = tuple(
            routes_of(area, target) if target else () for area in taxonomy.areas
        )
        self._generic = {kind: (np.array(rules["weights"]), rules["bias"]) for kind, rules in model.generic.items()}
        self._has_rules = np.array([area.has_rules for area in taxonomy.areas])
        self._own = {
            kind: np.array([thresholds.get(area, rules["thresholds"][operating_point]) for area in taxonomy.area_ids])
            for kind, rules in model.generic.items()
        }
        self._given = thresholds
        self._operating_point = operating_point
        self._heads = {at: model.head_scores.get(area.head, {}) for at, area in enumerate(taxonomy.areas) if area.head}
        missing = [taxonomy.areas[at].head for at, scores in self._heads.items() if not scores]
        if missing:
            raise InputError(
                f"the model has no probability of the base classifier {missing[0]!r}",
                where=f"taxonomy {taxonomy.id}",
                hint="train the model anew (make model), or link to another base classifier",
            )

    def score(self, chunk: Chunk, kind: str, view: ModelView, linked: Scores | None, found: Bools | None) -> Scores:
        """Score a chunk; `linked` and `found` are the scores and technologies of the crosswalk's taxonomy."""
        weights, bias = self._generic[kind]
        own = sigmoid(chunk.rules.astype(np.float64) @ weights + bias)
        speak = rules_speak(chunk)
        score: Values = np.where(self._has_rules & speak, own, np.float64(0.0))
        threshold = np.broadcast_to(self._own[kind], score.shape).copy()
        route = np.full(score.shape, -1, dtype=np.int64)
        by_model, by_topic = np.zeros_like(speak), np.zeros_like(speak)
        if linked is not None and found is not None:
            for at, routes in enumerate(self.routes):
                if routes:
                    self._follow(at, routes, linked, found, (score, threshold, route, speak, by_model, by_topic))
        self._by_heads(kind, view, (score, threshold, by_model))
        score = np.asarray(np.round(score, DECIMALS), dtype=np.float64)
        return Scores(score, threshold, speak, by_model, by_topic, route)

    def _by_heads(self, kind: str, view: ModelView, into: tuple[Values, Values, Bools]) -> None:
        score, threshold, by_model = into
        has_words = np.diff(view.starts) > 0  # without words a margin is the intercept alone
        for at, scores in self._heads.items():
            area, read = self.taxonomy.areas[at], scores[kind]
            margins = view.margins[:, view.scorer.heads.index(area.head)].astype(np.float64)
            score[:, at] = np.where(has_words, sigmoid(read.slope * margins + read.intercept), 0.0)
            threshold[:, at] = self._given.get(area.id, read.thresholds[self._operating_point])
            by_model[:, at] = True

    def _follow(
        self,
        at: int,
        routes: tuple[Route, ...],
        linked: Scores,
        found: Bools,
        into: tuple[Values, Values, Ints, Bools, Bools, Bools],
    ) -> None:
        score, threshold, route, by_rules, by_model, by_topic = into
        passed, best = follow(routes, linked.score, found)
        rows = np.flatnonzero(passed > score[:, at])
        areas = np.array([r.area for r in routes])[best[rows]]
        score[rows, at], route[rows, at] = passed[rows], best[rows]
        if self.taxonomy.area_ids[at] not in self._given:
            threshold[rows, at] = linked.threshold[rows, areas]
        by_rules[rows, at] = linked.by_rules[rows, areas]
        by_model[rows, at] = linked.by_model[rows, areas]
        by_topic[rows, at] = linked.by_topic[rows, areas]
