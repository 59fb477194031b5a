"""The analysis-ready table: one row per work of the study's denominator, with all its flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.measures.duplicategroups import COLUMNS as DUPLICATES
from copub.measures.duplicategroups import with_groups
from copub.packed import WORKS_AT_ONCE
from copub.parallel import Table, by_parts, columns_of, zip_by_work
from copub.schema import TABLES, conform
from copub.technology.taught import TAUGHT, with_readings

if TYPE_CHECKING:
    from copub.measures.inputs import Inputs
    from copub.measures.view import View
    from copub.study import Study

TEXTS = pl.List(pl.String)
UNRATED = "unrated"
ROWS_AT_ONCE = 100_000
"""Rows of the table ``copublications`` that are made at once: as many as are written at once."""
SHOWN = ("doi", "title", "language", "source_name", "duplicate_of")
"""Columns of table ``copublications`` on which no number rests: they are added when all numbers are made."""
_PLACE = ("work_id", "author_seq", "affiliation_seq")
NAMED = ("entities", "tiers")
"""Columns of table ``copublications`` that only works with hits have, and on which no number rests."""
OF_COPUB = pl.Categorical(pl.Categories("of copub", physical=pl.UInt8))
"""Texts that copub itself chooses among: there are fewer than 256."""
_FEW = pl.Schema(
    {
        **dict.fromkeys(("type", "publisher", "epoch", "doi", "max_risk_level"), pl.Categorical()),
        **dict.fromkeys(
            ("abstract_status", "excluded_because", "classified_from", "listing_category", "review_status"), OF_COPUB
        ),
    }
)
"""Columns of few values: each is kept once."""
_WHERE_NOTHING_IS_FOUND: Mapping[str, Any] = {
    **dict.fromkeys(
        ("is_critical", "is_listed", "is_level_top", "has_institution", "has_affiliation", "classifiable"), False
    ),
    **dict.fromkeys(("areas", "watchlists"), pl.lit([], dtype=TEXTS)),
    "listing_category": "none",
    "review_status": "unreviewed",
    "classified_from": "nothing",
    "listed_fraction": 0.0,
}


def copublications(flagged: pl.DataFrame) -> pl.DataFrame:
    """Return the flagged works that are in the study's denominator: table ``copublications`` without `SHOWN`."""
    return flagged.filter(pl.col("excluded_because").is_null())


