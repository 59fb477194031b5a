"""The hits of a study: its settings handed to the screening, which knows no study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from copub.lists.watchlist import Watchlist
from copub.screening.counting import CountingRule
from copub.screening.decided import apply_decisions
from copub.screening.hits import Parts, screen

if TYPE_CHECKING:
    from copub.study import Study


def rule_of(study: Study) -> CountingRule:
    """Return which hits a study counts, apart from lists, levels and dates."""
    return CountingRule(study.tiers, study.include_medical, study.include_descendants, study.side_b.countries)


def screen_study(
    study: Study, affiliations: pl.DataFrame | Parts, watchlists: Sequence[Watchlist], works: pl.DataFrame
) -> pl.DataFrame:
    """Return the table ``hits`` of a study, before any decision of people.

    Parameters
    ----------
    affiliations : the table of this name as the study's rule for repairs has it, whole or in parts.
    works : table ``works``, for the dates.
    """
    return screen(affiliations, watchlists, **asdict(rule_of(study)), dates=_dates(study, works))


def decided(
    study: Study,
    hits: pl.DataFrame,
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    works: pl.DataFrame,
    decisions: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return hits as people decided; `affiliations` are at least those whose string was decided on."""
    if decisions is None:
        return hits
    return apply_decisions(hits, affiliations, watchlists, decisions, rule=rule_of(study), dates=_dates(study, works))


def _dates(study: Study, works: pl.DataFrame) -> pl.DataFrame | None:
    return works.select("work_id", "publication_date") if study.listed_at_publication_only else None
