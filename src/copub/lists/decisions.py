"""What people decided who read, on affiliations and on whole works: kept per study, for every later run.

Decisions on affiliations change hits; labels of works change nothing but the share from reading. Before a file
changes, it is copied to ``review/earlier`` of the study's folder: no version is ever lost.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from copub.csvtext import unquoted, write_sheet
from copub.errors import Fault, FileError, InputError
from copub.lists.checks import id_fault
from copub.lists.csvfile import CsvRow, read_rows
from copub.lists.labels import LABELS, labels_text, read_labels
from copub.shipped import shipped_names
from copub.writing import as_input_error, replacing

COLUMNS: Mapping[str, str] = {
    "sample": "hit | non-hit | candidate: from where the row was drawn",
    "value": "the affiliation string",
    "entity_id": "the entity in question; a reviewer may correct it",
    "entity_name": "its name",
    "matched_text": "the matched characters",
    "decision": "yes = the string names the entity; no = it does not; empty = not decided",
    "reason": "why",
    "reviewer": "who decided",
    "date": "when (YYYY-MM-DD)",
}

DECISIONS = "decisions.csv"
LABELLED = "labelled.csv"
EARLIER = Path("review", "earlier")
_STATUS = {"yes": "confirmed", "no": "rejected"}


def read_decisions(path: Path) -> pl.DataFrame:
    """Read the decisions out of a sheet: value, entity_id, decision, reason, reviewer, date; sorted.

    Rows without a decision are skipped. Raises `FileError` with all faults: unknown
    decisions, a decision without reviewer, date or entity, two decisions that contradict each other.
    """
    faults: list[Fault] = []
    rows = read_rows(
        path, COLUMNS, ("value", "entity_id", "decision", "reviewer", "date"), faults, kind="review sheet", strip=False
    )
    decided = [_trimmed(row) for row in rows if row["decision"].strip()]
    seen: dict[tuple[str, str], CsvRow] = {}
    for row in decided:
        faults += _decision_faults(row)
        before = seen.setdefault((row["value"], row["entity_id"]), row)
        if before["decision"] != row["decision"]:
            faults.append(Fault(row.where, f"contradicts the decision of {before.where}", "keep one of them"))
    if faults:
        raise FileError(faults, kind="review sheet")
    names = ("value", "entity_id", "decision", "reason", "reviewer", "date")
    data = [tuple(unquoted(row[name]) for name in names) for row in seen.values()]
    return pl.DataFrame(data, schema=pl.Schema(dict.fromkeys(names, pl.String())), orient="row").sort(
        "value", "entity_id"
    )


def _trimmed(row: CsvRow) -> CsvRow:
    """Drop spaces around all cells but the string, which must stay as it is; a decision is in small letters."""
    cells = {name: cell if name == "value" else cell.strip() for name, cell in row.cells.items()}
    return CsvRow(row.where, cells | {"decision": row["decision"].strip().lower()}).dated()


def _decision_faults(row: CsvRow) -> Iterator[Fault]:
    if row["decision"] not in ("yes", "no"):
        yield Fault(row.where, f"decision is {row['decision']!r}", "known: yes, no, empty")
    for name in ("entity_id", "reviewer"):
        if not row[name]:
            yield Fault(row.where, f"a decision needs {name}", COLUMNS[name])
    try:
        datetime.date.fromisoformat(row["date"])
    except ValueError:
        yield Fault(row.where, f"date {row['date']!r} is no date", "YYYY-MM-DD")


def merge_decisions(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return all decisions of both; where both decide on the same pair the later date wins, then `new`."""
    both = pl.concat([old.with_columns(rank=pl.lit(0)), new.with_columns(rank=pl.lit(1))])
    latest = both.sort("value", "entity_id", "date", "rank").unique(["value", "entity_id"], keep="last")
    return latest.drop("rank").sort("value", "entity_id")


def decisions_of(reports: Path, study_id: str) -> pl.DataFrame | None:
    """Return the decisions kept for a study; None if there are none."""
    path = reports / study_id / DECISIONS
    return read_decisions(path) if path.is_file() else None


def keep_decisions(reports: Path, study_id: str, new: pl.DataFrame) -> tuple[pl.DataFrame, Path]:
    """Merge new decisions into those kept for a study; the later date wins. Return all, and the file.

    Raises `InputError` if neither a run nor a shipped study bears the id.
    """
    folder = study_folder(reports, study_id)
    old = decisions_of(reports, study_id)
    merged = new if old is None else merge_decisions(old, new)
    return merged, _written(merged, folder / DECISIONS)


def labels_of(reports: Path, study_id: str) -> pl.DataFrame | None:
    """Return the labels kept for a study's works; None if there are none."""
    path = reports / study_id / LABELLED
    return read_labels([path]) if path.is_file() else None


def write_labels(reports: Path, study_id: str, labels: pl.DataFrame) -> Path:
    """Write the labels of a study's works in place of those kept; return the file.

    Raises `InputError` if neither a run nor a shipped study bears the id.
    """
    return _written(labels_text(labels), study_folder(reports, study_id) / LABELLED)


def study_folder(reports: Path, study_id: str) -> Path:
    """Return the folder of a study, made if need be.

    Raises `InputError` if neither a run nor a shipped study bears the id; a path is no id.
    """
    wrong = id_fault(study_id)
    if wrong:
        raise InputError(wrong, where="--study", hint="give the id of a study, such as belgium-china")
    folder = reports / study_id
    if not folder.is_dir() and study_id not in shipped_names("studies"):
        raise InputError(f"no run of a study {study_id!r}", where=str(reports), hint="run the study first")
    with as_input_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _written(sheet: pl.DataFrame, path: Path) -> Path:
    with replacing(path) as temporary:
        write_sheet(sheet, temporary)
        if path.is_file() and path.read_bytes() != temporary.read_bytes():
            _keep_earlier(path)
    return path


def _keep_earlier(path: Path) -> None:
    """Copy a file to ``review/earlier`` beside it, under the next number."""
    folder = path.parent / EARLIER
    folder.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in folder.glob(f"{path.stem}-*{path.suffix}")) + 1
    shutil.copyfile(path, folder / f"{path.stem}-{number:04}{path.suffix}")


def label_facts(labels: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Return the labels for the manifest, one by one: the shares from reading rest on them."""
    return [] if labels is None else labels.to_dicts()


def labels_from(facts: list[dict[str, Any]]) -> pl.DataFrame | None:
    """Return the labels that a manifest lists; None if there are none."""
    return pl.DataFrame(facts, schema=LABELS) if facts else None


def decision_facts(decisions: pl.DataFrame | None) -> list[dict[str, str]]:
    """Return the decisions for the manifest, one by one: they shape the numbers of the run."""
    return [] if decisions is None else decisions.to_dicts()


def decisions_from(facts: list[dict[str, str]]) -> pl.DataFrame | None:
    """Return the decisions that a manifest lists; None if there are none."""
    return pl.DataFrame(facts) if facts else None


def review_status(hits: pl.DataFrame, decisions: pl.DataFrame) -> dict[str, str]:
    """Return per work with a decided affiliation: confirmed, rejected, or corrected (both)."""
    named = pl.concat([hits.select("work_id", "value", entity_id=name) for name in ("entity_id", "via_entity")])
    decided = (
        named.join(decisions.select("value", "entity_id", "decision"), on=["value", "entity_id"])
        .group_by("work_id")
        .agg(pl.col("decision").unique().sort())
        .sort("work_id")
    )
    return {work: _STATUS[found[0]] if len(found) == 1 else "corrected" for work, found in decided.iter_rows()}
