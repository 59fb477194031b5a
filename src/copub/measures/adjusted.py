"""Shares with the errors of classifier and matcher carried in.

Without labels of the study's own works: W. J. Rogan, B. Gladen (1978), Estimating prevalence
from the results of a screening test, American Journal of Epidemiology 107, for two tests at
once. With labels: the stratified estimator of W. G. Cochran (1977), Sampling Techniques,
chapter 5. The interval of both comes from draws, chosen by the simulation in
``benchmarks/coverage_of_intervals.py``; ``docs/method.md`` has the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.measures.errors import AFFILIATION_STRATA, TEXT_STRATA, ErrorCounts, Errors
from copub.measures.intervals import DIGITS, wilson
from copub.measures.shares import ABSTRACT_STRATUM
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]

DRAWS = 4000
SEED = 19781
ERROR_PRIOR = 0.5
"""Jeffreys' prior on sensitivity and specificity."""
CELL_PRIOR = 0.25
"""Perks' prior (one work spread over the four cells) on the observed cross-table."""
LABEL_PRIOR = 1 / 3
"""Kerman's neutral prior on the truth within a stratum of a labelled sample."""
LEAST_POWER = 0.05
"""An instrument whose sensitivity + specificity - 1 may be below this tells nothing."""
NEAR = (0.2, 0.8)
"""Scores between these are a stratum of their own in a labelled sample."""

MEASURES: Mapping[str, tuple[str | None, str | None]] = {
    # measure: (what the classifier says, what the matcher says)
    "critical": ("is_critical", None),
    "listed": (None, "is_listed"),
    "critical_listed": ("is_critical", "is_listed"),
    "top_level": ("is_critical", "is_top_listed"),
}


@dataclass(frozen=True, slots=True)
class Power:
    """Draws of sensitivity and specificity of one instrument in one stratum."""

    sensitivity: Array
    specificity: Array

    def corrected(self, positive: bool) -> Array:
        """Return what one decision counts for in draws of the true share (may be below 0 or above 1)."""
        return (float(positive) - (1 - self.specificity)) / (self.sensitivity + self.specificity - 1)

    def tells_nothing(self, confidence: float) -> bool:
        """Say whether the instrument may be no better than a coin, as far as the evaluation tells."""
        least = np.quantile(self.sensitivity + self.specificity - 1, 0.5 - confidence / 2)
        return bool(least <= LEAST_POWER)


def drawn_power(counts: ErrorCounts, rng: np.random.Generator, draws: int) -> Power:
    """Draw sensitivity and specificity from their posteriors given an evaluation."""
    return Power(
        rng.beta(counts.tp + ERROR_PRIOR, counts.fn + ERROR_PRIOR, draws),
        rng.beta(counts.tn + ERROR_PRIOR, counts.fp + ERROR_PRIOR, draws),
    )


def sure_power(counts: ErrorCounts) -> Power:
    """Return sensitivity and specificity as evaluated, for the point estimate."""
    return Power(np.array([counts.sensitivity]), np.array([counts.specificity]))


def corrected_share(cells: Sequence[float], classifier: Power | None, matcher: Power | None, shares: Array) -> Array:
    """Return draws of the true share of one stratum.

    Parameters
    ----------
    cells : works by decision, in the order (no, no), (no, yes), (yes, no), (yes, yes) of
        classifier and matcher.
    classifier, matcher : power of the instruments; None where the measure does not use it.
    shares : draws of the shares of the four cells, one row per draw.

    Given the truth, the two instruments err independently, so a cell counts for the product of
    what its two decisions count for.
    """
    total = np.zeros(shares.shape[0])
    for cell in range(len(cells)):
        of_classifier = classifier.corrected(cell >= 2) if classifier else 1.0
        of_matcher = matcher.corrected(cell % 2 == 1) if matcher else 1.0
        total = total + shares[:, cell] * of_classifier * of_matcher
    return total


Estimate = tuple[float | None, float, float]
"""A share with the ends of its interval; the share is None where nothing can be said."""


