"""Who with whom, drawn: a heat map of pairs and a two-column network.

Like `copub.report.charts`: frames in, altair specifications out, None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from copub.report.charts import TWO_LINES, either, lines
from copub.report.drawing import ACCENT, BAR, INK, PAGE, RULE, TIP, letters


def pair_chart(pairs: pl.DataFrame, width: int, *, a: str, b: str) -> Any:
    """Return a heat map of critical and listed works by institution of side A and side B.

    `pairs` holds the rows to draw; darkness and the written figure say the same.
    """
    if pairs.is_empty():
        return None
    order_a = _by_weight(pairs, "institution_a")
    order_b = _by_weight(pairs, "institution_b")
    top = max(1, max(pairs["critical_listed"].to_list()))
    columns = ("institution_a", "institution_b", "critical_listed", "is_small")
    frame = pairs.select(*columns, tip=_pair_tips("critical_listed"))
    style: dict[str, Any] = {
        "labelColor": INK, "ticks": False, "domain": False, "labelLimit": 210, "labelLineHeight": 14,
        "labelBaseline": TWO_LINES, "labelExpr": "split(datum.value, '\\n')",
    }  # fmt: skip
    named = {column: _broken(order, 26) for column, order in (("institution_a", order_a), ("institution_b", order_b))}
    frame = frame.with_columns(pl.col(column).replace(names) for column, names in named.items())
    base = alt.Chart(frame).encode(
        x=alt.X(
            "institution_b:N",
            sort=list(named["institution_b"].values()),
            title=b,
            axis=alt.Axis(labelAngle=-90, **style),
        ),
        y=alt.Y(
            "institution_a:N",
            sort=list(named["institution_a"].values()),
            title=a,
            axis=alt.Axis(**style),
        ),
        description=alt.Description("tip:N"),
    )
    cells = base.mark_rect(stroke=RULE, strokeWidth=1, fill=ACCENT).encode(
        fillOpacity=alt.FillOpacity(
            "critical_listed:Q",
            scale=alt.Scale(domain=[0, top], range=[0.06, 1]),
            legend=None,
            condition={"test": "datum.is_small", "value": 0.04},
        )
    )
    dark = f"!datum.is_small && datum.critical_listed > {0.5 * top}"
    figures = (
        base.transform_filter("datum.critical_listed > 0")
        .mark_text(fontSize=letters(11))
        .encode(text=alt.Text("critical_listed:Q", format=",d"), color=either(alt.ColorValue, dark, PAGE, INK))
    )
    return alt.layer(cells, figures).properties(width=min(width - 240, 46 * len(order_b)), height=32 * len(order_a))


def _pair_tips(column: str) -> pl.Expr:
    return pl.concat_str(pl.lit(TIP), "institution_a", pl.lit(" – "), "institution_b", pl.lit(": "), pl.col(column))


def _broken(names: list[str], wide: int) -> dict[str, str]:
    """Return names on at most two lines; those that become alike are made distinct by letters without width."""
    return {name: lines(name, wide) + "\u200b" * place for place, name in enumerate(names)}


def _by_weight(pairs: pl.DataFrame, column: str) -> list[str]:
    weights = pairs.group_by(column).agg(pl.col("critical_listed").sum(), pl.col("works").sum())
    return weights.sort(["critical_listed", "works", column], descending=[True, True, False])[column].to_list()


def network_chart(pairs: pl.DataFrame, width: int, *, a: str, b: str) -> Any:
    """Return a two-column network: institutions of both sides, joint works as lines of that width."""
    if pairs.is_empty():
        return None
    listed = set(pairs.filter(pl.col("risk_level").is_not_null())["institution_b"])
    columns = {}
    for column in ("institution_a", "institution_b"):
        order = (
            pairs.group_by(column)
            .agg(pl.col("works").sum())
            .sort(["works", column], descending=[True, False])[column]
            .to_list()
        )
        columns[column] = {name: (place + 0.5) / len(order) for place, name in enumerate(order)}
    links = pairs.select(
        "works",
        tip=_pair_tips("works"),
        y=pl.col("institution_a").replace_strict(columns["institution_a"], return_dtype=pl.Float64),
        y2=pl.col("institution_b").replace_strict(columns["institution_b"], return_dtype=pl.Float64),
        on_list=pl.col("risk_level").is_not_null(),
    ).with_columns(x=pl.lit(0.0), x2=pl.lit(1.0)).sort("on_list", "works", "y", "y2")  # fmt: skip
    x, y = (
        alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None),
        alt.Y("y:Q", scale=alt.Scale(domain=[1, -0.08], nice=False), axis=None),
    )
    rules = alt.Chart(links).mark_rule(opacity=0.55, strokeCap="round").encode(
        x=x, x2=alt.X2("x2:Q"), y=y, y2=alt.Y2("y2:Q"),
        strokeWidth=alt.StrokeWidth("works:Q", scale=alt.Scale(range=[0.6, 9]), legend=None),
        color=either(alt.ColorValue, "datum.on_list", ACCENT, BAR),
        description=alt.Description("tip:N"),
    )  # fmt: skip
    names = [
        _column({**columns["institution_a"], a: -0.05}, 0.0, "right", -8, set()).encode(x=x, y=y),
        _column({**columns["institution_b"], b: -0.05}, 1.0, "left", 8, listed).encode(x=x, y=y),
    ]
    return alt.layer(rules, *names).properties(
        width=max(120, width - 480), height=32 * max(map(len, columns.values())) + 20
    )


def _column(places: Mapping[str, float], x: float, align: Any, dx: int, bold: set[str]) -> Any:
    frame = pl.DataFrame(
        {
            "name": [lines(name, 28) for name in places],
            "y": list(places.values()),
            "x": [x] * len(places),
            "on_list": [n in bold for n in places],
        }
    )
    return alt.Chart(frame).mark_text(align=align, dx=dx, limit=225, lineBreak="\n", lineHeight=14).encode(
        text=alt.Text("name:N"), color=either(alt.ColorValue, "datum.on_list", ACCENT, INK)
    )  # fmt: skip
