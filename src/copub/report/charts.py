"""Charts of the page as altair specifications, made from frames of the schema.

Every function takes a frame, the words and a width in pixels and returns a chart, or None where
the frame holds nothing to draw. Colours are those of `copub.report.drawing`; quantities never
rest on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl

from copub.report.drawing import ACCENT, BAR, INK, MUTED, PAGE
from copub.report.messages import Messages

PERCENT = ".0%"


def trend_chart(
    trends: pl.DataFrame,
    periods: pl.DataFrame,
    words: Messages,
    width: int,
    events: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """Return share with interval by period, counts and coverage by year, one above the other over the same years.

    `trends` and `periods` hold the rows of one counting; `events` are dated events drawn as lines, as is every
    year whose works were retrieved in another epoch than those of the year before.
    """
    listed = trends.filter(pl.col("measure") == "critical_listed")
    if listed.height < 2:
        return None
    every = trends.filter(pl.col("measure") == "copublications")
    first, last = min(listed["year"].to_list()), max(listed["year"].to_list())
    step = max(1, round((last - first) / (width / 60)))
    years = alt.X(
        "year:Q",
        title=None,
        scale=alt.Scale(domain=[first - 0.6, last + 0.6], nice=False),
        axis=alt.Axis(format="d", values=list(range(first, last + 1, step)), grid=False),
    )
    epochs = [
        {"date": f"{year}-01", "mark": words.say("label.epoch")} for year in every.filter("epoch_changes")["year"]
    ]
    marks = _event_marks([*events, *epochs], first, last)
    return (
        alt.vconcat(
            _share_panel(periods.filter(pl.col("measure") == "critical_listed"), years, marks, words, width),
            _count_panel(every, listed, years, words, width),
            _coverage_panel(every, years, words, width),
            spacing=14,
        )
        .resolve_scale(color="independent", strokeDash="independent")
        .resolve_legend(color="independent", strokeDash="independent")
    )


def _event_marks(events: Sequence[Mapping[str, Any]], first: int, last: int) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for event in events:
        year, _, rest = str(event.get("date") or "").partition("-")
        if year.isdigit() and first <= int(year) <= last + 1:
            month = int(rest[:2]) if rest[:2].isdigit() else 7
            height = 4 + 13 * (len(rows) % 3)  # dates that lie close together are one under the other
            rows.append(
                {
                    "at": int(year) - 0.5 + (month - 1) / 12,
                    "date": str(event.get("mark") or event["date"]),
                    "height": height,
                }
            )
    return pl.DataFrame(rows, schema={"at": pl.Float64, "date": pl.String, "height": pl.Int32})


def _share_panel(listed: pl.DataFrame, years: Any, marks: pl.DataFrame, words: Messages, width: int) -> Any:
    """Return a level for each period with enough works: nothing joins them, and years under the floor have none."""
    share = alt.Y("share:Q", title=None, axis=alt.Axis(format=PERCENT, tickCount=4))
    spans = listed.drop_nulls("share").select(
        (pl.col("year_from") - 0.45).alias("year"),
        (pl.col("year_to") + 0.45).alias("until"),
        ((pl.col("year_from") + pl.col("year_to")) / 2).alias("middle"),
        "share",
        "ci_low",
        "ci_high",
        "is_recent",
    )
    base = alt.Chart(spans)
    band = base.mark_rect(color=ACCENT, opacity=0.16).encode(
        x=years, x2="until:Q", y=alt.Y("ci_low:Q", title=None), y2="ci_high:Q"
    )
    level = base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=years, x2="until:Q", y=share)
    points = base.mark_point(size=34, filled=False, fill=ACCENT, stroke=ACCENT, opacity=1).encode(
        x=alt.X("middle:Q"), y=share, fill=alt.condition("datum.is_recent", alt.value(PAGE), alt.value(ACCENT))
    )
    rules = alt.Chart(marks).mark_rule(color=MUTED, strokeDash=[3, 3]).encode(x=alt.X("at:Q"))
    dates = alt.Chart(marks).mark_text(color=MUTED, fontSize=11, align="right", dx=-4, baseline="top")
    return alt.layer(
        band, level, points, rules, dates.encode(x="at:Q", y=alt.Y("height:Q", scale=None), text="date:N")
    ).properties(width=width - 60, height=190, title=words.name("measure", "critical_listed") + ", %")


def _count_panel(every: pl.DataFrame, listed: pl.DataFrame, years: Any, words: Messages, width: int) -> Any:
    both = pl.concat([every, listed]).select("year", "count", "measure")
    size = max(3, (width - 60) / (both["year"].n_unique() + 1) * 0.62)
    names = {key: words.name("measure", key) for key in ("copublications", "critical_listed")}
    bars = alt.Chart(both.with_columns(pl.col("measure").replace(names))).mark_bar(size=size)
    return bars.encode(
        x=years,
        y=alt.Y("count:Q", title=None, stack=None, axis=alt.Axis(tickCount=3, format=",d")),
        color=alt.Color("measure:N", title=None, scale=alt.Scale(domain=list(names.values()), range=[BAR, ACCENT])),
    ).properties(width=width - 60, height=90, title=words.say("label.works"))


def _coverage_panel(every: pl.DataFrame, years: Any, words: Messages, width: int) -> Any:
    names = {key: words.say(f"label.{key}") for key in ("with_abstract", "with_institution")}
    order = list(names.values())
    long = every.select("year", *names).rename(names).unpivot(index="year", variable_name="what", value_name="share")
    return alt.Chart(long).mark_line(color=INK, strokeWidth=1.5).encode(
        x=years,
        y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=2)),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=order, range=[INK, MUTED])),
        strokeDash=alt.StrokeDash("what:N", title=None, scale=alt.Scale(domain=order, range=[[1, 0], [4, 3]])),
    ).properties(width=width - 60, height=70, title=words.say("section.quality"))  # fmt: skip


def overlap_chart(rows: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return bars of a whole with its accented part.

    Rows: label, whole, part (works) and text written behind the bar.
    """
    if not rows:
        return None
    frame = pl.DataFrame(
        list(rows), schema={"label": pl.String, "whole": pl.Float64, "part": pl.Float64, "text": pl.String}
    )
    narrow = width < 500
    frame = frame.with_columns(label=_lines(frame["label"], narrow))
    order = frame["label"].to_list()
    base = alt.Chart(frame).encode(y=alt.Y("label:N", sort=order, title=None, axis=_labels(narrow)))
    x_scale = alt.Scale(domain=[0, max(1.0, *frame["whole"].to_list()) * (1.6 if narrow else 1.3)], nice=False)
    x = alt.X("whole:Q", title=words.say("label.works"), scale=x_scale, axis=alt.Axis(tickCount=3, format=",d"))
    whole = base.mark_bar(color=BAR, height=14).encode(x=x)
    part = base.mark_bar(color=ACCENT, height=14).encode(x=alt.X("part:Q", scale=x_scale))
    text = base.mark_text(align="left", dx=6, color=INK).encode(x=alt.X("whole:Q", scale=x_scale), text="text:N")
    return alt.layer(whole, part, text).properties(width=width - (150 if narrow else 280), height=_height(order))


