"""Reading works files: JSON Lines (plain, gzip, Zstandard) and Parquet, record by record.

A broken line is kept until all files are read, so that one message names them all; a value that
is no object is passed on, for tabulate to count. Files are cut into portions of unparsed lines,
which can be read in other processes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip, isal_zlib

from copub.errors import Fault, FileError, InputError
from copub.progress import bar
from copub.sources.rawrecord import LONGEST_LINE, MOST_FAULTS, MOST_VALUES, Record, parsed

FOUND_BY = ("works-file",)
PORTION = 7 << 22
"""Bytes of text in a portion, some two thousand works. Of more, the C library would ask the system for each anew."""
PARQUET_ROWS = 256
SHORTEST_LINE = 8
"""Bytes that the lines of a portion have on average at least: a work has at least an id."""
MOST_UNPACKED, MOST_TIMES = 256 << 20, 400
"""Bytes from which a packed file is refused that unpacks to more than so many times its size: works shrink tenfold."""
ROWS_AT_ONCE_BYTES = 64 << 20
"""Bytes of Parquet rows that become records at once; a larger part is read row by row."""
_BOM = b"\xef\xbb\xbf"
_MAGIC = {".gz": (b"\x1f\x8b", "gzip"), ".zst": (b"\x28\xb5\x2f\xfd", "Zstandard"), ".parquet": (b"PAR1", "Parquet")}
_MAGIC_BYTES = 4
_SUFFIXES = re.compile(r"\.(jsonl|json|ndjson|gz|zst|parquet)$")
_FILES_SHOWN = 5
_PEEK = 1 << 12
_LARGE_CHUNK = 1 << 20
_NOT_BLANK = re.compile(rb"[^\s\x00]")
_NO_LINES = (
    ("one JSON array", re.compile(rb"\s*\[\s*(\{|\n)"), ".[]"),
    ("an answer of the OpenAlex API", re.compile(rb"\s*\{\s*\"(meta|results)\"\s*:"), ".results[]"),
    ("JSON spread over several lines", re.compile(rb"\s*\{\s*\n\s*\"[^\n]*\n"), "."),
)
"""Texts that are taken for JSON Lines by mistake: what each is, how it begins, what makes lines of it."""
_CSV = re.compile(
    rb"\s*\"?[A-Za-z_][^,;\t\r\n{}]{0,60}?\"?\s*[,;\t]\s*\"?[A-Za-z_][^,;\t\r\n{}:]{0,60}\"?\s*([,;\t\r\n]|$)"
)
"""A first line of names of columns, set apart by comma, semicolon or tab."""
_FLATTENED = "authorships."
"""The beginning of names of keys in exports that hold one value per column."""
_FORMATS = (
    ("a flattened export", re.compile(rb'\s*\{(?![^\n]*"authorships"\s*:)[^\n]*"authorships\.')),
    ("an Excel workbook or a ZIP archive", re.compile(rb"PK\x03\x04")),
    ("a BibTeX file", re.compile(rb"\s*@\w+\s*\{")),
    ("a RIS file", re.compile(rb"\s*TY  ?- ")),
    ("an export of the Web of Science", re.compile(rb"\s*FN [A-Z]")),
    ("an XML or HTML file", re.compile(rb"\s*<")),
    ("a CSV file", _CSV),
)
"""Exports of websites and of reference managers: what each is, and how it begins."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # typed as an instance
_BROKEN_STREAM = (EOFError, OSError, _GZIP_ERROR)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a file in JSON Lines: the number of the first, and the fault that ended the file, if any.

    text : the lines, or a file that holds them.
    """

    path: Path
    first: int
    text: bytes | Path
    fault: Fault | None = None

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        """Yield the records, unparsed; a fault that ended the file is added to `faults`."""
        name, number, at = self.path.name, self.first, 0
        whole = self.text if isinstance(self.text, bytes) else self.text.read_bytes()
        if len(whole) > PORTION // 2 and (lines := _not_empty(whole)) * SHORTEST_LINE > len(whole):
            what = f"the next {lines:,} lines have a few bytes each: they are no works"
            faults.append(Fault(f"{self.path}:{self.first}", what, "give one work per line"))
            return
        while found := _NOT_BLANK.search(whole, at):  # blank lines, be they millions, cost nothing
            start = whole.rfind(b"\n", at, found.start()) + 1 or at
            number += whole.count(b"\n", at, start)
            at = whole.find(b"\n", start) + 1 or len(whole)
            text = whole[start:at]
            if number == 1:
                text = text.removeprefix(_BOM)
            if number > 1 or text.strip():
                yield Record(text, f"{name}:{number}", FOUND_BY, path=f"{self.path}:{number}")
            number += 1
            if len(faults) >= MOST_FAULTS:
                faults.append(Fault(f"{self.path}:{number}", "too many broken lines: the rest was not read"))
                break
        if self.fault:
            faults.append(self.fault)

    def in_file(self, path: Path) -> Lines:
        """Return the same lines, kept in a file."""
        assert isinstance(self.text, bytes)
        path.write_bytes(self.text)
        return replace(self, text=path)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a Parquet file: the number of the first, and the fault that ended the file, if any."""

    path: Path
    first: int
    batch: pa.RecordBatch | None
    fault: Fault | None = None

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        """Yield the records; rows that cannot be read are added to `faults`."""
        has_bytes = self.batch is not None and "binary" in str(self.batch.schema)
        for number, row in enumerate(self._rows(), start=self.first):
            if isinstance(row, str):
                faults.append(Fault(f"{self.path}:{number}", row, "leave it out"))
                continue
            values = {key: _plain(value) for key, value in row.items()}
            values = _with_texts(values) if has_bytes else values
            yield Record(values, f"{self.path.name}:{number}", FOUND_BY)
        if self.fault:
            faults.append(self.fault)

    def in_file(self, path: Path) -> Rows:
        """Return the rows as they are: they are few."""
        return self

    def _rows(self) -> Iterator[dict[str, Any] | str]:
        """Yield the rows; for one that is too large, or holds a value that Python cannot, what is wrong with it."""
        if self.batch is None:
            return
        whole = _values_of(self.batch) if self.batch.nbytes <= ROWS_AT_ONCE_BYTES else ""
        if isinstance(whole, list):
            yield from whole
            return
        for number in range(self.batch.num_rows):
            row = self.batch.slice(number, 1)
            if row.nbytes > LONGEST_LINE:
                yield f"a row is longer than {LONGEST_LINE // 1_000_000} MB; it is no work"
            else:
                values = _values_of(row)
                yield values if isinstance(values, str) else values[0]


