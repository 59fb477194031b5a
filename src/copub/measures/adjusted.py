"""Raw and adjusted shares side by side: the table ``adjusted``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.intervals import DIGITS, wilson
from copub.measures.correction import Estimate, adjust, from_labels
from copub.measures.errors import TEXT_STRATA, Errors
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.study import Study

NEAR = (0.2, 0.8)
"""Scores between these are a stratum of their own in a labelled sample."""

MEASURES: Mapping[str, tuple[str | None, str | None]] = {
    # measure: (what the classifier says, what the matcher says)
    "critical": ("is_critical", None),
    "listed": (None, "is_listed"),
    "critical_listed": ("is_critical", "is_listed"),
    "top_level": ("is_critical", "is_top_listed"),
}


FEW = "too few works for a correction"


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
        pl.when(pl.col("classified_from") == "title and abstract")
        .then(pl.lit("with abstract"))
        .otherwise(pl.lit("title only"))
        .alias("text"),
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
    # Corrections are made measure by measure: in few works they can contradict each other.
    few = (pl.col("slice_kind") != "all") & (pl.col("denominator") < study.small_rate)
    estimates = ("adjusted", "adjusted_low", "adjusted_high")
    frame = frame.with_columns(
        *(pl.when(~few).then(name).alias(name) for name in estimates),
        pl.when(few).then(pl.lit(FEW)).otherwise("basis").alias("basis"),
        pl.when(few).then(pl.lit("none")).otherwise("method").alias("method"),
    )
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
