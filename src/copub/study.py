"""A study: the question asked, read from one TOML file that writes out all that moves the number.

`SETTINGS` is the authority for what a study may say: name, kind, default, limits and meaning of
every key. It drives validation and the reference in ``docs/study.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from copub.countries import COUNTRY_CODES
from copub.errors import CorrectFile, CorrectInput, Fault
from copub.screening.watchlist import load_watchlist
from copub.shipped import find_shipped, shipped_folder, shipped_names
from copub.technology.taxonomy import load_taxonomy
from copub.tomlfile import TomlFile, TomlPath, parse_toml, read_toml

COUNTINGS = ("full", "fractional-authors", "fractional-countries")
PROFILES = ("precision", "balanced", "recall")
TIERS = ("identifier", "lineage", "name")
FIRST_YEAR, LAST_YEAR = 1800, 2100


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two country groups of a study: a name for people, ISO 3166 alpha-2 codes."""

    name: str
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event to draw in trends and to compare before and after."""

    date: str
    label: str


@dataclass(frozen=True, slots=True)
class Study:
    """A validated study. Attributes carry the names of the keys in the file.

    `raw` is the text of the file and `hash` its sha256, both kept in the manifest.
    """

    id: str
    title: str
    question: str
    synthetic: bool
    side_a: Side
    side_b: Side
    year_from: int
    year_to: int
    exclude_types: tuple[str, ...]
    retracted: bool
    expansion: bool
    author_cap: int
    taxonomy: str
    other_taxonomies: tuple[str, ...]
    profile: str
    thresholds: Mapping[str, float]
    watchlists: tuple[str, ...]
    other_watchlists: tuple[str, ...]
    levels: tuple[str, ...]
    top_level: str
    tiers: tuple[str, ...]
    medical: bool
    children: bool
    as_of: bool
    repairs: bool
    counting: str
    confidence: float
    base_year: int
    small_cell: int
    small_rate: int
    events: tuple[Event, ...]
    bounds: Mapping[str, tuple[float, float]]
    raw: str = field(repr=False)
    published: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    labelled: str = ""

    @property
    def hash(self) -> str:
        """Return the sha256 of the study's text, as hexadecimal digits."""
        return hashlib.sha256(self.raw.encode("utf-8")).hexdigest()

    def side_of(self, country: str | None) -> str:
        """Return "a", "b" or "" for a country code."""
        if country in self.side_a.countries:
            return "a"
        return "b" if country in self.side_b.countries else ""


