"""Reading a study file: all faults at once, each with its line and the known values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from copub.arguments import expect, path_of
from copub.countrygroups import expanded, find_group, member_fault, name_of_side
from copub.errors import Fault, FileError, InputError, brief
from copub.lists.checks import date_fault
from copub.lists.registry import absolute_name
from copub.lists.tomlfile import TomlFile, TomlPath, parse_toml, read_toml
from copub.shipped import find_shipped, no_such
from copub.study.study import Event, PanelPair, Side, Study, names_of_pairs
from copub.study.studykeys import BOUNDED, RENAMED, SETTINGS, Setting

_LEAST_PAIRS = 2
MOST_LAG = 35
"""Months after an event that may be left out: the window that is compared is of 36."""


def load_study(name: str | Path) -> Study:
    """Load a study by the name of a shipped one or by path.

    Paths in the file are relative to its folder. If the file is a symbolic link, a list that is not
    in the folder of the link is looked for in the folder of the file that the link points to.
    The lists themselves are read by `copub.study.question.resolve`.

    Raises
    ------
    InputError : there is no such study; the message lists the shipped ones.
    FileError : the file has faults; all of them, with file and line.
    """
    toml = _toml_of(name)
    path = Path(toml.name)
    return read_study(toml, (path.parent, path.resolve().parent))


def parse_study(text: str, *, name: str = "study.toml", folder: str | Path = "") -> Study:
    """Validate the text of a study file.

    Parameters
    ----------
    name : name of the file in messages.
    folder : where relative paths in the text start; by default the current folder.
    """
    expect(text, str, "text", "the text of a study file")
    return read_study(parse_toml(text, name=name, kind="study"), (path_of(folder, "folder"),))


def _toml_of(name: str | Path) -> TomlFile:
    path = path_of(name, "study")
    if path.suffix == ".toml" or (path.exists() and not path.is_dir()):  # a pipe too
        return read_toml(path, kind="study")
    shipped = find_shipped("studies", str(name), ".toml")
    if shipped is None:
        raise no_such("study", name, "studies")
    return read_toml(shipped, kind="study")


def read_study(toml: TomlFile, folders: Sequence[Path] = (Path(),)) -> Study:
    """Validate a parsed study file. All faults are raised together as `FileError`.

    Parameters
    ----------
    folders : where relative paths in the file may start; the first that has the file is taken.
    """
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        values[setting.key] = _value(toml, setting, folders, faults)
    faults += _unknown_keys(toml)
    faults += _contradictions(toml, values)
    if faults:
        raise FileError.first(sorted(faults, key=line_of), kind="study")
    return _build(toml, values)


def line_of(fault: Fault) -> tuple[int, str]:
    """Return the line and the text of a fault, to sort faults by."""
    number = fault.where.rpartition(":")[2]
    return (int(number) if number.isdigit() else 0, fault.what)


def _value(toml: TomlFile, setting: Setting, folders: Sequence[Path], faults: list[Fault]) -> Any:
    node: Any = toml.values
    for key in setting.path:
        if not isinstance(node, dict) or key not in node:
            if setting.required:
                faults.append(Fault(toml.where(*setting.path), f"{setting.key} is missing", setting.meaning))
            return setting.default
        node = node[key]
    where = toml.where(*setting.path)
    wrong = kind_fault(setting, node)
    if wrong:
        faults.append(Fault(where, f"{setting.key} {wrong}", setting.meaning))
        return setting.default
    faults += [Fault(where, f"{setting.key}: {message}") for message in value_faults(setting, node)]
    if setting.kind == "list of text":
        faults += [Fault(where, f"{setting.key}: {message}", "name it once") for message in _named_twice(node)]
    if setting.lists and node:
        return _lists(setting, node, where, folders, faults)
    return tuple(node) if isinstance(node, list) else node


def value_faults(setting: Setting, node: Any) -> list[str]:
    """Return what is wrong with a value of the right type, item by item."""
    stated = (setting.check(item) if setting.check else None for item in _items(setting, node))
    return [message for message in stated if message]


def _named_twice(names: Sequence[str]) -> Iterator[str]:
    """Yield which names are there twice, and which countries belong to a group that is there too."""
    found = [find_group(name) for name in names]
    counts = Counter(group.id if group else name for name, group in zip(names, found, strict=True))
    yield from (f"{name} is named twice" for name, count in counts.items() if count > 1)
    for group in dict.fromkeys(filter(None, found)):
        yield from (f"{name} is named twice: it is part of {group.id}" for name in counts if name in group.codes)


def _lists(setting: Setting, node: Any, where: str, folders: Sequence[Path], faults: list[Fault]) -> Any:
    """Return the names of lists with paths made absolute."""
    found = []
    for item in _items(setting, node):
        try:
            found.append(absolute_name(setting.lists, item, folders))
        except InputError as error:
            faults.append(Fault(where, f"{setting.key}: {error.what}", error.hint))
    return tuple(found) if isinstance(node, list) else "".join(found)


def _items(setting: Setting, node: Any) -> list[Any]:
    if setting.kind.startswith("list of text"):
        return list(node)
    if setting.kind == "table of numbers":
        return list(node.values())
    return [node]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda v: isinstance(v, str) and bool(v.strip()),
    "yes/no": lambda v: isinstance(v, bool),
    "whole number": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": _is_number,
    "list of text": lambda v: isinstance(v, list) and all(isinstance(item, str) for item in v),
    "table of numbers": lambda v: isinstance(v, dict) and all(_is_number(n) for n in v.values()),
    "list of tables": lambda v: isinstance(v, list) and all(isinstance(item, dict) for item in v),
    "table of pairs": lambda v: (
        isinstance(v, dict) and all(isinstance(p, list) and len(p) == 2 and all(map(_is_number, p)) for p in v.values())
    ),
}


def kind_fault(setting: Setting, node: Any) -> str | None:
    """Return what is wrong with the type of a value; None if nothing is."""
    if not _KINDS[setting.kind](node):
        if setting.default == node == "":
            return None
        return f"must be {setting.kind}, not {brief(repr(node))}"
    if setting.required and setting.kind == "list of text" and not node:
        return "must not be empty"
    return None


def _unknown_keys(toml: TomlFile) -> list[Fault]:
    known = {setting.path for setting in SETTINGS}
    free = {s.path for s in SETTINGS if s.kind in ("table of numbers", "table of pairs", "list of tables")}
    tables = {path[:depth] for path in known for depth in range(1, len(path))}
    faults: list[Fault] = []

    def visit(node: Any, path: TomlPath) -> None:
        if path in free:
            return
        if isinstance(node, dict) and (path == () or path in tables):
            for key, child in node.items():
                visit(child, (*path, key))
            return
        if path not in known:
            siblings = sorted(
                str(p[len(path) - 1]) for p in known | tables if len(p) >= len(path) and p[: len(path) - 1] == path[:-1]
            )
            key = ".".join(map(str, path))
            hint = f"known here: {', '.join(dict.fromkeys(siblings))}"
            if key in RENAMED:
                hint = f"it is now called {RENAMED[key]}"
            faults.append(Fault(toml.where(*path), f"unknown key {key!r}", hint))

    visit(toml.values, ())
    return faults


def _contradictions(toml: TomlFile, values: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    first, last = values["years.from"], values["years.to"]
    if isinstance(first, int) and isinstance(last, int) and first > last:
        faults.append(
            Fault(
                toml.where("years", "to"), f"years.to: the years are reversed: from {first} to {last}", "exchange them"
            )
        )
    both = sorted(set(_members(values, "a")) & set(_members(values, "b")))
    if both:
        faults.append(
            Fault(
                toml.where("sides", "b", "countries"),
                f"sides.b.countries: {', '.join(both)} is on both sides",
                "a country belongs to one side",
            )
        )
    faults += _panel_faults(toml, values)
    for position, event in enumerate(values["events"]):
        where = toml.where("events", position)
        unknown = sorted(set(event) - {"date", "label", "lag_months"})
        if unknown:
            faults.append(Fault(where, f"unknown key {unknown[0]!r} in an event", "known: date, label, lag_months"))
        lag = event.get("lag_months", 0)
        if isinstance(lag, bool) or not isinstance(lag, int) or not 0 <= lag <= MOST_LAG:
            faults.append(Fault(where, f"lag_months is {lag!r}", f"write a whole number from 0 to {MOST_LAG}"))
        message = date_fault(event["date"]) if "date" in event else "an event needs a date"
        if message:
            faults.append(Fault(where, message))
        if not isinstance(event.get("label"), str):
            faults.append(Fault(where, "an event needs a label"))
    for name, (low, high) in values["assertions"].items():
        where = toml.where("assertions", name)
        if name not in BOUNDED:
            faults.append(Fault(where, f"no figure {name!r} to bound", f"known: {', '.join(BOUNDED)}"))
        if low > high:
            faults.append(Fault(where, f"the bounds of {name} are reversed: [{low}, {high}]", "exchange them"))
    return faults


def _members(values: Mapping[str, Any], side: str) -> tuple[str, ...]:
    """Return the codes of a side, its groups as their members."""
    return expanded(values[f"sides.{side}.countries"] or ())


def _panel_faults(toml: TomlFile, values: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the pairs of a panel."""
    faults: list[Fault] = []
    for position, pair in enumerate(values["pairs"]):
        where = toml.where("pairs", position)
        unknown = sorted(set(pair) - {"a", "b"})
        if unknown:
            faults.append(Fault(where, f"unknown key {unknown[0]!r} in a pair", "known: a, b"))
        for side in ("a", "b"):
            names = _names(pair.get(side))
            stated = [*filter(None, map(member_fault, names)), *_named_twice(names)]
            if not names:
                stated.append(f"a pair needs {side}, a country or a group, or a list of such")
            if not stated:
                outside = sorted(set(expanded(names)) - set(_members(values, side)))
                stated += [f"{code} is not on side {side.upper()}" for code in outside]
            faults += [
                Fault(where, message, f"its countries are a part of sides.{side}.countries") for message in stated
            ]
    if values["pairs"] and (values["sides.a.each"] or values["sides.b.each"]):
        faults.append(Fault(toml.where("pairs"), "pairs and each exclude each other", "leave one of them out"))
    if faults or not all(_members(values, side) for side in ("a", "b")):
        return faults
    found = _pairs(values)
    keys = [pair.key for pair in found]
    faults += [
        Fault(toml.where("pairs"), f"the pair {key} is named twice", "name it once")
        for key in dict.fromkeys(key for key in keys if keys.count(key) > 1)
    ]
    is_panel = values["pairs"] or values["sides.a.each"] or values["sides.b.each"]
    if is_panel and len(found) < _LEAST_PAIRS:
        where = toml.where("pairs") if values["pairs"] else toml.where("sides")
        faults.append(Fault(where, "a panel needs two pairs or more", "name more countries, or leave out each"))
    reference = values["panel.reference"]
    if reference and not faults and reference not in names_of_pairs(found):
        known = ", ".join(names_of_pairs(found)) or "none: the study is no panel (sides.a.each, pairs)"
        message = f"panel.reference: {reference!r} names no pair of the panel"
        faults.append(Fault(toml.where("panel", "reference"), message, f"known: {known}"))
    return faults