def _values_of(batch: pa.RecordBatch) -> list[dict[str, Any]] | str:
    """Return the rows of a batch; if a text is no UTF-8 or a date is beyond the year 9999, what is wrong."""
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except (UnicodeDecodeError, OverflowError, ValueError, pa.ArrowException) as error:
        return f"a row holds a value that cannot be read: {error}"


class WorksFiles:
    """The records of works files, in order: one at a time, or in portions that other processes can read."""

    def __init__(self, paths: Sequence[Path], label: str) -> None:
        self._paths = tuple(paths)
        self._label = label
        self._states = [_state(path) for path in self._paths]

    def __iter__(self) -> Iterator[Record]:
        faults: list[Fault] = []
        for portion in self.portions():
            yield from parsed(portion.records(faults), faults)
            if len(faults) >= MOST_FAULTS:
                break
        self.complain(faults)

    def portions(self) -> Iterator[Lines | Rows]:
        """Yield the files in portions that are not parsed yet.

        Raises `InputError` before a portion of a file that is not what it was when this object was made: who hashed
        it since would have the hash of another text.
        """
        size = sum(state[0] for state in self._states if state)
        with bar(label=self._label, total=size, unit="bytes") as progress:
            for path, state in zip(self._paths, self._states, strict=True):
                _expect(state, path)
                cut = _cut_rows if _packing(path) == ".parquet" else _cut_lines
                for portion in cut(path, progress.update):
                    _expect(state, path)
                    yield portion

    def complain(self, faults: Sequence[Fault]) -> None:
        """Raise `FileError` if there are faults; the first 20 are listed."""
        if not faults:
            return
        kind = "works file" if len(self._paths) == 1 else "works files"
        raise FileError.first(faults, kind=kind)


