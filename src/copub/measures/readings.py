"""The headline under other readings of its lists: as they were at publication, every entity, unknown levels.

Where a list's maker published how many members have which level, the members whose level is not known cannot
have just any: the smallest and the largest number of works that such an assignment allows are exact, found by
integer programming over the works.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.intervals import with_intervals
from copub.measures.copublications import UNRATED, headline_hits
from copub.measures.shares import COUNTING_WEIGHT
from copub.schema import conform
from copub.screening.counting import BECAUSE, COUNTED, DATE, WHEN, first_day, is_valid

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]

STUDY = "the study"
AT_PUBLICATION, SINCE = "lists as at publication", "lists as at publication, works since they began"
WHENEVER = "lists whatever the date"
EVERY = "every listed entity"
LEAST, MOST = "unknown levels, smallest", "unknown levels, largest"
_READ = (
    *WHEN, "weight", "weight_countries", "is_critical", "is_listed", "is_critical_listed", "is_top_level",
)  # fmt: skip
MEASURED = ("listed", "critical_listed", "top_level")
HELD = dict.fromkeys(("watchlist", "entity_id", "valid_from", "valid_to"), pl.String)
"""Columns of the frame that says since when and until when a list names a member."""


@dataclass(frozen=True, slots=True)
class Unrated:
    """Members of a list without a level: their ids, the levels of the list, how many of them have which level.

    Levels that `totals` does not name are shared by the members that are left.
    """

    watchlist: str
    entities: frozenset[str]
    levels: tuple[str, ...]
    totals: Mapping[str, int]

    def counted(self, levels: Sequence[str]) -> tuple[int, int]:
        """Return the smallest and largest number of them that can have one of some levels."""
        fixed = sum(n for level, n in self.totals.items() if level in levels)
        rest = len(self.entities) - sum(self.totals.values())
        open_ = [level for level in self.levels if level not in self.totals]
        inside = [level for level in open_ if level in levels]
        return fixed + (rest if open_ and inside == open_ else 0), fixed + (rest if inside else 0)


def readings(
    study: Study,
    works: pl.DataFrame,
    hits: pl.DataFrame,
    levels: Sequence[str],
    held: pl.DataFrame | None,
    unrated: Sequence[Unrated],
) -> pl.DataFrame:
    """Return the table ``readings``.

    Parameters
    ----------
    works : table ``copublications``.
    hits : table ``hits``.
    levels : risk levels of the headline watchlists, strongest first.
    held : since when and until when the headline watchlists name their members (columns `HELD`).
    unrated : members without a level, of each headline watchlist.
    """
    counted, works = tuple(study.levels or levels), works.select(_READ)
    members = pl.DataFrame(schema=HELD) if held is None else held
    on_lists = hits.join(works.select(WHEN), on="work_id").join(members, on=["watchlist", "entity_id"], how="left")
    as_counted = headline_hits(on_lists, study, levels)
    other_date = on_lists.with_columns((is_valid() & pl.col(COUNTED)).alias(COUNTED))
    if study.listed_at_publication_only:
        other_date = on_lists.with_columns((pl.col(COUNTED) | (pl.col(BECAUSE) == [DATE])).alias(COUNTED))
    dated = _flagged(works, headline_hits(other_date, study, levels), study)
    found = {
        STUDY: works,
        WHENEVER if study.listed_at_publication_only else AT_PUBLICATION: dated,
        EVERY: _flagged(works, as_counted.with_columns(pl.lit(True).alias("counts")), study),
    }
    if not study.listed_at_publication_only and members.height and not members["valid_from"].null_count():
        begin = (str(members["valid_from"].min()) + "-01-01")[:10]
        found[SINCE] = dated.filter(first_day() >= pl.lit(begin).str.to_date())
    rows = [
        _counts(part, measure, counting).with_columns(pl.lit(name).alias("reading"))
        for name, part in found.items()
        for measure in MEASURED
        for counting in COUNTING_WEIGHT
    ]
    rows += _assigned(study, works, as_counted, counted, unrated)
    small = (pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)
    table = with_intervals(pl.concat(rows, how="diagonal"), study.confidence).drop("squares")
    return conform("readings", table.with_columns(small.alias("is_small")))


def _flagged(works: pl.DataFrame, hits: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the works with their flags by these hits of the headline lists."""
    listed = hits.filter("counts").select("work_id").unique()["work_id"]
    top = hits.filter("counts", pl.col("risk_level") == study.top_level).select("work_id").unique()["work_id"]
    is_listed, is_top = (pl.col("work_id").is_in(ids.implode()) for ids in (listed, top))
    return works.with_columns(
        is_listed.alias("is_listed"),
        (is_listed & pl.col("is_critical")).alias("is_critical_listed"),
        (is_top & pl.col("is_critical")).alias("is_top_level"),
    )


