"""Reading TOML files so that every fault can be named with its line.

`tomllib` keeps no positions, so the lines of keys are found by a second, light reading of the
text. A path is a tuple of keys and list positions, such as ``("sides", "a", "countries")`` or
``("area", 3, "name")``.
"""

from __future__ import annotations

import io
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from copub.errors import Fault, FileError, InputError
from copub.givenfiles import read_bounded

TomlPath = tuple[str | int, ...]
LARGEST, LONGEST_TEXT = 4 << 20, 100_000
"""Bytes of a file, and characters of one text in it: the longest that are shipped have a twentieth of both."""
_MOST_PARTS = 50
_PROSE = re.compile(r"\w\s+\w")

_TABLE = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_ARRAY = re.compile(r"^\s*\[\[([^\[\]]+)\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed TOML file: its name, its text, its values, the line of each key, its bytes if it was read from disk."""

    name: str
    text: str
    values: dict[str, Any]
    lines: dict[TomlPath, int]
    data: bytes = b""

    def has(self, *path: str | int) -> bool:
        """Return whether the file sets a key."""
        node: Any = self.values
        for key in path:
            if not isinstance(node, dict) or key not in node:
                return False
            node = node[key]
        return True

    def where(self, *path: str | int) -> str:
        """Return ``file:line`` of a key, or of the nearest table above it that has a line."""
        wanted: TomlPath = path
        while wanted:
            if wanted in self.lines:
                return f"{self.name}:{self.lines[wanted]}"
            wanted = wanted[:-1]
        return f"{self.name}:1"


def read_toml(path: Path, *, kind: str = "file") -> TomlFile:
    """Read a TOML file.

    Raises
    ------
    InputError : the file is missing or is no UTF-8 text.
    FileError : the text is not TOML; the message holds line and column.
    """
    data = read_bounded(path, LARGEST, kind)
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()  # line ends as in a text file
    except UnicodeDecodeError as error:
        raise InputError(
            f"the {kind} is not UTF-8 text (byte {error.start})",
            where=str(path),
            hint="save it as UTF-8",
        ) from None
    return replace(parse_toml(text, name=str(path), kind=kind), data=data)


def parse_toml(text: str, *, name: str, kind: str = "file") -> TomlFile:
    """Parse TOML text; `name` is used in messages. Raises `FileError` if it is not TOML."""
    try:
        _expect_bounded(text)
        values = tomllib.loads(text)
    except RecursionError:
        raise FileError([Fault(f"{name}:1", "nested too deeply", "write it flat")], kind=kind) from None
    except ValueError as error:
        found = re.search(r"line (\d+)", str(error))
        line = found.group(1) if found else str(text.count("\n") + 1)
        raise FileError(
            [Fault(f"{name}:{line}", f"not valid TOML: {error}", "see https://toml.io")],
            kind=kind,
        ) from None
    toml = TomlFile(name=name, text=text, values=values, lines=_lines_of_keys(text))
    faults = [Fault(toml.where(*path), f"{'.'.join(map(str, path))}: {what}") for path, what in _odd(values)]
    if faults:
        raise FileError.first(faults, kind=kind)
    return toml


def _expect_bounded(text: str) -> None:
    """Raise `ValueError` if the text could keep the parser busy: keys of many parts, or nested in each other."""
    for number, line in enumerate(text.split("\n"), start=1):
        head = line.partition("=")[0]
        if head.count(".") > _MOST_PARTS and not _PROSE.search(head):
            raise ValueError(f"a key of more than {_MOST_PARTS} parts (at line {number}, column 1)")


def _odd(values: Any, path: TomlPath = ()) -> Iterator[tuple[TomlPath, str]]:
    """Yield the values that TOML allows and copub does not, each with its path."""
    if isinstance(values, dict):
        for key, value in values.items():
            if not key.isprintable():
                yield path, f"the key {key!r} holds characters that cannot be printed"
            yield from _odd(value, (*path, key))
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from _odd(value, (*path, position))
    elif isinstance(values, str) and (len(values) > LONGEST_TEXT or "\0" in values):
        yield path, "it holds a NUL" if "\0" in values else f"text of more than {LONGEST_TEXT:,} characters"
    elif isinstance(values, float) and not math.isfinite(values):
        yield path, f"{values} is no number"
    elif isinstance(values, int) and not -(2**63) <= values < 2**63:
        yield path, "a whole number of more than 64 bits"


def _lines_of_keys(text: str) -> dict[TomlPath, int]:
    lines: dict[TomlPath, int] = {}
    counters: dict[tuple[str, ...], int] = {}
    inner: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    table: TomlPath = ()
    multiline = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if multiline:
            if multiline in line:
                multiline = ""
            continue
        if match := _ARRAY.match(line):
            names = _split(match.group(1))
            counters[names] = counters.get(names, -1) + 1
            for deeper in inner.pop(names, ()):
                counters.pop(deeper, None)
            for depth in range(1, len(names)):
                inner.setdefault(names[:depth], set()).add(names)
            table = _with_positions(names, counters)
            lines.setdefault(table, number)
        elif match := _TABLE.match(line):
            table = _with_positions(_split(match.group(1)), counters)
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            lines.setdefault((*table, *_split(match.group(1))), number)
            rest = line[match.end() :]
            for quotes in ('"""', "'''"):
                if rest.count(quotes) == 1:
                    multiline = quotes
    return lines


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _with_positions(names: tuple[str, ...], counters: dict[tuple[str, ...], int]) -> TomlPath:
    path: list[str | int] = []
    for depth, name in enumerate(names, start=1):
        path.append(name)
        if names[:depth] in counters:
            path.append(counters[names[:depth]])
    return tuple(path)
