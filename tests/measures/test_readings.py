"""Other readings of the lists: as at publication, every entity, and exact bounds for unknown levels."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest

from copub.lists.watchlist import load_watchlist
from copub.measures.copublications import copublications
from copub.measures.inputs import held_by, unrated_of
from copub.measures.readings import HELD, LEAST, MOST, Unrated, covered, readings

from .worlds import LEVELS, STUDY, made_world, study

ASPI = "aspi-cdut-2019"


def by_enumeration(
    sets: list[frozenset[Any]], gains: list[float], unrated: list[Unrated], sizes: list[int]
) -> list[float]:
    """Return the sums of gains under every choice of so many members of each list."""
    found = [0.0]
    chosen: list[set[Any]] = [set()]
    for one, size in zip(unrated, sizes, strict=True):
        every = [(one.watchlist, entity) for entity in sorted(one.entities)]
        chosen = [before | set(more) for before in chosen for more in combinations(every, size)]
    found = [sum(g for s, g in zip(sets, gains, strict=True) if s & of) for of in chosen]
    return [min(found), max(found)]


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_those_of_every_assignment_tried(seed: int) -> None:
    rng = Random(seed)
    lists = [
        Unrated(
            name, frozenset(f"e{n}" for n in range(rng.randint(2, 6))), ("top", "high", "low"), {"top": 1, "high": 1}
        )
        for name in ("one", "two")[: rng.randint(1, 2)]
    ]
    members = [(one.watchlist, entity) for one in lists for entity in sorted(one.entities)]
    sets = [frozenset(rng.sample(members, rng.randint(1, min(3, len(members))))) for _ in range(12)]
    gains = [rng.choice([1.0, 0.25, 0.5]) for _ in sets]
    for levels, size in ((("top", "high"), 2), (("top",), 1)):
        wanted = by_enumeration(sets, gains, lists, [size] * len(lists))
        made = [covered(sets, np.array(gains), lists, levels, most=most) for most in (False, True)]
        assert made == pytest.approx(wanted)


def test_levels_without_a_total_share_the_members_that_are_left() -> None:
    one = Unrated("x", frozenset("abcdef"), ("top", "high", "medium", "low"), {"top": 1, "high": 2})
    assert one.counted(["top"]) == (1, 1)
    assert one.counted(["top", "high"]) == (3, 3)
    assert one.counted(["top", "high", "medium"]) == (3, 6)  # any of the other three may be medium, or none
    assert one.counted(["top", "high", "medium", "low"]) == (6, 6)


def test_the_unknown_levels_of_the_defence_tracker_hold_two_very_high_and_three_high() -> None:
    one = unrated_of(load_watchlist(ASPI))
    assert (len(one.entities), one.counted(["very high"]), one.counted(["very high", "high"])) == (19, (2, 2), (5, 5))
    levels = {m.entity.id: m.level for m in load_watchlist(ASPI).entities}
    assert (levels["fudan-university"], levels["southeast-university"]) == ("medium", "high")


def measured_readings(asked=STUDY, held: pl.DataFrame | None = None, unrated=(), **hits: Any) -> pl.DataFrame:
    made = made_world(3, 40)[1]
    found = made.hits.with_columns(**hits)
    works = copublications(made.flagged(asked, found))
    return readings(asked, works, found, LEVELS, held, unrated)


def of(table: pl.DataFrame, reading: str, measure: str = "listed") -> tuple[float, float]:
    row = table.filter(reading=reading, measure=measure, counting="full").row(0, named=True)
    return row["numerator"], row["denominator"]


def test_at_publication_only_hits_count_that_the_list_held_on_that_day() -> None:
    rows = [("list-one", f"entity-{n}", "2018-06", None) for n in range(1, 7)]
    table = measured_readings(held=pl.DataFrame(rows, schema=HELD, orient="row"))
    made = made_world(3, 40)[1]
    works = copublications(made.flagged())
    late = works.filter(pl.col("publication_date") >= date(2018, 6, 1))
    assert of(table, "the study") == (works["is_listed"].sum(), works.height)
    assert of(table, "lists as at publication") == (late["is_listed"].sum(), works.height)
    assert of(table, "lists as at publication, works since they began") == (late["is_listed"].sum(), late.height)
    assert 0 < late["is_listed"].sum() < works["is_listed"].sum()


def test_every_listed_entity_counts_whatever_its_level() -> None:
    table = measured_readings()
    made = made_world(3, 40)[1]
    works = copublications(made.flagged())
    assert of(table, "every listed entity")[0] == (works["listing_category"].cast(pl.String) != "none").sum()
    both = works.filter("is_critical", pl.col("listing_category") != "none").height
    assert of(table, "every listed entity", "critical_listed")[0] == both


def test_bounds_hold_the_study_and_reach_every_entity_if_all_unknown_ones_count() -> None:
    one = Unrated("list-one", frozenset({"entity-4"}), ("very high", "high", "medium", "low"), {"high": 1})
    table = measured_readings(unrated=(one,))
    made = made_world(3, 40)[1]
    works = copublications(made.flagged())
    named = made.hits.filter("is_counted", entity_id="entity-4")["work_id"]
    more = works.filter(~pl.col("is_listed"), pl.col("work_id").is_in(named.implode())).height
    assert of(table, LEAST) == of(table, MOST) == (works["is_listed"].sum() + more, works.height)
    assert more > 0
    none = measured_readings(unrated=(Unrated("list-one", frozenset({"entity-4"}), one.levels, {}),))
    assert none.filter(pl.col("reading").is_in([LEAST, MOST])).is_empty()  # no totals are published


def test_a_study_that_counts_at_publication_shows_the_lists_whatever_the_date() -> None:
    asked = study(listed_at_publication_only=True)
    late = pl.lit(["date"], dtype=pl.List(pl.String))
    table = measured_readings(
        asked, not_counted_because=pl.when("is_counted").then(late).otherwise("not_counted_because"),
        is_counted=pl.lit(False),
    )  # fmt: skip
    made = made_world(3, 40)[1]
    works = copublications(made.flagged())
    assert of(table, "the study")[0] == 0
    assert of(table, "lists whatever the date")[0] == works["is_listed"].sum()


def test_since_when_a_list_names_its_members_is_as_the_list_says() -> None:
    table = held_by([load_watchlist(ASPI), load_watchlist("aspi-cdut-later")])
    assert set(table.filter(watchlist=ASPI)["valid_from"]) == {"2019-11-25"}
    assert table.filter(watchlist="aspi-cdut-later")["valid_from"].null_count() > 0
    some = measured_readings(held=pl.DataFrame([("list-one", "entity-1", None, None)], schema=HELD, orient="row"))
    assert "lists as at publication, works since they began" not in set(some["reading"])  # the begin is not known
