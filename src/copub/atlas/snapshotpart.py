"""The evidence of one file of a snapshot: the piece of work that any machine can do alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from copub import progress
from copub.atlas.atlasrules import Rules
from copub.atlas.evidence import LISTINGS, WORKS, ChunkEvidence, evidence_of
from copub.engine import KeptParts
from copub.errors import Fault
from copub.packed import Packed, pack
from copub.parallel import release_memory
from copub.sources.rawrecord import Record
from copub.sources.snapshot.columns import as_json, pass_rows, rows_of_two_codes
from copub.sources.snapshot.job import DAMAGES, damaged, miscounted, scan_file
from copub.sources.snapshot.jsonlines import BOM, pass_lines, two_codes
from copub.sources.snapshot.survey import WorksFile

CHUNK_WORKS, CHUNK_BYTES = 5_000, 48 << 20
"""Works, and bytes of their text, that are read into tables at once: they bound the memory of a worker."""
_FACTS = "facts.json"


@dataclass(frozen=True, slots=True)
class PartEvidence:
    """What one file gives.

    works, listings : tables, packed. records : records in the file. counts : as of `ChunkEvidence`.
    damage : why the file was skipped as a whole, if it was.
    """

    works: Packed
    listings: Packed
    records: int = 0
    counts: Counter[str] | None = None
    faults: tuple[Fault, ...] = ()
    damage: Fault | None = None


class _Gatherer:
    """Takes the works of a file in order and makes their evidence, some thousand at a time."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._waiting: list[Record] = []
        self._bytes = 0
        self._made: list[ChunkEvidence] = []

    def take(self, text: bytes, where: str) -> None:
        text = text.removeprefix(BOM).strip()
        if not text:
            return
        self._waiting.append(Record(text, where, ()))
        self._bytes += len(text)
        if len(self._waiting) >= CHUNK_WORKS or self._bytes >= CHUNK_BYTES:
            self._flush()

    def finish(self) -> ChunkEvidence:
        """Return the evidence of all works; of works with one id the last counts."""
        self._flush()
        works = _joined([one.works for one in self._made], WORKS)
        listings = _joined([one.listings for one in self._made], LISTINGS)
        last = works.group_by("number").agg(pl.col("chunk").max())
        kept = [frame.join(last, on=["number", "chunk"], how="semi").drop("chunk") for frame in (works, listings)]
        counts = sum((one.counts for one in self._made), Counter[str]())
        counts["older copies"] += works.height - kept[0].height
        faults = [fault for one in self._made for fault in one.faults]
        return ChunkEvidence(kept[0].sort("number"), kept[1].sort("number", "list", "country"), faults, counts)

    def _flush(self) -> None:
        if self._waiting:
            self._made.append(evidence_of(self._waiting, self._rules))
            release_memory()
        self._waiting, self._bytes = [], 0


def _joined(chunks: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    numbered = (frame.with_columns(chunk=pl.lit(number, pl.Int32)) for number, frame in enumerate(chunks))
    return pl.concat([pl.DataFrame(schema={**schema, "chunk": pl.Int32()}), *numbered])


def read_part(rules: Rules, part: tuple[str, WorksFile]) -> PartEvidence:
    """Read one file of a snapshot and return its evidence. The same file and rules give the same bytes everywhere.

    A damaged file is skipped as a whole: what came before the damage is not delivered.

    Parameters
    ----------
    part : address of the source, and the file.
    """
    source, file = part
    gatherer = _Gatherer(rules)
    with progress.reporting(quiet=True):  # bars are for the whole
        try:
            records = scan_file(
                source,
                file,
                lines=lambda stream: pass_lines(stream, two_codes, gatherer.take, file.name, lambda _: None),
                columns=lambda stream: pass_rows(
                    stream,
                    lambda parquet, group: {row: [] for row in rows_of_two_codes(parquet, group)},
                    lambda work, _, where: gatherer.take(as_json(work), where),
                    file.name,
                    lambda _: None,
                ),
            )
        except DAMAGES as error:
            works, listings = (pack(pl.DataFrame(schema=schema)) for schema in (WORKS, LISTINGS))
            return PartEvidence(works, listings, damage=damaged(file, error))
        found = gatherer.finish()
    faults = (*found.faults, *miscounted(file, records))
    return PartEvidence(pack(found.works), pack(found.listings), records, found.counts, faults)


def write_part(folder: Path, part: PartEvidence) -> None:
    """Write what one file gave; a damaged file is kept as nothing, to be read again by the next call."""
    assert isinstance(part.works, bytes) and isinstance(part.listings, bytes)
    (folder / "works.parquet").write_bytes(part.works)
    (folder / "listings.parquet").write_bytes(part.listings)
    facts: dict[str, Any] = {
        "records": part.records,
        "counts": dict(part.counts or {}),
        "faults": [astuple(fault) for fault in part.faults],
        "damage": astuple(part.damage) if part.damage else None,
    }
    (folder / _FACTS).write_bytes(msgspec.json.encode(facts))


def load_part(folder: Path) -> PartEvidence:
    """Return what `write_part` wrote; the tables stay on disk."""
    facts = msgspec.json.decode((folder / _FACTS).read_bytes())
    return PartEvidence(
        folder / "works.parquet",
        folder / "listings.parquet",
        facts["records"],
        Counter(facts["counts"]),
        tuple(Fault(*fault) for fault in facts["faults"]),
        Fault(*facts["damage"]) if facts["damage"] else None,
    )


class PartsByName(KeptParts[PartEvidence]):
    """Kept parts under names: a file that is got again does not move the others. A damaged one is never there."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__(folder, write_part, load_part)
        object.__setattr__(self, "names", tuple(names))

    names: tuple[str, ...]

    def has(self, number: int) -> bool:
        """Return whether the evidence of a file is there whole."""
        return super().has(number) and self.load(number).damage is None

    def _place(self, number: int) -> Path:
        return self.folder / self.names[number]
