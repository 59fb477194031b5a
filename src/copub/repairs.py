"""Repairs of affiliations in a study: applied before matching if it says so, listed in any case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from copub.parallel import between_works, by_parts, detached
from copub.schema import conform
from copub.screening import screen
from copub.screening.repairs import repair, repair_authorships
from copub.screening.review import apply_decisions
from copub.screening.watchlist import Watchlist
from copub.study import Study
from copub.tables import Tables
from copub.tables.funnel import Funnel

REASON = "repair"
_AUTHOR = ["work_id", "author_seq"]
_PLACE = [*_AUTHOR, "affiliation_seq"]


@dataclass(frozen=True, slots=True)
class Differing:
    """What the tables hold under the other rule for repairs than the study's.

    affiliations : the rows that a repair changes. authorships : those of their works.
    """

    affiliations: pl.DataFrame
    authorships: pl.DataFrame


@dataclass(frozen=True, slots=True)
class OtherRepairs:
    """The frames under the other rule for repairs than the study's, where they differ.

    places : affiliations that a repair changes (work_id, author_seq, affiliation_seq). hits : hits of
    these affiliations. authorships : authorships of their works.
    """

    places: pl.DataFrame
    hits: pl.DataFrame
    authorships: pl.DataFrame

    def hits_instead(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Return the hits under the other rule."""
        return pl.concat([hits.join(self.places, on=self.places.columns, how="anti"), self.hits.select(hits.columns)])

    def authorships_instead(self, authorships: pl.DataFrame) -> pl.DataFrame:
        """Return the authorships under the other rule."""
        return by_parts(authorships, self._authorships_of)

    def _authorships_of(self, part: pl.DataFrame) -> pl.DataFrame:
        mine = self.authorships.join(part.select("work_id"), on="work_id", how="semi")
        others = part.join(mine.select("work_id"), on="work_id", how="anti")
        return pl.concat([others, mine.select(part.columns)]).sort(*_AUTHOR)


def repaired(tables: Tables, study: Study) -> tuple[Tables, pl.DataFrame, Differing]:
    """Return the tables as the study wants them, the table ``repairs``, and what differs under the other rule.

    Where the study applies repairs, affiliations and sides follow them, and a work that keeps
    no affiliation on one of the sides leaves the study's population (`excluded_because` =
    repair). Works that a repair would bring into the pair are not among the records.
    """
    log: list[pl.DataFrame] = []
    changed: list[pl.DataFrame] = []
    after: list[pl.DataFrame] = []
    moved: list[pl.DataFrame] = []
    sides = (study.side_a.countries, study.side_b.countries)
    for part in between_works(tables.affiliations):
        made = repair(part)
        log.append(made.repairs)
        places = _places(made.repairs)
        changed.append(detached(made.affiliations.join(places, on=_PLACE, how="semi")))
        if study.repairs:
            after.append(made.affiliations)
        else:
            of_them, mended = (frame.join(places, on="work_id", how="semi") for frame in (part, made.affiliations))
            touched = tables.authorships.join(places, on="work_id", how="semi")
            moved.append(detached(repair_authorships(touched, of_them, mended, *sides)))
    repairs = pl.concat(log).sort(*_PLACE, "kind", nulls_last=True)
    listed = conform("repairs", repairs.with_columns(pl.lit(study.repairs).alias("is_applied")))
    if not study.repairs:
        return tables, listed, Differing(pl.concat(changed), pl.concat(moved))
    places, affiliations = _places(repairs), pl.concat(after)
    touched = tables.authorships.join(places, on="work_id", how="semi")
    as_read = tables.affiliations.join(places, on=_PLACE, how="semi")
    authorships = repair_authorships(tables.authorships, tables.affiliations, affiliations, *sides)
    left = authorships.group_by("work_id").agg(pl.col("on_side_a").any(), pl.col("on_side_b").any())
    lost = left.filter(~(pl.col("on_side_a") & pl.col("on_side_b")))["work_id"]
    leaves = pl.col("in_population") & pl.col("work_id").is_in(lost.implode())
    works = tables.works.with_columns(
        pl.when(leaves).then(pl.lit(REASON)).otherwise("excluded_because").alias("excluded_because"),
        (pl.col("in_population") & ~leaves).alias("in_population"),
    )
    funnel = _lessened(tables.funnel, works.filter(pl.col("excluded_because") == REASON).height)
    return (
        replace(
            tables,
            works=works.select(tables.works.columns),
            authorships=authorships,
            affiliations=affiliations,
            funnel=funnel,
        ),
        listed,
        Differing(detached(as_read), detached(touched)),
    )


def under_other_repairs(
    differing: Differing,
    hits: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    study: Study,
    dates: pl.DataFrame,
    decisions: pl.DataFrame | None,
) -> OtherRepairs:
    """Return hits and authorships under the other rule for repairs, where they differ.

    Only the affiliations that a repair changes are matched again; the others are hit as they are.

    Parameters
    ----------
    hits : the hits of the study, for their columns.
    dates : table ``works``, for the dates. decisions : people's decisions on affiliations.
    """
    found = screen(
        differing.affiliations,
        watchlists,
        tiers=study.tiers,
        medical=study.medical,
        children=study.children,
        dates=dates.select("work_id", "publication_date") if study.as_of else None,
    )
    if decisions is not None:
        found = apply_decisions(found, differing.affiliations, watchlists, decisions)
    return OtherRepairs(
        differing.affiliations.select(_PLACE).unique(), found.select(hits.columns), differing.authorships
    )


def _places(repairs: pl.DataFrame) -> pl.DataFrame:
    """Return the affiliations that a repair changes."""
    return repairs.select(_PLACE).drop_nulls().unique()


def _lessened(funnel: Funnel, count: int) -> Funnel:
    excluded = funnel.excluded.copy()
    if count:
        excluded[(REASON, "")] += count
    return replace(funnel, excluded=excluded)
