"""Coverage: how complete the works of the study are, in all, per year and per publisher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, Errors
from copub.measures.funding import STATES_AWARDS
from copub.packed import WORKS_AT_ONCE
from copub.parallel import columns_of, zip_by_work
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.measures.view import View

LARGEST_PUBLISHERS = 20
LARGEST_PER_YEAR = 5


def coverage(view: View, copublications: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``coverage``: the funnel, then fill rates of the study's works."""
    works = copublications.select("work_id", *_CELL, *_READ)
    large = works.group_by("publisher").len().drop_nulls().sort(["len", "publisher"], descending=[True, False])
    cells, numbers = (pl.concat(found) for found in zip(*_counted(view, works), strict=True))
    parts = [view.funnel.table()]
    year = pl.col("publication_year").cast(pl.String)
    for kind, piece, publishers in (
        ("all", pl.lit("all"), None),
        ("year", year, None),
        ("publisher", pl.col("publisher"), LARGEST_PUBLISHERS),
        ("publisher and year", pl.format("{} | {}", "publisher", year), LARGEST_PER_YEAR),
    ):
        named = large["publisher"].head(publishers or 0).to_list()
        kept = cells.filter(pl.col("publisher").is_in(named)) if publishers else cells
        parts.append(_rates(kept, _WORK_METRICS, "works", kind, piece))
        parts.append(_rates(kept, _STRING_METRICS, "strings", kind, piece))
    parts.append(_rates(numbers, _AWARD_METRICS, "numbers", "all", pl.lit("all")))
    return conform("coverage", pl.concat(parts))


def _counted(view: View, works: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield what a part of the works counts in each year and publisher, and of its numbers of awards."""
    affiliations = columns_of(view.affiliations, "work_id", "author_seq", "raw_affiliation_string", "institution_id")
    for part, addresses, awards in zip_by_work(works, affiliations, view.awards, rows=WORKS_AT_ONCE):
        stating = awards.filter(STATES_AWARDS).select("work_id", states_awards=True).unique()
        filled = (
            part.join(_strings(addresses), on="work_id", how="left")
            .join(stating, on="work_id", how="left")
            .with_columns(pl.col("strings", "bare").fill_null(0), pl.col("states_awards").fill_null(value=False))
        )
        sums = {name: has.sum() for name, has in {**_WORK_METRICS, **_STRING_METRICS}.items()}
        yield (
            filled.group_by(_CELL).agg(pl.len().alias("works"), pl.col("strings").sum(), **sums),
            awards.join(part, on="work_id", how="semi")
            .drop_nulls("award_number")
            .select(pl.len().alias("numbers"), **{name: has.sum() for name, has in _AWARD_METRICS.items()}),
        )


_CELL = ("publication_year", "publisher")
_READ = ("abstract_status", "classifiable", "has_institution", "is_truncated", "is_duplicate", "is_retracted")
_WORK_METRICS: Mapping[str, pl.Expr] = {
    "works without abstract": pl.col("abstract_status") == "none",
    "works with a short abstract": pl.col("abstract_status") == "short",
    "works that cannot be classified": ~pl.col("classifiable"),
    "works without a raw affiliation string": pl.col("strings") == 0,
    "works with an unresolved side-B author": ~pl.col("has_institution"),
    "works with a truncated author list": pl.col("is_truncated"),
    "works whose record has no field for awards": ~pl.col("states_awards"),
    "works marked as duplicates": pl.col("is_duplicate"),
    "works marked as retracted": pl.col("is_retracted").fill_null(False),
}
_STRING_METRICS: Mapping[str, pl.Expr] = {"affiliation strings without institution": pl.col("bare")}
_AWARD_METRICS: Mapping[str, pl.Expr] = {"award numbers without a digit": pl.col("award_key").is_null()}


def _rates(cells: pl.DataFrame, metrics: Iterable[str], of: str, kind: str, piece: pl.Expr) -> pl.DataFrame:
    """Return rows of table ``coverage`` for one kind of slice: how many have each property, of how many."""
    sums = cells.group_by(piece.cast(pl.String).alias("slice")).agg(pl.col(of, *metrics).cast(pl.Int64).sum())
    counted = sums.rename({of: "of"}).filter((pl.col("of") > 0) | (kind == "all"))
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
