"""From the evidence of files to that of years: each work once, as its last copy has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from copub.atlas.evidence import LISTINGS, WORKS
from copub.atlas.snapshotpart import PartEvidence
from copub.packed import unpack
from copub.progress import bar

GROUP_WORKS = 25_000
"""Works of a row group of the evidence of a year, about; a group is counted at once."""
_SHARES = 16
"""Shares in which DOIs are compared: a copy of all of them would take a gigabyte more."""
STORED = {"works": pl.Schema({n: t for n, t in WORKS.items() if n != "excluded_because"}), "listings": LISTINGS}
"""Tables of evidence that an atlas keeps."""


@dataclass(frozen=True, slots=True)
class WorkGroup:
    """Works of a year that are counted at once: the row groups in which they and their listings are."""

    year: int
    works: int
    listings: int | None


@dataclass(slots=True)
class GatheredWorks:
    """What was gathered: groups of works in order, countries, and the works counted and left out by reason."""

    groups: list[WorkGroup] = field(default_factory=list)
    countries: set[str] = field(default_factory=set)
    counted: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    shared_doi: int = 0


def numbers_of(parts: Sequence[PartEvidence]) -> pl.Series:
    """Return the numbers of all works, sorted; one that several parts have is there several times."""
    every = [unpack(part.works, ["number"])["number"] for part in parts]
    return pl.concat([pl.Series("number", [], dtype=pl.Int64), *every]).sort()


def last_parts(parts: Sequence[PartEvidence], numbers: pl.Series) -> pl.DataFrame:
    """Return the works that several parts have (``number``), and the last of these (``last``).

    Parameters
    ----------
    numbers : as `numbers_of` gives them.
    """
    repeated = numbers.filter(numbers == numbers.shift(1)).unique().implode()
    found = [pl.DataFrame(schema={"number": pl.Int64, "last": pl.Int32})]
    for place, part in enumerate(parts):
        own = unpack(part.works, ["number"])
        found.append(own.filter(pl.col("number").is_in(repeated)).with_columns(last=pl.lit(place, pl.Int32)))
    return pl.concat(found).group_by("number").agg(pl.col("last").max()).sort("number")


def gather(
    parts: Sequence[PartEvidence], last: pl.DataFrame, gone: dict[str, pl.Series], folder: Path
) -> GatheredWorks:
    """Write the evidence of each year to ``works/YEAR.parquet`` and ``listings/YEAR.parquet``.

    Parameters
    ----------
    parts : evidence of the files, in the order of the snapshot.
    last : the part whose copy counts, of works that several parts have (`last_parts`).
    gone : works that the snapshot lists as deleted or merged, by reason.
    """
    gathered = GatheredWorks()
    dois: list[NDArray[np.uint64]] = []
    with ExitStack() as stack:
        writers = stack.enter_context(_Years(folder, gathered))
        for place, part in enumerate(bar(parts, label="gather", unit="files")):
            works = unpack(part.works)
            marked = works.join(last, on="number", how="left", maintain_order="left").select(
                "number", reason=_reason(place, gone)
            )
            kept = works.filter(marked["reason"].is_null() & works["excluded_because"].is_null())
            reasons = marked["reason"].fill_null(works["excluded_because"])
            gathered.left_out.update({reason: int(n) for reason, n in reasons.drop_nulls().value_counts().iter_rows()})
            gathered.counted += kept.height
            gathered.countries.update(kept["countries"].explode(keep_nulls=False, empty_as_null=False).unique())
            dois.append(kept["doi"].drop_nulls().hash().to_numpy())
            listings = unpack(part.listings).join(kept.select("number"), on="number", how="semi", maintain_order="left")
            writers.add(kept, listings)
    gathered.shared_doi = sum(_repeated([own[own % _SHARES == share] for own in dois]) for share in range(_SHARES))
    return gathered


def _repeated(hashes: Sequence[NDArray[np.uint64]]) -> int:
    every = np.sort(np.concatenate([np.zeros(0, dtype=np.uint64), *hashes]))
    return int((every[1:] == every[:-1]).sum())


def _reason(place: int, gone: dict[str, pl.Series]) -> pl.Expr:
    older = pl.when(pl.col("last") != place).then(pl.lit("older copy"))
    listed = [pl.when(pl.col("number").is_in(ids.implode())).then(pl.lit(why)) for why, ids in gone.items()]
    return pl.coalesce(older, *listed)


class _Years:
    """Tables of evidence by year, each written in row groups of about `GROUP_WORKS` works."""

    def __init__(self, folder: Path, gathered: GatheredWorks) -> None:
        self._folder, self._gathered = folder, gathered
        self._waiting: dict[int, list[tuple[pl.DataFrame, pl.DataFrame]]] = {}
        self._writers: dict[tuple[str, int], pq.ParquetWriter] = {}
        self._groups: Counter[tuple[str, int]] = Counter()

    def __enter__(self) -> _Years:
        for table in STORED:
            (self._folder / table).mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for year in sorted(self._waiting):
                self._flush(year)
        for writer in self._writers.values():
            writer.close()

    def add(self, works: pl.DataFrame, listings: pl.DataFrame) -> None:
        """Take works of any years and their listings."""
        of_year = {year: rows for (year,), rows in listings.partition_by("year", as_dict=True).items()}
        for (year,), rows in sorted(works.partition_by("year", as_dict=True).items()):
            waiting = self._waiting.setdefault(year, [])
            waiting.append((rows, of_year.get(year, listings.clear())))
            if sum(one.height for one, _ in waiting) >= GROUP_WORKS:
                self._flush(year)

    def _flush(self, year: int) -> None:
        waiting = self._waiting.pop(year)
        works, listings = (self._write(name, year, part) for name, part in zip(STORED, _joined(waiting), strict=True))
        assert works is not None
        self._gathered.groups.append(WorkGroup(year, works, listings))

    def _write(self, table: str, year: int, rows: pl.DataFrame) -> int | None:
        """Write a row group and return its number; None for no rows."""
        arrow = rows.select(STORED[table].names()).to_arrow(compat_level=pl.CompatLevel.oldest())
        key = (table, year)
        if key not in self._writers:
            path = self._folder / table / f"{year}.parquet"
            self._writers[key] = pq.ParquetWriter(path, arrow.schema, compression="zstd", compression_level=3)
        if not rows.height:
            return None
        self._writers[key].write_table(arrow, row_group_size=rows.height)
        self._groups[key] += 1
        return self._groups[key] - 1


def _joined(waiting: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    works, listings = zip(*waiting, strict=True)
    return pl.concat(works), pl.concat(listings)


def read_group(folder: Path, table: str, year: int, group: int | None, columns: Sequence[str]) -> pl.DataFrame:
    """Return some columns of a row group of the evidence of a year."""
    if group is None:
        return pl.DataFrame(schema={name: STORED[table][name] for name in columns})
    with pq.ParquetFile(folder / table / f"{year}.parquet") as file:
        rows: pa.Table = file.read_row_group(group, columns=list(columns))
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


def groups_in(gathered: GatheredWorks) -> Iterator[WorkGroup]:
    """Yield the groups of works, year by year, in the order in which they were written."""
    yield from sorted(gathered.groups, key=lambda group: (group.year, group.works))
