"""Raw and adjusted shares side by side: the table ``adjusted``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from copub.intervals import DIGITS, wilson
from copub.measures.correction import MEASURES, Array, Decisions, Estimate, Read, adjust, from_labels
from copub.measures.errorcounts import TEXT_STRATA, Errors
from copub.measures.strata import with_strata
from copub.names import READING_STRATA
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

FEW = "too few works for a correction"
NO_EVALUATION = "no evaluation of the classifier under these settings is at hand"
NO_LEVELS = "the labels do not say the level"

_HAS: Mapping[str, pl.Expr] = {
    "critical": pl.col("is_critical"),
    "listed": pl.col("is_listed"),
    "critical_listed": pl.col("is_critical_listed"),
    "top_level": pl.col("is_top_level"),
}
_READ = (
    "work_id", "publication_year", "text", "affiliation", "listing", "classifiable", "is_critical", "is_listed",
    "is_critical_listed", "is_top_level",
)  # fmt: skip
_ESTIMATES = ("adjusted", "adjusted_low", "adjusted_high")


@dataclass(frozen=True, slots=True)
class _Basis:
    """Where the estimates of a slice come from: nothing, the shipped evaluation, or labels."""

    method: str
    words: str
    found: Mapping[str, Estimate]


def adjusted(
    study: Study, works: pl.DataFrame, errors: Errors | None, labelled: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the table ``adjusted``: raw and adjusted shares side by side.

    Parameters
    ----------
    works : table ``copublications``.
    errors : the shipped evaluation; None leaves the adjusted columns empty, and says so.
    labelled : labels of the study's works (`copub.lists.labels.LABELS`); used in place of the
        evaluation where every decision that occurs in the study has some.
    """
    marked = with_strata(works).with_columns(
        pl.when(pl.col("classified_from") == "title and abstract")
        .then(pl.lit("with abstract"))
        .otherwise(pl.lit("title only"))
        .alias("text"),
        pl.when("has_institution").then(pl.lit("resolved")).otherwise(pl.lit("unresolved")).alias("affiliation"),
        pl.when("is_listed")
        .then(pl.when((pl.col("max_risk_level") == study.top_level).fill_null(False)).then(2).otherwise(1))
        .otherwise(0)
        .alias("listing"),
    )
    marked = marked.select(list(dict.fromkeys((*_READ, *READING_STRATA))))  # a slice is a copy of its works
    labels = None if labelled is None else _labels_of(marked, labelled)
    rows = []
    for kind, piece, part in _slices(marked):
        basis = _basis(study, part, errors, labels)
        for measure in MEASURES:
            rows.append(
                {
                    **_raw(study, part, measure),
                    "measure": measure,
                    "slice_kind": kind,
                    "slice": piece,
                    **_estimate(basis, measure),
                }
            )
    frame = pl.DataFrame(rows, schema=TABLES["adjusted"].schema)
    return conform("adjusted", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def _slices(works: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    yield "all", "all", works
    for text in TEXT_STRATA:
        yield "abstract", text, works.filter(pl.col("text") == text)
    for year in works["publication_year"].unique().sort():
        yield "year", str(year), works.filter(pl.col("publication_year") == year)


def _raw(study: Study, works: pl.DataFrame, measure: str) -> dict[str, Any]:
    count, of = int(works.select(_HAS[measure].sum()).item()), works.height
    low, high = wilson(count, of, study.confidence)
    return {
        "numerator": float(count),
        "denominator": float(of),
        "share": count / of if of else None,
        "ci_low": float(low) if of else None,
        "ci_high": float(high) if of else None,
        "not_classified": float(works.select((~pl.col("classifiable")).sum()).item()) if MEASURES[measure][0] else 0.0,
        "confidence": study.confidence,
    }


def _estimate(basis: _Basis, measure: str) -> dict[str, Any]:
    found = basis.found.get(measure)
    if basis.found and found is None:
        return {"method": "none", "basis": NO_LEVELS}
    return {"method": basis.method, "basis": basis.words, **dict(zip(_ESTIMATES, found or (None,) * 3, strict=True))}


def _basis(study: Study, works: pl.DataFrame, errors: Errors | None, labels: _Labels | None) -> _Basis:
    if labels is not None and not labels.lacking:
        return labels.basis(study, works)
    unused = f"; the labels are not used: {labels.lacking}" if labels is not None else ""
    if errors is None:
        return _Basis("none", NO_EVALUATION + unused, {})
    if works.height < study.small_rate:
        return _Basis("none", FEW, {})
    found = adjust(_decisions(works), errors, study.confidence)
    return _Basis("shipped evaluation", errors.source + unused, found)


def _decisions(works: pl.DataFrame) -> Decisions:
    classified: dict[tuple[str, str], Array] = {}
    unclassified: dict[str, Array] = {}
    counted = works.group_by("text", "affiliation", "classifiable", "is_critical", "listing").len()
    for text, place, can_be, critical, listing, count in counted.iter_rows():
        if can_be:
            classified.setdefault((text, place), np.zeros((2, 3)))[int(critical), listing] += count
        else:
            unclassified.setdefault(place, np.zeros(3))[listing] += count
    return Decisions(classified, unclassified)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels joined to the works: stratum of each work, readings by stratum, what is lacking to use them."""

    works: pl.DataFrame
    rates: Mapping[str, Array]
    words: str
    lacking: str
    knows_levels: bool

    def basis(self, study: Study, works: pl.DataFrame) -> _Basis:
        """Return the estimates of a slice: its own readings, and for its other works those of their whole stratum."""
        part = self.works.join(works.select("work_id"), on="work_id", how="semi")
        strata = []
        for (name,), of_stratum in sorted(part.group_by("stratum")):
            known = _table(of_stratum.drop_nulls("critical"), pl.lit(1.0))
            strata.append(Read(of_stratum.height, known, self.rates[str(name)]))
        found = from_labels(strata, study.confidence)
        if not self.knows_levels:
            found.pop("top_level", None)
        return _Basis("labelled sample", self.words, found)


def _labels_of(works: pl.DataFrame, labelled: pl.DataFrame) -> _Labels:
    """Join labels to their works.

    A stratum without a label joins the others of its decision; a decision without any label makes
    the labels unusable.
    """
    truth = labelled.select("work_id", "critical", "listed", "top_level", "reader", "date", "stands_for")
    joined = works.select("work_id", *READING_STRATA).join(truth, on="work_id", how="left")
    decision = READING_STRATA[:2]
    covered = (pl.col("critical").count().over(READING_STRATA) > 0).all().over(decision)
    name = pl.format("{} {}", *(pl.col(column).cast(pl.String) for column in decision))
    stratum = pl.when(covered).then(pl.format("{} {}", name, pl.col("is_near").cast(pl.String))).otherwise(name)
    placed = joined.with_columns(stratum.alias("stratum"))
    read = placed.drop_nulls("critical")
    without = placed.filter(pl.col("critical").count().over("stratum") == 0).select(decision).unique().sort(decision)
    lacking = ", ".join(
        f"{'critical' if critical else 'not critical'} and {'listed' if listed else 'not listed'}"
        for critical, listed in without.iter_rows()
    )
    return _Labels(
        placed,
        {str(name): _rate(part) for (name,), part in read.group_by("stratum")},
        _words(read, placed["stratum"].n_unique()),
        lacking and f"no label of works that are decided {lacking}",
        not read.filter(pl.col("listed") & pl.col("top_level").is_null()).height,
    )


def _words(read: pl.DataFrame, strata: int) -> str:
    days = sorted(set(read["date"]))
    dates = " to ".join(dict.fromkeys(days[:1] + days[-1:]))
    readers = ", ".join(sorted({name for names in set(read["reader"]) for name in names.split(", ")}))
    return f"{read.height} works of this study read by {readers} on {dates}, in {strata} strata of decision and score"


def _rate(read: pl.DataFrame) -> Array:
    """Return readings by truth; where works represent different numbers, weighted, at Kish's effective number."""
    weights = read["stands_for"].fill_null(1.0).to_numpy()
    effective = weights.sum() ** 2 / (weights**2).sum()
    table = _table(read, pl.col("stands_for").fill_null(1.0))
    return np.asarray(table * (effective / table.sum()))


def _table(read: pl.DataFrame, weight: pl.Expr) -> Array:
    """Return readings by truth: critical x listing (an unknown level counts as below the top)."""
    table = np.zeros((2, 3))
    listing = pl.when("listed").then(pl.when(pl.col("top_level").fill_null(False)).then(2).otherwise(1)).otherwise(0)
    for critical, at, value in read.select("critical", listing.alias("at"), weight.alias("value")).iter_rows():
        table[int(critical), at] += value
    return table
