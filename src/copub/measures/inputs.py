"""What measure reads beside the frames: evaluation, labelled sample, published figures, ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from copub.measures.copublications import UNRATED
from copub.measures.errors import Errors, read_card, read_matcher
from copub.measures.labels import read_labels
from copub.measures.published import Published, load_published
from copub.measures.switches import Thresholds
from copub.measures.ties import Tie, load_ties, of_study
from copub.screening.watchlist import load_watchlist
from copub.shipped import shipped_folder
from copub.technology.model import load_model
from copub.technology.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from copub.study import Study

MODELS, MODEL = "taxonomies/models", "eu-2023-2113"
MATCHER_ERRORS = "taxonomies/errors"
JUDGED_PROFILE = "balanced"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything beside the frames of the stages before; each part may be absent."""

    errors: Errors | None = None
    labelled: pl.DataFrame | None = None
    published: tuple[Published, ...] = ()
    ties: tuple[Tie, ...] = ()
    levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    thresholds: Thresholds = field(default_factory=lambda: MappingProxyType({}))


def read_inputs(study: Study) -> Inputs:
    """Read what the study names: its labelled sample, files of published figures and of ties.

    Raises `CorrectInput` or `CorrectFile` for a file that is missing or has faults.
    """
    return Inputs(
        errors=errors_of(study),
        labelled=read_labels([Path(study.labelled)]) if study.labelled else None,
        published=tuple(map(load_published, study.published)),
        ties=tuple(of_study(study, [tie for name in study.ties for tie in load_ties(name)])),
        levels=levels_of_entities(study) if study.ties else {},
        thresholds=thresholds_of(study),
    )


def with_ids(study: Study) -> Study:
    """Return the study with taxonomies and watchlists named by their ids, as hits and assignments name them.

    A study may name a file of its own by its path; shipped ones are named by their id.
    """

    def taxonomy_id(name: str) -> str:
        return load_taxonomy(name).id if name.endswith(".toml") else name

    def watchlist_id(name: str) -> str:
        return load_watchlist(name).id if name.endswith(".toml") else name

    return replace(
        study,
        taxonomy=taxonomy_id(study.taxonomy),
        other_taxonomies=tuple(map(taxonomy_id, study.other_taxonomies)),
        watchlists=tuple(map(watchlist_id, study.watchlists)),
        other_watchlists=tuple(map(watchlist_id, study.other_watchlists)),
    )


def shipped_errors() -> Errors:
    """Return the evaluation that ships: the model's cross-validation, and the matcher's labelled strings."""
    card = read_card(shipped_folder(MODELS) / f"{MODEL}.json")
    matcher, strings = read_matcher(shipped_folder(MATCHER_ERRORS) / "matcher.toml")
    judged = sum(c.tp + c.fp + c.fn + c.tn for c in card.classifier.values())
    source = (
        f"classifier: cross-validation of model {MODEL} on {judged:.0f} works labelled by reading; matcher: {strings}"
    )
    return Errors(card.classifier, matcher, source)


def errors_of(study: Study) -> Errors | None:
    """Return the shipped evaluation if it is of the study's own decision; None under another one.

    It was made with the model's taxonomy and the balanced profile; another taxonomy, profile or
    threshold errs differently.
    """
    if study.taxonomy != MODEL or study.profile != JUDGED_PROFILE or study.thresholds:
        return None
    return shipped_errors()


def thresholds_of(study: Study) -> Thresholds:
    """Return the thresholds of all profiles for the model's taxonomy, with those that the study sets."""
    model = load_model()
    profiles = {profile: {**by_area, **study.thresholds} for profile, by_area in model.thresholds.items()}
    return {model.taxonomy: profiles} if model.taxonomy in (study.taxonomy, *study.other_taxonomies) else {}


def levels_of_entities(study: Study) -> dict[str, str]:
    """Return the strongest level on the headline lists by OpenAlex id and by name in lower case."""
    found: dict[str, str] = {}
    for watchlist in map(load_watchlist, study.watchlists):
        rank = {level: position for position, level in enumerate(watchlist.levels)}
        for member in sorted(watchlist.entities, key=lambda m: rank.get(m.level or UNRATED, len(rank))):
            for key in (*member.entity.openalex, member.entity.name.lower()):
                found.setdefault(key, member.level or UNRATED)
    return found
