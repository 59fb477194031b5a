"""Every cause alone, every two of them at once, and any number: exactly the planted counts.

Each plant has works of its own, so what a set of plants moves is the sum of what each moves. Two
plants share a word: what copub itself judges otherwise cannot be distinguished from other rules or another
list when those changed as well; the first in the documented order takes it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copub.history.causes import CAUSES
from copub.history.compare import Comparison, compare
from copub.runs import Run

from .world import BE, CN, EARLIER, FR, LATER, MEDICAL, RECODED, STUDY, Author, Seen, Work, make_run, plain_world

LISTED = {
    "I22": "very high",
    "I51": "high",
    "I73": "very high",
    "I81": "very high",
    "I91": "very high",
    MEDICAL: "very high",
}
BASE: Seen = replace(EARLIER, listed=LISTED)
NOW: Seen = replace(LATER, listed=LISTED)
ASKED = replace(STUDY, apply_repairs=True)
YEAR = date(2020, 5, 1)


def works(first: int, count: int, partner: str = "I21", title: str = "a laser", **more: Any) -> dict[str, Work]:
    """Return works W<first> … with one author in Belgium, one at `partner` in China, and one in France."""
    authors = (Author("I1", BE), Author(partner, CN), Author("I31", FR))
    numbers = range(first, first + count)
    return {f"W{n}": Work(f"W{n}", title, more.get("day", YEAR), authors=authors) for n in numbers}


def each(**changes: Any) -> Callable[[Work], Work | None]:
    return lambda work: replace(work, **changes)


def as_it_was(work: Work) -> Work:
    return work


def gone(work: Work) -> None:
    return None


def moved(institution: str) -> Callable[[Work], Work | None]:
    return lambda work: replace(work, authors=(work.authors[0], Author(institution, CN), work.authors[2]))


@dataclass(frozen=True)
class Plant:
    """Works, what becomes of them, or of the instruments, and the cause that must be named."""

    cause: str
    before: Mapping[str, Work]
    change: Callable[[Work], Work | None] = as_it_was
    new: Mapping[str, Work] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return the works that it moves."""
        return len(self.before) + len(self.new)


NO_MORE_81 = {institution: level for institution, level in LISTED.items() if institution != "I81"} | {
    "I82": "very high"
}
LONG = "a laser whose title is long enough"
PLANTS = {
    "levels": Plant("study settings", works(100, 3, "I51"), study={"levels": ("very high",)}),
    "years": Plant("study settings", works(110, 2, day=date(2014, 5, 1)), study={"year_from": 2015}),
    "medical": Plant("study settings", works(120, 4, MEDICAL), study={"include_medical": False}),
    "published": Plant("newly published", {}, new=works(200, 3, day=date(2026, 3, 1))),
    "indexed": Plant("newly indexed", {}, new=works(210, 2)),
    "left": Plant("left the pair", works(220, 4), gone),
    "renamed": Plant("same work, new id", works(350, 2, title=LONG), gone, new=works(360, 2, title=LONG)),
    "details": Plant("details changed", works(230, 2), each(type="editorial")),
    "affiliated": Plant("re-affiliated", works(240, 3, "I22"), moved("I21")),
    "country": Plant("re-affiliated", works(245, 2), each(authors=(Author("I1", BE), Author("I21", CN)))),
    "text": Plant("text changed", works(250, 2), each(title="nothing of the sort")),
    "topics": Plant("topics changed", works(260, 3, title="plain"), each(topic="T9")),
    "corrections": Plant(
        "repairs changed",
        {name: replace(work, authors=(*work.authors, Author("I61", CN))) for name, work in works(270, 2).items()},
        seen={"corrections": {**BASE.corrections, "I61": RECODED}},
    ),
    "rules": Plant("model or rules changed", works(280, 3, title="a quartz"), seen={"rules": ("laser", "quartz")}),
    "rejected": Plant("decisions changed", works(290, 2, "I73"), seen={"decided": ("I73",)}),
    "confirmed": Plant("decisions changed", works(300, 3, "I74"), seen={"confirmed": ("I74",)}),
    "list": Plant(
        "watchlist changed", works(310, 2, "I81") | works(320, 3, "I82"), seen={"edition": "2", "listed": NO_MORE_81}
    ),
    "names": Plant("names and places changed", works(330, 2, "I91"), seen={"named": ("I91",)}),
    "code": Plant("code changed", works(340, 2), seen={"version": "2.0", "flipped": frozenset({"W340", "W341"})}),
}
YEARS_AT_FIRST = 2010


def world_before() -> dict[str, Work]:
    world = plain_world(6)
    for plant in PLANTS.values():
        world |= plant.before
    return world


def expected(names: Iterable[str]) -> dict[str, int]:
    planted = set(names)
    found: Counter[str] = Counter()
    for name in planted:
        cause = PLANTS[name].cause
        if name == "code" and "rules" in planted:
            cause = PLANTS["rules"].cause
        if name == "names" and "list" in planted:
            cause = PLANTS["list"].cause
        found[cause] += PLANTS[name].count
    return dict(found)


