"""Coverage: how complete the works of the study are, in all, per year and per publisher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, Errors
from copub.measures.funding import STATES_AWARDS
from copub.parallel import by_parts, own_rows
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.measures.view import View

LARGEST_PUBLISHERS = 20
LARGEST_PER_YEAR = 5


def coverage(view: View, copublications: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``coverage``: the funnel, then fill rates of the study's works."""
    works = copublications.select("work_id", "publication_year", "publisher")
    strings = by_parts(view.affiliations, lambda part: _strings(part).join(own_rows(works, part), on="work_id"))
    awards = by_parts(view.awards, lambda part: part.join(own_rows(works, part), on="work_id", how="semi"))
    filled = (
        copublications.select("work_id", "publication_year", "publisher", *_JUDGED)
        .join(strings.select("work_id", with_string=True), on="work_id", how="left")
        .join(awards.filter(STATES_AWARDS).select("work_id", states_awards=True).unique(), on="work_id", how="left")
        .with_columns(pl.col("with_string", "states_awards").fill_null(False))
    )
    large = (
        copublications.group_by("publisher").len().drop_nulls().sort(["len", "publisher"], descending=[True, False])
    )["publisher"]
    parts = [view.funnel.table()]
    year = pl.col("publication_year").cast(pl.String)
    for kind, piece, publishers in (
        ("all", pl.lit("all"), None),
        ("year", year, None),
        ("publisher", pl.col("publisher"), LARGEST_PUBLISHERS),
        ("publisher and year", pl.format("{} | {}", "publisher", year), LARGEST_PER_YEAR),
    ):
        keep = pl.col("publisher").is_in(large.head(publishers).to_list()) if publishers else pl.lit(True)
        parts.append(_rates(filled.filter(keep), _WORK_METRICS, pl.len(), kind, piece))
        parts.append(_rates(strings.filter(keep), _STRING_METRICS, pl.col("strings").sum(), kind, piece))
    numbers = awards.drop_nulls("award_number")
    parts.append(_rates(numbers, _AWARD_METRICS, pl.len(), "all", pl.lit("all")))
    return conform("coverage", pl.concat(parts))


_JUDGED = ("abstract_status", "classifiable", "has_institution", "is_truncated", "duplicate_of", "is_retracted")
_WORK_METRICS: Mapping[str, pl.Expr] = {
    "works without abstract": pl.col("abstract_status") == "none",
    "works with a short abstract": pl.col("abstract_status") == "short",
    "works that cannot be classified": ~pl.col("classifiable"),
    "works without a raw affiliation string": ~pl.col("with_string"),
    "works with an unresolved side-B author": ~pl.col("has_institution"),
    "works with a truncated author list": pl.col("is_truncated"),
    "works whose record has no field for awards": ~pl.col("states_awards"),
    "works marked as duplicates": pl.col("duplicate_of").is_not_null(),
    "works marked as retracted": pl.col("is_retracted").fill_null(False),
}
_STRING_METRICS: Mapping[str, pl.Expr] = {"affiliation strings without institution": pl.col("bare")}
_AWARD_METRICS: Mapping[str, pl.Expr] = {"award numbers without a digit": pl.col("award_key").is_null()}


def _rates(frame: pl.DataFrame, metrics: Mapping[str, pl.Expr], of: pl.Expr, kind: str, piece: pl.Expr) -> pl.DataFrame:
    """Return rows of table ``coverage`` for one kind of slice: how many have each property, of how many."""
    counted = frame.group_by(piece.cast(pl.String).alias("slice")).agg(
        of.cast(pl.Int64).alias("of"), **{name: has.sum().cast(pl.Int64) for name, has in metrics.items()}
    )
    return pl.concat(
        counted.select(
            pl.lit(name).alias("metric"),
            pl.lit(kind).alias("slice_kind"),
            "slice",
            pl.col(name).alias("count"),
            "of",
            (pl.col(name) / pl.col("of")).alias("share"),
            pl.lit("").alias("note"),
        ).cast(TABLES["coverage"].schema)
        for name in metrics
    )


def _strings(affiliations: pl.DataFrame) -> pl.DataFrame:
    """Return for works with printed affiliations how many different ones their authors have, and how many are bare."""
    return (
        affiliations.filter(pl.col("raw_affiliation_string").is_not_null())
        .group_by("work_id", "author_seq", "raw_affiliation_string")
        .agg(pl.col("institution_id").is_null().all().alias("bare"))
        .group_by("work_id")
        .agg(pl.len().cast(pl.Int32).alias("strings"), pl.col("bare").sum().cast(pl.Int32))
    )


def found_of_true(works: pl.DataFrame, errors: Errors, measure: str) -> float:
    """Return which part of the works that truly have a property copub finds, as far as their coverage decides.

    A critical work is found with the sensitivity of the classifier on works with, or without, an
    abstract, and not at all if it cannot be classified; a listed one with the sensitivity of the matcher on
    works whose side-B authors all have, or lack, an institution, and not at all if an author has
    neither institution nor string. Errors are independent given the truth.
    """
    abstract, title = (errors.sensitivity(text) for text in TEXT_STRATA)
    resolved, unresolved = (errors.sensitivity(place) for place in AFFILIATION_STRATA)
    from_abstract = pl.col("classified_from") == "title and abstract"
    critical = pl.when("classifiable").then(pl.when(from_abstract).then(abstract).otherwise(title)).otherwise(0.0)
    listed = (
        pl.when("has_affiliation").then(pl.when("has_institution").then(resolved).otherwise(unresolved)).otherwise(0.0)
    )
    found = {"critical": critical, "listed": listed}.get(measure, critical * listed)
    return float(works.select(found.mean()).item() or 0.0)


def explained_by_coverage(
    measure: str, earlier: float, later: float, works: tuple[pl.DataFrame, pl.DataFrame], errors: Errors | None
) -> bool | None:
    """Return whether the loss of coverage alone could explain that a figure fell; None where that cannot be stated.

    Parameters
    ----------
    measure : what fell. Nothing is known of co-publications that are not there.
    earlier, later : the figure; that it fell by more than chance is for the caller to know.
    works : works before and after.
    errors : measured errors of classifier and matcher.

    The later figure is scaled to the coverage of the earlier works: times the part found then over the part
    found now. If it then reaches the earlier figure, the fall says nothing about the world.
    """
    if errors is None or measure == "copublications":
        return None
    before, after = (found_of_true(part, errors, measure) for part in works)
    return bool(later * before >= earlier * after)
