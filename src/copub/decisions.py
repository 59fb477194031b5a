"""People's decisions on affiliations: kept per study beside its runs, applied to every later run."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from copub.errors import CorrectInput
from copub.screening.review import merge_decisions, read_decisions, write_sheet
from copub.shipped import shipped_names

DECISIONS = "decisions.csv"
_STATUS = {"yes": "confirmed", "no": "rejected"}


def decisions_of(reports: Path, study_id: str) -> pl.DataFrame | None:
    """Return the decisions kept for a study; None if there are none."""
    path = reports / study_id / DECISIONS
    return read_decisions(path) if path.is_file() else None


def keep_decisions(reports: Path, study_id: str, new: pl.DataFrame) -> tuple[pl.DataFrame, Path]:
    """Merge new decisions into those kept for a study; the later date wins. Return all, and the file.

    Raises `CorrectInput` if neither a run nor a shipped study bears the id.
    """
    folder = reports / study_id
    if not folder.is_dir() and study_id not in shipped_names("studies"):
        raise CorrectInput(f"no run of a study {study_id!r}", where=str(reports), mend="run the study first")
    folder.mkdir(parents=True, exist_ok=True)
    old = decisions_of(reports, study_id)
    merged = new if old is None else merge_decisions(old, new)
    path = folder / DECISIONS
    temporary = path.with_name(f".{DECISIONS}.{os.getpid()}")
    write_sheet(merged, temporary)
    temporary.replace(path)
    return merged, path


def decision_facts(decisions: pl.DataFrame | None) -> list[dict[str, str]]:
    """Return the decisions for the manifest, one by one: they shape the numbers of the run."""
    return [] if decisions is None else decisions.to_dicts()


def decisions_from(facts: list[dict[str, str]]) -> pl.DataFrame | None:
    """Return the decisions that a manifest lists; None if there are none."""
    return pl.DataFrame(facts) if facts else None


def review_status(hits: pl.DataFrame, decisions: pl.DataFrame) -> dict[str, str]:
    """Return per work with a decided affiliation: confirmed, rejected, or corrected (both)."""
    decided = (
        hits.select("work_id", "value", pl.coalesce("via_entity", "entity_id").alias("entity_id"))
        .join(decisions.select("value", "entity_id", "decision"), on=["value", "entity_id"])
        .group_by("work_id")
        .agg(pl.col("decision").unique().sort())
        .sort("work_id")
    )
    return {work: _STATUS[found[0]] if len(found) == 1 else "corrected" for work, found in decided.iter_rows()}
