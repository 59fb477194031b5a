"""A panel: the numbers of each pair are those of its own study, and what compares pairs equals an independent count."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from copub.corpus import Corpus
from copub.measures import measure
from copub.measures.adjusted import adjusted, labels_of_works, prepared
from copub.measures.copublications import copublications, flagged_works
from copub.measures.funding import awards_of_works, funding
from copub.measures.inputs import inputs_of
from copub.measures.measure import OF_PANELS
from copub.measures.members import listed_places
from copub.measures.partners import institutions_of_works
from copub.measures.readingplan import leading
from copub.measures.roles import roles
from copub.measures.shares import shares
from copub.measures.trends import periods, state_of
from copub.measures.view import view_of
from copub.screening.studyhits import hits_of
from copub.sources.rawrecord import Record
from copub.study import PanelPair, Side, Study, load_study
from copub.study.question import Question

from .panelworlds import MEMBERS, asked_of, corpus_of, joined, panel_study, records, row_of
from .test_frames import same

MEASURES = ("critical", "listed", "critical_listed", "top_level")
COUNTINGS = ("full", "fractional-authors", "fractional-countries")


@cache
def measured(number: int | None = None, **changes: Any) -> tuple[Question, Corpus, dict[str, pl.DataFrame]]:
    """Return a synthetic panel of the 27 members of the European Union, measured."""
    asked = asked_of(panel_study(**changes))
    corpus = corpus_of(asked.study, asked, records(number))
    return asked, corpus, measure(asked, corpus)


def alone(
    asked: Question, pair: PanelPair, corpus: Corpus, number: int | None, given: Iterable[Record] | None = None
) -> dict[str, pl.DataFrame]:
    """Return the tables of a pair from a corpus that its own study made of the same records."""
    own = replace(asked.study.of_pair(pair.key), part_of=None)
    question = replace(asked, study=own)
    corpus = corpus_of(own, question, records(number) if given is None else given, corpus)
    hits = hits_of(question, corpus)
    asks, view = inputs_of(question, hits), view_of(own, corpus, hits)
    flagged = flagged_works(asks, view)
    works = copublications(flagged)
    known = prepared(own, works, None, asks.taught)
    labels = labels_of_works(known, asks.labelled)
    of_works = institutions_of_works(own, view.affiliations, works)
    places = listed_places(view.hits, own, asks.levels)
    return {
        "shares": shares(own, flagged, of_works, asks.levels, asks.areas),
        "adjusted": adjusted(own, known, asks.errors, leading(own, known, asks.errors, labels)),
        "periods": periods(own, works, state_of(view.works, None)),
        "funding": funding(own, works, awards_of_works(view.awards, works), of_works, places),
        "roles": roles(own, view, works, of_works, places),
        "copublications": works,
    }


def check(panel: dict[str, pl.DataFrame], pair: PanelPair, own: dict[str, pl.DataFrame], counting: str) -> None:
    """Check that a pair of a panel has the numbers of its own study, to the digit."""
    for name in MEASURES:
        for rule in COUNTINGS:
            found = row_of(panel["panel"], pair=pair.key, measure=name, counting=rule)
            wanted = row_of(own["shares"], measure=name, counting=rule, slice_kind="all")
            for column in ("numerator", "denominator", "share", "ci_low", "ci_high"):
                assert same(found[column], wanted[column]), (pair.key, name, rule, column)
            assert found["is_small"] == wanted["is_small"]
        found = row_of(panel["panel"], pair=pair.key, measure=name, counting="full")
        wanted = row_of(own["adjusted"], measure=name, slice_kind="all")
        columns = ("adjusted", "adjusted_low", "adjusted_high", "method", "basis")
        columns += ("expected",) if name == "critical_listed" else ()
        assert {column: found[column] for column in columns} == {column: wanted[column] for column in columns}
    of_pair = panel["panel_periods"].filter(pair=pair.key).drop("pair")
    assert of_pair.equals(own["periods"].filter(counting=counting))
    for name in ("funding", "roles"):
        found = panel[f"panel_{name}"].filter(pair=pair.key).drop("pair")
        assert found.equals(own[name].filter(slice_kind="all").select(found.columns)), (pair.key, name)


NUMBER = 1200


@pytest.mark.parametrize("key", ["AT-CN", "BE-CN", "SK-CN"])
def test_a_pair_of_a_panel_has_the_numbers_of_its_own_study(key: str) -> None:
    asked, corpus, tables = measured(NUMBER)
    pair = asked.study.find_pair(key)
    check(tables, pair, alone(asked, pair, corpus, NUMBER), asked.study.counting)


@pytest.mark.slow
def test_all_pairs_of_a_panel_of_27_have_the_numbers_of_their_own_studies() -> None:
    for changes in ({}, {"apply_repairs": True, "counting": "fractional-authors"}):
        asked, corpus, tables = measured(**changes)
        assert [pair.side_a.key for pair in asked.study.pairs] == sorted(MEMBERS)
        for pair in asked.study.pairs:
            check(tables, pair, alone(asked, pair, corpus, None), asked.study.counting)


@pytest.mark.slow
@pytest.mark.real
def test_pairs_of_real_works_with_repairs_have_the_numbers_of_their_own_studies(real_data: Path) -> None:
    with gzip.open(real_data / "real" / "works.jsonl.gz") as lines:
        works = [orjson.loads(line) for line in islice(lines, 0, None, 5)]
    given = list(joined(works))
    asked = asked_of(load_study("eu-china"))
    assert asked.study.apply_repairs
    corpus = corpus_of(asked.study, asked, given)
    tables = measure(asked, corpus)
    assert tables["population"]["excluded_because"].str.contains("repair").any()
    for key in ("AT-CN", "BE-CN", "CZ-CN"):
        pair = asked.study.find_pair(key)
        check(tables, pair, alone(asked, pair, corpus, None, given), asked.study.counting)


def test_pairs_may_have_groups_and_partners_of_their_own() -> None:
    pairs = tuple(
        PanelPair(Side("", codes), Side("", others))
        for codes, others in ((("AT", "BE"), ("CN",)), (("BE",), ("CN", "HK")), (("BG", "CY", "CZ"), ("HK",)))
    )
    asked = asked_of(replace(panel_study(), side_b=Side("", ("CN", "HK")), pairs=pairs, reference=pairs[1].key))
    corpus = corpus_of(asked.study, asked, records(NUMBER))
    tables = measure(asked, corpus)
    for pair in pairs:
        check(tables, pair, alone(asked, pair, corpus, NUMBER), asked.study.counting)


def test_the_study_of_a_panel_has_the_numbers_that_it_has_without_pairs() -> None:
    asked, corpus, tables = measured(NUMBER)
    plain = measure(replace(asked, study=replace(asked.study, pairs=(), reference="")), corpus)
    assert tables.keys() - plain.keys() == OF_PANELS
    assert all(tables[name].equals(frame) for name, frame in plain.items())


def test_the_share_from_reading_of_a_pair_is_that_of_its_own_study() -> None:
    asked, corpus, tables = measured(NUMBER)
    read = tables["copublications"].select(
        "work_id",
        critical="is_critical",
        listed="is_listed",
        top_level=pl.col("is_top_level"),
        reader=pl.lit("R"),
        date=pl.lit("2026-01-01"),
        reason=pl.lit(""),
        stands_for=pl.lit(None, pl.Float64),
    )
    labelled = replace(asked, labelled=read)
    again = measure(labelled, corpus)
    pair = asked.study.find_pair("BE")
    check(again, pair, alone(labelled, pair, corpus, NUMBER), asked.study.counting)
    assert "labelled sample" in again["panel"]["method"].unique().to_list()


def of_pairs(asked: Question, corpus: Corpus) -> dict[str, pl.DataFrame]:
    return {pair.key: alone(asked, pair, corpus, NUMBER)["copublications"] for pair in asked.study.pairs}


def test_the_rest_is_the_panel_without_the_works_of_the_pair() -> None:
    asked, corpus, tables = measured(NUMBER)
    works = of_pairs(asked, corpus)
    flags = {row["work_id"]: row for row in tables["copublications"].iter_rows(named=True)}
    every = {one for frame in works.values() for one in frame["work_id"]}
    assert every == set(flags)
    for key, frame in works.items():
        rest = [flags[one] for one in every - set(frame["work_id"])]
        for rule, weight in zip(COUNTINGS, (None, "weight", "weight_countries"), strict=True):
            found = row_of(tables["panel"], pair=key, measure="critical_listed", counting=rule)
            of = sum(one[weight] if weight else 1 for one in rest)
            count = sum((one[weight] if weight else 1) * one["is_critical_listed"] for one in rest)
            assert same(found["rest_denominator"], of)
            assert same(found["rest_numerator"], count)
            assert same(found["difference"], found["share"] - count / of)
            assert found["difference_low"] <= found["difference"] <= found["difference_high"]


def test_the_standardised_share_equals_one_counted_cell_by_cell() -> None:
    asked, corpus, tables = measured(NUMBER)
    study: Study = asked.study
    topics = corpus["topics"].filter(rank=0)
    field = dict(topics.select("work_id", "field").iter_rows())
    span = {
        one: (year - study.year_from) // 5
        for one, year in corpus["works"].select("work_id", "publication_year").iter_rows()
    }
    mix: dict[tuple[Any, int], int] = defaultdict(int)
    for one in tables["copublications"]["work_id"]:
        mix[field.get(one) or "", span[one]] += 1
    for key, frame in of_pairs(asked, corpus).items():
        cells: dict[tuple[Any, int], list[int]] = defaultdict(list)
        for row in frame.iter_rows(named=True):
            cells[field.get(row["work_id"]) or "", span[row["work_id"]]].append(row["is_critical"])
        weights: dict[tuple[Any, int], float] = defaultdict(float)
        for (name, when), count in mix.items():
            own = [other for of, other in cells if of == name]
            if own:  # of two spans that are equally near, the earlier
                weights[name, min(own, key=lambda other, at=when: (abs(other - at), other))] += count
        total = sum(weights.values())
        share = sum(weight / total * sum(cells[cell]) / len(cells[cell]) for cell, weight in weights.items())
        found = row_of(tables["panel"], pair=key, measure="critical", counting="full")
        assert same(found["standardised"], share)
        assert same(found["standardised_cover"], total / sum(mix.values()))
        assert found["standardised_low"] <= found["standardised"] <= found["standardised_high"]


def test_ranks_are_within_their_ends_and_the_number_of_comparisons_is_stated() -> None:
    _, _, tables = measured(NUMBER)
    panel = tables["panel"]
    for kind in ("", "standardised_"):
        ranked = panel.drop_nulls(f"{kind}rank")
        assert ranked.height == panel.height
        assert (ranked[f"{kind}rank_low"] <= ranked[f"{kind}rank"]).all()
        assert (ranked[f"{kind}rank"] <= ranked[f"{kind}rank_high"]).all()
    assert panel["pairs"].unique().to_list() == [27]
    assert panel["comparisons"].unique().to_list() == [27 * 26 // 2]
    of_one = panel.filter(measure="critical", counting="full")
    assert [1 + (of_one["share"] > share).sum() for share in of_one["share"]] == of_one["rank"].to_list()


def test_the_reference_has_no_difference_from_itself() -> None:
    asked, _, tables = measured(NUMBER)
    of_one = tables["panel"].filter(measure="listed", counting="full")
    reference = row_of(of_one, pair=asked.study.reference)
    assert reference["reference_difference"] is None
    others = of_one.filter(pl.col("pair") != asked.study.reference)
    assert same((others["share"] - reference["share"]).to_list(), others["reference_difference"].to_list())
    assert (others["reference_difference_low"] <= others["reference_difference"]).all()


def test_a_pair_without_works_has_no_share_no_rank_and_no_difference() -> None:
    asked = asked_of(panel_study(("AT", "BE", "IS"), small_cell=1))
    tables = measure(asked, corpus_of(asked.study, asked, records(NUMBER)))
    empty = row_of(tables["panel"], pair="IS-CN", measure="critical", counting="full")
    nothing = ("share", "ci_low", "rank", "rank_low", "difference", "standardised", "adjusted")
    assert [empty[name] for name in nothing] == [None] * len(nothing)
    assert tables["panel"]["comparisons"].unique().to_list() == [1]  # two of the three pairs have a rank
    assert empty["is_small"]
    other = row_of(tables["panel"], pair="AT-CN", measure="critical", counting="full")
    assert other["rank_high"] <= 2
    assert asked.study.find_pair("IS").key == "IS-CN"


def test_where_no_list_covers_side_b_a_share_of_listed_works_has_no_rank_and_moves_none() -> None:
    pairs = tuple(PanelPair(Side("", (a,)), Side("", (b,))) for a, b in (("AT", "CN"), ("BE", "CN"), ("BE", "DE")))
    sides = {"side_a": Side("", ("AT", "BE")), "side_b": Side("", ("CN", "DE"))}
    asked = asked_of(replace(panel_study(("AT", "BE")), **sides, pairs=pairs, reference=""))
    corpus = corpus_of(asked.study, asked, records(NUMBER))
    panel = measure(asked, corpus)["panel"]
    assert dict(panel.select("pair", "is_covered").unique().iter_rows()) == {
        "AT-CN": True, "BE-CN": True, "BE-DE": False
    }  # fmt: skip
    ranks = [f"{kind}rank{end}" for kind in ("", "standardised_") for end in ("", "_low", "_high")]
    for name in MEASURES:
        rows = panel.filter(measure=name)
        lone = rows.filter(~pl.col("is_covered"))
        assert (lone["denominator"] > 0).all()
        if name == "critical":
            assert rows.select(ranks).null_count().sum_horizontal().item() == 0
            assert rows["comparisons"].unique().to_list() == [3]
            continue
        assert lone["numerator"].unique().to_list() == [0]
        assert lone.select(pl.all_horizontal(pl.col(ranks).is_null())).to_series().all()
        assert rows.filter("is_covered").select(pl.max_horizontal(pl.col(ranks)).max()).item() <= 2
        assert rows["comparisons"].unique().to_list() == [1]


@pytest.mark.parametrize("reference", ["AT-CN", "BE-DE"])
def test_a_pair_that_no_list_covers_is_in_no_difference_by_listed_works_nor_in_the_rest_of_others(
    reference: str,
) -> None:
    pairs = tuple(PanelPair(Side("", (a,)), Side("", (b,))) for a, b in (("AT", "CN"), ("BE", "CN"), ("BE", "DE")))
    sides = {"side_a": Side("", ("AT", "BE")), "side_b": Side("", ("CN", "DE"))}
    asked = asked_of(replace(panel_study(("AT", "BE")), **sides, pairs=pairs, reference=reference))
    corpus = corpus_of(asked.study, asked, records(NUMBER))
    panel = measure(asked, corpus)["panel"]
    of_two = replace(asked, study=replace(asked.study, pairs=pairs[:2], reference=pairs[0].key))
    two = measure(of_two, corpus)["panel"]
    kinds = ("difference", "reference_difference", "standardised")
    compared = [f"{kind}{end}" for kind in kinds for end in ("", "_low", "_high")]
    rest = ["rest_numerator", "rest_denominator", "rest_share"]
    for name in MEASURES:
        rows, lone = panel.filter(measure=name), panel.filter(pair="BE-DE", measure=name)
        if name == "critical":
            assert lone["difference"].null_count() == lone["standardised"].null_count() == 0
            assert (rows["rest_denominator"] != two.filter(measure=name)["rest_denominator"].max()).any()
            continue
        assert lone.select(pl.all_horizontal(pl.col(compared).is_null()).all()).item()
        columns = ["pair", *rest, *compared[:3], *(compared[3:6] if reference == "AT-CN" else [])]
        found, wanted = (frame.filter(pl.col("pair") != "BE-DE", measure=name) for frame in (panel, two))
        assert found.select(columns).equals(wanted.select(columns))
        if reference == "BE-DE":
            assert found.select(pl.all_horizontal(pl.col(compared[3:6]).is_null()).all()).item()
