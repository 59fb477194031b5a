"""A pair beside the other works of its sides: what the cells say, and what a plain loop over works says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import polars as pl
import pytest
from scipy.stats import beta

import copub
from copub.atlas import Atlas, Rules, build, open_atlas, rules_of
from copub.atlas.atlasanswers import explain, show
from copub.atlas.atlasbaselines import AtlasBaselines, baselines_of, file_of, side_of
from copub.errors import FileError, InputError
from copub.lists.baselinefile import signed
from copub.measures.baselines import INTERNATIONAL, MEASURES, OTHERS, PAIR, PARTNER
from copub.report.baselinesection import set_name
from copub.report.messages import load_messages
from copub.sources.snapshot import extract, parse_pairs
from copub.sources.snapshot.selection import countries_of_work
from copub.study import Study, studyfile
from copub.study.question import load_study, resolve

from .small import write_snapshot
from .test_commands import Command, command
from .test_equality import Counted, run_of

__all__ = ["command"]  # a fixture

SHARES = ["numerator", "denominator", "share", "ci_low", "ci_high", "interval", "is_small"]
COUNTINGS = ("full", "fractional-authors", "fractional-countries")


def rows_of(found: AtlasBaselines, kind: str, partner: str = "") -> pl.DataFrame:
    return found.table.filter(kind=kind, partner=partner).sort("measure", "counting")


def test_the_pair_has_the_shares_of_a_run_and_of_the_cells(
    atlas: Atlas, snapshot: Path, demo_study: Study, tmp_path: Path
) -> None:
    own = rows_of(baselines_of(atlas, ["BE"], ["CN"]), PAIR).select("measure", "counting", *SHARES)
    of_run = run_of(snapshot, demo_study, "BE", "CN", tmp_path).tables["shares"].filter(slice_kind="all")
    for shares in (of_run, show(atlas, "BE", "CN")):
        same = shares.filter(pl.col("measure").is_in(MEASURES)).sort("measure", "counting")
        assert own.to_dicts() == same.select(own.columns).to_dicts()
    assert own["numerator"].min() > 0  # type: ignore[operator]


def test_a_partner_has_the_critical_works_of_its_own_pair(atlas: Atlas) -> None:
    found = baselines_of(atlas, ["BE"], ["CN"], partners=["US"])
    own = rows_of(found, PARTNER, "US").filter(measure="critical").select("counting", *SHARES)
    cells = show(atlas, "BE", "US").filter(measure="critical").sort("counting")
    assert own.to_dicts() == cells.select(own.columns).to_dicts()


def test_the_largest_partners_are_compared_where_none_are_named(atlas: Atlas) -> None:
    found = baselines_of(atlas, ["BE"], ["CN"], most=3)
    cells = atlas.cells().filter(
        pl.col("a") == "BE", pl.col("list") == "", pl.col("area") == "all", pl.col("b") != "CN"
    )
    works = cells.group_by("b").agg(pl.col("works").sum()).sort(["works", "b"], descending=[True, False]).collect()
    assert list(found.asked.partners) == works["b"].head(3).to_list()


def test_a_group_is_one_partner_without_the_countries_of_the_pair(atlas: Atlas) -> None:
    found = baselines_of(atlas, ["BE"], ["CN"], partners=["EU27", "DE"])
    assert "BE" not in found.asked.partners["EU27"] and len(found.asked.partners["EU27"]) == 26
    works = atlas.works().filter(pl.col("countries").list.contains("BE")).select("countries").collect()["countries"]
    full = rows_of(found, PARTNER, "EU27").filter(measure="critical", counting="full")
    assert full["denominator"].item() == sum(bool({*own} & {*found.asked.partners["EU27"]}) for own in works) > 0


@dataclass
class Plain:
    """Works with their countries, flags and authors, and every number of a baseline by one loop after the other."""

    counted: Counted
    levels: tuple[str, ...]

    def sets(
        self, a: set[str], b: set[str], partners: dict[str, set[str]]
    ) -> Iterator[tuple[str, str, dict[str, float]]]:
        """Yield kind and partner with the works of each set."""
        every = {work: self.countries(work) for work in self.counted.years}
        yield PAIR, "", {w: a | b for w, own in every.items() if own & a and own & b}
        for key, codes in partners.items():
            yield PARTNER, key, {w: a | codes for w, own in every.items() if own & a and own & codes}
        yield OTHERS, "", {w: own - b for w, own in every.items() if own & a and own - a - b}
        yield INTERNATIONAL, "", {w: own for w, own in every.items() if own & b and own - b}

    def authors(self, work: str) -> list[set[str]]:
        """Return the countries of each author, repaired if the study says so."""
        repairs = self.counted.study.apply_repairs
        return [{*(repaired if repairs else recorded)} for recorded, repaired in self.counted.authors.get(work, ())]

    def countries(self, work: str) -> set[str]:
        """Return the countries of a work that its record gives and repairs leave."""
        recorded = {code for codes, _ in self.counted.authors.get(work, ()) for code in codes}
        return set().union(*self.authors(work)) & recorded

    def has(self, work: str, measure: str, b: set[str]) -> bool:
        critical = bool(self.counted.areas.get(work))
        listed = any(level in self.levels for code in b for level in self.counted.levels.get((work, code), ()))
        return {"critical": critical, "listed": listed, "critical_listed": critical and listed}[measure]

    def weight(self, work: str, codes: set[str], counting: str) -> float:
        known, kept = [own for own in self.authors(work) if own], codes & self.countries(work)
        if counting == "full":
            return 1.0
        if counting == "fractional-authors":
            return sum(len(own & kept) / len(own) for own in known) / len(known)
        return len(kept) / len(set().union(*known))


def ends(count: float, of: float, level: float) -> tuple[float, float]:
    """Return the exact ends of a share (Clopper, Pearson 1934)."""
    tail = (1 - level) / 2
    low = beta.ppf(tail, count, of - count + 1) if count else 0.0
    return low, beta.ppf(1 - tail, count + 1, of - count) if count < of else 1.0


def assert_equal_to_a_plain_loop(found: AtlasBaselines, plain: Plain) -> None:
    """Compare every row with sums over works, and every difference with the formula of Zou and Donner."""
    asked = found.asked
    a, b = {*asked.side_a}, {*asked.side_b}
    sets = list(plain.sets(a, b, {key: {*codes} for key, codes in asked.partners.items()}))
    level = 1 - 0.05 / (len(sets) - 1)
    for counting in COUNTINGS:
        for measure in MEASURES:
            rows = found.table.filter(measure=measure, counting=counting).to_dicts()
            assert [(row["kind"], row["partner"]) for row in rows] == [(kind, key) for kind, key, _ in sets]
            weights = [{w: plain.weight(w, codes, counting) for w, codes in works.items()} for *_, works in sets]
            x = {w: plain.has(w, measure, b) for own in weights for w in own}
            for row, own in zip(rows, weights, strict=True):
                assert row["denominator"] == pytest.approx(sum(own.values()))
                assert row["numerator"] == pytest.approx(sum(v for w, v in own.items() if x[w]))
                assert row["in_common"] == len(own.keys() & weights[0].keys())
                assert row["comparisons"] == len(sets) - 1
            shares = [row["numerator"] / row["denominator"] for row in rows]
            trials = [sum(own.values()) ** 2 / sum(v**2 for v in own.values()) for own in weights]
            exact = [ends(p * n, n, level) for p, n in zip(shares, trials, strict=True)]
            pair, p = weights[0], shares[0]
            assert rows[0]["difference"] is None
            for row, own, q, (low, high) in zip(rows[1:], weights[1:], shares[1:], exact[1:], strict=True):
                common = pair.keys() & own.keys()
                covariance = sum(pair[w] * own[w] * (x[w] - p) * (x[w] - q) for w in common)
                spread = [sum((v * (x[w] - s)) ** 2 for w, v in of.items()) for of, s in ((pair, p), (own, q))]
                rho = max(covariance / sqrt(spread[0] * spread[1]), 0.0) if all(spread) else 0.0
                most = sum(pair[w] * own[w] for w in common)
                rho = min(rho, most / sqrt(sum(v**2 for v in pair.values()) * sum(v**2 for v in own.values())))
                down, up, other_down, other_up = p - exact[0][0], exact[0][1] - p, q - low, high - q
                assert row["difference"] == pytest.approx(p - q, abs=2e-9)
                lower = p - q - sqrt(down**2 - 2 * rho * down * other_up + other_up**2)
                upper = p - q + sqrt(up**2 - 2 * rho * up * other_down + other_down**2)
                assert row["difference_low"] == pytest.approx(max(lower, -1), abs=1e-6)
                assert row["difference_high"] == pytest.approx(min(upper, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "partners"), [("BE", "CN", ["US", "EU27"]), ("BE,NL", "CN", ["DE", "JP"]), ("US", "CN,HK", [])]
)
def test_every_number_is_that_of_a_plain_loop_over_synthetic_works(
    a: str, b: str, partners: list[str], atlas: Atlas, snapshot: Path, rules: Rules
) -> None:
    found = baselines_of(atlas, side_of(atlas, a), side_of(atlas, b), partners=partners)
    assert_equal_to_a_plain_loop(found, Plain(Counted(snapshot, rules), rules.lists[0].counted))


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("apply_repairs", [False, True])
def test_every_number_is_that_of_a_plain_loop_over_real_works(
    apply_repairs: bool, real_data: Path, tmp_path: Path
) -> None:
    with gzip.open(real_data / "real" / "works.jsonl.gz") as lines:
        every = map(orjson.loads, lines)
        works = [work for work in every if not countries_of_work(work).isdisjoint(("US", "CN"))]
    snapshot = write_snapshot(tmp_path / "snapshot", [works], ["W1"])
    rules = rules_of(replace(Study.pair("US", "CN", years=(2000, 2025)), apply_repairs=apply_repairs))
    build(snapshot, tmp_path / "atlas", rules, workers=1)
    found = baselines_of(open_atlas(tmp_path / "atlas"), ["US"], ["CN"], partners=["GB", "JP", "EU27"])
    assert found.table.filter(kind=PAIR, measure="critical_listed", counting="full")["numerator"].item() > 0
    assert_equal_to_a_plain_loop(found, Plain(Counted(snapshot, rules), rules.lists[0].counted))


def test_the_command_prints_every_set_of_works_with_its_difference(
    command: Command, atlas: Atlas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("baseline", "Belgium", "CN", "--with", "US,EU27") == 0
    printed = capsys.readouterr().out
    caption, _, listed = printed.partition("\n\n")
    assert caption.startswith("Belgium with China, 2000 to 2025")
    for name in (
        "Belgium with China",
        "United States",
        "the rest of the European Union",
        "any third",
        "China with any",
    ):
        assert listed.count(name) == len(MEASURES)
    assert "SYNTHETIC" in printed and "all 4 differences" in " ".join(printed.split())
    assert command("baseline", "BE", "CN", "--with", "US,EU27", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    table = baselines_of(atlas, ["BE"], ["CN"], partners=["US", "EU27"]).table
    assert answer["baselines"] == table.to_dicts() and answer["synthetic"]


def test_without_a_list_of_side_b_only_critical_works_are_printed(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("baseline", "CN", "BE", "--most", "2") == 0
    printed = capsys.readouterr().out
    assert "No list of this atlas names an institution in Belgium" in printed and "Critical and listed" not in printed


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("CN", "CN"), "CN is on both sides"),
        (("EU27", "BE"), "BE is on both sides"),
        (("BE", "CN", "--with", "CN"), "CN is on a side of the pair"),
        (("BE", "CN", "--with", "Atlantis"), "is not a country"),
        (("BE", "CN", "--counting", "twice"), "there is no 'twice'"),
    ],
)
def test_wrong_sides_and_partners_are_named(
    arguments: tuple[str, ...], what: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("baseline", *arguments) == 2
    assert what in capsys.readouterr().err


def test_a_year_without_works_has_no_shares(atlas: Atlas) -> None:
    empty = Atlas(atlas.folder, atlas.manifest | {"files": {}})
    table = baselines_of(empty, ["BE"], ["CN"], partners=["US"]).table
    assert table["share"].null_count() == table.height == len(MEASURES) * len(COUNTINGS) * 4
    assert table["difference"].null_count() == table.height


def test_several_headline_lists_of_side_b_must_be_chosen_from(atlas: Atlas) -> None:
    rules = {**atlas.manifest["rules"], "headline": {"CN": "one", "RU": "two"}}
    with pytest.raises(InputError, match="several headline lists: one, two"):
        baselines_of(Atlas(atlas.folder, {**atlas.manifest, "rules": rules}), ["BE"], ["CN", "RU"])


def test_nothing_is_explained_where_the_atlas_has_no_works(atlas: Atlas) -> None:
    assert explain(atlas, "BE", "CN", years=[1890]).is_empty()


@pytest.fixture(scope="module")
def counted(atlas: Atlas, demo_study: Study) -> bytes:
    """The file of baselines of the study demo."""
    found = baselines_of(atlas, ["BE"], ["CN"], partners=["US", "EU27"])
    return file_of(atlas, found, resolve(demo_study))


def study_with(demo_study: Study, file: Path, **changes: Any) -> Study:
    """Return the study demo, which names a file of baselines."""
    text = demo_study.raw.partition("# What a healthy run")[0] + f'[comparison]\nbaselines = "{file.name}"\n'
    return replace(studyfile.parse_study(text, folder=file.parent), **changes)


def test_a_run_has_the_baselines_that_its_study_names_and_is_verified_without_the_atlas(
    atlas: Atlas, snapshot: Path, demo_study: Study, counted: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "baselines.json"
    file.write_bytes(counted)
    works = tmp_path / "works.jsonl"
    extract(snapshot, works, parse_pairs(["BE:CN"]))
    places = {"cache": tmp_path / "cache", "reports": tmp_path / "reports"}
    run = copub.run(study_with(demo_study, file), works=[works], **places, workers=1)
    table = baselines_of(atlas, ["BE"], ["CN"], partners=["US", "EU27"]).table
    assert run.tables["baselines"].to_dicts() == table.to_dicts()
    shares = run.tables["shares"].filter(pl.col("slice_kind") == "all", pl.col("measure").is_in(MEASURES))
    key = ["measure", "counting"]
    of_pair = run.tables["baselines"].filter(kind=PAIR).sort(key)
    assert of_pair.select(*key, *SHARES).to_dicts() == shares.sort(key).select(*key, *SHARES).to_dicts()
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("Belgium with the rest of the European Union") == len(MEASURES)
    sheet = openpyxl.load_workbook(run.folder / "workbook.xlsx")["Baselines"]
    assert [row[0] for row in sheet.iter_rows(values_only=True)].count("Belgium with China") == 9
    file.unlink()
    verified = copub.verify(run, cache=places["cache"], works=[works])
    assert verified.is_same and "baselines" in verified.tables["table"].to_list()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"side_a": ["NL"]}, "side A is NL there and BE here"),
        ({"side_b": ["CN", "HK"]}, r"side B is CN\+HK there"),
        ({"year_from": 2001}, "the years are 2001 to 2025 there and 2000 to 2025 here"),
        ({"synthetic": False}, "the works are not synthetic there"),
        ({"model": {"id": "eu-2023-2113", "hash": "0" * 64}}, "the model eu-2023-2113 has different content"),
        ({"taxonomy": {"id": "eu-2023-2113", "hash": "0" * 64}}, "the taxonomy eu-2023-2113 has different content"),
        ({"watchlists": [{"id": "demo-list", "hash": "0" * 64}]}, "the watchlist demo-list has different content"),
        ({"watchlists": []}, "the watchlist is  there and demo-list here"),
        ({"levels": ["very high"]}, "screening.levels is very high there and very high, high here"),
        ({"settings": {"include_medical": False}}, "screening.include_medical is False there and True here"),
        ({"settings": {"tiers": ["identifier"]}}, "screening.tiers is "),
        ({"settings": {"unheard_of": 1}}, "unheard_of is 1 there and None here"),
    ],
)
def test_baselines_of_other_rules_are_refused_with_what_differs(
    changes: dict[str, Any], what: str, demo_study: Study, counted: bytes, tmp_path: Path
) -> None:
    (tmp_path / "baselines.json").write_bytes(orjson.dumps(signed(orjson.loads(counted) | changes)))
    with pytest.raises(FileError, match=f"comparison.baselines: .*{what}"):
        resolve(study_with(demo_study, tmp_path / "baselines.json"))


@pytest.mark.parametrize("changes", [{"share": 7.5}, {"numerator": 99999.0}, {"partner": "DE"}, None])
def test_a_file_of_baselines_that_was_changed_since_it_was_written_is_refused(
    changes: dict[str, Any] | None, demo_study: Study, counted: bytes, tmp_path: Path
) -> None:
    values = orjson.loads(counted)
    if changes is None:
        values["rows"] = values["rows"][:5]
    else:
        values["rows"][0] |= changes
    (tmp_path / "baselines.json").write_bytes(orjson.dumps(values))
    with pytest.raises(InputError, match="was changed after copub wrote it"):
        resolve(study_with(demo_study, tmp_path / "baselines.json"))


def test_an_atlas_that_does_not_name_its_model_writes_no_file_for_a_study(atlas: Atlas) -> None:
    rules = {name: value for name, value in atlas.manifest["rules"].items() if name != "model"}
    older = replace(atlas, manifest=atlas.manifest | {"rules": rules})
    with pytest.raises(InputError, match="does not say which model"):
        file_of(older, baselines_of(older, ["BE"], ["CN"], partners=["US"]))


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b"{}", b"no JSON", b'{"kind": "labels"}', b"\xff\xfe", b"[" * 100_000], ids=range(7)
)
def test_a_damaged_file_of_baselines_is_named(damage: bytes, demo_study: Study, tmp_path: Path) -> None:
    (tmp_path / "baselines.json").write_bytes(damage)
    with pytest.raises(InputError, match=r"the file of baselines .*") as error:
        resolve(study_with(demo_study, tmp_path / "baselines.json"))
    assert "copub atlas baseline" in error.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "planets"},
        {"measure": "fame"},
        {"counting": "twice"},
        {"position": 10**10},
        {"countries": ["x"]},
        {"a": 1},
    ],
)
def test_a_row_that_no_atlas_counts_is_refused(
    changes: dict[str, Any], demo_study: Study, counted: bytes, tmp_path: Path
) -> None:
    values = orjson.loads(counted)
    values["rows"][3] |= changes
    (tmp_path / "baselines.json").write_bytes(orjson.dumps(values))
    with pytest.raises(InputError, match="the file of baselines is damaged"):
        resolve(study_with(demo_study, tmp_path / "baselines.json"))


def test_a_country_without_a_name_is_named_by_its_code() -> None:
    assert set_name(load_messages("nl"), "België", "China", PARTNER, "XX", ["XX"]) == "België met XX"


def test_the_pair_of_a_panel_has_no_baselines_of_the_whole() -> None:
    panel = replace(load_study("eu-china"), baselines="/baselines.json")
    assert panel.of_pair("BE").baselines == ""


def test_the_file_is_that_of_the_command_and_counted_again_for_a_study_that_names_an_older_one(
    command: Command, demo_study: Study, counted: bytes, tmp_path: Path
) -> None:
    study, out = tmp_path / "study.toml", tmp_path / "baselines.json"
    out.write_bytes(orjson.dumps(signed(orjson.loads(counted) | {"year_from": 1990})))
    study.write_text(study_with(demo_study, out).raw, encoding="utf-8")
    assert command("baseline", "--study", study, "--with", "US,EU27", "--out", out) == 0
    assert out.read_bytes() == counted


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("BE",), "two sides are wanted, or a study"),
        (("BE", "CN", "--study", "demo"), "two sides are wanted, or a study"),
        (("--study", "demo", "--year", "2019"), "two sides are wanted, or a study"),
        (("--study", "belgium-china"), "no list of this atlas is aspi-cdut-2019"),
        (("BE", "CN", "--out", "b.csv"), "cannot write .csv"),
        (("BE", "CN", "--area", "AI", "--out", "b.json"), "baselines of one area alone"),
        (("CN", "BE", "--out", "b.json"), "a side of which no list names an institution"),
    ],
)
def test_no_file_is_written_that_no_study_can_name(
    arguments: tuple[str, ...],
    what: str,
    command: Command,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("baseline", *arguments) == 2
    assert what in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_atlas_of_other_rules_writes_no_file_for_a_study(atlas: Atlas, demo_study: Study) -> None:
    question = resolve(replace(demo_study, include_medical=False, year_to=2024))
    found = baselines_of(atlas, ["BE"], ["CN"], partners=["US"])
    with pytest.raises(InputError, match=r"to 2025 there and 2000 to 2024 here; screening.include_medical is True"):
        file_of(atlas, found, question)
