"""The Excel workbook: the run's main tables for people who continue in a spreadsheet.

The first sheet can be quoted; the others have heads in words, filters, and charts of the spreadsheet's own. Text
from outside is written as text: no cell is a formula or a link. The bytes depend on tables and manifest alone.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xlsxwriter

from copub.report.background import NOTES
from copub.report.baselinesection import baseline_rows
from copub.report.facts import Facts, Row, facts_of
from copub.report.fundingsection import ROLES
from copub.report.opening import estimates
from copub.report.panelfacts import pair_names, panel_rows
from copub.report.partnersections import named_pairs
from copub.report.plaintext import joined, printable
from copub.report.summary import headline_lines
from copub.report.workevidence import critical_listed
from copub.schema import TABLES

_CREATED = dt.datetime(2000, 1, 1)  # a fixed date: the same run gives the same bytes
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
HEADLINE = "critical_listed"
_MEASURES = ("copublications", "critical", "listed", HEADLINE, "top_level")

Column = tuple[str, str, str]
"""Key of the head in the words, column of the frame, way of writing it (one of `_WAYS`)."""
_SHARE: tuple[Column, ...] = (
    ("label.share", "share", "share"),
    ("sheet.low", "ci_low", "share"),
    ("sheet.high", "ci_high", "share"),
)
_SMALL: Column = ("sheet.small", "is_small", "truth")


def _ends(head: str, column: str, way: str) -> tuple[Column, ...]:
    """Return the columns of a figure with the ends of its interval."""
    return (head, column, way), ("sheet.low", f"{column}_low", way), ("sheet.high", f"{column}_high", way)


_COUNTS: tuple[Column, ...] = (
    ("label.works", "works", "count"),
    ("label.critical", "critical", "count"),
    ("label.listed", "listed", "count"),
    ("label.critical_listed", "critical_listed", "count"),
)
_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "shares": (
        ("label.measure", "measure", "measure"),
        ("label.counting", "counting", "counting"),
        ("label.numerator", "numerator", "figure"),
        ("label.denominator", "denominator", "figure"),
        *_SHARE,
        _SMALL,
    ),
    "years": (
        ("label.year", "year", "year"),
        ("measure.copublications", "copublications", "figure"),
        ("label.critical", "critical", "figure"),
        ("label.listed", "listed", "figure"),
        ("label.critical_listed", HEADLINE, "figure"),
        ("measure.top_level", "top_level", "figure"),
        *_SHARE,
        ("label.with_abstract", "with_abstract", "share"),
        ("label.with_institution", "with_institution", "share"),
        _SMALL,
        ("sheet.recent", "is_recent", "truth"),
    ),
    "panel": (
        ("label.pair", "name", "text"),
        ("label.measure", "measure", "measure"),
        ("label.counting", "counting", "counting"),
        ("label.numerator", "numerator", "figure"),
        ("label.denominator", "denominator", "figure"),
        *_SHARE,
        *_ends("label.corrected", "adjusted", "share"),
        *_ends("label.rank", "rank", "count"),
        *_ends("label.rest_difference", "difference", "share"),
        *_ends("label.reference_difference", "reference_difference", "share"),
        *_ends("label.standardised", "standardised", "share"),
        *_ends("label.standardised_rank", "standardised_rank", "count"),
        *_ends("label.ratio", "ratio", "figure"),
        _SMALL,
    ),
    "baselines": (
        ("label.set_of_works", "name", "text"),
        ("label.measure", "measure", "measure"),
        ("label.counting", "counting", "counting"),
        ("label.numerator", "numerator", "figure"),
        ("label.denominator", "denominator", "figure"),
        *_SHARE,
        *_ends("label.pair_difference", "difference", "share"),
        ("label.in_common", "in_common", "count"),
        _SMALL,
    ),
    "areas": (
        ("label.area", "slice", "area"),
        ("label.critical", "critical", "figure"),
        ("label.critical_listed", HEADLINE, "figure"),
        ("label.denominator", "denominator", "figure"),
        *_SHARE,
        _SMALL,
    ),
    "institutions": (
        ("label.institution", "institution_name", "text"),
        ("sheet.side", "side", "side"),
        ("label.country", "country_code", "text"),
        *_COUNTS,
        ("label.level", "risk_level", "level"),
        ("sheet.identifier", "institution_id", "text"),
        _SMALL,
    ),
    "pairs": (
        ("label.institution_a", "institution_a", "text"),
        ("label.institution_b", "institution_b", "text"),
        ("label.works", "works", "count"),
        ("label.critical", "critical", "count"),
        ("label.critical_listed", "critical_listed", "count"),
        ("label.level", "risk_level", "level"),
        _SMALL,
    ),
    "funders": (
        ("label.funder", "funder", "text"),
        *_COUNTS,
        *_SHARE,
        ("label.with_award", "with_award", "count"),
        ("label.critical_listed_with_award", "critical_listed_with_award", "count"),
        ("label.awards", "awards", "count"),
        ("sheet.identifier", "funder_id", "text"),
        _SMALL,
    ),
    "roles": (
        ("label.institution", "name", "text"),
        ("label.role", "role", "role"),
        ("label.group_of_works", "group", "group"),
        ("label.works_with_role", "denominator", "count"),
        ("label.of_listed", "numerator", "count"),
        *_SHARE,
        ("label.by_lot", "expected", "share"),
        *_ends("label.of_side_a", "share_a", "share"),
        _SMALL,
    ),
    "works": (
        ("label.title", "title", "long"),
        ("label.year", "publication_year", "year"),
        ("label.date", "publication_date", "date"),
        ("label.areas", "areas", "areas"),
        ("sheet.entities", "entities", "entities"),
        ("label.level", "max_risk_level", "level"),
        ("sheet.doi", "doi", "text"),
        ("sheet.identifier", "work_id", "text"),
    ),
    "columns": (
        ("label.table", "table", "text"),
        ("sheet.column", "column", "text"),
        ("sheet.type", "type", "text"),
        ("sheet.unit", "unit", "text"),
        ("sheet.meaning", "meaning", "long"),
    ),
}
"""The sheets behind the first, with their columns."""
_WIDTHS = {"long": 70, "text": 34, "area": 34, "areas": 34, "entities": 34, "measure": 40, "counting": 30}


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook while it is written: the facts, the formats by way of writing, the names of listed institutions."""

    book: xlsxwriter.Workbook
    facts: Facts
    looks: Mapping[str, Any]
    entities: Mapping[str, str]

    def value(self, way: str, value: Any) -> Any:
        """Return the value as the cell has it: numbers as numbers, codes in words."""
        in_words: Mapping[str, Callable[[Any], Any]] = {
            "measure": lambda one: self.facts.words.name("measure", one),
            "counting": lambda one: self.facts.words.say(f"counting.{one}"),
            "area": self.facts.area,
            "areas": lambda ones: joined(map(self.facts.area, ones)),
            "entities": lambda ones: joined(self.entities.get(one, one) for one in ones),
            "level": self.facts.level,
            "side": lambda one: {"a": self.facts.a.alone, "b": self.facts.b.alone}[one],
            "role": lambda one: self.facts.words.name("role", one),
            "group": lambda one: self.facts.words.name("measure", one),
            "truth": lambda one: self.facts.words.say("label.yes") if one else "",
        }
        return value if value is None or way not in in_words else in_words[way](value)


