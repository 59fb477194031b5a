"""The pairs of a panel side by side: shares, ranks, differences, the share with the panel's mix of fields and years.

All pairs are measured from the works of the whole at once: which works are critical and listed does not depend on
side A. So a pair costs little beside the whole; the numbers are those of a study of its own (`Study.of_pair`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, ndtri, softmax

from copub.intervals import DIGITS, effective_trials, wilson
from copub.measures.adjusted import corrected_shares, labels_of_works
from copub.measures.funding import funded, identified, rows_of_works
from copub.measures.members import conform_pairs, of_pairs
from copub.measures.panelevents import panel_events
from copub.measures.panelworks import MEASURES, WEIGHTS, PairWorks, flags_of, pairs_of
from copub.measures.presence import Array, Places
from copub.measures.ranks import at_once, correlation, difference_ends, exact_ends, pairwise, ranks
from copub.measures.readingplan import leading
from copub.measures.roles import roles_of_pairs, seats_of
from copub.measures.shares import COUNTING_WEIGHT
from copub.measures.standardised import SPAN, standardised
from copub.measures.trends import periods
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.corpus import Corpus
    from copub.measures.inputs import Inputs
    from copub.measures.view import View
    from copub.study import Study
    from copub.study.question import Question

_SHARED_AT_ONCE = 50_000
"""Works that pairs share are looked at in parts of so many: a part takes some tens of megabytes."""
ENOUGH = 10
"""Works to expect in each of the four cells, from which on the delta method serves for the interval of a ratio.

Its lower end is then above 1 in 3 to 4.5 % of tables of chance with 10 to 20 such works (simulated once, by hand): near
enough. With 1 critical and 4 listed works of 16 it is above 1 whenever they meet, a quarter of the time.
"""
_REACH = 50.0
"""Logarithms of odds ratios are looked for up to here, either side of 0."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of all pairs, and of each pair's rest of the panel: counts, works, squared weights."""

    count: Array
    of: Array
    squares: Array

    @property
    def share(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.of > 0, self.count / self.of, np.nan)

    @property
    def trials(self) -> Array:
        """Return the effective numbers of works."""
        return effective_trials(self.of, self.squares)


def panel_tables(
    question: Question,
    given: Inputs,
    corpus: Corpus,
    view: View,
    works: pl.DataFrame,
    as_of: date | None,
) -> dict[str, pl.DataFrame]:
    """Return the tables of the pairs of a panel, but for ``panel_years``.

    Parameters
    ----------
    view : what the study of the whole sees of the corpus.
    works : table ``copublications`` of the whole.
    as_of : as for `copub.measures.trends.trends`.
    """
    study = question.study
    pairs = list(pairs_of(question, given, corpus, view, works))
    in_panel = np.zeros(works.height, dtype=np.bool_)
    for one in pairs:
        in_panel[one.places] = True
    weights = {counting: works[name].to_numpy() for counting, name in WEIGHTS.items()}
    whole = _Whole(
        pairs,
        _Shared.of(pairs, works.height),
        [_corrected(given, one) for one in pairs],
        np.array([not given.countries.isdisjoint(one.pair.side_b.countries) for one in pairs]),
        in_panel,
        flags_of(works),
        {"full": np.ones(works.height), **weights},
        _cells(study, corpus, works),
    )
    rows = [
        row for counting in COUNTING_WEIGHT for measure in MEASURES for row in _rows(study, whole, measure, counting)
    ]
    frame = pl.DataFrame(rows, schema=TABLES["panel"].schema)
    return {
        "panel": conform("panel", frame.with_columns(pl.col(pl.Float64).fill_nan(None).round(DIGITS))),
        "panel_events": panel_events(study, pairs, works, whole.has, in_panel, as_of),
        "panel_periods": conform("panel_periods", pl.concat(_periods(one, as_of) for one in pairs)),
        "panel_funding": conform_pairs("panel_funding", _funding(study, view, works, pairs)),
        "panel_roles": conform_pairs("panel_roles", _roles(study, view, works, pairs)),
    }


def _funding(study: Study, view: View, works: pl.DataFrame, pairs: Sequence[PairWorks]) -> pl.DataFrame:
    # which funder a name alone means is decided among the works of the pair, as in its own study
    rows = rows_of_works(view.awards, works)
    return pl.concat(
        funded(study, of_pairs([one]), identified(rows.join(one.works, on="work_id", how="semi")), [one.pair.key])
        for one in pairs
    )


