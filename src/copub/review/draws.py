"""Draws of works for reading, kept beside the runs: how many works of the study each drawn work represents.

That number would tell a reader what copub decided, so pages and sheets carry the id of their draw instead.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from copub.csvtext import csv_of
from copub.lists.decisions import study_folder
from copub.writing import write_file

DRAWS = Path("review", "draws")
WEIGHTS = pl.Schema({"work_id": pl.String, "stands_for": pl.Float64})
_ID_LENGTH = 16


def draw_id(drawn: pl.DataFrame) -> str:
    """Return the id of a draw: a hash of its works and of what they represent (columns `WEIGHTS`)."""
    return hashlib.sha256(_text(drawn)).hexdigest()[:_ID_LENGTH]


def keep_draw(reports: Path, study_id: str, drawn: pl.DataFrame) -> None:
    """Write what the works of a draw represent, where an import finds it by the id of the draw."""
    folder = study_folder(reports, study_id) / DRAWS
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / f"{draw_id(drawn)}.csv", _text(drawn))


def kept_draws(folder: Path) -> pl.DataFrame:
    """Return the draws that are kept in the folder of a study: draw and `WEIGHTS`."""
    found = [
        pl.read_csv(path, schema=WEIGHTS).select(pl.lit(path.stem).alias("draw"), *WEIGHTS)
        for path in sorted((folder / DRAWS).glob("*.csv"))
    ]
    return pl.concat([pl.DataFrame(schema={"draw": pl.String, **WEIGHTS}), *found])


def _text(drawn: pl.DataFrame) -> bytes:
    return csv_of(drawn.select(WEIGHTS.names()))
