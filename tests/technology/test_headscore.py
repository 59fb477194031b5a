"""Areas that link to a head of the model: its score, its threshold, its reason; and how these are learnt."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import InputError
from copub.lists import modelcard as headscore
from copub.lists.modelcard import FOLDER, MODEL, linkable_heads
from copub.lists.taxonomy import load_taxonomy, read_taxonomy
from copub.lists.tomlfile import parse_toml
from copub.schema import TABLES
from copub.shipped import shipped_folder
from copub.technology import classification, classify, classify_file
from copub.technology.model import Model, load_model
from copub.technology.training.calibration import learn_head_score, unseen_margins
from copub.technology.training.thresholds import GRID

HEAD = "arXiv:ai"
SCORES = {
    "full": {"slope": 2.0, "intercept": 0.1, "thresholds": {"precision": 0.61, "balanced": 0.41, "recall": 0.21}},
    "title": {"slope": 3.0, "intercept": 0.2, "thresholds": {"precision": 0.62, "balanced": 0.42, "recall": 0.22}},
}
NETWORKS = "Deep neural networks with attention for image recognition"
ABSTRACT = (
    "We train deep neural networks with an attention mechanism on a large data set of labelled images and show "
    "that reinforcement learning improves their accuracy over convolutional baselines."
)
WORKS = {
    "W1": (NETWORKS, ""),
    "W2": (NETWORKS, ABSTRACT),
    "W3": ("Blood pressure and the risk of stroke in elderly patients", ""),
    "W4": ("", ""),
}


def _works() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "work_id": list(WORKS),
            "title": [title for title, _ in WORKS.values()],
            "abstract": [abstract for _, abstract in WORKS.values()],
            "abstract_status": ["full" if abstract else "none" for _, abstract in WORKS.values()],
            "language": ["en"] * len(WORKS),
            "epoch": ["unknown"] * len(WORKS),
        }
    )


def _judge(**asked: Any) -> dict[str, dict[str, Any]]:
    topics = pl.DataFrame(schema=TABLES["topics"].schema)
    made = classify(_works(), topics, [load_taxonomy("cset-ai")], **asked).assignments
    return {row["work_id"]: row for row in made.iter_rows(named=True)}


def _write_model(folder: Path, head_scores: dict[str, Any] | None) -> Model:
    shutil.copy(shipped_folder(FOLDER) / f"{MODEL}.npz", folder)
    card = json.loads((shipped_folder(FOLDER) / f"{MODEL}.json").read_text(encoding="utf-8"))
    card.pop("head_scores", None)
    if head_scores is not None:
        card["head_scores"] = head_scores
    (folder / f"{MODEL}.json").write_text(json.dumps(card), encoding="utf-8")
    return load_model(MODEL, folder)


def _take(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "load_model", lambda: model)
    classification._scorers.cache_clear()


@pytest.fixture(autouse=True)
def _judges_of_each_test_alone() -> Iterator[None]:
    yield
    classification._scorers.cache_clear()
    linkable_heads.cache_clear()


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model whose card calibrates one head, taken for the shipped one."""
    written = _write_model(tmp_path, {HEAD: SCORES})
    _take(written, monkeypatch)
    return written


def test_an_area_takes_score_and_threshold_from_its_head_by_kind_of_text(model: Model) -> None:
    rows = _judge()
    assert [rows[name]["assigned"] for name in ("W1", "W2")] == [True, True]
    assert (rows["W1"]["threshold"], rows["W2"]["threshold"]) == (0.42, 0.41)
    assert not any(rows[name]["assigned"] for name in ("W3", "W4") if name in rows)
    chosen = classification._WorkChunk(classification._texts(_works()).slice(0, 1), "title", pl.DataFrame())
    reader = classification._Scorers(model, [load_taxonomy(MODEL)], "balanced", {})
    scorer = model.scorers["title"]
    placed, vocabulary = reader.read(chosen)[0].ngrams(), scorer.vocabulary
    margins = scorer.margins(vocabulary.vectors(placed, vocabulary.columns(placed.key), 1)[0])
    margin = float(margins[0, scorer.heads.index(HEAD)])
    assert rows["W1"]["score"] == pytest.approx(1 / (1 + np.exp(-(3.0 * margin + 0.2))), abs=1e-4)


def test_the_reason_names_the_head_and_what_weighs_in_it(model: Model) -> None:
    row = _judge()["W1"]
    assert row["method"] == "model"
    assert row["evidence"].startswith(f"through head {HEAD} ({row['score']:.2f}): the model weighs “")
    assert row["ngrams"] and all(ngram in NETWORKS for ngram in row["ngrams"])
    assert row["technology"] is None and row["topic_id"] is None


