"""The shipped model: safe, whole, small; its card is shown next to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from copub.errors import InputError
from copub.lists.taxonomy import load_taxonomy
from copub.shipped import shipped_folder
from copub.technology.model import FOLDER, load_model
from copub.technology.workchunk import TextReader

NAME = "eu-2023-2113"


def test_the_shipped_model_fits_its_taxonomy() -> None:
    model = load_model()
    assert model.areas == load_taxonomy(NAME).area_ids
    assert set(model.scorers) == {"full", "title"}
    assert all(set(by_area) == set(model.areas) for by_area in model.thresholds.values())


def test_the_model_is_small_enough_for_a_wheel_and_holds_no_objects() -> None:
    path = shipped_folder(FOLDER) / f"{NAME}.npz"
    assert path.stat().st_size < 12_000_000
    with np.load(path, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_the_card_names_data_hashes_and_cross_validated_figures() -> None:
    card = json.loads((shipped_folder(FOLDER) / f"{NAME}.json").read_text(encoding="utf-8"))
    assert {len(value) for value in card["data"].values()} == {64}
    whats = {row["what"] for row in card["cross_validated"]}
    assert {"any area", "any area, with abstract", "any area, title only"} <= whats
    assert (shipped_folder(FOLDER) / f"{NAME}.md").is_file()


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    for suffix in (".npz", ".json"):
        shutil.copy(shipped_folder(FOLDER) / f"{NAME}{suffix}", tmp_path)
    (tmp_path / f"{NAME}.npz").write_bytes(b"broken")
    with pytest.raises(InputError, match="not those that its JSON file names"):
        load_model(NAME, tmp_path)


def test_a_missing_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        load_model("none", tmp_path)
    assert "copub.technology.training.train" in str(raised.value)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_word_of_the_title_weighs_as_much_as_two_of_the_abstract(repeats: int) -> None:
    reader = TextReader(load_taxonomy(NAME))
    vocabulary = load_model().scorers["full"].vocabulary

    def vector(title: str, abstract: str) -> list[float]:
        (chunk,) = reader.read(pl.Series([title]), pl.Series([abstract]))
        placed = chunk.ngrams()
        return vocabulary.vectors(placed, vocabulary.columns(placed.key), 1)[0].toarray()[0].tolist()

    once, twice = "quantum; " * repeats, "quantum; " * 2 * repeats
    assert vector(once, "battery") == pytest.approx(vector("", twice + "battery"))
    assert vector(once, "battery") != pytest.approx(vector("", once + "battery"))
