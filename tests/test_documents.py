"""Rules of the generated documents: command line, data dictionary and study keys are as the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "generate.py"


@pytest.mark.slow  # `make lint` checks it too
def test_generated_documents_are_as_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.DOCUMENTS.items():
        assert (SCRIPT.parent / name).read_text(encoding="utf-8") == text(), f"{name}: run python docs/generate.py"