def test_profiles_and_thresholds_of_a_study_hold_for_heads_too(model: Model) -> None:
    assert _judge(operating_point="precision")["W1"]["threshold"] == 0.62
    assert _judge(operating_point="recall")["W2"]["threshold"] == 0.21
    row = _judge(thresholds={"AI": 1.0})["W1"]
    assert (row["threshold"], row["assigned"]) == (1.0, False)


def test_a_text_without_words_is_never_assigned_by_a_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sure = {kind: {**score, "intercept": 9.0} for kind, score in SCORES.items()}
    _take(_write_model(tmp_path, {HEAD: sure}), monkeypatch)
    rows = _judge()
    assert rows["W1"]["assigned"]
    assert "W4" not in rows


def test_other_areas_of_the_taxonomy_keep_their_own_ways(model: Model) -> None:
    text = (
        'id = "own"\ntitle = "t"\nsource = "s"\ndate = "d"\nverification = "v"\n'
        f'[[area]]\nid = "by-head"\nname = "A"\nlinks = [{{ head = "{HEAD}" }}]\n'
        '[[area]]\nid = "heart"\nname = "Heart"\n[[area.technology]]\nid = "bp"\nname = "BP"\n'
        'strong = ["blood pressure", "stroke"]\n'
    )
    own = read_taxonomy(parse_toml(text, name="own.toml"))
    made = classify(_works(), pl.DataFrame(schema=TABLES["topics"].schema), [own]).assignments
    assigned = made.filter("assigned").select("work_id", "area", "method").rows()
    assert assigned == [("W1", "by-head", "model"), ("W2", "by-head", "model"), ("W3", "heart", "rules")]


def test_a_model_that_calibrates_no_head_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = _write_model(tmp_path, None)
    assert older.head_scores == {}
    _take(older, monkeypatch)
    with pytest.raises(InputError, match=f"no probability of the base classifier '{HEAD}'") as raised:
        _judge()
    assert "make model" in str(raised.value)


def test_heads_that_the_card_calibrates_can_be_linked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_model(tmp_path, {HEAD: SCORES})
    monkeypatch.setattr(headscore, "shipped_folder", lambda folder: tmp_path)
    linkable_heads.cache_clear()
    assert linkable_heads() == (HEAD,)


def test_slope_and_intercept_are_those_that_made_the_labels() -> None:
    draw = np.random.default_rng(3)
    margins = draw.normal(-0.8, 0.6, 20_000).astype(np.float32)
    truth = draw.random(margins.size) < 1 / (1 + np.exp(-(4.0 * margins + 1.0)))
    learnt = learn_head_score(margins, truth)
    assert learnt["slope"] == pytest.approx(4.0, rel=0.1)
    assert learnt["intercept"] == pytest.approx(1.0, abs=0.15)
    assert learnt == learn_head_score(margins, truth)


@given(st.integers(0, 10_000))
def test_thresholds_of_a_head_keep_the_order_of_the_profiles(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.random(300) < 0.2
    truth[:2] = True, False
    margins = (draw.normal(-1.0, 0.7, truth.size) + truth * draw.random() * 2).astype(np.float32)
    chosen = learn_head_score(margins, truth)["thresholds"]
    assert GRID[0] <= chosen["recall"] <= chosen["balanced"] <= chosen["precision"] <= GRID[-1]


def test_each_work_is_judged_by_the_head_that_has_not_seen_it() -> None:
    vectors = sp.csr_matrix(np.eye(3, dtype=np.float32))
    weights = np.array([[1, 10], [2, 20], [3, 30]], dtype=np.float32)
    margins = unseen_margins(vectors, np.array([0, 1, 0]), weights, np.array([0.5, 0.25], dtype=np.float32))
    assert margins.tolist() == [1.5, 20.25, 3.5]


@pytest.mark.real
@pytest.mark.slow
def test_the_decision_on_csets_test_works_agrees_with_their_labels(real_data: Path, tmp_path: Path) -> None:
    path, truth = tmp_path / "cset.jsonl", set()
    with gzip.open(real_data / "technologies/cset_ai_arxiv_test.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    with path.open("w", encoding="utf-8") as file:
        for at, record in enumerate(records):
            title, _, abstract = record["text"].partition(". ")
            file.write(json.dumps({"id": f"C{at}", "title": title, "abstract": abstract}) + "\n")
            if record["label"] == "True":
                truth.add(f"C{at}")
    made = pl.concat(classify_file(path, "cset-ai")[1])
    found = set(made.filter("assigned")["work_id"])
    f1 = 2 * len(found & truth) / (len(found) + len(truth))
    assert len(records) == 10_606
    assert f1 >= 0.84
