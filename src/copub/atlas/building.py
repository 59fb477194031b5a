"""`copub atlas build`: from a snapshot to the cells of all pairs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow.fs as pafs

from copub.arguments import path_of
from copub.atlas.atlasrules import Rules
from copub.atlas.cells import READ_LISTINGS, READ_WORKS, Codes, count_group, summed
from copub.atlas.gathering import GatheredWorks, WorkGroup, gather, groups_in, last_parts, numbers_of, read_group
from copub.atlas.snapshotpart import PartEvidence, PartsByName, read_part
from copub.engine import engine_of, in_parallel
from copub.errors import FAULTS_SHOWN, Fault, InputError, SourceUnavailableError
from copub.packed import pack, unpack
from copub.progress import bar
from copub.runs.codehash import code_hash, shipped_hash
from copub.runs.folder import sha256_of
from copub.runs.manifest import versions
from copub.sources.snapshot.deleted import listed_among
from copub.sources.snapshot.output import check_outside
from copub.sources.snapshot.storage import open_source
from copub.sources.snapshot.survey import Snapshot, WorksFile, survey
from copub.writing import MANIFEST, as_input_error, is_left_over, write_file

KIND, FORMAT = "atlas", 1
ENTITIES = "entities.parquet"
GROUPS_ALONE = 64
"""Groups of works up to which one process counts: to start others takes longer."""
_PARTS, _BUILDING = ".parts", ".building-"
_TABLES = ("works", "listings", "cells")
_CODE = ("copub.atlas.snapshotpart", "copub.sources.snapshot", "copub.corpus", "copub.technology", "copub.screening")


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What was built: the manifest of the atlas, and files and lines that were skipped."""

    folder: Path
    manifest: dict[str, Any]
    faults: tuple[Fault, ...]

    def check(self) -> None:
        """Raise `SourceUnavailableError` (exit code 3), naming the first 20 faults, unless all is complete."""
        if not self.faults:
            return
        shown = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        more = len(self.faults) - len(shown)
        raise SourceUnavailableError(
            f"skipped in the snapshot: {len(self.faults)}; the atlas counts the rest",
            where=str(self.folder),
            hint="\n  ".join([*shown, *([f"and {more} more"] if more else [])]),
        )


