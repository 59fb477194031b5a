"""Results of one file of a snapshot: the works found, kept beside the target until all are there.

A part is one small Parquet file, made in memory, so that workers elsewhere can send it and the
machine that asked writes it whole or not at all.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from copub.errors import Fault
from copub.sources.snapshot.selection import Asked
from copub.sources.snapshot.survey import WorksFile

VERSION = 1
_SCHEMA = pa.schema([("number", pa.int64()), ("pairs", pa.list_(pa.int32())), ("line", pa.large_binary())])
_GROUP_BYTES = 32 << 20
_FACTS = b"copub"
_NUMBER = re.compile(r"W(\d{1,18})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What a part says of its file: records read, works found, works left out as expansion corpus, faults."""

    records: int
    works: int
    expansion: int
    faults: tuple[Fault, ...]


def number_of(work: dict[str, Any]) -> int:
    """Return 123 for a Work with the id ``https://openalex.org/W123``; raise `ValueError` if it has none."""
    match = _NUMBER.search(str(work.get("id")))
    if match is None:
        raise ValueError(f"no OpenAlex work id in 'id': {str(work.get('id'))[:60]!r}")
    return int(match.group(1))


def part_name(file: WorksFile, asked: Asked) -> str:
    """Return the name of the part: another if the file, the pairs or this format are others."""
    pairs = [[sorted(pair.side_a), sorted(pair.side_b)] for pair in asked.pairs]
    stated = [VERSION, astuple(file), pairs, asked.expansion]
    return hashlib.sha256(orjson.dumps(stated)).hexdigest()[:32] + ".part"


class PartWriter:
    """Takes the works of one file in order and makes the part.

    Attributes
    ----------
    faults : lines that are no works; to be filled by the reader.
    expansion : works left out as expansion corpus; to be counted by the reader.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.expansion = 0
        self._works = 0
        self._bytes = 0
        self._rows: list[dict[str, Any]] = []
        self._sink = pa.BufferOutputStream()
        # No line occurs twice, and none is searched for: a dictionary and statistics would be made for nothing.
        plain = {"use_dictionary": False, "write_statistics": False}
        self._writer = pq.ParquetWriter(self._sink, _SCHEMA, compression="zstd", compression_level=1, **plain)

    def add(self, number: int, pairs: list[int], line: bytes) -> None:
        """Take one work: the number in its id, the positions of its pairs, its JSON without line end."""
        self._rows.append({"number": number, "pairs": pairs, "line": line})
        self._works += 1
        self._bytes += len(line)
        if self._bytes >= _GROUP_BYTES:
            self._flush()

    def finish(self, records: int) -> bytes:
        """Return the part; `records` is the number of records in the file."""
        self._flush()
        facts = [records, self._works, self.expansion, [astuple(fault) for fault in self.faults]]
        self._writer.add_key_value_metadata({_FACTS: orjson.dumps(facts)})
        self._writer.close()
        return bytes(self._sink.getvalue())

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=_SCHEMA))
        self._rows = []
        self._bytes = 0


def read_facts(path: Path) -> PartFacts:
    """Return what a part says of its file."""
    records, works, expansion, faults = orjson.loads(pq.read_metadata(path).metadata[_FACTS])
    return PartFacts(records, works, expansion, tuple(Fault(*fault) for fault in faults))
