"""The hash of the code behind a stage: the module, and every module of copub that it imports.

Imports are followed in the text of the modules, so no list can go stale. A package that is
imported by name is followed through its ``__init__``; of a package that only gives a module, the
``__init__`` is read and not followed. Data files beside the modules count as code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from copub.shipped import shipped_folder

PACKAGE = Path(__file__).resolve().parents[1]
_ROOT = PACKAGE.name
_IMPORT = re.compile(
    rf"^[ \t]*(?:from[ \t]+({_ROOT}[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]*))", re.MULTILINE
)
_COMMENT = re.compile(r"#[^\n]*")


@cache
def code_hash(*modules: str, alone: tuple[str, ...] = ()) -> str:
    """Return the sha256 over the code of modules, such as ``copub.corpus``, and all they import.

    Of the modules `alone` only their own code counts, not what they import.
    """
    own = {path for path in map(_file_of, alone) if path}
    return _hash(PACKAGE, sorted({*files_behind(*modules), *own}))


def shipped_hash(folder: str, pattern: str = "*") -> str:
    """Return the sha256 over the files of a shipped folder, such as ``taxonomies/technologies``."""
    place = shipped_folder(folder)
    return _hash(place, sorted(path for path in place.rglob(pattern) if path.is_file()))


def _hash(place: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(place).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files_behind(*modules: str) -> list[Path]:
    """Return the files of modules and of everything of copub that they import, sorted."""
    files: set[Path] = set()
    followed: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if name in followed or path is None:
            continue
        followed.add(name)
        files |= {path, *_inits_above(name)}
        waiting += _imported(path)
    folders = {path.parent for path in files if path.parent != PACKAGE}
    return sorted({*files, *(data for folder in folders for data in _data_in(folder))})


def _file_of(module: str) -> Path | None:
    head, *parts = module.split(".")
    if head != _ROOT:
        return None
    place = PACKAGE.joinpath(*parts)
    for path in (place.with_suffix(".py") if parts else place / "__init__.py", place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _inits_above(module: str) -> Iterator[Path]:
    parts = module.split(".")[1:]
    for depth in range(1, len(parts)):
        path = PACKAGE.joinpath(*parts[:depth]) / "__init__.py"
        if path.is_file():
            yield path


def _data_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path


def _imported(path: Path) -> list[str]:
    """Return the modules that the text of a module imports; names that are no modules do no harm."""
    found: list[str] = []
    for package, names in _imports_in(path.read_text(encoding="utf-8")):
        inside = [f"{package}.{name}" for name in names]
        modules = [name for name in inside if _file_of(name)]
        # from package import module: the package's own imports play no part
        found += modules if inside and len(modules) == len(inside) else [package, *modules]
    return found


@cache  # the stages share most of their modules
def _imports_in(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the imports of copub in the text of a module: what is imported, and the names from it, if any.

    The text is searched: parsing all of it would take longer than most commands.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    for package, names, modules in _IMPORT.findall(text):
        found += [(package, _names(names))] if package else [(name, ()) for name in _names(modules)]
    return tuple(found)


def _names(text: str) -> tuple[str, ...]:
    """Return the parts of an import between its commas, without new names, comments and brackets."""
    parts = _COMMENT.sub("", text).strip("() \t\n").split(",")
    return tuple(part.split()[0] for part in parts if part.strip())