def adjust(
    strata: Mapping[tuple[str, str], Sequence[float]],
    errors: Errors,
    uses: tuple[bool, bool],
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Estimate | None:
    """Return the adjusted share with the ends of its interval; None over no works.

    An instrument that may tell nothing gives no estimate and an interval from 0 to 1.

    Parameters
    ----------
    strata : the four cells of decisions (see `corrected_share`) by text and affiliation stratum.
    errors : the evaluation of both instruments.
    uses : whether the measure rests on the classifier, and on the matcher.
    """
    works = sum(sum(cells) for cells in strata.values())
    if not works:
        return None
    rng = np.random.default_rng(seed)
    classifier = {name: drawn_power(errors.classifier[name], rng, draws) for name in TEXT_STRATA}
    matcher = {name: drawn_power(errors.matcher[name], rng, draws) for name in AFFILIATION_STRATA}
    point, drawn = 0.0, np.zeros(draws)
    for (text, affiliation), cells in sorted(strata.items()):
        counts = np.asarray(cells, dtype=np.float64)
        size = counts.sum()
        if not size:
            continue
        powers = (classifier[text] if uses[0] else None, matcher[affiliation] if uses[1] else None)
        if any(power.tells_nothing(confidence) for power in powers if power):
            return None, 0.0, 1.0
        sure = (
            sure_power(errors.classifier[text]) if uses[0] else None,
            sure_power(errors.matcher[affiliation]) if uses[1] else None,
        )
        drawn += size / works * corrected_share(cells, *powers, rng.dirichlet(counts + CELL_PRIOR, draws))
        point += size / works * float(corrected_share(cells, *sure, counts[None, :] / size)[0])
    return _ends(point, drawn, confidence)


def _ends(point: float, drawn: Array, confidence: float) -> Estimate:
    low, high = np.quantile(np.clip(drawn, 0, 1), [0.5 - confidence / 2, 0.5 + confidence / 2])
    centre = float(np.clip(point, 0, 1))
    return centre, min(float(low), centre), max(float(high), centre)


def from_labels(
    strata: Sequence[tuple[int, int, int]], confidence: float, draws: int = DRAWS, seed: int = SEED
) -> Estimate | None:
    """Return share and interval from a labelled sample of the study's own works; None over no works.

    Parameters
    ----------
    strata : works, works labelled, and of these the truly positive, per stratum. A stratum with
        works must have labels.

    The labelled works are known; only the others are drawn, which is the finite-population
    correction: a sample of everything has no interval.
    """
    works = sum(size for size, _, _ in strata)
    if not works:
        return None
    rng = np.random.default_rng(seed)
    point, drawn = 0.0, np.zeros(draws)
    for size, labelled, positive in strata:
        if not size:
            continue
        rate = rng.beta(positive + LABEL_PRIOR, labelled - positive + LABEL_PRIOR, draws)
        drawn += positive + rng.binomial(size - labelled, rate)
        point += size * positive / labelled
    return _ends(point / works, drawn / works, confidence)


def adjusted(
    study: Study, works: pl.DataFrame, errors: Errors | None, labelled: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the table ``adjusted``: raw and adjusted shares side by side.

    Parameters
    ----------
    works : table ``copublications``.
    errors : the shipped evaluation; None leaves the adjusted columns empty, and says so.
    labelled : labelled sample of the study's works (work_id, critical, listed); used for the
        whole of the study where it covers all decisions, in place of the evaluation.
    """
    judged = works.with_columns(
        ABSTRACT_STRATUM.alias("text"),
        pl.when("has_institution").then(pl.lit("resolved")).otherwise(pl.lit("unresolved")).alias("affiliation"),
        (pl.col("is_listed") & (pl.col("max_risk_level") == study.top_level)).fill_null(False).alias("is_top_listed"),
    )
    rows = []
    for kind, piece, part in _slices(judged):
        for measure in MEASURES:
            row = _raw(study, part, measure) | {"measure": measure, "slice_kind": kind, "slice": piece}
            sample = _labelled_strata(part, measure, labelled) if kind == "all" and labelled is not None else None
            rows.append(row | (_by_labels(study, sample) if sample else _by_errors(study, part, measure, errors)))
    frame = pl.DataFrame(rows, schema=TABLES["adjusted"].schema)
    return conform("adjusted", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _slices(works: pl.DataFrame) -> list[tuple[str, str, pl.DataFrame]]:
    years = works["publication_year"].unique().sort().to_list()
    return [
        ("all", "all", works),
        *(("abstract", text, works.filter(pl.col("text") == text)) for text in TEXT_STRATA),
        *(("year", str(year), works.filter(pl.col("publication_year") == year)) for year in years),
    ]


def _decisions(measure: str) -> tuple[pl.Expr, pl.Expr]:
    said, matched = MEASURES[measure]
    return pl.col(said) if said else pl.lit(False), pl.col(matched) if matched else pl.lit(False)


def _has(measure: str) -> pl.Expr:
    return pl.all_horizontal(*(name for name in MEASURES[measure] if name))


def _raw(study: Study, works: pl.DataFrame, measure: str) -> dict[str, Any]:
    count, of = int(works.select(_has(measure).sum()).item()), works.height
    low, high = wilson(count, of, study.confidence)
    return {
        "numerator": float(count),
        "denominator": float(of),
        "share": count / of if of else None,
        "ci_low": float(low) if of else None,
        "ci_high": float(high) if of else None,
        "not_judged": float(works.select((~pl.col("classifiable")).sum()).item()) if MEASURES[measure][0] else 0.0,
        "confidence": study.confidence,
    }


def _by_errors(study: Study, works: pl.DataFrame, measure: str, errors: Errors | None) -> dict[str, Any]:
    if errors is None:
        return {"method": "none", "basis": "no evaluation of the classifier under these settings is at hand"}
    uses = (MEASURES[measure][0] is not None, MEASURES[measure][1] is not None)
    said, matched = _decisions(measure)
    # A work that cannot be judged counts for none: the judged ones stand for it, with their interval.
    judged = works.filter("classifiable") if uses[0] else works
    cells = judged.group_by("text", "affiliation").agg(
        (~said & ~matched).sum().alias("0"),
        (~said & matched).sum().alias("1"),
        (said & ~matched).sum().alias("2"),
        (said & matched).sum().alias("3"),
    )
    strata = {(row[0], row[1]): tuple(map(float, row[2:])) for row in cells.iter_rows()}
    found = adjust(strata, errors, uses, study.confidence)
    return _columns(found) | {"method": "shipped evaluation", "basis": errors.source}


def _columns(found: Estimate | None) -> dict[str, float | None]:
    names = ("adjusted", "adjusted_low", "adjusted_high")
    return dict(zip(names, found or (None, None, None), strict=True))


def _labelled_strata(works: pl.DataFrame, measure: str, labelled: pl.DataFrame) -> list[tuple[int, int, int]] | None:
    """Return works, labels and true positives per stratum of decision and score; None if labels lack.

    Strata without a label join the rest of their decision; a decision without any label makes
    the sample unusable for the measure.
    """
    names = ["critical" if MEASURES[measure][0] else None, "listed" if MEASURES[measure][1] else None]
    if measure == "top_level":
        return None  # people label whether a work is listed, not at which level
    truth = labelled.select("work_id", pl.all_horizontal(*(n for n in names if n)).alias("truth")).drop_nulls()
    said, matched = _decisions(measure)
    score = pl.col("max_score").fill_null(0.0)
    joined = works.join(truth.unique("work_id"), on="work_id", how="left").select(
        said.alias("said"),
        matched.alias("matched"),
        (score.is_between(*NEAR) if MEASURES[measure][0] else pl.lit(False)).alias("near"),
        "truth",
    )
    counts = (
        pl.len().alias("size"),
        pl.col("truth").count().alias("labelled"),
        pl.col("truth").sum().alias("positive"),
    )
    fine = joined.group_by("said", "matched", "near").agg(counts).sort("said", "matched", "near")
    rows: list[tuple[int, int, int]] = []
    for _, decision in fine.group_by("said", "matched", maintain_order=True):
        parts = [(int(r["size"]), int(r["labelled"]), int(r["positive"])) for r in decision.iter_rows(named=True)]
        if any(labels == 0 for _, labels, _ in parts):
            parts = [(sum(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts))]
        if parts[0][1] == 0:
            return None
        rows += parts
    return rows


def _by_labels(study: Study, strata: list[tuple[int, int, int]]) -> dict[str, Any]:
    labels = sum(n for _, n, _ in strata)
    return _columns(from_labels(strata, study.confidence)) | {
        "method": "labelled sample",
        "basis": f"{labels} works of this study read by people, in {len(strata)} strata of decision and score",
    }
