"""`copub snapshot extract`: the works of pairs of countries, out of all works of OpenAlex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.fs as pafs

from copub.arguments import expect, expect_each, path_of
from copub.errors import FAULTS_SHOWN, Fault, InputError, SourceUnavailableError
from copub.pairs import Pair, check_pairs
from copub.progress import bar
from copub.sources.snapshot.deleted import listed_among
from copub.sources.snapshot.executors import work_through
from copub.sources.snapshot.job import Job
from copub.sources.snapshot.output import PLACE, check_outside, found_in, name_targets, write_outputs
from copub.sources.snapshot.part import part_name, read_facts
from copub.sources.snapshot.selection import Asked
from copub.sources.snapshot.storage import open_source
from copub.sources.snapshot.survey import Snapshot, survey
from copub.writing import as_input_error


@dataclass(frozen=True, slots=True)
class ExtractSummary:
    """What came out of a snapshot, and what did not.

    Attributes
    ----------
    date : date of the snapshot by its manifest; "" if unknown.
    outputs : pair name, file, works in it; in the order asked.
    files, records, size : files read, works in them, bytes of them (earlier runs included).
    reused : files of those that an earlier, unfinished run had read.
    expansion : works of the pairs left out because they are in the expansion corpus.
    deleted : works of the pairs left out because OpenAlex lists them as deleted.
    merged : works of the pairs left out because OpenAlex lists them as merged into another.
    repeated : older copies of works that are in the snapshot twice, by pair; the last copy is kept.
    faults : files and lines skipped: works may be missing.
    warnings : what else is worth saying.
    """

    date: str
    outputs: tuple[tuple[str, Path, int], ...]
    files: int
    records: int
    size: int
    reused: int
    expansion: int
    deleted: int
    merged: int
    repeated: int
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Return whether nothing was skipped."""
        return not self.faults

    def check(self) -> None:
        """Raise `SourceUnavailableError` (exit code 3), naming the first 20 faults, unless all is complete."""
        if self.complete:
            return
        shown = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        more = len(self.faults) - len(shown)
        raise SourceUnavailableError(
            f"skipped in the snapshot: {len(self.faults)}; the works of the rest are written",
            where=", ".join(str(path) for _, path, _ in self.outputs),
            hint="\n  ".join([*shown, *([f"and {more} more"] if more else [])]),
        )

    def facts(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {
            "snapshot": self.date,
            "outputs": [{"pair": name, "file": str(path), "works": works} for name, path, works in self.outputs],
            "files": self.files,
            "records": self.records,
            "bytes": self.size,
            "reused_files": self.reused,
            "left_out": {
                "expansion": self.expansion,
                "deleted": self.deleted,
                "merged": self.merged,
                "repeated": self.repeated,
            },
            "complete": self.complete,
            "faults": [str(fault) for fault in self.faults],
            "warnings": list(self.warnings),
        }


def extract(
    source: str | Path,
    target: str | Path,
    pairs: Sequence[Pair],
    *,
    expansion: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
) -> ExtractSummary:
    """Write the works of each pair, as the snapshot has them, to JSON Lines that ``copub run --works`` reads.

    The bytes that come out depend on the snapshot and the pairs alone, not on workers or on how
    often the command was stopped. What is read of each file is kept in ``<target>.parts`` until
    the whole snapshot is read without a fault, so a repeated command resumes where the last ended.

    Parameters
    ----------
    source : folder or ``s3://…`` address of a snapshot or of its works; JSON Lines or Parquet.
    target : file ending with .jsonl, .jsonl.gz or .jsonl.zst; for several pairs with ``{pair}`` in
        its name, which gives a file for each.
    pairs : what is asked for; all are answered in one reading.
    expansion : keep works of OpenAlex's expansion corpus.
    workers : processes on this machine (more than one needs the extra ``cluster``).
    scheduler : address of a dask scheduler (``tcp://…``) whose workers read instead; they must
        reach the source under the same name.

    Raises
    ------
    InputError : a wrong pair, target, source, manifest or scheduler.
    SourceUnavailableError : the storage does not answer.
    """
    is_address = isinstance(source, str) and "://" in source
    source, target = str(source if is_address else path_of(source, "source")), path_of(target, "target")
    expect_each(pairs, Pair, "pairs", "a list of copub.pairs.Pair; parse_pairs reads them from text")
    expect(workers, int, "workers", "a whole number of processes")
    asked = Asked(check_pairs(pairs), expansion)
    targets = name_targets(target, asked)
    if workers < 1:
        raise InputError(f"{workers} workers cannot read", where="--workers", hint="give 1 or more")
    filesystem, root = open_source(source)
    snapshot = survey(filesystem, root)
    if isinstance(filesystem, pafs.LocalFileSystem):
        check_outside(targets, Path(snapshot.folder))
    folder = target.with_name(f"{target.name.replace(PLACE, 'pairs')}.parts")
    with as_input_error(folder):
        folder.mkdir(exist_ok=True)
    parts = {file.path: folder / part_name(file, asked) for file in snapshot.files}
    left = tuple(file for file in snapshot.files if not parts[file.path].exists())
    # workers elsewhere have another current folder
    address = source if "://" in source else root
    faults = list(snapshot.faults)
    with bar(label="read snapshot", total=sum(file.size for file in left), unit="bytes") as progress:
        jobs = [Job(address, file, asked) for file in left]
        for done in work_through(jobs, progress.update, workers=workers, scheduler=scheduler):
            if done.part is not None:
                _save(parts[done.job.file.path], done.part)
            elif done.damage is not None:
                faults.append(done.damage)
    by_name = {pair.name: path for pair, path in zip(asked.pairs, targets, strict=True)}
    summary = _assemble(filesystem, snapshot, parts, by_name, faults, len(left))
    if summary.complete:
        _clear(folder)
    return summary


def _assemble(
    filesystem: pafs.FileSystem,
    snapshot: Snapshot,
    parts: dict[str, Path],
    targets: dict[str, Path],
    faults: list[Fault],
    read_now: int,
) -> ExtractSummary:
    there = [(file, parts[file.path]) for file in snapshot.files if parts[file.path].exists()]
    paths = [path for _, path in there]
    facts = [read_facts(path) for path in paths]
    faults = sorted(faults + [fault for fact in facts for fault in fact.faults])
    found = found_in(paths)
    # for each pair by itself, so that the answer for one does not depend on what else is asked
    last = found.select(pl.struct("number", "pair").is_last_distinct()).to_series()
    numbers = found["number"].unique()
    deleted, damage = listed_among(filesystem, [snapshot.deleted] if snapshot.deleted else [], numbers, "deleted")
    others = numbers.filter(~numbers.is_in(deleted.implode()))
    merged, damaged = listed_among(filesystem, snapshot.merged, others, "merged")
    gone = found["number"].is_in(pl.concat([deleted, merged]).implode())
    works = write_outputs(paths, last & ~gone, list(targets.values()))
    return ExtractSummary(
        date=snapshot.date,
        outputs=tuple((name, path, count) for (name, path), count in zip(targets.items(), works, strict=True)),
        files=len(there),
        records=sum(fact.records for fact in facts),
        size=sum(file.size for file, _ in there),
        reused=len(snapshot.files) - read_now,
        expansion=sum(fact.expansion for fact in facts),
        deleted=len(deleted),
        merged=len(merged),
        repeated=int((~last).sum()),
        faults=tuple(faults + damage + damaged),
        warnings=snapshot.warnings,
    )


def _save(path: Path, part: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    with as_input_error(path.parent):
        temporary.write_bytes(part)
        temporary.replace(path)


def _clear(folder: Path) -> None:
    """Remove the parts, and their folder if nothing else lies in it."""
    for path in folder.iterdir():
        if path.suffix in (".part", ".tmp"):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