def build_workbook(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]) -> bytes:
    """Return the workbook (.xlsx) of a run.

    Sheets: answer, shares, pairs of a panel, baselines, years, areas, institutions, pairs, funders, roles of authors,
    works (critical and listed), columns of all tables; named in the language of the study.

    Raises `InputError` for a language without words.
    """
    facts = facts_of(tables, manifest)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, _OPTIONS)
    book.set_properties({"title": printable(facts.title), "author": "copub", "created": _CREATED})
    names = facts.table("hits").select("entity_id", "entity_name").drop_nulls().unique().sort("entity_id")
    writing = _Book(book, facts, _looks(book), dict(names.iter_rows()))
    _write_answer(writing, headline_lines(tables, manifest))
    frames = _frames(facts)
    for key, frame in frames.items():
        sheet = _write_frame(writing, key, frame)
        if key in _CHARTS and frame.height:
            sheet.insert_chart(1, len(_COLUMNS[key]) + 1, _CHARTS[key](writing, key, frame.height))
    book.close()
    return buffer.getvalue()


def _frames(facts: Facts) -> dict[str, pl.DataFrame]:
    shares = facts.table("shares")
    return {
        "shares": shares.filter(pl.col("slice_kind") == "all"),
        **_panel(facts),
        **({"baselines": baseline_rows(facts)} if facts.table("baselines").height else {}),
        "years": _years(facts),
        "areas": _areas(facts),
        "institutions": facts.table("institutions").sort(
            "side", "works", "institution_name", descending=[False, True, False], nulls_last=True
        ),
        "pairs": named_pairs(facts),
        "funders": facts.table("funders").sort(HEADLINE, "works", "funder", descending=[True, True, False]),
        "roles": _roles(facts),
        "works": critical_listed(facts),
        "columns": _dictionary(),
    }


