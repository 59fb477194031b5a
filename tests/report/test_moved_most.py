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
          "ci_high": 1.0, "is_study": n == 1, "is_small": n == 0, "is_defensible": n != 2, "numerator": float(n % 2),
          "denominator": 40.0} for n in range(4)],
        schema=TABLES["specifications"].schema,
    )  # fmt: skip
    rows = [
        {"rank": 2, "switch": "counting", "settings": ["full"], "mean_difference": 0.01, "lowest_setting": "full"},
        {"rank": 1, "switch": "risk_floor", "settings": ["high"], "mean_difference": 0.034,
         "lowest_setting": "very high", "lowest_median": 0.01,
         "highest_setting": "every entity", "highest_median": 0.09},
        {"rank": 3, "switch": "tiers", "settings": ["name", "identifier"], "left_out": ["identifier"]},
    ]  # fmt: skip
    return {
        **world[0],
        "specifications": grid,
        "switch_effects": pl.DataFrame(rows, schema=TABLES["switch_effects"].schema),
    }


def test_the_first_of_the_influences_is_said(world: Any, tables: dict[str, pl.DataFrame]) -> None:
    section = specification_section(facts_of(tables, world[1]))
    assert section is not None
    line = section.paragraphs[1]
    for part in ("risk floor, by 3.4 points", "(very high)", "(every entity)"):
        assert part in line


def test_where_no_switch_has_two_settings_nothing_is_said(world: Any, tables: dict[str, pl.DataFrame]) -> None:
    alone = tables["switch_effects"].filter(switch="tiers")
    section = specification_section(facts_of({**tables, "switch_effects": alone}, world[1]))
    assert section is not None and not any("points on average" in line for line in section.paragraphs)


def test_the_curve_says_what_it_leaves_out_and_how_many_results_it_holds(
    world: Any, tables: dict[str, pl.DataFrame]
) -> None:
    manifest = {**world[1], "study": {**world[1]["study"], "small_rate": 25}}
    section = specification_section(facts_of(tables, manifest))
    assert section is not None
    for part in ("under 3 combinations", "2 different results", "1 combination over fewer than 25", "1 more comb"):
        assert part in section.lead
    assert "between 10.0% and 30.0%" in section.paragraphs[0] and "above 0% of them" in section.paragraphs[0]
    assert section.paragraphs[-1].startswith("Left out of the curve: identifier. An institution")
