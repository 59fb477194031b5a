"""The hits of a question: what screening found in a corpus, and which of it the study counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from copub.corpus.dataset import Corpus
from copub.schema import TABLES, conform
from copub.screening.counting import BECAUSE, COUNTED, DECIDING, WHEN, CountingRule, with_reasons
from copub.screening.decided import apply_decisions

if TYPE_CHECKING:
    from copub.study import Study
    from copub.study.question import Question


def rule_of(study: Study) -> CountingRule:
    """Return which hits a study counts, apart from lists, levels and dates."""
    return CountingRule(study.tiers, study.include_medical, study.include_descendants, study.side_b.countries)


def hits_of(question: Question, corpus: Corpus, *columns: str) -> pl.DataFrame:
    """Return the table ``hits`` of a question, after the decisions of people.

    Parameters
    ----------
    corpus : a corpus with the table ``found`` (`copub.screening.found_in`) over the watchlists of the question.
    columns : what is needed of it. Where nobody decided anything, the others, long strings among them, are not read.
    """
    study, decisions = question.study, question.decisions
    names = [*(columns if columns and decisions is None else TABLES["hits"].schema.names())]
    read = sorted({*names, *TABLES["hits"].key, *DECIDING, "if_repaired"} - {BECAUSE, COUNTED})
    if_repaired = pl.col("if_repaired")
    found = corpus.read("found", *read).filter(if_repaired.is_null() | (if_repaired == study.apply_repairs))
    dates = corpus.read("works", *WHEN) if study.listed_at_publication_only else None
    explained = with_reasons(found, rule_of(study), dates)
    if decisions is None and columns:
        return explained.sort(TABLES["hits"].key, nulls_last=True, maintain_order=True).select(names)
    hits = conform("hits", explained.select(names))
    if decisions is None:
        return hits
    strings = decisions.select(raw_affiliation_string="value").unique()
    of_them = pl.concat(
        part.join(strings, on="raw_affiliation_string", how="semi") for part in corpus.parts("affiliations")
    )
    return apply_decisions(hits, of_them, question.watchlists, decisions, rule=rule_of(study), dates=dates)
