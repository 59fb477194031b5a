"""Finding the files that travel with copub: taxonomies, watchlists, ties, studies.

In a checkout they lie at the top of the repository, where people edit them; in an installed
wheel the same folders lie inside the package under ``shipped/``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from copub.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(folder: str) -> Path:
    """Return the path of a shipped folder such as ``taxonomies/watchlists`` or ``studies``."""
    installed = _PACKAGE / "shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parents[1] / folder


def shipped_names(folder: str, suffix: str = ".toml") -> tuple[str, ...]:
    """Return the sorted names (file names without suffix) of the files of a folder that have that suffix."""
    return tuple(sorted(path.stem for path in shipped_folder(folder).glob(f"*{suffix}")))


def find_shipped(folder: str, name: str, suffix: str = ".toml") -> Path | None:
    """Return the shipped file of that name, or None. A name is never a path."""
    if name not in shipped_names(folder, suffix):
        return None
    return shipped_folder(folder) / f"{name}{suffix}"


def no_such(kind: str, name: str | Path, folder: str) -> InputError:
    """Return the error that no shipped file of a folder bears a name; it names the nearest and all of them.

    A pipe is named as one: these files are read more than once, and with others beside them.
    """
    if Path(name).exists() and not Path(name).is_dir():
        what = f"this is a pipe or a device, not a file: no {kind} is read from it"
        hint = "save it as a .toml file, with the files that it names beside it, and give its path"
        return InputError(what, where=str(name), hint=hint)
    known = shipped_names(folder)
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    shipped = f"shipped {plural}: {', '.join(known)}; or give the path of a .toml file"
    return InputError(f"there is no {kind} {str(name)!r}", hint=did_you_mean(str(name), known) + shipped)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the known names nearest to a mistyped one; empty if none is near."""
    near = difflib.get_close_matches(name[:200].lower(), list(known), n=3)
    return f"did you mean {' or '.join(near)}? " if near else ""
