"""Keyword rules: masks cover phrases, not works; parts are counted apart; traps pass."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from copub.lists.taxonomy import load_taxonomy, read_taxonomy
from copub.lists.tomlfile import parse_toml
from copub.technology.features import RULE_FEATURES
from copub.technology.rules import STRONG, WEAK
from copub.technology.workchunk import TextReader

SMALL = """
id = "small"
title = "Small"
source = "none"
date = "2026"
verification = "made for a test"
applied = ["patients"]
masks = ["radar chart*"]
[[area]]
id = "R"
name = "Radar"
title = ["antenna*"]
weak = ["echo"]
context = ["target"]
masks = ["radar love"]
[[area.technology]]
id = "r"
name = "Radar"
strong = ["radar", "cs:SAR"]
"""


def _reader() -> TextReader:
    return TextReader(read_taxonomy(parse_toml(SMALL, name="small.toml")))


def _features(title: str, abstract: str = "") -> dict[str, float]:
    (chunk,) = _reader().read(pl.Series([title]), pl.Series([abstract]))
    return dict(zip(RULE_FEATURES, chunk.rules[0, 0].tolist(), strict=True))


def test_a_mask_covers_its_phrase_and_not_the_work() -> None:
    assert _features("Radar chart of hospitals")["strong term in title"] == 0
    assert _features("Radar chart of a radar")["strong term in title"] == 1
    assert _features("Radar love, radar charts")["strong term in title"] == 0


def test_title_and_abstract_are_counted_apart() -> None:
    features = _features("Echo of a target", "A radar and a SAR for patients")
    assert features["weak term in title and context"] == 1
    assert features["strong terms in abstract"] == pytest.approx(1.0986, abs=1e-3)
    assert features["applied terms in abstract"] > 0
    assert features["strong term in title"] == 0


def test_a_cased_term_ignores_small_letters() -> None:
    assert _features("Growth of sar in cells")["strong term in title"] == 0
    assert _features("A SAR image")["strong term in title"] == 1


def test_a_keyword_inside_a_longer_word_is_no_match() -> None:
    assert _features("Radarsat and echoes")["strong term in title"] == 0


def test_the_matched_text_is_kept_as_printed() -> None:
    reader = TextReader(load_taxonomy("eu-2023-2113"))
    (chunk,) = reader.read(pl.Series(["On Quantum‐Key  distribution"]), pl.Series([""]))
    printed = {chunk.tokens.text(int(a), int(b)) for a, b in zip(chunk.hits.start, chunk.hits.end, strict=True)}
    assert "Quantum‐Key  distribution" in printed


@pytest.mark.real
def test_the_rules_pass_every_trap_sentence(real_data: Path) -> None:
    with (real_data / "technologies/trap_sentences.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    taxonomy = load_taxonomy("eu-2023-2113")
    (chunk,) = TextReader(taxonomy).read(pl.Series([row["text"] for row in rows]), pl.Series([""] * len(rows)))
    wrong = []
    for at, row in enumerate(rows):
        of_work = chunk.hits.work == at
        strong = set(chunk.hits.area[of_work & (chunk.hits.part == STRONG)].tolist())
        weak = set(chunk.hits.area[of_work & (chunk.hits.part == WEAK)].tolist())
        found = {taxonomy.area_ids[area] for area in strong | {a for a in weak if chunk.rules[at, a, 7] > 0}}
        title = {taxonomy.area_ids[a] for a in range(len(taxonomy.areas)) if chunk.rules[at, a, 3] > 0}
        expected = row["expected_area"]
        if (expected and expected not in found | title) or (not expected and found):
            wrong.append((row["text"], expected, found))
    assert len(rows) == 70
    assert wrong == []
