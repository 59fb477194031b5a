"""Rules of the generated documents: command line, data dictionary and study keys are as the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import copub

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "generate.py"


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow  # `make lint` checks it too
def test_generated_documents_are_as_the_code_says() -> None:
    module = loaded(SCRIPT)
    for name, text in module.DOCUMENTS.items():
        assert (SCRIPT.parent / name).read_text(encoding="utf-8") == text(), f"{name}: run python docs/generate.py"


def test_the_example_in_the_documentation_is_what_the_demo_gives(demo_run: copub.Run) -> None:
    module = loaded(SCRIPT.parents[1] / "tools" / "example.py")
    assert module.PAGE.read_text(encoding="utf-8") == module.example_text(demo_run), "run make example"
