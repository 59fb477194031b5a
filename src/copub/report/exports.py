"""A run in the formats of other tools. Each export is a set of files by path inside its folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from copub.errors import InputError
from copub.lists.outputplace import check_earlier, keep_whole
from copub.names import EXPORTS, PUBLIC
from copub.report.background import NOTES
from copub.report.bibliography import bibtex, ris
from copub.report.curations import curations
from copub.report.deposit import deposit
from copub.report.facts import Facts, facts_of
from copub.report.networks import gexf, vosviewer
from copub.report.packages import csv_files, data_package, ro_crate
from copub.report.plaintext import printable
from copub.report.summary import headline_lines
from copub.writing import as_input_error, write_file

Files = dict[str, bytes]
SUMS = "SHA256SUMS"
"""The list of hashes beside the exports, in the form of ``sha256sum --check``."""
_SUM = re.compile(r"([0-9a-f]{64})  ([\w][\w./-]{0,300})")

_MAKERS: Mapping[str, Callable[[Facts, Files], Files]] = {
    "csv": lambda facts, _: csv_files(facts),
    "markdown": lambda facts, _: {"summary.md": markdown(facts)},
    "bibtex": lambda facts, _: {"listed-works.bib": bibtex(facts)},
    "ris": lambda facts, _: {"listed-works.ris": ris(facts)},
    "vosviewer": lambda facts, _: {"partner-network.json": vosviewer(facts)},
    "gexf": lambda facts, _: {"partner-network.gexf": gexf(facts)},
    "openalex-curations": lambda facts, _: {"openalex-curations.jsonl": curations(facts)},
    "datapackage": lambda facts, files: {"datapackage.json": data_package(facts, files)},
    "ro-crate": lambda facts, files: {"ro-crate-metadata.json": ro_crate(facts, files)},
    PUBLIC: lambda facts, _: deposit(facts),
}
_NEEDS = {"datapackage": ("csv",), "ro-crate": ("csv", "markdown", "datapackage")}


def build_exports(
    tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], kinds: Iterable[str] = EXPORTS
) -> Files:
    """Return the files of the asked kinds, by path.

    A kind that describes others brings them along: ``datapackage`` the CSV files, ``ro-crate`` those,
    the package and the summary. Raises `InputError` for an unknown kind, and `FileError` where something personal would
    be in the package for everybody.
    """
    facts, asked = facts_of(tables, manifest), set(kinds)
    unknown = sorted(asked - _MAKERS.keys())
    if unknown:
        raise InputError(f"there is no export {unknown[0]!r}", where="--to", hint=f"known: {', '.join(_MAKERS)}")
    wanted = asked.union(*(_NEEDS.get(kind, ()) for kind in asked))
    files: Files = {}
    for kind, maker in _MAKERS.items():
        if kind in wanted:
            files |= maker(facts, files)
    return files


def export(
    tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], folder: Path, kinds: Iterable[str] = EXPORTS
) -> list[Path]:
    """Write the files of the asked kinds under `folder` and return their paths.

    Raises as `build_exports`, and `InputError` where a file of another hand is in the place of one of them.
    """
    files = {folder / name: content for name, content in build_exports(tables, manifest, kinds).items()}
    sums = read_sums(folder)
    for path, content in files.items():
        keep_whole(path)
        own = {sums.get(path.relative_to(folder).as_posix()), _sha256(content)}
        check_earlier(path, "export as copub wrote it", partial(_is_one_of, own))
    for path, content in files.items():
        with as_input_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    known = sums | {path.relative_to(folder).as_posix(): _sha256(data) for path, data in files.items()}
    write_file(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())))
    return list(files)


def _is_one_of(hashes: Collection[str | None], path: Path) -> bool:
    return _sha256(path.read_bytes()) in hashes


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Return name -> sha256 of the exports in a folder, as `SUMS` lists them; lines of another form are skipped."""
    path = folder / SUMS
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return {found[2]: found[1] for line in lines if (found := _SUM.fullmatch(line))}


def altered_exports(
    folder: Path, tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Return the exports in a folder that are not as they were written, and the files that are no exports of the run.

    Each is compared with its line in `SUMS`, and made again from the tables and compared with that. The two
    that describe the others (`_NEEDS`) differ with what was asked for, so they are known by their line alone.
    """
    sums = read_sums(folder)
    there = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    made = build_exports(tables, manifest, [kind for kind in EXPORTS if kind not in _NEEDS]) if there else {}
    altered = [name for name in sums if name not in there]
    for name in there.keys() & (made.keys() | sums.keys()):
        data = there[name].read_bytes()
        if _sha256(data) != sums.get(name) or data != made.get(name, data):
            altered.append(name)
    return sorted(altered), sorted(there.keys() - made.keys() - sums.keys() - {SUMS})


def markdown(facts: Facts) -> bytes:
    """Return the result, the fixed notes and the provenance as a short Markdown text."""
    lines = headline_lines(facts.tables, facts.manifest)
    notes = [facts.words.say(f"note.{key}") for key in NOTES]
    about = [
        f"{facts.words.say(f'provenance.{label}')}: {facts.manifest[key]}"
        for label, key in (("run", "run_id"), ("created", "created"), ("version", "copub_version"))
        if facts.manifest.get(key)
    ]
    remarks = [f"- {plain_markdown(text)}" for text in (*notes, *about)]
    parts = [f"# {plain_markdown(facts.title)}", *map(plain_markdown, lines), *remarks]
    return ("\n\n".join(parts) + "\n").encode("utf-8")


def plain_markdown(text: str) -> str:
    """Return a text in one line of Markdown in which no sign is markup."""
    line = " ".join(printable(text).split())
    return "".join("\\" + sign if sign in "\\`*_[]<>#|" else sign for sign in line)
