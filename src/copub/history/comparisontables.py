"""Every column of a comparison once: name, type, meaning, unit; as `copub.schema` does for runs."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from copub.schema import TEXTS, Column, Table

_WORK = Column("work_id", pl.String, "OpenAlex id of the work, short form (W…)")

_ESTIMATES = tuple(
    Column(f"{name}_{side}", pl.String if name == "method" else pl.Float64, f"{meaning}, {run}", unit)
    for side, run in (("before", "in the first run"), ("after", "in the second run"))
    for name, meaning, unit in (
        ("adjusted", "corrected share, or share from reading, in full counting; null where there is none", "0 to 1"),
        ("adjusted_low", "lower end of its interval", "0 to 1"),
        ("adjusted_high", "upper end of its interval", "0 to 1"),
        ("method", "evaluation: corrected share | labelled sample: share from reading", ""),
    )
)

COMPARISON_TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "shares",
            "one share in both runs",
            ("measure", "counting"),
            (
                Column("measure", pl.String, "critical | listed | critical_listed | top_level"),
                Column("counting", pl.String, "full | fractional-authors | fractional-countries"),
                Column("numerator_before", pl.Float64, "works, or sum of weights, in the first run", "works"),
                Column("denominator_before", pl.Float64, "works, or sum of weights, in the first run", "works"),
                Column("share_before", pl.Float64, "share in the first run; null over no works", "0 to 1"),
                Column("numerator_after", pl.Float64, "works, or sum of weights, in the second run", "works"),
                Column("denominator_after", pl.Float64, "works, or sum of weights, in the second run", "works"),
                Column("share_after", pl.Float64, "share in the second run; null over no works", "0 to 1"),
                Column("difference", pl.Float64, "share_after - share_before", "-1 to 1"),
                *_ESTIMATES,
            ),
        ),
        Table(
            "parts",
            "the part of one cause in the change of one share",
            ("measure", "counting", "position"),
            (
                Column("measure", pl.String, "critical | listed | critical_listed | top_level"),
                Column("counting", pl.String, "full | fractional-authors | fractional-countries"),
                Column("position", pl.Int32, "place of the cause in the order of attribution, from 0"),
                Column("cause", pl.String, "the cause"),
                Column(
                    "kind", pl.String, "question | world | record | input | instrument | record or instrument | unknown"
                ),
                Column("share_before", pl.Float64, "share before the cause is applied", "0 to 1"),
                Column("share_after", pl.Float64, "share after the cause is applied", "0 to 1"),
                Column("part", pl.Float64, "share_after - share_before", "-1 to 1"),
                Column(
                    "shapley",
                    pl.Float64,
                    "Shapley value: the mean part over all orders of up to six causes, else over 720 drawn ones",
                    "-1 to 1",
                ),
                Column("works", pl.Int64, "works in which the cause moved something", "works"),
                Column("entered", pl.Int64, "works that it brought into the population", "works"),
                Column("left", pl.Int64, "works that it took out of the population", "works"),
                Column("gained", pl.Int64, "works of the population that it brought into the numerator", "works"),
                Column("lost", pl.Int64, "works of the population that it took out of the numerator", "works"),
            ),
        ),
        Table(
            "works",
            "one work that differs between the runs",
            ("status", "work_id"),
            (
                _WORK,
                Column("title", pl.String, "title as plain text, of the later run that has it"),
                Column("publication_date", pl.Date, "date of publication, of the later run that has it"),
                Column("status", pl.String, "added | removed (from the population) | changed"),
                Column("differences", TEXTS, "what of its record differs: details, text, topics, affiliations"),
                Column("causes", TEXTS, "causes that moved something, in the order of attribution"),
                Column("note", pl.String, "what the harvest noted when the work vanished, or its id in the other run"),
            ),
        ),
        Table(
            "moves",
            "one component of one work that moved",
            ("work_id", "component"),
            (
                _WORK,
                Column("component", pl.String, "population | weight | critical | listed | top level"),
                Column(
                    "before", pl.Float64, "0 or 1, or the weight by authors, in the first run; null if unknown there"
                ),
                Column("after", pl.Float64, "the same in the second run"),
                Column("cause", pl.String, "the cause to which the move is attributed"),
                Column("also_possible", TEXTS, "other causes that changed an input of the component"),
            ),
        ),
        Table(
            "institutions",
            "one institution of side A in one work that entered or left",
            ("institution_name", "institution_id", "change", "work_id"),
            (
                Column("institution_id", pl.String, "OpenAlex id (I…); null if unresolved"),
                Column("institution_name", pl.String, "display name"),
                Column("change", pl.String, "added | removed: the institution is in the work in one run only"),
                _WORK,
                Column("title", pl.String, "title of the work as plain text"),
                Column("cause", pl.String, "cause of the work's move, or re-affiliated"),
            ),
        ),
        Table(
            "instruments",
            "one instrument or setting",
            ("position",),
            (
                Column("position", pl.Int32, "place, from 0; OpenAlex's own instruments first"),
                Column("instrument", pl.String, "the instrument, or the setting of the study"),
                Column("before", pl.String, "its state in the first run"),
                Column("after", pl.String, "its state in the second run"),
                Column("changed", pl.Boolean, "the two differ"),
            ),
        ),
    )
}


def conform_comparison(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with exactly the columns, types and sort order of a comparison's table."""
    table = COMPARISON_TABLES[name]
    chosen = frame.select(pl.col(column.name).cast(column.dtype) for column in table.columns)
    return chosen.sort(table.key, nulls_last=True, maintain_order=True)
