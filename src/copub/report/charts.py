"""Charts of the page as altair specifications, made from frames of the schema.

Every function takes a frame, the words and a width in pixels and returns a chart, or None where
the frame holds nothing to draw. Colours are those of `copub.report.drawing`; quantities never
rest on colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl

from copub.report.drawing import ACCENT, BAR, INK, MUTED, PAGE, TIP, letters
from copub.report.messages import Messages

PERCENT = ".0%"
_FINE, _FINE_BELOW = ".1%", 0.05
"""Format of an axis of small shares."""
TWO_LINES = {"condition": {"test": "indexof(datum.value, '\\n') > 0", "value": "bottom"}, "value": "middle"}
"""Baseline of the labels of an axis: the first of two lines is above the tick, the second below it."""
_PHONE = 400  # pixels; narrower drawings are for phones
_LEFT = alt.XValue(0)  # type: ignore[no-untyped-call]


def either(channel: Any, test: str, value: Any, other: Any) -> Any:
    """Return a channel with one value where `test` holds, and another elsewhere.

    Charts are made of channels throughout: to find the class of a plain text or mapping, altair goes through all
    of its classes every time.
    """
    return channel(other, condition={"test": test, "value": value})


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
    years = _years(first, last, width)
    epochs = [
        {"date": f"{year}-01", "mark": words.say("label.epoch")} for year in every.filter("epoch_changes")["year"]
    ]
    marks = _event_marks(words, [*events, *epochs], first, last)
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


def _event_marks(words: Messages, events: Sequence[Mapping[str, Any]], first: int, last: int) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for event in events:
        year, _, rest = str(event.get("date") or "").partition("-")
        if year.isdigit() and first <= int(year) <= last + 1:
            month = int(rest[:2]) if rest[:2].isdigit() else 7
            at = int(year) - 0.5 + (month - 1) / 12
            rows.append(
                {
                    "at": at,
                    "date": event.get("mark") or words.date(str(event["date"])),
                    "height": 4 + 17 * (len(rows) % 6),  # dates that lie close together are one under the other
                    "is_early": at < first + (last - first) / 3,
                }
            )
    schema = {"at": pl.Float64, "date": pl.String, "height": pl.Int32, "is_early": pl.Boolean}
    return pl.DataFrame(rows, schema=schema)


def _tips(words: Messages, frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """Return what marks show on hover: the name of each, its share and interval."""
    return pl.Series(
        [f"{TIP}{name}{percent_of(words, row)}" for name, row in zip(names, frame.iter_rows(named=True), strict=True)],
        dtype=pl.String,
    )


def percent_of(words: Messages, row: Mapping[str, Any]) -> str:
    """Return share and interval of a row in figures; only the interval where the row has no share."""
    ends = f"{words.percent(row['ci_low'])}\u00a0–\u00a0{words.percent(row['ci_high'])}"
    if row["share"] is None:
        return ends
    return words.percent(row["share"]) + ("" if row["ci_low"] is None else f" ({ends})")


def estimate_chart(rows: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return estimates of one share with their intervals on one axis, one row each.

    Rows: label, share (None: only bounds are known), ci_low, ci_high (None: no interval), is_first (accented).
    """
    if not rows:
        return None
    keys = {"label": pl.String, **dict.fromkeys(("share", "ci_low", "ci_high"), pl.Float64), "is_first": pl.Boolean}
    frame = pl.DataFrame([{key: row[key] for key in keys} for row in rows], schema=keys)
    texts = pl.Series([percent_of(words, row) for row in rows], dtype=pl.String)
    made = _rows(words, frame.with_columns(text=texts), width, above=14)
    ends = [value for row in rows for value in (row["share"], row["ci_high"]) if value is not None]
    scale = alt.Scale(domain=[0, max([0.01, *ends])], nice=False)
    x = alt.X("share:Q", title=None, scale=scale, axis=alt.Axis(format=PERCENT, tickCount=3))
    chart = alt.Chart(made.frame).encode(y=made.y, description=alt.Description("tip:N"))
    colour = either(alt.ColorValue, "datum.is_first", ACCENT, INK)
    shift = made.shift or 6
    bars = chart.mark_rule(strokeWidth=6, opacity=0.3, yOffset=shift).encode(
        x=alt.X("ci_low:Q", scale=scale), x2=alt.X2("ci_high:Q"), color=colour
    )
    points = chart.mark_point(size=70, filled=True, opacity=1, yOffset=shift).encode(x=x, color=colour)
    figures = chart.mark_text(align="left", dx=4, dy=shift - 14, fontSize=letters(11)).encode(
        x=_LEFT, text=alt.Text("text:N"), color=alt.ColorValue(MUTED)
    )
    space = made.width + (0 if made.labels else 80)  # these labels are short
    return alt.layer(bars, points, figures, *made.labels).properties(width=space, height=made.height)


