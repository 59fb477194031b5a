"""Coverage by publisher and year, under the trend: a publisher that sends no affiliations looks like a fall."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from copub.report.blocks import Cell, Grid, grid_of, share_cell
from copub.report.facts import Facts

YEARS = 8
"""So many of the last years with works are shown."""
METRICS: Mapping[str, str] = {
    "section.publishers_institution": "works with an unresolved side-B author",
    "section.publishers_abstract": "works without abstract",
}


def publisher_grids(facts: Facts) -> tuple[Grid, ...]:
    """Return per publisher and year the share of works that lack an institution, and that lack an abstract.

    Publishers are the largest of the study, those with as many works as the floor for rates asks.
    """
    place = pl.col("slice").str.split(" | ")
    rows = (
        facts.table("coverage")
        .filter(pl.col("slice_kind") == "publisher and year")
        .with_columns(
            # a name may hold the sign that parts it from its year
            publisher=place.list.slice(0, place.list.len() - 1).list.join(" | "),
            year=place.list.last(),
        )
        .filter(pl.col("of").sum().over("metric", "publisher") >= int(facts.study.get("small_rate") or 0))
    )
    years = sorted(rows["year"].unique())[-YEARS:]
    grids = (_grid(facts, key, rows.filter(pl.col("metric") == metric), years) for key, metric in METRICS.items())
    return tuple(grid for grid in grids if grid.rows)


def _grid(facts: Facts, key: str, rows: pl.DataFrame, years: list[str]) -> Grid:
    words = facts.words
    cells = {(row["publisher"], row["year"]): row for row in rows.iter_rows(named=True)}
    sizes = dict(rows.group_by("publisher").agg(pl.col("of").sum()).iter_rows())
    lines = []
    for publisher in sorted(sizes, key=lambda name: (-sizes[name], name)):
        line = [Cell(publisher, is_name=True)]
        for year in years:
            found = cells.get((publisher, year))
            line.append(share_cell(facts, found["share"]) if found else Cell(words.missing))
        lines.append(line)
    return grid_of(words.say(key), [words.say("label.publisher"), *years], lines)
