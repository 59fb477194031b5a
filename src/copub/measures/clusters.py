"""Works that share authors: how much less a share says than so many works of different people would.

Each work belongs to the group of that of its authors who has the most works here (the first in its list
among equals), so that no chain of co-authors makes one group of everything. Groups are drawn
again with replacement. Sources: A. C. Davison, D. V. Hinkley (1997), Bootstrap Methods and their
Application, section 3.8; L. Kish (1965), Survey Sampling, section 8.2 (design effect).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from copub.parallel import Table, by_parts, own_rows
from copub.randomdraws import draws_of, multinomial

DRAWS = 4000
SEED = 1965


@dataclass(frozen=True, slots=True)
class Clustered:
    """A share whose works come in groups: ends of its interval, design effect, number of groups.

    The first three are None where the share is 0 or 1, or over fewer than two groups: groups drawn again say nothing.
    """

    low: float | None
    high: float | None
    design_effect: float | None
    groups: int


GROUPS = pl.Schema({"work_id": pl.String, "group": pl.UInt32})
AUTHOR = pl.coalesce("author_id", "author_name").hash().alias("author")
"""An author is an id where the record has one, else the name as printed; which number represents whom plays no part."""


def author_groups(works: pl.DataFrame, authors: Table) -> pl.DataFrame:
    """Return work_id and the number of the work's group: of the author who leads it, or of the work alone.

    Parameters
    ----------
    authors : columns work_id, author_seq and author (`AUTHOR`).
    """
    ids = works.select("work_id")

    def named(part: pl.DataFrame) -> pl.DataFrame:
        own = part.drop_nulls().join(own_rows(ids, part), on="work_id", how="semi")
        return own.unique(["work_id", "author"], keep="first", maintain_order=True)

    number = by_parts(authors, lambda part: named(part).select("author"))["author"].value_counts(name="works")
    several = number.filter(pl.col("works") > 1)

    def led(part: pl.DataFrame) -> pl.DataFrame:
        of_groups = named(part).join(several, on="author")
        first = of_groups.sort("work_id", "works", "author_seq", descending=[False, True, False])
        return first.unique("work_id", keep="first").select("work_id", group="author")

    leader = ids.join(by_parts(authors, led), on="work_id", how="left", maintain_order="left")["group"].rank("dense")
    return ids.with_columns(group=leader).with_columns(numbered())


def numbered() -> pl.Expr:
    """Return the groups of works, those without one each in a group of its own."""
    alone = pl.col("group").max().fill_null(0) + pl.int_range(1, pl.len() + 1)
    return pl.coalesce("group", alone.cast(GROUPS["group"])).alias("group")


def clustered(has: pl.Series, group: pl.Series, confidence: float) -> Clustered:
    """Return the share of works that have a property, drawn again by groups (percentile interval).

    The design effect is the variance of the share so drawn over that of as many works drawn one by one.
    """
    of_group = pl.DataFrame({"has": has, "group": group}).group_by("group").agg(pl.col("has").sum(), pl.len())
    groups, works = of_group.height, has.len()
    share = float(has.sum()) / works if works else 0.0
    if groups < 2 or not 0 < share < 1:
        return Clustered(None, None, None, groups)
    kinds = of_group.group_by("has", "len").agg(pl.len().alias("groups")).sort("has", "len")
    found, size, often = (kinds[name].to_numpy().astype(np.float64) for name in ("has", "len", "groups"))
    again = multinomial(draws_of(SEED), groups, often / groups, DRAWS)
    shares = (again @ found) / (again @ size)
    low, high = np.quantile(shares, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Clustered(float(low), float(high), float(shares.var() * works / (share * (1 - share))), groups)
