"""The stage measure: every table of numbers of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
from threadpoolctl import threadpool_limits

from copub.engine import in_threads
from copub.measures.adjusted import PREPARED, adjusted, labels_of_works, prepared
from copub.measures.bootstrap import bootstrap
from copub.measures.clusters import AUTHOR, author_groups
from copub.measures.comparison import comparison
from copub.measures.copublications import copublications, flagged_works, listed_works, with_texts
from copub.measures.coverage import coverage
from copub.measures.crosstabulations import area_levels, collaboration_indices
from copub.measures.dependence import dependence
from copub.measures.events import events
from copub.measures.families import institution_families
from copub.measures.funding import awards_of_works, funders, funding
from copub.measures.growth import growth
from copub.measures.inputs import Inputs, inputs_of
from copub.measures.members import listed_places
from copub.measures.panel import panel_tables
from copub.measures.panelyears import panel_years
from copub.measures.partners import institutions, institutions_of_works, levels_of_institutions, pairs
from copub.measures.readingplan import leading, reading_plan
from copub.measures.readings import readings
from copub.measures.roles import roles
from copub.measures.sensitivity import sensitivity
from copub.measures.shares import shares
from copub.measures.specifications import specifications
from copub.measures.tied import tie_areas, ties_and_works
from copub.measures.trends import periods, state_of, trends
from copub.measures.view import HITS, SWITCHED_HITS, View, view_of
from copub.parallel import by_parts, release_memory
from copub.progress import bar
from copub.schema import TABLES, conform
from copub.screening.studyhits import hits_of

if TYPE_CHECKING:
    from copub.corpus import Corpus
    from copub.study.question import Question

GIVEN = {"works", "topics", "authorships", "affiliations", "repairs", "awards", "population", "assignments", "hits"}
"""Tables of the stages before."""
OF_PANELS = {"panel", "panel_periods", "panel_events", "panel_years", "panel_funding", "panel_roles"}
"""Tables that only a panel has."""
OPTIONAL = {*OF_PANELS, "baselines"}
"""Tables that not every run has: those of a panel, and that of a study which names a file of baselines."""


Tables = dict[str, pl.DataFrame]


def measure(question: Question, corpus: Corpus) -> dict[str, pl.DataFrame]:
    """Return every table of numbers that a question asks of a corpus, by its name in `copub.schema.TABLES`.

    Parameters
    ----------
    question : a study with its lists, and what people decided and labelled.
    corpus : the tables of the records, classified and screened for the lists of the question.
    """
    made, works = measured(question, corpus)
    return made | {"copublications": pl.concat(works)}


def measured(question: Question, corpus: Corpus) -> tuple[dict[str, pl.DataFrame], Iterator[pl.DataFrame]]:
    """Return what `measure` does, but the table ``copublications`` apart and in parts.

    The matrices are small, and tables are made side by side: threads of the algebra library would wait for each other.
    """
    other = replace(question, study=replace(question.study, apply_repairs=not question.study.apply_repairs))
    hits = hits_of(question, corpus, *HITS)  # the printed strings are long: only what people decided rests on them
    view = view_of(question.study, corpus, hits, hits_of(other, corpus, *SWITCHED_HITS))
    given = inputs_of(question, hits)
    del hits
    authors = corpus.parted("authorships", ("work_id", "author_seq", AUTHOR), lambda part: part)
    counted = view.population.filter(pl.col("excluded_because").is_null())
    given = replace(given, groups=author_groups(counted, authors))
    with threadpool_limits(1, "blas"):
        made = numbers(given, view, as_of=corpus.retrieved_on, output=corpus.output)
        works = made.pop("copublications")
        if question.baselines:
            made["baselines"] = question.baselines.table()
        if question.study.pairs:
            as_of = state_of(view.works, corpus.retrieved_on)
            made |= panel_tables(question, given, corpus, view, works, as_of)
            dated = by_parts(view.works, lambda part: part.select("work_id", "publication_year"))
            made["panel_years"] = panel_years(question.study, corpus.expected, view.authorships, dated)
    return made, with_texts(works, view.texts, listed_works(view.hits, given.study, given.levels))


def numbers(
    given: Inputs, view: View, *, as_of: date | None = None, output: pl.DataFrame | None = None
) -> dict[str, pl.DataFrame]:
    """Return every table of numbers of a view; ``copublications`` as `copub.measures.copublications` has it.

    Parameters
    ----------
    as_of : date of the last retrieval; None for works files, whose newest update then tells which
        years are recent.
    output : whole output of each side per year (side, year, works).
    """
    made: dict[str, pl.DataFrame] = {}
    study = given.study
    with bar(label="measure", total=len(TABLES.keys() - GIVEN - OPTIONAL), unit="tables") as shown:

        def add(**tables: pl.DataFrame) -> None:
            made.update(tables)
            shown.update(len(tables))
            release_memory()

        flagged = flagged_works(given, view)
        works = copublications(flagged)
        # the works that count are held once, with what is left out beside them
        flagged = pl.concat([works, flagged.filter(pl.col("excluded_because").is_not_null())])
        add(copublications=works)
        makers: dict[str, Callable[[], Tables]] = {
            "switched": lambda: _switched(given, view, flagged),
            "corrected": lambda: _as_if_right(given, works),
            **_counted(given, view, flagged, works, output),
            "over time": lambda: _over_time(given, works, state_of(view.works, as_of)),
        }
        release_memory()
        for _, tables in in_threads(makers):
            add(**tables)
        add(**_next_to_ties(given, view, works, made["pairs"]))
        add(comparison=comparison(study, given.published, made, is_census=as_of is not None))
        made["copublications"] = works
        made["population"] = conform("population", view.population)
    return made


def _counted(
    given: Inputs, view: View, flagged: pl.DataFrame, works: pl.DataFrame, output: pl.DataFrame | None
) -> dict[str, Callable[[], Tables]]:
    study, levels, areas = given.study, given.levels, given.areas
    of_works = institutions_of_works(study, view.affiliations, works)
    own_levels = levels_of_institutions(view.hits, view.affiliations, study, levels)
    named, listed = awards_of_works(view.awards, works), listed_places(view.hits, study, levels)
    makers: dict[str, Callable[[], pl.DataFrame]] = {
        "shares": lambda: shares(study, flagged, of_works, levels, areas),
        "bootstrap": lambda: bootstrap(study, works, of_works, areas),
        "institutions": lambda: institutions(study, of_works, works, own_levels),
        "institution_families": lambda: institution_families(study, view.affiliations, works),
        "pairs": lambda: pairs(study, of_works, works, own_levels),
        "area_levels": lambda: area_levels(study, works, areas, levels),
        "funders": lambda: funders(study, works, named),
        "funding": lambda: funding(study, works, named, of_works, listed),
        "roles": lambda: roles(study, view, works, of_works, listed),
        "collaboration_indices": lambda: collaboration_indices(study, works, output),
        "coverage": lambda: coverage(view, works),
        "readings": lambda: readings(study, works, view.hits, levels, given.held, given.unrated),
    }
    return {name: partial(_alone, name, make) for name, make in makers.items()}


def _alone(name: str, make: Callable[[], pl.DataFrame]) -> Tables:
    return {name: make()}


def _switched(given: Inputs, view: View, flagged: pl.DataFrame) -> Tables:
    grid, moved_by, moves = specifications(given.study, flagged, view, given.levels, given.thresholds)
    return {"sensitivity": sensitivity(moves), "specifications": grid, "switch_effects": moved_by}


def _as_if_right(given: Inputs, works: pl.DataFrame) -> Tables:
    known = prepared(given.study, works.select(PREPARED), given.groups, given.taught)
    labels = labels_of_works(known, given.labelled)
    return {
        "adjusted": adjusted(given.study, known, given.errors, leading(given.study, known, given.errors, labels)),
        "dependence": dependence(given.study, known, labels),
        "reading_plan": reading_plan(given.study, known, given.errors),
    }


def _over_time(given: Inputs, works: pl.DataFrame, as_of: date | None) -> Tables:
    by_year = trends(given.study, works, as_of, given.errors)
    return {
        "trends": by_year,
        "periods": periods(given.study, works, as_of),
        "growth": growth(given.study, by_year),
        "events": events(given.study, works, as_of, given.errors),
    }


def _next_to_ties(given: Inputs, view: View, works: pl.DataFrame, of_pairs: pl.DataFrame) -> Tables:
    study = given.study
    return {
        "ties": ties_and_works(study, given.ties, view.affiliations, works, of_pairs, given.levels_of),
        "tie_areas": tie_areas(study, given.ties, given.levels_of),
    }