def share_chart(periods: pl.DataFrame, words: Messages, width: int) -> Any:
    """Return the share by period with its interval, alone and small; `periods` hold the rows of one counting."""
    listed = periods.filter(pl.col("measure") == "critical_listed").drop_nulls("share")
    if listed.height < 2:
        return None
    first, last = min(listed["year_from"].to_list()), max(listed["year_to"].to_list())
    no_events = _event_marks(words, [], first, last)
    return _share_panel(listed, _years(first, last, width), no_events, words, width).properties(height=130)


def _years(first: int, last: int, width: int) -> Any:
    step = max(1, round((last - first) / (width / 66)))
    return alt.X(
        "year:Q",
        title=None,
        scale=alt.Scale(domain=[first - 0.6, last + 0.6], nice=False),
        axis=alt.Axis(format="d", values=list(range(first, last + 1, step)), grid=False),
    )


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
    ends = listed.drop_nulls("share").select("year_from", "year_to")
    names = ["–".join(dict.fromkeys(map(str, row))) + " · " for row in ends.iter_rows()]
    spans = spans.with_columns(tip=_tips(words, spans, names))
    base = alt.Chart(spans).encode(description=alt.Description("tip:N"))
    band = base.mark_rect(color=ACCENT, opacity=0.16).encode(
        x=years, x2=alt.X2("until:Q"), y=alt.Y("ci_low:Q", title=None), y2=alt.Y2("ci_high:Q")
    )
    level = base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=years, x2=alt.X2("until:Q"), y=share)
    points = base.mark_point(size=34, filled=False, fill=ACCENT, stroke=ACCENT, opacity=1).encode(
        x=alt.X("middle:Q"), y=share, fill=either(alt.FillValue, "datum.is_recent", PAGE, ACCENT)
    )
    rules = alt.Chart(marks).mark_rule(color=MUTED, strokeDash=[3, 3]).encode(x=alt.X("at:Q"))
    place = {"x": alt.X("at:Q"), "y": alt.Y("height:Q", scale=None), "text": alt.Text("date:N")}
    dates = [
        alt.Chart(marks.filter(pl.col("is_early") == early))
        .mark_text(color=MUTED, fontSize=letters(11), align="left" if early else "right", dx=4 if early else -4,
                   baseline="top")
        .encode(**place)
        for early in (True, False)
    ]  # fmt: skip
    title = words.name("measure", "critical_listed") + ", %"
    return alt.layer(band, level, points, rules, *dates).properties(width=width - 60, height=190, title=title)


def _count_panel(every: pl.DataFrame, listed: pl.DataFrame, years: Any, words: Messages, width: int) -> Any:
    both = pl.concat([every, listed]).select("year", "count", "measure")
    size = max(3, (width - 60) / (both["year"].n_unique() + 1) * 0.62)
    names = {key: words.name("measure", key) for key in ("copublications", "critical_listed")}
    both = both.with_columns(pl.col("measure").replace(names))
    both = both.with_columns(tip=_year_tips(words, both.select("year", "measure", "count"), words.count))
    bars = alt.Chart(both).mark_bar(size=size)
    return bars.encode(
        x=years,
        description=alt.Description("tip:N"),
        y=alt.Y("count:Q", title=None, stack=None, axis=_whole_numbers(both["count"].max(), 3)),
        color=alt.Color("measure:N", title=None, scale=alt.Scale(domain=list(names.values()), range=[BAR, ACCENT])),
    ).properties(width=width - 60, height=90, title=words.say("label.works"))


