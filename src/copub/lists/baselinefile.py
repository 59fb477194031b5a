"""Files of baselines: a pair beside the other works of its sides, as ``copub atlas baseline --out`` counted it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import orjson
import polars as pl

from copub.errors import InputError
from copub.jsonshape import Count, Digest, Name, read_json
from copub.schema import TABLES, conform

FORMAT = 1
_Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
_Share = float | None
_Few = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
_HINT = "count them again: copub atlas baseline --study STUDY --out FILE"


class Edition(msgspec.Struct, frozen=True):
    """A list of a certain content."""

    id: Name
    hash: Digest


class Snapshot(msgspec.Struct, frozen=True):
    """The records of an atlas: the date of the snapshot, "" if it is not known, and how many records were read."""

    date: Name
    records: Count


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    position: _Few
    kind: Literal["pair", "partner", "other partners", "all of side B"]
    partner: Name
    countries: list[_Code]
    measure: Literal["critical", "listed", "critical_listed"]
    counting: Literal["full", "fractional-authors", "fractional-countries"]
    numerator: float
    denominator: float
    share: _Share
    ci_low: _Share
    ci_high: _Share
    interval: Literal["wilson", "wilson-effective", "none"]
    in_common: Count
    difference: _Share
    difference_low: _Share
    difference_high: _Share
    comparisons: _Few
    confidence: float
    is_small: bool


class BaselineFile(msgspec.Struct, frozen=True):
    """Baselines of a pair with the rules under which they were counted.

    settings : of a study, by attribute of `copub.study.Study`. watchlists : those that count as listed, at the
    levels `levels`. rows : of table ``baselines``. sha256 : over all else (`signed`).
    """

    kind: Literal["baselines"]
    format: Literal[1]
    side_a: list[_Code]
    side_b: list[_Code]
    year_from: Count
    year_to: Count
    synthetic: bool
    snapshot: Snapshot
    settings: dict[str, Any]
    model: Edition
    taxonomy: Edition
    watchlists: list[Edition]
    levels: list[Name]
    rows: list[_Row]
    sha256: Digest

    def table(self) -> pl.DataFrame:
        """Return the table ``baselines``."""
        rows = [msgspec.structs.asdict(row) for row in self.rows]
        return conform("baselines", pl.DataFrame(rows, schema=TABLES["baselines"].schema))


def signed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a file with the sha256 over all of them, by which a change by hand is seen."""
    others = {name: value for name, value in values.items() if name != "sha256"}
    return others | {"sha256": hashlib.sha256(orjson.dumps(others, option=orjson.OPT_SORT_KEYS)).hexdigest()}


def read_baselines(path: Path) -> BaselineFile:
    """Read a file of baselines. Raises `InputError` if it is none, or was changed since copub wrote it."""
    values = read_json(path, BaselineFile, kind="the file of baselines", hint=_HINT)
    if values["sha256"] != signed(values)["sha256"]:
        raise InputError("the file of baselines was changed after copub wrote it", where=str(path), hint=_HINT)
    return msgspec.convert(values, BaselineFile)


def is_baselines(path: Path) -> bool:
    """Return whether a file is one of baselines, as copub wrote it."""
    try:
        read_baselines(path)
    except InputError:
        return False
    return True