def _panel(facts: Facts) -> dict[str, pl.DataFrame]:
    """Return the rows of a panel, those of the headline first, the largest share first; nothing for one pair."""
    names, first = pair_names(facts), panel_rows(facts)
    if first.is_empty():
        return {}
    others = facts.table("panel").join(first, on=["pair", "measure", "counting"], how="anti")
    rows = pl.concat([first, others.sort("measure", "counting", "pair")])
    return {"panel": rows.with_columns(name=pl.Series([names.get(key, key) for key in rows["pair"]], dtype=pl.String))}


def _years(facts: Facts) -> pl.DataFrame:
    """Return one row per year, by the study's own counting: the counts of each measure, and the headline share."""
    rows = facts.table("trends").filter(counting=facts.counting)
    counts = [pl.col("count").filter(measure=measure).first().alias(measure) for measure in _MEASURES]
    own = pl.col("share", "ci_low", "ci_high", "is_small", "is_recent", "with_abstract", "with_institution")
    return rows.group_by("year").agg(*counts, own.filter(measure=HEADLINE).first()).sort("year")


def _areas(facts: Facts) -> pl.DataFrame:
    """Return one row per area, by the study's own counting: critical works, the critical and listed, their share."""
    rows = facts.table("shares").filter(slice_kind="area", counting=facts.counting)
    critical = rows.filter(measure="critical").select("slice", critical="numerator")
    headline = rows.filter(measure=HEADLINE).rename({"numerator": HEADLINE})
    return headline.join(critical, on="slice", how="left").sort(HEADLINE, "slice", descending=[True, False])


def _roles(facts: Facts) -> pl.DataFrame:
    """Return the roles in all works, then by institution of side A and by listed one, each with its name."""
    kinds = ("all", "institution_a", "entity")
    rows = facts.table("roles").filter(pl.col("slice_kind").is_in(kinds), pl.col("works") > 0)
    entities = facts.table("hits").select(slice="entity_id", entity="entity_name").drop_nulls().unique("slice")
    every = pl.lit(facts.words.say("label.all_works"))
    name = pl.when(slice_kind="all").then(every).otherwise(pl.coalesce("entity", "slice"))
    order = [
        pl.col(key).replace_strict({v: n for n, v in enumerate(of)})
        for key, of in (("slice_kind", kinds), ("role", ROLES))
    ]
    return (
        rows.join(entities, on="slice", how="left")
        .with_columns(name.alias("name"))
        .sort(order[0], "name", "slice_id", order[1], "group", descending=[False, False, False, False, True])
    )


def _dictionary() -> pl.DataFrame:
    rows = [
        (table.name, column.name, str(column.dtype), column.unit, column.meaning)
        for table in TABLES.values()
        for column in table.columns
    ]
    return pl.DataFrame(rows, schema=["table", "column", "type", "unit", "meaning"], orient="row")


def _looks(book: xlsxwriter.Workbook) -> dict[str, Any]:
    top = {"valign": "top"}
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, **top}),
        "title": book.add_format({"bold": True, "font_size": 14, "text_wrap": True, **top}),
        "text": book.add_format({"text_wrap": True, **top}),
        "share": book.add_format({"num_format": "0.0%", **top}),
        "count": book.add_format({"num_format": "#,##0", **top}),
        "figure": book.add_format({"num_format": "#,##0.##", **top}),
        "year": book.add_format({"num_format": "0", **top}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", **top}),
    }


def _write_answer(writing: _Book, lines: Sequence[str]) -> None:
    """Write the first sheet: question, sentences, the estimates to quote, what they mean, and where they are from."""
    facts, say = writing.facts, writing.facts.words.say
    sheet = writing.book.add_worksheet(say("sheet.answer"))
    sheet.set_column(0, 0, 90)
    sheet.set_column(1, 3, 14)
    texts = [facts.title, facts.question, *lines]
    for place, text in enumerate(texts):
        sheet.write_string(place, 0, printable(text), writing.looks["title" if place == 0 else "text"])
    place = len(texts) + 1
    heads = ("sheet.quote", "label.share", "sheet.low", "sheet.high")
    for column, head in enumerate(heads):
        sheet.write_string(place, column, say(head), writing.looks["head"])
    for row in estimates(facts):
        place += 1
        sheet.write_string(place, 0, _estimate(facts, row), writing.looks["text"])
        for column, name in enumerate(("share", "ci_low", "ci_high"), start=1):
            _write_cell(sheet, place, column, row[name], writing.looks["share"])
    about = {"run": facts.manifest.get("run_id"), "version": facts.manifest.get("copub_version")}
    made = str(facts.manifest.get("created") or "")[:10]
    notes = [say("sheet.units"), *(say(f"note.{key}") for key in NOTES), say("sheet.source", date=made, **about)]
    for below, text in enumerate(notes, start=place + 2):
        sheet.write_string(below, 0, printable(text), writing.looks["text"])


