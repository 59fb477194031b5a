"""Where an output may go: never over an input, a file of a run, or what people have made or changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from copub.arguments import path_of
from copub.errors import Fault, InputError
from copub.lists.csvfile import CsvTable, read_table
from copub.writing import MANIFEST

FILLED_IN: Mapping[str, frozenset[str]] = {
    "decisions on affiliations": frozenset(("decision",)),
    "answers on works": frozenset(("critical", "listed", "reader")),
    "areas of works": frozenset(("core", "applied", "reader")),
}
"""What people fill in on sheets: kind -> the columns by which such a sheet is known, filled in or not."""
_ANSWERS = frozenset.union(*FILLED_IN.values()) | {"reviewer", "reason", "top_level", "date"}

_EXPORTS = "export"
_LONGEST_LINE, _BEGINNING = 1 << 24, 1 << 12
_SIGNATURE = re.compile(rb"<!-- copub ([0-9a-f]{64}) ([0-9a-f]{64}) -->\n")


def check_out(path: Path, *inputs: Path, suffixes: Iterable[str] = ()) -> None:
    """Raise `InputError`, before any work, if a file must not or cannot be written to `path`.

    It must not if an input is there, a file of a run, or a sheet on which people have filled something in.

    Parameters
    ----------
    inputs : files that the command reads.
    suffixes : the names that the file may end with; any, if none are given.
    """
    path_of(path, "the output")
    allowed = tuple(suffixes)
    if allowed and path.suffix.lower() not in allowed:
        kind = path.suffix or "a file without suffix"
        raise InputError(f"cannot write {kind}", where=str(path), hint=f"use {' or '.join(allowed)}")
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), hint="make it, or name another")
    if path.is_dir():
        raise InputError("this is a folder", where=str(path), hint="name a file")
    if path.exists() and not path.is_file():
        raise InputError("this is no ordinary file", where=str(path), hint="name a file")
    if any(_is_same(path, given) for given in inputs):
        raise InputError("this is the file that is read: it would be replaced", where=str(path), hint="name another")
    keep_whole(path)


def check_sheet(path: Path) -> None:
    """Do as `check_out` for a sheet that people will fill in: it takes the place of an empty sheet alone."""
    check_out(path, suffixes=(".csv",))
    check_earlier(path, "sheet that copub drew", lambda there: bool(_sheet(there)[0]))


def check_page(path: Path, subject: str) -> None:
    """Do as `check_out` for a page: it takes the place of an earlier page on the same subject that nobody changed."""
    check_out(path, suffixes=(".html", ".htm"))
    check_earlier(
        path, "page on the same subject as copub wrote it", lambda there: _is_unchanged(there.read_bytes(), subject)
    )


def check_earlier(path: Path, kind: str, is_earlier: Callable[[Path], bool]) -> None:
    """Raise `InputError` if there is another file than an earlier one of the same kind: somebody may have made it.

    Parameters
    ----------
    kind : what may be replaced, for the message. is_earlier : tells whether a file is of that kind.
    """
    if path.exists() and path.stat().st_size and not is_earlier(path):
        raise InputError(
            f"there is another file, no {kind}", where=str(path), hint="name another file, or move this one away"
        )


def begins_with(path: Path, mark: str) -> bool:
    """Return whether a text is among the first characters of a file."""
    with path.open("rb") as file:
        return mark.encode("utf-8") in file.read(_BEGINNING)


def is_json_with(path: Path, keys: Collection[str]) -> bool:
    """Return whether the first line of a file is a JSON object with these keys."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_LONGEST_LINE))
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.keys() >= set(keys)


def sign_page(page: str, subject: str) -> bytes:
    """Return a page with a last line from which `check_page` knows its subject, and whether it was changed."""
    data = page.rstrip("\n").encode("utf-8") + b"\n"
    return data + f"<!-- copub {_sha256(subject.encode('utf-8'))} {_sha256(data)} -->\n".encode("ascii")


def _is_unchanged(data: bytes, subject: str) -> bool:
    page, mark, rest = data.rpartition(b"<!-- copub ")
    found = _SIGNATURE.fullmatch(mark + rest)
    return found is not None and [part.decode() for part in found.groups()] == [
        _sha256(subject.encode("utf-8")),
        _sha256(page),
    ]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def keep_whole(path: Path) -> None:
    """Raise `InputError` if a file of a run or a filled-in sheet would be replaced."""
    run = run_around(path)
    if run is not None and path.resolve().relative_to(run).parts[:1] != (_EXPORTS,):
        raise InputError(
            "this is in the folder of a run, whose files stay as the run wrote them",
            where=str(path),
            hint="name a file elsewhere",
        )
    filled = filled_in(path)
    if filled:
        raise InputError(
            f"people have filled in this sheet ({filled}): it would be replaced",
            where=str(path),
            hint="name another file, or move this one away",
        )


def run_around(path: Path) -> Path | None:
    """Return the folder of the run in which a path lies, resolved; None if it lies in none."""
    place = path.resolve()
    return next((folder for folder in place.parents if _is_run(folder)), None)


def _is_run(folder: Path) -> bool:
    """Return whether a folder is one of a run: a snapshot has a manifest too, but no tables beside it."""
    # os.path gives no error for folders that may not be read
    return os.path.isfile(folder / MANIFEST) and os.path.isdir(folder / "tables")  # noqa: PTH112, PTH113


def filled_in(path: Path) -> str:
    """Return what people have filled in on a sheet, such as "3 decisions on affiliations"; empty if nothing."""
    kind, table = _sheet(path)
    if not kind or table is None:
        return ""
    asked = [name for name in table.columns if name.lower() in _ANSWERS]
    filled = sum(any(row[name].strip() for name in asked) for row in table.rows)
    return f"{filled} {kind}" if filled else ""


def _sheet(path: Path) -> tuple[str, CsvTable | None]:
    """Return the kind of a sheet by its columns, and its rows; an empty kind if there is none."""
    if not path.is_file() or path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return "", None
    faults: list[Fault] = []  # of lines that are torn; the others count
    try:
        table = read_table(path, faults, kind="sheet")
    except InputError:
        return "", None
    names = {name.lower() for name in table.columns}
    return next((kind for kind, columns in FILLED_IN.items() if columns <= names), ""), table


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.resolve() == other.resolve()
