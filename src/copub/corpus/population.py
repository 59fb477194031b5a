"""What a study sees of a corpus: affiliations as its rule for repairs has them, authors with their sides, its works."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from copub.parallel import Table, by_parts
from copub.schema import conform
from copub.study import Study

REPAIR, YEAR, TYPE, PARATEXT_TITLE = "repair", "year", "type", "paratext title"
_INSTITUTION = ("institution_id", "ror", "institution_name", "institution_type")
DECIDING = (
    "work_id", "publication_year", "type", "paratext_title", "is_paratext", "is_retracted", "is_xpac", "n_authors",
)  # fmt: skip
_REPAIRED = ("country_code_repaired", "is_false_institution")


def affiliations_under(affiliations: pl.DataFrame, *, repairs: bool) -> pl.DataFrame:
    """Return affiliations with the repairs applied, or as recorded; columns that are not given are not made.

    Parameters
    ----------
    affiliations : table ``affiliations``, or some columns of it.
    """
    given = affiliations.columns
    kept = affiliations.select(name for name in given if name not in _REPAIRED)
    if not repairs:
        return kept
    is_false = affiliations["is_false_institution"]
    made = {name: pl.when(is_false).then(None).otherwise(pl.col(name)) for name in _INSTITUTION if name in given}
    if "lineage" in given:
        made["lineage"] = pl.when(is_false).then(pl.lit([], pl.List(pl.String))).otherwise("lineage")
    if "country_code" in given:
        made["country_code"] = pl.lit(affiliations["country_code_repaired"])
    return kept.with_columns(**made)


def is_repaired() -> pl.Expr:
    """Return whether a repair changes an affiliation."""
    return pl.col("is_false_institution") | pl.col("country_code").ne_missing(pl.col("country_code_repaired"))


def authorships_under(authorships: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return authorships with their countries as the study's rule for repairs has them, and their sides.

    Parameters
    ----------
    authorships : table ``authorships``, or some columns of it, countries and countries_repaired among them.

    Returns
    -------
    The same without ``countries_repaired``, with on_side_a and on_side_b.
    """
    countries = pl.col("countries_repaired" if study.apply_repairs else "countries")
    return (
        authorships.with_columns(countries=countries)
        .drop("countries_repaired")
        .with_columns(
            on_side(study.side_a.countries).alias("on_side_a"), on_side(study.side_b.countries).alias("on_side_b")
        )
    )


def on_side(countries: Sequence[str], of: str = "countries") -> pl.Expr:
    """Return whether an author has one of these countries."""
    return pl.col(of).list.set_intersection(list(countries)).list.len() > 0


def population(study: Study, works: pl.DataFrame, authorships: Table) -> pl.DataFrame:
    """Return the table ``population``: the works of both sides, each with the reason why the study leaves it out.

    The first reason that applies, in the order year, type, paratext title, retracted, expansion, author cap, repair.
    Which works are of both sides, the records say; where the study applies repairs, a work that keeps no author on
    one of the sides is left out. Works that a repair would bring into the pair stay outside.

    Parameters
    ----------
    works : table ``works``, or some columns of it (`DECIDING`).
    authorships : work_id, countries, countries_repaired.
    """
    both = _of_both_sides(study, authorships)
    counted = works.select(DECIDING).join(both, on="work_id", how="inner", maintain_order="left")
    return conform("population", counted.select("work_id", _excluded_because(study)))


def _of_both_sides(study: Study, authorships: Table) -> pl.DataFrame:
    """Return the works with authors on both sides as recorded, and whether they keep them once repaired."""
    sides = {"a": study.side_a.countries, "b": study.side_b.countries}
    any_of = [
        on_side(codes, of).any().alias(f"{side}_{of}")
        for side, codes in sides.items()
        for of in ("countries", "countries_repaired")
    ]
    found = by_parts(
        authorships, lambda part: part.group_by("work_id").agg(any_of).filter("a_countries", "b_countries")
    )
    return found.select("work_id", keeps=pl.col("a_countries_repaired") & pl.col("b_countries_repaired"))


def _excluded_because(study: Study) -> pl.Expr:
    without_authors = [pl.when(~pl.col("keeps")).then(pl.lit(REPAIR))] if study.apply_repairs else []
    return pl.coalesce(left_out_because(study), *without_authors).alias("excluded_because")


def left_out_because(study: Study) -> pl.Expr:
    """Return why the study leaves a work out whatever its countries are (null: it does not)."""
    in_years = pl.col("publication_year").is_between(study.year_from, study.year_to)
    of_type = pl.col("type").is_in(list(study.exclude_types))
    if "paratext" in study.exclude_types:
        of_type = of_type.fill_null(False) | pl.col("is_paratext").fill_null(False)
    reasons: list[tuple[str, pl.Expr]] = [(YEAR, ~in_years.fill_null(False)), (TYPE, of_type)]
    if not study.paratext_titles:
        reasons.append((PARATEXT_TITLE, pl.col("paratext_title").is_not_null()))
    if not study.include_retracted:
        reasons.append(("retracted", pl.col("is_retracted")))
    if not study.include_expansion_corpus:
        reasons.append(("expansion", pl.col("is_xpac")))
    if study.author_cap:
        reasons.append(("author cap", pl.col("n_authors") > study.author_cap))
    return pl.coalesce(pl.when(holds.fill_null(False)).then(pl.lit(reason)) for reason, holds in reasons)