def with_texts(works: pl.DataFrame, texts: Table, named: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the table ``copublications`` in parts: with its texts it is many times as large.

    Parameters
    ----------
    works : as `copublications` returns them. texts : work_id and `SHOWN` of these works.
    named : work_id and `NAMED` of works with hits (`listed_works`).
    """
    names = [name for name in TABLES["copublications"].schema if name not in (*SHOWN, *NAMED)]
    nothing = [pl.col(name).fill_null(pl.lit([], TEXTS)) for name in NAMED]
    for part, shown, hits in zip_by_work(
        works.select(names), texts, named.select("work_id", *NAMED), rows=ROWS_AT_ONCE
    ):
        whole = part.join(shown, on="work_id", how="left").join(hits, on="work_id", how="left")
        yield conform("copublications", whole.with_columns(nothing))


def flagged_works(given: Inputs, view: View) -> pl.DataFrame:
    """Return all works of both sides with the columns of table ``copublications``, whether counted or not.

    Works that the study leaves out say why in ``excluded_because``; with ``is_xpac``,
    ``is_paratext`` and the groups of duplicates that is what other choices of works need. Sorted by work_id.

    Parameters
    ----------
    view : works, authorships, affiliations, assignments and hits (`copub.measures.view.view_of`).
    """
    study, levels, hits = given.study, given.levels, view.hits
    on_lists = (
        hits.filter("is_counted").group_by("work_id").agg(pl.col("watchlist").unique().sort().alias("watchlists"))
    )
    countries = [*study.side_a.countries, *study.side_b.countries]
    places = headline_hits(hits, study, levels).filter("counts").select(_PLACE).unique(maintain_order=True)
    taught = pl.DataFrame(schema=TAUGHT) if given.taught is None else given.taught

    def flagged_part(
        part: pl.DataFrame,
        authorships: pl.DataFrame,
        affiliations: pl.DataFrame,
        places: pl.DataFrame,
        *found: pl.DataFrame,
    ) -> pl.DataFrame:
        for one in (
            authors_by_side(authorships, countries),
            institutions_resolved(authorships, affiliations),
            listed_credit(authorships, affiliations, places),
            *found,
        ):
            part = part.join(one, on="work_id", how="left", maintain_order="left")
        filled = part.with_columns(pl.col(name).fill_null(value) for name, value in _WHERE_NOTHING_IS_FOUND.items())
        return (
            with_readings(filled, taught)
            .with_columns(
                read_critical=pl.coalesce("stated", "read_critical"),
                is_duplicate=pl.col("duplicate_of").is_not_null(),
                is_critical_listed=pl.col("is_critical") & pl.col("is_listed"),
                is_top_level=pl.col("is_critical") & pl.col("is_level_top"),
            )
            .cast(_FEW)
            .drop("is_level_top", "updated_date", "duplicate_of", "is_taught", "stated")
        )

    others = (
        view.authorships,
        columns_of(view.affiliations, *_PLACE, "institution_id", "raw_affiliation_string"),
        places,
        view.basis,
        _groups(view.works),
        critical_works(view.assignments, study.taxonomy),
        listed_works(hits, study, levels).drop(NAMED),
        on_lists,
        _status(given.reviewed),
        _stated(given.labelled),
    )
    return pl.concat(flagged_part(*part) for part in zip_by_work(view.works, *others, rows=WORKS_AT_ONCE))


def _groups(works: Table) -> pl.DataFrame:
    """Return work_id and the group of duplicates of each work."""
    read = ("work_id", "publication_date", "duplicate_of")
    dated = by_parts(columns_of(works, *read), lambda part: part.select(read))
    return with_groups(dated).select("work_id", *DUPLICATES).with_columns(pl.col("duplicate_group").rank("dense"))


def _status(reviewed: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"work_id": list(reviewed), "review_status": list(reviewed.values())},
        schema={"work_id": pl.String, "review_status": pl.String},
    )


def _stated(labelled: pl.DataFrame | None) -> pl.DataFrame:
    """Return work_id and whether the readers of the study stated that the work is critical."""
    if labelled is None:
        return pl.DataFrame(schema={"work_id": pl.String, "stated": pl.Boolean})
    return labelled.select("work_id", pl.col("critical").alias("stated"))


def authors_by_side(authorships: pl.DataFrame, countries: Sequence[str]) -> pl.DataFrame:
    """Return per work the authors of each side, the weights of fractional counting, and its kind.

    weight = the authors' parts on side A or B / authors with a known country, an author of several
    countries split evenly between them; weight_countries = the work's countries on a side / all its
    countries. Authors without a known country are left out: to keep them would let the total fall with
    coverage. A work is linked by a dual-affiliated author only (`is_dual_only`) if one side has a single
    author and that author is on the other side too. `countries` are those of both sides.
    """
    on_a, on_b, own = pl.col("on_side_a"), pl.col("on_side_b"), pl.col("countries").list.unique()
    inside, every = own.list.set_intersection(list(countries)).list.len(), own.list.len()
    of_work = pl.col("countries").explode().drop_nulls()
    return (
        authorships.with_columns(
            (every > inside).alias("elsewhere"), pl.when(every > 0).then(inside / every).alias("part")
        )
        .group_by("work_id")
        .agg(
            on_a.sum().cast(pl.Int32).alias("n_authors_a"),
            on_b.sum().cast(pl.Int32).alias("n_authors_b"),
            # sorted, so that the sum does not depend on the order of authors in a part
            (pl.col("part").sort().sum() / pl.col("part").count()).fill_nan(0.0).alias("weight"),
            (of_work.filter(of_work.is_in(list(countries))).n_unique() / of_work.n_unique())
            .fill_nan(0.0)
            .alias("weight_countries"),
            (~pl.col("elsewhere").any()).alias("is_bilateral"),
            ((on_a & on_b).any() & ((on_a.sum() == 1) | (on_b.sum() == 1))).alias("is_dual_only"),
        )
    )


def listed_credit(
    authorships: pl.DataFrame, affiliations: pl.DataFrame, listed: pl.DataFrame, by: Sequence[str] = ()
) -> pl.DataFrame:
    """Return per work with a listed affiliation the listed authors' own part of it (`listed_fraction`).

    An author's part is the share of the author's affiliations that name a listed institution; it is summed
    over the authors with a known country and divided by their number, as the weight of a pair is.

    Parameters
    ----------
    listed : place (work_id, author_seq, affiliation_seq) of each affiliation with a hit that makes a work listed.
    by : further columns of `listed` by which works are kept apart, such as the country of the institution.
    """
    author = ["work_id", "author_seq"]
    known = authorships.filter(pl.col("countries").list.len() > 0)
    affiliated = affiliations.group_by(author).len("affiliations")
    return (
        listed.group_by(*author, *by)
        .len("listed")
        .join(known.select(author), on=author, how="semi")
        .join(affiliated, on=author)
        .group_by("work_id", *by)
        # sorted, so that the sum does not depend on the order of authors in a part
        .agg((pl.col("listed") / pl.col("affiliations")).sort().sum().alias("part"))
        .join(known.group_by("work_id").len("authors"), on="work_id")
        .select("work_id", *by, listed_fraction=pl.col("part") / pl.col("authors"))
    )


def institutions_resolved(authorships: pl.DataFrame, affiliations: pl.DataFrame) -> pl.DataFrame:
    """Return per work whether every side-B author has a resolved institution, and whether each has that or a string."""
    has_id, has_string = (pl.col(name).is_not_null() for name in ("institution_id", "raw_affiliation_string"))
    resolved = affiliations.group_by("work_id", "author_seq").agg(
        has_id.any().alias("resolved"), (has_id | has_string).any().alias("readable")
    )
    return (
        authorships.filter("on_side_b")
        .join(resolved, on=["work_id", "author_seq"], how="left")
        .group_by("work_id")
        .agg(
            pl.col("resolved").fill_null(False).all().alias("has_institution"),
            pl.col("readable").fill_null(False).all().alias("has_affiliation"),
        )
    )


def critical_works(assignments: pl.DataFrame, taxonomy: str) -> pl.DataFrame:
    """Return per work with any evidence: is_critical, max_score and the assigned areas."""
    return (
        assignments.filter(pl.col("taxonomy") == taxonomy)
        .group_by("work_id")
        .agg(
            pl.col("assigned").any().alias("is_critical"),
            pl.col("score").max().alias("max_score"),
            pl.col("area").filter("assigned").cast(pl.String).unique().sort().alias("areas"),
        )
    )


def headline_hits(hits: pl.DataFrame, study: Study, levels: Sequence[str]) -> pl.DataFrame:
    """Return the counted hits of the headline watchlists, with whether their level counts (``counts``)."""
    counted = list(study.levels) or list(levels)
    return hits.filter(pl.col("is_counted") & pl.col("watchlist").is_in(study.watchlists)).with_columns(
        pl.col("risk_level").is_in(counted).alias("counts")
    )


def listed_works(hits: pl.DataFrame, study: Study, levels: Sequence[str], by: Sequence[str] = ()) -> pl.DataFrame:
    """Return per work with a counted hit of a headline watchlist its listing category on these lists.

    A hit on side B counts at the levels that the study names. Lower and unrated levels are
    kept apart as a listing category: never mixed in, never dropped.

    Parameters
    ----------
    by : further columns of the hits by which works are kept apart, such as the country of the institution.
    """
    rank = {level: position for position, level in enumerate(levels)}
    relevant = headline_hits(hits, study, levels).with_columns(
        pl.col("risk_level").replace_strict(rank, default=len(rank), return_dtype=pl.Int32).alias("rank"),
    )
    names = {position: level for level, position in rank.items()}
    return (
        relevant.group_by("work_id", *by)
        .agg(
            pl.col("counts").any().alias("is_listed"),
            (pl.col("counts") & (pl.col("risk_level") == study.top_level)).any().alias("is_level_top"),
            pl.col("rank").min().alias("best"),
            (pl.col("risk_level") != UNRATED).any().alias("rated"),
            pl.col("entity_id").unique().sort().alias("entities"),
            pl.col("tier").filter("counts").unique().sort().alias("tiers"),
        )
        .with_columns(
            pl.col("best").replace_strict(names, default=None, return_dtype=pl.String).alias("max_risk_level"),
            pl.when("is_listed")
            .then(pl.lit("counted"))
            .when("rated")
            .then(pl.lit("lower level"))
            .otherwise(pl.lit("unrated"))
            .alias("listing_category"),
        )
        .drop("best", "rated")
    )
