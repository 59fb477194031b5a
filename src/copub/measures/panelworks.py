"""The works of each pair of a panel: their places among the works of the whole, their flags and weights.

Which works are critical and listed does not depend on side A, so the works of the whole are flagged once for all pairs
with the same side B.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from copub.measures.adjusted import PREPARED, READ_COLUMNS, prepared
from copub.measures.copublications import copublications, flagged_works
from copub.measures.members import listed_places
from copub.measures.presence import Array, Places, Presence, presence
from copub.measures.view import View, view_of
from copub.names import READING_STRATA
from copub.screening.studyhits import hits_of

if TYPE_CHECKING:
    from copub.corpus import Corpus
    from copub.measures.inputs import Inputs
    from copub.study import PanelPair, Study
    from copub.study.question import Question

MEASURES: Mapping[str, str] = {
    "critical": "is_critical",
    "listed": "is_listed",
    "critical_listed": "is_critical_listed",
    "top_level": "is_top_level",
}
"""Measure -> the column of works that have the property."""
WEIGHTS = {"fractional-authors": "weight", "fractional-countries": "weight_countries"}
"""Counting -> the column of its weights; full counting has none."""
_READ = tuple(dict.fromkeys((*READ_COLUMNS, *READING_STRATA, *WEIGHTS.values())))


@dataclass(frozen=True, slots=True)
class PairWorks:
    """The works of a pair: their places among the works of the whole, their flags and weights, the study of the pair.

    works : as `prepared` returns them, with the weights of the pair. has : by measure, 1 for each work that has the
    property, else 0. weights : by counting. listed : the authors that make works listed
    (`copub.measures.members.listed_places`), of these and of other works.
    """

    pair: PanelPair
    study: Study
    places: Places
    works: pl.DataFrame
    has: Mapping[str, Array]
    weights: Mapping[str, Array]
    listed: pl.DataFrame


def pairs_of(question: Question, given: Inputs, corpus: Corpus, view: View, works: pl.DataFrame) -> Iterator[PairWorks]:
    """Yield the works of each pair of a panel, in the order of the pairs."""
    study = question.study
    codes = [*study.side_a.countries, *study.side_b.countries]
    where = presence(view.authorships, works, codes)
    flagged: dict[tuple[str, ...], _Flagged] = {}
    for pair in study.pairs:
        side = pair.side_b.countries
        if side not in flagged:
            flagged[side] = _flagged(question, given, corpus, view, works, pair)
        yield _pair_works(study, pair, where, flagged[side])


@dataclass(frozen=True, slots=True)
class _Flagged:
    """Works as `prepared` returns them, for the pairs with one side B; their places, if they are not all works."""

    works: pl.DataFrame
    places: Places | None
    listed: pl.DataFrame


def _flagged(
    question: Question, given: Inputs, corpus: Corpus, view: View, works: pl.DataFrame, pair: PanelPair
) -> _Flagged:
    """Return the works of the pairs with the side B of this one. Whether a work is listed depends on side B alone."""
    study, places, hits = question.study, None, view.hits
    if set(pair.side_b.countries) != set(study.side_b.countries):
        study = replace(study, side_b=pair.side_b)
        hits = hits_of(replace(question, study=study), corpus)
        given = replace(given, study=study)
        own = copublications(flagged_works(given, view_of(study, corpus, hits)))
        index = works.select("work_id").with_row_index("place")
        places = own.select("work_id").join(index, on="work_id", how="left", maintain_order="left")["place"].to_numpy()
        works = own
    listed = listed_places(hits, study, given.levels)
    return _Flagged(
        prepared(study, works.select(*PREPARED, *WEIGHTS.values()), None, given.taught).select(_READ), places, listed
    )


def _pair_works(study: Study, pair: PanelPair, where: Presence, flagged: _Flagged) -> PairWorks:
    places = np.flatnonzero(where.has(pair.side_a.countries) & where.has(pair.side_b.countries))
    rows = places
    if flagged.places is not None:
        places, rows, _ = np.intersect1d(flagged.places, places, assume_unique=True, return_indices=True)
    parts, number = where.credit_of([*pair.side_a.countries, *pair.side_b.countries])
    weights = {
        "weight": parts[places] / where.authors[places],
        "weight_countries": number[places] / where.countries[places],
    }
    own = flagged.works[rows].with_columns(
        **{name: pl.Series(values, dtype=pl.Float64) for name, values in weights.items()}
    )
    by_counting = {"full": np.ones(len(places))} | {counting: weights[name] for counting, name in WEIGHTS.items()}
    return PairWorks(pair, study.of_pair(pair.key), places, own, flags_of(own), by_counting, flagged.listed)


def flags_of(works: pl.DataFrame) -> dict[str, Array]:
    """Return by measure 1 for each work that has the property, else 0."""
    return {measure: works[column].to_numpy().astype(np.float64) for measure, column in MEASURES.items()}
