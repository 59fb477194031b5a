"""Published figures: TOML files that say what others found, how they defined it, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.errors import Fault, FileError, InputError
from copub.lists.tomlfile import TomlFile, read_toml
from copub.names import MEASURES
from copub.shipped import find_shipped, shipped_names

FOLDER = "taxonomies/published"
KINDS: Mapping[str, tuple[str, ...]] = {
    # kind of figure: keys it needs beside the common ones
    "count": ("measure", "year"),
    "share": ("measure",),
    "ratio": ("measure", "year_from", "year_to"),
    "growth": ("measure", "year_from", "year_to"),
    "rank": ("measure", "area"),
    "sign": ("measure",),
    "ties": ("row", "column"),
    "context": (),
}
SCALE_FREE = ("share", "ratio", "growth", "rank", "sign")
OPEN = ("levels", "database", "period", "counting", "dates")
"""What a source may leave open: which risk levels count, the database, the period, full or fractional counting, the
edition of the list and the years to which it is applied."""
STATUSES = ("stated", "derived", "second-hand")
COUNTED = ("copublications", "critical", "listed", "critical_listed", "top_level")

_TEXT = ("id", "name", "period", "kind", "definition", "status", "source", "measure", "area", "row", "column", "note")
_YEARS = ("year", "year_from", "year_to")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure; empty text and None where a key does not apply."""

    id: str
    name: str
    period: str
    kind: str
    value: float | None
    definition: str
    status: str
    source: str
    measure: str
    area: str
    row: str
    column: str
    note: str
    year: int | None
    year_from: int | None
    year_to: int | None
    open: tuple[str, ...] = ()

    @property
    def scale_free(self) -> bool:
        """Say whether the figure keeps its value when the database is larger or smaller."""
        return self.kind in SCALE_FREE


@dataclass(frozen=True, slots=True)
class Published:
    """A publication with figures: for which pair, at which levels, and how it differs from copub."""

    id: str
    title: str
    source: str
    side_a: tuple[str, ...]
    side_b: tuple[str, ...]
    levels: tuple[str, ...]
    differences: tuple[str, ...]
    figures: tuple[Figure, ...]
    open: tuple[str, ...] = ()

    def open_of(self, figure: Figure) -> tuple[str, ...]:
        """Return what the source leaves open of a figure, in the order of `OPEN`."""
        return tuple(item for item in OPEN if item in (*self.open, *figure.open))


def load_published(name: str | Path) -> Published:
    """Load a file of published figures by the name of a shipped one or by path.

    Raises
    ------
    InputError : no such file; the message lists the shipped ones.
    FileError : the file has faults; all of them, with file and line.
    """
    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        shipped = find_shipped(FOLDER, str(name))
        if shipped is None:
            raise InputError(
                f"there is no file of published figures {str(name)!r}",
                hint=f"shipped: {', '.join(shipped_names(FOLDER))}; or give the path of a .toml file",
            )
        path = shipped
    return read_published(read_toml(path, kind="file of published figures"))


def read_published(toml: TomlFile) -> Published:
    """Validate a parsed file. All faults are raised together as `FileError`."""
    values, faults = toml.values, list[Fault]()
    known = ("id", "title", "source", "side_a", "side_b", "levels", "differences", "open", "figure")
    for key in sorted(set(values) - set(known)):
        faults.append(Fault(toml.where(key), f"unknown key {key!r}", f"known: {', '.join(known)}"))
    texts = {key: _text(toml, values, (), key, faults, required=True) for key in ("id", "title", "source")}
    lists = {key: _texts(toml, values, key, faults) for key in ("side_a", "side_b", "levels", "differences")}
    tables = values.get("figure")
    if not isinstance(tables, list) or not tables:
        faults.append(Fault(toml.where("figure"), "there is no figure", "write at least one [[figure]]"))
        tables = []
    figures = [_figure(toml, table, at, faults) for at, table in enumerate(tables)]
    head: dict[str, Any] = {**texts, **lists, "open": _open(toml, values, (), faults)}
    if faults:
        raise FileError(faults, kind="file of published figures")
    return Published(**head, figures=tuple(figures))


def _figure(toml: TomlFile, table: Mapping[str, Any], at: int, faults: list[Fault]) -> Figure:
    path = ("figure", at)
    known = (*_TEXT, *_YEARS, "value", "open")
    for key in sorted(set(table) - set(known)):
        faults.append(Fault(toml.where(*path, key), f"unknown key {key!r} in a figure", f"known: {', '.join(known)}"))
    kind = table.get("kind")
    needed = KINDS.get(kind, ()) if isinstance(kind, str) else ()
    always = ("id", "name", "period", "kind", "definition", "status", "source", *(k for k in needed if k not in _YEARS))
    texts = {key: _text(toml, table, path, key, faults, required=key in always) for key in _TEXT}
    years = {key: _year(toml, table, path, key, faults, required=key in needed) for key in _YEARS}
    value = table.get("value")
    if not (_is_number(value) or (value is None and kind == "context")):
        faults.append(
            Fault(toml.where(*path, "value"), f"value is {value!r}", "write a number; only context figures may lack it")
        )
        value = None
    for key, allowed in (("kind", tuple(KINDS)), ("status", STATUSES)):
        if texts[key] and texts[key] not in allowed:
            faults.append(
                Fault(toml.where(*path, key), f"unknown {key} {texts[key]!r}", f"known: {', '.join(allowed)}")
            )
    allowed_measures = MEASURES if kind in ("share", "rank") else COUNTED
    if texts["measure"] and texts["measure"] not in allowed_measures:
        faults.append(
            Fault(
                toml.where(*path, "measure"),
                f"unknown measure {texts['measure']!r}",
                f"known: {', '.join(allowed_measures)}",
            )
        )
    keys: dict[str, Any] = {**texts, **years, "open": _open(toml, table, path, faults)}
    return Figure(value=None if value is None else float(value), **keys)


def _open(
    toml: TomlFile, table: Mapping[str, Any], path: tuple[str | int, ...], faults: list[Fault]
) -> tuple[str, ...]:
    value = table.get("open", [])
    if not _is_texts(value) or not set(value) <= set(OPEN):
        faults.append(Fault(toml.where(*path, "open"), f"open is {value!r}", f"write a list of: {', '.join(OPEN)}"))
        return ()
    return tuple(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_year(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1800 <= value <= 2100


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _checked(
    toml: TomlFile,
    table: Mapping[str, Any],
    path: tuple[str | int, ...],
    key: str,
    faults: list[Fault],
    right: Callable[[Any], bool],
    what: str,
    required: bool,
) -> Any:
    value = table.get(key)
    if value is None and not required:
        return None
    if value is None or not right(value):
        faults.append(Fault(toml.where(*path, key), f"{key} is {value!r}", f"write {what}"))
        return None
    return value


def _text(
    toml: TomlFile,
    table: Mapping[str, Any],
    path: tuple[str | int, ...],
    key: str,
    faults: list[Fault],
    *,
    required: bool,
) -> str:
    return _checked(toml, table, path, key, faults, _is_text, "a text", required) or ""


def _year(
    toml: TomlFile,
    table: Mapping[str, Any],
    path: tuple[str | int, ...],
    key: str,
    faults: list[Fault],
    *,
    required: bool,
) -> int | None:
    year: int | None = _checked(toml, table, path, key, faults, _is_year, "a year", required)
    return year


def _texts(toml: TomlFile, values: Mapping[str, Any], key: str, faults: list[Fault]) -> tuple[str, ...]:
    return tuple(_checked(toml, values, (), key, faults, _is_texts, "a list of texts", True) or ())
