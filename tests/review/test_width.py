"""How wide the interval is after some reading: as by draws, and as an independent simulation found it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from copub.measures.correction import from_labels
from copub.measures.strata import Key
from copub.review.width import Stratum, interval, planned_rates, planned_width, works_for


def _benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "reading_widths.py"
    spec = importlib.util.spec_from_file_location("reading_widths", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


simulation = _benchmark()


@pytest.mark.slow
@pytest.mark.parametrize(("works", "titles"), simulation.EXPECTED)
def test_reading_in_the_order_of_the_page_gives_the_expected_widths(works: int, titles: float) -> None:
    found = simulation.mean_widths(works, titles, worlds=25)
    assert found == pytest.approx(simulation.EXPECTED[works, titles], rel=0.1)


def test_the_interval_is_that_of_the_report() -> None:
    reads = simulation.read_first(*simulation.draw_world(np.random.default_rng(5), 2_000, 0.3), 150)
    _, low, high = from_labels(reads, 0.95, draws=40_000)["critical_listed"]
    assert simulation.interval_of(reads) == pytest.approx((low, high), abs=0.0015)


def test_when_all_is_read_nothing_is_open() -> None:
    assert interval([Stratum(30, 30, 4), Stratum(20, 20, 1)], 0.95) == (0.1, 0.1)


def test_the_plan_is_the_smallest_number_of_works_that_gives_the_width() -> None:
    sizes: dict[Key, int] = {(False, False, False): 1_000, (False, True, False): 300, (True, True, False): 90}
    rates = planned_rates(sizes)
    needed = works_for(sizes, rates, 0.03, 0.95)
    assert planned_width(sizes, rates, needed, 0.95) <= 0.03 < planned_width(sizes, rates, needed - 1, 0.95)
    assert needed < works_for(sizes, rates, 0.02, 0.95) <= 1_390


def test_the_plan_before_any_reading_is_near_what_reading_gives() -> None:
    for (works, titles), widths in simulation.EXPECTED.items():
        strata, _, _ = simulation.draw_world(np.random.default_rng(3), works, titles)
        sizes = {key: int((strata == place).sum()) for place, key in enumerate(simulation.KEYS)}
        for total, expected in widths.items():
            assert 100 * planned_width(sizes, planned_rates(sizes), total, 0.95) == pytest.approx(expected, rel=0.25)
