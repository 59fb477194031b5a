"""What measure reads beside the frames: evaluation, labelled sample, published figures, ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from copub.lists.modelcard import FOLDER, MODEL
from copub.lists.published import Published
from copub.lists.taxonomy import load_taxonomy
from copub.lists.ties import Tie
from copub.measures.copublications import UNRATED
from copub.measures.errorcounts import Errors, read_card, read_matcher
from copub.measures.readings import HELD, Unrated
from copub.measures.switches import Thresholds
from copub.shipped import shipped_folder
from copub.technology.model import load_model

if TYPE_CHECKING:
    from copub.lists.watchlist import Watchlist
    from copub.study import Study
    from copub.study.question import Question

MATCHER_ERRORS = "taxonomies/errors"
EVALUATED_POINT = "balanced"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything beside the frames of the stages before; each part may be absent."""

    errors: Errors | None = None
    labelled: pl.DataFrame | None = None
    published: tuple[Published, ...] = ()
    ties: tuple[Tie, ...] = ()
    levels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    thresholds: Thresholds = field(default_factory=lambda: MappingProxyType({}))
    held: pl.DataFrame | None = None
    unrated: tuple[Unrated, ...] = ()


def inputs_of(question: Question, labelled: pl.DataFrame | None) -> Inputs:
    """Return what measure reads besides the frames.

    Parameters
    ----------
    labelled : labels of the study's own works that people gave, None without any.
    """
    return Inputs(
        errors=errors_of(question),
        labelled=labelled,
        published=question.published,
        ties=question.ties,
        levels=levels_of_entities(question.headline_watchlists) if question.ties else {},
        thresholds=thresholds_of(question.study),
        held=held_by(question.headline_watchlists),
        unrated=tuple(unrated_of(watchlist) for watchlist in question.headline_watchlists),
    )


def held_by(watchlists: Sequence[Watchlist]) -> pl.DataFrame:
    """Return since when and until when each list names each of its members (null: not known)."""
    rows = [
        (w.id, member.entity.id, member.valid_from or None, member.valid_to or None)
        for w in watchlists
        for member in w.entities
    ]
    return pl.DataFrame(rows, schema=HELD, orient="row")


def unrated_of(watchlist: Watchlist) -> Unrated:
    """Return the members of a list without a level, and what its maker's totals say of them."""
    return Unrated(
        watchlist.id,
        frozenset(member.entity.id for member in watchlist.entities if member.level == UNRATED),
        tuple(level for level in watchlist.levels if level != UNRATED),
        watchlist.unrated_totals,
    )


def shipped_errors() -> Errors:
    """Return the evaluation that ships: the model's cross-validation, and the matcher's labelled strings."""
    card = read_card(shipped_folder(FOLDER) / f"{MODEL}.json")
    matcher, strings = read_matcher(shipped_folder(MATCHER_ERRORS) / "matcher.toml")
    works = sum(c.tp + c.fp + c.fn + c.tn for c in card.classifier.values())
    source = f"classifier: cross-validation of model {MODEL} on {works:.0f} labelled works; matcher: {strings}"
    return Errors(card.classifier, matcher, source)


def errors_of(question: Question) -> Errors | None:
    """Return the shipped evaluation if it is of the question's own decision; None under another one.

    It was made with the shipped taxonomy of the model and the balanced operating point. Another taxonomy (also
    a changed one of the same id), operating point or threshold makes other errors.
    """
    study, taxonomy = question.study, question.taxonomies[0]
    if taxonomy.id != MODEL or study.operating_point != EVALUATED_POINT or study.thresholds:
        return None
    return shipped_errors() if taxonomy.hash == load_taxonomy(MODEL).hash else None


def thresholds_of(study: Study) -> Thresholds:
    """Return the thresholds of all operating points for the model's taxonomy, with those that the study sets."""
    model = load_model()
    operating_points = {
        operating_point: {**by_area, **study.thresholds} for operating_point, by_area in model.thresholds.items()
    }
    return {model.taxonomy: operating_points} if model.taxonomy in (study.taxonomy, *study.other_taxonomies) else {}


def levels_of_entities(watchlists: Sequence[Watchlist]) -> dict[str, str]:
    """Return the strongest level on watchlists by OpenAlex id and by name in lower case."""
    found: dict[str, str] = {}
    for watchlist in watchlists:
        rank = {level: position for position, level in enumerate(watchlist.levels)}
        for member in sorted(watchlist.entities, key=lambda m: rank.get(m.level or UNRATED, len(rank))):
            for key in (*member.entity.openalex, member.entity.name.lower()):
                found.setdefault(key, member.level or UNRATED)
    return found
