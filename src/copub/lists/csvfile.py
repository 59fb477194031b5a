"""The one reader of CSV files that people bring: exports, sheets that were filled in, lists.

Columns may be parted by commas, semicolons (as spreadsheets of most of Europe write them) or tabs; the text may
be UTF-8, with or without a byte-order mark, or UTF-16 with one. Every fault is reported with its line, all at once.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from copub.errors import Fault, InputError
from copub.givenfiles import read_bounded, too_large
from copub.settings import memory_gb

SEPARATOR = "|"
"""What is between several values in one cell."""
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
GZIP = b"\x1f\x8b"
_LONGEST_CELL = 1_000_000
_MEMORY_PER_BYTE = 64  # what the cells of a table take in memory, to their bytes in the file
_LINES_COMPARED = 20
_DATE = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"|(?P<first_day>\d{1,2})\. ?(?P<second_month>\d{1,2})\. ?(?P<last_year>\d{4}))(?:[ T]0{1,2}:00(?::00)?)?"
)
_BROKEN = (EOFError, OSError, zlib.error)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row of a CSV file with the place where it is, as ``file:line``."""

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def many(self, column: str) -> tuple[str, ...]:
        """Return the parts of a cell that holds several values separated by ``|``."""
        return tuple(part.strip() for part in self[column].split(SEPARATOR) if part.strip())

    def dated(self) -> CsvRow:
        """Return the row with its column ``date`` as YYYY-MM-DD where a spreadsheet wrote 21.11.2026 or added a time.

        A date with slashes stays as it is: nobody can tell the day from the month.
        """
        found = _DATE.fullmatch(self["date"].strip())
        if found is None:
            return self
        year, month, day = (found["year"], found["month"], found["day"])
        if year is None:
            year, month, day = (found["last_year"], found["second_month"], found["first_day"])
        return CsvRow(self.where, {**self.cells, "date": f"{year}-{int(month):02}-{int(day):02}"})


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file: its name, the names of its columns, what parts them, its rows without empty ones."""

    name: str
    columns: tuple[str, ...]
    delimiter: str
    rows: list[CsvRow]

    @property
    def heading(self) -> str:
        """Return what the first line holds, for messages."""
        names = ", ".join(column or "(empty)" for column in self.columns)
        return f"columns: {names} (read with a {_DELIMITERS[self.delimiter]} between them)"

    def column_faults(self, known: Mapping[str, str], required: tuple[str, ...]) -> Iterator[Fault]:
        """Yield the columns that are not in `known` (any, if that is empty) and those that are missing."""
        where = f"{self.name}:1"
        for column in sorted(set(self.columns) - set(known)) if known else ():
            yield Fault(where, f"unknown column {column!r}", f"known: {', '.join(known)}")
        for column in required:
            if column not in self.columns:
                yield Fault(where, f"column {column!r} is missing", known.get(column) or self.heading)


def read_text(path: Path, *, kind: str) -> str:
    """Return the text of a file: UTF-8 with or without a byte-order mark, UTF-16 with one, or either in gzip.

    Raises
    ------
    InputError : the file is missing, is a folder, breaks off, or is in another encoding.
    """
    largest = int(memory_gb() * 1e9 / _MEMORY_PER_BYTE)
    data = read_bounded(path, largest, kind)
    if data.startswith(GZIP):  # under any name: a run keeps its copy as .csv
        data = _unpacked(data, largest, path, kind)
    try:
        return data.decode("utf-16" if data.startswith(UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"the {kind} is not UTF-8 text (byte {error.start})",
            where=f"{path}:{line}",
            hint="save it as UTF-8 (in a spreadsheet: CSV UTF-8)",
        ) from None


def _unpacked(data: bytes, largest: int, path: Path, kind: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            text = file.read(largest + 1)
    except _BROKEN as error:
        raise InputError(f"the {kind} cannot be read: {error}", where=str(path), hint="get it again") from None
    if len(text) > largest:
        raise too_large(path, largest, kind)
    return text


def read_table(path: Path, faults: list[Fault], *, kind: str, strip: bool = True) -> CsvTable:
    """Read a CSV file with a header (`parse_table`). Raises as `read_text`."""
    return parse_table(read_text(path, kind=kind), str(path), faults, strip=strip)


def read_lines(path: Path, faults: list[Fault], *, kind: str) -> list[list[str]]:
    """Read a CSV file without a header, whose lines may have any number of cells. Raises as `read_text`."""
    delimiter, text, skipped = _delimiter(read_text(path, kind=kind))
    return [cells for _, cells in _parsed(text, delimiter, str(path), skipped, faults)]


def parse_table(text: str, name: str, faults: list[Fault], *, strip: bool = True) -> CsvTable:
    """Parse CSV text with a header; rows that cannot be read are left out and added to `faults`.

    Parameters
    ----------
    name : the file, for messages.
    strip : drop spaces around cells.
    """
    delimiter, text, skipped = _delimiter(text)
    lines = _parsed(text, delimiter, name, skipped, faults)
    where, header = next(lines, (f"{name}:1", []))
    names = [column.strip() for column in header]
    while names and not names[-1]:
        names.pop()  # a spreadsheet writes empty columns to the right
    twice = sorted({one for one in names if names.count(one) > 1})
    faults += [Fault(where, f"column {one!r} is there twice") for one in twice]
    rows = []
    for where, cells in lines:
        if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            hint = f"quote cells with a {_DELIMITERS[delimiter]}"
            faults.append(Fault(where, f"{len(cells)} cells, the header has {len(names)}", hint))
            continue
        pairs = zip(names, cells, strict=False)
        rows.append(CsvRow(where, {name: cell.strip() if strip else cell for name, cell in pairs}))
    return CsvTable(name, tuple(names), delimiter, rows)


def read_rows(
    path: Path,
    known: Mapping[str, str],
    required: tuple[str, ...],
    faults: list[Fault],
    *,
    kind: str,
    strip: bool = True,
) -> list[CsvRow]:
    """Read a CSV file with known columns; unknown and missing columns are added to `faults`. Raises as `read_text`.

    Parameters
    ----------
    known : each column and what it holds.
    required : columns that must be there.
    kind : what sort of file it is, for messages.
    """
    table = read_table(path, faults, kind=kind, strip=strip)
    faults += table.column_faults(known, required)
    return table.rows


def _delimiter(text: str) -> tuple[str, str, int]:
    """Return what parts the columns, by the first lines; the text without a line that says so; the lines skipped."""
    first, _, rest = text.partition("\n")
    stated = first.strip().strip('"').lower()
    if stated.startswith("sep=") and (stated[4:] or "\t") in _DELIMITERS:  # Excel reads and writes such a line
        return stated[4:] or "\t", rest, 1
    counts = {delimiter: _fit(text, delimiter) for delimiter in _DELIMITERS}
    return max(counts, key=lambda delimiter: counts[delimiter]), text, 0


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    """Return how many more of the first lines have as many cells as the header than have not, and how many it has."""
    rows = [cells for _, cells in islice(_parsed(text, delimiter, "", 0, []), _LINES_COMPARED)]
    size = len(rows[0]) if rows else 1
    alike = sum(1 if len(cells) == size else -1 for cells in rows)
    return (alike, size) if size > 1 else (-_LINES_COMPARED, size)


def _parsed(text: str, delimiter: str, name: str, skipped: int, faults: list[Fault]) -> Iterator[tuple[str, list[str]]]:
    """Yield place and cells of every line that is not empty; what is no CSV is added to `faults`."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        where = f"{name}:{reader.line_num + skipped + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what, hint = str(error), "close every quote, and double those inside a quoted cell"
            if "field larger" in what:
                what, hint = (
                    f"a cell is longer than {_LONGEST_CELL:,} characters",
                    "a quote may not be closed before it",
                )
            elif "unexpected end" in what:
                what, hint = "a quote is never closed", "close it, or double it inside a quoted cell"
            faults.append(Fault(where, what, hint))
            continue
        if any(cell.strip() for cell in cells):
            yield where, cells
