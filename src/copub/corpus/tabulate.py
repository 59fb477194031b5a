"""The stage tabulate: a stream of records becomes the tidy tables of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from copub.corpus.dataset import TABULATED, Corpus
from copub.corpus.duplicates import TRAITS, duplicates_of, traits_of
from copub.corpus.entry import Entry
from copub.corpus.funnel import Funnel
from copub.corpus.record import Unreadable, Work, read_value
from copub.corpus.repairs import with_repairs
from copub.corpus.work import (
    AffiliationRow,
    AuthorshipRow,
    AwardRow,
    TopicRow,
    WorkRow,
    authorship_rows,
    award_rows,
    countries_of,
    topic_rows,
    work_id_of,
    work_row,
)
from copub.engine import KeptParts, in_parallel
from copub.errors import Fault, FileError, InputError
from copub.lines import amount
from copub.packed import Packed, pack, range_partition, starts_of_parts, unpack
from copub.parallel import no_collection, series_of_texts
from copub.schema import TABLES, conform
from copub.sources.epochs import epoch_of
from copub.sources.rawrecord import MOST_FAULTS, Portion, Portioned, Record, not_json

_CHUNK = 5_000
MOST_UNREADABLE = 20_000
"""Records without a work among them after which no further one is read."""
_FACTS, _TRAITS = "facts.json", "traits"
_READ = (*TABULATED, _TRAITS)
"""What is read of the records: the tables, and by what duplicates are recognised."""
_ROWS: Mapping[str, type[Any]] = {
    "works": WorkRow, "topics": TopicRow, "authorships": AuthorshipRow, "affiliations": AffiliationRow,
    "awards": AwardRow,
}  # fmt: skip


class _Rows:
    """Rows gathered per table; packed now and then, so that few rows are in memory at once."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _ROWS}
        self.packed: dict[str, list[Packed]] = {name: [] for name in _READ}

    def flush(self) -> None:
        if not self.rows["works"]:
            return
        frames = {name: _frame(name, rows) for name, rows in self.rows.items()}
        frames["affiliations"], frames["authorships"], frames["repairs"] = with_repairs(
            frames["affiliations"], frames["authorships"]
        )
        frames[_TRAITS] = traits_of(frames["works"], frames["authorships"])
        for name, frame in frames.items():
            columns = frame.columns if name == _TRAITS else _schema_read(name).names()
            self.packed[name].append(pack(frame.select(columns)))
        self.rows = {name: [] for name in _ROWS}


