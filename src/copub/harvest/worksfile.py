"""Reading works files: JSON Lines (plain, gzip, Zstandard) and Parquet, record by record.

A broken line is kept until all files are read, so that one message names them all; a value that
is no object is passed on, for tabulate to count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from isal import igzip, isal_zlib

from copub.errors import CorrectFile, CorrectInput, Fault
from copub.harvest.record import Record
from copub.progress import bar

FOUND_BY = ("works-file",)
FAULTS_SHOWN = 20
PARQUET_ROWS = 256
_BOM = b"\xef\xbb\xbf"
_MAGIC = {".gz": (b"\x1f\x8b", "gzip"), ".zst": (b"\x28\xb5\x2f\xfd", "Zstandard"), ".parquet": (b"PAR1", "Parquet")}
_GZIP_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # typed as an instance
_BROKEN_STREAM = (EOFError, OSError, _GZIP_ERROR, zstandard.ZstdError)


def read_works(paths: Sequence[Path], *, label: str = "read works") -> Iterator[Record]:
    """Return the records of the files, in order, one at a time.

    Parameters
    ----------
    paths : JSON Lines (``.jsonl`` or any other name, ``.gz``, ``.zst``) or Parquet (``.parquet``).
    label : what the progress bar says.

    Raises
    ------
    CorrectInput : at once, if files are missing or are not what their names say; all are named.
    CorrectFile : after the last record, if lines are no JSON; the first 20 are listed.
    """
    _check(paths)
    return _read_all(tuple(paths), label)


def _check(paths: Sequence[Path]) -> None:
    if not paths:
        raise CorrectInput("no works file is named", where="--works", mend="name one or more files")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        noun = "file" if len(missing) == 1 else "files"
        raise CorrectInput(
            f"there is no such works {noun}", where=", ".join(missing), mend="check the paths and the spelling"
        )
    wrong = [(path, kind) for path in paths if (kind := _not_as_named(path))]
    if wrong:
        raise CorrectInput(
            "; ".join(f"{path.name} is no {kind} file" for path, kind in wrong),
            where=", ".join(str(path) for path, _ in wrong),
            mend="give the file the suffix of what it is (.jsonl, .gz, .zst, .parquet), or get it again",
        )


def _not_as_named(path: Path) -> str:
    """Return the kind that the name promises and the content is not; empty if all is well."""
    if path.suffix not in _MAGIC:
        return ""
    magic, kind = _MAGIC[path.suffix]
    with path.open("rb") as file:
        if file.read(len(magic)) != magic:
            return kind
    if path.suffix == ".parquet":
        try:
            pq.ParquetFile(path).close()
        except (pa.ArrowException, OSError):
            return kind
    return ""


def _read_all(paths: tuple[Path, ...], label: str) -> Iterator[Record]:
    faults: list[Fault] = []
    with bar(label=label, total=sum(path.stat().st_size for path in paths), unit="bytes") as progress:
        for path in paths:
            reader = _read_parquet if path.suffix == ".parquet" else _read_lines
            yield from reader(path, faults, progress.update)
    if faults:
        more = len(faults) - FAULTS_SHOWN
        shown = faults[:FAULTS_SHOWN]
        if more > 0:
            shown.append(Fault("…", f"and {more} more"))
        raise CorrectFile(shown, kind="works file" if len(paths) == 1 else "works files")


def _open(raw: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        gzip_file: Any = igzip.IGzipFile
        return gzip_file(fileobj=raw)
    if suffix == ".zst":
        return _Lines(zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
    return raw


class _Lines:
    """Lines of a byte stream that has no line reading of its own."""

    def __init__(self, stream: Any, size: int = 1 << 20) -> None:
        self._stream = stream
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        while chunk := self._stream.read(self._size):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest:
            yield rest


def _read_lines(path: Path, faults: list[Fault], moved: Callable[[float], Any]) -> Iterator[Record]:
    number = at = 0
    with path.open("rb") as raw:
        try:
            for number, line in enumerate(_open(raw, path.suffix), start=1):
                if number % 256 == 0:
                    moved(raw.tell() - at)
                    at = raw.tell()
                text = line.removeprefix(_BOM) if number == 1 else line
                if not text.strip():
                    continue
                try:
                    value = orjson.loads(text)
                except orjson.JSONDecodeError as error:
                    faults.append(Fault(f"{path}:{number}", f"no JSON: {error}", "mend or remove the line"))
                    continue
                yield Record(value, f"{path.name}:{number}", FOUND_BY)
        except _BROKEN_STREAM as error:
            faults.append(Fault(f"{path}:{number + 1}", f"the file breaks off or is damaged: {error}", "get it again"))
        moved(path.stat().st_size - at)


def _read_parquet(path: Path, faults: list[Fault], moved: Callable[[float], Any]) -> Iterator[Record]:
    number = 0
    with pq.ParquetFile(path) as file:
        step = path.stat().st_size / max(file.metadata.num_rows, 1)
        try:
            for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Record({key: _plain(value) for key, value in row.items()}, f"{path.name}:{number}", FOUND_BY)
                moved(step * len(batch))
        except (pa.ArrowException, OSError) as error:
            faults.append(Fault(f"{path}:{number + 1}", f"the file is damaged: {error}", "get it again"))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
