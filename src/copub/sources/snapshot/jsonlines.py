"""JSON Lines: a test on raw bytes picks the few lines that can hold a pair; only these are parsed.

The test asks of a line whether the quoted code of some country of each side is in it
anywhere, and knows nothing of keys, spaces or order. A code can hide from it only behind JSON's
escapes of ASCII letters (``"\\u0042E"``), so a line with such an escape passes as well. Lines that
are no UTF-8 pass too: the parser then names them. So it lets too much through, never too little.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
from isal import igzip, isal_zlib

from copub.errors import Fault
from copub.sources.rawrecord import LONGEST_LINE, expect_bounded
from copub.sources.snapshot.part import PartWriter, number_of
from copub.sources.snapshot.selection import Asked, countries_of_work

BLOCK = 16 << 20
"""Bytes of text decompressed at once: smaller costs more calls, larger costs fresh memory for each."""
_GZIP_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # typed as an instance
BROKEN_GZIP = (EOFError, OSError, _GZIP_ERROR)
_AHEAD, _MAGIC_BYTES = 1 << 20, 4
BOM = b"\xef\xbb\xbf"
_ESCAPE, _ESCAPED_LETTER = r"\u00", r"\\u00[45]"
_QUOTED_CODE = '"[A-Z]{2}"'
_FEW = 8
"""Up to so many codes, a search for each is faster than one pattern of all (measured on real records)."""


def scan_lines(stream: Any, asked: Asked, writer: PartWriter, where: str, moved: Callable[[float], Any]) -> int:
    """Hand the works of the asked pairs to `writer`, in order, and return the number of lines that are not empty.

    Parameters and errors are those of `pass_lines`.
    """
    return pass_lines(stream, byte_test(asked), lambda line, at: take_line(line, asked, writer, at), where, moved)


def pass_lines(
    stream: Any,
    test: Callable[[pl.Series], list[int]],
    take: Callable[[bytes, str], None],
    where: str,
    moved: Callable[[float], Any],
) -> int:
    """Hand the lines that pass a test to `take`, each with its place, and return how many lines are not empty.

    Parameters
    ----------
    stream : a binary file: gzip members, Zstandard frames or plain text, by its first bytes; only `readinto` is used.
    test : takes a binary series of lines and returns the positions of those wanted (`byte_test`).
    where : name of the file, for faults.
    moved : called with the number of compressed bytes read.

    Raises
    ------
    EOFError, OSError, isal_zlib.error : the packed stream is damaged or cannot be read.
    """
    records = before = 0
    with _unpacked(_Told(stream, moved)) as text:
        for lines, filled in _blocks(text):
            for position in test(lines):
                take(lines[position], f"{where}:{before + position + 1}")
            before += len(lines)
            records += int(filled.sum())
    return records


def take_line(line: bytes, asked: Asked, writer: PartWriter, where: str) -> None:
    """Parse one line; hand it to `writer` if its countries join a pair; note it as a fault if it is no work."""
    text = line.removeprefix(BOM).strip()
    if not text:
        return
    try:
        expect_bounded(text)
        work = orjson.loads(text)
        pairs = asked.joined(countries_of_work(work))
        number = number_of(work)
    except orjson.JSONDecodeError as error:
        writer.faults.append(Fault(where, f"no JSON: {error}", "get the file again, or report it to OpenAlex"))
    except (AttributeError, TypeError, ValueError) as error:
        # a value of another shape than a Work in this place: named, never dropped in silence
        writer.faults.append(Fault(where, f"no work: {error}", "get the file again, or report it to OpenAlex"))
    else:
        if pairs and (asked.expansion or work.get("is_xpac") is not True):
            writer.add(number, pairs, text)
        elif pairs:
            writer.expansion += 1


def byte_test(asked: Asked) -> Callable[[pl.Series], list[int]]:
    """Return the test on raw lines: a binary series in, the positions of possible works out."""
    sides = ({code for p in asked.pairs for code in p.side_a}, {code for p in asked.pairs for code in p.side_b})
    # the smaller group first: it lets fewer lines through to the second search
    first, second = (_holds(side) for side in sorted(sides, key=len))

    def test(lines: pl.Series) -> list[int]:
        texts = _texts(lines)
        escaped = _where(texts.str.contains(_ESCAPE, literal=True), texts, _has_escaped_letter)
        found = _where(first(texts), texts, second)
        return pl.concat([found, escaped]).unique().sort().to_list()

    return test


def two_codes(lines: pl.Series) -> list[int]:
    """Return the positions of lines that may be works of two countries or more: two different quoted pairs of capitals.

    As `byte_test`, it lets too much through, never too little.
    """
    texts = _texts(lines)
    codes = texts.str.extract_all(_QUOTED_CODE).list.n_unique() > 1
    escaped = _where(texts.str.contains(_ESCAPE, literal=True), texts, _has_escaped_letter)
    return pl.concat([codes.fill_null(True).arg_true(), escaped]).unique().sort().to_list()


def _where(likely: pl.Series, texts: pl.Series, test: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return the positions of the likely lines (null: unknown, so likely) that pass a second test."""
    places = likely.fill_null(True).arg_true()
    return places.filter(test(texts.gather(places)).fill_null(True)) if len(places) else places