def read_works(paths: Sequence[Path], *, label: str = "read works") -> WorksFiles:
    """Return the records of the files, in order, to be read one at a time or in portions.

    Parameters
    ----------
    paths : JSON Lines (``.jsonl`` or any other name, ``.gz``, ``.zst``) or Parquet (``.parquet``);
        what is packed is read as such under any name.
    label : what the progress bar says.

    Raises
    ------
    InputError : at once, if files are missing, are folders, are not what their names say, or are
        one JSON text instead of lines.
    FileError : after the last record, if lines are no JSON; the first 20 are listed.
    """
    check_works(paths)
    return WorksFiles(paths, label)


def check_works(paths: Sequence[Path]) -> None:
    """Raise `InputError` if works files are missing, are folders, or are not what their names say."""
    if not paths:
        raise InputError("no works file is named", where="--works", hint="name one or more files")
    for path in paths:
        if path.is_dir():
            raise InputError("this is a folder, not a works file", where=str(path), hint=_files_in(path))
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        noun = "file" if len(missing) == 1 else "files"
        raise InputError(
            f"there is no such works {noun}", where=", ".join(missing), hint="check the paths and the spelling"
        )
    wrong = [(path, kind) for path in paths if (kind := _not_as_named(path))]
    if wrong:
        raise InputError(
            "; ".join(f"{path.name} is no {kind} file" for path, kind in wrong),
            where=", ".join(str(path) for path, _ in wrong),
            hint="give the file the suffix of what it is (.jsonl, .gz, .zst, .parquet), or get it again",
        )
    for path in paths:
        _check_lines(path)


def _state(path: Path) -> tuple[int, int] | None:
    """Return what shows that a file was written to: its size and when; None if it is not there."""
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return None


def _expect(state: tuple[int, int] | None, path: Path) -> None:
    """Raise `InputError` if a file is in another state."""
    if _state(path) != state:
        raise InputError(
            "the works file changed while it was read",
            where=str(path),
            hint="repeat the command when nothing writes to the file any more; nothing was kept of the change",
        )