def build(
    source: str | Path,
    target: str | Path,
    rules: Rules,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> BuildSummary:
    """Build an atlas: read a snapshot once and count every pair of countries.

    The bytes that come out depend on the snapshot, the rules and the code alone, not on workers or on how often the
    command was stopped. What is read of each file is kept in ``<target>/.parts`` until the whole snapshot is read
    without a fault, so a repeated command resumes at the next file.

    Parameters
    ----------
    source : folder or ``s3://…`` address of a snapshot or of its works; JSON Lines or Parquet.
    target : folder of the atlas; new, empty, or with an atlas that was not finished.
    rules : what counts.
    workers : processes on this machine; None for as many as there are cores and memory for.
    scheduler : address of a Dask scheduler (``tcp://…``) whose workers read instead; they must
        reach the source under the same name.

    Raises
    ------
    InputError : a wrong source, target, manifest or scheduler.
    SourceUnavailableError : the storage does not answer.
    """
    is_address = isinstance(source, str) and "://" in source
    address, folder = str(source if is_address else path_of(source, "source")), path_of(target, "target")
    filesystem, root = open_source(address)
    snapshot = survey(filesystem, root)
    if not is_address:
        check_outside([folder / MANIFEST], Path(snapshot.folder))
    code = _code()
    basis = hashlib.sha256(orjson.dumps([rules.hash, code])).hexdigest()
    made_from = [basis, *map(_name_of, snapshot.files), *_lists_of_ids(filesystem, snapshot)]
    whole = _claim(folder, made_from)
    if whole is not None:
        return BuildSummary(folder, whole, ())
    names = [hashlib.sha256(orjson.dumps([basis, _name_of(file)])).hexdigest()[:32] for file in snapshot.files]
    # workers elsewhere have another current folder
    jobs = [(address if is_address else root, file) for file in snapshot.files]
    with engine_of(workers, scheduler):
        read = in_parallel(partial(read_part, rules), jobs, alone=1, kept=PartsByName(folder / _PARTS, names))
        parts = list(bar(read, label="read snapshot", total=len(jobs), unit="files"))
        with as_input_error(folder), _building_in(folder) as building:
            gathered, damaged_lists = _tables(parts, filesystem, snapshot, rules, building)
            files = _put_in_place(building, folder)
    faults = sorted([*snapshot.faults, *damaged_lists, *_faults(parts)])
    manifest = _manifest(rules, snapshot, parts, gathered, faults)
    manifest |= {"code": code, "files": files, "made_from": made_from}
    write_file(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    if not faults:
        shutil.rmtree(folder / _PARTS, ignore_errors=True)
    return BuildSummary(folder, manifest, tuple(faults))


@contextmanager
def _building_in(folder: Path) -> Iterator[Path]:
    """Give a folder for tables that are not whole; it is removed at the end, and so are those of calls that died."""
    building = folder / f"{_BUILDING}{os.getpid()}"
    for path in folder.glob(f"{_BUILDING}*"):
        if path == building or is_left_over(path):
            shutil.rmtree(path, ignore_errors=True)
    building.mkdir()
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _tables(
    parts: Sequence[PartEvidence], filesystem: pafs.FileSystem, snapshot: Snapshot, rules: Rules, building: Path
) -> tuple[GatheredWorks, list[Fault]]:
    """Write evidence, cells and entities; return what was gathered, and lists of ids that cannot be read."""
    numbers = numbers_of(parts)
    deleted, damage = listed_among(filesystem, [snapshot.deleted] if snapshot.deleted else [], numbers, "deleted")
    merged, more = listed_among(filesystem, snapshot.merged, numbers, "merged")
    last = last_parts(parts, numbers)
    del numbers
    gathered = gather(parts, last, {"deleted": deleted, "merged": merged}, building)
    _count(building, gathered, Codes.of(rules, gathered.countries))
    _entities(rules).write_parquet(building / ENTITIES)
    return gathered, [*damage, *more]


def _name_of(file: WorksFile) -> list[Any]:
    """Return what makes a file of a snapshot another one; not where it lies."""
    return list(astuple(file)[1:])


def _lists_of_ids(filesystem: pafs.FileSystem, snapshot: Snapshot) -> list[list[Any]]:
    """Return what makes the lists of deleted and merged works others."""
    paths = [*([snapshot.deleted] if snapshot.deleted else []), *snapshot.merged]
    return [[info.base_name, info.size, info.mtime_ns] for info in filesystem.get_file_info(paths)] if paths else []


def _code() -> str:
    shipped = [shipped_hash(folder) for folder in ("taxonomies/models", "taxonomies/watchlists/registry")]
    libraries = versions()
    own = [code_hash(*_CODE), code_hash("copub.atlas.cells", "copub.atlas.gathering")]
    return hashlib.sha256(orjson.dumps([own, shipped, libraries], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _claim(folder: Path, made_from: list[Any]) -> dict[str, Any] | None:
    """Return the manifest of the folder if the very atlas is there, whole; None if it is to be built.

    Raises `InputError` if the folder holds anything but an atlas of the same records and rules.
    """
    with as_input_error(folder):
        folder.mkdir(exist_ok=True)
        names = {path.name for path in folder.iterdir()} - {_PARTS}
    there = {name for name in names if not name.startswith(_BUILDING)}
    if not there:
        return None
    manifest: Any = None
    with suppress(OSError, ValueError):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        # a call that was stopped while it put the tables in place left no manifest
        if there <= {*_TABLES, ENTITIES} and (folder / _PARTS).is_dir():
            return None
        raise InputError("other files are in this folder", where=f"--to {folder}", hint="name a new or an empty folder")
    if not manifest.get("complete", True):
        return None
    if manifest.get("made_from") != made_from:
        raise InputError(
            "an atlas of other records, rules or code is here",
            where=f"--to {folder}",
            hint="name a new folder; remove this one if you no longer need it",
        )
    return manifest if _hashes(folder) == manifest.get("files") else None


def _count(folder: Path, gathered: GatheredWorks, codes: Codes) -> None:
    """Write the cells of each year."""
    (folder / "cells").mkdir()
    groups = list(groups_in(gathered))

    def packed() -> Iterator[tuple[bytes, bytes]]:
        for group in groups:
            yield (
                pack(read_group(folder, "works", group.year, group.works, READ_WORKS)),
                pack(read_group(folder, "listings", group.year, group.listings, READ_LISTINGS)),
            )

    counted = in_parallel(partial(count_group, codes), packed(), alone=GROUPS_ALONE)
    in_turn = zip(groups, bar(counted, label="count", total=len(groups), unit="groups"), strict=True)
    for year, of_year in groupby(in_turn, key=_year_of):
        sums = summed(unpack(part) for _, part in of_year)
        codes.named(sums, year).write_parquet(folder / "cells" / f"{year}.parquet", row_group_size=100_000)


def _year_of(counted: tuple[WorkGroup, bytes]) -> int:
    return counted[0].year


def _entities(rules: Rules) -> pl.DataFrame:
    """Return the institutions of the lists: what `explain` needs to name them."""
    rows = [
        (watchlist.id, member.entity.id, member.entity.name, member.entity.country, member.level)
        for watchlist in rules.watchlists
        for member in watchlist.entities
    ]
    schema = dict.fromkeys(("watchlist", "entity_id", "name", "country", "level"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row").sort("watchlist", "entity_id")


def _faults(parts: Sequence[PartEvidence]) -> Iterator[Fault]:
    for part in parts:
        yield from part.faults
        if part.damage:
            yield part.damage


def _put_in_place(building: Path, folder: Path) -> dict[str, str]:
    """Move what was built to its place and return the sha256 of each file."""
    for name in (*_TABLES, ENTITIES):
        place = folder / name
        if place.is_dir():
            shutil.rmtree(place)
        (building / name).replace(place)
    return _hashes(folder)


def _hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every table of an atlas."""
    paths = sorted(path for name in (*_TABLES, "") for path in (folder / name).glob("*.parquet"))
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def _manifest(
    rules: Rules,
    snapshot: Snapshot,
    parts: Sequence[PartEvidence],
    gathered: GatheredWorks,
    faults: Sequence[Fault],
) -> dict[str, Any]:
    """Return the manifest. It holds no time of the clock: what is built again is the same to the byte."""
    counts = sum((part.counts or Counter() for part in parts), Counter[str]())
    left_out = gathered.left_out + Counter({"older copy": counts["older copies"]})
    return {
        "kind": KIND,
        "format": FORMAT,
        "complete": not faults,
        "synthetic": rules.study.synthetic or counts["synthetic"] > 0,
        "snapshot": {
            "date": snapshot.date,
            "files": len(snapshot.files),
            "bytes": sum(file.size for file in snapshot.files),
            "records": sum(part.records for part in parts),
            "warnings": [warning.rpartition("/")[2] for warning in snapshot.warnings],
        },
        "works": {
            "international": gathered.counted + sum(left_out.values()),
            "counted": gathered.counted,
            "left_out": dict(sorted(left_out.items())),
            "sharing_a_doi": gathered.shared_doi,
            "read_in_part": counts["shortened"],
            "values_converted": counts["converted"],
        },
        "faults": [f"{Path(fault.where).name}: {fault.what}" for fault in faults],
        "countries": sorted(gathered.countries),
        "rules": rules.facts(),
        "rules_hash": rules.hash,
        "versions": versions(),
    }