Check = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a study file: where it stands, what it takes, what it means."""

    path: tuple[str, ...]
    kind: str
    meaning: str
    default: Any = None
    required: bool = False
    check: Check | None = None

    @property
    def key(self) -> str:
        """Return the dotted name, such as ``screening.levels``."""
        return ".".join(self.path)


def _country(code: Any) -> str | None:
    if code in COUNTRY_CODES:
        return None
    near = [known for known in sorted(COUNTRY_CODES) if isinstance(code, str) and known == code.upper()]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{code!r} is no ISO 3166 two-letter country code{hint} (examples: BE, CN, HK, VN, DE)"


def _one_of(*known: str) -> Check:
    def check(value: Any) -> str | None:
        return None if value in known else f"{value!r} is unknown; known: {', '.join(known)}"

    return check


def _between(low: float, high: float) -> Check:
    def check(value: Any) -> str | None:
        return None if low <= value <= high else f"{value!r} is not between {low:g} and {high:g}"

    return check


def _slug(value: Any) -> str | None:
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", str(value)):
        return None
    return f"{value!r} is no identifier (lower-case letters, digits and hyphens, at most 64)"


def date_fault(value: Any) -> str | None:
    """Return what is wrong with a date as text; None if it is YYYY, YYYY-MM or YYYY-MM-DD."""
    if re.fullmatch(r"(1[89]|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", str(value)):
        return None
    return f"{value!r} is no date (YYYY, YYYY-MM or YYYY-MM-DD)"


def _shipped_or_file(folder: str, suffix: str = ".toml") -> Check:
    def check(value: Any) -> str | None:
        known = sorted(path.stem for path in shipped_folder(folder).glob(f"*{suffix}"))
        if value in known or Path(str(value)).is_file():
            return None
        return f"{value!r} is neither shipped nor a file; shipped: {', '.join(known)}"

    return check


_TAXONOMY = _shipped_or_file("taxonomies/technologies")
_WATCHLIST = _shipped_or_file("taxonomies/watchlists")
_PUBLISHED = _shipped_or_file("taxonomies/published")
_TIES = _shipped_or_file("taxonomies/ties", ".csv")
_YEAR = _between(FIRST_YEAR, LAST_YEAR)


def _file(value: Any) -> str | None:
    return None if Path(str(value)).is_file() else f"there is no file {value!r}"


SETTINGS: tuple[Setting, ...] = (
    Setting(("study", "id"), "text", "name of the study and of its folder under reports/", required=True, check=_slug),
    Setting(("study", "title"), "text", "title of the report", required=True),
    Setting(("study", "question"), "text", "the question in one sentence", default=""),
    Setting(("study", "synthetic"), "yes/no", "the works are made up; every page then says SYNTHETIC", default=False),
    Setting(("sides", "a", "name"), "text", "name of side A", required=True),
    Setting(
        ("sides", "a", "countries"),
        "list of text",
        "country codes of side A (ISO 3166 alpha-2)",
        required=True,
        check=_country,
    ),
    Setting(("sides", "b", "name"), "text", "name of side B", required=True),
    Setting(
        ("sides", "b", "countries"),
        "list of text",
        "country codes of side B; Hong Kong (HK), Macau (MO) and Taiwan (TW) count only if named",
        required=True,
        check=_country,
    ),
    Setting(("years", "from"), "whole number", "first year of publication", required=True, check=_YEAR),
    Setting(("years", "to"), "whole number", "last year of publication", required=True, check=_YEAR),
    Setting(
        ("works", "exclude_types"),
        "list of text",
        "OpenAlex work types left out; they are counted and named",
        default=(),
    ),
    Setting(("works", "retracted"), "yes/no", "keep retracted works", default=True),
    Setting(("works", "expansion"), "yes/no", "keep records of OpenAlex's expansion corpus (xpac)", default=False),
    Setting(
        ("works", "author_cap"),
        "whole number",
        "leave out works with more authors than this; 0 = no cap",
        default=0,
        check=_between(0, 100_000),
    ),
    Setting(
        ("technology", "headline"), "text", "taxonomy that decides what is critical", required=True, check=_TAXONOMY
    ),
    Setting(
        ("technology", "others"), "list of text", "further taxonomies reported beside it", default=(), check=_TAXONOMY
    ),
    Setting(
        ("technology", "profile"),
        "text",
        "decision profile of the classifier",
        default="balanced",
        check=_one_of(*PROFILES),
    ),
    Setting(
        ("technology", "thresholds"),
        "table of numbers",
        "probability from which an area is assigned, by area id; wins over the profile",
        default=MappingProxyType({}),
        check=_between(0.0, 1.0),
    ),
    Setting(
        ("screening", "headline"),
        "list of text",
        "watchlists that decide what is listed",
        required=True,
        check=_WATCHLIST,
    ),
    Setting(
        ("screening", "others"), "list of text", "further watchlists reported beside them", default=(), check=_WATCHLIST
    ),
    Setting(
        ("screening", "levels"),
        "list of text",
        "risk levels that count as listed, as the list writes them ("
        '"listed" for lists without levels); empty = every level',
        default=(),
    ),
    Setting(("screening", "top_level"), "text", "risk level of the second headline", default="very high"),
    Setting(("screening", "tiers"), "list of text", "tiers of match that count", default=TIERS, check=_one_of(*TIERS)),
    Setting(
        ("screening", "medical"),
        "yes/no",
        "count medical units (military hospitals and medical universities)",
        default=True,
    ),
    Setting(
        ("screening", "children"), "yes/no", "count descendants of an entity where the list allows it", default=True
    ),
    Setting(
        ("screening", "as_of"),
        "yes/no",
        "count an entity only while the list names it, at the work's date",
        default=False,
    ),
    Setting(
        ("screening", "repairs"),
        "yes/no",
        "apply the reviewed corrections of registry errors before matching",
        default=False,
    ),
    Setting(
        ("counting", "headline"),
        "text",
        "counting rule of the headline sentence; the others stand beside it",
        default="full",
        check=_one_of(*COUNTINGS),
    ),
    Setting(
        ("counting", "confidence"), "number", "confidence of the intervals", default=0.95, check=_between(0.5, 0.999)
    ),
    Setting(
        ("counting", "base_year"),
        "whole number",
        "year whose count is 100 in the index; 0 = first year with enough works",
        default=0,
        check=lambda v: None if v == 0 else _YEAR(v),
    ),
    Setting(
        ("counting", "small_cell"),
        "whole number",
        "counts under this are marked as small",
        default=5,
        check=_between(0, 1000),
    ),
    Setting(
        ("counting", "small_rate"),
        "whole number",
        "shares over a denominator under this are marked as small",
        default=25,
        check=_between(0, 10_000),
    ),
    Setting(
        ("comparison", "published"),
        "list of text",
        "files of published figures to set beside the results",
        default=(),
        check=_PUBLISHED,
    ),
    Setting(
        ("comparison", "ties"),
        "list of text",
        "files of formal ties to set against the co-publications",
        default=(),
        check=_TIES,
    ),
    Setting(
        ("adjusted", "labelled"),
        "text",
        "CSV file of works of this study that people have judged (work_id, critical, listed); "
        "without it the shipped evaluation adjusts",
        check=_file,
    ),
    Setting(("events",), "list of tables", "dated events (date, label) drawn in the trend", default=()),
    Setting(
        ("assertions",),
        "table of pairs",
        "bounds [low, high] on figures of the run; a breach ends with exit code 4",
        default=MappingProxyType({}),
    ),
)

BOUNDED = (
    "works",
    "copublications",
    "critical_share",
    "listed_share",
    "critical_listed_share",
    "with_abstract_share",
    "with_institution_share",
)


def load_study(name: str | Path) -> Study:
    """Load a study by the name of a shipped one or by path.

    Raises
    ------
    CorrectInput : no such study; the message lists the shipped ones.
    CorrectFile : the file has faults; all of them, with file and line.
    """
    return read_study(_toml_of(name))


def parse_study(text: str, *, name: str = "study.toml") -> Study:
    """Validate the text of a study file; `name` is used in messages."""
    return read_study(parse_toml(text, name=name, kind="study"))


def _toml_of(name: str | Path) -> TomlFile:
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return read_toml(path, kind="study")
    shipped = find_shipped("studies", str(name), ".toml")
    if shipped is None:
        raise CorrectInput(
            f"there is no study {str(name)!r}",
            mend=f"shipped studies: {', '.join(shipped_names('studies'))}; or give the path of a .toml file",
        )
    return read_toml(shipped, kind="study")


def read_study(toml: TomlFile) -> Study:
    """Validate a parsed study file. All faults are raised together as `CorrectFile`."""
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        values[setting.key] = _value(toml, setting, faults)
    faults += _unknown_keys(toml)
    faults += _contradictions(toml, values, bool(faults))
    if faults:
        raise CorrectFile(sorted(faults, key=_line), kind="study")
    return _build(toml, values)


def _line(fault: Fault) -> tuple[int, str]:
    number = fault.where.rpartition(":")[2]
    return (int(number) if number.isdigit() else 0, fault.what)


def _value(toml: TomlFile, setting: Setting, faults: list[Fault]) -> Any:
    node: Any = toml.values
    for key in setting.path:
        if not isinstance(node, dict) or key not in node:
            if setting.required:
                faults.append(Fault(toml.where(*setting.path), f"{setting.key} is missing", setting.meaning))
            return setting.default
        node = node[key]
    where = toml.where(*setting.path)
    wrong = _wrong_kind(setting, node)
    if wrong:
        faults.append(Fault(where, f"{setting.key} {wrong}", setting.meaning))
        return setting.default
    for item in _items(setting, node):
        message = setting.check(item) if setting.check else None
        if message:
            faults.append(Fault(where, f"{setting.key}: {message}"))
    return tuple(node) if isinstance(node, list) else node


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


def _wrong_kind(setting: Setting, node: Any) -> str | None:
    if not _KINDS[setting.kind](node):
        if setting.path == ("study", "question") and node == "":
            return None
        return f"must be {setting.kind}, not {node!r}"
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
            faults.append(
                Fault(
                    toml.where(*path),
                    f"unknown key {'.'.join(map(str, path))!r}",
                    f"known here: {', '.join(dict.fromkeys(siblings))}",
                )
            )

    visit(toml.values, ())
    return faults


def _contradictions(toml: TomlFile, values: Mapping[str, Any], faulty: bool) -> list[Fault]:
    faults: list[Fault] = []
    first, last = values["years.from"], values["years.to"]
    if isinstance(first, int) and isinstance(last, int) and first > last:
        faults.append(
            Fault(toml.where("years", "to"), f"the years are reversed: from {first} to {last}", "exchange them")
        )
    both = sorted(set(values["sides.a.countries"] or ()) & set(values["sides.b.countries"] or ()))
    if both:
        faults.append(
            Fault(
                toml.where("sides", "b", "countries"),
                f"{', '.join(both)} stands on both sides",
                "a country belongs to one side",
            )
        )
    for position, event in enumerate(values["events"]):
        where = toml.where("events", position)
        unknown = sorted(set(event) - {"date", "label"})
        if unknown:
            faults.append(Fault(where, f"unknown key {unknown[0]!r} in an event", "known: date, label"))
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
    if not faulty:
        faults += _unknown_areas_and_levels(toml, values)
    return faults


def _unknown_areas_and_levels(toml: TomlFile, values: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    areas = load_taxonomy(values["technology.headline"]).area_ids
    for area in sorted(set(values["technology.thresholds"]) - set(areas)):
        faults.append(
            Fault(toml.where("technology", "thresholds", area), f"unknown area {area!r}", f"known: {', '.join(areas)}")
        )
    known = list(dict.fromkeys(level for w in values["screening.headline"] for level in load_watchlist(w).levels))
    for key in ("levels", "top_level"):
        named = values[f"screening.{key}"]
        for level in (named,) if isinstance(named, str) else named:
            if level not in known:
                faults.append(
                    Fault(
                        toml.where("screening", key),
                        f"unknown risk level {level!r}",
                        f"known to the headline lists: {', '.join(known)}",
                    )
                )
    return faults


def _build(toml: TomlFile, values: Mapping[str, Any]) -> Study:
    return Study(
        id=values["study.id"],
        title=values["study.title"],
        question=values["study.question"],
        synthetic=values["study.synthetic"],
        side_a=Side(values["sides.a.name"], values["sides.a.countries"]),
        side_b=Side(values["sides.b.name"], values["sides.b.countries"]),
        year_from=values["years.from"],
        year_to=values["years.to"],
        exclude_types=values["works.exclude_types"],
        retracted=values["works.retracted"],
        expansion=values["works.expansion"],
        author_cap=values["works.author_cap"],
        taxonomy=values["technology.headline"],
        other_taxonomies=values["technology.others"],
        profile=values["technology.profile"],
        thresholds=values["technology.thresholds"],
        watchlists=values["screening.headline"],
        other_watchlists=values["screening.others"],
        levels=values["screening.levels"],
        top_level=values["screening.top_level"],
        tiers=values["screening.tiers"],
        medical=values["screening.medical"],
        children=values["screening.children"],
        as_of=values["screening.as_of"],
        repairs=values["screening.repairs"],
        counting=values["counting.headline"],
        confidence=values["counting.confidence"],
        base_year=values["counting.base_year"],
        small_cell=values["counting.small_cell"],
        small_rate=values["counting.small_rate"],
        events=tuple(Event(str(e["date"]), e["label"]) for e in values["events"]),
        bounds={name: (float(low), float(high)) for name, (low, high) in values["assertions"].items()},
        raw=toml.text,
        published=values["comparison.published"],
        ties=values["comparison.ties"],
        labelled=values["adjusted.labelled"] or "",
    )
