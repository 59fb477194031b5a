"""The works of a run as compare needs them: flags, weights, and what the flags were made from.

Every co-publication of a run has one row, whether the study counts it or not. What could have
moved a flag is kept as text (fingerprints), so that two runs can be set side by side by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from copub.corpus.funnel import excluded_because
from copub.errors import InputError
from copub.measures.copublications import authors_by_side, listed_works
from copub.runs.folder import Run
from copub.screening.appliedrepairs import REASON as REPAIR
from copub.screening.studyhits import rule_of
from copub.study import Study

FINGERPRINTS = ("details", "text", "topics", "affiliations")
FLAGS = ("is_critical", "is_listed", "is_level_top")
WEIGHTS = ("weight", "weight_countries")
NO_PAIR = "not a co-publication"

_DETAILS = ("publication_year", "publication_date", "type", "is_retracted", "is_paratext", "is_xpac")
_TEXT = ("title", "abstract", "language")
_TOPICS = ("rank", "topic_id", "score")
_AFFILIATIONS = (
    "author_seq", "affiliation_seq", "institution_id", "ror", "institution_name", "country_code", "lineage",
    "raw_affiliation_string",
)  # fmt: skip
_NEEDED = ("works", "topics", "authorships", "affiliations", "assignments", "hits", "copublications")


def read_state(run: Run, study: Study) -> pl.DataFrame:
    """Return one row per co-publication of a run, sorted by work_id.

    Columns: work_id, title, publication_date, epoch, in_population; the flags `FLAGS` and `WEIGHTS`
    (null outside the population); the fingerprints `FINGERPRINTS`.

    Raises `InputError` if the run was stopped before the stage measure.
    """
    missing = [name for name in _NEEDED if name not in run.tables]
    if missing:
        raise InputError(
            f"the run lacks the tables {', '.join(missing)}",
            where=str(run.folder),
            hint="run the study again without --until",
        )
    tables = run.tables
    counted = tables["copublications"].select("work_id", *WEIGHTS, "is_critical", "is_listed", "is_top_level")
    topped = counted.join(listed_under(run, study, study), on="work_id", how="left").with_columns(
        # where a work is critical, the run itself says whether it is at the top level
        pl.when("is_critical")
        .then("is_top_level")
        .otherwise(pl.col("is_level_top").fill_null(False))
        .alias("is_level_top")
    )
    return (
        tables["works"]
        .select("work_id", "title", "publication_date", "epoch", _encoded("details", _DETAILS), _encoded("text", _TEXT))
        .join(_joined("topics", tables["topics"], _TOPICS), on="work_id", how="left")
        .join(_joined("authors", tables["authorships"], ("author_seq", "countries")), on="work_id", how="left")
        .join(_joined("affiliated", tables["affiliations"], _AFFILIATIONS), on="work_id", how="left")
        .with_columns(
            pl.col("topics").fill_null(""),
            pl.concat_str(pl.col("authors", "affiliated").fill_null(""), separator="\n").alias("affiliations"),
        )
        .join(topped.select("work_id", *WEIGHTS, *FLAGS), on="work_id", how="left")
        .with_columns(pl.col("is_critical").is_not_null().alias("in_population"))
        .select("work_id", "title", "publication_date", "epoch", "in_population", *FLAGS, *WEIGHTS, *FINGERPRINTS)
        .sort("work_id")
    )


def _encoded(name: str, columns: Sequence[str]) -> pl.Expr:
    return pl.struct(columns).struct.json_encode().alias(name)


def _joined(name: str, table: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    rows = table.sort("work_id", *columns[:2]).select("work_id", _encoded(name, columns))
    return rows.group_by("work_id", maintain_order=True).agg(pl.col(name).str.join("\n"))


def reasons_under(run: Run, study: Study) -> pl.DataFrame:
    """Return per co-publication of a run why `study` would leave it out; null if it would count it.

    What a repair of the run left out stays out under every study that repairs.
    """
    wanted = run.tables["works"].select(
        "work_id", "publication_year", "type", "title", "abstract_status", "is_paratext", "is_retracted", "is_xpac",
        "n_authors", "excluded_because",
    )  # fmt: skip
    pairs = _pairs_under(run.tables["authorships"], study)

    def reason(row: dict[str, Any]) -> str | None:
        if row["excluded_because"] == REPAIR:
            return REPAIR if study.apply_repairs else excluded_because(row, study)
        return excluded_because(row, study) if row["work_id"] in pairs else NO_PAIR

    rows = [(row["work_id"], reason(row)) for row in wanted.iter_rows(named=True)]
    return pl.DataFrame(rows, schema={"work_id": pl.String, "reason": pl.String}, orient="row")


def _pairs_under(authorships: pl.DataFrame, study: Study) -> set[str]:
    sided = with_sides(authorships, study).group_by("work_id").agg(pl.col("on_side_a", "on_side_b").any())
    return set(sided.filter("on_side_a", "on_side_b")["work_id"])


def with_sides(authorships: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the table ``authorships`` with the sides that `study` gives its authors."""

    def on_side(countries: tuple[str, ...]) -> pl.Expr:
        return pl.col("countries").list.set_intersection(list(countries)).list.len() > 0

    return authorships.with_columns(
        on_side(study.side_a.countries).alias("on_side_a"), on_side(study.side_b.countries).alias("on_side_b")
    )


def weights_under(run: Run, study: Study) -> pl.DataFrame:
    """Return per work of a run the weights that it would have with the sides of `study`."""
    countries = [*study.side_a.countries, *study.side_b.countries]
    return authors_by_side(with_sides(run.tables["authorships"], study), countries).select("work_id", *WEIGHTS)


def critical_under(run: Run, study: Study, thresholds: pl.DataFrame) -> pl.DataFrame:
    """Return per work of a run with any evidence whether it is critical under other settings.

    Scores are the run's own; `thresholds` (columns area, threshold) are those of the other run.
    An area that the other run does not know keeps its own.
    """
    return (
        run.tables["assignments"]
        .filter(pl.col("taxonomy") == study.taxonomy)
        .join(thresholds, on="area", how="left", suffix="_other")
        .group_by("work_id")
        .agg((pl.col("score") >= pl.coalesce("threshold_other", "threshold")).any().alias("is_critical"))
    )


def thresholds_of(run: Run, study: Study) -> pl.DataFrame:
    """Return the thresholds of a run: columns area, threshold."""
    own = run.tables["assignments"].filter(pl.col("taxonomy") == study.taxonomy)
    return own.group_by("area").agg(pl.col("threshold").min())


def listed_under(run: Run, own: Study, other: Study) -> pl.DataFrame:
    """Return per work of a run with a hit its listing category under other settings: is_listed, is_level_top.

    Lists, dates and decisions of people are those of the run's own study; levels, tiers, switches
    and side B are the other's.
    """
    hits = run.tables["hits"].with_columns(rule_of(other).counts().alias("is_counted"))
    levels = tuple(hits["risk_level"].drop_nulls().unique().sort())
    listed = listed_works(hits, replace(other, watchlists=own.watchlists), levels)
    return listed.select("work_id", "is_listed", "is_level_top")
