"""Which countries the works of a panel have, and how much of each work belongs to them: once, for all pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.parallel import Table, split_by_work

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Presence:
    """The countries of works, by their place in a list of works.

    recorded : country -> places of the works that have it as recorded. kept : as the study's rule for repairs has
    them, with the sum of the authors' parts in `credit` (an author of n countries has 1 / n in each).
    authors : authors with a known country, by place. countries : distinct countries, by place.
    """

    recorded: Mapping[str, Places]
    kept: Mapping[str, Places]
    credit: Mapping[str, Array]
    authors: Array
    countries: Array

    def has(self, codes: Sequence[str]) -> NDArray[np.bool_]:
        """Return by place whether a work has a country of a side as recorded, and keeps one."""
        return self.has_recorded(codes) & self._in(self.kept, codes)

    def has_recorded(self, codes: Sequence[str]) -> NDArray[np.bool_]:
        """Return by place whether a work has a country of a side as recorded."""
        return self._in(self.recorded, codes)

    def _in(self, of: Mapping[str, Places], codes: Sequence[str]) -> NDArray[np.bool_]:
        found = np.zeros(len(self.authors), dtype=np.bool_)
        for code in codes:
            if code in of:
                found[of[code]] = True
        return found

    def credit_of(self, codes: Sequence[str]) -> tuple[Array, Array]:
        """Return by place the sum of the authors' parts in these countries, and the number of these countries."""
        parts, number = np.zeros_like(self.authors), np.zeros_like(self.authors)
        for code in codes:
            if code in self.kept:
                parts[self.kept[code]] += self.credit[code]
                number[self.kept[code]] += 1
        return parts, number


def presence(authorships: Table, works: pl.DataFrame, codes: Sequence[str]) -> Presence:
    """Return where these countries are.

    Parameters
    ----------
    authorships : work_id, countries (as the study's rule for repairs has them), countries_recorded.
    works : work_id of the works, in order.
    """
    place = works.select("work_id").with_row_index("place")
    counts, kept, recorded = [], [], []
    for part in split_by_work(authorships):
        of_part = part.join(place, on="work_id", how="inner").with_columns(own=pl.col("countries").list.unique())
        one = of_part.select("place", "own", share=1 / pl.col("own").list.len()).explode("own", keep_nulls=False)
        counts.append(
            of_part.group_by("place")
            .agg((pl.col("own").list.len() > 0).sum().alias("authors"))
            .join(one.group_by("place").agg(pl.col("own").n_unique().alias("countries")), on="place", how="left")
        )
        kept.append(
            one.filter(pl.col("own").is_in(list(codes))).group_by("place", "own").agg(pl.col("share").sort().sum())
        )
        recorded.append(
            of_part.select("place", own="countries_recorded")
            .explode("own", keep_nulls=False)
            .filter(pl.col("own").is_in(list(codes)))
            .unique()
        )
    authors, countries = (np.zeros(works.height) for _ in range(2))
    for frame in counts:
        authors[frame["place"].to_numpy()] = frame["authors"].to_numpy()
        countries[frame["place"].to_numpy()] = frame["countries"].fill_null(0).to_numpy()
    by_kept, by_recorded = _by_country(kept), _by_country(recorded)
    return Presence(
        {code: frame["place"].to_numpy().astype(np.int64) for code, frame in by_recorded.items()},
        {code: frame["place"].to_numpy().astype(np.int64) for code, frame in by_kept.items()},
        {code: frame["share"].to_numpy() for code, frame in by_kept.items()},
        authors,
        countries,
    )


def _by_country(parts: Sequence[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    if not parts:
        return {}
    return {str(code): frame.sort("place") for (code,), frame in pl.concat(parts).group_by("own")}
