"""No import runs upwards: a folder of copub uses only itself and the folders below it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import copub

PACKAGE = Path(copub.__file__).parent

LAYERS = (
    ("lists",),
    ("addresses",),
    ("study",),
    ("sources", "demo"),
    ("corpus",),
    ("sources.snapshot",),  # reads the countries of a work as the corpus does; nothing but cli uses it
    ("technology",),
    ("screening",),
    ("measures",),
    ("report",),
    ("runs",),
    ("pipeline",),
    ("history", "review", "atlas"),
    ("api",),
    ("",),  # copub itself names what is public
    ("cli",),
)
"""Lowest first. What is named nowhere here, such as `copub.errors`, is below all of them."""

LEVEL = {part: number for number, parts in enumerate(LAYERS, start=1) for part in parts}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").strip("."): path
    for path in PACKAGE.rglob("*.py")
}


def layer(module: str) -> tuple[int, str]:
    """Return the level and the layer of a module, such as ``measures.shares``."""
    parts = module.split(".")
    names = [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    name = next((name for name in names if name in LEVEL), "")
    return (LEVEL[name], name) if name or not module else (0, "")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of copub that a module imports, also inside functions and for types alone."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "copub":
            module = (node.module or "").removeprefix("copub").strip(".")
            inner = [f"{module}.{alias.name}".strip(".") for alias in node.names]
            yield from (name if name in MODULES else module for name in inner)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("copub.") for a in node.names if a.name.startswith("copub."))


def test_no_import_runs_upwards() -> None:
    upwards = [
        f"{module} imports {target}"
        for module, path in sorted(MODULES.items())
        for target in imports_of(path)
        if module != "__main__" and layer(target) != layer(module) and layer(target)[0] >= layer(module)[0]
    ]
    assert not upwards


def test_every_folder_has_a_layer() -> None:
    folders = {module.split(".")[0] for module, path in MODULES.items() if path.parent != PACKAGE}
    assert folders - set(LEVEL) == {"schema"}


def test_no_two_modules_of_one_folder_or_of_two_have_one_name() -> None:
    # commands are named after what they are about, as the modules that do it are
    names = Counter(
        path.stem for module, path in MODULES.items() if path.stem != "__init__" and not module.startswith("cli.")
    )
    assert {name for name, count in names.items() if count > 1} == set()
