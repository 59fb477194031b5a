"""Today's instruments on the records of an older run: nothing is asked of any source."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from copub.corpus import Tables
from copub.corpus.funnel import Funnel
from copub.history.series import Rescore
from copub.history.states import reasons_under, with_sides
from copub.lists.registry import Find, find_list
from copub.measures.copublications import flagged_works
from copub.runs.folder import Run
from copub.screening.appliedrepairs import repaired
from copub.screening.studyhits import decided, screen_study
from copub.study import Study
from copub.study.question import resolve
from copub.technology import classify


def today(decisions: pl.DataFrame | None, find: Find = find_list) -> Rescore:
    """Return the function that scores the works of a run as a run of today would.

    Parameters
    ----------
    decisions : people's decisions on affiliations of the study, as `copub.lists.decisions` keeps them.
    find : where the lists of the study are.
    """

    def rescore(run: Run, study: Study) -> pl.DataFrame:
        return _flagged(run, study, find, decisions)

    return rescore


def _flagged(run: Run, study: Study, find: Find, decisions: pl.DataFrame | None) -> pl.DataFrame:
    """Return a run's works with the flags that today's classifier, watchlists and decisions give them.

    `study` decides years, types, sides, repairs, levels and tiers.
    """
    tables, *_ = repaired(_tables_under(run, study), study)
    headline = replace(
        study, other_taxonomies=(), other_watchlists=(), published=(), ties=(), labelled="", evaluations=()
    )
    question = resolve(headline, find)
    classification = classify(
        tables.works,
        tables.topics,
        question.taxonomies,
        operating_point=study.operating_point,
        thresholds=study.thresholds,
    )
    hits = screen_study(study, tables.affiliations, question.watchlists, tables.works)
    hits = decided(study, hits, tables.affiliations, question.watchlists, tables.works, decisions)
    return flagged_works(question.study, tables, classification, hits, question.headline_levels)


def _tables_under(run: Run, study: Study) -> Tables:
    """Return a run's tables as `study` would have made them from the same records."""
    works = (
        run.tables["works"]
        .drop("excluded_because")
        .join(reasons_under(run, study).rename({"reason": "excluded_because"}), on="work_id", how="left")
        .with_columns(pl.col("excluded_because").is_null().alias("in_population"))
        .select(run.tables["works"].columns)
    )
    authorships = with_sides(run.tables["authorships"], study)
    return Tables(works, run.tables["topics"], authorships, run.tables["affiliations"], Funnel())
