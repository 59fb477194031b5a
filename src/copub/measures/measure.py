"""The stage measure: every table of numbers of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from copub.measures.adjusted import adjusted, labels_of_works, prepared
from copub.measures.bootstrap import bootstrap
from copub.measures.comparison import comparison
from copub.measures.copublications import copublications, flagged_works
from copub.measures.coverage import coverage
from copub.measures.crosstabulations import area_levels, collaboration_indices, funders
from copub.measures.dependence import dependence
from copub.measures.events import events
from copub.measures.families import institution_families
from copub.measures.growth import growth
from copub.measures.inputs import Inputs
from copub.measures.partners import institutions, institutions_of_works, levels_of_institutions, pairs
from copub.measures.readingplan import reading_plan
from copub.measures.readings import readings
from copub.measures.sensitivity import sensitivity
from copub.measures.shares import shares
from copub.measures.specifications import specifications
from copub.measures.tied import tie_areas, ties_and_works
from copub.measures.trends import periods, state_of, trends
from copub.progress import bar
from copub.schema import TABLES

if TYPE_CHECKING:
    from copub.corpus import Tables
    from copub.screening.appliedrepairs import OtherRepairs
    from copub.study import Study
    from copub.technology import Classification

GIVEN = {"works", "topics", "authorships", "affiliations", "repairs", "assignments", "hits"}
"""Tables of the stages before."""


def measure(
    study: Study,
    tables: Tables,
    classification: Classification,
    hits: pl.DataFrame,
    *,
    levels: Sequence[str],
    areas: Sequence[str],
    as_of: date | None = None,
    reviewed: Mapping[str, str] | None = None,
    inputs: Inputs | None = None,
    context: pl.DataFrame | None = None,
    other_repairs: OtherRepairs | None = None,
) -> dict[str, pl.DataFrame]:
    """Return every table of numbers of a run, by its name in `copub.schema.TABLES`.

    Parameters
    ----------
    study : what is asked, with lists named by their ids (`copub.study.question.Question.study`).
    tables : what tabulate made.
    classification : what classify made.
    hits : what screen made, over all watchlists of the study.
    levels : risk levels of the headline watchlists, strongest first.
    areas : area ids of the headline taxonomy.
    as_of : date of the last retrieval; None for works files, whose newest update then tells which
        years are recent.
    reviewed : review status by work_id.
    inputs : evaluation, labelled sample, published figures, ties; None for none of them.
    context : whole output of each side per year (side, year, works); None for works files.
    other_repairs : hits and authorships under the other rule for repairs, where they differ.
    """
    ranked = tuple(levels)
    given = inputs or Inputs()
    numbers: dict[str, pl.DataFrame] = {}
    with bar(label="measure", total=len(TABLES.keys() - GIVEN), unit="tables") as shown:

        def add(**made: pl.DataFrame) -> None:
            numbers.update(made)
            shown.update(len(made))

        flagged = flagged_works(study, tables, classification, hits, ranked, reviewed)
        works = copublications(flagged)
        add(copublications=works)
        add(**_judged_rightly(study, works, given))
        for name, frame in _counted(
            study, tables, flagged, works, hits, given, levels=ranked, areas=areas, context=context
        ):
            add(**{name: frame})
        add(**_over_time(study, works, state_of(tables.works, as_of), given))
        add(**_next_to_ties(study, given, tables.affiliations, works, numbers["pairs"]))
        authorships = tables.authorships
        del tables  # large, and what follows reads only these of it
        grid, moved_by, moves = specifications(
            study, flagged, authorships, classification.assignments, hits, ranked, given.thresholds, other_repairs
        )
        add(sensitivity=sensitivity(moves), specifications=grid, switch_effects=moved_by)
        add(comparison=comparison(study, given.published, numbers, is_census=as_of is not None))
    return numbers


def _counted(
    study: Study,
    tables: Tables,
    flagged: pl.DataFrame,
    works: pl.DataFrame,
    hits: pl.DataFrame,
    given: Inputs,
    *,
    levels: tuple[str, ...],
    areas: Sequence[str],
    context: pl.DataFrame | None,
) -> Iterator[tuple[str, pl.DataFrame]]:
    of_works = institutions_of_works(study, tables.affiliations, works)
    own_levels = levels_of_institutions(hits, tables.affiliations, study, levels)
    makers: dict[str, Callable[[], pl.DataFrame]] = {
        "shares": lambda: shares(study, flagged, of_works, levels, areas),
        "bootstrap": lambda: bootstrap(study, works, of_works, areas),
        "institutions": lambda: institutions(study, of_works, works, own_levels),
        "institution_families": lambda: institution_families(study, tables.affiliations, works),
        "pairs": lambda: pairs(study, of_works, works, own_levels),
        "area_levels": lambda: area_levels(study, works, areas, levels),
        "funders": lambda: funders(study, works, tables.works),
        "collaboration_indices": lambda: collaboration_indices(study, works, context),
        "coverage": lambda: coverage(tables, works),
        "readings": lambda: readings(study, works, hits, levels, given.held, given.unrated),
    }
    for name, make in makers.items():
        yield name, make()


def _judged_rightly(study: Study, works: pl.DataFrame, given: Inputs) -> dict[str, pl.DataFrame]:
    known = prepared(study, works, given.groups, given.taught)
    labels = labels_of_works(known, given.labelled)
    return {
        "adjusted": adjusted(study, known, given.errors, labels),
        "dependence": dependence(study, known, labels),
        "reading_plan": reading_plan(study, known, given.errors),
    }


def _over_time(study: Study, works: pl.DataFrame, as_of: date | None, given: Inputs) -> dict[str, pl.DataFrame]:
    by_year = trends(study, works, as_of, given.errors)
    return {
        "trends": by_year,
        "periods": periods(study, works, as_of),
        "growth": growth(study, by_year),
        "events": events(study, works, as_of, given.errors),
    }


def _next_to_ties(
    study: Study, given: Inputs, affiliations: pl.DataFrame, works: pl.DataFrame, of_pairs: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    return {
        "ties": ties_and_works(study, given.ties, affiliations, works, of_pairs, given.levels),
        "tie_areas": tie_areas(study, given.ties, given.levels),
    }