def _frame(name: str, rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = TABLES[name].schema
    columns = [*_ROWS[name]._fields, *(("found_by", "epoch") if name == "works" else ())]
    if not rows:
        return pl.DataFrame(schema={column: schema[column] for column in columns})
    values = zip(columns, zip(*rows, strict=True), strict=True)
    return pl.DataFrame([_column(column, schema[column], cells) for column, cells in values])


def _column(name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    if dtype == pl.List(pl.String):
        return series_of_texts(name, values)
    return pl.Series(name, values, dtype, strict=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was read of a portion of the records: tables, funnel, ids in order with their place, faults of the file."""

    packed: dict[str, list[Packed]]
    funnel: Funnel
    ids: list[tuple[str, str]]
    faults: list[Fault]


def _write_piece(folder: Path, piece: _Piece) -> None:
    for name, parts in piece.packed.items():
        for number, packed in enumerate(parts):
            assert isinstance(packed, bytes)
            (folder / f"{name}-{number}.parquet").write_bytes(packed)
    facts = {
        "funnel": piece.funnel.facts(),
        "ids": piece.ids,
        "faults": [asdict(fault) for fault in piece.faults],
        "files": {name: len(parts) for name, parts in piece.packed.items()},
    }
    (folder / _FACTS).write_bytes(msgspec.json.encode(facts))


def _read_piece(folder: Path) -> _Piece:
    facts = msgspec.json.decode((folder / _FACTS).read_bytes())
    packed: dict[str, list[Packed]] = {
        name: [folder / f"{name}-{number}.parquet" for number in range(count)] for name, count in facts["files"].items()
    }
    ids = [(work_id, where) for work_id, where in facts["ids"]]
    return _Piece(packed, Funnel.of_facts(facts["funnel"]), ids, [Fault(**fault) for fault in facts["faults"]])


def _in_file(portion: Portion, path: Path) -> Portion:
    return portion.in_file(path)


Makers = Mapping[str, Callable[[], Iterator[pl.DataFrame]]]
"""What makes each table, in parts in its order; picklable if the parts read are in files."""


def tabulate(records: Iterable[Record] | Portioned, entry: Entry) -> Corpus:
    """Read records of any schema era into the tables of a corpus.

    The country of a work is that of an institution, or one parsed from a raw string. Records that cannot
    be read and repeated ids are counted and named in the funnel. Records that come in portions are read on all
    cores; the result is the same.

    Parameters
    ----------
    entry : which works enter the corpus.
    """
    makers, funnel = makers_of_tables(records, entry)
    return Corpus({name: pl.concat(make()) for name, make in makers.items()}, funnel)


def makers_of_tables(
    records: Iterable[Record] | Portioned, entry: Entry, kept_in: Path | None = None
) -> tuple[Makers, Funnel]:
    """Do as `tabulate`, but give what makes each table part by part: none need be whole in memory.

    Parameters
    ----------
    kept_in : folder for what is read of each portion, on disk until the tables are made; portions that are there
        already, from a call that was stopped, are not read again. It must be used for these
        records and this entry alone.
    """
    if isinstance(records, Portioned):
        join = _Join()
        kept = None if kept_in is None else KeptParts(kept_in, _write_piece, _read_piece, _in_file)
        for piece in in_parallel(partial(_read_portion, entry=entry), records.portions(), kept=kept):
            join.add(piece)
            if len(join.faults) >= MOST_FAULTS or join.is_hopeless:
                break
        records.complain(join.faults)
        join.complain()
        return join.makers(), join.funnel
    join, faults = _Join(), list[Fault]()
    join.add(_read(records, entry, faults))
    if faults:
        raise FileError.first(faults, kind="works file")
    return join.makers(), join.funnel


def _read_portion(portion: Portion, entry: Entry) -> _Piece:
    faults: list[Fault] = []
    with no_collection():
        return _read(portion.records(faults), entry, faults)


def _read(records: Iterable[Record], entry: Entry, faults: list[Fault]) -> _Piece:
    funnel = Funnel()
    gathered = _Rows()
    ids: list[tuple[str, str]] = []
    seen: set[str] = set()
    for record in records:
        funnel.read += 1
        try:
            work, wrong = read_value(record.value)
            work_id = work_id_of(work)
        except Unreadable as reason:
            funnel.unreadable.append((record.where, str(reason)))
            if not ids and len(funnel.unreadable) >= MOST_UNREADABLE:
                break
            continue
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            funnel.read -= 1
            faults.append(not_json(record, error))
            continue
        ids.append((work_id, record.where))
        if work_id in seen:
            continue
        seen.add(work_id)
        countries = countries_of(work)
        if entry.admits(countries):
            funnel.converted += [(record.where, f"{path}: {what}") for path, what in wrong if path]
            read_in_part = [what for path, what in wrong if not path]
            _add(record, work, work_id, countries, gathered.rows, read_in_part)
            if read_in_part:
                funnel.shortened.append((record.where, "; ".join(read_in_part)))
            if len(gathered.rows["works"]) >= _CHUNK:
                gathered.flush()
    gathered.flush()
    return _Piece(gathered.packed, funnel, ids, faults)


class _Join:
    """Joins what was read of portions; of works with the same id the first is kept."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.funnel = Funnel()
        self._packed: dict[str, list[Packed]] = {name: [] for name in _READ}
        self._seen: set[str] = set()

    def add(self, piece: _Piece) -> None:
        """Add the next portion."""
        known = {work_id for work_id, _ in piece.ids if work_id in self._seen}
        for work_id, where in piece.ids:
            if work_id in self._seen:
                self.funnel.repeated.append((where, f"{work_id} was read before"))
            self._seen.add(work_id)
        if known:
            self._take_back(piece, known)
        self.funnel.add(piece.funnel)
        self.faults += piece.faults
        for name, packed in piece.packed.items():
            self._packed[name] += packed

    def _take_back(self, piece: _Piece, known: set[str]) -> None:
        """Take works that were read before out of a portion, and what its funnel says of their values."""
        places = {where for work_id, where in piece.ids if work_id in known}
        for named in (piece.funnel.shortened, piece.funnel.converted):
            named[:] = [(where, what) for where, what in named if where not in places]
        again = pl.col("work_id").is_in(sorted(known))
        for name, parts in piece.packed.items():
            piece.packed[name] = [pack(unpack(packed).filter(~again)) for packed in parts]

    @property
    def is_hopeless(self) -> bool:
        """Return whether so many records were no work that no further one need be read."""
        return not self._seen and len(self.funnel.unreadable) >= MOST_UNREADABLE

    def complain(self) -> None:
        """Raise `InputError` if none of the records is a work: these are no works files."""
        if self._seen:
            return
        hint = "give OpenAlex works, one JSON object per line"
        if not self.funnel.read:
            raise InputError("there is no record in the works files", hint=hint)
        where, why = self.funnel.unreadable[0]
        what = f"no readable work among {amount(self.funnel.read, 'record')}; the first: {why}"
        raise InputError(what, where=where, hint=hint)

    def makers(self) -> Makers:
        """Return what makes the tables of all portions, by name."""
        traits = pl.concat([pl.DataFrame(schema=TRAITS), *map(unpack, self._packed[_TRAITS])])
        starts, duplicates = starts_of_parts(traits["work_id"]), duplicates_of(traits)
        return {
            name: partial(_parts_of, name, tuple(self._packed[name]), starts, duplicates if name == "works" else None)
            for name in TABULATED
        }


def _parts_of(
    name: str, packed: Sequence[Packed], starts: pl.Series, duplicates: pl.DataFrame | None
) -> Iterator[pl.DataFrame]:
    """Yield a table of all portions in parts, sorted."""
    for part in range_partition(packed, _schema_read(name), starts):
        whole = part if duplicates is None else part.join(duplicates, on="work_id", how="left")
        yield conform(name, whole)


def _schema_read(name: str) -> pl.Schema:
    """Return what is read of a table: duplicates can be marked only when all works are known."""
    return pl.Schema({c: dtype for c, dtype in TABLES[name].schema.items() if c != "duplicate_of"})


def _add(
    record: Record,
    work: Work,
    work_id: str,
    countries: list[list[str]],
    rows: dict[str, list[tuple[Any, ...]]],
    read_in_part: list[str],
) -> None:
    awards = award_rows(work, work_id)
    row, shortened = work_row(work, work_id, countries, awards)
    read_in_part += shortened
    authorships, affiliations = authorship_rows(work, work_id, countries)
    rows["authorships"] += authorships
    rows["affiliations"] += affiliations
    if record.is_whole:
        row = row._replace(is_truncated=False)
    rows["works"].append((*row, sorted(record.found_by), epoch_of(record.retrieved_on)))
    rows["topics"] += topic_rows(work, work_id)
    rows["awards"] += awards
