"""The annotation loop: works drawn into a sheet for people to read, and their labels taken back.

Works are drawn by a hash of their id, so that the same works are drawn on every machine and a
larger sheet holds the smaller one. Half are works on which the model is uncertain, half are
random: the first teach most, the second keep the figures honest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import orjson
import polars as pl

from copub.csvtext import unquoted
from copub.draw import in_draw_order
from copub.errors import Fault, FileError
from copub.lists.csvfile import CsvRow, read_table
from copub.names import SEED
from copub.review.agreement import latest
from copub.review.filledsheets import is_page_file, read_given
from copub.technology.classifierevaluation import ANY, cohen_kappa

COLUMNS = ("work_id", "drawn", "title", "abstract", "core", "applied", "reader", "date")
_NAMES = pl.List(pl.String)
_READING = pl.Schema(
    {"work_id": pl.String(), "reader": pl.String(), "date": pl.String(), "core": _NAMES, "applied": _NAMES}
)
_JOINED = pl.Schema({"work_id": pl.String(), "readers": _NAMES, "core": _NAMES, "disputed": _NAMES, "applied": _NAMES})


def draw_sheet(works: pl.DataFrame, assignments: pl.DataFrame, size: int, *, seed: str = SEED) -> pl.DataFrame:
    """Draw works for reading: half model-uncertain, half random; sorted by the draw.

    Parameters
    ----------
    works : work_id, title, abstract.
    assignments : of one taxonomy. A work is uncertain if an area's score is nearer to its
        threshold than half of the threshold.

    Returns a frame with `COLUMNS`; core, applied, reader and date are left to be filled in.
    """
    near = (pl.col("score") - pl.col("threshold")).abs() < pl.col("threshold") / 2
    uncertain = set(assignments.filter(near)["work_id"])
    ordered = in_draw_order(works.unique("work_id", keep="first", maintain_order=True), "work_id", seed=seed)
    first = ordered.filter(pl.col("work_id").is_in(list(uncertain)))["work_id"].head(size // 2).to_list()
    others = ordered.filter(~pl.col("work_id").is_in(first))["work_id"].head(size - len(first)).to_list()
    drawn = dict.fromkeys(first, "uncertain") | dict.fromkeys(others, "random")
    return (
        ordered.filter(pl.col("work_id").is_in(list(drawn)))
        .with_columns(
            drawn=pl.col("work_id").replace_strict(drawn, return_dtype=pl.String),
            **{name: pl.lit("") for name in ("core", "applied", "reader", "date")},
        )
        .select(COLUMNS)
    )


def read_sheets(paths: Sequence[Path], areas: Sequence[str]) -> pl.DataFrame:
    """Read filled sheets: work_id, reader, date, core, applied; rows without a reader are skipped.

    Areas are in one cell, parted by blanks, commas or semicolons; an empty cell means none. Files that reading
    pages saved are read too: the areas of a critical work are core; works that a reader could not decide are skipped.

    Raises
    ------
    InputError : a file is missing.
    FileError : all faults of all sheets with file and line: unknown areas, dates, columns.
    """
    rows: list[dict[str, object]] = []
    faults: list[Fault] = []
    for path in paths:
        if path.is_file() and is_page_file(path):
            rows += _of_page(path, areas, faults)
            continue
        table = read_table(path, faults, kind="sheet")
        missing = list(table.column_faults({}, COLUMNS))
        faults += missing
        rows += [_reading(row.dated(), areas, faults) for row in table.rows if row["reader"] and not missing]
    if faults:
        raise FileError(faults, kind="sheet")
    return pl.DataFrame(rows, schema=_READING).sort("work_id", "reader")


def _of_page(path: Path, areas: Sequence[str], faults: list[Fault]) -> list[dict[str, object]]:
    decided = latest(read_given(path).works).filter(pl.col("critical").is_in(["yes", "no"]))
    rows = []
    for work, reader, day, critical, named in decided.select(
        "work_id", "reader", "date", "critical", "areas"
    ).iter_rows():
        # a page asks for areas only where there are several
        core = [] if critical == "no" else named or (list(areas) if len(areas) == 1 else [])
        unknown = [name for name in core if name not in areas]
        if unknown or (critical == "yes" and not core):
            what = f"unknown area {', '.join(unknown)}" if unknown else "critical, but no area is marked"
            faults.append(Fault(f"{path}: {work}", what, f"known: {', '.join(areas)}"))
        rows.append({"work_id": work, "reader": reader, "date": day, "core": core, "applied": []})
    return rows


def _reading(row: CsvRow, areas: Sequence[str], faults: list[Fault]) -> dict[str, object]:
    where = row.where
    lists = {key: sorted(set(re.split(r"[\s,;]+", row[key])) - {""}) for key in ("core", "applied")}
    for key, names in lists.items():
        unknown = [name for name in names if name not in areas]
        if unknown:
            faults.append(Fault(where, f"{key}: unknown area {', '.join(unknown)}", f"known: {', '.join(areas)}"))
    try:
        date.fromisoformat(row["date"])
    except ValueError:
        faults.append(Fault(where, f"no date of reading: {row['date']!r}", "write it as 2026-11-21"))
    return {"work_id": unquoted(row["work_id"]), "reader": row["reader"], "date": row["date"], **lists}


def join_readings(readings: pl.DataFrame) -> pl.DataFrame:
    """Join the readings of a work: core where all readers agree, disputed where only some say core.

    Returns work_id, readers, core, disputed, applied.
    """
    rows = []
    for (name,), part in readings.group_by(["work_id"], maintain_order=True):
        cores = [set(core) for core in part["core"]]
        core, some = set.intersection(*cores), set.union(*cores)
        applied = set().union(*(set(row) for row in part["applied"])) - some
        rows.append(
            {"work_id": name, "readers": sorted(set(part["reader"])), "core": sorted(core),
             "disputed": sorted(some - core), "applied": sorted(applied)}
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_JOINED).sort("work_id")


def agreement_of_readers(readings: pl.DataFrame, areas: Sequence[str]) -> pl.DataFrame:
    """Return kappa by pair of readers and area ("any area" too): reader_a, reader_b, area, works, kappa."""
    rows = []
    read = readings.select("work_id", "reader", "core").iter_rows()
    cores = {(work, reader): set(core) for work, reader, core in read}
    for first, second in combinations(sorted(readings["reader"].unique()), 2):
        both = sorted(work for work, reader in cores if reader == first and (work, second) in cores)
        for area in (*areas, ANY):
            stated = [
                np.array([bool(cores[work, who]) if area == ANY else area in cores[work, who] for work in both])
                for who in (first, second)
            ]
            kappa = cohen_kappa(*stated) if both else float("nan")
            rows.append({"reader_a": first, "reader_b": second, "area": area, "works": len(both), "kappa": kappa})
    schema = {"reader_a": pl.String, "reader_b": pl.String, "area": pl.String, "works": pl.Int64, "kappa": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def labels_text(labels: pl.DataFrame, works: pl.DataFrame, topics: pl.DataFrame) -> str:
    """Return joined readings with the texts and topics of their works as a labelled file (JSON Lines).

    The file can be evaluated against (`copub.technology.classifierevaluation`) and trained on
    (``python -m copub.technology.training.train --labels FILE``).
    """
    topic = pl.struct(id="topic_id", display_name="topic_name", score="score")
    of_works = topics.sort("work_id", "rank").group_by("work_id", maintain_order=True).agg(topics=topic)
    texts = works.select("work_id", "title", "abstract").join(of_works, on="work_id", how="left")
    rows = labels.join(texts, on="work_id").with_columns(pl.col("topics").fill_null([])).sort("work_id")
    lines = []
    for row in rows.iter_rows(named=True):
        name = row.pop("work_id")
        lines.append(orjson.dumps({"item": name, "work": name, "stratum": "read", **row}).decode())
    return "".join(f"{line}\n" for line in lines)
