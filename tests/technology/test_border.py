"""What teaches the border between core and applied, once a model is trained on it, and readings of titles alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from copub.lists.taxonomy import load_taxonomy
from copub.shipped import shipped_folder
from copub.technology.training.card import read_as_titles
from copub.technology.training.labelledworks import BORDER, Text, own_examples, title_readings

FOLDER = shipped_folder("taxonomies/models")
THIN = ("EU-04-BIOTECH", "EU-07-SPACE-PROPULSION")
AREA_OF = {tech.id: area.id for area in load_taxonomy("eu-2023-2113").areas for tech in area.technologies}
RULES = {"core", "not", *"1234567", *"abcdefgh"}
"""Rules of the codebook: the definition of an area, its exclusions, the numbered rules and the clarifications."""


def rows(name: str) -> pl.DataFrame:
    return pl.read_csv(FOLDER / name, infer_schema=False).fill_null("")


def core(frame: pl.DataFrame, area: str) -> pl.DataFrame:
    return frame.filter(pl.col("core").str.split(" ").list.contains(area))


@pytest.mark.parametrize("name", BORDER)
def test_every_row_names_a_rule_of_the_codebook_and_a_technology_of_a_thin_area(name: str) -> None:
    assert set(rows(name)["rule"]) <= RULES
    assert {AREA_OF[technology] for technology in rows(name)["technology"]} == set(THIN)


def test_a_pair_is_one_core_and_one_other_example_on_one_technology() -> None:
    for _, pair in rows(BORDER[1]).group_by("pair", maintain_order=True):
        area = AREA_OF[pair["technology"][0]]
        assert pair.height == 2 and pair["technology"].n_unique() == 1
        assert core(pair, area).height == 1 and all(pair["abstract"] != ""), pair["title"].to_list()


@pytest.mark.parametrize("area", THIN)
def test_thin_areas_have_150_positives_over_all_their_technologies(area: str) -> None:
    names = ("gold-labels.csv", "own-labels.csv", "own-examples.csv", *BORDER)
    assert sum(core(rows(name), area).height for name in names) >= 150
    technologies = {technology for name in BORDER for technology in core(rows(name), area)["technology"]}
    assert technologies == {technology for technology, its in AREA_OF.items() if its == area}


def test_a_work_of_the_border_is_read_once_and_not_kept_apart() -> None:
    items = rows(BORDER[0])["item"]
    assert items.n_unique() == items.len()
    assert not set(items) & {item for name in ("gold", "own", "unseen") for item in rows(f"{name}-labels.csv")["item"]}


def test_written_pairs_follow_the_titles_only_where_they_are_asked_for() -> None:
    titles, more = own_examples(), own_examples(border=True)
    assert more[: len(titles)] == titles and len({text.id for text in more}) == len(more)
    assert [text.title for text in more[len(titles) :]] == rows(BORDER[1])["title"].to_list()
    assert not any(text.abstract for text in titles) and all(text.abstract for text in more[len(titles) :])


def test_a_reading_of_titles_is_compared_with_what_was_read_with_the_abstracts() -> None:
    items = list(title_readings())
    said = title_readings()
    gold = [Text(item, "", "", frozenset({"A"} if said[item] else ())) for item in items[:20]]
    wrong = [Text(item, "", "", frozenset() if said[item] else frozenset({"A"})) for item in items[20:60]]
    card = {
        "areas": ["A"],
        "thresholds": {"balanced": {"A": 0.5}},
        "calibration": {"full": (1.0, 0.0), "title": (1.0, 0.0)},
        "together": (1.0, 0.0, 0.0),
    }
    never = np.full((20, 2), -5.0, np.float32)
    of_gold, of_own, of_model = read_as_titles([*gold, *wrong], gold, [never], card)
    assert (of_gold["works"], of_gold["recall"], of_gold["precision"]) == (20, 1.0, 1.0)
    assert (of_own["works"], of_own["recall"], of_own["precision"]) == (40, 0.0, 0.0)
    assert (of_model["works"], of_model["positives"], of_model["recall"]) == (20, of_gold["positives"], 0.0)


def test_titles_were_read_of_works_that_teach_and_of_none_that_is_kept_apart() -> None:
    taught = set(rows("gold-labels.csv")["item"]) | set(rows("own-labels.csv")["item"])
    assert set(title_readings()) <= taught - set(rows("unseen-labels.csv")["item"])
