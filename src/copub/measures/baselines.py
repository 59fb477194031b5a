"""Is that much? The shares of a pair beside those of other works of its sides, with the difference from each.

The other works are those of side A with other partners, and all international works of side B. They are counted from
the evidence of an atlas, which has every international work: a work of several partners counts once in each set.
Listed is, in every set, what the lists name on side B: a work of A with another partner names it only if B is on it
too. The interval of a difference allows for the works that a set and the pair have in common, and all differences of
one measure and one rule of counting hold at once (`copub.measures.ranks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.intervals import DIGITS, effective_trials, with_intervals
from copub.measures.ranks import Array, Ends, at_once, correlation, difference_ends, exact_ends
from copub.measures.shares import COUNTING_WEIGHT
from copub.schema import TEXTS, conform

MEASURES = ("critical", "listed", "critical_listed")
PAIR, PARTNER, OTHERS, INTERNATIONAL = "pair", "partner", "other partners", "all of side B"
KINDS = tuple((measure, counting) for counting in COUNTING_WEIGHT for measure in MEASURES)
_A, _B, _ELSEWHERE = "a", "b", "elsewhere"
_SUMS = ("numerator", "denominator", "squares", "numerator_squares", "shared", "numerator_shared")
"""Sums over the works of a set: of weights and of their squares, of all works and of those that have the property;
and of the products of both weights over the works that are of the pair too."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A set of works: those with a country of `side` and one of `others`, groups of `BaselinesAsked.groups`.

    kind : "pair", "partner", "other partners" or "all of side B". partner : the key of a partner, else "".
    """

    kind: str
    partner: str
    side: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BaselinesAsked:
    """What is compared: the sides of a pair, and the partners of side A by their keys; no country is in two places.

    confidence, small_cell, small_rate : those of a study.
    """

    side_a: tuple[str, ...]
    side_b: tuple[str, ...]
    partners: Mapping[str, tuple[str, ...]]
    confidence: float
    small_cell: int
    small_rate: int

    @property
    def sets(self) -> list[Baseline]:
        """Return the sets of works; the pair is the first."""
        return [
            Baseline(PAIR, "", _A, (_B,)),
            *(Baseline(PARTNER, key, _A, (key,)) for key in self.partners),
            Baseline(OTHERS, "", _A, (_ELSEWHERE,)),
            Baseline(INTERNATIONAL, "", _B, (_A, _ELSEWHERE)),
        ]

    def groups(self, country: pl.Expr) -> dict[str, pl.Expr]:
        """Return whether a country is in each group."""
        named = {_A: self.side_a, _B: self.side_b, **self.partners}
        found = {name: country.is_in(list(codes)) for name, codes in named.items()}
        return found | {_ELSEWHERE: country.is_in([*self.side_a, *self.side_b]).not_()}


def largest_partners(
    parts: Iterable[pl.LazyFrame], side_a: Sequence[str], side_b: Sequence[str], most: int
) -> dict[str, tuple[str, ...]]:
    """Return the countries on neither side that have the most works with side A, each as a partner.

    Parameters
    ----------
    parts : international works with their ``countries``.
    """
    counts: Counter[str] = Counter()
    for part in parts:
        countries = part.filter(_has(side_a)).select(pl.col("countries").explode())
        counts.update(dict(countries.group_by("countries").len().collect().iter_rows()))
    others = sorted((-works, code) for code, works in counts.items() if code not in {*side_a, *side_b})
    return {code: (code,) for _, code in others[:most]}


def baselines(parts: Iterable[pl.LazyFrame], asked: BaselinesAsked) -> pl.DataFrame:
    """Return the table ``baselines``: the shares of each set of works, and how far those of the pair are from them.

    Parameters
    ----------
    parts : international works: number, countries, weights and n_countries as `copub.atlas.evidence.WORKS` has them,
        with the flags is_critical and is_listed.
    """
    sets = asked.sets
    sums = np.zeros((len(KINDS), len(sets), len(_SUMS)))
    in_common = np.zeros(len(sets), dtype=np.int64)
    for part in parts:
        works = _Works.of(part, asked)
        sums += np.array([[works.sums(one, sets[0], *kind) for one in sets] for kind in KINDS])
        in_common += [works.in_common(one, sets[0]) for one in sets]
    frames = [_rows(sets, in_common, *kind, of.round(DIGITS), asked) for kind, of in zip(KINDS, sums, strict=True)]
    few = (pl.col("numerator") < asked.small_cell) | (pl.col("denominator") < asked.small_rate)
    found = pl.concat(frames).with_columns(
        pl.lit(len(sets) - 1, pl.Int32).alias("comparisons"),
        pl.lit(asked.confidence).alias("confidence"),
        few.alias("is_small"),
    )
    return conform("baselines", found)


def _has(codes: Sequence[str]) -> pl.Expr:
    return pl.col("countries").list.set_intersection(list(codes)).list.len() > 0


@dataclass(frozen=True, slots=True)
class _Works:
    """Works that have a country of one of the sides, in the order of their numbers.

    number, weight : by group, how many of the countries of a work are in it, and the weight of these.
    """

    number: Mapping[str, Array]
    weight: Mapping[str, Array]
    n_countries: Array
    has: Mapping[str, Array]

    @classmethod
    def of(cls, part: pl.LazyFrame, asked: BaselinesAsked) -> _Works:
        groups = asked.groups(pl.col("countries"))
        works = (
            part.filter(_has((*asked.side_a, *asked.side_b)))
            .explode("countries", "weights")
            .group_by("number")
            .agg(
                pl.col("n_countries", "is_critical", "is_listed").first(),
                *(is_in.sum().alias(f"number {name}") for name, is_in in groups.items()),
                *(pl.col("weights").filter(is_in).sum().alias(f"weight {name}") for name, is_in in groups.items()),
            )
            .sort("number")
            .cast(pl.Float64)
            .collect()
        )
        number, weight = (
            {name: works[f"{column} {name}"].to_numpy() for name in groups} for column in ("number", "weight")
        )
        critical, listed = works["is_critical"].to_numpy(), works["is_listed"].to_numpy()
        has = dict(zip(MEASURES, (critical, listed, critical * listed), strict=True))
        return cls(number, weight, works["n_countries"].to_numpy(), has)

    def are_of(self, one: Baseline) -> NDArray[np.bool_]:
        """Return whether each work is in a set."""
        others = sum(self.number[name] for name in one.others)
        return (self.number[one.side] > 0) & (others > 0)

    def weights(self, one: Baseline, counting: str) -> Array:
        """Return how much of each work counts in a set, 0 outside: the part of its authors, or of its countries."""
        groups = (one.side, *one.others)
        if counting == "full":
            found = np.ones(self.n_countries.size)
        elif counting == "fractional-authors":
            found = sum((self.weight[name] for name in groups), np.zeros(self.n_countries.size))
        else:
            found = sum((self.number[name] for name in groups), np.zeros(self.n_countries.size)) / self.n_countries
        return found * self.are_of(one)

    def in_common(self, one: Baseline, pair: Baseline) -> int:
        """Return how many works are in a set and of the pair."""
        return int((self.are_of(one) & self.are_of(pair)).sum())

    def sums(self, one: Baseline, pair: Baseline, measure: str, counting: str) -> list[float]:
        """Return `_SUMS` of a set."""
        own, has = self.weights(one, counting), self.has[measure]
        shared = own * self.weights(pair, counting)
        return [float(values.sum()) for values in (own * has, own, own**2, own**2 * has, shared, shared * has)]


def _rows(
    sets: Sequence[Baseline],
    in_common: NDArray[np.int64],
    measure: str,
    counting: str,
    sums: Array,
    asked: BaselinesAsked,
) -> pl.DataFrame:
    """Return the rows of one measure under one rule of counting."""
    counted = pl.DataFrame(
        {
            "position": range(1, len(sets) + 1),
            "kind": [one.kind for one in sets],
            "partner": [one.partner for one in sets],
            "countries": pl.Series([list(asked.partners.get(one.partner, ())) for one in sets], dtype=TEXTS),
            "measure": measure,
            "counting": counting,
            **dict(zip(_SUMS[:3], sums.T[:3], strict=True)),
        }
    )
    shown = with_intervals(counted, asked.confidence)
    difference, ends = _differences(shown["share"].to_numpy(), sums, at_once(asked.confidence, len(sets) - 1))
    interval = "wilson" if counting == "full" else "wilson-effective"
    found = zip(("difference", "difference_low", "difference_high"), (difference, *ends), strict=True)
    return shown.drop("squares").with_columns(
        pl.when(pl.col("denominator") == 0).then(pl.lit("none")).otherwise(pl.lit(interval)).alias("interval"),
        pl.Series("in_common", in_common),
        *(pl.Series(name, values, nan_to_null=True).round(DIGITS) for name, values in found),
    )


def _differences(share: Array, sums: Array, confidence: float) -> tuple[Array, Ends]:
    """Return the share of the pair, the first, less each share, with its ends; NaN for the pair itself."""
    _, of, squares, numerator_squares, shared, numerator_shared = sums.T
    p, q = share[0], share
    # sums of w v (x - p) (x - q), of v^2 (x - q)^2, with weights w, v, of works with (x = 1) and without the property
    products = (1 - p - q) * numerator_shared + p * q * shared
    variances = (1 - 2 * q) * numerator_squares + q**2 * squares
    rho = correlation(products, variances[0] * variances, shared, squares[0] * squares)
    ends = exact_ends(share, effective_trials(of, squares), confidence)
    difference, found = difference_ends(p, Ends(ends.low[0], ends.high[0]), q, ends, rho)
    other = np.arange(share.size) > 0
    return np.where(other, difference, np.nan), Ends(*(np.where(other, end, np.nan) for end in found))