def _counts(works: pl.DataFrame, measure: str, counting: str) -> pl.DataFrame:
    weight, every = COUNTING_WEIGHT[counting], pl.col("work_id").is_not_null()
    return works.select(
        pl.lit(measure).alias("measure"),
        pl.lit(counting).alias("counting"),
        (weight * pl.col(f"is_{measure}")).sum().alias("numerator"),
        (weight * every).sum().alias("denominator"),
        (weight * weight * every).sum().alias("squares"),
    )


def _assigned(
    study: Study, works: pl.DataFrame, hits: pl.DataFrame, counted: Sequence[str], unrated: Sequence[Unrated]
) -> Iterator[pl.DataFrame]:
    """Yield the smallest and largest counts that an assignment of the unknown levels allows."""
    if UNRATED in counted or not any(one.totals for one in unrated):
        return
    named = (
        hits.filter(pl.col("risk_level") == UNRATED)
        .select("work_id", pl.struct("watchlist", "entity_id").alias("entity"))
        .unique()
        .group_by("work_id")
        .agg(pl.col("entity"))
    )
    for measure in MEASURED:
        levels = [study.top_level] if measure == "top_level" else counted
        critical = pl.lit(True) if measure == "listed" else pl.col("is_critical")
        can = works.filter(critical & ~pl.col(f"is_{measure}")).join(named, on="work_id").sort("work_id")
        sets = [frozenset((e["watchlist"], e["entity_id"]) for e in row) for row in can["entity"].to_list()]
        for counting, weight in COUNTING_WEIGHT.items():
            base = _counts(works, measure, counting)
            gains = can.with_columns(weight.alias("gain"))["gain"].to_numpy()
            for name, most in ((LEAST, False), (MOST, True)):
                more = covered(sets, gains, unrated, levels, most=most)
                yield base.with_columns(pl.col("numerator") + more, pl.lit(name).alias("reading"))


def covered(
    sets: Sequence[frozenset[tuple[str, str]]],
    gains: Array,
    unrated: Sequence[Unrated],
    levels: Sequence[str],
    *,
    most: bool,
) -> float:
    """Return the smallest or largest sum of gains over works that name a chosen member.

    Parameters
    ----------
    sets : list and id of the members without a level that each work names.
    gains : what each work brings once it is counted.
    unrated : members without a level; of each list so many are chosen as its totals leave with one of the levels.

    Chosen members are integer variables, works continuous ones between 0 and 1, which the optimum makes whole:
    a work counts if one of its members is chosen.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # takes a while, and few lists need it
    from scipy.sparse import lil_array

    members = [(one.watchlist, entity) for one in unrated for entity in sorted(one.entities)]
    place = {member: at for at, member in enumerate(members)}
    kinds = sorted(set(sets), key=sorted)
    together = np.array([math.fsum(g for s, g in zip(sets, gains, strict=True) if s == kind) for kind in kinds])
    if not kinds:
        return 0.0
    n, m = len(members), len(kinds)
    pairs = [(at, place[member]) for at, kind in enumerate(kinds) for member in sorted(kind) if member in place]
    cover = lil_array((m if most else len(pairs), n + m))
    for row, (at, member) in enumerate(pairs):
        # most: counted only if a member is chosen; least: counted as soon as one is
        where = at if most else row
        cover[where, member], cover[where, n + at] = -1.0, 1.0
    choose = lil_array((len(unrated), n + m))
    for row, one in enumerate(unrated):
        for entity in one.entities:
            choose[row, place[one.watchlist, entity]] = 1.0
    wanted = [one.counted(levels)[most] for one in unrated]
    within = LinearConstraint(cover.tocsr(), -np.inf, 0.0) if most else LinearConstraint(cover.tocsr(), 0.0, np.inf)
    found = milp(
        np.concatenate([np.zeros(n), -together if most else together]),
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0, 1),
        constraints=[within, LinearConstraint(choose.tocsr(), wanted, wanted)],
        options={"mip_rel_gap": 0.0},
    )
    chosen = {member for member, at in place.items() if found.x[at] > 0.5}
    return math.fsum(gain for kind, gain in zip(kinds, together, strict=True) if kind & chosen)