def _roles(study: Study, view: View, works: pl.DataFrame, pairs: Sequence[PairWorks]) -> pl.DataFrame:
    # what is listed for the side B of a pair is listed for that of the whole
    listed = works.filter("is_listed").select("work_id", "n_authors", "is_truncated")
    return roles_of_pairs(study, seats_of(study, view.seats, listed), pairs)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cell of field and span of years of each work of the whole."""

    cell: Places
    shape: tuple[int, int]

    def sums(self, places: Places | slice, weights: Array) -> Array:
        """Return the sums of weights by field and span."""
        found = np.bincount(self.cell[places], weights=weights, minlength=self.shape[0] * self.shape[1])
        return np.asarray(found.reshape(self.shape), dtype=np.float64)


def _cells(study: Study, corpus: Corpus, works: pl.DataFrame) -> _Cells:
    first = pl.concat(part.filter(pl.col("rank") == 0).select("work_id", "field") for part in corpus.parts("topics"))
    field = works.select("work_id").join(first, on="work_id", how="left", maintain_order="left")["field"]
    codes = field.fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
    spans = (works["publication_year"].to_numpy() - study.year_from) // SPAN
    number = (study.year_to - study.year_from) // SPAN + 1
    return _Cells(codes * number + spans, (int(codes.max(initial=-1)) + 1, number))


@dataclass(frozen=True, slots=True)
class _Shared:
    """The works that pairs have in common.

    number : how many there are. at, rows : of each pair, their places in a list of them, and among its own works.
    """

    pairs: Sequence[PairWorks]
    number: int
    at: Sequence[Places]
    rows: Sequence[Places]

    @classmethod
    def of(cls, pairs: Sequence[PairWorks], works: int) -> _Shared:
        """Find the works that several pairs have."""
        number = np.zeros(works, dtype=np.int32)
        for one in pairs:
            number[one.places] += 1
        is_shared = number > 1
        order = np.cumsum(is_shared) - 1
        rows = [np.flatnonzero(is_shared[one.places]) for one in pairs]
        at = [order[one.places[own]] for one, own in zip(pairs, rows, strict=True)]
        return cls(pairs, int(is_shared.sum()), at, rows)

    def correlation(self, measure: str, counting: str, sums: _Sums) -> Array:
        """Return the correlation of each two shares (`copub.measures.ranks.correlation`)."""
        number = len(self.pairs)
        in_common, both, one = (np.zeros((number, number)) for _ in range(3))
        for start in range(0, self.number, _SHARED_AT_ONCE):
            stop = min(start + _SHARED_AT_ONCE, self.number)
            weights, counts = (np.zeros((stop - start, number)) for _ in range(2))
            for place, pair in enumerate(self.pairs):
                first, last = np.searchsorted(self.at[place], [start, stop])
                at, rows = self.at[place][first:last] - start, self.rows[place][first:last]
                weights[at, place] = pair.weights[counting][rows]
                counts[at, place] = weights[at, place] * pair.has[measure][rows]
            in_common += weights.T @ weights
            both += counts.T @ counts
            one += counts.T @ weights
        p = np.nan_to_num(sums.share)
        products = both - one * p[None] - one.T * p[:, None] + in_common * p[:, None] * p[None]
        pairs = zip(self.pairs, p, strict=True)
        own = np.array([((pair.weights[counting] * (pair.has[measure] - q)) ** 2).sum() for pair, q in pairs])
        squares = sums.squares[:, None] * sums.squares[None]
        return correlation(products, own[:, None] * own[None], in_common, squares)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Flags, weights and cells of the works of the whole panel: those of its pairs, each once.

    is_covered : whether the lists name an institution on side B of each pair.
    """

    pairs: Sequence[PairWorks]
    shared: _Shared
    corrected: Sequence[Mapping[str, Mapping[str, Any]]]
    is_covered: NDArray[np.bool_]
    in_panel: NDArray[np.bool_]
    has: Mapping[str, Array]
    weights: Mapping[str, Array]
    cells: _Cells

    def sums(self, measure: str, counting: str) -> _Sums:
        """Return the sums of each pair."""
        of_pairs = [(one.weights[counting], one.has[measure]) for one in self.pairs]
        return _Sums(*np.array([_sums(*one) for one in of_pairs]).reshape(-1, 3).T)

    def compared(self, measure: str) -> NDArray[np.bool_]:
        """Return which pairs may be compared: where no list covers a pair, 0 listed works say nothing."""
        return self.is_covered | (measure == "critical")

    def rest(self, measure: str, counting: str) -> _Sums:
        """Return the sums of the works of the pairs that may be compared, but for those of each pair."""
        weights, has = self.weights[counting], self.has[measure]
        is_known = np.zeros_like(self.in_panel)
        for one, is_compared in zip(self.pairs, self.compared(measure), strict=True):
            is_known[one.places] |= is_compared
        every = np.array(_sums(weights[is_known], has[is_known]))
        known = [one.places[is_known[one.places]] for one in self.pairs]
        own = [_sums(weights[places], has[places]) for places in known]
        return _Sums(*np.maximum(every - np.array(own).reshape(-1, 3), 0).round(DIGITS).T)

    def standardised(self, measure: str, counting: str) -> tuple[_Sums, Array]:
        """Return the sums of each pair with the panel's mix, and how much of the panel's mix the pair has."""
        mix = self.cells.sums(np.flatnonzero(self.in_panel), self.weights[counting][self.in_panel])
        found = []
        for one in self.pairs:
            weights = one.weights[counting]
            own, squares, counts = (
                self.cells.sums(one.places, values) for values in (weights, weights**2, weights * one.has[measure])
            )
            found.append(standardised(mix, own, squares, counts))
        table = np.array(found).reshape(-1, 4).T
        return _Sums(*table[:3]), table[3]


