"""The page names the switch that moves the share most, in words."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from copub.report.details import specification_section
from copub.report.facts import facts_of
from copub.schema import TABLES


@pytest.fixture
def tables(world: Any) -> dict[str, pl.DataFrame]:
    grid = pl.DataFrame(
        [{**dict.fromkeys(TABLES["specifications"].schema), "taxonomy": f"t{n}", "share": n / 10, "ci_low": 0.0,
          "ci_high": 1.0, "is_study": n == 1} for n in range(4)],
        schema=TABLES["specifications"].schema,
    )  # fmt: skip
    rows = [
        {"rank": 2, "switch": "counting", "settings": ["full"], "mean_difference": 0.01, "lowest_setting": "full"},
        {"rank": 1, "switch": "risk_floor", "settings": ["high"], "mean_difference": 0.034,
         "lowest_setting": "very high", "lowest_median": 0.01,
         "highest_setting": "every entity", "highest_median": 0.09},
        {"rank": 3, "switch": "hk_mo", "settings": ["with"]},
    ]  # fmt: skip
    return {**world[0], "specifications": grid, "influences": pl.DataFrame(rows, schema=TABLES["influences"].schema)}


def test_the_first_of_the_influences_is_said(world: Any, tables: dict[str, pl.DataFrame]) -> None:
    section = specification_section(facts_of(tables, world[1]))
    assert section is not None
    (line,) = section.paragraphs
    for part in ("risk floor, by 3.4 points", "(very high)", "(every entity)"):
        assert part in line


def test_where_no_switch_has_two_settings_nothing_is_said(world: Any, tables: dict[str, pl.DataFrame]) -> None:
    alone = tables["influences"].filter(switch="hk_mo")
    section = specification_section(facts_of({**tables, "influences": alone}, world[1]))
    assert section is not None and section.paragraphs == ()
