"""Labels as a file that others may use and cite: ids, answers, readers and rules, and no text of a work or reader."""

from __future__ import annotations

import polars as pl

from copub.lines import amount
from copub.review.ledger import Ledger

COLUMNS = (
    "study", "work_id", "critical", "areas", "listed", "top_level", "readers", "date", "third_look", "stands_for",
    "codebook_sha256",
)  # fmt: skip


def citable(ledger: Ledger, study_id: str) -> pl.DataFrame:
    """Return the labels of a study, sorted by work: `COLUMNS`.

    stands_for is the number of works of the study that the work represents in the draw; codebook_sha256
    is empty for works that were read on a sheet, which shows no rules.
    """
    return (
        ledger.labels.rename({"reader": "readers", "settles": "third_look", "codebook": "codebook_sha256"})
        .with_columns(study=pl.lit(study_id))
        .select(COLUMNS)
        .sort("work_id")
    )


def citation(labels: pl.DataFrame, study_id: str, sha256: str) -> str:
    """Return the sentence by which the file can be cited."""
    readers = ", ".join(sorted({name for names in labels["readers"] for name in names.split(", ")}))
    rules = ", ".join(digest[:12] for digest in labels["codebook_sha256"].unique().sort() if digest) or "none stated"
    return (
        f"{readers}: labels of {amount(labels.height, 'work')} of the copub study {study_id}, read until "
        f"{labels['date'].sort()[-1]}, by rules with sha256 {rules}; file with sha256 {sha256}"
    )
