"""Finding the files that travel with copub: taxonomies, watchlists, ties, studies.

In a checkout they lie at the top of the repository, where people edit them; in an installed
wheel the same folders lie inside the package under ``shipped/``.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(folder: str) -> Path:
    """Return the path of a shipped folder such as ``taxonomies/watchlists`` or ``studies``."""
    installed = _PACKAGE / "shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parents[1] / folder


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the sorted names (file names without suffix) of the TOML files of a folder."""
    return tuple(sorted(path.stem for path in shipped_folder(folder).glob("*.toml")))


def find_shipped(folder: str, name: str, suffix: str = ".toml") -> Path | None:
    """Return the shipped file of that name, or None. A name is never a path."""
    if name not in shipped_names(folder):
        return None
    return shipped_folder(folder) / f"{name}{suffix}"
