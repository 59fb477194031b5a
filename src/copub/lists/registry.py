"""The lists that a study names: by the id of a shipped one, or by the path of a person's own file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from copub.errors import InputError
from copub.shipped import did_you_mean, find_shipped, shipped_names


@dataclass(frozen=True, slots=True)
class ListKind:
    """One kind of list: where the shipped ones are, how their names end, the folder of copies in a run."""

    shipped: str
    suffix: str
    copies: str


KINDS: Mapping[str, ListKind] = {
    "taxonomy": ListKind("taxonomies/technologies", ".toml", "taxonomies"),
    "watchlist": ListKind("taxonomies/watchlists", ".toml", "watchlists"),
    "published": ListKind("taxonomies/published", ".toml", "published"),
    "ties": ListKind("taxonomies/ties", ".csv", "ties"),
    "labelled": ListKind("", ".csv", "labelled"),
    "evaluation": ListKind("", ".toml", "evaluations"),
    "baselines": ListKind("", ".json", "baselines"),
}
"""Kinds of lists; ``settings.csv`` names them as the check of a setting."""

SETTINGS_OF: Mapping[str, tuple[str, ...]] = {
    "taxonomy": ("taxonomy", "other_taxonomies"),
    "watchlist": ("watchlists", "other_watchlists"),
    "published": ("published",),
    "ties": ("ties",),
    "labelled": ("labelled",),
    "evaluation": ("evaluations",),
    "baselines": ("baselines",),
}
"""Kind -> the attributes of `copub.study.Study` that name lists of that kind, headline first."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """Where one list is.

    `members` is the CSV file of a watchlist, if not the one that its TOML file names. `id` is the id of
    a list whose files do not say it, if it is not the name of the file.
    """

    path: Path
    is_shipped: bool = False
    members: Path | None = None
    id: str = ""


Find = Callable[[str, str], ListFile]
"""Finds a list by its kind and the name that a study gives."""


def find_list(kind: str, name: str) -> ListFile:
    """Return the file of a list: the shipped one of that id, else the path."""
    shipped = _shipped(kind, name)
    return ListFile(shipped, is_shipped=True) if shipped else ListFile(Path(name))


def absolute_name(kind: str, name: str, folders: Sequence[Path]) -> str:
    """Return the id of a shipped list as it is, and a path as an absolute one.

    Parameters
    ----------
    folders : folders that a relative path may start from; the first that has the file is taken.

    Raises
    ------
    InputError : no shipped list has that id, and there is no such file.
    """
    if _shipped(kind, name):
        return name
    paths = [folder.resolve() / name for folder in folders]
    found = next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113  no error for a name that is too long
    if found is None:
        raise InputError(_fault_of(kind, name, paths[0]), hint=_hint(kind, name, paths[0]))
    return str(found)


def _shipped(kind: str, name: str) -> Path | None:
    return find_shipped(KINDS[kind].shipped, name, KINDS[kind].suffix) if KINDS[kind].shipped else None


def _fault_of(kind: str, name: str, path: Path) -> str:
    if os.path.isdir(path):  # noqa: PTH112
        return f"{name!r} is a folder, not a file"
    return f"{name!r} is neither shipped nor a file" if KINDS[kind].shipped else f"there is no file {name!r}"


def _hint(kind: str, name: str, path: Path) -> str:
    looked = f"looked for {os.path.normpath(path)}; a relative path starts from the folder of the study file"
    if not KINDS[kind].shipped:
        return looked
    known = shipped_names(KINDS[kind].shipped, KINDS[kind].suffix)
    return f"{did_you_mean(name, known)}shipped: {', '.join(known)}; {looked}"
