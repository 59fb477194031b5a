"""Repairs of affiliations in a study: applied before matching if it says so, listed in any case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from copub.corpus import Tables
from copub.corpus.funnel import Funnel
from copub.corpus.repairs import REPAIRS, other_countries, repair, repair_authorships
from copub.lists.watchlist import Watchlist
from copub.parallel import by_parts, split_by_work, with_own_buffers
from copub.schema import conform
from copub.screening.studyhits import decided, screen_study
from copub.study import Study

REASON = "repair"
_AUTHOR = ["work_id", "author_seq"]
_PLACE = [*_AUTHOR, "affiliation_seq"]


@dataclass(frozen=True, slots=True)
class RepairAlternative:
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


class RepairStep:
    """Repairs of a study's tables, part by part: first `affiliations`, then `authorships`, then the rest.

    Where the study applies repairs, affiliations and sides follow them, and a work that keeps
    no affiliation on one of the sides leaves the study's population (`excluded_because` =
    repair). Works that a repair would bring into the pair are not among the records.
    """

    def __init__(self, study: Study) -> None:
        self._applies = study.apply_repairs
        self._sides = (study.side_a.countries, study.side_b.countries)
        self._log: list[pl.DataFrame] = [pl.DataFrame(schema=REPAIRS)]
        self._changed: list[pl.DataFrame] = []
        self._moved: list[pl.DataFrame] = []
        self._others: list[pl.DataFrame] = []
        self._lost: list[pl.Series] = [pl.Series("work_id", [], dtype=pl.String)]

    def affiliations(self, parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the table ``affiliations`` as the study wants it; no work is in two parts."""
        for part in parts:
            made = repair(part)
            self._log.append(with_own_buffers(made.repairs))
            places = _places(made.repairs)
            repaired = [frame.join(places, on=_AUTHOR, how="semi") for frame in (part, made.affiliations)]
            self._others.append(other_countries(*repaired))
            other = part if self._applies else made.affiliations
            self._changed.append(with_own_buffers(other.join(places, on=_PLACE, how="semi")))
            yield made.affiliations if self._applies else part

    def authorships(self, parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the table ``authorships`` as the study wants it, once all affiliations were read."""
        others = pl.concat(self._others)
        touched = _places(pl.concat(self._log)).select("work_id").unique()
        for part in parts:
            own = part.join(touched, on="work_id", how="semi")
            repaired_part = repair_authorships(part if self._applies else own, others, *self._sides)
            self._moved.append(with_own_buffers(own if self._applies else repaired_part))
            if self._applies:
                left = repaired_part.join(touched, on="work_id", how="semi").group_by("work_id")
                sides = left.agg(pl.col("on_side_a").any(), pl.col("on_side_b").any())
                self._lost.append(sides.filter(~(pl.col("on_side_a") & pl.col("on_side_b")))["work_id"])
            yield repaired_part if self._applies else part

    def works(self, works: pl.DataFrame, funnel: Funnel) -> tuple[pl.DataFrame, Funnel]:
        """Return the table ``works`` and the funnel without the works that lost a side."""
        if not self._applies:
            return works, funnel
        leaves = pl.col("in_population") & pl.col("work_id").is_in(pl.concat(self._lost).implode())
        made = works.with_columns(
            pl.when(leaves).then(pl.lit(REASON)).otherwise("excluded_because").alias("excluded_because"),
            (pl.col("in_population") & ~leaves).alias("in_population"),
        )
        return made, _lessened(funnel, made.filter(pl.col("excluded_because") == REASON).height)

    def listed(self) -> pl.DataFrame:
        """Return the table ``repairs``."""
        return conform("repairs", pl.concat(self._log).with_columns(pl.lit(self._applies).alias("is_applied")))

    def differing(self) -> RepairAlternative:
        """Return what differs under the other rule for repairs."""
        return RepairAlternative(pl.concat(self._changed), pl.concat(self._moved))


def repaired(tables: Tables, study: Study) -> tuple[Tables, pl.DataFrame, RepairAlternative]:
    """Return the tables as the study wants them, the table ``repairs``, and what differs under the other rule."""
    repair_step = RepairStep(study)
    affiliations = pl.concat(repair_step.affiliations(split_by_work(tables.affiliations)))
    authorships = pl.concat(repair_step.authorships(split_by_work(tables.authorships)))
    works, funnel = repair_step.works(tables.works, tables.funnel)
    made = replace(tables, works=works, authorships=authorships, affiliations=affiliations, funnel=funnel)
    return made, repair_step.listed(), repair_step.differing()


def under_other_repairs(
    differing: RepairAlternative,
    hits: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    study: Study,
    works: pl.DataFrame,
    decisions: pl.DataFrame | None,
) -> OtherRepairs:
    """Return hits and authorships under the other rule for repairs, where they differ.

    Only the affiliations that a repair changes are matched again; the others are hit as they are.

    Parameters
    ----------
    hits : the hits of the study, for their columns.
    works : table ``works``, for the dates. decisions : people's decisions on affiliations.
    """
    found = screen_study(study, differing.affiliations, watchlists, works)
    found = decided(study, found, differing.affiliations, watchlists, works, decisions)
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
