"""Results of stages, kept by content: what would come out the same is not made again.

The key of an entry is the hash of everything the result rests on: the code of the stage, the
versions of the libraries, the hashes of its inputs and the settings it reads. So there is no
stale entry: another watchlist, another page, another line of code is another key. An entry is
written beside its place and renamed when whole; its files are checked against their hashes
whenever they are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from copub.engine import in_parallel, writing_to_cache
from copub.errors import InputError
from copub.parallel import release_memory
from copub.runs.codehash import code_hash
from copub.runs.folder import sha256_of
from copub.runs.tablefile import write_table
from copub.writing import held, is_left_over

FOLDER = "_stages"  # no study can have this id
MODULES: Mapping[str, tuple[str, ...]] = {
    "tabulate": ("copub.sources.harvest", "copub.sources.worksfile", "copub.corpus"),
    "classify": ("copub.technology",),
    "screen": ("copub.screening",),
    "measure": ("copub.measures",),
}
"""Stage -> the modules that do its work."""
CALLERS = ("copub.runs.staging", "copub.parallel", "copub.corpus.dataset")
"""What calls the stages and decides what they are given; it imports all stages, so it counts by its own code."""

MADE, REUSED, DAMAGED = "made", "reused", "made anew: the kept result was damaged"
KEPT_PER_STAGE = 12
LARGE = 50_000_000
"""Bytes of the kept parts of a stage above which its tables are made side by side: processes take seconds to start."""
STOPPED_PER_STAGE = 2
"""Calls that were stopped whose parts are kept."""
_ENTRY, _PARTS, _PARTIAL, _LOCK = "entry.json", ".parts-", ".partial-", ".lock-"
_LIBRARIES = ("polars", "pyarrow", "numpy", "scipy", "scikit-learn", "orjson")

Makers = Mapping[str, Callable[[], pl.DataFrame | Iterable[pl.DataFrame]]]
"""What makes each table, whole or in parts."""
Make = Callable[[Path], tuple[Makers, Mapping[str, Any]]]
"""Does the work of a stage, given a folder for parts of it; gives what makes its tables, and facts."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The result of a stage.

    paths : the Parquet file of each table. hashes : its sha256, to be part of the next stage's key. facts : what
    else the stage says, as JSON gives it back. origin : made, reused, or made anew because the kept result was damaged.
    """

    paths: dict[str, Path]
    hashes: dict[str, str]
    facts: dict[str, Any]
    origin: str


class StageCache:
    """A folder of results of stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def cached(self, stage: str, parts: Mapping[str, Any], make: Make, *, apart: bool = False) -> Staged:
        """Return the result of a stage: the kept one if its key is the same, else what `make` gives.

        Parameters
        ----------
        stage : one of `MODULES`.
        parts : all that the result rests on beside the code, ready for JSON: hashes of inputs,
            settings.
        make : gives what makes the tables, and facts ready for JSON. It may keep what it makes of each part in the
            folder it is given: after a call that was stopped it finds the parts there.
        apart : whether what makes the tables is picklable, so that large tables may be made side by side.
        """
        key = key_of(stage, parts)
        place = self.folder / f"{stage}-{key}"
        there = place.exists()
        kept = _read(place)
        if kept is not None:
            with suppress(FileNotFoundError):  # another call may have dropped it since
                os.utime(place / _ENTRY)
            return replace(kept, origin=REUSED)
        with self._parts_folder(place) as kept_in:
            makers, facts = make(kept_in)
            is_large = sum(path.stat().st_size for path in kept_in.glob("*/*")) > LARGE
            whole = self._write(place, makers, facts, apart and is_large)
            del makers
            release_memory()
            shutil.rmtree(kept_in, ignore_errors=True)
        self._forget_oldest(stage, place)
        return replace(whole, origin=DAMAGED if there else MADE)

    @contextmanager
    def _parts_folder(self, place: Path) -> Iterator[Path]:
        """Give where a stage may keep what it makes of each part until its result is whole.

        A call that is stopped leaves the parts there, and the next one resumes. Of calls at the same time the first
        has that folder; any other has one of its own, for the first removes its parts when it is done.
        """
        own, is_first = self._beside(place, "parts-"), False
        with ExitStack() as stack:
            with writing_to_cache(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                is_first = stack.enter_context(held(self._lock(place.name)))
            stack.callback(shutil.rmtree, own, ignore_errors=True)
            yield self.folder / f"{_PARTS}{place.name}" if is_first else own

    def _lock(self, name: str) -> Path:
        return self.folder / f"{_LOCK}{name}"

    def _write(self, place: Path, makers: Makers, facts: Mapping[str, Any], apart: bool) -> Staged:
        """Write an entry beside its place and rename it; return it as read back, so that made and kept are alike."""
        beside = self._beside(place)
        shutil.rmtree(beside, ignore_errors=True)
        try:
            with writing_to_cache(self.folder):
                beside.mkdir(parents=True)
            self._fill(beside, makers, facts, apart)
            whole = _read(beside)  # in its place, another call might exchange it meanwhile
            if whole is None:
                raise InputError(
                    "the cache does not give back what was written to it",
                    where=str(self.folder),
                    hint="check the disk, or name another folder (--cache DIR)",
                )
            self._publish(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return replace(whole, paths={name: place / path.name for name, path in whole.paths.items()})

    def _publish(self, beside: Path, place: Path) -> None:
        """Rename an entry to its place; one that another call has put there since stays, unless it is damaged."""
        if _read(place) is not None:
            return
        with writing_to_cache(self.folder):
            damaged = self._beside(place, "damaged-")
            with suppress(FileNotFoundError):
                place.rename(damaged)
            shutil.rmtree(damaged, ignore_errors=True)
            beside.rename(place)

    def _beside(self, place: Path, what: str = "") -> Path:
        """Return a temporary name that no other process or thread uses."""
        return self.folder / f"{_PARTIAL}{what}{place.name}-{threading.get_ident()}-{os.getpid()}"

    def _fill(self, folder: Path, makers: Makers, facts: Mapping[str, Any], apart: bool) -> None:
        write = partial(_write_table, folder, self.folder)
        written = in_parallel(write, makers.items(), alone=1) if apart else map(write, makers.items())
        entry = json.dumps({"facts": facts, "hashes": dict(sorted(written))}, ensure_ascii=False)
        with writing_to_cache(self.folder):
            (folder / _ENTRY).write_text(entry + "\n", encoding="utf-8")

    def _forget_oldest(self, stage: str, newest: Path) -> None:
        """Drop the results that were not used for longest, so that the folder does not grow for ever."""
        entries = [path for path in self.folder.glob(f"{stage}-*") if path != newest and (path / _ENTRY).is_file()]
        entries.sort(key=lambda path: _changed(path / _ENTRY), reverse=True)
        for path in entries[KEPT_PER_STAGE - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        for path in filter(is_left_over, self.folder.glob(f"{_PARTIAL}*")):
            shutil.rmtree(path, ignore_errors=True)
        left = sorted(self.folder.glob(f"{_PARTS}{stage}-*"), key=_changed, reverse=True)
        for path in left[STOPPED_PER_STAGE:]:
            with held(self._lock(path.name.removeprefix(_PARTS))) as is_free:
                if is_free:
                    shutil.rmtree(path, ignore_errors=True)


def _changed(path: Path) -> float:
    """Return when a file or folder changed; 0 if another call has removed it since."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _write_table(
    folder: Path, cache: Path, named: tuple[str, Callable[[], pl.DataFrame | Iterable[pl.DataFrame]]]
) -> tuple[str, str]:
    """Write a table into a folder of the cache; return its name and sha256."""
    name, make = named
    path = folder / f"{name}.parquet"
    writing = partial(writing_to_cache, cache)
    write_table(path, name, make(), writing)  # what makes the rows works in between: its errors are not the cache's
    with writing():
        return name, sha256_of(path)


def key_of(stage: str, parts: Mapping[str, Any]) -> str:
    """Return the key of a stage's result: sha256 over code, libraries and `parts`."""
    whole = {
        "stage": stage,
        "code": code_hash(*MODULES[stage], alone=CALLERS),
        "libraries": _libraries(),
        "parts": parts,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def stage_codes() -> dict[str, str]:
    """Return the hash of the code of each stage, for the manifest."""
    return {stage: code_hash(*modules) for stage, modules in MODULES.items()}


def _libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _read(place: Path) -> Staged | None:
    """Return what is kept in a folder; None if it is not there or not as it was written."""
    try:
        entry = json.loads((place / _ENTRY).read_text(encoding="utf-8"))
        hashes: dict[str, str] = entry["hashes"]
        paths = {name: place / f"{name}.parquet" for name in hashes}
        if any(sha256_of(path) != hashes[name] for name, path in paths.items()):
            return None
        return Staged(paths, hashes, dict(entry["facts"]), "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
