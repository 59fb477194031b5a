"""Reading a file of works for `copub classify`: OpenAlex works, or plain records.

A plain record has ``id`` or ``item``, a ``title`` and perhaps an ``abstract``. The id is kept as
given. All of `copub.sources.worksfile`'s file kinds can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from copub.corpus.text import MISSING, abstract_status, plain_abstract, plain_title, printed_index
from copub.errors import Fault, FileError
from copub.schema import TABLES
from copub.sources.rawrecord import MOST_FAULTS, Record
from copub.sources.worksfile import read_works

ROWS = 20_000
TOPIC = pl.Struct({"topic_id": pl.String, "topic_name": pl.String, "score": pl.Float64})
_PROSE = ("title", "display_name", "abstract")
_SHAPE = "give id, title and abstract, the last two as text"
_TEXTS = ("work_id", "title", "abstract", "abstract_status", "language", "epoch")
_SCHEMA = pl.Schema([*((name, pl.String()) for name in _TEXTS), ("topics", pl.List(TOPIC))])


def read_records(path: Path) -> Iterator[pl.DataFrame]:
    """Return the works of a file, `ROWS` at a time, as frames that `classify` takes.

    The column ``topics`` holds what OpenAlex says of topics; `topics_of` makes the table of it.

    Raises
    ------
    InputError : the file is missing or is not what its name says.
    FileError : lines are no JSON, or records have no id or a title or abstract that is no text;
        the first 20 are listed.
    """
    faults: list[Fault] = []
    records = _rows(path, faults)
    while rows := list(islice(records, ROWS)):
        yield pl.DataFrame(rows, schema=_SCHEMA)
    if faults:
        raise FileError.first(faults, kind="works file")


def _rows(path: Path, faults: list[Fault]) -> Iterator[dict[str, Any]]:
    """Yield the works of a file, up to so many faults that it is no file of works."""
    for record in read_works([path], label="read works"):
        row = _row(record, faults)
        if row is not None:
            yield row
        if len(faults) >= MOST_FAULTS:
            return


def topics_of(works: pl.DataFrame) -> pl.DataFrame:
    """Return the table `topics` of the works of `read_records`."""
    rows = works.select("work_id", "topics").explode("topics").drop_nulls("topics").unnest("topics")
    ranked = rows.with_columns(rank=pl.int_range(pl.len(), dtype=pl.Int32).over("work_id"))
    absent = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in TABLES["topics"].schema.items()
        if name not in ranked.columns
    ]
    return ranked.with_columns(absent).select(TABLES["topics"].schema.names())


def _row(record: Record, faults: list[Fault]) -> dict[str, Any] | None:
    value = record.value
    if not isinstance(value, dict):
        faults.append(Fault(record.where, f"this record is no JSON object but {type(value).__name__}", _SHAPE))
        return None
    name = value.get("id") or value.get("item")
    if not name:
        faults.append(Fault(record.where, "this record has no id", 'give it an "id" or an "item"'))
        return None
    odd = [key for key in _PROSE if not isinstance(value.get(key), str | None)]
    if odd:
        faults.append(Fault(record.where, f"'{odd[0]}' is {type(value[odd[0]]).__name__}, not text", _SHAPE))
        return None
    index = value.get("abstract_inverted_index")
    printed = printed_index(index) or value.get("abstract")
    if index and not printed and index not in MISSING:
        faults.append(Fault(record.where, "'abstract_inverted_index' has a form that copub does not know", _SHAPE))
        return None
    abstract = plain_abstract(printed)
    return {
        "work_id": str(name),
        "title": plain_title(value.get("title") or value.get("display_name")),
        "abstract": abstract,
        "abstract_status": abstract_status(abstract),
        "language": _text(value.get("language")),
        "epoch": "unknown",
        "topics": topics_in(value),
    }


def topics_in(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the topics of a record, primary first: id, name and score; none where it names none."""
    named = _list(record.get("topics")) or [record.get("primary_topic")]
    return [_topic(topic) for topic in named if isinstance(topic, dict)]


def _topic(topic: dict[str, Any]) -> dict[str, Any]:
    score = topic.get("score")
    return {
        "topic_id": str(topic.get("id") or "").rpartition("/")[2],
        "topic_name": _text(topic.get("display_name")),
        "score": float(score) if isinstance(score, int | float) else None,
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
