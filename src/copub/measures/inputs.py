"""What measure reads beside the frames: evaluation, labelled sample, published figures, ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from copub.lists.decisions import review_status
from copub.lists.errorcounts import Errors, read_card, read_evaluation
from copub.lists.modelcard import FOLDER, MODEL
from copub.lists.published import Published
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.lists.ties import Tie
from copub.measures.copublications import UNRATED
from copub.measures.readings import HELD, Unrated
from copub.measures.switches import Thresholds
from copub.shipped import shipped_folder
from copub.technology.model import load_model
from copub.technology.taught import taught_works

if TYPE_CHECKING:
    from copub.lists.watchlist import Watchlist
    from copub.study import Study
    from copub.study.question import Question

EVALUATIONS = "taxonomies/errors"
EVALUATED_POINT = "balanced"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a question gives to the measures beside the works that it sees; what lists and people say may be absent.

    levels : risk levels of the headline watchlists, strongest first. areas : ids of the areas of the headline taxonomy.
    reviewed : review status by work_id. groups : works of the same authors (`copub.measures.clusters.author_groups`);
    None where nobody asks for them. levels_of : strongest level of an institution, by id or name. countries : those
    of whose institutions the headline watchlists name one.
    """

    study: Study
    levels: tuple[str, ...]
    areas: tuple[str, ...]
    errors: Errors | None = None
    taught: pl.DataFrame | None = None
    groups: pl.DataFrame | None = None
    labelled: pl.DataFrame | None = None
    reviewed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    published: tuple[Published, ...] = ()
    ties: tuple[Tie, ...] = ()
    levels_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    thresholds: Thresholds = field(default_factory=lambda: MappingProxyType({}))
    held: pl.DataFrame | None = None
    unrated: tuple[Unrated, ...] = ()
    countries: frozenset[str] = frozenset()


def inputs_of(question: Question, hits: pl.DataFrame | None = None) -> Inputs:
    """Return what measure reads besides the works that a question sees.

    Parameters
    ----------
    hits : hits of the question, where people decided on some.
    """
    decisions = question.decisions
    return Inputs(
        question.study,
        question.headline_levels,
        tuple(question.taxonomies[0].area_ids),
        errors=errors_of(question),
        taught=taught_for(question.taxonomies[0]),
        labelled=question.labelled,
        reviewed={} if hits is None or decisions is None else review_status(hits, decisions),
        published=question.published,
        ties=question.ties,
        levels_of=levels_of_entities(question.headline_watchlists) if question.ties else {},
        thresholds=thresholds_of(question.study),
        held=held_by(question.headline_watchlists),
        unrated=tuple(unrated_of(watchlist) for watchlist in question.headline_watchlists),
        countries=frozenset().union(*(watchlist.countries for watchlist in question.headline_watchlists)),
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
    """Return the evaluations that ship: those of the model's card, then those of ``taxonomies/errors``."""
    files = sorted(shipped_folder(EVALUATIONS).glob("*.toml"))
    return Errors((*read_card(shipped_folder(FOLDER) / f"{MODEL}.json"), *(read_evaluation(file) for file in files)))


def errors_of(question: Question) -> Errors | None:
    """Return the shipped evaluations and the study's own; None if the decision is not the one that was evaluated.

    They were made with the shipped taxonomy of the model and the balanced operating point. Another taxonomy (also
    a changed one of the same id), operating point or threshold makes other errors.
    """
    if not decides_as_evaluated(question):
        return None
    return Errors((*shipped_errors().sets, *question.evaluations))


def decides_as_evaluated(question: Question) -> bool:
    """Say whether a question decides what is critical as the evaluations did."""
    study = question.study
    return study.operating_point == EVALUATED_POINT and not study.thresholds and is_read_for(question.taxonomies[0])


def is_read_for(taxonomy: Taxonomy) -> bool:
    """Say whether a taxonomy is the one for which the training works were read: the shipped one of the model."""
    return taxonomy.id == MODEL and taxonomy.hash == load_taxonomy(MODEL).hash


def taught_for(taxonomy: Taxonomy) -> pl.DataFrame | None:
    """Return the training works with their readings; None if they were read for another taxonomy."""
    return taught_works() if is_read_for(taxonomy) else None


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
