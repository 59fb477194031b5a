"""The shipped model: two sets of linear TF-IDF scorers and the meta-classifier that decides.

One set is for works with an abstract, one for titles alone. A scorer ("head") is a vector of
weights over word n-grams, learnt from one source of labels; the meta-classifier adds base classifiers, keyword
rules and topics to one logit per area. Numbers are stored as npz without pickled objects, all
else as JSON; the JSON holds the sha256 of the npz. Training: `copub.technology.training.train`.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from copub.errors import InputError
from copub.lists.modelcard import FOLDER as FOLDER
from copub.lists.modelcard import MODEL, HeadScores, read_head_scores
from copub.shipped import shipped_folder
from copub.technology.ngrams import TITLE_WEIGHT, Ngrams
from copub.technology.tokens import Hashes, Ints, work_of
from copub.technology.topics import TopicTexts, TopicWeights

KINDS = ("full", "title")
SLOT_BITS = 21
PLACE_BITS = 26
"""An n-gram of a chunk: its work, its column and its place are packed into one number."""
PARTS = ("intercepts", "head_weights", "rule_weights", "bias", "any_head_weights", "any_rule_weights")
SQUASH = 1.5
"""Margins of base classifiers are squashed by tanh(margin / SQUASH), so that none outvotes all others."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The n-grams that the base classifiers weigh: their numbers, sorted, and inverse document frequencies.

    No two numbers share their first `SLOT_BITS` bits (training sees to it), so that a table
    addressed by these bits finds an n-gram in one step.
    """

    keys: Hashes
    idf: Floats
    slots: npt.NDArray[np.int32]

    @classmethod
    def of(cls, keys: Hashes, idf: Floats) -> Vocabulary:
        """Build the table of slots."""
        slots = np.full(1 << SLOT_BITS, -1, dtype=np.int32)
        slots[slot_of(keys)] = np.arange(keys.size, dtype=np.int32)
        return cls(keys, idf, slots)

    def columns(self, keys: Hashes) -> npt.NDArray[np.int32]:
        """Return the column of each n-gram, -1 for those not in the vocabulary."""
        column = self.slots[slot_of(keys)]
        return np.where(self.keys[column] == keys, column, np.int32(-1))

    def vectors(self, ngrams: Ngrams, column: npt.NDArray[np.int32], works: int) -> tuple[sp.csr_matrix, Ints]:
        """Return TF-IDF rows of length one, and for each stored value the n-gram of its first place.

        `column` is that of each n-gram (`columns`). The segments are the titles of all works and then
        their abstracts, in the same order.
        """
        known = np.flatnonzero(column >= 0)
        segment = ngrams.segment[known]
        cell = (work_of(segment, works) << SLOT_BITS) | column[known]
        # Cell and place are packed into one number: one sort brings equal n-grams of a work together.
        packed = np.sort((cell << PLACE_BITS) | np.arange(known.size), kind="stable")  # works are nearly in order
        place, cell = packed & ((1 << PLACE_BITS) - 1), packed >> PLACE_BITS
        new = np.flatnonzero(np.diff(cell, prepend=-1) > 0)
        weight = np.where(segment[place] < works, TITLE_WEIGHT, 1.0)
        count = np.add.reduceat(weight, new) if new.size else weight
        work, column = cell[new] >> SLOT_BITS, (cell[new] & ((1 << SLOT_BITS) - 1)).astype(np.int32)
        values = (1.0 + np.log(count)) * self.idf[column]
        norms = np.sqrt(np.bincount(work, weights=values * values, minlength=works))
        values = (values / np.maximum(norms, 1e-12)[work]).astype(np.float32)
        starts = np.searchsorted(work, np.arange(works + 1))
        return sp.csr_matrix((values, column, starts), shape=(works, self.keys.size)), known[place[new]]


def slot_of(keys: Hashes) -> Ints:
    """Return the slots of n-grams in the table of a vocabulary."""
    return (keys >> np.uint64(64 - SLOT_BITS)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Scorer:
    """The base classifiers of one kind and their meta-classifier.

    Attributes
    ----------
    heads : names of the base classifiers; the last ones, one per area and one for any area, are added to the
        logit unsquashed.
    weights : n-grams x base classifiers.
    head_weights : areas x squashed base classifiers.
    rule_weights : areas x rule features (`copub.technology.features`).
    bias : one an area, and one for any area.
    any_head_weights, any_rule_weights : the same for "in any area", over `any_features` of the rules.
    """

    vocabulary: Vocabulary
    heads: tuple[str, ...]
    weights: Floats
    intercepts: Floats
    head_weights: Floats
    rule_weights: Floats
    bias: Floats
    any_head_weights: Floats
    any_rule_weights: Floats

    def margins(self, vectors: sp.csr_matrix) -> Floats:
        """Return works x base classifiers."""
        return np.asarray(vectors @ self.weights, dtype=np.float32) + self.intercepts

    def logits(self, margins: Floats, rules: Floats) -> Floats:
        """Return works x areas; `rules` is works x areas x rule features."""
        squashed = self.head_weights.shape[1]
        own = margins[:, squashed:-1] + self.bias[:-1]
        logits = np.tanh(margins[:, :squashed] / SQUASH) @ self.head_weights.T + own
        return np.asarray(logits + np.einsum("waf,af->wa", rules, self.rule_weights), dtype=np.float32)

    def any_logits(self, margins: Floats, rules: Floats) -> Floats:
        """Return for each work what its base classifier says of "in any area"."""
        squashed = self.head_weights.shape[1]
        heads = np.tanh(margins[:, :squashed] / SQUASH) @ self.any_head_weights
        rules_say = any_features(rules) @ self.any_rule_weights
        return np.asarray(heads + rules_say + margins[:, -1] + self.bias[-1], dtype=np.float32)

    def slopes(self, margins: Floats) -> npt.NDArray[np.float64]:
        """Return works x areas x base classifiers: how the logit moves with each base classifier, for evidence."""
        squashed = self.head_weights.shape[1]
        bend = (1.0 - np.tanh(margins[:, :squashed] / SQUASH) ** 2) / SQUASH
        through = bend[:, None, :] * self.head_weights[None]
        areas = self.head_weights.shape[0]
        direct = np.broadcast_to(np.eye(areas, areas + 1), (margins.shape[0], areas, areas + 1))
        return np.concatenate([through, direct], axis=2)


def any_features(rules: Floats) -> Floats:
    """Return works x twice the rule features: the highest over all areas, and the sum of all areas."""
    return np.hstack([rules.max(axis=1), rules.sum(axis=1)])


_KEPT_APART = ("held back", "CSET test")
"""Files of the card's data that are read only to leave their works out, or to evaluate."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: the taxonomy it decides, its scorers by kind, and how logits are read.

    `calibration` (slope, intercept) by kind turns a logit into a calibrated one; `joint_weights`
    (weight of the areas, weight of the base classifier for any area, bias) gives the logit to which the areas
    of a work are moved together (`copub.technology.jointadjustment`); `thresholds` by
    operating point and area are probabilities; `topic_texts` and, by kind, `topic_weights` say how OpenAlex
    topics move the logits of areas and of any area; `generic` holds, by kind, weights, bias and
    thresholds for areas that have rules but no trained scorer; `head_scores` by base classifier and kind are the
    base classifiers to which a taxonomy may link. `hash` names the model in manifests. `trained_on` holds the
    sha256 of the files it learned from: on these it tells nothing of its quality.
    """

    taxonomy: str
    areas: tuple[str, ...]
    scorers: Mapping[str, Scorer]
    calibration: Mapping[str, tuple[float, float]]
    joint_weights: tuple[float, float, float]
    thresholds: Mapping[str, Mapping[str, float]]
    topic_texts: TopicTexts
    topic_weights: Mapping[str, Mapping[str, TopicWeights]]
    generic: Mapping[str, Any]
    head_scores: HeadScores
    languages: tuple[str, ...]
    hash: str
    trained_on: frozenset[str]


@cache
def load_model(name: str = MODEL, folder: Path | None = None) -> Model:
    """Read a model from the shipped folder, or from another one.

    Raises
    ------
    InputError : a file is missing or is not what the JSON file says.
    """
    base = folder or shipped_folder(FOLDER)
    numbers, words = base / f"{name}.npz", base / f"{name}.json"
    if not numbers.is_file() or not words.is_file():
        raise InputError(
            f"there is no model {name!r}",
            where=str(base),
            hint="train one: python -m copub.technology.training.train --help",
        )
    raw, card = numbers.read_bytes(), json.loads(words.read_text(encoding="utf-8"))
    digest = hashlib.sha256(raw).hexdigest()
    if digest != card["sha256"]:
        raise InputError(
            "the model's numbers are not those that its JSON file names",
            where=str(numbers),
            hint="install copub again, or train the model anew",
        )
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        scorers = {kind: _read_scorer(kind, arrays, card["heads"][kind]) for kind in KINDS}
        topic_texts = TopicTexts(arrays["topics.numbers"], arrays["topics.logits"])
    return Model(
        taxonomy=card["taxonomy"],
        areas=tuple(card["areas"]),
        scorers=scorers,
        calibration={kind: (float(a), float(b)) for kind, (a, b) in card["calibration"].items()},
        joint_weights=tuple(card["together"]),
        thresholds=card["thresholds"],
        topic_texts=topic_texts,
        topic_weights=read_topic_weights(card),
        generic=card["generic"],
        head_scores=read_head_scores(card),
        languages=tuple(card["languages"]),
        hash=hashlib.sha256(words.read_bytes()).hexdigest(),
        trained_on=frozenset(digest for name, digest in card["data"].items() if name not in _KEPT_APART),
    )


def _read_scorer(kind: str, arrays: Any, heads: list[str]) -> Scorer:
    scales = arrays[f"{kind}.scales"]
    return Scorer(
        vocabulary=Vocabulary.of(arrays[f"{kind}.keys"], arrays[f"{kind}.idf"].astype(np.float32)),
        heads=tuple(heads),
        weights=arrays[f"{kind}.weights"].astype(np.float32) * scales,
        **{part: arrays[f"{kind}.{part}"] for part in PARTS},
    )


def read_topic_weights(card: Mapping[str, Any]) -> dict[str, dict[str, TopicWeights]]:
    """Return how topics move logits, by kind of text and by what the logit is of (areas, any)."""
    return {
        kind: {of: TopicWeights(**weights) for of, weights in both.items()}
        for kind, both in card["topic_weights"].items()
    }


def write_model(
    folder: Path, name: str, scorers: Mapping[str, Scorer], topics: TopicTexts, card: dict[str, Any]
) -> dict[str, Any]:
    """Write a model: weights as eight-bit integers with one scale per classifier; return the card with the hash."""
    arrays: dict[str, npt.NDArray[Any]] = {"topics.numbers": topics.numbers, "topics.logits": topics.logits}
    for kind, scorer in scorers.items():
        scales = (np.abs(scorer.weights).max(axis=0) / 127.0).astype(np.float32)
        arrays[f"{kind}.keys"] = scorer.vocabulary.keys
        arrays[f"{kind}.idf"] = scorer.vocabulary.idf.astype(np.float16)
        arrays[f"{kind}.scales"] = scales
        arrays[f"{kind}.weights"] = np.rint(scorer.weights / np.maximum(scales, 1e-30)).astype(np.int8)
        for part in PARTS:
            arrays[f"{kind}.{part}"] = getattr(scorer, part).astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.npz").write_bytes(buffer.getvalue())
    card = {
        **card,
        "heads": {kind: list(scorer.heads) for kind, scorer in scorers.items()},
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return card