def _lines(labels: pl.Series, narrow: bool) -> pl.Series:
    """Return labels broken into at most two lines."""
    wide = 23 if narrow else 40
    return pl.Series(["\n".join(wrap(text, wide, max_lines=2, placeholder=" …")) or text for text in labels])


def _labels(narrow: bool) -> alt.Axis:
    limit = 140 if narrow else 280
    return alt.Axis(
        ticks=False,
        domain=False,
        labelColor=INK,
        labelLimit=limit,
        labelExpr="split(datum.value, '\\n')",
        labelLineHeight=13,
    )


def _height(labels: Sequence[str]) -> int:
    """Return the height of a chart with a row for each label."""
    return (30 if any("\n" in label for label in labels) else 23) * len(labels)


HATCH = [2, 3]
"""Dashes of intervals over fewer works than the floor."""


def difference_chart(rows: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return differences in percentage points with their intervals, one row each, and a line at 0.

    Rows: label, value, low, high, is_small; those over few works are dashed and hollow.
    """
    if not rows:
        return None
    schema = {
        "label": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "is_small": pl.Boolean,
    }
    frame = pl.DataFrame(list(rows), schema=schema).with_columns(pl.col("value", "low", "high") * 100)
    narrow = width < 500
    frame = frame.with_columns(label=_lines(frame["label"], narrow))
    order = frame["label"].to_list()
    y = alt.Y("label:N", sort=order, title=None, axis=_labels(narrow))
    x = alt.X("low:Q", title=words.say("label.difference"), axis=alt.Axis(format="+d", tickCount=4))
    chart = alt.Chart(frame)
    line = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=ACCENT, strokeDash=[3, 3]).encode(x="at:Q")
    bars = chart.mark_rule(strokeWidth=2, opacity=0.45, color=INK).encode(
        x=x, x2="high:Q", y=y, strokeDash=alt.condition("datum.is_small", alt.value(HATCH), alt.value([1, 0]))
    )
    points = chart.mark_point(size=55, opacity=1, filled=False, stroke=INK).encode(
        x="value:Q", y=y, fill=alt.condition("datum.is_small", alt.value(PAGE), alt.value(INK))
    )
    return alt.layer(line, bars, points).properties(width=width - (160 if narrow else 300), height=_height(order))


def specification_chart(curve: pl.DataFrame, words: Messages, width: int) -> Any:
    """Return the specification curve: shares with intervals in their order, the study's own accented.

    `curve` has rank, share, ci_low, ci_high, is_study, is_small; those over few works are dashed and hollow.
    """
    chart = alt.Chart(curve.select("rank", "share", "ci_low", "ci_high", "is_study", "is_small"))
    x = alt.X("rank:Q", title=None, axis=None, scale=alt.Scale(nice=False))
    y = alt.Y("share:Q", title=words.say("label.share"), axis=alt.Axis(format=PERCENT, tickCount=4))
    band = chart.mark_rule(color=BAR, strokeWidth=1, opacity=0.7).encode(
        x=x,
        y=alt.Y("ci_low:Q"),
        y2="ci_high:Q",
        strokeDash=alt.condition("datum.is_small", alt.value(HATCH), alt.value([1, 0])),
    )
    dots = chart.mark_point(size=12, opacity=1, filled=False, stroke=INK, strokeWidth=1).encode(
        x=x, y=y, fill=alt.condition("datum.is_small", alt.value(PAGE), alt.value(INK))
    )
    own = chart.transform_filter("datum.is_study").mark_point(filled=True, size=120, opacity=1, color=ACCENT)
    return alt.layer(band, dots, own.encode(x=x, y=y)).properties(width=width - 70, height=190)
