"""Three statements about the headline, each with its label; what people read leads, else how many works to read."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from copub.measures.adjusted import FEW, UNUSED
from copub.report.certainty import certainty_sentences, model_sentence, plan_sentence, read_sentence
from copub.report.facts import Facts, facts_of
from copub.report.messages import languages
from copub.schema import TABLES, conform

ROW = {
    "measure": "critical_listed", "slice_kind": "all", "slice": "all", "numerator": 14.0, "denominator": 298.0,
    "share": 14 / 298, "ci_low": 0.028, "ci_high": 0.077, "adjusted": 0.05, "adjusted_low": 0.037,
    "adjusted_high": 0.097, "method": "evaluation", "basis": "sets", "not_classified": 8.0, "taught": 135.0,
    "groups": 242.0, "group_low": 0.023, "group_high": 0.078, "design_effect": 1.28, "expected": 0.035,
    "expected_low": 6 / 298, "expected_high": 16 / 298, "confidence": 0.95,
}  # fmt: skip


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    return conform(name, pl.DataFrame(list(rows), schema=TABLES[name].schema))


def facts(language: str = "en", source: str = "works-files", **changes: Any) -> Facts:
    plan = [
        {"measure": "critical_listed", "works_read": size, "of": 500, "width": width}
        for size, width in ((100, 0.06), (200, 0.038), (400, 0.02))
    ]
    untested = {"instrument": "classifier", "rate": "sensitivity", "by": "listed", "works": 0, "status": "untested"}
    tables = {
        "adjusted": table("adjusted", {**ROW, **changes}),
        "reading_plan": table("reading_plan", *plan),
        "dependence": table("dependence", untested),
        "sensitivity": table(
            "sensitivity",
            {"switch": "repairs of affiliations", "setting": "without", "numerator": 9.0, "denominator": 310.0,
             "share": 9 / 310},
        ),
    }  # fmt: skip
    study = {
        "id": "mock",
        "language": language,
        "counting": "full",
        "small_rate": 25,
        "side_a": {"name": "A"},
        "side_b": {"name": "B"},
    }
    return facts_of(tables, {"study": study, "source": {"kind": source}})


def test_count_model_and_larger_set_are_three_statements_with_three_labels() -> None:
    lines = certainty_sentences(facts())
    assert (
        lines[0] == "The count is exact for the works in the files. It says nothing about works that are not in them."
    )
    assert "5.0% (95% interval 3.7% to 9.7%, errors of classifier and matcher only)" in lines[1]
    assert "4.7% (95% interval 2.8% to 7.7%; 2.3%\u00a0–\u00a07.8% if works of the same authors" in lines[2]
    assert "design effect 1.3" in lines[2]
    assert certainty_sentences(facts(source="api"))[0].startswith(
        "The count is exact: it covers all works that OpenAlex has"
    )


def test_an_interval_wider_than_its_share_is_said_to_settle_nothing() -> None:
    assert "wider than the share itself" in model_sentence(facts())
    assert "wider than the share itself" not in model_sentence(facts(adjusted_high=0.06))
    assert "wider than the share itself" not in model_sentence(
        facts(adjusted=0.0, adjusted_low=0.0, adjusted_high=0.005)
    )


def test_the_reader_is_told_how_many_works_to_read_and_the_command() -> None:
    line = plan_sentence(facts())
    assert line == (
        "Read 200 works of this study, and the share is known to about ±1.9 points (by simulation): "
        "copub review page mock --size 200"
    )


def test_where_only_all_works_are_enough_the_reader_is_told_to_read_all() -> None:
    given = facts()
    plan = table("reading_plan", {"measure": "critical_listed", "works_read": 17, "of": 17, "width": 0.0})
    line = plan_sentence(facts_of({**given.tables, "reading_plan": plan}, given.manifest))
    assert line.startswith("Read all 17 works of this study that nobody has read") and "±" not in line


def test_labels_that_are_not_used_are_named_with_the_reason() -> None:
    assert model_sentence(facts(basis=f"sets{UNUSED}the file has no label")).endswith(
        "The labels of works of this study are not used: the file has no label."
    )
    assert "not used" not in model_sentence(facts())


def test_what_people_read_leads_and_then_nobody_is_told_to_read() -> None:
    given = facts(method="labelled sample", basis="200 works of this study read by A. Reader")
    assert read_sentence(given).startswith("5.0% (95% interval 3.7% to 9.7%) of the 298")
    assert "estimated from 200 works of this study read by A. Reader." in read_sentence(given)
    assert read_sentence(given).endswith("what people read is taken as correct.")
    assert plan_sentence(given) == model_sentence(given) == ""
    assert read_sentence(facts()) == ""


def test_independence_training_works_and_repairs_are_reported() -> None:
    text = "\n".join(certainty_sentences(facts()))
    assert "10.4 works (3.5%) would be expected to be both (6 to 16 by chance); 14 were counted." in text
    assert "The labels of 135 of the 298 works trained the classifier." in text
    assert "This is untested: testing it takes works of this study that" in text
    assert "Without the reviewed repairs of affiliations: 9 of 310 (2.9%)." in text


def test_errors_on_the_same_works_are_named_with_their_size() -> None:
    given = facts()
    row = {"instrument": "classifier", "rate": "sensitivity", "by": "listed", "among": 0.5, "among_others": 0.8,
           "difference": -0.3, "low": -0.4, "high": -0.2, "works": 200,
           "status": "tested"}  # fmt: skip
    named = "do not err independently (found by the classifier among listed works: −30.0 points"
    for differs, wanted in ((True, named), (False, "Tested on 200 works that people read: no sign beyond chance")):
        tables = {**given.tables, "dependence": table("dependence", {**row, "differs": differs})}
        assert wanted in "\n".join(certainty_sentences(facts_of(tables, given.manifest)))


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_sentence(language: str) -> None:
    assert len(certainty_sentences(facts(language))) == 8
    assert read_sentence(facts(language, method="labelled sample"))
    assert certainty_sentences(facts(language, adjusted=None, group_low=None, expected=None))


def test_a_share_without_an_evaluation_says_that_it_is_not_corrected() -> None:
    assert "not corrected for errors" in model_sentence(facts(adjusted=None, method="none"))


def test_a_share_of_few_works_or_of_instruments_that_tell_nothing_says_which() -> None:
    few = model_sentence(facts(adjusted=None, method="none", basis=FEW))
    assert few == "There are fewer than 25 works: too few to correct the share for errors of classifier and matcher."
    assert "leave every share possible" in model_sentence(facts(adjusted=None, method="evaluation"))
