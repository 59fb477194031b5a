"""Words of many texts at once: where they are, and a number for each.

The texts are joined into one buffer of UTF-8 bytes and cut with numpy, so that rules and model
read the same words and a matched term can be shown as printed. A word is a run of letters and
digits of any script; everything else parts words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_IS_WORD = bytes((chr(b).isalnum() if b < 128 else True) for b in range(256))
# Signs outside ASCII that part words: first byte -> (second bytes, third bytes or None, length).
_PARTING: tuple[tuple[int, frozenset[int], frozenset[int] | None, int], ...] = (
    (0xC2, frozenset(range(0x80, 0xC0)) - {0xAA, 0xB2, 0xB3, 0xB5, 0xB9, 0xBA}, None, 2),
    (0xC3, frozenset({0x97, 0xB7}), None, 2),
    (0xE2, frozenset({0x80}), None, 3),
    (0xE2, frozenset({0x81}), frozenset(range(0x80, 0xB0)), 3),
    (0xE2, frozenset(range(0x86, 0xB0)), None, 3),
    (0xE3, frozenset({0x80}), None, 3),
    (0xEF, frozenset({0xBC}), frozenset(range(0x80, 0x90)), 3),
)
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
_PAD = b"\n" * 16
_KEEP = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of the segments of a chunk.

    Attributes
    ----------
    buffer : the UTF-8 bytes of all segments, parted by line ends.
    starts, ends : first byte of each word and the byte after its last.
    segment : number of the segment in which each word is.
    hashes : a 64-bit number for each word as printed; equal words have equal numbers.
    segments : how many segments there are.
    """

    buffer: bytes
    starts: Ints
    ends: Ints
    segment: Ints
    hashes: Hashes
    segments: int

    def text(self, start: int, end: int) -> str:
        """Return the printed text between two bytes."""
        return self.buffer[start:end].decode("utf-8")


def tokenize(texts: pl.Series) -> Tokens:
    """Cut a series of texts (null = empty) into words; one segment a text."""
    texts = texts.fill_null("")
    joined: bytes = texts.str.join("\n").cast(pl.Binary).item() if texts.len() else b""
    buffer = joined + _PAD
    inside = _word_bytes(buffer)
    edges = np.flatnonzero(inside[1:] ^ inside[:-1])
    if inside[0]:
        edges = np.concatenate([np.full(1, -1, dtype=np.int64), edges])
    starts, ends = edges[::2] + 1, edges[1::2] + 1
    segment_ends = np.cumsum(texts.str.len_bytes().to_numpy().astype(np.int64) + 1)
    words_before = np.searchsorted(starts, segment_ends)
    segment = np.repeat(np.arange(texts.len()), np.diff(words_before, prepend=0))
    return Tokens(buffer, starts, ends, segment, _hash_words(buffer, starts, ends), texts.len())


def _word_bytes(buffer: bytes) -> npt.NDArray[np.bool_]:
    codes = np.frombuffer(buffer, dtype=np.uint8)
    inside = np.frombuffer(bytearray(buffer).translate(_IS_WORD), dtype=np.bool_)
    beyond_ascii = np.flatnonzero(codes >= _PARTING[0][0])
    kinds = codes[beyond_ascii]
    for first, seconds, thirds, length in _PARTING:
        at = beyond_ascii[kinds == first]
        at = at[_is_in(codes[at + 1], seconds)]
        if thirds is not None:
            at = at[_is_in(codes[at + 2], thirds)]
        for step in range(length):
            inside[at + step] = False
    return inside


def _is_in(values: Bytes, wanted: frozenset[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(wanted)] = True
    return table[values]


def work_of(segment: Ints, works: int) -> Ints:
    """Return the work of each segment, where the titles of all works come first and then their abstracts."""
    return segment - works * (segment >= works)


def mix(values: Hashes) -> Hashes:
    """Scatter the bits of 64-bit numbers, so that any of them can address a table."""
    mixed = values ^ (values >> np.uint64(32))
    mixed *= np.uint64(_MULTIPLIERS[0])
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(_MULTIPLIERS[1])
    mixed ^= mixed >> np.uint64(32)
    return mixed


def pair(first: Hashes, second: Hashes) -> Hashes:
    """Return a number for each pair of neighbouring words."""
    return mix(first * np.uint64(_MULTIPLIERS[2]) + (second ^ np.uint64(_MULTIPLIERS[3])))


def hash_words(words: Sequence[str]) -> Hashes:
    """Return the numbers that `tokenize` gives these words; 0 for an empty one."""
    raw = [word.encode("utf-8") for word in words]
    ends = np.cumsum([len(word) for word in raw], dtype=np.int64)
    starts = ends - np.array([len(word) for word in raw], dtype=np.int64)
    hashes = _hash_words(b"".join(raw) + _PAD, starts, ends)
    return np.where(ends > starts, hashes, np.uint64(0))


def _hash_words(buffer: bytes, starts: Ints, ends: Ints) -> Hashes:
    eights: npt.NDArray[Any] = np.ndarray((len(buffer) - 7,), dtype="<u8", buffer=buffer, strides=(1,))
    lengths = ends - starts
    hashes = lengths.astype(np.uint64)
    hashes *= np.uint64(_MULTIPLIERS[3])
    hashes += eights[starts] & _KEEP[np.minimum(lengths, 8)]
    hashes = mix(hashes)
    rows = np.flatnonzero(lengths > 8)
    at, left = starts[rows] + 8, lengths[rows] - 8
    while rows.size:
        part = eights[at] & _KEEP[np.minimum(left, 8)]
        hashes[rows] = mix(hashes[rows] * np.uint64(_MULTIPLIERS[3]) + part)
        longer = left > 8
        rows, at, left = rows[longer], at[longer] + 8, left[longer] - 8
    return hashes
