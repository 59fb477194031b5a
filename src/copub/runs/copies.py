"""Copies of what a run was asked with: its study file, and every list that is not shipped.

They are in ``inputs/`` of the run folder, byte for byte, so that the run can be asked again wherever
the originals are now. The manifest names each copy, the name of the file it was made from, and its sha256.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from copub.errors import InputError, brief
from copub.lists.registry import KINDS, Find, ListFile
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.lists.ties import Tie, load_ties
from copub.lists.tomlfile import read_toml
from copub.lists.watchlist import Watchlist, load_watchlist
from copub.runs.folder import Run, RunWriter, sha256_of
from copub.runs.instruments import study_of
from copub.shipped import find_shipped
from copub.study.question import Question, ReadList, resolve
from copub.study.studykeys import KEY_OF

FOLDER = "inputs"
_STUDY = f"{FOLDER}/study.toml"
_LONGEST_NAME = 80
_MEMBERS_SUFFIX = ".csv"  # of the second file, which only a watchlist has


def write_copies(writer: RunWriter, question: Question) -> list[dict[str, Any]]:
    """Write the copies of a question into a run folder, and return what the manifest says about them."""
    study = question.study
    facts = []
    if study.source:
        copied = _copied(writer, _STUDY, Path(study.file).name, study.source)
        facts.append({"kind": "study", "id": study.id, "files": [copied]})
    taken: set[str] = set()
    for one in question.lists:
        if not one.is_shipped:
            stem = _stem(one, taken)
            suffixes = (KINDS[one.kind].suffix, _MEMBERS_SUFFIX)
            files = [
                _copied(writer, f"{stem}{suffix}", *named) for suffix, named in zip(suffixes, one.files, strict=False)
            ]
            facts.append({"kind": one.kind, "id": one.id, "key": KEY_OF[one.attribute], "files": files})
    return facts


def _copied(writer: RunWriter, file: str, name: str, data: bytes) -> dict[str, str]:
    writer.copy(file, data)
    return {"file": file, "name": name, "sha256": hashlib.sha256(data).hexdigest()}


def _stem(one: ReadList, taken: set[str]) -> str:
    """Return the path of a copy without its suffix: no two are the same, on any file system."""
    name = re.sub(r"[^\w.-]+", "-", one.id.removesuffix(KINDS[one.kind].suffix))[:_LONGEST_NAME].strip(".-") or "list"
    stem, number = f"{FOLDER}/{KINDS[one.kind].copies}/{name}", 1
    while stem.casefold() in taken:
        number += 1
        stem = f"{FOLDER}/{KINDS[one.kind].copies}/{name}-{number}"
    taken.add(stem.casefold())
    return stem


def copies_in(run: Run) -> Iterator[Mapping[str, str]]:
    """Yield file, name and sha256 of every copy in a run."""
    for facts in run.manifest.get("inputs", ()):
        yield from facts["files"]


def altered_copies(run: Run) -> list[str]:
    """Return the copies in a run folder that are missing or are not as the run wrote them."""
    return [
        copy["file"]
        for copy in copies_in(run)
        if not (run.folder / copy["file"]).is_file() or sha256_of(run.folder / copy["file"]) != copy["sha256"]
    ]


def find_copy(run: Run) -> Find:
    """Return what finds the lists of a run by id: its own copies first, then the shipped lists."""
    kept = {(facts["kind"], facts["id"]): facts["files"] for facts in run.manifest.get("inputs", ())}

    def find(kind: str, name: str) -> ListFile:
        files = kept.get((kind, name))
        if files is None:
            shipped = find_shipped(KINDS[kind].shipped, name, KINDS[kind].suffix) if KINDS[kind].shipped else None
            if shipped is None:
                raise InputError(
                    f"the run keeps no copy of its {kind} {brief(repr(name))}, and none of that id is shipped",
                    where=str(run.folder / FOLDER),
                    hint="put the copy back, or run the study again",
                )
            return ListFile(shipped, is_shipped=True)
        path, *members = (run.folder / copy["file"] for copy in files)
        return ListFile(path, id=name, members=members[0] if members else None)

    return find


def question_of(run: Run) -> Question:
    """Return the question that a run answered: its study as the manifest has it, with the lists it was asked with.

    Raises `InputError` or `FileError` if a list is gone, or no longer fits the study.
    """
    study = study_of(run.manifest)
    path = run.folder / _STUDY
    if path.is_file():
        toml = read_toml(path, kind="study")
        study = replace(study, raw=toml.text, file=str(path), source=toml.data)
    if not any(facts["kind"] == "labelled" for facts in run.manifest.get("inputs", ())):
        study = replace(study, labelled="")  # an older run has no copy of its labels; its manifest lists them
    return resolve(study, find_copy(run))


def watchlists_of(run: Run) -> list[Watchlist]:
    """Return the watchlists of a run, headline first."""
    files = [find_copy(run)("watchlist", facts["id"]) for facts in run.manifest["watchlists"]]
    return [load_watchlist(file.path, file.members) for file in files]


def headline_taxonomy_of(run: Run) -> Taxonomy:
    """Return the taxonomy that decided in a run what is critical."""
    return load_taxonomy(find_copy(run)("taxonomy", run.manifest["taxonomies"][0]["id"]).path)


def ties_of(run: Run) -> list[Tie]:
    """Return the formal ties that a run was asked with."""
    files = [find_copy(run)("ties", name) for name in run.manifest["study"].get("ties", ())]
    return [tie for file in files for tie in load_ties(file.path)]
