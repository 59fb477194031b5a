"""Classify: decisions, reasons, what cannot be judged, and independence of chunking."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from copub.errors import InputError
from copub.lists.taxonomy import load_taxonomy, read_taxonomy
from copub.lists.tomlfile import parse_toml
from copub.schema import TABLES
from copub.technology import classification, classify, classify_file

EU = "eu-2023-2113"
TITLES = {
    "W1": "Experimental quantum key distribution with decoy states over optical fibre",
    "W2": "Blood pressure and the risk of stroke in elderly patients",
    "W3": "Solid-state electrolytes for lithium metal batteries with high ionic conductivity",
    "W4": "",
    "W5": "Une étude sur les écoles rurales françaises du dix-neuvième siècle",
    "W6": "基于深度学习的图像识别方法",
}


def _works(abstracts: dict[str, str] | None = None) -> pl.DataFrame:
    given = abstracts or {}
    return pl.DataFrame(
        {
            "work_id": list(TITLES),
            "title": list(TITLES.values()),
            "abstract": [given.get(name) for name in TITLES],
            "abstract_status": ["full" if given.get(name) else "none" for name in TITLES],
            "language": ["en", "en", None, None, "fr", "zh"],
            "epoch": ["unknown"] * len(TITLES),
        },
        schema_overrides={"abstract": pl.String},
    )


def _topics(rows: list[tuple[str, int, str, str, float]] | None = None) -> pl.DataFrame:
    names = ("work_id", "rank", "topic_id", "topic_name", "score")
    schema = TABLES["topics"].schema
    frame = pl.DataFrame(rows or [], schema={name: schema[name] for name in names}, orient="row")
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("subfield", "field"))


def _assigned(assignments: pl.DataFrame, work: str) -> list[str]:
    return assignments.filter((pl.col("work_id") == work) & pl.col("assigned"))["area"].to_list()


def test_each_work_gets_the_areas_it_is_on_and_others_get_none() -> None:
    made = classify(_works(), _topics(), [load_taxonomy(EU)])
    assert made.assignments.schema == TABLES["assignments"].schema
    assert _assigned(made.assignments, "W1") == ["EU-03-QUANTUM"]
    assert _assigned(made.assignments, "W2") == []
    assert _assigned(made.assignments, "W3") == ["EU-08-ENERGY"]


def test_the_reason_names_terms_as_printed_and_ngrams() -> None:
    made = classify(_works(), _topics(), [load_taxonomy(EU)])
    row = made.assignments.filter(work_id="W1", area="EU-03-QUANTUM").row(0, named=True)
    assert "quantum key distribution" in row["matched_title"]
    assert row["technology"] == "quantum-cryptography"
    assert row["ngrams"]
    assert "title has “quantum key distribution”" in row["evidence"]
    assert row["method"] == "rules+model"
    assert all(ngram in TITLES["W1"] for ngram in row["ngrams"])


def test_what_cannot_be_judged_is_said() -> None:
    basis = classify(_works({"W2": "word " * 20}), _topics(), [load_taxonomy(EU)]).basis
    reported = {row["work_id"]: (row["classified_from"], row["classifiable"]) for row in basis.iter_rows(named=True)}
    assert reported == {
        "W1": ("title", True),
        "W2": ("title and abstract", True),
        "W3": ("title", True),
        "W4": ("nothing", False),
        "W5": ("title", False),
        "W6": ("title", False),
    }


def test_a_short_abstract_is_not_taken_for_one() -> None:
    works = _works({"W1": "Peer reviewed"}).with_columns(abstract_status=pl.lit("short"))
    basis = classify(works, _topics(), [load_taxonomy(EU)]).basis
    assert basis.filter(work_id="W1")["classified_from"].item() == "title"


def test_chunks_and_order_do_not_move_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    taxonomies = [load_taxonomy(EU), load_taxonomy("aspi-74")]
    whole = classify(_works(), _topics(), taxonomies).assignments
    monkeypatch.setattr(classification, "CHUNK", 2)
    parts = classify(_works().reverse(), _topics(), taxonomies).assignments
    assert parts.equals(whole)


def test_a_mapped_topic_raises_the_score_and_is_named_with_its_epoch() -> None:
    without = classify(_works(), _topics(), [load_taxonomy(EU)]).assignments
    topic = [("W1", 0, "T10020", "Quantum Information and Cryptography", 0.99)]
    given = classify(_works(), _topics(topic), [load_taxonomy(EU)]).assignments
    one = without.filter(work_id="W1", area="EU-03-QUANTUM").row(0, named=True)
    other = given.filter(work_id="W1", area="EU-03-QUANTUM").row(0, named=True)
    assert other["score"] >= one["score"]
    if other["topic_id"]:
        assert other["topic_id"] == "T10020"
        assert "epoch unknown" in other["evidence"]


def test_profiles_order_their_decisions() -> None:
    taxonomy = load_taxonomy(EU)
    counts = [
        classify(_works(), _topics(), [taxonomy], operating_point=operating_point).assignments["assigned"].sum()
        for operating_point in ("precision", "balanced", "recall")
    ]
    assert counts == sorted(counts)


def test_a_given_threshold_wins_over_the_profile() -> None:
    made = classify(_works(), _topics(), [load_taxonomy(EU)], thresholds={"EU-03-QUANTUM": 1.0})
    row = made.assignments.filter(work_id="W1", area="EU-03-QUANTUM").row(0, named=True)
    assert row["threshold"] == 1.0
    assert row["assigned"] == (row["score"] >= 1.0)


def test_an_unknown_profile_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no operating point 'bold'"):
        classify(_works(), _topics(), [load_taxonomy(EU)], operating_point="bold")


def test_no_works_give_empty_tables() -> None:
    made = classify(_works().clear(), _topics(), [load_taxonomy(EU)])
    assert made.assignments.height == 0
    assert made.basis.columns == ["work_id", "classified_from", "classifiable"]


@pytest.mark.parametrize("name", ["aspi-64", "aspi-74", "us-cet-2024", "us-nssts-2026", "ca-stra", "cn-priority-areas"])
def test_another_taxonomy_classifies_through_its_crosswalk(name: str) -> None:
    made = classify(_works(), _topics(), [load_taxonomy(name)]).assignments
    quantum = [area for area in _assigned(made, "W1") if "quantum" in area]
    assert quantum
    row = made.filter(work_id="W1", area=quantum[0]).row(0, named=True)
    assert row["evidence"].startswith("through EU-03-QUANTUM")


def test_a_taxonomy_of_ones_own_classifies_by_its_rules() -> None:
    text = (
        'id = "own"\ntitle = "t"\nsource = "s"\ndate = "d"\nverification = "v"\n'
        '[[area]]\nid = "heart"\nname = "Heart"\n[[area.technology]]\nid = "bp"\nname = "BP"\n'
        'strong = ["blood pressure", "stroke"]\n'
    )
    own = read_taxonomy(parse_toml(text, name="own.toml"))
    made = classify(_works(), _topics(), [own]).assignments
    assert _assigned(made, "W2") == ["heart"]
    row = made.filter(work_id="W2").row(0, named=True)
    assert row["method"] == "rules"
    assert row["evidence"] == "title has “Blood pressure”, “stroke”"
    assert row["technology"] == "bp"


def test_a_list_of_other_areas_under_the_id_of_the_models_is_refused() -> None:
    with pytest.raises(InputError, match="trained for other areas"):
        classify(_works(), _topics(), [replace(load_taxonomy(EU), areas=load_taxonomy(EU).areas[:3])])


def test_classify_file_keeps_ids_as_given_and_reads_both_kinds_of_record(tmp_path: Path) -> None:
    path = tmp_path / "works.jsonl"
    records = [
        {"item": "G1", "title": TITLES["W1"], "abstract": ""},
        {"id": "https://openalex.org/W3", "display_name": TITLES["W3"], "abstract_inverted_index": {"Ion": [0]},
         "topics": [{"id": "https://openalex.org/T10018", "display_name": "Batteries", "score": 0.9}, None]},
    ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    basis, parts = classify_file(path, EU)
    made = pl.concat(parts)
    assert basis.rows() == [("G1", "title", True), ("W3", "title", True)]
    assert set(made["work_id"]) == {"G1", "W3"}
    assert _assigned(made, "G1") == ["EU-03-QUANTUM"]


@pytest.mark.real
def test_every_trap_sentence_passes(real_data: Path) -> None:
    with (real_data / "technologies/trap_sentences.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    works = pl.DataFrame(
        {"work_id": [str(at) for at in range(len(rows))], "title": [row["text"] for row in rows]}
    ).with_columns(abstract=pl.lit(""), abstract_status=pl.lit("none"), language=pl.lit("en"), epoch=pl.lit("unknown"))
    made = classify(works, _topics(), [load_taxonomy(EU)]).assignments
    wrong = []
    for at, row in enumerate(rows):
        found = _assigned(made, str(at))
        expected = [row["expected_area"]] if row["expected_area"] else []
        if not set(expected) <= set(found) or (found and not expected):
            wrong.append((row["text"], row["expected_area"], found))
    assert wrong == []
