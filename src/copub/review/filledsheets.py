"""What readers answered, as frames: read from the files of reading pages and from filled-in sheets of works."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from copub.errors import Fault, FileError, InputError
from copub.jsonshape import plain_reason
from copub.lists.csvfile import read_table
from copub.lists.labels import is_label_sheet, read_labels

WORKS, AFFILIATIONS = "works", "affiliations"
"""What is read on a page."""
BETWEEN = "\x1f"
"""Stands between the string and the entity in the id of an affiliation on a page."""

ANSWERS = ("yes", "no", "cannot tell", "")
ASKED = ("critical", "listed", "top_level")
READINGS = pl.Schema(
    {
        "work_id": pl.String(),
        "reader": pl.String(),
        "date": pl.String(),
        "critical": pl.String(),
        "listed": pl.String(),
        "top_level": pl.String(),
        "areas": pl.List(pl.String),
        "reason": pl.String(),
        "stands_for": pl.Float64(),
        "draw": pl.String(),
        "settles": pl.Boolean(),
        "codebook": pl.String(),
        "seconds": pl.Float64(),
    }
)
"""One reader's answers on one work. Answers are `ANSWERS`, empty where nothing was answered.

stands_for : works that the work represents; null where its draw is to say it. draw : id of the draw, or empty.
settles : the answers of a third look, which settle what other readers differ on.
codebook : sha256 of the rules; empty for a sheet. seconds : time on the work; null for a sheet.
"""

DECISIONS = pl.Schema([(name, pl.String) for name in ("value", "entity_id", "decision", "reason", "reviewer", "date")])
"""Decisions on affiliations, as `copub.lists.decisions.read_decisions` returns them."""

_KIND = "file of a reading page"


class _Codebook(msgspec.Struct):
    id: str
    sha256: str


class _Reading(msgspec.Struct):
    id: str
    answers: dict[str, str | list[str]]
    date: str
    note: str = ""
    seconds: float = 0.0
    stands_for: str = ""


class PageFile(msgspec.Struct):
    """The file that a reading page saves; what is not named here (its log of answers) is kept, not used."""

    study: str
    what: str
    reader: str
    codebook: _Codebook
    items: list[str]
    readings: list[_Reading]
    draw: str = ""
    third_look: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What one file of a reader holds.

    works : readings of works (`READINGS`). decisions : decisions on affiliations, as sheets of affiliations have
    them. shown : ids of all works on the page or sheet. study : id of the study that a page was made for.
    """

    works: pl.DataFrame
    decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DECISIONS))
    shown: tuple[str, ...] = ()
    study: str = ""


def is_page_file(path: Path) -> bool:
    """Say whether a file is one that a reading page saved rather than a sheet, by its first character."""
    with path.open("rb") as file:
        return file.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def read_given(path: Path) -> Given:
    """Read readings of works, or decisions on affiliations, from a page's file or from a sheet of works.

    Raises
    ------
    InputError : the file is missing or is of neither kind.
    FileError : all faults of the file with their place.
    """
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), hint="check the path and the spelling")
    if is_page_file(path):
        return _of_page(path, _decoded(path))
    if is_label_sheet(path):
        draws = {row["work_id"]: row["draw"] for row in read_table(path, [], kind="sheet").rows}
        labels = readings_of(read_labels([path], by_reader=True))
        of_draw = pl.col("work_id").replace_strict(draws, default="", return_dtype=pl.String)
        return Given(labels.with_columns(of_draw.alias("draw")), shown=tuple(draws))
    raise InputError(
        "this is no file of a reading page and no sheet of works", where=str(path), hint="see copub review --help"
    )


def _decoded(path: Path) -> PageFile:
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=PageFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"this is no whole {_KIND}: {plain_reason(error)}",
            where=str(path),
            hint="save the file again from the page",
        ) from None


def _of_page(path: Path, file: PageFile) -> Given:
    faults = list(_faults(path, file))
    if faults:
        raise FileError.first(faults, kind=_KIND)
    if file.what == AFFILIATIONS:
        decisions = pl.DataFrame(list(_decided(file)), schema=DECISIONS, orient="row").sort("value", "entity_id")
        return Given(pl.DataFrame(schema=READINGS), decisions, study=file.study)
    rows = [
        {
            "work_id": one.id,
            "reader": " ".join(file.reader.split()),
            "date": one.date,
            **{name: _text(one.answers.get(name, "")) for name in ASKED},
            "areas": sorted(_list(one.answers.get("areas", []))),
            "reason": " ".join(one.note.split()),
            "stands_for": float(one.stands_for) if one.stands_for else None,
            "draw": file.draw,
            "settles": file.third_look,
            "codebook": file.codebook.sha256,
            "seconds": one.seconds,
        }
        for one in file.readings
    ]
    return Given(pl.DataFrame(rows, schema=READINGS), shown=tuple(file.items), study=file.study)


def _faults(path: Path, file: PageFile) -> Iterator[Fault]:
    if file.what not in (WORKS, AFFILIATIONS):
        yield Fault(str(path), f"what is {file.what!r}", f"known: {WORKS}, {AFFILIATIONS}")
    if not file.reader.strip():
        yield Fault(str(path), "the reader has no name", "write your name on the page and save again")
    seen = set[str]()
    for place, one in enumerate(file.readings):
        where = f"{path}: readings[{place}]"
        if one.id in seen:
            yield Fault(where, f"{one.id} is there twice", "save the file again from the page")
        seen.add(one.id)
        if file.what == WORKS and not re.fullmatch(r"W\d+", one.id):
            yield Fault(where, f"id is {one.id!r}", "the OpenAlex id of a work (W…)")
        if file.what == AFFILIATIONS and BETWEEN not in one.id:
            yield Fault(where, f"id is {one.id!r}", "string and institution of an affiliation")
        for name in (*ASKED, "decision", "unnamed"):
            if one.answers.get(name, "") not in ANSWERS:
                yield Fault(where, f"{name} is {one.answers[name]!r}", "known: yes, no, cannot tell")
        if not _is_date(one.date):
            yield Fault(where, f"date {one.date!r} is no date", "write it as 2026-11-21")
        if one.stands_for and not re.fullmatch(r"[1-9]\d{0,8}(\.\d+)?", one.stands_for):
            yield Fault(where, f"stands_for is {one.stands_for!r}", "leave it as the page was drawn")


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _text(answer: str | list[str]) -> str:
    return answer if isinstance(answer, str) else ""


def _list(answer: str | list[str]) -> list[str]:
    return [] if isinstance(answer, str) else answer


def _decided(file: PageFile) -> Iterator[tuple[str, ...]]:
    for one in file.readings:
        value, _, entity = one.id.partition(BETWEEN)
        decision = _text(one.answers.get("decision", ""))
        if not entity and one.answers.get("unnamed") == "yes":
            entity, decision = _text(one.answers.get("entity", "")), "yes"
        if entity and decision in ("yes", "no"):
            yield value, entity, decision, " ".join(one.note.split()), " ".join(file.reader.split()), one.date


def readings_of(labels: pl.DataFrame) -> pl.DataFrame:
    """Return labels (`copub.lists.labels.LABELS`) as readings of their readers."""
    words = {True: "yes", False: "no"}
    return labels.with_columns(
        *(pl.col(name).replace_strict(words, default="", return_dtype=pl.String) for name in ASKED),
        areas=pl.lit([], pl.List(pl.String)),
        draw=pl.lit(""),
        settles=pl.lit(False),
        codebook=pl.lit(""),
        seconds=pl.lit(None, pl.Float64),
    ).select(READINGS.names())
