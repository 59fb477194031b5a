"""Rules of migration: a newer format is refused; an older one is read, and refused where numbers are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from copub.errors import InputError
from copub.history.compare import compare
from copub.history.verify import verify
from copub.runs import Run, open_run
from copub.runs.folder import FORMAT
from copub.runs.instruments import instruments, study_of
from copub.study import SETTINGS

from .world import EARLIER, STUDY, make_run, plain_world


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path, plain_world(8).values(), EARLIER)


def rewritten(run: Run, **changes: Any) -> Path:
    values = {**run.manifest, **changes}
    kept = {key: value for key, value in values.items() if value is not None}
    (run.folder / "manifest.json").write_text(json.dumps(kept, default=str), encoding="utf-8")
    return run.folder


@pytest.mark.parametrize("format_", [FORMAT + 1, "two", 1.5])
def test_a_run_of_a_newer_or_unknown_format_is_refused_with_the_remedy(run: Run, format_: Any) -> None:
    with pytest.raises(InputError, match=f"the run has format {format_!r}") as caught:
        open_run(rewritten(run, format=format_))
    assert "install" in caught.value.hint


def test_a_manifest_without_a_format_is_one_of_the_first(run: Run) -> None:
    assert open_run(rewritten(run, format=None)).folder == run.folder


@pytest.mark.parametrize("format_", [1, None])
def test_a_run_of_an_older_format_opens_and_is_refused_with_the_remedy_where_numbers_are_compared(
    run: Run, format_: int | None, tmp_path: Path
) -> None:
    old = open_run(rewritten(run, format=format_))
    for against in (lambda: compare(old, old), lambda: verify(old, tmp_path / "cache")):
        with pytest.raises(InputError, match=f"the run has format 1, .* format {FORMAT}") as caught:
            against()
        assert "run the study again" in caught.value.hint
        assert str(old.folder) in caught.value.where


def test_keys_that_an_older_manifest_lacks_are_read_as_not_known(run: Run) -> None:
    study = {key: value for key, value in run.manifest["study"].items() if key != "apply_repairs"}
    lacking = dict.fromkeys(
        ("epochs", "taxonomies", "watchlists", "models", "code", "copub_version", "created", "source")
    )
    old = open_run(rewritten(run, study=study, **lacking))
    assert study_of(old.manifest) == STUDY
    assert instruments(old.manifest)["copub"] == "not known"
    comparison = compare(old, old)
    assert comparison.is_empty
    assert {change.certain for change in comparison.instrument_changes} == {False}


def test_every_setting_of_a_study_has_a_value_where_the_manifest_lacks_it(run: Run) -> None:
    optional = {setting.path[-1]: setting.default for setting in SETTINGS if not setting.required}
    bare = {key: value for key, value in run.manifest["study"].items() if key not in optional}
    study = study_of({"study": bare})
    assert (study.tiers, study.include_medical, study.include_descendants, study.include_retracted) == (
        optional["tiers"], optional["include_medical"], optional["include_descendants"], optional["include_retracted"],
    )  # fmt: skip
