"""The simulation of the intervals can fail, and docs/method.md prints what it found with the error rates of today."""

from __future__ import annotations

from types import ModuleType

import pytest

from copub.lists.errorcounts import Errors
from copub.measures.inputs import shipped_errors

from .worlds import benchmark


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    return benchmark("coverage_of_intervals")


def test_the_corrected_interval_holds_at_rates_it_was_not_given_and_the_raw_one_fails(
    simulation: ModuleType,
) -> None:
    figures, contradictions = simulation.simulate(simulation.WORLDS["C"], 5_000, 40, shipped_errors(), draws=400)
    assert figures[simulation.RAW, "critical_listed"][0] < 0.5
    assert figures[simulation.CORRECTED, "critical_listed"][0] >= 0.9
    assert figures[simulation.LABELLED, "critical_listed"][0] >= 0.85
    assert not contradictions


def test_the_estimator_is_not_given_the_test_that_is_the_truth(simulation: ModuleType) -> None:
    errors = shipped_errors()
    names = [one.name for one in simulation.at_hand(errors)]
    assert len(names) == len(errors.sets) - 1 and not [name for name in names if "independent" in name]


def test_it_fails_where_an_interval_takes_one_set_for_all(simulation: ModuleType) -> None:
    """With the cross-validation alone, many times over, the rates of world B lie outside what the sets allow."""
    errors = shipped_errors()
    cross, *rest = errors.sets
    alike = Errors(
        (*[cross] * 30, *(one for one in rest if one.name.startswith("independent") or "strings" in one.name))
    )
    figures, _ = simulation.simulate(simulation.WORLDS["B"], 5_000, 20, alike, draws=400)
    assert figures[simulation.CORRECTED, "critical_listed"][0] < 0.9


def table(simulation: ModuleType) -> list[list[str]]:
    text = simulation.METHOD.read_text(encoding="utf-8").split(simulation.START)[1].split(simulation.END)[0]
    rows = [line for line in text.splitlines() if line.startswith("| ") and "world" not in line]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_table_of_the_document_has_every_world_at_every_size_and_holds(
    simulation: ModuleType,
) -> None:
    rows = table(simulation)
    wanted = [(name, f"{size:,}") for name in simulation.WORLDS for size in simulation.SIZES]
    assert [(row[0], row[1]) for row in rows] == wanted
    for name, _, _, _, corrected, _, labelled, _, critical in rows:
        covered = [labelled, *((corrected, critical) if simulation.WORLDS[name].exchangeable else ())]
        assert all(float(figure.split()[0]) >= 100 * simulation.LEAST for figure in covered), name


def test_the_document_was_written_with_the_error_rates_of_today(simulation: ModuleType) -> None:
    text = simulation.METHOD.read_text(encoding="utf-8")
    assert simulation.pooled_line(shipped_errors()) in text
