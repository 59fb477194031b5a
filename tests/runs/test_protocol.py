"""The sealed protocol: written once, and every deviation from it is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import copub
from copub.errors import InputError
from copub.measures.growth import KINDS_OF_GROWTH
from copub.report.facts import facts_of as facts_of_run
from copub.report.summary import protocol_sentences
from copub.runs.folder import seal_of
from copub.runs.protocol import FILE, freeze, protocol_facts
from copub.study import Study
from copub.study.question import Question, ask

HARVEST = {"kind": "api", "first_retrieval": "2999-01-01T00:00:00+00:00"}


class Writer:
    """Takes the copy of the protocol, as a run folder does."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}

    def file(self, name: str, data: bytes) -> None:
        self.files[name] = data


@pytest.fixture(scope="module")
def asked(all_years: Study) -> Question:
    return ask(all_years)


@pytest.fixture
def frozen(asked: Question, tmp_path: Path) -> Path:
    freeze(asked, tmp_path, "1.0")
    return tmp_path


def facts_of(asked: Question, reports: Path, source: dict[str, str] | None = None) -> dict[str, Any]:
    writer = Writer()
    found = protocol_facts(asked, reports, source or HARVEST, writer)  # type: ignore[arg-type]
    assert found is not None and writer.files[FILE] == (reports / asked.study.id / FILE).read_bytes()
    return found


def test_a_protocol_holds_study_lists_model_code_outcome_and_planned_comparisons(asked: Question, frozen: Path) -> None:
    values = json.loads((frozen / asked.study.id / FILE).read_text(encoding="utf-8"))
    assert values["seal"] == seal_of(values)
    assert values["primary"]["measure"] == "critical_listed" and values["primary"]["counting"] == asked.study.counting
    assert set(values["lists"]) >= {f"taxonomy {asked.taxonomies[0].id}", f"watchlist {asked.watchlists[0].id}"}
    assert set(values["code"]) == {"tabulate", "classify", "screen", "measure"} and values["models"]
    planned = {group["what"]: group["items"] for group in values["planned"]}
    assert len(planned["growth per year"]) == len(KINDS_OF_GROWTH) == 9
    assert len(planned["before and after dated events"]) == 4 * len(asked.study.events)
    assert values["comparisons"] == sum(map(len, planned.values()))


def test_a_run_of_the_same_question_is_as_frozen(asked: Question, frozen: Path) -> None:
    found = facts_of(asked, frozen)
    assert (found["status"], found["deviations"]) == ("as frozen", [])


def test_a_study_that_is_not_frozen_says_nothing(asked: Question, tmp_path: Path) -> None:
    assert protocol_facts(asked, tmp_path, HARVEST, Writer()) is None  # type: ignore[arg-type]


def test_what_is_frozen_is_never_overwritten(asked: Question, frozen: Path) -> None:
    before = (frozen / asked.study.id / FILE).read_bytes()
    with pytest.raises(InputError, match="frozen already"):
        freeze(asked, frozen, "2.0")
    assert (frozen / asked.study.id / FILE).read_bytes() == before


def test_each_deviation_is_named(asked: Question, frozen: Path) -> None:
    other = replace(asked.study, small_rate=10, raw=asked.study.raw + "# more\n")
    watchlist = replace(asked.watchlists[0], hash="f" * 64)
    changed = replace(asked, study=other, watchlists=(watchlist, *asked.watchlists[1:]))
    assert facts_of(changed, frozen)["deviations"] == [
        f"setting small_rate: frozen {asked.study.small_rate}, now 10",
        f"watchlist {watchlist.id} has changed",
    ]
    comment = replace(asked, study=replace(asked.study, raw=asked.study.raw + "# more\n"))
    assert facts_of(comment, frozen)["deviations"] == ["the text of the study file has changed, but no setting"]


def test_a_change_of_the_code_is_a_deviation(asked: Question, frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from copub.runs import protocol

    codes = protocol.stage_codes() | {"measure": "another"}
    monkeypatch.setattr(protocol, "stage_codes", lambda: codes)
    assert facts_of(asked, frozen)["deviations"] == ["code of the stage measure has changed"]


def test_a_protocol_that_was_changed_after_sealing_says_so(asked: Question, frozen: Path) -> None:
    path = frozen / asked.study.id / FILE
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(values | {"comparisons": 1}), encoding="utf-8")
    assert facts_of(asked, frozen)["deviations"] == ["the protocol was changed after it was sealed"]


def test_data_that_were_there_before_the_protocol_are_a_deviation(asked: Question, frozen: Path) -> None:
    early = facts_of(asked, frozen, {"kind": "api", "first_retrieval": "2020-01-01T00:00:00+00:00"})
    assert early["deviations"] == ["pages were first retrieved on 2020-01-01, before the protocol was sealed"]
    files = facts_of(asked, frozen, {"kind": "works-files"})
    assert files["status"] == "with deviations" and "works files" in files["deviations"][0]


def test_a_broken_protocol_says_how_to_mend_it(asked: Question, frozen: Path) -> None:
    (frozen / asked.study.id / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="restore the file"):
        facts_of(asked, frozen)


def test_manifest_and_report_of_a_frozen_study_list_the_deviations(
    all_years: Study, small_works: Path, tmp_path: Path
) -> None:
    freeze(ask(all_years), tmp_path, "1.0")
    run = copub.run(all_years, works=[small_works], cache=tmp_path / "cache", reports=tmp_path, until="harvest")
    protocol = run.manifest["protocol"]
    assert protocol["status"] == "with deviations" and (run.folder / FILE).is_file()
    first, *others = protocol_sentences(facts_of_run({}, run.manifest))
    assert first.startswith("Deviations from the protocol sealed on") and protocol["seal"][:12] in first
    assert [protocol["deviations"][0] in line for line in others] == [True]
    as_frozen = {**run.manifest, "protocol": {**protocol, "deviations": []}}
    (line,) = protocol_sentences(facts_of_run({}, as_frozen))
    assert line.startswith("As frozen: ") and f"plans {protocol['comparisons']} further comparisons" in line
    assert protocol_sentences(facts_of_run({}, {**run.manifest, "protocol": None})) == []
