"""Published figures: the shipped files, what can be compared and what cannot, and the verdicts."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from copub.errors import FileError, InputError
from copub.lists.published import KINDS, Published, load_published, read_published
from copub.lists.tomlfile import parse_toml
from copub.measures.comparison import comparison
from copub.shipped import shipped_names
from copub.study import Side

from .worlds import STUDY, measured, study

HEAD = """
id = "x"
title = "x"
source = "x"
side_a = ["BE"]
side_b = ["CN"]
levels = ["very high", "high"]
differences = ["d"]
"""


def figure(kind: str, **keys: object) -> str:
    common = {
        "id": "f",
        "name": "n",
        "period": "p",
        "kind": kind,
        "value": 1,
        "definition": "d",
        "status": "stated",
        "source": "s",
    }
    lines = [
        f"{key} = {value if isinstance(value, int | float) else repr(value)}"
        for key, value in {**common, **keys}.items()
    ]
    return "[[figure]]\n" + "\n".join(lines) + "\n"


def published(*figures: str) -> Published:
    return read_published(parse_toml(HEAD + "".join(figures), name="own.toml"))


def tables_of(size: int = 40) -> dict[str, pl.DataFrame]:
    return measured(3, size)


def compared(*figures: str, asked=STUDY, size: int = 40, is_census: bool = True) -> list[dict[str, object]]:
    rows = comparison(asked, [published(*figures)], tables_of(size), is_census=is_census).rows(named=True)
    return [row for row in rows if row["reading"] == "as this study"]


def test_shipped_files_are_valid_and_name_definition_status_and_source() -> None:
    names = shipped_names("taxonomies/published")
    assert {"sino-belgian-2024", "ceias-belgium-2026"} <= set(names)
    for name in names:
        file = load_published(name)
        assert file.differences
        for one in file.figures:
            assert one.definition and one.source and one.kind in KINDS


def test_derived_figures_follow_from_the_stated_ones() -> None:
    values = {f.id: f.value for f in load_published("sino-belgian-2024").figures}
    assert [values[f"T{n}"] for n in range(3, 9)] == [30, 812, 1664, 4, 145, 373]
    assert values["T9-2016"] == pytest.approx(values["T7"] / values["T4"], abs=1e-6)
    assert values["T10"] == pytest.approx(values["T5"] / values["T4"], abs=1e-6)
    assert values["T11"] == pytest.approx(values["T8"] / values["T7"], abs=1e-6)
    assert values["growth-listed-2016"] == pytest.approx(0.108, abs=5e-4)
    assert values["growth-critical-listed-2001"] == pytest.approx(0.229, abs=5e-4)


def test_scale_free_figures_come_first_and_context_last() -> None:
    rows = compared(figure("context"), figure("count", measure="listed", year=2016), figure("share", measure="listed"))
    assert [row["kind"] for row in rows] == ["share", "count", "context"]
    assert [row["scale_free"] for row in rows] == [True, False, False]


def test_a_share_is_held_against_our_interval() -> None:
    tables = tables_of(120)
    own = tables["shares"].row(
        by_predicate=(pl.col("measure") == "listed") & (pl.col("slice_kind") == "all") & (pl.col("counting") == "full"),
        named=True,
    )
    inside, outside = compared(
        figure("share", measure="listed", value=own["share"]), figure("share", measure="listed", value=0.999), size=120
    )
    assert (inside["ours"], inside["ours_works"]) == pytest.approx((own["share"], own["denominator"]))
    assert inside["verdict"] == "within our interval" and outside["verdict"] == "outside our interval"
    assert inside["holds"] is True and outside["holds"] is False
    (few,) = compared(figure("share", measure="listed", year=2016))
    assert few["verdict"] == "cannot tell" and few["holds"] is None
    assert few["reasons"] == ["our figure rests on too few works"] and few["left_open"] == []


def test_no_verdict_comes_from_works_files() -> None:
    for kind, keys in (("share", {"measure": "listed"}), ("rank", {"measure": "critical", "area": "area-1"})):
        (row,) = compared(figure(kind, **keys), is_census=False)
        assert row["verdict"] == "cannot tell"
        assert row["reasons"][0] == "works files are a part of the database, of unknown selection"
        assert row["ours"] is not None and row["holds"] is None


def test_what_the_source_leaves_open_is_named_and_shown_under_each_reading() -> None:
    keys = {"measure": "critical_listed", "value": 0.3, "year_from": 2016, "year_to": 2018}
    left = ["levels", "database", "period", "counting", "dates"]
    source = published(figure("share", **keys) + f"open = {left!r}\n")
    tables = tables_of(120)
    rows = {row["reading"]: row for row in comparison(STUDY, [source], tables, is_census=True).iter_rows(named=True)}
    assert {(row["verdict"], *row["left_open"]) for row in rows.values()} == {("cannot tell", *left)}
    every = tables["copublications"].filter("is_critical", pl.col("listing_category") != "none").height
    assert rows["every listed entity"]["ours"] == pytest.approx(every / tables["copublications"].height)
    within = tables["copublications"].filter(pl.col("publication_year").is_between(2016, 2018))
    assert rows["years 2016 to 2018"]["ours"] == pytest.approx(within["is_critical_listed"].mean())
    own = tables["shares"].filter(measure="critical_listed", slice_kind="all")
    for counting in ("fractional-authors", "fractional-countries"):
        assert rows[counting]["ours"] == pytest.approx(own.filter(counting=counting)["share"][0])
    for row in rows.values():
        if row["holds"] is not None:
            assert row["holds"] == (row["ours_low"] <= 0.3 <= row["ours_high"])
    assert rows["as this study"]["holds"] is not None


def test_a_conditional_share_under_another_reading_is_of_that_readings_counts() -> None:
    source = published(figure("share", measure="critical_given_listed") + "open = ['levels']\n")
    tables = tables_of(120)
    (row,) = comparison(STUDY, [source], tables, is_census=True).filter(reading="every listed entity").rows(named=True)
    named = tables["copublications"].filter(pl.col("listing_category") != "none")
    assert row["ours"] == pytest.approx(named["is_critical"].mean()) and row["ours_works"] == named.height


def test_ratio_and_growth_follow_the_counts_of_the_years() -> None:
    trend = tables_of()["trends"].filter(measure="copublications", counting="full")
    count = dict(trend.select("year", "count").iter_rows())
    keys = {"measure": "copublications", "year_from": 2016, "year_to": 2019}
    rows = {row["kind"]: row for row in compared(figure("ratio", **keys), figure("growth", **keys))}
    assert rows["ratio"]["ours"] == pytest.approx(count[2019] / count[2016])
    assert rows["growth"]["ours"] == pytest.approx((count[2019] / count[2016]) ** (1 / 3) - 1)
    for row in rows.values():
        assert row["ours_low"] < row["ours"] < row["ours_high"]


def test_counts_of_different_databases_get_no_verdict_of_agreement() -> None:
    (row,) = compared(figure("count", measure="copublications", year=2016, value=5))
    assert row["verdict"] == "counts of different sources"


def test_rank_and_direction() -> None:
    areas = (
        tables_of()["shares"].filter(measure="critical", slice_kind="area", counting="full").sort("numerator", "slice")
    )
    last = areas["slice"][0]
    rank, sign = compared(figure("rank", measure="critical", area=last, value=1), figure("sign", measure="listed"))
    assert rank["ours"] == 1 + (areas["numerator"] > areas["numerator"][0]).sum()
    assert rank["ours_low"] <= rank["ours"] <= rank["ours_high"]
    assert "direction" in sign["verdict"] or sign["reasons"]


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ({"a": 100, "b": 50, "c": 10}, (2.0, 2.0, 2.0)),  # beyond chance to either side
        ({"a": 52, "b": 50, "c": 48}, (2.0, 1.0, 3.0)),  # any rank is possible
        ({"a": 100, "b": 50, "c": 50}, (2.0, 2.0, 3.0)),  # ties share the better rank
    ],
)
def test_a_rank_has_the_ranks_that_chance_leaves(counts: dict[str, int], wanted: tuple[float, ...]) -> None:
    rows = {"measure": "critical", "counting": "full", "slice_kind": "area", "slice": list(counts),
            "numerator": [float(n) for n in counts.values()]}  # fmt: skip
    source = published(figure("rank", measure="critical", area="b", value=3))
    tables = {**tables_of(), "shares": pl.DataFrame(rows)}
    (row,) = comparison(STUDY, [source], tables, is_census=True).rows(named=True)
    assert (row["ours"], row["ours_low"], row["ours_high"]) == wanted
    assert row["verdict"] == ("other rank" if wanted[2] < 3 else "a rank that chance leaves possible")


@pytest.mark.parametrize(
    ("changes", "keys", "why"),
    [
        ({"side_a": Side("Vietnam", ("VN",))}, {}, "another pair of countries"),
        ({"levels": ("very high",)}, {}, "they count other levels: very high, high"),
        ({}, {"year": 2001}, "the study does not hold this year: 2001"),
    ],
)
def test_what_is_not_comparable_says_why(changes: dict[str, object], keys: dict[str, object], why: str) -> None:
    (row,) = compared(figure("share", measure="listed", **keys), asked=study(**changes))
    assert row["ours"] is None and row["verdict"] == "not comparable" and row["reasons"] == [why]


def test_a_run_without_works_compares_nothing() -> None:
    figures = [
        figure("share", measure="listed"),
        figure("sign", measure="listed"),
        figure("ratio", measure="listed", year_from=2016, year_to=2017),
        figure("rank", measure="critical", area="area-1"),
    ]
    rows = compared(*figures, size=0)
    assert all(row["verdict"] == "not comparable" for row in rows)


def test_ties_compare_with_the_ties_given() -> None:
    table = pl.DataFrame({"area": ["all links"], "links": [7], "at_counted_levels": [2]})
    tables = {**tables_of(), "tie_areas": table}
    source = published(figure("ties", row="all links", column="at_counted_levels", value=57))
    assert comparison(STUDY, [source], tables, is_census=True)["ours"].to_list() == [2.0]
    (row,) = compared(figure("ties", row="all links", column="links", value=266))
    assert row["reasons"] == ["no ties are given to this study"]


@pytest.mark.parametrize(
    ("areas", "row", "why"),
    [
        ({"all links": 5, "any priority area": 0}, "any priority area", "the ties at hand name no priority area"),
        ({"all links": 5, "any priority area": 0}, "materials", "the ties at hand name no priority area"),
        (
            {"all links": 5, "any priority area": 2, "chips": 2},
            "materials",
            "no tie at hand is in this area: materials",
        ),
    ],
)
def test_ties_without_the_area_are_no_zero(areas: dict[str, int], row: str, why: str) -> None:
    table = pl.DataFrame({"area": list(areas), "links": list(areas.values()), "at_counted_levels": 0})
    source = published(figure("ties", row=row, column="links", value=39))
    (found,) = comparison(STUDY, [source], {**tables_of(), "tie_areas": table}, is_census=True).rows(named=True)
    assert found["ours"] is None and (found["verdict"], found["reasons"]) == ("not comparable", [why])


def test_shipped_figures_say_what_their_sources_leave_open() -> None:
    for name in ("sino-belgian-2024", "ceias-belgium-2026"):
        file = load_published(name)
        for one in file.figures:
            if one.kind in ("share", "ratio", "growth", "rank", "sign"):
                assert "database" in file.open_of(one), one.id
    source = load_published("sino-belgian-2024")
    assert {"levels", "period"} <= set(source.open_of(next(f for f in source.figures if f.id == "T1")))


def test_an_unknown_item_that_is_left_open_is_a_fault() -> None:
    with pytest.raises(FileError, match="write a list of: levels, database"):
        published(figure("share", measure="listed") + 'open = ["weather"]\n')


def test_all_faults_of_a_file_are_named_with_their_lines() -> None:
    text = HEAD + figure("share", measure="nonsense", status="heard") + figure("count", measure="listed", value="many")
    with pytest.raises(FileError) as error:
        read_published(parse_toml(text + 'colour = "red"\n', name="own.toml"))
    message = str(error.value)
    for part in (
        "unknown measure 'nonsense'",
        "unknown status 'heard'",
        "value is 'many'",
        "year is None",
        "unknown key 'colour'",
    ):
        assert part in message
    assert "own.toml:9" in message or "own.toml:1" in message


def test_an_unknown_file_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match="sino-belgian-2024"):
        load_published("no-such-file")


def test_figures_of_a_file_are_immutable() -> None:
    file = load_published("ceias-belgium-2026")
    assert replace(file, id="other").id == "other" and file.id == "ceias-belgium-2026"
