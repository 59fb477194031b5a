"""A corpus: the tables made of one set of records, which no study has touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from copub.corpus.funnel import Funnel
from copub.parallel import Parted, Piece, as_is, pieces_of, split_by_work, split_on_disk_by_work

TABULATED = ("works", "topics", "authorships", "affiliations", "repairs", "awards")
"""Tables that the records give."""
Table = pl.DataFrame | Path
"""A table in memory, or its Parquet file. Sorted by ``work_id`` in any case."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The tables of one set of records, in memory or on disk, and what is known of the records.

    tables : those of `TABULATED`; after the stages classify and screen, also ``assignments``, ``basis`` and ``found``.
    funnel : what became of the records.
    retrieved_on : date of the last retrieval; None for works files.
    output : whole output of countries per year (side, year, works), where it was asked for.
    expected : works that the source counts of each pair of a panel per year (pair, year, expected), where it was asked.
    """

    tables: Mapping[str, Table]
    funnel: Funnel = field(default_factory=Funnel)
    retrieved_on: date | None = None
    output: pl.DataFrame | None = None
    expected: pl.DataFrame | None = None

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.read(name)

    def read(self, name: str, *columns: str | pl.Expr) -> pl.DataFrame:
        """Return a table, or these columns of it."""
        table = self.tables[name]
        if isinstance(table, pl.DataFrame):
            return table.select(columns) if columns else table
        return pl.scan_parquet(table).select(columns or pl.all()).collect()

    def parts(self, name: str) -> Iterator[pl.DataFrame]:
        """Yield a table in parts, no work in two of them."""
        table = self.tables[name]
        yield from split_by_work(table) if isinstance(table, pl.DataFrame) else split_on_disk_by_work(table)

    def pieces(self, name: str) -> Iterator[Piece]:
        """Yield the parts of a table for other processes, which read them where they are on disk."""
        yield from pieces_of(self.tables[name])

    def parted(
        self,
        name: str,
        columns: Sequence[str | pl.Expr],
        under: Callable[[pl.DataFrame], pl.DataFrame] = as_is,
        needed: Sequence[str] = (),
    ) -> pl.DataFrame | Parted:
        """Return these columns of a table, with what `under` makes of the rows of each work; from disk, in parts."""
        table = self.tables[name]
        if isinstance(table, pl.DataFrame):
            return under(table.select(columns))
        return Parted(table, tuple(columns), under, tuple(needed))

    def having(self, **tables: Table) -> Corpus:
        """Return the corpus with these tables as well."""
        return replace(self, tables={**self.tables, **tables})
