"""Sensitivity: the headline with one switch moved at a time, as paired changes of the same works."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from copub.schema import conform

SWITCHES: Mapping[str, str] = {
    "taxonomy": "taxonomy",
    "operating_point": "operating_point",
    "watchlist": "watchlist",
    "risk_floor": "levels",
    "medical": "medical units",
    "children": "children",
    "tiers": "tiers",
    "counting": "counting",
    "author_cap": "author cap",
    "types": "types",
    "hk_mo": "Hong Kong and Macau",
    "dual_affiliated": "works linked by one dual-affiliated author",
    "duplicates": "duplicates",
    "repairs": "repairs of affiliations",
}
"""Columns of table ``specifications``, and what the switch is called here."""


def sensitivity(moves: pl.DataFrame) -> pl.DataFrame:
    """Return the table ``sensitivity`` from the rows of `specifications`, its switches under the names for people."""
    return conform("sensitivity", moves.with_columns(pl.col("switch").replace(SWITCHES)))
