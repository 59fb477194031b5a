"""Run folders: writing a whole run or nothing, its manifest, and reading it back.

A run is written to a temporary folder beside its place and renamed when complete, so that a
folder with a manifest is always a whole run, and a stopped one leaves the last as it was.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from copub.arguments import expect, path_of
from copub.errors import InputError, brief
from copub.jsonshape import read_json
from copub.progress import bar
from copub.runs.shape import manifest_fault, table_fault
from copub.runs.tablefile import write_table
from copub.writing import MANIFEST

FORMAT = 4
"""Format of the runs that this copub writes.

2: hits say why they do not count (`not_counted_because`). 3: tables, columns and study keys have standard names.
4: works, authorships and affiliations know no study; the table population says which works it counts.
"""
_FIRST = 1  # the first manifests named no format

_CHUNK = 1 << 20  # bytes
_PARTIAL = ".partial-"
_MEND = "put the file back, or move the run folder away and run the study again"


ESTIMATE = ("adjusted", "adjusted_low", "adjusted_high", "method")
"""Columns of table ``adjusted`` that a share is given with: the corrected share, or the share from reading."""


@dataclass(frozen=True, repr=False)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : the run folder, with the report, the workbook and the tables.
    manifest : what the run was made from: study, source, lists, versions, decisions, stages.
    tables : polars frames by name, each read when it is first asked for. `docs/data-dictionary.md`
        describes their columns.

    Examples
    --------
    >>> from copub import open_run
    >>> run = open_run("demo")
    >>> run.share("critical_listed")["measure"]
    'critical_listed'
    >>> run.tables["copublications"].filter("is_listed").height > 0
    True
    """

    folder: Path

    def __repr__(self) -> str:
        try:
            study = self.manifest["study"]
            about = [f"study   {study.get('id')}: {study.get('title')}", f"tables  {', '.join(self.tables) or 'none'}"]
        except (InputError, LookupError, AttributeError) as error:
            about = [f"cannot be read: {error}"]
        return "\n  ".join([f"Run({str(self.folder)!r})", *about])

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises `InputError` if it is no whole JSON object."""
        path = self.folder / MANIFEST
        values: dict[str, Any] = read_json(path, dict[str, Any], kind="the manifest of the run", hint=_MEND)
        return values

    @cached_property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """The tables of the run by name.

        Raises
        ------
        InputError : a table is missing that the manifest names, or one that is read is damaged.
        UnknownTable : the run has no table of that name; the hint lists those that it has.
        """
        folder = self.folder / "tables"
        missing = sorted(name for name in self.manifest.get("tables", ()) if not (folder / f"{name}.parquet").is_file())
        if missing:
            raise _damaged(f"the run lacks the tables {', '.join(missing)}, which its manifest names", folder)
        return _TablesOnDisk({path.stem: path for path in sorted(folder.glob("*.parquet"))})

    def altered_files(self) -> list[str]:
        """Return the files beside tables and inputs that are missing or are not as the run wrote them, by sha256."""
        facts: Mapping[str, Mapping[str, Any]] = self.manifest.get("files", {})
        paths = {name: self.folder / name for name in facts}
        changed = [n for n, path in paths.items() if not path.is_file() or sha256_of(path) != facts[n]["sha256"]]
        seal = self.manifest.get("seal")
        return [*([MANIFEST] if seal is not None and seal != seal_of(self.manifest) else []), *sorted(changed)]

    def altered(self) -> list[str]:
        """Return the tables whose file is not the one that the run wrote, by its sha256."""
        facts: Mapping[str, Mapping[str, Any]] = self.manifest.get("tables", {})
        paths = {name: self.folder / "tables" / f"{name}.parquet" for name in facts}
        return sorted(n for n, path in paths.items() if path.is_file() and sha256_of(path) != facts[n].get("sha256"))

    def share(self, measure: str = "critical_listed", counting: str | None = None) -> dict[str, Any]:
        """Return one share over all works.

        Parameters
        ----------
        measure : critical, listed, critical_listed, top_level, ...: see table ``shares``.
        counting : rule of counting; by default the study's own.

        Returns
        -------
        The row of table ``shares`` as a dict: numerator, denominator, share (0 to 1), ci_low, ci_high, ...
        Added from table ``adjusted``, in full counting: the corrected share or the share from reading (adjusted), its
        interval (adjusted_low, adjusted_high), which of them it is (method: "evaluation" or "labelled sample") and what
        it rests on (basis). These are None where the run has neither.

        Raises
        ------
        InputError : the run has no shares, or none of that measure or rule; the hint lists the known ones.
        """
        expect(measure, str, "measure", "the name of a measure, such as critical_listed")
        expect(counting, (str, type(None)), "counting", "the name of a rule of counting, such as full")
        rule = counting or self.manifest["study"].get("counting", "full")
        overall = self.tables["shares"].filter(pl.col("slice_kind") == "all")
        for row in overall.iter_rows(named=True):
            if (row["measure"], row["counting"]) == (measure, rule):
                return row | self.estimate(measure if rule == "full" else "")
        measures, rules = (", ".join(overall[name].unique().sort()) for name in ("measure", "counting"))
        raise InputError(
            f"there is no share {measure!r} counted {rule!r}", hint=f"known measures: {measures}; counting: {rules}"
        )

    def estimate(self, measure: str) -> dict[str, Any]:
        """Return the corrected share of a measure over all works, or its share from reading: `ESTIMATE` and basis."""
        rows = self.tables["adjusted"].filter(slice_kind="all", measure=measure) if "adjusted" in self.tables else None
        found = rows.row(0, named=True) if rows is not None and rows.height else {}
        known = found if found.get("adjusted") is not None else {}
        return {name: known.get(name) for name in (*ESTIMATE, "basis")}


def open_run(folder: str | Path) -> Run:
    """Open a run folder.

    Raises `InputError` if it holds no whole run, a damaged one (the key that is wrong is named), or one of a
    newer copub.
    """
    path = path_of(folder, "folder")
    if not os.path.lexists(path / MANIFEST):
        raise InputError("this folder holds no run", where=str(path), hint="name a folder under reports/<study>/")
    run = Run(path)
    found = run.manifest.get("format", _FIRST)
    if not isinstance(found, int) or found > FORMAT:
        raise InputError(
            f"the run has format {brief(repr(found))}, and this copub reads up to {FORMAT}",
            where=str(path / MANIFEST),
            hint="install the version of copub that made it, or a newer one",
        )
    wrong = manifest_fault(run.manifest)
    if wrong:
        raise _damaged(f"the manifest of the run is damaged: {wrong}", path / MANIFEST)
    return run


def _damaged(what: str, path: Path) -> InputError:
    return InputError(what, where=str(path), hint=_MEND)


class UnknownTable(InputError, KeyError):
    """A run has no table of that name; the hint lists those that it has."""


class _TablesOnDisk(Mapping[str, pl.DataFrame]):
    """Tables by name; a table is read once, when it is asked for."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self._read: dict[str, pl.DataFrame] = {}

    def __repr__(self) -> str:
        return f"Tables({', '.join(self)})"

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self:
            known = ", ".join(self) or "none: it was stopped before the first was made"
            raise UnknownTable(f"the run has no table {name!r}", hint=f"its tables: {known}")
        if name not in self._read:
            self._read[name] = _read_table(self._paths[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._paths  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _read_table(path: Path) -> pl.DataFrame:
    try:
        wrong = table_fault(path.stem, pl.read_parquet_schema(path))
        frame = pl.DataFrame() if wrong else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        wrong = (str(error).splitlines() or ["it cannot be read"])[0]
    if wrong:
        raise _damaged(f"the table {path.stem} of the run is damaged: {wrong}", path)
    return frame


def refuse_older(*runs: Run) -> None:
    """Raise `InputError` if a run has an older format: its tables cannot be set against those of this copub."""
    for run in runs:
        found = run.manifest.get("format", _FIRST)
        if isinstance(found, int) and found < FORMAT:
            raise InputError(
                f"the run has format {found}, and this copub compares, verifies and exports runs of format {FORMAT}",
                where=str(run.folder / MANIFEST),
                hint="run the study again (its pages are in the cache), or install the copub that made the run: "
                f"{run.manifest.get('copub_version', 'not known')}",
            )


@contextmanager
def with_todays_columns(*runs: Run) -> Iterator[None]:
    """Turn a missing column into `InputError`: the tables of a run are as its version of copub wrote them."""
    try:
        yield
    except pl.exceptions.ColumnNotFoundError as error:
        versions = sorted({str(run.manifest.get("copub_version", "not known")) for run in runs})
        raise InputError(
            f"a table lacks a column that this copub reads: {str(error).splitlines()[0]}",
            where=", ".join(str(run.folder) for run in runs),
            hint=f"made by copub {' and '.join(versions)}: run the study again, or install the copub that made it",
        ) from None


class RunWriter:
    """Gathers the files of a run in a temporary folder; `finish` puts it in its place.

    `written` holds rows and sha256 of the tables written so far, `files` the names of other files.
    """

    def __init__(self, reports: Path, study_id: str, run_id: str) -> None:
        parent = reports / study_id
        self.target = _free(parent / run_id)
        self.folder = parent / f"{_PARTIAL}{self.target.name}-{os.getpid()}"
        self._reports = reports
        with self._writing():
            (self.folder / "tables").mkdir(parents=True)
        self.written: dict[str, dict[str, Any]] = {}
        self.files: list[str] = []
        self._hashes: dict[str, dict[str, str]] = {}

    def table(self, name: str, table: pl.DataFrame | Iterable[pl.DataFrame]) -> None:
        """Write one table, whole or in parts, as Parquet, with the meaning of each column in its metadata."""
        path = self.folder / "tables" / f"{name}.parquet"
        write_table(path, name, table, self._writing)
        self._add(name, path, sha256_of(path))

    def link(self, name: str, path: Path, sha256: str) -> None:
        """Take a table from where it is kept: nothing large is written twice."""
        target = self.folder / "tables" / f"{name}.parquet"
        with self._writing():
            link_or_copy(path, target)
        self._add(name, target, sha256)

    def _add(self, name: str, path: Path, sha256: str) -> None:
        self.written[name] = {"rows": pq.read_metadata(path).num_rows, "sha256": sha256}

    def read(self, name: str, *columns: str | pl.Expr) -> pl.DataFrame:
        """Return a table written before, or only these columns of it."""
        return pl.scan_parquet(self.folder / "tables" / f"{name}.parquet").select(columns or pl.all()).collect()

    def file(self, name: str, content: str | bytes) -> None:
        """Write one file of the run."""
        data = content.encode("utf-8") if isinstance(content, str) else content
        with self._writing():
            (self.folder / name).write_bytes(data)
        self.files.append(name)
        self._hashes[name] = {"sha256": hashlib.sha256(data).hexdigest()}

    def copy(self, name: str, data: bytes) -> None:
        """Write the copy of a file that the run was asked with; no stage makes it."""
        path = self.folder / name
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def finish(self, manifest: Mapping[str, Any]) -> Run:
        """Write the manifest and rename the folder to its place; it never takes the place of another.

        The manifest gets the sha256 of every file beside the tables, and its own without that (``seal``).
        """
        values = json.loads(json.dumps({**manifest, "files": self._hashes}, ensure_ascii=False, default=str))
        self.file(MANIFEST, json.dumps(values | {"seal": seal_of(values)}, indent=1, ensure_ascii=False) + "\n")
        with self._writing():
            while True:
                try:
                    self.folder.rename(self.target)
                except OSError as error:
                    # two calls of the same second may have chosen the same name
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    self.target = _free(self.target)
                else:
                    return Run(self.target)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"reports cannot be written here: {error.strerror or error}",
                where=str(self._reports),
                hint="free some space or give rights, or name another folder by --reports or COPUB_REPORTS; "
                "earlier runs are as they were",
            ) from None

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self.folder, ignore_errors=True)


def seal_of(manifest: Mapping[str, Any]) -> str:
    """Return the sha256 of all that a manifest says, but for its seal."""
    values = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """Put a file at another place without writing it again where the file system can."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file, bar(label=f"hash {path.name}", total=path.stat().st_size, unit="bytes") as shown:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            shown.update(len(chunk))
    return digest.hexdigest()


def _free(wanted: Path) -> Path:
    number, path = 1, wanted
    while path.exists() or any(wanted.parent.glob(f"{_PARTIAL}{path.name}-*")):
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path
