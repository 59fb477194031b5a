"""Finding the works of a snapshot and checking them against its manifest.

Both layouts are known, in JSON Lines and in Parquet: ``[data/]jsonl/works``,
``[data/]parquet/works``, and the older ``[data/]works``; under each, ``updated_date=…/part_….gz``
or ``….parquet``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow.fs as pafs

from copub.errors import Fault, InputError, SourceUnavailableError
from copub.sources.snapshot.snapshotmanifest import Manifest, file_name, parse_manifest

_PACKED = (".gz", ".zst", ".jsonl", ".ndjson", ".json")
"""Endings of parts in JSON Lines, packed, unpacked or packed anew; a part may have none."""
_FOLDERS = (
    *("", "works", "jsonl/works", "parquet/works", "data/works", "data/jsonl/works", "data/parquet/works"),
    "legacy-data/works",
)
_FILE = re.compile(r"updated_date=[^/]+/[^/._][^/]*$")
_MERGED_ABOVE = 3
"""Folders above that of the works in which the lists of merged works may lie, at most."""
_DELETED = ("deleted_ids.csv.gz", "deleted_ids.csv")
_AGAIN = "get the file again, then repeat the command: only what is missing is done"


@dataclass(frozen=True, slots=True)
class WorksFile:
    """One file of a snapshot: path on its file system, name (``updated_date=…/part…``), kind (jsonl |
    parquet), size in bytes, time of change in nanoseconds (0 if unknown), promised records."""

    path: str
    name: str
    kind: str
    size: int
    changed: int
    records: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is there to be read: files in order, lists of deleted and of merged works, what is wrong or worth saying.

    faults : files that are missing or are not those of the manifest; they are not in `files`.
    """

    folder: str
    date: str
    files: tuple[WorksFile, ...]
    deleted: str | None
    merged: tuple[str, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def survey(filesystem: pafs.FileSystem, root: str) -> Snapshot:
    """Find the works under `root` and compare them with the manifest.

    Raises
    ------
    InputError : there is no such folder, no works in it, no known layout, or no sound manifest.
    SourceUnavailableError : the storage does not answer.
    """
    try:
        folder = _works_folder(filesystem, root)
        infos = filesystem.get_file_info(pafs.FileSelector(folder, recursive=True))
        manifest = _manifest(filesystem, folder, infos)
    except OSError as error:
        hint = "check the address and the network, then repeat the command"
        raise SourceUnavailableError(f"the storage does not answer: {error}", where=root, hint=hint) from error
    parts = [info for info in infos if info.is_file and _FILE.search(info.path)]
    odd = [info.path for info in parts if "." in info.base_name and not info.base_name.endswith((*_PACKED, ".parquet"))]
    found, copies = _by_name([info for info in parts if info.path not in odd], manifest)
    if not found:
        what = "unknown layout: the folders updated_date=… hold no parts of a snapshot (.gz, .jsonl or .parquet)"
        raise InputError(what, where=folder, hint="name the folder of a snapshot")
    if len({file.kind for file in found.values()}) > 1:
        raise InputError("JSON Lines and Parquet files are mixed here", where=folder, hint="keep one kind")
    faults, warnings = _compare(found, manifest, folder)
    wrong = {fault.where for fault in faults}
    faults += [Fault(path, "no part of a snapshot by its name: skipped", "remove or rename it") for path in odd]
    warnings += [f"{path}: the same part is here in another form, so not read" for path in copies]
    chosen = manifest.files if manifest else found
    deleted = {file_name(i.path).rpartition("/")[2]: i.path for i in infos if i.is_file}
    return Snapshot(
        folder=folder,
        date=manifest.date if manifest else "",
        files=tuple(found[name] for name in sorted(found) if name in chosen and found[name].path not in wrong),
        deleted=next((deleted[name] for name in _DELETED if name in deleted), None),
        merged=_merged(filesystem, folder),
        faults=tuple(faults),
        warnings=tuple(warnings),
    )


def _works_folder(filesystem: pafs.FileSystem, root: str) -> str:
    if filesystem.get_file_info(root).type == pafs.FileType.NotFound:
        raise InputError("there is no such folder", where=root, hint="check the path and the spelling")
    if filesystem.get_file_info(root).is_file:
        raise InputError("this is a file, not a folder", where=root, hint="name the folder of the snapshot")
    places = [f"{root}/{folder}" if folder else root for folder in _FOLDERS]
    found = [place for place in places if _has_partitions(filesystem, place)]
    if not found:
        raise InputError(
            "no works of a snapshot are here: no folders updated_date=… at the top or under " + ", ".join(_FOLDERS[1:]),
            where=root,
            hint="name the folder of the snapshot, or that of its works",
        )
    if len(found) > 1:
        raise InputError("several sets of works are here", where=", ".join(found), hint="name one of them")
    return found[0]


def _has_partitions(filesystem: pafs.FileSystem, place: str) -> bool:
    infos = filesystem.get_file_info(pafs.FileSelector(place, allow_not_found=True))
    return any(not info.is_file and info.base_name.startswith("updated_date=") for info in infos)


def _manifest(filesystem: pafs.FileSystem, folder: str, infos: list[pafs.FileInfo]) -> Manifest | None:
    path = f"{folder}/manifest.json"
    if path not in {info.path for info in infos}:
        # OpenAlex's older snapshots name it without suffix
        path = f"{folder}/manifest"
        if path not in {info.path for info in infos}:
            return None
    with filesystem.open_input_stream(path) as stream:
        return parse_manifest(stream.read(), where=path)


def _by_name(infos: list[pafs.FileInfo], manifest: Manifest | None) -> tuple[dict[str, WorksFile], list[str]]:
    """Return the parts by their name, and the paths of further forms of the same part.

    A part that was unpacked has the name that the manifest gives it. Of several forms of one part the one that the
    manifest names is read, else the one with the longer name, which is packed.
    """
    promised = {_bare(name): name for name in manifest.files} if manifest else {}

    def rank(info: pafs.FileInfo) -> tuple[bool, int, str]:
        name = file_name(info.path)
        return name != promised.get(_bare(name)), -len(name), name

    found: dict[str, WorksFile] = {}
    copies: list[str] = []
    for info in sorted(infos, key=rank):
        name = file_name(info.path)
        if _bare(name) in found:
            copies.append(info.path)
        else:
            found[_bare(name)] = _works_file(info, promised.get(_bare(name), name), manifest)
    return {file.name: file for file in found.values()}, sorted(copies)


def _bare(name: str) -> str:
    """Return the name of a part in JSON Lines without its endings; that of a part in Parquet as it is."""
    while name.endswith(_PACKED):
        name = name[: name.rindex(".")]
    return name


def _merged(filesystem: pafs.FileSystem, folder: str) -> tuple[str, ...]:
    """Return the lists of works that were merged into others: ``merged_ids/works/*.csv.gz`` beside the works."""
    base = folder
    for _ in range(_MERGED_ABOVE):
        base = base.rpartition("/")[0]
        if not base:
            break
        selector = pafs.FileSelector(f"{base}/merged_ids/works", allow_not_found=True)
        lists = [info.path for info in filesystem.get_file_info(selector) if info.is_file and ".csv" in info.base_name]
        if lists:
            return tuple(sorted(lists))
    return ()


def _works_file(info: pafs.FileInfo, name: str, manifest: Manifest | None) -> WorksFile:
    promise = manifest.files.get(name) if manifest else None
    return WorksFile(
        path=info.path,
        name=name,
        kind="parquet" if info.extension == "parquet" else "jsonl",
        size=info.size,
        changed=info.mtime_ns or 0,
        records=promise.records if promise else None,
    )


def _compare(found: dict[str, WorksFile], manifest: Manifest | None, folder: str) -> tuple[list[Fault], list[str]]:
    if manifest is None:
        return [], [f"{folder}: there is no manifest: missing, extra or replaced files cannot be noticed"]
    faults = []
    for name, promise in sorted(manifest.files.items()):
        file = found.get(name)
        if file is None:
            faults.append(Fault(f"{folder}/{name}", "the manifest lists this file, and it is missing", _AGAIN))
        elif promise.length is not None and promise.length != file.size and file_name(file.path) == name:
            faults.append(Fault(file.path, f"{file.size} bytes, the manifest says {promise.length}: skipped", _AGAIN))
    extra = sorted(set(found) - set(manifest.files))
    return faults, [f"{found[name].path}: not in the manifest, so not read" for name in extra]
