"""Taxonomies: lists of critical technologies, as TOML files that people write.

A taxonomy has areas (first level); an area has technologies (second level). Rules are with
them as lists of terms (`copub.lists.terms`). A taxonomy without rules of its own names, by
`links`, the areas and technologies of another taxonomy (its `crosswalk`) through which it
classifies; an area may also link to a base classifier of the model. ``docs/write-a-taxonomy.md`` explains
how to write one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from copub.arguments import path_of
from copub.errors import Fault, FileError
from copub.lists.modelcard import linkable_heads
from copub.lists.terms import Term, parse_term
from copub.lists.tomlfile import TomlFile, TomlPath, read_toml
from copub.shipped import find_shipped, no_such, shipped_names

FOLDER = "taxonomies/technologies"
STRENGTHS = ("direct", "partial")

_REQUIRED = ("id", "title", "source", "date", "verification")
_OPTIONAL = ("note", "crosswalk")
_TOP_LISTS = ("applied", "masks")
_AREA_LISTS = ("title", "weak", "context", "masks")


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the crosswalk's taxonomy: an area, one technology of it (or ""), direct or partial."""

    area: str
    technology: str
    strength: str


@dataclass(frozen=True, slots=True)
class Technology:
    """A technology: its strong terms (each alone speaks for the area) and its links."""

    id: str
    name: str
    strong: tuple[Term, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """An area with its technologies.

    `title` holds terms that are strong in a title and weak elsewhere, `weak` terms that speak
    for the area only beside a `context` term, `masks` phrases in which a term does not count.
    `head` names the base classifier of the model (`copub.lists.modelcard`) that alone scores the area, or "".
    """

    id: str
    name: str
    technologies: tuple[Technology, ...]
    title: tuple[Term, ...] = ()
    weak: tuple[Term, ...] = ()
    context: tuple[Term, ...] = ()
    masks: tuple[Term, ...] = ()
    links: tuple[Link, ...] = ()
    head: str = ""

    @property
    def has_rules(self) -> bool:
        """Say whether the area has a term that can speak for it."""
        return bool(self.title or self.weak or any(t.strong for t in self.technologies))


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A validated taxonomy; `hash` is the sha256 of the file's text.

    `verification` is the state of proof of names and membership, in words. `applied` holds terms
    that mark a work which uses a technology rather than advancing it; `masks` hold for all areas.
    """

    id: str
    title: str
    source: str
    date: str
    verification: str
    areas: tuple[Area, ...]
    note: str = ""
    crosswalk: str = ""
    applied: tuple[Term, ...] = ()
    masks: tuple[Term, ...] = ()
    hash: str = field(default="", compare=False)

    @property
    def area_ids(self) -> tuple[str, ...]:
        """Return the ids of the areas in file order."""
        return tuple(area.id for area in self.areas)


def load_taxonomy(name_or_path: str | Path) -> Taxonomy:
    """Read a taxonomy by the name of a shipped one, or by the path of a TOML file.

    Raises
    ------
    InputError : there is no such taxonomy or file.
    FileError : the file has faults; all of them are named with their line.
    """
    name = str(path_of(name_or_path, "taxonomy"))
    shipped = find_shipped(FOLDER, name)
    if shipped is not None:
        return _shipped(shipped)
    if not name.endswith(".toml") and not Path(name).is_file():
        raise no_such("taxonomy", name, FOLDER)
    return read_taxonomy(read_toml(Path(name), kind="taxonomy"))


@cache  # a person's own file may change while the process lives, a shipped one does not
def _shipped(path: Path) -> Taxonomy:
    return read_taxonomy(read_toml(path, kind="taxonomy"))


def read_taxonomy(toml: TomlFile) -> Taxonomy:
    """Validate a parsed taxonomy file. All faults are raised together as `FileError`."""
    reader = _Reader(toml)
    taxonomy = reader.taxonomy()
    if taxonomy.crosswalk:
        reader.check_links(load_taxonomy(taxonomy.crosswalk))
    if reader.faults:
        raise FileError(sorted(reader.faults, key=_line), kind="taxonomy")
    return taxonomy


def _line(fault: Fault) -> tuple[int, str]:
    number = fault.where.rpartition(":")[2]
    return (int(number) if number.isdigit() else 0, fault.what)


class _Reader:
    """Reads the parts of one file and gathers the faults on the way."""

    def __init__(self, toml: TomlFile) -> None:
        self.toml = toml
        self.faults: list[Fault] = []
        self.linked: list[tuple[TomlPath, Link]] = []

    def fault(self, path: TomlPath, what: str, hint: str = "") -> None:
        self.faults.append(Fault(self.toml.where(*path), what, hint))

    def taxonomy(self) -> Taxonomy:
        values = self.toml.values
        self._known_keys(values, (), {*_REQUIRED, *_OPTIONAL, *_TOP_LISTS, "area"})
        texts = {key: self._text(values, (), key, key in _REQUIRED) for key in (*_REQUIRED, *_OPTIONAL)}
        crosswalk = texts["crosswalk"]
        if crosswalk and (crosswalk == texts["id"] or crosswalk not in shipped_names(FOLDER)):
            what = f"there is no shipped taxonomy {crosswalk!r} to link to"
            self.fault(("crosswalk",), what, "leave it out, or name one")
            texts["crosswalk"] = ""
        areas = tuple(self._area(values_, ("area", at)) for at, values_ in self._tables(values, (), "area"))
        if not areas:
            self.fault(("area",), "the taxonomy has no area", "write at least one [[area]]")
        self._unique([area.id for area in areas], "area", ())
        return Taxonomy(
            **texts,
            areas=areas,
            applied=self._terms(values, (), "applied"),
            masks=self._terms(values, (), "masks"),
            hash=hashlib.sha256(self.toml.text.encode("utf-8")).hexdigest(),
        )

    def check_links(self, target: Taxonomy) -> None:
        """Name every link that leads nowhere in the crosswalk's taxonomy."""
        technologies = {area.id: {t.id for t in area.technologies} for area in target.areas}
        for path, link in self.linked:
            if link.area not in technologies:
                known = f"known to {target.id}: {', '.join(technologies)}"
                self.fault(path, f"unknown area {link.area!r} in a link", known)
            elif link.technology and link.technology not in technologies[link.area]:
                known = ", ".join(sorted(technologies[link.area]))
                self.fault(path, f"unknown technology {link.technology!r} in a link", f"known to {link.area}: {known}")

    def _area(self, values: Mapping[str, Any], path: TomlPath) -> Area:
        self._known_keys(values, path, {"id", "name", "technology", "links", *_AREA_LISTS})
        technologies = tuple(
            self._technology(values_, (*path, "technology", at))
            for at, values_ in self._tables(values, path, "technology")
        )
        links, heads = self._links(values, path)
        area = Area(
            id=self._text(values, path, "id", True),
            name=self._text(values, path, "name", True),
            technologies=technologies,
            links=links,
            head=heads[0] if heads else "",
            **{key: self._terms(values, path, key) for key in _AREA_LISTS},
        )
        self._unique([t.id for t in technologies], "technology", path)
        self._contradictions(area, path)
        linked = bool(area.links) or any(t.links for t in technologies)
        if heads and (area.has_rules or linked or len(heads) > 1):
            what = f"the area {area.id!r} links to a base classifier and has terms or other links too"
            self.fault((*path, "links"), what, "the base classifier scores the area alone: keep it, or write two areas")
        if not area.has_rules and not linked and not area.head:
            what = f"the area {area.id!r} has neither terms nor links"
            self.fault(path, what, "nothing could ever be assigned to it")
        return area

    def _technology(self, values: Mapping[str, Any], path: TomlPath) -> Technology:
        self._known_keys(values, path, {"id", "name", "strong", "links"})
        links, heads = self._links(values, path)
        if heads:
            self.fault(
                (*path, "links"),
                "a technology links to a base classifier",
                "a base classifier scores an area: link it there",
            )
        return Technology(
            id=self._text(values, path, "id", True),
            name=self._text(values, path, "name", True),
            strong=self._terms(values, path, "strong"),
            links=links,
        )

    def _contradictions(self, area: Area, path: TomlPath) -> None:
        seen: dict[Term, str] = {}
        parts = [(t.strong, "strong") for t in area.technologies]
        for terms, part in [*parts, (area.title, "title"), (area.weak, "weak"), (area.masks, "masks")]:
            for term in terms:
                if seen.setdefault(term, part) != part:
                    what = f"{str(term)!r} is both in {seen[term]} and in {part}"
                    self.fault((*path, part), what, "keep one of the two")
        if area.weak and not area.context:
            self.fault((*path, "weak"), "weak terms without context terms never speak", "add context = [...]")

    def _terms(self, values: Mapping[str, Any], path: TomlPath, key: str) -> tuple[Term, ...]:
        terms: dict[Term, None] = {}
        for text in self._list(values, path, key):
            if not isinstance(text, str):
                self.fault((*path, key), f"{key}: a term must be text, not {text!r}")
                continue
            try:
                term = parse_term(text)
            except ValueError as error:
                self.fault((*path, key), f"{key}: {error}")
                continue
            if term in terms:
                self.fault((*path, key), f"{key}: {text!r} occurs twice", "keep one")
            terms[term] = None
        return tuple(terms)

    def _links(self, values: Mapping[str, Any], path: TomlPath) -> tuple[tuple[Link, ...], tuple[str, ...]]:
        """Return the links into the crosswalk, and the base classifiers that are linked to."""
        links, heads = [], []
        for item in self._list(values, path, "links"):
            if isinstance(item, dict) and "head" in item:
                heads.append(self._head(item, (*path, "links")))
                continue
            if not isinstance(item, dict) or not isinstance(item.get("area"), str):
                what = 'a link is written { area = "…", technology = "…", strength = "direct" } or { head = "…" }'
                self.fault((*path, "links"), what)
                continue
            self._known_keys(item, (*path, "links"), {"area", "technology", "strength"})
            strength = item.get("strength", "direct")
            if strength not in STRENGTHS:
                self.fault((*path, "links"), f"a link is {' or '.join(STRENGTHS)}, not {strength!r}")
            link = Link(item["area"], str(item.get("technology", "")), str(strength))
            self.linked.append(((*path, "links"), link))
            links.append(link)
        if links and not self.toml.values.get("crosswalk"):
            self.fault((*path, "links"), "links need a taxonomy to lead to", 'write crosswalk = "…" at the top')
        return tuple(links), tuple(heads)

    def _head(self, item: Mapping[str, Any], path: TomlPath) -> str:
        head = str(item["head"])
        if len(item) > 1:
            further = ", ".join(key for key in item if key != "head")
            self.fault(
                path, f"a link to a base classifier takes nothing else, not {further}", f"write {{ head = {head!r} }}"
            )
        if head not in linkable_heads():
            self.fault(
                path,
                f"unknown base classifier {head!r} in a link",
                f"base classifiers to link to: {', '.join(linkable_heads())}",
            )
        return head

    def _text(self, values: Mapping[str, Any], path: TomlPath, key: str, required: bool) -> str:
        value = values.get(key, "")
        if key in values and not (isinstance(value, str) and value.strip()):
            self.fault((*path, key), f"{key} must be text, not {value!r}")
            return ""
        if required and key not in values:
            self.fault(path, f"{key} is missing")
        return str(value)

    def _list(self, values: Mapping[str, Any], path: TomlPath, key: str) -> list[Any]:
        value = values.get(key, [])
        if isinstance(value, list):
            return value
        self.fault((*path, key), f"{key} must be a list, not {value!r}")
        return []

    def _tables(self, values: Mapping[str, Any], path: TomlPath, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for at, item in enumerate(self._list(values, path, key)):
            if isinstance(item, dict):
                yield at, item
            else:
                self.fault((*path, key), f"{key} must be written as [[{key}]] tables, not {item!r}")

    def _known_keys(self, values: Mapping[str, Any], path: TomlPath, known: set[str]) -> None:
        for key in values:
            if key not in known:
                self.fault((*path, key), f"unknown key {key!r}", f"known here: {', '.join(sorted(known))}")

    def _unique(self, ids: list[str], kind: str, path: TomlPath) -> None:
        for at, name in enumerate(ids):
            if name in ids[:at]:
                self.fault((*path, kind, at, "id"), f"the {kind} id {name!r} occurs twice", "ids are unique")