def _files_in(folder: Path) -> str:
    """Return what to do instead of naming a folder: name the works files in it."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and _SUFFIXES.search(path.name))
    if not names:
        return "name works files; there is none in it by its name (.jsonl, .gz, .zst, .parquet)"
    more = f" and {len(names) - _FILES_SHOWN} more" if len(names) > _FILES_SHOWN else ""
    return f"name the files in it: {' '.join(names[:_FILES_SHOWN])}{more}"


def _not_as_named(path: Path) -> str:
    """Return the kind that the name promises and the content is not; empty if all is well."""
    suffix = path.suffix.lower()
    if suffix not in _MAGIC:
        return ""
    kind = _MAGIC[suffix][1]
    if _packing(path) != suffix:
        return kind
    if suffix == ".parquet":
        try:
            pq.ParquetFile(path).close()
        except (pa.ArrowException, OSError):
            return kind
    return ""


def _packing(path: Path) -> str:
    """Return the suffix that represents how a file is packed, by its first bytes; empty for plain text."""
    with path.open("rb") as file:
        first = file.read(_MAGIC_BYTES)
    return next((suffix for suffix, (magic, _) in _MAGIC.items() if first.startswith(magic)), "")


def _check_lines(path: Path) -> None:
    """Raise `InputError` if a file is one JSON text (a page of the API, an array) and not one work per line."""
    packing = _packing(path)
    if packing == ".parquet":
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowException, OSError):
            return  # named when the rows are read
        if "authorships" not in names and any(name.startswith(_FLATTENED) for name in names):
            raise _other_format(path, "a flattened export")
        return
    with path.open("rb") as raw:
        try:
            beginning = _open(raw, packing).read(_PEEK)
        except _BROKEN_STREAM:
            return  # named with its line when the records are read
    if beginning.startswith(_UTF16):
        raise InputError("this is UTF-16 text, not UTF-8", where=str(path), hint="save it as UTF-8")
    beginning = beginning.removeprefix(_BOM)
    format_ = next((what for what, shape in _FORMATS if shape.match(beginning)), "")
    if not format_ and path.suffix.lower() in (".csv", ".tsv") and not beginning.lstrip().startswith((b"{", b"[")):
        format_ = "a CSV file"
    if format_:
        raise _other_format(path, format_)
    for what, shape, hint in _NO_LINES:
        if shape.match(beginning):
            raise InputError(
                f"this is {what}, not one work per line", where=str(path), hint=f"make lines of it: jq -c '{hint}'"
            )


def _other_format(path: Path, format_: str) -> InputError:
    return InputError(
        f"this is {format_}, not one work per line: such an export leaves out the affiliations that copub needs",
        where=str(path),
        hint="let copub ask OpenAlex (copub run STUDY), or give works as its API returns them, one per line",
    )


def _open(raw: IO[bytes], packing: str) -> Any:
    if packing == ".gz":
        gzip_file: Any = igzip.IGzipFile
        return gzip_file(fileobj=raw)
    if packing == ".zst":
        # Arrow's reader, unlike zstandard's, says when a frame breaks off.
        return pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
    return raw


def _cut_lines(path: Path, moved: Callable[[float], Any]) -> Iterator[Lines]:
    pieces: list[bytes] = []
    first, size, at, unpacked, unended = 1, 0, 0, 0, 0
    fault = None
    with path.open("rb") as raw:
        text = _open(raw, _packing(path))
        try:
            while piece := text.read1(PORTION // 16):
                size += len(piece)
                unpacked += len(piece)
                if unpacked > MOST_UNPACKED and unpacked > MOST_TIMES * max(raw.tell(), 1):
                    raise EOFError(f"it unpacks to more than {MOST_TIMES} times its size; it holds no works")
                last = piece.rfind(b"\n") + 1
                line = unended + (piece.find(b"\n") if last else len(piece))
                if line > LONGEST_LINE:
                    raise EOFError(f"a line is longer than {LONGEST_LINE // 1_000_000} MB; it is no work")
                unended = len(piece) - last if last else line
                end = last if size >= PORTION else 0
                if not end:
                    pieces.append(piece)
                    continue
                lines = b"".join([*pieces, piece[:end]])
                yield Lines(path, first, lines)
                moved(raw.tell() - at)
                first, at = first + lines.count(b"\n"), raw.tell()
                pieces = [piece[end:]]
                size = len(pieces[0])
        except _BROKEN_STREAM as error:
            lines = b"".join(pieces)
            pieces = [lines[: lines.rfind(b"\n") + 1]]  # what follows is a piece of a line
            line = first + lines.count(b"\n")
            fault = Fault(f"{path}:{line}", f"the file breaks off or is damaged: {error}", "get it again")
        yield Lines(path, first, b"".join(pieces), fault)
        moved(path.stat().st_size - at)


def _cut_rows(path: Path, moved: Callable[[float], Any]) -> Iterator[Rows]:
    first = 1
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # as in `copub.parallel.parts_on_disk`
            step = path.stat().st_size / max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(batch_size=_rows_at_once(file.metadata)):
                yield Rows(path, first, batch)
                first += len(batch)
                moved(step * len(batch))
    except (pa.ArrowException, OSError) as error:
        yield Rows(path, first, None, Fault(f"{path}:{first}", f"the file is damaged: {error}", "get it again"))


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    """Return the rows of a batch: fewer where a column of a few bytes represents many, as a repeated long text does.

    Raises `pa.ArrowInvalid` if even one row may have more than a record may.
    """
    rows = PARQUET_ROWS
    for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
        for chunk in (group.column(number) for number in range(group.num_columns)):
            size = chunk.total_uncompressed_size
            if chunk.num_values > MOST_VALUES * max(group.num_rows, 1) or size > 1 << 31:
                raise pa.ArrowInvalid(f"column {chunk.path_in_schema} unpacks to more than works have")
            if size > _LARGE_CHUNK and size > MOST_TIMES * max(chunk.total_compressed_size, 1):
                rows = min(rows, max(1, 2 * ROWS_AT_ONCE_BYTES // size))
    return rows


def _not_empty(text: bytes) -> int:
    """Return the number of lines with at least one character; 0 if even with all others they are few."""
    if text.count(b"\n") * SHORTEST_LINE <= len(text):
        return 0
    ends = np.frombuffer(text, dtype=np.uint8) == ord("\n")
    return int((ends[1:] & ~ends[:-1]).sum())


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: dates as text."""
    return value.isoformat() if isinstance(value, date | datetime) else value


def _with_texts(value: Any) -> Any:
    """Return a value with text in place of bytes: some programs write texts as binary columns."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [_with_texts(one) for one in value]
    if isinstance(value, dict):
        return {_with_texts(key): _with_texts(one) for key, one in value.items()}
    return value
