"""The commands of evaluation: every table of an evaluation can be reached, and the plot is a picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from copub.cli import app
from copub.lists.errorcounts import read_evaluation
from copub.lists.modelcard import model_hash
from copub.technology.taught import taught_works

TITLES = {
    "W1": ("Experimental quantum key distribution with decoy states over optical fibre", ["EU-03-QUANTUM"]),
    "W2": ("Blood pressure and the risk of stroke in elderly patients", []),
    "W3": ("Solid-state electrolytes for lithium metal batteries with high ionic conductivity", ["EU-08-ENERGY"]),
    "W4": ("Deep learning for the classification of school essays", []),
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rows = [{"id": name, "title": title, "abstract": "", "core": core} for name, (title, core) in TITLES.items()]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_table_of_an_evaluation_is_printed(labelled: Path) -> None:
    stated = _run("evaluate", "classifier", "--labels", str(labelled))
    for heading in ("area", "stratum", "calibration", "sweep", "look-alikes", "any area", "not evaluated"):
        assert heading in stated


def test_the_calibration_plot_is_a_standalone_picture(labelled: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    _run("evaluate", "classifier", "--labels", str(labelled), "--plot", str(plot))
    root = ElementTree.fromstring(plot.read_text(encoding="utf-8"))
    reported = json.loads(_run("evaluate", "classifier", "--labels", str(labelled), "--json"))
    assert len(root.findall(f"{SVG}g/{SVG}circle")) == len(reported["calibration"])


def test_error_counts_are_written_for_works_that_did_not_train_the_model(labelled: Path, tmp_path: Path) -> None:
    taught = taught_works().filter(pl.col("item").str.starts_with("W"))["item"][0]
    line = {"item": "G1", "work": f"https://openalex.org/{taught}", "title": "Any title", "abstract": "", "core": []}
    labelled.write_text(labelled.read_text(encoding="utf-8") + json.dumps(line) + "\n", encoding="utf-8")
    path = tmp_path / "counts.toml"
    stated = _run("evaluate", "classifier", "--labels", str(labelled), "--errors", str(path))
    assert "1 of 5 trained the model" in " ".join(stated.split())
    made = read_evaluation(path, model_hash())
    assert made.name == "4 works of labelled.jsonl" and set(made.counts) == {"title only"}
    counts = made.counts["title only"]
    assert (counts.tp + counts.fn, counts.fp + counts.tn) == (2, 2)
    again = CliRunner().invoke(app, ["evaluate", "classifier", "--labels", str(labelled), "--errors", str(path)])
    assert again.exit_code != 0 and "new name" in str(again.exception)
    labelled.write_text(json.dumps(line) + "\n", encoding="utf-8")
    arguments = ["evaluate", "classifier", "--labels", str(labelled), "--errors", str(tmp_path / "more.toml")]
    assert "every work of this file trained the model" in str(CliRunner().invoke(app, arguments).exception)


def test_agreement_with_outside_labels_by_area_of_the_file_or_of_the_option(labelled: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("id,is_q\nhttps://openalex.org/W1,true\nW2,false\nW3,\n", encoding="utf-8")
    start = ["evaluate", "agreement", "--works", str(labelled), "--outside", str(outside)]
    (row,) = json.loads(_run(*start, "--label", "is_q", "--area", "EU-03-QUANTUM", "--json"))
    assert (row["works"], row["without_label"], row["agreement"]) == (2, 1, 1.0)
    outside.write_text("id,area,label\nW1,EU-03-QUANTUM,yes\nW3,EU-08-ENERGY,no\n", encoding="utf-8")
    stated = _run(*start)
    assert "EU-03-QUANTUM: 1 work compared" in stated
    assert "EU-08-ENERGY: 1 work compared" in stated


@pytest.mark.parametrize(
    ("further", "stated"),
    [
        (("--label", "is_q"), "the labels name no area"),
        (("--label", "is_q", "--area", "EU-99"), "no area EU-99"),
        (("--label", "none"), "no column none"),
    ],
)
def test_wrong_areas_and_columns_are_refused(
    labelled: Path, tmp_path: Path, further: tuple[str, ...], stated: str
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("id,is_q\nW1,true\n", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["evaluate", "agreement", "--works", str(labelled), "--outside", str(outside), *further]
    )
    assert result.exit_code != 0
    assert stated in str(result.exception) + result.output


def test_classify_says_what_was_read_what_cannot_be_judged_and_which_ids_came_twice(tmp_path: Path) -> None:
    works, out = tmp_path / "works.jsonl", tmp_path / "areas.csv"
    abstract = "Quantum keys are distributed over fibre with decoy states, and the rates of secret keys are measured."
    rows = [
        {"id": "a", "title": TITLES["W1"][0], "abstract": abstract * 4},
        {"id": "b", "title": TITLES["W3"][0]},
        {"id": "b", "title": None},
        {"item": 5, "title": "量子密钥分发的实验研究"},
    ]
    works.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    stated = _run("classify", "--works", str(works), "--out", str(out))
    assert "2 of 4 works assigned to an area (2 assignments).\n" in stated
    assert "1 classified by title alone; 2 could not be classified" in stated
    assert "1 ids occur more than once" in stated
    assert {line.split(",")[0] for line in out.read_text(encoding="utf-8").splitlines()[1:]} == {"a", "b"}


@pytest.mark.real
def test_labels_that_the_model_learned_from_are_called_so(labelled: Path, real_data: Path) -> None:
    note = "the model was trained on this file"
    assert note in _run("evaluate", "classifier", "--labels", str(real_data / "gold/dev.jsonl"))
    assert note not in _run("evaluate", "classifier", "--labels", str(labelled))
