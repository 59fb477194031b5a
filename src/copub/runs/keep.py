"""Keeping runs: finding them, listing them, pinning some, pruning the rest; never by accident.

A pin is a file in the run folder that is part of no hash. Pruning shows what would go; it
removes only when asked to, and only whole runs and what killed runs left behind.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from copub.arguments import path_of
from copub.errors import InputError
from copub.rocrate import CRATE
from copub.runs.folder import Run
from copub.runs.folder import open_run as open_folder
from copub.schema import TABLES
from copub.settings import folders
from copub.writing import MANIFEST, as_input_error, is_left_over, write_file

if TYPE_CHECKING:
    from copub.study import Study

PIN = "PINNED"
_OF_OLDER = ("report.html", "workbook.xlsx", "data-dictionary.md", CRATE)
"""Files beside the tables that manifests of older versions do not name."""
_REPORT = "report.html"
_RECORDS = ("kind", "query_hash", "round", "files")
"""What a manifest says of its records: the same for two runs of the same ones."""
_PARTIAL, _REMOVED = ".partial-", ".removed-"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning kept and what it removed, or would remove.

    leftovers : folders of runs that were killed, and of removals that were. held : runs that are kept since somebody
    has put files into their folders, with the names of these.
    """

    kept: tuple[Run, ...]
    gone: tuple[Run, ...]
    leftovers: tuple[Path, ...]
    removed: bool
    held: tuple[tuple[Run, list[str]], ...] = ()


def runs_of(reports: Path, study_id: str) -> list[Run]:
    """Return the whole runs of a study that this copub can read, oldest first."""
    found = [run for run in _opened(reports / study_id) if isinstance(run, Run)]
    return sorted(found, key=lambda run: (str(run.manifest.get("created", "")), run.folder.name))


def unreadable_runs(reports: Path, study_id: str) -> list[InputError]:
    """Return why runs of a study cannot be read: damaged, or made by a newer copub."""
    return [error for error in _opened(reports / study_id) if isinstance(error, InputError)]


def _opened(folder: Path) -> Iterator[Run | InputError]:
    for path in _folders(folder):
        if os.path.lexists(path / MANIFEST):
            try:
                yield open_folder(path)
            except InputError as error:
                yield error


