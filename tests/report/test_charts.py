"""Rules of the charts: valid, coloured by the page alone, inert, and absent where there is nothing to draw."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import polars as pl
import pytest

from copub.report.charts import difference_chart, overlap_chart, specification_chart, trend_chart
from copub.report.details import drawn_specifications
from copub.report.drawing import NARROW, PAINT, WIDE, draw
from copub.report.maps import network_chart, pair_chart
from copub.report.messages import load_messages
from copub.schema import TABLES, empty

WORDS = load_messages("en")
EVENTS = [{"date": "2024-01", "label": "An event"}, {"date": "2025-05-05", "label": "Another"}, {"date": "soon"}]
BARS = [{"label": "Quantum", "whole": 10.0, "part": 4.0, "text": "4 of 10"}]
POINTS = [{"label": "a: b", "value": 0.1, "low": 0.05, "high": 0.2, "is_small": n > 0} for n in range(2)]


def _specifications(n: int) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(TABLES["specifications"].schema), "taxonomy": f"t{i:05}", "share": (i * 7919 % n) / n,
         "ci_low": 0.0, "ci_high": 1.0, "is_study": i == 5, "is_small": i % 7 == 0}
        for i in range(n)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TABLES["specifications"].schema)


def _charts(world: Any, width: int) -> dict[str, Any]:
    tables, _ = world
    return {
        "trend": trend_chart(
            *(tables[name].filter(pl.col("counting") == "full") for name in ("trends", "periods")), WORDS, width, EVENTS
        ),
        "overlap": overlap_chart(BARS, WORDS, width),
        "differences": difference_chart(POINTS, WORDS, width),
        "curve": specification_chart(drawn_specifications(_specifications(50)), WORDS, width),
        "pairs": pair_chart(tables["pairs"], width, a="A", b="B"),
        "network": network_chart(tables["pairs"], width, a="A", b="B"),
    }


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_specification_is_valid_and_draws(world: Any, width: int) -> None:
    for name, chart in _charts(world, width).items():
        chart.to_dict(validate=True)
        drawn = draw(chart, "en-US")
        assert drawn.startswith("<svg aria-hidden"), name
        assert "<script" not in drawn and " href" not in drawn and " style=" not in drawn, name


def test_every_colour_is_one_of_the_page(world: Any) -> None:
    for name, chart in _charts(world, WIDE).items():
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', draw(chart, "en-US")))
        assert colours <= {*PAINT.values(), "none", "transparent"}, name


def test_nothing_to_draw_is_none() -> None:
    assert trend_chart(empty("trends"), empty("periods"), WORDS, WIDE) is None
    assert overlap_chart([], WORDS, WIDE) is None
    assert difference_chart([], WORDS, WIDE) is None
    assert pair_chart(empty("pairs"), WIDE, a="A", b="B") is None
    assert network_chart(empty("pairs"), WIDE, a="A", b="B") is None


NASTY = ("<script>alert(1)</script>", "a\x00b\x1bc", "\u202eevil", "x" * 10_000, "&<>\"'", "\ufffe")


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_drawn_as_text(text: str) -> None:
    drawn = draw(overlap_chart([{**BARS[0], "label": text}], WORDS, WIDE), "en-US")
    assert "<script" not in drawn and "\u202e" not in drawn
    assert len(drawn) < 20_000


def test_axes_follow_the_language() -> None:
    drawn = draw(overlap_chart([{**BARS[0], "whole": 120_000.0}], WORDS, WIDE), "nl-NL")
    assert ">100.000<" in drawn


def test_the_same_frame_gives_the_same_drawing(world: Any) -> None:
    first, second = (_charts(world, WIDE) for _ in range(2))
    assert [draw(chart, "en-US") for chart in first.values()] == [draw(chart, "en-US") for chart in second.values()]


def test_a_long_curve_keeps_its_ends_and_the_study() -> None:
    frame = _specifications(7_777)
    curve = drawn_specifications(frame)
    assert curve.height <= 450
    assert curve["share"].is_sorted()
    assert (curve["share"].min(), curve["share"].max()) == (frame["share"].min(), frame["share"].max())
    assert curve["is_study"].sum() == 1


def test_a_short_curve_is_drawn_whole() -> None:
    assert drawn_specifications(_specifications(100)).height == 100


def test_altair_is_left_as_it_was() -> None:
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        alt.Chart(pl.DataFrame({"x": [1]})).mark_bar(color=3).to_dict()
