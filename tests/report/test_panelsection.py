"""The part of the page on a panel: every pair, the reference marked, links to pages, and nothing for one pair."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

import openpyxl
import polars as pl
import pytest

from copub.report import panelsection
from copub.report.charts import dot_chart, multiples_chart
from copub.report.drawing import NARROW, PAINT, WIDE, draw
from copub.report.facts import Facts, facts_of
from copub.report.messages import load_messages
from copub.report.panelfacts import pair_names, pair_pages, panel_rows, panel_sentences
from copub.report.panelsection import event_section, panel_section
from copub.report.workbook import build_workbook
from copub.schema import empty
from copub.shipped import shipped_folder

WORDS = load_messages("en")


@pytest.fixture
def facts(world: Any, undrawn: None) -> Facts:
    return facts_of(*world)


def section_of(facts: Facts) -> Any:
    section = panel_section(facts)
    assert section is not None
    return section


def test_pairs_are_in_the_order_of_their_shares_and_those_without_works_last(facts: Facts) -> None:
    grid = section_of(facts).figures[0].grid
    names = [row[0].text for row in grid.rows]
    assert sorted(names) == ["Austria", "Belgium", "France", "Germany", "Luxembourg", "Malta"]
    assert names[-1] == "Malta"
    shares = panel_rows(facts)["share"].drop_nulls().to_list()
    assert shares == sorted(shares, reverse=True)


def test_a_table_has_every_measure_and_a_figure_its_numbers(facts: Facts) -> None:
    section = section_of(facts)
    _, others = section.extra["more"]
    assert [len(grid.rows) for grid in others] == [6, 6, 6]
    assert [figure.id for figure in section.figures] == ["panel", "panel-years"]
    assert all(figure.grid.rows for figure in section.figures)


def test_small_pairs_are_marked_and_only_a_pair_with_a_run_of_its_own_is_a_link(facts: Facts) -> None:
    cells = {row[0].text: row[0] for row in section_of(facts).figures[0].grid.rows}
    assert {name for name, cell in cells.items() if cell.mark} == {"Luxembourg", "Malta"}
    page = "../../mock-be-cn/20261121-200000-abcdef12/report.html"
    assert {name: cell.link for name, cell in cells.items() if cell.link} == {"Belgium": page}
    assert pair_pages(facts) == {"BE-CN": page}


def test_the_page_has_the_link_and_a_run_of_one_pair_has_no_such_part(page_file: Any, make_world: Any) -> None:
    html = page_file.read_text(encoding="utf-8")
    assert '<a href="../../mock-be-cn/' in html
    tables, manifest = make_world(50)
    assert panel_section(facts_of({**tables, "panel": empty("panel")}, manifest)) is None
    assert panel_sentences(facts_of({**tables, "panel": empty("panel")}, manifest)) == []


def panel_of(facts: Facts, changes: dict[str, dict[str, Any]], language: str = "en") -> list[str]:
    """Return the sentences on a panel in which rows of pairs have other values."""
    rows = [row | changes.get(row["pair"], {}) for row in facts.table("panel").iter_rows(named=True)]
    frame = pl.DataFrame(rows, schema=facts.table("panel").schema)
    study = {**facts.study, "language": language}
    return panel_sentences(facts_of({**facts.tables, "panel": frame}, {**facts.manifest, "study": study}))


def test_the_sentences_name_the_first_of_enough_works_and_the_reference(facts: Facts) -> None:
    first, own = panel_of(facts, {"DE-CN": {"share": 0.3, "rank_high": 3.0}, "LU-CN": {"share": 0.9}})
    assert first.startswith(
        "Of 6 pairs, 4 rest on enough works to be compared. The largest share is that of Germany: 30.0% ("
    )
    assert first.endswith("Its rank is 3 of 5; the true rank can be anywhere from 1 to 3.")
    assert own.startswith("Belgium: ") and own.endswith(
        "Its rank is 2 of 5; the true rank can be anywhere from 1 to 5."
    )


def test_of_pairs_with_the_same_largest_share_none_is_named_alone(facts: Facts) -> None:
    first, *_ = panel_of(facts, {"BE-CN": {"share": 0.9}, "DE-CN": {"share": 0.9}})
    assert first.endswith("2 have the largest share, 90.0%: Belgium; Germany.")
    first, *_ = panel_of(facts, {key: {"share": 0.9} for key in ("AT-CN", "BE-CN", "DE-CN", "FR-CN")})
    assert first.endswith("Their share is the same, 90.0%.")


def test_where_one_pair_alone_rests_on_enough_works_it_is_not_called_the_largest(facts: Facts) -> None:
    first, *_ = panel_of(facts, {key: {"is_small": True} for key in ("AT-CN", "BE-CN", "DE-CN")})
    assert first.startswith("Of 6 pairs, 1 rests on enough works to be compared. France: ")


def test_where_chance_leaves_every_order_open_it_is_said_once_and_no_rank_is_given(facts: Facts) -> None:
    pairs = facts.table("panel")["pair"].unique()
    *others, last = panel_of(facts, {key: {"rank_low": 1.0, "rank_high": 5.0} for key in pairs})
    assert last == "The differences between the pairs are within chance: every order of them is possible."
    assert not any("rank" in line for line in others)


def test_a_rank_that_is_beyond_chance_has_no_range(facts: Facts) -> None:
    first, *_ = panel_of(facts, {"DE-CN": {"share": 0.9, "rank": 1.0, "rank_low": 1.0, "rank_high": 1.0}})
    assert first.endswith("Its rank is 1 of 5, which is more than chance.")


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
def test_a_pair_of_several_countries_needs_no_verb_in_the_singular(facts: Facts, language: str) -> None:
    study = {**facts.study, "language": language}
    side = {"name": "Belgium and Netherlands", "countries": ["BE", "NL"]}
    study["pairs"] = [*study["pairs"], {**study["pairs"][0], "side_a": side}]
    changes = {"pair": pl.col("pair").replace({"DE-CN": "BE+NL-CN"})}
    frame = facts.table("panel").with_columns(**changes).filter(pl.col("pair") == "BE+NL-CN")
    first, *_ = panel_sentences(facts_of({**facts.tables, "panel": frame}, {**facts.manifest, "study": study}))
    name = {"en": "Belgium and Netherlands", "fr": "Belgique et Pays-Bas", "nl": "België en Nederland"}[language]
    assert f"{name}\N{NO-BREAK SPACE}:" in first or f"{name} :" in first or f"{name}:" in first


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
def test_pairs_that_the_lists_do_not_cover_are_not_compared_and_named(facts: Facts, language: str) -> None:
    pairs = [pair | {"side_b": {"name": "Japan", "countries": ["JP"]}} for pair in facts.study["pairs"][3:]]
    study = {**facts.study, "language": language, "pairs": [*facts.study["pairs"][:3], *pairs]}
    manifest = {**facts.manifest, "study": study}
    frame = facts.table("panel").with_columns(pl.col("pair").str.replace("(FR|LU|MT)-CN", "$1-JP"))
    is_china = pl.col("pair").str.ends_with("CN")
    first, *_, last = panel_sentences(
        facts_of({**facts.tables, "panel": frame.with_columns(is_covered=is_china)}, manifest)
    )
    assert "3" in first and "6" not in first
    assert "JP" in last or "Japan" in last or "Japon" in last
    pairs = panel_sentences(facts_of({**facts.tables, "panel": frame.with_columns(is_covered=~is_china)}, manifest))
    assert "China" in pairs[-1] or "Chine" in pairs[-1]


def test_a_reference_without_works_is_said_to_have_none(facts: Facts) -> None:
    study = {**facts.study, "reference": "MT-CN"}
    _, own, *_ = panel_sentences(facts_of(facts.tables, {**facts.manifest, "study": study}))
    assert own == "Malta: no works, so nothing is compared with this pair."


def test_no_pair_is_named_as_the_first_if_all_rest_on_few_works(facts: Facts) -> None:
    few = facts.table("panel").with_columns(is_small=True)
    sentence, own, _ = panel_sentences(facts_of({**facts.tables, "panel": few}, facts.manifest))
    assert sentence == "None of the pairs has enough works to be named as the first."
    assert own.startswith("Belgium: ")


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
def test_the_part_is_written_in_every_language(make_world: Any, undrawn: None, language: str) -> None:
    section = section_of(facts_of(*make_world(60, language=language)))
    words = load_messages(language)
    assert section.title == words.say("section.panel")
    assert all(section.paragraphs)


def test_a_pair_has_the_name_of_the_side_that_makes_it_differ(facts: Facts) -> None:
    def names(*pairs: tuple[str, str]) -> dict[str, str]:
        sides = [
            {
                side: {"name": code.lower(), "countries": [code]}
                for side, code in zip(("side_a", "side_b"), pair, strict=True)
            }
            for pair in pairs
        ]
        study = {**facts.study, "pairs": sides}
        return pair_names(facts_of(facts.tables, {**facts.manifest, "study": study}))

    assert names(("BE", "CN"), ("NL", "CN")) == {"BE-CN": "be", "NL-CN": "nl"}
    assert names(("BE", "CN"), ("BE", "RU")) == {"BE-CN": "cn", "BE-RU": "ru"}
    assert names(("BE", "CN"), ("NL", "RU")) == {"BE-CN": "be – cn", "NL-RU": "nl – ru"}


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_charts_are_valid_in_the_colours_of_the_page(world: Any, width: int) -> None:
    facts = facts_of(*world)
    names = pair_names(facts)
    rows = [
        {**row, "label": names[row["pair"]], "is_first": row["pair"] == "BE-CN", "text": "t"}
        for row in panel_rows(facts).drop_nulls("share").iter_rows(named=True)
    ]
    charts = (
        dot_chart(rows, 0.1, WORDS, width),
        multiples_chart(facts.table("panel_periods"), names, "BE-CN", WORDS, width),
    )
    for chart in charts:
        chart.to_dict(validate=True)
        drawn = draw(chart, "en-US")
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn))
        assert colours <= {*PAINT.values(), "none", "transparent"}
        assert "var(--accent)" in colours  # the reference
        assert drawn.count("data-tip") >= len(rows)


def test_nothing_to_draw_is_none() -> None:
    assert dot_chart([], None, WORDS, WIDE) is None
    assert multiples_chart(empty("panel_periods"), {"BE-CN": "Belgium"}, "", WORDS, WIDE) is None


def test_the_workbook_has_a_sheet_of_the_panel_with_a_chart_of_its_headline(world: Any) -> None:
    tables, manifest = world
    book = openpyxl.load_workbook(io.BytesIO(build_workbook(tables, manifest)))
    sheet = book["Panel"]
    heads = [cell.value for cell in sheet[1]]
    assert heads[:3] == ["Pair", "Measure", "Counting"]
    assert sheet.max_row == 1 + tables["panel"].height
    assert {row[1].value for row in list(sheet.rows)[1:7]} == {"Critical and listed"}
    (chart,) = sheet._charts
    assert chart.series[0].val.numRef.f == "Panel!$F$2:$F$7"
    without = build_workbook({**tables, "panel": empty("panel")}, manifest)
    assert "Panel" not in openpyxl.load_workbook(io.BytesIO(without)).sheetnames


def test_events_are_shown_against_the_rest_of_the_panel_with_their_placebo_dates(facts: Facts) -> None:
    section = event_section(facts)
    assert section is not None
    (figure,) = section.figures
    assert "A mock event" in figure.title
    assert [row[0].text for row in figure.grid.rows] == ["Luxembourg", "France", "Germany", "Belgium", "Austria"]
    assert {row[-1].text for row in figure.grid.rows} == {f"{number} of 8" for number in range(5)}
    assert "5 intervals" in section.paragraphs[0]
    without = facts_of({**facts.tables, "panel_events": empty("panel_events")}, facts.manifest)
    assert event_section(without) is None


def test_the_line_of_the_chart_is_the_share_of_the_pairs_and_not_of_the_sides_as_a_whole(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[float | None]()
    monkeypatch.setattr(panelsection, "dot_chart", lambda rows, whole, words, width: drawn.append(whole))
    # each of the pairs has with the rest 9 of 150 works, one that is not covered another number
    frame = facts.table("panel").with_columns(
        is_covered=pl.col("pair") != "AT-CN", numerator=pl.lit(4.0), denominator=pl.lit(100.0),
        rest_numerator=pl.when(pl.col("pair") == "AT-CN").then(20.0).otherwise(5.0), rest_denominator=pl.lit(50.0),
    )  # fmt: skip

    facts = facts_of({**facts.tables, "panel": frame}, facts.manifest)
    section_of(facts)
    assert drawn == [9 / 150]
    own = frame.with_columns(counting=pl.lit("fractional-authors"))
    study = {**facts.study, "counting": "fractional-authors"}
    section_of(facts_of({**facts.tables, "panel": pl.concat([frame, own])}, {**facts.manifest, "study": study}))
    assert drawn == [9 / 150, None]  # parts of works of a pair are not those of the whole


def test_the_command_for_the_page_of_a_pair_names_the_file_of_a_study_of_ones_own_and_its_works(facts: Facts) -> None:
    inputs = [{"kind": "study", "id": "mine", "files": [{"file": "inputs/study.toml", "name": "mine.toml"}]}]
    source = {"kind": "works-files", "files": [{"name": "works.jsonl.gz", "sha256": ""}]}
    own = facts_of(facts.tables, {**facts.manifest, "inputs": inputs, "source": source})
    assert "copub run mine.toml --works works.jsonl.gz --pair BE-CN" in section_of(own).paragraphs[-1]
    shipped = facts_of(facts.tables, {**facts.manifest, "inputs": [], "source": {}})
    assert f"copub run {facts.study['id']} --pair BE-CN" in section_of(shipped).paragraphs[-1]


def test_the_command_names_a_shipped_study_by_its_id_and_a_changed_copy_by_its_file(facts: Facts) -> None:
    path = shipped_folder("studies") / "eu-china.toml"
    study = {**facts.study, "id": "eu-china"}
    for text, name in ((path.read_bytes(), "eu-china"), (path.read_bytes() + b"\n", "eu-china.toml")):
        files = [{"file": "inputs/study.toml", "name": "eu-china.toml", "sha256": hashlib.sha256(text).hexdigest()}]
        inputs = [{"kind": "study", "id": "eu-china", "files": files}]
        made = facts_of(facts.tables, {**facts.manifest, "study": study, "inputs": inputs, "source": {}})
        assert made.command == f"copub run {name}"
