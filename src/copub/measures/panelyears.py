"""The reconciliation of a panel by pair and year: the works at hand beside those that the source counts.

The harvest is reconciled per query and year over both sides as a whole (`copub.sources.harvest.reconcile`); this shows
that the works of each pair are there too. Works may be more than the source counts: it knows the countries of printed
addresses of the first hundred authors only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from copub.measures.presence import presence
from copub.schema import conform, empty

if TYPE_CHECKING:
    from copub.parallel import Table
    from copub.study import Study


def panel_years(study: Study, expected: pl.DataFrame | None, authorships: Table, works: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``panel_years``; without rows if the source was not asked.

    Parameters
    ----------
    expected : works that the source counts of each pair per year.
    authorships, works : of all works of both sides, counted or not, as `copub.measures.view.View` has them.
    """
    if expected is None:
        return empty("panel_years")
    where = presence(authorships, works, [*study.side_a.countries, *study.side_b.countries])
    parts = []
    for pair in study.pairs:
        both = where.has_recorded(pair.side_a.countries) & where.has_recorded(pair.side_b.countries)
        own = (
            works.filter(pl.Series(both)).group_by(year="publication_year").agg(pl.len().cast(pl.Int64).alias("works"))
        )
        parts.append(own.select(pl.lit(pair.key).alias("pair"), "year", "works"))
    in_years = expected.filter(pl.col("year").is_between(study.year_from, study.year_to))
    found = in_years.join(pl.concat(parts), on=["pair", "year"], how="left").with_columns(pl.col("works").fill_null(0))
    missing = (pl.col("expected") - pl.col("works")).clip(lower_bound=0).alias("missing")
    return conform("panel_years", found.with_columns(missing))