def _holds(codes: set[str]) -> Callable[[pl.Series], pl.Series]:
    """Return the test whether the quoted code of one of these countries is in a text."""
    quoted = [f'"{code}"' for code in sorted(codes)]
    if len(quoted) > _FEW:
        pattern = f'"(?:{"|".join(sorted(codes))})"'
        return lambda texts: texts.str.contains(pattern)
    return lambda texts: reduce(or_, (texts.str.contains(one, literal=True) for one in quoted))


def _has_escaped_letter(texts: pl.Series) -> pl.Series:
    return texts.str.contains(_ESCAPED_LETTER)


def _texts(lines: pl.Series) -> pl.Series:
    """Return the lines as text, null where they are no UTF-8."""
    try:
        return lines.cast(pl.String)
    except pl.exceptions.ComputeError:  # polars refuses the whole series for one such line
        return pl.Series([_text(line) for line in lines], dtype=pl.String)


def _text(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


class _Told(io.RawIOBase):
    """A binary file that tells how many bytes are read from it."""

    def __init__(self, stream: Any, moved: Callable[[float], Any]) -> None:
        self._stream = stream
        self._moved = moved

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size: int = self._stream.readinto(buffer)
        self._moved(size)
        return size


def _unpacked(stream: io.RawIOBase) -> Any:
    """Open a file by its first bytes: people unpack parts of a snapshot, under the same name or another."""
    buffered = io.BufferedReader(stream, _AHEAD)
    beginning = buffered.peek(_MAGIC_BYTES)[:_MAGIC_BYTES]
    if beginning.startswith(b"\x1f\x8b"):
        gzip_file: Any = igzip.IGzipFile
        return gzip_file(fileobj=buffered)
    if beginning.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.CompressedInputStream(pa.PythonFile(buffered, "r"), "zstd")
    if beginning.removeprefix(BOM).lstrip()[:1] not in (b"{", b""):
        raise OSError("it is neither gzip nor Zstandard nor JSON Lines")
    return buffered


def _blocks(text: Any) -> Iterator[tuple[pl.Series, Any]]:
    """Yield lines by the block, as a binary series, and for each whether it is a record and no empty line."""
    rest = b""
    while block := text.read(BLOCK):
        starts = _starts(block)
        if len(rest) + len(block) > LONGEST_LINE + BLOCK:
            raise EOFError(f"a line is longer than {LONGEST_LINE // 1_000_000} MB")
        if not starts:
            rest += block
            continue
        # only the line across the border is copied together; the others stay where they are
        head = rest + block[: starts[0]]
        rest = block[starts[-1] :]
        yield _with_head(head, block, starts)
    if rest:
        yield _with_head(rest, b"", [0])


def _starts(block: bytes) -> list[int]:
    starts = []
    start = 0
    while start := block.find(b"\n", start) + 1:
        starts.append(start)
    return starts


def _with_head(head: bytes, block: bytes, starts: list[int]) -> tuple[pl.Series, Any]:
    offsets = np.array(starts, dtype=np.int64)
    filled = np.concatenate(([len(head)], np.diff(offsets))) > 2
    # what is so short can be a line end alone, or a number that tabulate would count
    for position in np.flatnonzero(~filled).tolist():
        line = block[starts[position - 1] : starts[position]] if position else head
        filled[position] = bool(line.strip())
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    body = pl.from_arrow(pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(starts) - 1, buffers))
    assert isinstance(body, pl.Series)
    return pl.concat([pl.Series([head], dtype=pl.Binary), body], rechunk=False), filled