def pair_runs(study: Study, reports: Path, source: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the newest run of each pair of a panel that has a page and the same records: pair, study, run.

    Parameters
    ----------
    source : what the manifest says of the records.
    """
    found = []
    for pair in study.pairs:
        of_pair = study.of_pair(pair.key).id
        own = [
            run
            for run in runs_of(reports, of_pair)
            if _REPORT in run.manifest.get("files", ())
            and all(run.manifest["source"].get(name) == source.get(name) for name in _RECORDS)
        ]
        found += [{"pair": pair.key, "study": of_pair, "run": run.folder.name} for run in own[-1:]]
    return found


def last_created(reports: Path, study_id: str) -> str:
    """Return when the newest run of a study was made, by its manifest; empty if there is none or no date in it."""
    moments = [str(run.manifest.get("created", "")) for run in runs_of(reports, study_id)]
    return max((moment for moment in moments if _is_moment(moment)), default="")


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def last_tables(reports: Path, study_id: str) -> dict[str, pl.DataFrame] | None:
    """Return the tables of the newest measured run whose tables can be read and have today's columns."""
    for run in reversed(runs_of(reports, study_id)):
        if "copublications" not in run.manifest["tables"]:
            continue
        try:
            tables = dict(run.tables)  # all are read now: a damaged one shows
        except InputError:
            continue  # a damaged run must not keep a new one from being made
        if all(set(TABLES[name].schema) <= set(frame.columns) for name, frame in tables.items() if name in TABLES):
            return tables
    return None


def studies_of(reports: Path) -> list[str]:
    """Return the ids of the studies that have a run."""
    return [path.name for path in _folders(reports) if any(os.path.lexists(run / MANIFEST) for run in _folders(path))]


def open_run(name: str | Path, reports: str | Path | None = None) -> Run:
    """Open a run.

    Parameters
    ----------
    name : a run folder, ``STUDY/RUN``, or ``STUDY`` or the folder of a study for its newest run.
    reports : folder of runs; by default COPUB_REPORTS, else ``reports`` here.

    Raises
    ------
    InputError : there is no such run, it is damaged, or a newer copub made it.

    Examples
    --------
    >>> open_run("demo").share("critical_listed")["counting"]
    'full'
    """
    return find_run(str(path_of(name, "run")), folders(reports=reports).reports)


def find_run(name: str, reports: Path) -> Run:
    """Return a run by the path of its folder, as STUDY/RUN, or the newest run of STUDY or of a study's folder.

    Raises `InputError` if there is none; the message lists what there is. Also if a run of STUDY
    cannot be read: which one is the newest is not known then.
    """
    places = [path_of(name, "run"), path_of(reports / name, "run")] if name else []
    for path in places:
        if (path / MANIFEST).is_file():
            return open_folder(path)
    for path in reversed(places):
        runs = runs_of(path.parent, path.name) if path.name else []
        if not runs:
            continue
        for error in unreadable_runs(path.parent, path.name):
            hint = f"name the run you mean, such as {name}/{runs[-1].folder.name}, or move that folder away"
            raise InputError(error.what, where=error.where, hint=hint)
        return runs[-1]
    study = name.split("/")[0]
    known = [f"{study}/{run.folder.name}" for run in runs_of(reports, study)] or studies_of(reports)
    raise InputError(
        f"there is no run {name!r}",
        where=str(reports),
        hint=f"name a run folder, STUDY/RUN or STUDY (its newest run); there is: {', '.join(known) or 'none yet'}",
    )


def is_pinned(run: Run) -> bool:
    """Return whether a run is pinned."""
    return (run.folder / PIN).exists()


def pin(run: Run, reason: str = "") -> None:
    """Pin a run: it is never pruned. `reason` is kept in the pin for people to read."""
    write_file(run.folder / PIN, reason + "\n" if reason else "")


def unpin(run: Run) -> None:
    """Take the pin off a run."""
    with as_input_error(run.folder):
        (run.folder / PIN).unlink(missing_ok=True)


def list_runs(reports: Path, study_id: str) -> pl.DataFrame:
    """Return one row per run, oldest first: run, created, works, share, ci_low, ci_high, pinned.

    The share is the headline, by the study's own counting rule; null for a run without shares.
    """
    rows = [
        {
            "run": run.folder.name,
            "created": run.manifest.get("created"),
            "works": run.manifest["tables"].get("copublications", {}).get("rows"),
            **_headline(run),
            "pinned": is_pinned(run),
        }
        for run in runs_of(reports, study_id)
    ]
    schema = {
        "run": pl.String, "created": pl.String, "works": pl.Int64,
        "share": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64, "pinned": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _headline(run: Run) -> dict[str, float | None]:
    names = ("share", "ci_low", "ci_high")
    if "shares" not in run.manifest["tables"]:
        return dict.fromkeys(names)
    share = run.share("critical_listed")
    return {name: share[name] for name in names}


def prune(reports: Path, study_id: str, *, keep: int, delete: bool = False) -> Pruned:
    """Remove the runs of a study but the newest `keep` and the pinned ones; without `delete`, only say which.

    A run in whose folder somebody has put a file stays: what people make is never removed.

    Raises `InputError` if `keep` is under 1: the last run is never removed.
    """
    if keep < 1:
        raise InputError(f"cannot keep {keep} runs", where="--keep", hint="keep at least 1")
    runs = runs_of(reports, study_id)
    newest = {run.folder for run in runs[-keep:]}
    old = [run for run in runs if run.folder not in newest and not is_pinned(run)]
    held = tuple((run, others) for run in old if (others := others_in(run)))
    gone = tuple(run for run in old if run not in {one for one, _ in held})
    leftovers = tuple(_leftovers(reports / study_id))
    if delete:
        for path in (*(run.folder for run in gone), *leftovers):
            _remove(path)
    kept = tuple(run for run in runs if run not in gone)
    return Pruned(kept, gone, leftovers, delete, held)


def others_in(run: Run) -> list[str]:
    """Return the files in the folder of a run that copub did not write there; those in ``export`` are not looked at."""
    from copub.runs.copies import copies_in  # it loads all that a study may name

    manifest = run.manifest
    known = {MANIFEST, PIN, *manifest.get("files", {}), *_OF_OLDER}
    known |= {f"tables/{name}.parquet" for name in manifest["tables"]} | {copy["file"] for copy in copies_in(run)}
    paths = (path.relative_to(run.folder).as_posix() for path in sorted(run.folder.rglob("*")) if path.is_file())
    return [name for name in paths if name not in known and not name.startswith("export/")]


def _remove(folder: Path) -> None:
    """Remove a folder so that a kill half-way leaves no half run under its name."""
    with as_input_error(folder):
        if folder.is_symlink():
            folder.unlink()  # what it points to lies elsewhere, and is not ours to remove
            return
        going = folder if folder.name.startswith(_REMOVED) else _free_name(folder.with_name(f"{_REMOVED}{folder.name}"))
        folder.rename(going)
        shutil.rmtree(going)


def _free_name(wanted: Path) -> Path:
    """Return a name that nothing bears yet: what a killed call left may have the one that is wanted."""
    number, path = 1, wanted
    while os.path.lexists(path):
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path


def _leftovers(folder: Path) -> Iterator[Path]:
    """Yield what killed calls left: half-removed runs, and half-written ones whose process is gone."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir():
            continue  # a file is no run: a person put it there
        if path.name.startswith(_REMOVED) or (path.name.startswith(_PARTIAL) and is_left_over(path)):
            yield path


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if os.path.isdir(path) and not path.name.startswith("."))  # noqa: PTH112
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"this folder cannot be read: {error.strerror}", where=str(folder), hint="give rights, or name another"
        ) from None
