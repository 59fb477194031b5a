"""Cells are the sums of a plain loop over works, however the works are cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import permutations
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.atlas import Rules
from copub.atlas import cells as cells_module
from copub.atlas.cells import CELLS, KEYS, READ_LISTINGS, READ_WORKS, Codes, count_group, summed
from copub.atlas.evidence import LISTINGS, WORKS
from copub.packed import pack, unpack

COUNTRIES = ("BE", "CN", "IR", "NL", "RU", "US")
YEAR = 2019


@st.composite
def evidence(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draw works of several countries, some on areas, and what they list."""
    works, listings = [], []
    for number in range(draw(st.integers(1, 12))):
        countries = sorted(draw(st.sets(st.sampled_from(COUNTRIES), min_size=2)))
        weights = [draw(st.floats(0.01, 0.5)) for _ in countries]
        areas = sorted(draw(st.sets(st.sampled_from(("EU-01-SEMICONDUCTORS", "EU-02-AI")))))
        works.append(
            (number, YEAR, None, None, countries, weights, len(countries) + draw(st.integers(0, 2)), areas, None)
        )
        for country in draw(st.sets(st.sampled_from(countries))):
            level = draw(st.sampled_from(("very high", "high", "low", None)))
            category = {"low": "lower level", None: "unrated"}.get(level, "counted")
            fraction = draw(st.floats(0, 1))
            listings.append(
                (number, YEAR, "demo-list", country, category, level == "very high", level, fraction, ["E1"])
            )
    return (
        pl.DataFrame(works, schema=WORKS, orient="row").select(READ_WORKS),
        pl.DataFrame(listings, schema=LISTINGS, orient="row").select(READ_LISTINGS),
    )


def counted(works: pl.DataFrame, listings: pl.DataFrame) -> Mapping[tuple[Any, ...], list[float]]:
    """Count cells one work, pair, area and listing after the other."""
    found: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0.0] * 6)
    for work in works.iter_rows(named=True):
        weight_of = dict(zip(work["countries"], work["weights"], strict=True))
        for a, b in permutations(work["countries"], 2):
            weight, weight_countries = weight_of[a] + weight_of[b], 2 / work["n_countries"]
            named = [("", "none", False, None, 0.0)]
            for row in listings.filter(number=work["number"], country=b).iter_rows(named=True):
                named.append(tuple(row[name] for name in (*KEYS[4:], "listed_fraction")))
            for *listing, fraction in named:
                for area in ("all", *(["critical"] if work["areas"] else []), *work["areas"]):
                    sums = (1, weight, weight**2, weight_countries, weight_countries**2, fraction)
                    cell = found[(a, b, YEAR, area, *listing)]
                    cell[:] = [before + one for before, one in zip(cell, sums, strict=True)]
    return found


@given(drawn=evidence(), at_once=st.sampled_from((1, 7, 1000)), cut=st.integers(0, 12))
def test_cells_are_the_sums_of_a_loop_over_works(
    drawn: tuple[pl.DataFrame, pl.DataFrame], at_once: int, cut: int, rules: Rules
) -> None:
    works, listings = drawn
    codes = Codes.of(rules, COUNTRIES)
    with patch.object(cells_module, "PAIRS_AT_ONCE", at_once):
        groups = [(pack(part), pack(listings)) for part in (works[:cut], works[cut:]) if part.height]
        cells = codes.named(summed(unpack(count_group(codes, group)) for group in groups), YEAR)
    assert cells.schema == CELLS
    expected = counted(works, listings)
    assert cells.select(KEYS).is_unique().all()
    assert {row[: len(KEYS)] for row in cells.rows()} == set(expected)
    for row in cells.rows():
        assert row[len(KEYS) :] == pytest.approx(expected[row[: len(KEYS)]])
