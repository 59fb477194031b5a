"""A question: a study with every list that it names, each read once.

Everything after this knows a list by its id. Where a person's own list came from is kept only as
the name of its file, and its content goes into the run folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from copub.errors import Fault, FileError
from copub.lists.baselinefile import BaselineFile, read_baselines
from copub.lists.errorcounts import EvaluationSet, read_evaluation
from copub.lists.labels import read_labels
from copub.lists.modelcard import MODEL, model_hash
from copub.lists.published import Published, load_published
from copub.lists.registry import SETTINGS_OF, Find, ListFile, find_list
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.lists.ties import Tie, load_ties
from copub.lists.tomlfile import parse_toml
from copub.lists.watchlist import Watchlist, joined_levels, load_watchlist
from copub.study import studyfile
from copub.study.samerules import disagreements
from copub.study.study import Study
from copub.study.studykeys import KEY_OF
from copub.study.template import coverage_of


@dataclass(frozen=True, slots=True)
class ReadList:
    """One list as it was read: its kind and id, the attribute of the study that names it, and its files.

    `files` holds the name and the content of each file: one,
    or for a watchlist two (head, members).
    """

    kind: str
    id: str
    attribute: str
    is_shipped: bool
    files: tuple[tuple[str, bytes], ...]

    @property
    def sha256(self) -> str:
        """Return the sha256 of the first file."""
        return hashlib.sha256(self.files[0][1]).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """A study with its lists. The study names each list by its id; those of the headline come first.

    `ties` are those between the two sides. `labelled` holds the labels of the file that the study
    names, or those kept for it, None without any; `decisions` are those of people on affiliations. `evaluations`
    are the sets that the study adds to those that ship. `baselines` set the pair beside other works. `lists` holds
    every list with its files.
    """

    study: Study
    taxonomies: tuple[Taxonomy, ...]
    watchlists: tuple[Watchlist, ...]
    published: tuple[Published, ...] = ()
    ties: tuple[Tie, ...] = ()
    labelled: pl.DataFrame | None = None
    evaluations: tuple[EvaluationSet, ...] = ()
    lists: tuple[ReadList, ...] = ()
    decisions: pl.DataFrame | None = None
    baselines: BaselineFile | None = None

    @property
    def headline_watchlists(self) -> tuple[Watchlist, ...]:
        """Return the watchlists that decide what is listed."""
        return self.watchlists[: len(self.study.watchlists)]

    @property
    def headline_levels(self) -> tuple[str, ...]:
        """Return the risk levels of the headline watchlists, strongest first."""
        return _levels_of(self.headline_watchlists)


def ask(study: str | Path | Study | Question) -> Question:
    """Return the question of a study: a shipped one by name, a file, a `Study`, or a question as it is."""
    if isinstance(study, Question):
        return study
    return resolve(study if isinstance(study, Study) else studyfile.load_study(study))


def load_study(name: str | Path) -> Study:
    """Load a study as `copub.study.load_study` does, and check it against its lists too."""
    return _checked(studyfile.load_study(name))


def parse_study(text: str, *, name: str = "study.toml", folder: str | Path = "") -> Study:
    """Validate the text of a study file as `copub.study.parse_study` does, and check it against its lists too."""
    return _checked(studyfile.parse_study(text, name=name, folder=folder))


def _checked(study: Study) -> Study:
    resolve(study)
    return study


def resolve(study: Study, find: Find = find_list) -> Question:
    """Read every list that a study names, and check the study against them.

    Parameters
    ----------
    find : where lists are: shipped or at a path, or the copies in a run folder.

    Raises
    ------
    InputError : a list is missing.
    FileError : a list has faults, or the study does not agree with its lists; all faults of the study.
    """
    lists: list[ReadList] = []
    read: dict[str, tuple[Any, ...]] = {}
    for kind in SETTINGS_OF:
        found = list(_read(study, kind, find))
        lists += _with_own_ids([one for one, _ in found])
        read[kind] = tuple(loaded for _, loaded in found)
    headline = read["watchlist"][: len(set(study.watchlists))]
    levels = _levels_of(headline)
    others: list[Said] = []
    if find is find_list:  # a run that exists stays readable
        others = [
            *_without_side_b(study, headline),
            *_of_another_question(study, read["taxonomy"][0], headline, levels, read["baselines"]),
        ]
    faults = list(_faults(study, lists, read["taxonomy"], levels, others))
    if faults:
        raise FileError(sorted(faults, key=studyfile.line_of), kind="study")
    return Question(
        _with_ids(study, lists, levels),
        read["taxonomy"],
        read["watchlist"],
        read["published"],
        tuple(of_study(study, [tie for file in read["ties"] for tie in file])),
        read["labelled"][0] if read["labelled"] else None,
        read["evaluation"],
        tuple(lists),
        baselines=read["baselines"][0] if read["baselines"] else None,
    )


def of_study(study: Study, ties: Sequence[Tie]) -> list[Tie]:
    """Return the ties between the two sides of the study, in order of their id."""
    a, b = study.side_a.countries, study.side_b.countries
    return sorted((t for t in ties if t.country_a in a and t.country_b in b), key=lambda tie: tie.tie_id)


def _levels_of(watchlists: Sequence[Watchlist]) -> tuple[str, ...]:
    return joined_levels(watchlist.levels for watchlist in watchlists)


def _names(study: Study, attribute: str) -> tuple[str, ...]:
    value = getattr(study, attribute)
    return ((value,) if value else ()) if isinstance(value, str) else value


def _read(study: Study, kind: str, find: Find) -> Iterator[tuple[ReadList, Any]]:
    """Yield the lists of a kind; one that is named again, such as under ``others`` too, is read once."""
    seen: set[str] = set()
    for attribute in SETTINGS_OF[kind]:
        for name in _names(study, attribute):
            if name in seen:
                continue
            seen.add(name)
            file = find(kind, name)
            loaded = _load(kind, file)
            paths = [file.path, *([loaded.members_file] if kind == "watchlist" else [])]
            files = tuple((path.name, path.read_bytes()) for path in paths)
            yield ReadList(kind, _id_of(kind, loaded, file), attribute, file.is_shipped, files), loaded


def _load(kind: str, file: ListFile) -> Any:
    if kind == "taxonomy":
        return load_taxonomy(file.path)
    if kind == "watchlist":
        return load_watchlist(file.path, file.members)
    if kind == "published":
        return load_published(file.path)
    if kind == "baselines":
        return read_baselines(file.path)
    if kind == "evaluation":
        # a run that exists stays readable, whatever model came after it
        return read_evaluation(file.path, "" if file.id else model_hash())
    return load_ties(file.path) if kind == "ties" else read_labels([file.path])


def _id_of(kind: str, loaded: Any, file: ListFile) -> str:
    if kind in ("ties", "labelled", "evaluation", "baselines"):
        return file.id or (file.path.name if kind == "labelled" else file.path.stem)
    return str(loaded.id)


def _with_own_ids(lists: Sequence[ReadList]) -> Iterator[ReadList]:
    """Yield the lists; files of ties and error counts have no id but their name, so a second one gets a number."""
    taken: set[str] = set()
    for one in lists:
        name, number = one.id, 1
        while one.kind in ("ties", "evaluation") and name.casefold() in taken:
            number += 1
            name = f"{one.id}-{number}"
        taken.add(name.casefold())
        yield replace(one, id=name)


def _with_ids(study: Study, lists: Sequence[ReadList], levels: Sequence[str]) -> Study:
    """Return the study with ids for lists, its levels strongest first, and its top level."""
    named: dict[str, Any] = {attribute: () for names in SETTINGS_OF.values() for attribute in names}
    for one in lists:
        named[one.attribute] = (*named[one.attribute], one.id)
    for attribute in named:
        if isinstance(getattr(study, attribute), str):
            named[attribute] = "".join(named[attribute])
    counted = tuple(level for level in levels if level in study.levels)
    return replace(study, **named, levels=counted, top_level=study.top_level or (counted or levels)[0])


def _faults(
    study: Study,
    lists: Sequence[ReadList],
    taxonomies: Sequence[Taxonomy],
    levels: Sequence[str],
    others: Iterable[Said],
) -> Iterator[Fault]:
    toml = parse_toml(study.raw, name=study.file or f"study {study.id}")

    def fault(attribute: str, what: str, hint: str) -> Fault:
        path = KEY_OF[attribute].split(".")
        return Fault(toml.where(*path) if toml.has(*path) else toml.name, f"{KEY_OF[attribute]}: {what}", hint)

    stated = (
        *_same_ids(lists),
        *_wrong_areas(study, taxonomies),
        *_wrong_levels(study, levels),
        *others,
    )
    yield from (fault(*one) for one in stated)


Said = tuple[str, str, str]
"""A fault: the attribute of the study, what is wrong with it, a hint."""


def _same_ids(lists: Sequence[ReadList]) -> Iterator[Said]:
    seen: dict[tuple[str, str], ReadList] = {}
    for one in lists:
        first = seen.setdefault((one.kind, one.id), one)
        if first is not one:
            names = f"{KEY_OF[first.attribute]} ({first.files[0][0]})"
            hint = "give each file an id of its own"
            yield one.attribute, f"{one.files[0][0]} has the id {one.id!r}, and so has {names}", hint


def _wrong_areas(study: Study, taxonomies: Sequence[Taxonomy]) -> Iterator[Said]:
    areas = taxonomies[0].area_ids
    for area in sorted(set(study.thresholds) - set(areas)):
        yield "thresholds", f"unknown area {area!r}", f"areas of {taxonomies[0].id}: {', '.join(areas)}"
    for number, taxonomy in enumerate(taxonomies):
        if taxonomy.id == MODEL and taxonomy.area_ids != load_taxonomy(MODEL).area_ids:
            yield (
                "other_taxonomies" if number else "taxonomy",
                f"a taxonomy with other areas than the shipped {MODEL} has its id",
                "give your taxonomy an id of its own: the model knows the areas of the shipped one only",
            )


def _without_side_b(study: Study, headline: Sequence[Watchlist]) -> Iterator[Said]:
    """Yield a fault if the headline names no institution of side B while a shipped list does.

    Where no list does, the study is a comparison: what is found there shows the floor of the method.
    """
    side = study.side_b.countries
    if any(country in watchlist.countries for watchlist in headline for country in side):
        return
    counts = coverage_of(side).counts
    better = [f"{name} ({number})" for name, number in counts.items() if number]
    if better:
        what = (
            f"{', '.join(w.id for w in headline)}: no institution of side B ({', '.join(side)}), so nothing can count"
        )
        yield "watchlists", what, f"lists that name some: {', '.join(better)}"


def _of_another_question(
    study: Study,
    taxonomy: Taxonomy,
    headline: Sequence[Watchlist],
    levels: Sequence[str],
    baselines: Sequence[BaselineFile],
) -> Iterator[Said]:
    for given in baselines:
        differ = list(disagreements(study, taxonomy, headline, levels, given))
        if differ:
            hint = "count them again: copub atlas baseline --study STUDY --out FILE"
            yield "baselines", f"these baselines were counted under other rules: {'; '.join(differ)}", hint


def _wrong_levels(study: Study, levels: Sequence[str]) -> Iterator[Said]:
    known = f"levels of the headline lists: {', '.join(levels)}"
    for level in study.levels:
        if level not in levels:
            yield "levels", f"unknown risk level {level!r}", known
    if study.top_level and study.top_level not in levels:
        yield "top_level", f"unknown risk level {study.top_level!r}", known
    elif study.top_level and study.levels and study.top_level not in study.levels:
        hint = f"{KEY_OF['levels']}: {', '.join(study.levels)}"
        yield "top_level", f"{study.top_level!r} is not among the levels that count", hint
