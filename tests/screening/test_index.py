"""Descendants count for a listed institution along their parents, as far as the list lets them."""

from __future__ import annotations

import polars as pl
import pytest

from copub.screening import load_watchlist
from copub.screening.index import build_index

FAMILY = (
    "entity_id,name,parent,children,level\n"
    "ministry,Ministry of Rockets,,,high\n"
    "academy,Academy of Rockets,ministry,{children},low\n"
    "institute,Institute of Rocket Fuels,academy,,\n"
)


@pytest.mark.parametrize(
    ("children", "ancestors"), [("none", []), ("named", ["academy", "ministry"]), ("all", ["academy", "ministry"])]
)
def test_an_institution_whose_descendants_do_not_count_stops_inheritance_beyond_it(
    write_list, children: str, ancestors: list[str]
) -> None:
    own = load_watchlist(write_list(FAMILY.format(children=children)))
    holders = build_index([own]).holders
    assert holders.filter(via_entity="institute")["entity_id"].sort().to_list() == ancestors
    assert holders.filter(via_entity="academy")["entity_id"].to_list() == ["ministry"]
    members = holders.filter(pl.col("via_entity").is_null())
    assert members["entity_id"].sort().to_list() == ["academy", "institute", "ministry"]
