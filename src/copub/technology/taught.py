"""The works whose labels trained the shipped model, and what their readers stated: recognised by id.

``gold-labels.csv`` and ``own-labels.csv`` name them by OpenAlex id, or ``arxiv:ID``; the latter are found by the DOI
that arXiv gives its works, not under the DOI of a journal.
"""

from __future__ import annotations

import polars as pl

from copub.lists.modelcard import FOLDER
from copub.shipped import shipped_folder

FILES = ("gold-labels.csv", "own-labels.csv")
TAUGHT = pl.Schema({"item": pl.String, "critical": pl.Boolean})
_ARXIV = r"^10\.48550/arxiv\.(.+)$"
DOI_OF_ARXIV = pl.when(pl.col("doi").str.to_lowercase().str.contains(_ARXIV)).then("doi").alias("doi")
"""The DOI of a work where it can name a training work."""


def taught_works() -> pl.DataFrame:
    """Return item and critical (in any area; null where readers left it open) of every work that was read to teach."""
    folder = shipped_folder(FOLDER)
    rows = pl.concat(
        pl.read_csv(folder / name, infer_schema=False).select("item", "core", "unsure").fill_null("") for name in FILES
    )
    return (
        rows.select(
            _without_zeros(pl.col("item").str.split("/").list.last()).alias("item"),
            pl.when(pl.col("core") != "").then(True).when(pl.col("unsure") == "").then(False).alias("critical"),
        )
        .unique("item", keep="first")
        .sort("item")
    )


def with_readings(works: pl.DataFrame, taught: pl.DataFrame) -> pl.DataFrame:
    """Return works (work_id, doi) with is_taught, and read_critical: what the readers of a training work stated.

    A column read_critical that they have already, in which people of the study have their say too, is replaced.
    """
    of_arxiv = _without_zeros(pl.lit("arxiv:") + pl.col("doi").cast(pl.String).str.to_lowercase().str.extract(_ARXIV))
    readings = taught.select("item", pl.col("critical").alias("read_critical"), pl.lit(True).alias("is_taught"))
    return (
        works.drop("read_critical", strict=False)
        .with_columns(
            pl.when(pl.col("work_id").is_in(taught["item"].implode())).then("work_id").otherwise(of_arxiv).alias("item")
        )
        .join(readings, on="item", how="left", maintain_order="left")
        .with_columns(pl.col("is_taught").fill_null(False))
        .drop("item")
    )


def is_taught(items: pl.Series) -> pl.Series:
    """Say of ids of works (of OpenAlex, or ``arxiv:ID``), or of their addresses, which taught the model."""
    ids = items.to_frame("work_id").select(pl.col("work_id").str.split("/").list.last(), doi=pl.lit(None, pl.String))
    known = ids.with_columns(_without_zeros(pl.col("work_id")).alias("work_id"))
    return with_readings(known, taught_works())["is_taught"]


def _without_zeros(item: pl.Expr) -> pl.Expr:
    """The labels have ids of arXiv as numbers, without zeros at the end; within a month that names one work."""
    return pl.when(item.str.starts_with("arxiv:")).then(item.str.strip_chars_end("0")).otherwise(item)
