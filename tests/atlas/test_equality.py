"""A cell of an atlas is what a run of the pair gives, to the digit, and what a count by hand gives."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

import copub
from copub.atlas import Atlas, Rules, build, open_atlas, rules_of
from copub.atlas.atlasanswers import EXPLAINED, WHOLE, explain, levels, show
from copub.atlas.cells import CRITICAL, NO_LIST
from copub.atlas.cellshares import OWN_PART
from copub.corpus import Corpus, Entry, tabulate
from copub.corpus.population import left_out_because
from copub.measures.shares import MEASURES
from copub.screening import found_in
from copub.sources.rawrecord import Record
from copub.sources.snapshot import extract, parse_pairs
from copub.sources.snapshot.selection import countries_of_work
from copub.study import Study
from copub.technology import classify

from .small import write_snapshot

VALUES = ["numerator", "denominator", "share", "ci_low", "ci_high", "interval", "confidence", "is_small"]


def run_of(snapshot: Path, study: Study, a: str, b: str, folder: Path) -> copub.Run:
    """Return a run of the pair over the works that ``copub snapshot extract`` cuts out."""
    works = folder / f"{a}-{b}.jsonl"
    extract(snapshot, works, parse_pairs([f"{a}:{b}"]))
    sides = {"side_a": replace(study.side_a, countries=(a,)), "side_b": replace(study.side_b, countries=(b,))}
    return copub.run(replace(study, **sides), works=[works], cache=folder, reports=folder, until="measure", workers=1)


def assert_equal(atlas: Atlas, run: copub.Run, a: str, b: str) -> None:
    """Compare all that a run and an atlas both have."""
    shares, area_levels = run.tables["shares"], run.tables["area_levels"]
    for kind, by in (("all", []), ("year", ["year"]), ("area", ["area"])):
        own = show(atlas, a, b, by=by).with_columns(pl.col(by).cast(pl.String))
        piece = pl.col(by[0]) if by else pl.lit("all")
        key = ["slice", "measure", "counting"]
        mine = own.select(piece.alias("slice"), *key[1:], *VALUES).sort(key)
        theirs = shares.filter(slice_kind=kind).select(*key, *VALUES).sort(key)
        assert mine.height and mine.to_dicts() == theirs.to_dicts()
    if atlas.headline(b):
        for area in (CRITICAL, *atlas.areas):
            mine = levels(atlas, a, b, area=area).select("level", "numerator", "works_fractional")
            of_area = area_levels.filter(pl.col("area") == ("any area" if area == CRITICAL else area))
            theirs = of_area.filter(pl.col("risk_level") != "none").select("risk_level", "works", "works_fractional")
            assert sorted(mine.rows()) == sorted(theirs.rows())


@pytest.mark.parametrize(("a", "b"), [("BE", "CN"), ("CN", "BE"), ("DE", "CN"), ("BE", "US")])
def test_every_share_of_a_pair_equals_that_of_a_run(
    a: str, b: str, atlas: Atlas, snapshot: Path, demo_study: Study, tmp_path: Path
) -> None:
    assert_equal(atlas, run_of(snapshot, demo_study, a, b, tmp_path), a, b)


@pytest.mark.parametrize(
    "settings",
    [
        {"apply_repairs": False, "include_medical": False},
        {"levels": ("high",), "top_level": "high", "include_descendants": False},
        {"author_cap": 5, "include_retracted": False, "listed_at_publication_only": True, "tiers": ("identifier",)},
    ],
)
@pytest.mark.slow
def test_it_equals_that_of_a_run_under_other_settings(
    settings: dict[str, Any], snapshot: Path, demo_study: Study, tmp_path: Path
) -> None:
    study = replace(demo_study, **settings)
    build(snapshot, tmp_path / "atlas", rules_of(study), workers=1)
    assert_equal(open_atlas(tmp_path / "atlas"), run_of(snapshot, study, "BE", "CN", tmp_path), "BE", "CN")


@pytest.mark.slow
@pytest.mark.real
def test_it_equals_that_of_a_run_over_real_works(real_data: Path, tmp_path: Path) -> None:
    with gzip.open(real_data / "real" / "works.jsonl.gz") as lines:
        every = map(orjson.loads, lines)
        works = [work for work in every if not countries_of_work(work).isdisjoint(("CN", "RU", "IR"))]
    half = len(works) // 2
    snapshot = write_snapshot(tmp_path / "snapshot", [works[:half], works[half:]])
    build(snapshot, tmp_path / "atlas", rules_of(), workers=1)
    atlas = open_atlas(tmp_path / "atlas")
    for a, b in (("US", "CN"), ("BE", "CN"), ("US", "RU"), ("DE", "IR")):
        study = Study.pair(a, b, years=(2000, 2025))
        assert study.watchlists == (atlas.headline(b),)
        assert_equal(atlas, run_of(snapshot, study, a, b, tmp_path), a, b)
    union = replace(
        Study.pair("US", "CN", years=(2005, 2020)),
        watchlists=("aspi-cdut-2019", "seven-sons"),
        other_watchlists=("us-entity-list",),
        levels=("high", "listed"),
        top_level="listed",
    )
    build(snapshot, tmp_path / "union", rules_of(union), workers=1)
    atlas = open_atlas(tmp_path / "union")
    assert list(atlas.lists) == ["aspi-cdut-2019+seven-sons", "aspi-cdut-2019", "seven-sons", "us-entity-list"]
    assert_equal(atlas, run_of(snapshot, union, "US", "CN", tmp_path), "US", "CN")
    by_list = show(atlas, "US", "CN", by=["list"]).filter(measure="listed", counting="full")
    assert by_list["list"].to_list() == list(atlas.lists) and by_list["numerator"][0] > 0


class Counted:
    """Cells counted one work after the other, without anything of the atlas."""

    def __init__(self, snapshot: Path, rules: Rules) -> None:
        lines = [
            line for path in sorted(snapshot.rglob("*.gz")) for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
        last = {orjson.loads(line)["id"]: line for line in lines}
        listed = (snapshot / "data/jsonl/works/deleted_ids.csv").read_text(encoding="utf-8").split()
        kept = [line for work, line in last.items() if work.rpartition("/")[2] not in listed]
        corpus = tabulate([Record(line, "", ()) for line in kept], Entry())
        self.study = rules.study
        works = corpus["works"].with_columns(reason=left_out_because(rules.study))
        self.years = {w: y for w, y, why in works.select("work_id", "publication_year", "reason").rows() if why is None}
        assigned = classify(corpus["works"], corpus["topics"], [rules.taxonomy]).assignments.filter("assigned")
        self.areas: dict[str, set[str]] = {}
        for work, area in assigned.select("work_id", "area").rows():
            self.areas.setdefault(work, set()).add(area)
        self.authors: dict[str, list[tuple[list[str], list[str]]]] = {}
        for row in corpus["authorships"].iter_rows(named=True):
            self.authors.setdefault(row["work_id"], []).append((row["countries"], row["countries_repaired"]))
        self.levels = self._levels(corpus, rules)

    def _levels(self, corpus: Corpus, rules: Rules) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for hit in found_in(corpus, rules.watchlists).iter_rows(named=True):
            if hit["if_repaired"] in (None, self.study.apply_repairs) and hit["tier"] in self.study.tiers:
                found.setdefault((hit["work_id"], hit["entity_country"]), set()).add(hit["risk_level"])
        return found

    def works(self, a: str, b: str, year: int) -> Iterator[str]:
        for work, own in self.years.items():
            recorded = {code for codes, _ in self.authors[work] for code in codes}
            repaired = {code for _, codes in self.authors[work] for code in codes}
            if own == year and {a, b} <= recorded & repaired:
                yield work

    def weight(self, work: str, a: str, b: str) -> float:
        known = [set(codes) for _, codes in self.authors[work] if codes]
        return sum(len(codes & {a, b}) / len(codes) for codes in known) / len(known)


@pytest.mark.slow
def test_twenty_random_cells_equal_a_count_work_by_work(atlas: Atlas, snapshot: Path, rules: Rules) -> None:
    counted = Counted(snapshot, rules)
    cells = atlas.cells().collect()
    order = rules.lists[0].levels
    bare, listed = (cells.filter((pl.col("list") == NO_LIST) == without) for without in (True, False))
    rng = random.Random(2113)
    for cell in rng.sample(bare.to_dicts(), 10) + rng.sample(listed.to_dicts(), 10):
        a, b, year = cell["a"], cell["b"], cell["year"]
        works = list(counted.works(a, b, year))
        if cell["area"] != "all":
            wanted = None if cell["area"] == "critical" else cell["area"]
            areas = {work: counted.areas.get(work, set()) for work in works}
            works = [work for work in works if (wanted in areas[work] if wanted else areas[work])]
        if cell["list"] != NO_LIST:
            strongest = {work: min(counted.levels.get((work, b), ()), key=order.index, default=None) for work in works}
            works = [work for work in works if strongest[work] == cell["level"]]
        weights = [counted.weight(work, a, b) for work in works]
        assert cell["works"] == len(works) > 0
        assert cell["weight"] == pytest.approx(sum(weights))
        assert cell["weight_squares"] == pytest.approx(sum(weight**2 for weight in weights))


@pytest.mark.parametrize("measure", [WHOLE, *MEASURES])
def test_the_works_behind_a_number_are_as_many_as_it_says(measure: str, atlas: Atlas) -> None:
    works = explain(atlas, "BE", "CN", measure=measure)
    assert works.schema == EXPLAINED
    assert works["work_id"].is_unique().all()
    shares = show(atlas, "BE", "CN").filter(counting="full")
    if measure == WHOLE:
        assert works.height == shares["denominator"][0] > 0
    elif measure not in OWN_PART:
        assert works.height == shares.filter(measure=measure)["numerator"].item()
