"""Today's instruments on the records of an older run: nothing is asked of any source."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import polars.selectors as cs

from copub.corpus import Corpus
from copub.history.series import Rescore
from copub.lists.registry import Find, find_list
from copub.measures.copublications import flagged_works
from copub.measures.inputs import inputs_of
from copub.measures.view import view_of
from copub.runs.folder import Run
from copub.schema import TABLES, empty
from copub.screening import found_in
from copub.screening.studyhits import hits_of
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
    names = ("works", "topics", "authorships", "affiliations")
    tables = {name: run.tables[name].select(TABLES[name].schema.names()) for name in names}
    corpus = Corpus({**tables, "awards": empty("awards")})  # no flag rests on them, and older runs have none
    headline = replace(
        study,
        other_taxonomies=(),
        other_watchlists=(),
        published=(),
        ties=(),
        labelled="",
        evaluations=(),
        baselines="",
    )
    question = replace(resolve(headline, find), decisions=decisions)
    classification = classify(
        corpus["works"],
        corpus["topics"],
        question.taxonomies,
        operating_point=study.operating_point,
        thresholds=study.thresholds,
    )
    corpus = corpus.having(assignments=classification.assignments, basis=classification.basis)
    corpus = corpus.having(found=found_in(corpus, question.watchlists))
    hits = hits_of(question, corpus)
    flagged = flagged_works(inputs_of(question, hits), view_of(question.study, corpus, hits))
    return flagged.with_columns(cs.categorical().cast(pl.String))
