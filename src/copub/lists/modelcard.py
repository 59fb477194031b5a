"""What the margin of a base classifier is worth: base classifiers that a taxonomy may link to.

A base classifier of the model (`copub.technology.model.Scorer`) repeats the labels of one source, such as the
categories that authors give their works on arXiv. For a calibrated one the model's card says, by kind of
text, how its margin becomes a probability and where the thresholds of the operating points lie
(``head_scores``, learnt by `copub.technology.training.calibration`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from copub.shipped import shipped_folder

FOLDER = "taxonomies/models"
MODEL = "eu-2023-2113"


@dataclass(frozen=True, slots=True)
class HeadScore:
    """Reading of one base classifier on one kind of text: sigmoid(slope * margin + intercept) is a probability.

    `thresholds` by operating point are probabilities.
    """

    slope: float
    intercept: float
    thresholds: Mapping[str, float]


HeadScores = Mapping[str, Mapping[str, HeadScore]]
"""By base classifier, by kind of text."""


def read_head_scores(card: Mapping[str, Any]) -> HeadScores:
    """Return the calibrated base classifiers that a model's card names; none if it is of a model without any."""
    named = card.get("head_scores", {})
    return {head: {kind: HeadScore(**score) for kind, score in kinds.items()} for head, kinds in named.items()}


@cache
def model_hash() -> str:
    """Return the hash by which manifests and files of error counts know the shipped model: that of its card."""
    return hashlib.sha256((shipped_folder(FOLDER) / f"{MODEL}.json").read_bytes()).hexdigest()


@cache
def linkable_heads() -> tuple[str, ...]:
    """Return the names of the base classifiers that the shipped model calibrates.

    Only the card is read, for taxonomies must load without the model. A card that calibrates none yet lets
    every base classifier be named: what a taxonomy says is not wrong because the model is older.
    """
    card = json.loads((shipped_folder(FOLDER) / f"{MODEL}.json").read_text(encoding="utf-8"))
    return tuple(card.get("head_scores", card["heads"]["full"]))