def _sums(weights: Array, has: Array) -> tuple[float, float, float]:
    return float((weights * has).sum()), float(weights.sum()), float((weights**2).sum())


def _rows(study: Study, whole: _Whole, measure: str, counting: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one measure under one counting, pair by pair."""
    sums, rest = whole.sums(measure, counting), whole.rest(measure, counting)
    own, cover = whole.standardised(measure, counting)
    may_compare = whole.compared(measure)
    number, compared, confidence = len(whole.pairs), int(may_compare.sum()), study.confidence
    correlation = whole.shared.correlation(measure, counting, sums)
    columns: dict[str, Array] = {
        "numerator": sums.count,
        "denominator": sums.of,
        **_with_interval("", sums, confidence),
        **_with_ranks("", sums, may_compare, correlation, confidence),
        "rest_numerator": rest.count,
        "rest_denominator": rest.of,
        "rest_share": rest.share,
        **_where(may_compare, _difference("difference", sums, rest, 0.0, at_once(confidence, compared))),
        **_where(may_compare, _with_interval("standardised", own, confidence)),
        **_with_ranks("standardised_", own, may_compare, np.zeros_like(correlation), confidence),
        "standardised_cover": cover,
    }
    keys = [one.pair.key for one in whole.pairs]
    comparisons = pairwise(int(((sums.trials > 0) & may_compare).sum()))  # a pair without works has no rank
    if study.reference:
        at = keys.index(study.reference)
        other = _Sums(*(np.broadcast_to(values[at], values.shape) for values in (sums.count, sums.of, sums.squares)))
        known = may_compare & may_compare[at] & (np.arange(number) != at)
        found = _difference("reference_difference", sums, other, correlation[at], at_once(confidence, compared - 1))
        columns |= _where(known, found)
    if measure == "critical_listed" and counting == "full":
        columns |= _by_chance(whole.pairs, confidence)
    for place, one in enumerate(whole.pairs):
        yield {
            "pair": one.pair.key,
            "side_a": one.pair.side_a.key,
            "side_b": one.pair.side_b.key,
            "is_covered": bool(whole.is_covered[place]),
            "measure": measure,
            "counting": counting,
            **{name: float(values[place]) for name, values in columns.items()},
            **(whole.corrected[place][measure] if counting == "full" else {}),
            "pairs": number,
            "comparisons": comparisons,
            "reference": study.reference or None,
            "confidence": confidence,
            "is_small": bool(sums.count[place] < study.small_cell or sums.of[place] < study.small_rate),
        }


def _where(known: NDArray[np.bool_], columns: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.where(known, values, np.nan) for name, values in columns.items()}


def _with_interval(name: str, sums: _Sums, confidence: float) -> dict[str, Array]:
    low, high = wilson(sums.share * sums.trials, sums.trials, confidence)
    ends = (f"{name}_low", f"{name}_high") if name else ("ci_low", "ci_high")
    return {name or "share": sums.share, ends[0]: low, ends[1]: high}


def _with_ranks(
    name: str, sums: _Sums, may_rank: NDArray[np.bool_], correlation: Array, confidence: float
) -> dict[str, Array]:
    found = ranks(sums.share, np.where(may_rank, sums.trials, 0), correlation, confidence)
    return {f"{name}rank": found.rank, f"{name}rank_low": found.low, f"{name}rank_high": found.high}


def _difference(
    name: str, sums: _Sums, other: _Sums, correlation: Array | float, confidence: float
) -> dict[str, Array]:
    ends, others = (exact_ends(one.share, one.trials, confidence) for one in (sums, other))
    difference, found = difference_ends(sums.share, ends, other.share, others, correlation)
    return {name: difference, f"{name}_low": found.low, f"{name}_high": found.high}


def _by_chance(pairs: Sequence[PairWorks], confidence: float) -> dict[str, Array]:
    """Return the share to expect from both margins, and the ratio of the share to it, with its interval."""
    names = ("critical_listed", "critical", "listed")
    both, critical, listed = np.array([[one.has[name].sum() for name in names] for one in pairs]).reshape(-1, 3).T
    of = np.array([len(one.places) for one in pairs], dtype=np.float64)
    expected, ratio, low, high = ratio_to_chance(both, critical, listed, of, confidence)
    return {"expected": expected, "ratio": ratio, "ratio_low": low, "ratio_high": high}


def ratio_to_chance(
    both: Array, critical: Array, listed: Array, of: Array, confidence: float
) -> tuple[Array, Array, Array, Array]:
    """Return the share to expect if two properties had nothing to do with each other, and the ratio of the share to it.

    The last two are the ends of the interval of the ratio. Where each of the four cells is expected to have `ENOUGH`
    works it is that of its logarithm by the delta method, for works drawn from a larger set, whose four cells are
    multinomial. Else it is the exact conditional one (Cornfield 1956; Fay 2010, Biostatistics 11, 373-374): with both
    margins given, the number with both properties has Fisher's noncentral hypergeometric distribution, whose odds
    ratios at which either tail holds half of what the confidence leaves are the ends; the ratio at each is the number
    to expect there over that without a connection. NaN where one of the properties has no works.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = critical * listed / of**2
        ratio = both / of / expected
        a, b, c, d = both, critical - both, listed - both, of - critical - listed + both
        slope = 1 / a - 1 / (a + b) - 1 / (a + c)
        variance = a * slope**2 + b / (a + b) ** 2 + c / (a + c) ** 2 - 1 / of
        reach = ndtri(0.5 + confidence / 2) * np.sqrt(np.maximum(variance, 0))
        low, high = (np.where(np.isnan(ratio), np.nan, ratio * np.exp(sign * reach)) for sign in (-1, 1))
        smallest = np.minimum(critical, of - critical) * np.minimum(listed, of - listed) / of
    # an empty cell has no logarithm
    is_few = ~np.isnan(ratio) & ((smallest < ENOUGH) | (np.minimum.reduce([a, b, c, d]) == 0))
    for place in np.flatnonzero(is_few):
        low[place], high[place] = _exact_ends(both[place], critical[place], listed[place], of[place], confidence)
    return expected, ratio, low, high


def _exact_ends(both: float, critical: float, listed: float, of: float, confidence: float) -> tuple[float, float]:
    """Return the ends of the exact conditional interval of the ratio of a table to what chance lets expect."""
    counts = np.arange(max(0.0, critical + listed - of), min(critical, listed) + 1)
    cells = (counts, critical - counts, listed - counts, of - critical - listed + counts)
    ways, tail = -sum(gammaln(cell + 1) for cell in cells), (1 - confidence) / 2

    def number(end: float, kept: NDArray[np.bool_]) -> float:
        """Return the number to expect at the odds at which the tail holds its part; the end itself if it is all."""
        if both == end:
            return end
        odds = brentq(lambda at: softmax(ways + counts * at)[kept].sum() - tail, -_REACH, _REACH)
        return float(softmax(ways + counts * odds) @ counts)

    chance = critical * listed / of
    return number(counts[0], counts >= both) / chance, number(counts[-1], counts <= both) / chance


def _corrected(given: Inputs, one: PairWorks) -> dict[str, dict[str, Any]]:
    """Return the corrected shares of a pair, as its own study has them."""
    labels = leading(one.study, one.works, given.errors, labels_of_works(one.works, given.labelled))
    return corrected_shares(one.study, one.works, given.errors, labels)


def _periods(one: PairWorks, as_of: date | None) -> pl.DataFrame:
    """Return the periods of a pair, as its own study has them, by the counting of the study."""
    found = periods(one.study, one.works, as_of).filter(pl.col("counting") == one.study.counting)
    return found.select(pl.lit(one.pair.key).alias("pair"), *TABLES["periods"].schema.names())
