"""Checks of the arguments of public functions: a wrong type is wrong input, named with what is wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copub.countries import find_country, name_fault
from copub.errors import InputError, brief

if TYPE_CHECKING:
    import polars as pl


def expect(value: Any, kind: type | tuple[type, ...], name: str, wanted: str) -> None:
    """Raise `InputError` unless an argument has a type.

    Parameters
    ----------
    value : the argument.
    kind : the type, or several, that it may have.
    name : its name.
    wanted : what to give instead, for the hint.
    """
    if not isinstance(value, kind):
        raise _wrong(value, name, wanted)
    if isinstance(value, str):
        text_of(value, name)


def text_of(value: str, name: str) -> str:
    """Return a text. Raises `InputError` if it holds a NUL, or characters that are not UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        what = f"{name} holds characters that are not UTF-8"
        raise InputError(what, where=ascii(value)[:200], hint="write it, or name the file, in UTF-8") from None
    if "\0" in value:
        raise InputError(f"{name} holds a NUL", where=ascii(value)[:200], hint="leave it out")
    return value


def expect_each(values: Any, kind: type, name: str, wanted: str) -> None:
    """Raise `InputError` unless an argument is a list or tuple whose items all have a type."""
    expect(values, (list, tuple), name, wanted)
    for position, value in enumerate(values):
        expect(value, kind, f"{name}[{position}]", wanted)


def expect_known(values: Any, known: Sequence[str], name: str) -> None:
    """Raise `InputError` unless an argument is a list or tuple of known names; the hint lists these."""
    expect_each(values, str, name, f"a list of some of: {', '.join(known)}")
    unknown = [value for value in values if value not in known]
    if unknown:
        raise InputError(f"{name}: there is no {unknown[0]!r}", hint=f"known: {', '.join(known)}")


def frame_of(given: Any, columns: Mapping[str, pl.DataType], name: str) -> pl.DataFrame:
    """Return an argument as a frame whose columns have the wanted types: nulls and numbers are cast.

    Raises `InputError` if it is no polars frame, lacks a column, or has one of another type.
    """
    import polars as pl  # only here: the command line shows its help without it

    expect(given, pl.DataFrame, name, f"a polars DataFrame with the columns {', '.join(columns)}")
    frame: pl.DataFrame = given
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        there = ", ".join(frame.columns) or "none"
        raise InputError(f"{name} lacks the columns {', '.join(missing)}", hint=f"columns that it has: {there}")
    for column, wanted in columns.items():
        found = frame.schema[column]
        if found == wanted:
            continue
        if not (found in (pl.Null, pl.List(pl.Null)) or (found.is_numeric() and wanted.is_numeric())):
            raise _wrong_type(column, name, found, wanted)
        try:
            frame = frame.with_columns(pl.col(column).cast(wanted))
        except pl.exceptions.PolarsError:
            raise _wrong_type(column, name, found, wanted) from None
    return frame


def _wrong_type(column: str, name: str, found: pl.DataType, wanted: pl.DataType) -> InputError:
    return InputError(f"column {column} of {name} has the type {found}", hint=f"cast it to {wanted}")


def path_of(value: Any, name: str) -> Path:
    """Return an argument as a path. Raises `InputError` if it is none, or none that the system can look up."""
    expect(value, (str, os.PathLike), name, "a path or a name, as text or as pathlib.Path")
    text = os.fspath(value)
    text_of(text if isinstance(text, str) else os.fsdecode(text), name)
    try:
        path = Path(value)
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path  # what is wrong with it, whoever opens it says
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{name} is no usable path: {reason}", where=ascii(value)[:200]) from None
    return path


def paths_of(values: Any, name: str) -> list[Path]:
    """Return an argument as a list of paths; one text alone is refused."""
    expect(values, (list, tuple), name, "a list of paths")
    return [path_of(value, f"{name}[{position}]") for position, value in enumerate(values)]


def expect_numbers(values: Any, name: str) -> None:
    """Raise `InputError` unless an argument maps texts to numbers."""
    wanted = "a dict of numbers by name"
    expect(values, Mapping, name, wanted)
    for key, value in values.items():
        expect(key, str, f"a key of {name}", wanted)
        expect(value, (int, float), f"{name}[{key!r}]", wanted)


def each_frame(frames: Any, columns: Mapping[str, pl.DataType], name: str) -> Iterable[pl.DataFrame]:
    """Yield frames, given whole or in parts, each checked as by `frame_of` when it is reached."""
    import polars as pl

    if isinstance(frames, pl.DataFrame) or not isinstance(frames, Iterable) or isinstance(frames, str | bytes):
        frames = [frames]
    for frame in frames:
        yield frame_of(frame, columns, name)


def _wrong(value: Any, name: str, wanted: str) -> InputError:
    kind = type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    return InputError(f"{name} is {article} {kind}: {brief(repr(value))}", hint=f"give {wanted}")


def country_code(value: Any, name: str) -> str:
    """Return the code of a country given by code or name; raise `InputError` if it is none."""
    expect(value, str, name, "a country by code or name, such as CN")
    found = find_country(value)
    if found is None:
        raise InputError(str(name_fault(value)), where=name, hint="give an ISO 3166 code or an English name")
    return found.code
