"""Rules of the notebook: kept without outputs, and every figure made again from a run's tables."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import copub

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "main-figures.ipynb"
SVG = "image/svg+xml"


@pytest.fixture(scope="module")
def kept() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs(kept: nbformat.NotebookNode) -> None:
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]


@pytest.mark.slow
def test_it_draws_the_main_figures_of_a_run(
    kept: nbformat.NotebookNode, demo_run: copub.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COPUB_RUN", str(demo_run.folder.resolve()))
    done = NotebookClient(kept, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    figures = [output.data[SVG] for output in outputs if SVG in output.get("data", {})]
    assert len(figures) == 4
    assert all("SYNTHETIC" in figure for figure in figures)
    tables = [output.data["text/plain"] for output in outputs if "text/html" in output.get("data", {})]
    share = demo_run.share("critical_listed")
    assert any(f"{share['numerator']:.1f}" in text and f"{share['denominator']:.1f}" in text for text in tables)
