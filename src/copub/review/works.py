"""Drawing a sample of a study's own works for reading: stratified by decision and score, by a hash of the id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from copub.draw import in_draw_order
from copub.errors import InputError
from copub.lists.entity import Entity
from copub.lists.labels import COLUMNS
from copub.measures.adjusted import sheet_works
from copub.measures.strata import Key, reading_order, sizes_of_strata, with_strata
from copub.names import READING_STRATA, SEED
from copub.technology.taught import with_readings

CELL = 30_000
"""Characters of a cell of the sheet; a spreadsheet holds 32,767."""
SHOWN = ("work_id", "doi", "publication_year", "title", "abstract", "affiliations")
SHEET = (*SHOWN, *(name for name in COLUMNS if name not in (*SHOWN, "stands_for")), "draw")
"""Columns of the sheet. It does not show what copub decided, nor how many works each represents, which would tell."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What readers are shown of works.

    works : table ``works``. affiliations, authorships : what the authors give (`copub.corpus.population`).
    names : names of institutions by OpenAlex id, from which those that an institution is part of are shown;
    None if parts of listed institutions do not count.
    """

    works: pl.DataFrame
    affiliations: pl.DataFrame
    authorships: pl.DataFrame
    names: Mapping[str, str] | None = None


def open_works(works: pl.DataFrame, taught: pl.DataFrame | None) -> pl.DataFrame:
    """Return the works worth reading: the classifier is better on works whose reading taught it than on others.

    Parameters
    ----------
    works : table ``copublications``.
    taught : training works of the classifier (`copub.measures.inputs.taught_for`).
    """
    return works if taught is None else sheet_works(with_readings(works, taught)).select(works.columns)


def names_of_institutions(affiliations: pl.DataFrame, known: Iterable[Entity]) -> dict[str, str]:
    """Return names by OpenAlex id: of institutions of the affiliations, and of entities of lists and registry."""
    named = affiliations.select("institution_id", "institution_name").drop_nulls().unique().sort(pl.all())
    return {of: entity.name for entity in known for of in entity.openalex} | dict(named.iter_rows())


def draw_works(works: pl.DataFrame, size: int, seed: str = SEED) -> pl.DataFrame:
    """Draw works for reading.

    Parameters
    ----------
    works : table ``copublications``: the finite population.
    size : works of the draw; at most as many as there are.
    seed : the same seed draws the same works, and a larger draw begins with the smaller one.

    Returns
    -------
    Rows of `works` in the order of reading, with the column stands_for: works that each represents.

    Raises
    ------
    InputError : there is no work to read.
    """
    if works.is_empty():
        hint = "the run has none, or all of them were read to train the classifier, so that their topic is known"
        raise InputError("there is no work to read", hint=hint)
    sizes = sizes_of_strata(works)
    order = reading_order(sizes, size)
    taken, seen = Counter(order), Counter[Key]()
    rows = []
    for key in order:
        rows.append((*key, seen[key], round(sizes[key] / taken[key], 6)))
        seen[key] += 1
    places = pl.DataFrame(
        rows,
        schema={**dict.fromkeys(READING_STRATA, pl.Boolean), "place": pl.Int64, "stands_for": pl.Float64},
        orient="row",
    )
    placed = in_draw_order(with_strata(works), "work_id", seed=seed).with_columns(
        pl.int_range(pl.len()).over(READING_STRATA).alias("place")
    )
    return places.join(placed, on=[*READING_STRATA, "place"], how="inner", maintain_order="left")


def sheet_of(drawn: pl.DataFrame, shown: Texts, draw: str = "") -> pl.DataFrame:
    """Return rows of ``copublications`` as a sheet to fill in, in their order (`SHEET`), with the id of their draw."""
    empty = [pl.lit("").alias(name) for name in COLUMNS if name != "work_id"]
    return (
        drawn.join(shown.works.select("work_id", "abstract"), on="work_id", how="left", maintain_order="left")
        .join(_affiliations(drawn, shown), on="work_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("abstract").str.slice(0, CELL),
            pl.col("publication_year").cast(pl.String),
            *empty,
            draw=pl.lit(draw),
        )
        .select(pl.col(SHEET).fill_null(""))
    )


def _affiliations(drawn: pl.DataFrame, shown: Texts) -> pl.DataFrame:
    """Return per work what its authors give as affiliations, those of side B first: as printed, or the name.

    Behind an affiliation is what its institution is part of, for listed and other institutions alike.
    """
    author = ["work_id", "author_seq"]
    given = pl.coalesce("raw_affiliation_string", "institution_name")
    return (
        shown.affiliations.join(drawn.select("work_id"), on="work_id", how="semi")
        .join(shown.authorships.select(*author, "on_side_b"), on=author, how="left")
        .with_columns(pl.concat_str(given, _part_of(shown.names or {})).alias("affiliations"))
        .drop_nulls("affiliations")
        .sort("work_id", ~pl.col("on_side_b").fill_null(False), "author_seq", "affiliation_seq")
        .group_by("work_id", maintain_order=True)
        .agg(pl.col("affiliations").unique(maintain_order=True).str.join(" | ").str.slice(0, CELL))
    )


def _part_of(names: Mapping[str, str]) -> pl.Expr:
    """Return what an institution is part of by its lineage in OpenAlex, in brackets; nothing where no name is known."""
    above = pl.col("lineage").list.set_difference(pl.concat_list("institution_id"))
    named = above.list.eval(pl.element().replace_strict(names, default=None, return_dtype=pl.String)).list.drop_nulls()
    words = pl.format(" [{} is part of {}]", "institution_name", named.list.unique().list.sort().list.join("; "))
    return pl.when(named.list.len() > 0).then(words).otherwise(pl.lit("")).fill_null("")