def _estimate(facts: Facts, row: Row) -> str:
    key = f"estimate.{row['key']}"
    return f"{facts.words.say(key)}. {facts.words.say(f'{key}_note')}"


def _write_frame(writing: _Book, key: str, frame: pl.DataFrame) -> Any:
    facts, columns = writing.facts, _COLUMNS[key]
    sheet = writing.book.add_worksheet(facts.words.say(f"sheet.{key}"))
    sheet.freeze_panes(1, 1)
    if frame.height:
        sheet.autofilter(0, 0, frame.height, len(columns) - 1)
    for place, (head, column, way) in enumerate(columns):
        sheet.write_string(0, place, facts.words.say(head, a=facts.a, b=facts.b), writing.looks["head"])
        sheet.set_column(place, place, _WIDTHS.get(way, 15))
        look = writing.looks.get(way, writing.looks["text"])
        for row, value in enumerate(frame[column].to_list(), start=1):
            _write_cell(sheet, row, place, writing.value(way, value), look)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Any, look: Any) -> None:
    if value is None or value != value:
        return
    if isinstance(value, int | float):
        sheet.write_number(row, column, value, look)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), look)
    else:
        sheet.write_string(row, column, printable(str(value)), look)


def _trend_chart(writing: _Book, key: str, rows: int) -> Any:
    """Return a line of the headline share by year between the ends of its interval."""
    chart = writing.book.add_chart({"type": "line"})
    for column, line in (("ci_high", "#9aa5ab"), ("share", "#0b5c7a"), ("ci_low", "#9aa5ab")):
        place = _place(key, column)
        style = {"color": line, "width": 2.25 if column == "share" else 1, "dash_type": "solid"}
        chart.add_series({**_series(writing, key, place, rows), "line": style})
    chart.set_title({"name": writing.facts.words.say("measure.critical_listed"), "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": "0%", "min": 0})
    chart.set_legend({"position": "bottom"})
    return chart


def _area_chart(writing: _Book, key: str, rows: int) -> Any:
    """Return bars of critical works by area, and of those that are listed too."""
    chart = writing.book.add_chart({"type": "bar"})
    for column, fill in (("critical", "#9aa5ab"), (HEADLINE, "#0b5c7a")):
        chart.add_series({**_series(writing, key, _place(key, column), rows), "fill": {"color": fill}})
    chart.set_title({"name": writing.facts.words.say("sheet.areas"), "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"height": 120 + 36 * rows, "width": 640})
    return chart


def _panel_chart(writing: _Book, key: str, rows: int) -> Any:
    """Return bars of the headline share of each pair: the first rows of the sheet."""
    pairs = panel_rows(writing.facts).height
    chart = writing.book.add_chart({"type": "bar"})
    chart.add_series({**_series(writing, key, _place(key, "share"), pairs), "fill": {"color": "#0b5c7a"}})
    chart.set_title({"name": writing.facts.words.say("panel.dots"), "name_font": {"size": 12}})
    chart.set_x_axis({"num_format": "0%", "min": 0})
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"none": True})
    chart.set_size({"height": 120 + 20 * pairs, "width": 640})
    return chart


def _place(key: str, column: str) -> int:
    return next(place for place, (_, name, _) in enumerate(_COLUMNS[key]) if name == column)


def _series(writing: _Book, key: str, place: int, rows: int) -> dict[str, Any]:
    name = writing.facts.words.say(f"sheet.{key}")
    return {"name": [name, 0, place], "categories": [name, 1, 0, rows, 0], "values": [name, 1, place, rows, place]}


_CHARTS: Mapping[str, Callable[[_Book, str, int], Any]] = {
    "panel": _panel_chart, "years": _trend_chart, "areas": _area_chart,
}  # fmt: skip
