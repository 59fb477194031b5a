"""Outside labels: what another classifier says of works, and how far copub agrees with it.

A table of outside labels has a column of ids (OpenAlex, DOI, arXiv: whatever the works file has),
a column of labels (yes, no or nothing: the outside classifier was not run), and, where one file
refers to several areas, a column of areas. Agreement is not accuracy: the outside label is a
model's word too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from copub.errors import Fault, FileError, InputError
from copub.intervals import wilson
from copub.lists.csvfile import read_table
from copub.technology.classifierevaluation import cohen_kappa, measure_row

LABELS = {
    **dict.fromkeys(("true", "yes", "y", "1", "1.0", "t"), True),
    **dict.fromkeys(("false", "no", "n", "0", "0.0", "f"), False),
    **dict.fromkeys(("", "null", "none", "nan", "na", "unclear", "unknown"), None),
}
_READERS = {".csv": "csv", ".jsonl": "lines", ".parquet": "parquet"}
_ADDRESS = r"^(https?://)?(www\.)?(openalex\.org|(dx\.)?doi\.org|arxiv\.org/abs)/(works/)?"
_PREFIX = r"^(arxiv|doi|openalex):\s*"
_FIGURES = ("precision", "recall", "f1")


def key_of(ids: pl.Expr) -> pl.Expr:
    """Return ids as they are compared: without address and prefix, small letters, no version of arXiv."""
    bare = ids.cast(pl.String).str.strip_chars().str.to_lowercase().str.replace(_ADDRESS, "").str.replace(_PREFIX, "")
    return bare.str.replace(r"^(\d{4}\.\d{4,5})v\d+$", "$1")


def read_outside(path: Path, *, id_column: str = "id", label_column: str = "label") -> pl.DataFrame:
    """Read outside labels from CSV, JSON Lines or Parquet: key, area (null if there is no such column), label.

    Raises
    ------
    InputError : the file is missing, is of another kind, or lacks a column.
    FileError : labels are neither yes, no nor unclear, or ids occur twice with other labels.
    """
    table = _read(path)
    missing = [name for name in (id_column, label_column) if name not in table.columns]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}", where=str(path), hint=f"columns: {', '.join(table.columns)}"
        )
    area = pl.col("area").cast(pl.String) if "area" in table.columns else pl.lit(None, dtype=pl.String)
    words = pl.col(label_column).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
    rows = table.with_row_index("row").select("row", key=key_of(pl.col(id_column)), area=area, word=words)
    unknown = rows.filter(~pl.col("word").is_in(list(LABELS)))
    faults = [
        Fault(f"{path}, row {row + 1}", f"{word!r} is no label", "write yes, no, or nothing")
        for row, word in unknown.select("row", "word").iter_rows()
    ]
    reported = rows.with_columns(label=pl.col("word").replace_strict(LABELS, default=None, return_dtype=pl.Boolean))
    reported = reported.filter(pl.col("key").fill_null("") != "")
    by_work = reported.drop_nulls("label").group_by("key", "area")
    twice = by_work.agg(pl.col("label").n_unique(), pl.col("row").min()).filter(pl.col("label") > 1).sort("row")
    faults += [
        Fault(f"{path}, row {row + 1}", f"{key} has two different labels", "keep one")
        for key, row in twice.select("key", "row").iter_rows()
    ]
    if faults:
        raise FileError.first(faults, kind="outside labels")
    # A work that occurs twice, once without a label, has the label.
    return reported.group_by("key", "area").agg(pl.col("label").drop_nulls().first()).sort("area", "key")


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), hint="check the path and the spelling")
    kind = _READERS.get(path.suffix.lower())
    try:
        if kind == "csv":
            return _csv(path)
        if kind == "lines":
            return pl.read_ndjson(path, infer_schema_length=None)
        if kind == "parquet":
            return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), hint="give UTF-8 text, or Parquet") from None
    raise InputError(
        f"cannot read {path.suffix or 'a file without suffix'}", where=str(path), hint=f"use {', '.join(_READERS)}"
    )


def _csv(path: Path) -> pl.DataFrame:
    faults: list[Fault] = []
    table = read_table(path, faults, kind="file of outside labels")
    if faults:
        raise FileError.first(faults, kind="outside labels")
    return pl.DataFrame([dict(row.cells) for row in table.rows], schema=dict.fromkeys(table.columns, pl.String))


def agreement(
    works: pl.Series, assignments: pl.DataFrame, outside: pl.DataFrame, areas: Sequence[str]
) -> dict[str, float]:
    """Compare assignments with an outside label by work: true, false, or null where it was not given.

    Parameters
    ----------
    works : ids of all works that were classified; others are left out.
    assignments : work_id, area, assigned.
    outside : key, label (Boolean, null = the outside classifier was not run).
    areas : the areas that the outside label is compared with; a work counts if any is assigned.

    Returns works compared, works without an outside label, agreement with its interval, kappa,
    and precision, recall and F1 with intervals, the outside label taken as true.
    """
    ours = assignments.filter(pl.col("assigned") & pl.col("area").is_in(list(areas)))["work_id"].unique()
    known = pl.DataFrame({"work_id": works.unique(maintain_order=True)}).with_columns(
        key=key_of(pl.col("work_id")), found=pl.col("work_id").is_in(ours.to_list())
    )
    met = outside.join(known, on="key")
    labelled = met.drop_nulls("label")
    theirs, found = labelled["label"].to_numpy().astype(np.bool_), labelled["found"].to_numpy().astype(np.bool_)
    same = int((theirs == found).sum())
    low, high = wilson(same, theirs.size)
    row = measure_row(theirs, found)
    return {
        "works": theirs.size,
        "without_label": met.height - labelled.height,
        "agreement": same / theirs.size if theirs.size else float("nan"),
        "agreement_low": float(low),
        "agreement_high": float(high),
        "kappa": cohen_kappa(theirs, found),
        **{f"{name}{end}": row[f"{name}{end}"] for name in _FIGURES for end in ("", "_low", "_high")},
    }
