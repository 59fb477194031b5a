"""Training is one command, and the same data give the same bytes."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from copub.errors import InputError
from copub.lists.taxonomy import load_taxonomy
from copub.shipped import shipped_folder
from copub.technology.model import FOLDER, load_model
from copub.technology.training import train
from copub.technology.training.baseclassifiers import CATEGORY_HEADS
from copub.technology.training.labelledworks import FILES, Corpus, fifth_of
from copub.technology.training.metaclassifier import draw_folds

AREAS = load_taxonomy("eu-2023-2113").area_ids
_LETTERS = "bcdfghklmnprstvz"


def _word(kind: int, number: int) -> str:
    return "".join(_LETTERS[(kind * 7 + number * (at + 3)) % 16] + "aeio"[(kind + number + at) % 4] for at in range(4))


def _text(kind: int, draw: random.Random) -> tuple[str, str]:
    words = [_word(kind, draw.randrange(12)) for _ in range(30)] + [_word(99, draw.randrange(40)) for _ in range(20)]
    draw.shuffle(words)
    return " ".join(words[:8]), " ".join(words)


def _arxiv(draw: random.Random) -> Iterator[dict[str, object]]:
    for number in range(400):
        kind = number % len(CATEGORY_HEADS)
        title, abstract = _text(kind, draw)
        yield {"id": f"1{number:03d}.0001", "title": title, "abstract": abstract,
               "cats": [list(CATEGORY_HEADS.values())[kind][0]]}  # fmt: skip


def _gold(draw: random.Random) -> Iterator[dict[str, object]]:
    for number in range(120):
        kind = number % 12
        title, abstract = _text(kind, draw)
        yield {"item": f"G{number}", "work": f"https://openalex.org/W{number}", "title": title,
               "abstract": abstract if number % 3 else "", "core": [AREAS[kind]] if kind < 10 else [],
               "disputed": [AREAS[0]] if number == 11 else [], "applied": [],
               "stratum": "belgium-china" if not number % 3 else "random"}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, draw = tmp_path_factory.mktemp("data"), random.Random(5)
    topic = {"id": "https://openalex.org/T10020", "display_name": "Quantum", "score": 0.9}
    cset = [{"label": str(n % 2 == 0), "text": ". ".join(_text(n % 2, draw)), "meta": {"id": f"9{n:03d}.0"}}
            for n in range(80)]  # fmt: skip
    contents: dict[str, list[dict[str, object]]] = {
        "gold": list(_gold(draw)),
        "held back": [{"work": "https://openalex.org/W999", "title": "held back"}],
        "arXiv sample": list(_arxiv(draw)),
        "CSET dev": [dict(row) for row in cset[:40]],
        "CSET test": [dict(row) for row in cset[40:]],
        "works": [{"id": "https://openalex.org/W2", "title": "two", "topics": [topic]}],
        "works of the pair": [{"id": "https://openalex.org/W0", "title": "zero"}],
    }
    for name, file in FILES.items():
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        if name == "topics":
            rows = [f"T1{n:04d},Topic {_word(n % 12, n)},{_word(n % 12, 1)},{_word(n % 12, 2)}" for n in range(10, 400)]
            path.write_text("\n".join(["topic_id,topic_name,keywords,summary", *rows]) + "\n", encoding="utf-8")
            continue
        raw = "".join(json.dumps(record) + "\n" for record in contents[name]).encode()
        path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return folder


def test_a_folder_without_the_texts_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="training texts are missing") as raised:
        Corpus(tmp_path)
    assert "gold/dev.jsonl" in str(raised.value)


def test_what_is_held_back_is_never_trained_on(data: Path) -> None:
    corpus = Corpus(data)
    assert all(fifth_of(text.id) != 0 for text in corpus.arxiv())
    assert all(fifth_of(text.id) == 0 for text in corpus.arxiv(held=True))
    assert not {text.id for text in corpus.cset_dev()} & {text.id for text in corpus.cset_test}
    assert corpus.topics_of_works() == {"https://openalex.org/W2": ["T10020"]}


@pytest.mark.slow
@pytest.mark.real
def test_works_kept_apart_teach_nothing_and_works_that_were_read_teach_no_head(real_data: Path) -> None:
    corpus = Corpus(real_data)
    unseen, read = {text.id for text in corpus.unseen}, {text.id for text in corpus.read_by_hand}
    heads = {text.id for text in [*corpus.arxiv(), *corpus.cset_dev()]}
    assert len(unseen) == 1251 and len(read) > 9000
    assert not unseen & (read | heads | {text.id for text in corpus.gold})
    assert not read & heads
    by_title = [text for text in corpus.unseen if not text.abstract]
    assert len(by_title) >= 320


def test_folds_deal_every_label_evenly() -> None:
    import numpy as np

    positive = np.zeros((60, 2), dtype=bool)
    positive[:10, 0] = True
    folds = draw_folds(positive, ["s"] * 60, 5, seed=1)
    assert [int((positive[:, 0] & (folds == fold)).sum()) for fold in range(5)] == [2] * 5
    assert (draw_folds(positive, ["s"] * 60, 5, seed=1) == folds).all()


@pytest.mark.slow
def test_the_same_data_give_the_same_model(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "FOLDS", 2)
    monkeypatch.setattr(train, "REPEATS", 1)
    for name, processes in (("a", "2"), ("b", "1")):
        train.main(["--data", str(data), "--out", str(tmp_path / name), "--processes", processes])
    for suffix in (".npz", ".json", ".md", ".calibration.svg"):
        file = f"eu-2023-2113{suffix}"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    model = load_model("eu-2023-2113", tmp_path / "a")
    card = json.loads((tmp_path / "a/eu-2023-2113.json").read_text(encoding="utf-8"))
    assert model.areas == AREAS
    assert {row["what"] for row in card["heads_judged"]} >= {
        "CSET test: head ai",
        "CSET test: area AI or robotics, as decided",
    }
    assert "F1" in (tmp_path / "a/eu-2023-2113.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.real
def test_the_shipped_model_is_what_the_command_makes(real_data: Path, tmp_path: Path) -> None:
    train.main(["--data", str(real_data), "--out", str(tmp_path)])
    for suffix in (".npz", ".json", ".md", ".calibration.svg"):
        file = f"eu-2023-2113{suffix}"
        assert (tmp_path / file).read_bytes() == (shipped_folder(FOLDER) / file).read_bytes(), file
