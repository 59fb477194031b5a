"""The works of a run as compare needs them: flags, weights, and what the flags were made from.

Every co-publication of a run has one row, whether the study counts it or not. What could have
moved a flag is kept as text (fingerprints), so that two runs can be set side by side by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from copub.corpus.population import affiliations_under, authorships_under, population
from copub.errors import InputError
from copub.measures.copublications import authors_by_side, listed_works
from copub.runs.folder import Run
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
    affiliations = affiliations_under(tables["affiliations"], repairs=study.apply_repairs)
    authorships = authorships_under(tables["authorships"], study)
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
        .join(_joined("authors", authorships, ("author_seq", "countries")), on="work_id", how="left")
        .join(_joined("affiliated", affiliations, _AFFILIATIONS), on="work_id", how="left")
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
    """Return per work of a run why `study` would leave it out; null if it would count it."""
    works, authorships = run.tables["works"], run.tables["authorships"]
    found = works.select("work_id").join(
        population(study, works, authorships).with_columns(in_pair=True),
        on="work_id",
        how="left",
        maintain_order="left",
    )
    no_pair = pl.when("in_pair").then("excluded_because").otherwise(pl.lit(NO_PAIR))
    return found.select("work_id", no_pair.alias("reason"))


def weights_under(run: Run, study: Study) -> pl.DataFrame:
    """Return per work of a run the weights that it would have with the sides and the rule for repairs of `study`."""
    countries = [*study.side_a.countries, *study.side_b.countries]
    return authors_by_side(authorships_under(run.tables["authorships"], study), countries).select("work_id", *WEIGHTS)


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