class Worlds:
    """The run before, made once, and runs after any set of plants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.study = replace(ASKED, year_from=YEARS_AT_FIRST)
        self.before = make_run(folder, world_before().values(), BASE, self.study)

    def after(self, names: Iterable[str]) -> Run:
        world, seen, study = world_before(), NOW, self.study
        for plant in map(PLANTS.__getitem__, names):
            for name in plant.before:
                changed = plant.change(world.pop(name))
                if changed is not None:
                    world[name] = changed
            world |= plant.new
            seen, study = replace(seen, **plant.seen), replace(study, **plant.study)
        return make_run(self.folder, world.values(), seen, study)

    def compared(self, names: Iterable[str]) -> Comparison:
        return compare(self.before, self.after(names))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return Worlds(tmp_path_factory.mktemp("plants"))


def counts(comparison: Comparison) -> dict[str, int]:
    """Return cause -> works that it moved; a cause that might have, had others not gone before, moved none."""
    return dict(comparison.split("critical_listed", "full").filter(pl.col("works") > 0).select("cause", "works").rows())


def test_every_cause_but_the_unexplained_has_a_plant() -> None:
    # other input files takes the place of two causes: test_compare has its own worlds for it
    others = {"unexplained", "other input files"}
    assert {plant.cause for plant in PLANTS.values()} == {cause.name for cause in CAUSES} - others


@pytest.mark.parametrize("name", PLANTS)
def test_every_plant_alone_is_named_with_its_count_and_nothing_else(worlds: Worlds, name: str) -> None:
    comparison = worlds.compared([name])
    assert counts(comparison) == expected([name])
    assert set(comparison.tables["moves"]["also_possible"].explode().drop_nulls()) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTS)
def test_every_two_plants_at_once_are_named_with_their_counts(worlds: Worlds, name: str) -> None:
    for one, other in itertools.combinations(PLANTS, 2):
        if one == name:
            assert counts(worlds.compared([one, other])) == expected([one, other]), f"{one} and {other}"


def test_all_plants_at_once_are_named_with_their_counts(worlds: Worlds) -> None:
    assert counts(worlds.compared(PLANTS)) == expected(PLANTS)


@given(st.sets(st.sampled_from(sorted(PLANTS)), min_size=3))
@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.too_slow])
def test_any_number_of_plants_is_named_with_their_counts_and_the_parts_add_up(worlds: Worlds, names: set[str]) -> None:
    comparison = worlds.compared(names)
    assert counts(comparison) == expected(names)
    for row in comparison.tables["shares"].iter_rows(named=True):
        parts = comparison.split(row["measure"], row["counting"])["part"]
        assert parts.sum() == pytest.approx(row["difference"], abs=1e-12)


def test_repairs_that_a_study_begins_to_apply_are_its_settings_and_the_record_s_changes_the_record_s(
    tmp_path: Path,
) -> None:
    before = plain_world(4) | works(100, 2, "I29") | works(110, 3, "I22")
    recoded = (Author("I1", BE), Author("I21", CN), Author("I28", CN))
    for number in (120, 121, 122, 123):
        before[f"W{number}"] = Work(f"W{number}", "a laser", YEAR, authors=recoded)
    after = dict(before)
    for number in (110, 111, 112):
        changed = moved("I21")(after[f"W{number}"])
        assert changed is not None
        after[f"W{number}"] = changed
    run_a = make_run(tmp_path, before.values(), BASE, STUDY)
    run_b = make_run(tmp_path, after.values(), NOW, ASKED)
    assert counts(compare(run_a, run_b)) == {"study settings": 2 + 4, "re-affiliated": 3}


def test_a_work_whose_record_and_repair_both_changed_is_re_affiliated_and_the_repair_also_possible(
    tmp_path: Path,
) -> None:
    four = (Author("I1", BE), Author("I22", CN), Author("I21", CN), Author("I61", CN))
    before = {"W1": Work("W1", "a laser", YEAR, authors=four)}
    after = {"W1": replace(before["W1"], authors=(four[0], Author("I23", CN), *four[2:]))}
    seen = replace(NOW, corrections={**BASE.corrections, "I61": RECODED})
    comparison = compare(
        make_run(tmp_path, before.values(), BASE, ASKED), make_run(tmp_path, after.values(), seen, ASKED)
    )
    weight = comparison.tables["moves"].filter(component="weight").row(0, named=True)
    assert (weight["cause"], weight["also_possible"]) == ("re-affiliated", ["repairs changed"])


def test_what_people_decided_is_not_taken_for_a_switch_of_the_study(tmp_path: Path) -> None:
    world = plain_world(4) | works(100, 2, "I73") | works(110, 3, MEDICAL)
    run_a = make_run(tmp_path, world.values(), BASE)
    run_b = make_run(tmp_path, world.values(), replace(NOW, decided=("I73",)), replace(STUDY, include_medical=False))
    assert counts(compare(run_a, run_b)) == {"study settings": 3, "decisions changed": 2}


def test_a_decision_taken_back_is_a_changed_decision(tmp_path: Path) -> None:
    world = plain_world(4) | works(100, 2, "I73") | works(110, 3, "I74") | works(120, 1, "I22")
    run_a = make_run(tmp_path, world.values(), replace(BASE, decided=("I73",), confirmed=("I74",)))
    run_b = make_run(tmp_path, world.values(), NOW)
    assert counts(compare(run_a, run_b)) == {"decisions changed": 5}
    half = make_run(tmp_path, world.values(), replace(NOW, decided=("I73",), created="2026-07"))
    assert counts(compare(run_a, half)) == {"decisions changed": 3}


def test_manifests_that_do_not_name_the_tables_of_words_leave_the_cause_open(tmp_path: Path) -> None:
    world = plain_world(4) | works(100, 2, "I91")
    run_a, run_b = (make_run(tmp_path, world.values(), seen) for seen in (BASE, replace(NOW, named=("I91",))))
    run_a.manifest.pop("registry")
    assert counts(compare(run_a, run_b)) == {"unexplained": 2}