def _names(written: Any) -> list[str]:
    """Return the countries and groups of one side of a pair as written; nothing if they are no texts."""
    names = [written] if isinstance(written, str) else written
    return list(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _pairs(values: Mapping[str, Any]) -> tuple[PanelPair, ...]:
    """Return the pairs of a panel in the order of their keys; none if the study is no panel."""
    whole = {side: Side(values[f"sides.{side}.name"], _members(values, side)) for side in ("a", "b")}

    def side_of(codes: Sequence[str], side: str) -> Side:
        return whole[side] if set(codes) == set(whole[side].countries) else Side(name_of_side(codes), tuple(codes))

    if values["pairs"]:
        found = [
            PanelPair(side_of(expanded(_names(pair["a"])), "a"), side_of(expanded(_names(pair["b"])), "b"))
            for pair in values["pairs"]
        ]
        return tuple(sorted(found, key=lambda pair: pair.key))
    parts = {
        side: [side_of([code], side) for code in whole[side].countries]
        if values[f"sides.{side}.each"]
        else [whole[side]]
        for side in ("a", "b")
    }
    if not (values["sides.a.each"] or values["sides.b.each"]):
        return ()
    return tuple(sorted((PanelPair(a, b) for a in parts["a"] for b in parts["b"]), key=lambda pair: pair.key))


def _build(toml: TomlFile, values: Mapping[str, Any]) -> Study:
    plain = {setting.attribute: values[setting.key] for setting in SETTINGS if setting.attribute}
    pairs = _pairs(values)
    reference = values["panel.reference"]
    return Study(
        **plain | {"reference": names_of_pairs(pairs)[reference].key if reference else ""},
        side_a=Side(values["sides.a.name"], _members(values, "a")),
        side_b=Side(values["sides.b.name"], _members(values, "b")),
        pairs=pairs,
        events=tuple(Event(str(e["date"]), e["label"], e.get("lag_months", 0)) for e in values["events"]),
        bounds={name: (float(low), float(high)) for name, (low, high) in values["assertions"].items()},
        raw=toml.text,
        file=toml.name,
        source=toml.data or toml.text.encode("utf-8"),
    )