def _whole_numbers(most: Any, ticks: int) -> alt.Axis:
    """Return an axis of counts up to `most`: about so many ticks, fewer where they would be between whole numbers."""
    return alt.Axis(format=",d", tickCount=max(1, min(ticks, int(most or 0))))


def output_chart(years: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return the works of each year, small: all, and in the accent colour the critical and listed ones.

    Rows: publication_year, works, is_critical_listed (counts).
    """
    names = {
        key: words.name("measure", name)
        for key, name in (("works", "copublications"), ("is_critical_listed", "critical_listed"))
    }
    dated = [row for row in years if row["publication_year"] is not None]
    rows = [(row["publication_year"], name, row[key]) for key, name in names.items() for row in dated]
    if not rows:
        return None
    frame = pl.DataFrame(rows, schema=["year", "measure", "count"], orient="row")
    first, last = min(frame["year"].to_list()), max(frame["year"].to_list())
    size = max(3, min(24, (width - 60) / (last - first + 2) * 0.62))
    return alt.Chart(frame.with_columns(tip=_year_tips(words, frame, words.count))).mark_bar(size=size).encode(
        x=_years(first, last, width),
        y=alt.Y("count:Q", title=None, stack=None, axis=_whole_numbers(frame["count"].max(), 2)),
        color=alt.Color("measure:N", title=None, scale=alt.Scale(domain=list(names.values()), range=[BAR, ACCENT])),
        description=alt.Description("tip:N"),
    ).properties(width=width - 60, height=80)  # fmt: skip


def _year_tips(words: Messages, frame: pl.DataFrame, write: Callable[[float | None], str]) -> pl.Series:
    """Return what marks show on hover, of rows with a year, a name and a value."""
    colon = words.value(": ")
    rows = (f"{TIP}{year} · {name}{colon}{write(value)}" for year, name, value in frame.iter_rows())
    return pl.Series(list(rows), dtype=pl.String)


def _coverage_panel(every: pl.DataFrame, years: Any, words: Messages, width: int) -> Any:
    names = {key: words.say(f"label.{key}") for key in ("with_abstract", "with_institution")}
    order = list(names.values())
    long = every.select("year", *names).rename(names).unpivot(index="year", variable_name="what", value_name="share")
    long = long.with_columns(tip=_year_tips(words, long.select("year", "what", "share"), words.percent))
    stroke = alt.Legend(symbolType="stroke")
    chart = alt.Chart(long).encode(
        x=years,
        y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=2)),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=order, range=[INK, MUTED]), legend=stroke),
    )
    drawn = chart.mark_line(strokeWidth=1.5).encode(
        strokeDash=alt.StrokeDash(
            "what:N", title=None, scale=alt.Scale(domain=order, range=[[1, 0], [4, 3]]), legend=stroke
        )
    )
    points = chart.mark_point(size=12, filled=True, opacity=1).encode(description=alt.Description("tip:N"))
    return alt.layer(drawn, points).properties(width=width - 60, height=70, title=words.say("section.quality"))


def overlap_chart(rows: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return bars of a whole with its accented part.

    Rows: label, whole, part (works) and text written behind the bar and, with the label, on hover.
    """
    if not rows:
        return None
    frame = pl.DataFrame(
        list(rows), schema={"label": pl.String, "whole": pl.Float64, "part": pl.Float64, "text": pl.String}
    )
    made = _rows(words, frame, width)
    base = alt.Chart(made.frame).encode(y=made.y, description=alt.Description("tip:N"))
    space = max(made.width - 8 * max(map(len, frame["text"])) - 10, made.width / 4)  # beside the texts
    top = max(1.0, *frame["whole"].to_list()) * made.width / space
    x_scale = alt.Scale(domain=[0, top], nice=False)
    x = alt.X("whole:Q", title=words.say("label.works"), scale=x_scale, axis=_whole_numbers(top, 3))
    whole = base.mark_bar(color=BAR, height=14, yOffset=made.shift).encode(x=x)
    part = base.mark_bar(color=ACCENT, height=14, yOffset=made.shift).encode(x=alt.X("part:Q", scale=x_scale))
    text = base.mark_text(align="left", dx=6, dy=made.shift, color=INK).encode(x=x, text=alt.Text("text:N"))
    return alt.layer(whole, part, text, *made.labels).properties(width=made.width, height=made.height)


def lines(label: str, wide: int, most: int = 2) -> str:
    """Return a label broken into at most `most` lines of about `wide` letters."""
    return "\n".join(wrap(label, wide, max_lines=most, placeholder=" …")) or label


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a chart with their labels: beside the row on a desk, above it on a phone, where width is scarce."""

    frame: pl.DataFrame
    y: Any
    labels: list[Any]
    shift: float
    height: int
    width: int


def _rows(words: Messages, frame: pl.DataFrame, width: int, above: int = 0) -> _Rows:
    """Lay out the rows of a frame with columns label and text, and give each row its tip.

    `above` pixels are left free between the label and the mark of a row on a phone.
    """
    narrow = width < _PHONE
    broken = [lines(text, 38 if narrow else 36, 3 if narrow else 2) for text in frame["label"]]
    # labels that become alike are made distinct by letters without width
    alike = [text + "\u200b" * broken[:place].count(text) for place, text in enumerate(broken)]
    tip = pl.concat_str(pl.lit(TIP), "label", pl.lit(words.value(": ")), "text")
    frame = frame.with_columns(tip=tip, label=pl.Series(alike, dtype=pl.String))
    y = alt.Y("label:N", sort=alike, title=None, axis=None if narrow else _LABELS)
    counts = [1 + label.count("\n") for label in alike]
    most = max(counts)
    if not narrow:
        return _Rows(frame, y, [], 0, max(10 + 14 * most, above and 40) * len(alike), width - 310)
    row = 14 * most + 26 + above
    labels = [
        alt.Chart(frame.filter(pl.Series(counts) == count))
        .mark_text(
            align="left", baseline="top", dy=4 - row / 2 + 14 * (most - count), lineBreak="\n", lineHeight=14,
            limit=width - 30,
        )
        .encode(x=_LEFT, y=y, text=alt.Text("label:N"))
        for count in sorted(set(counts))
    ]  # fmt: skip
    return _Rows(frame, y, labels, 7 * most + above / 2, row * len(alike), width - 20)


_LABELS = alt.Axis(
    ticks=False,
    domain=False,
    labelColor=INK,
    labelLimit=290,
    labelPadding=9,  # a dot at 0 stays clear of its label
    labelExpr="split(datum.value, '\\n')",
    labelLineHeight=14,
    labelBaseline=TWO_LINES,
)


HATCH = [2, 3]
"""Dashes of intervals over fewer works than the floor."""


def difference_chart(rows: Sequence[Mapping[str, Any]], words: Messages, width: int) -> Any:
    """Return differences in percentage points with their intervals, one row each, and a line at 0.

    Rows: label, value, low, high, is_small and text; those over few works are dashed and hollow.
    """
    if not rows:
        return None
    schema = {
        "label": pl.String,
        "text": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "is_small": pl.Boolean,
    }
    frame = pl.DataFrame(list(rows), schema=schema).with_columns(pl.col("value", "low", "high") * 100)
    made = _rows(words, frame, width)
    x = alt.X("low:Q", title=words.say("label.difference"), axis=alt.Axis(format="+d", tickCount=4))
    chart = alt.Chart(made.frame).encode(description=alt.Description("tip:N"))
    line = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=ACCENT, strokeDash=[3, 3]).encode(x=alt.X("at:Q"))
    bars = chart.mark_rule(strokeWidth=2, opacity=0.45, color=INK, yOffset=made.shift).encode(
        x=x, x2=alt.X2("high:Q"), y=made.y, strokeDash=either(alt.StrokeDashValue, "datum.is_small", HATCH, [1, 0])
    )
    points = chart.mark_point(size=55, opacity=1, filled=False, stroke=INK, yOffset=made.shift).encode(
        x=alt.X("value:Q"), y=made.y, fill=either(alt.FillValue, "datum.is_small", PAGE, INK)
    )
    return alt.layer(line, bars, points, *made.labels).properties(width=made.width, height=made.height)


def dot_chart(rows: Sequence[Mapping[str, Any]], whole: float | None, words: Messages, width: int) -> Any:
    """Return shares with their intervals, one row each, and a line at the share of the whole.

    Rows: label, share, ci_low, ci_high, is_small, is_first (accented) and text, which is written on hover; those over
    few works are dashed and hollow.
    """
    if not rows:
        return None
    numbers = dict.fromkeys(("share", "ci_low", "ci_high"), pl.Float64)
    schema = {"label": pl.String, "text": pl.String, **numbers, "is_small": pl.Boolean, "is_first": pl.Boolean}
    ends = [value for row in rows for value in (row["share"], *([] if row["is_small"] else [row["ci_high"]]))]
    top = 1.05 * max([0.01, *filter(None, [*ends, whole])])
    frame = pl.DataFrame([{key: row[key] for key in schema} for row in rows], schema=schema)
    made = _rows(words, frame.with_columns(_cut("ci_high", top)), width)
    scale, axis = alt.Scale(domain=[0, top], nice=False), alt.Axis(format=_of_shares(top), tickCount=4)
    x = alt.X("share:Q", title=words.say("label.share"), scale=scale, axis=axis)
    chart = alt.Chart(made.frame).encode(y=made.y, description=alt.Description("tip:N"))
    colour = either(alt.ColorValue, "datum.is_first", ACCENT, INK)
    bars = chart.mark_rule(strokeWidth=2, opacity=0.45, yOffset=made.shift).encode(
        x=alt.X("ci_low:Q", scale=scale),
        x2=alt.X2("ci_high:Q"),
        color=colour,
        strokeDash=either(alt.StrokeDashValue, "datum.is_small", HATCH, [1, 0]),
    )
    points = chart.mark_point(size=55, opacity=1, filled=False, yOffset=made.shift).encode(
        x=x,
        stroke=either(alt.StrokeValue, "datum.is_first", ACCENT, INK),
        fill=either(alt.FillValue, "datum.is_small", PAGE, INK),
    )
    own = chart.transform_filter("datum.is_first").mark_point(size=110, opacity=1, filled=True, yOffset=made.shift)
    line = alt.Chart(pl.DataFrame({"at": [] if whole is None else [whole]}, schema={"at": pl.Float64}))
    rule = line.mark_rule(color=MUTED, strokeDash=[3, 3]).encode(x=alt.X("at:Q", scale=scale))
    return alt.layer(rule, bars, points, own.encode(x=x, color=alt.ColorValue(ACCENT)), *made.labels).properties(
        width=made.width, height=made.height
    )


def _cut(column: str, top: float) -> pl.Expr:
    """Return a column cut at the top of a scale: a clip of the drawing would have an id of its own in every process."""
    return pl.when(pl.col(column).is_not_null()).then(pl.min_horizontal(column, pl.lit(top))).alias(column)


def _of_shares(top: float) -> str:
    """Return the format of an axis of shares up to `top`."""
    return _FINE if top < _FINE_BELOW else PERCENT


_OF_MULTIPLE = 118
"""Pixels of one of many small charts on a desk, with the space to the next; on a phone there are two in a row."""


def multiples_chart(periods: pl.DataFrame, names: Mapping[str, str], first: str, words: Messages, width: int) -> Any:
    """Return the share by period of each pair as small charts on one scale, in the order of the names.

    `periods` hold the rows of one measure and counting; `names` those of the pairs by key, and `first` is the key of
    the accented one. What is above the scale, which is that of periods with enough works, is cut.
    """
    shown = periods.drop_nulls("share").filter(pl.col("pair").is_in(list(names)))
    if shown.is_empty():
        return None
    sure = shown.filter(~pl.col("is_small"))
    top = 1.15 * max([0.01, *(sure if sure.height else shown)["share"].to_list()])
    heads = {key: lines(name, 16 if width < _PHONE else 18, 2) for key, name in names.items()}
    alike = list(heads.values())
    heads = {key: head + "\u200b" * alike[:place].count(head) for place, (key, head) in enumerate(heads.items())}
    spans = ["–".join(dict.fromkeys(map(str, row))) for row in shown.select("year_from", "year_to").iter_rows()]
    tips = [f"{names[key]} · {span} · " for key, span in zip(shown["pair"], spans, strict=True)]
    frame = shown.select(
        pl.col("pair").replace(heads).alias("head"),
        (pl.col("pair") == first).alias("is_first"),
        (pl.col("year_from") - 0.45).alias("year"),
        (pl.col("year_to") + 0.45).alias("until"),
        pl.when(pl.col("share") <= top).then("share").alias("share"),
        _cut("ci_low", top),
        _cut("ci_high", top),
        "is_small",
    ).with_columns(tip=_tips(words, shown, tips))
    years = [int(frame["year"].min() + 1), int(frame["until"].max())]  # type: ignore[operator, arg-type]
    x = alt.X("year:Q", title=None, scale=alt.Scale(domain=[years[0] - 0.6, years[1] + 0.6], nice=False))
    inside = {"condition": {"test": f"datum.value == {years[0]}", "value": "left"}, "value": "right"}
    x = x.axis(format="d", values=years, grid=False, labelAlign=inside)
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("share:Q", title=None, scale=scale, axis=alt.Axis(format=_of_shares(top), tickCount=2, minExtent=30))
    chart = alt.Chart(frame).encode(description=alt.Description("tip:N"))
    colour = either(alt.ColorValue, "datum.is_first", ACCENT, INK)
    band = chart.mark_rect().encode(
        x=x,
        x2=alt.X2("until:Q"),
        y=alt.Y("ci_low:Q", title=None, scale=scale),
        y2=alt.Y2("ci_high:Q"),
        color=colour,
        opacity=either(alt.OpacityValue, "datum.is_small", 0.07, 0.2),
    )
    level = chart.mark_rule(strokeWidth=2).encode(x=x, x2=alt.X2("until:Q"), y=y, color=colour)
    columns = 2 if width < _PHONE else width // (_OF_MULTIPLE + 24)
    size = (width - 44) // columns - 24
    header = alt.Header(
        title=None, labelColor=INK, labelFontSize=letters(11), labelExpr="split(datum.value, '\\n')", labelPadding=2
    )
    drawn = alt.layer(band, level, data=frame).properties(width=size, height=64)
    return drawn.facet(facet=alt.Facet("head:N", sort=list(heads.values()), header=header), columns=columns, spacing=22)


def specification_chart(curve: pl.DataFrame, words: Messages, width: int) -> Any:
    """Return the specification curve: shares with intervals in their order, the study's own accented.

    `curve` has rank, share, ci_low, ci_high, is_study, is_small; those over few works are dashed and hollow.
    """
    shown = curve.select("rank", "share", "ci_low", "ci_high", "is_study", "is_small")
    shown = shown.with_columns(tip=_tips(words, shown, [""] * shown.height))
    chart = alt.Chart(shown).encode(description=alt.Description("tip:N"))
    x = alt.X("rank:Q", title=None, axis=None, scale=alt.Scale(nice=False))
    y = alt.Y("share:Q", title=words.say("label.share"), axis=alt.Axis(format=PERCENT, tickCount=4))
    band = chart.mark_rule(color=BAR, strokeWidth=1, opacity=0.7).encode(
        x=x,
        y=alt.Y("ci_low:Q"),
        y2=alt.Y2("ci_high:Q"),
        strokeDash=either(alt.StrokeDashValue, "datum.is_small", HATCH, [1, 0]),
    )
    dots = chart.mark_point(size=12, opacity=1, filled=False, stroke=INK, strokeWidth=1).encode(
        x=x, y=y, fill=either(alt.FillValue, "datum.is_small", PAGE, INK)
    )
    own = chart.transform_filter("datum.is_study").mark_point(filled=True, size=120, opacity=1, color=ACCENT)
    return alt.layer(band, dots, own.encode(x=x, y=y)).properties(width=width - 70, height=190)
