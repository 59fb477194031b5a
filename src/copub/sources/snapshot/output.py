"""From parts to the files that were asked for: works in the order of the snapshot, each once."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow.parquet as pq
import zstandard
from isal import igzip

from copub.errors import CopubError, InputError
from copub.lists.outputplace import check_earlier, check_out
from copub.sources.snapshot.selection import Asked
from copub.sources.worksfile import read_works
from copub.writing import as_input_error

PLACE = "{pair}"
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_ROWS = 256


def name_targets(target: Path, asked: Asked) -> list[Path]:
    """Return one file per pair: `target`, with the name of the pair for ``{pair}``.

    Raises
    ------
    InputError : there are several pairs and no ``{pair}``, an unknown suffix, no such folder, or a
        folder of that name.
    """
    if not target.name.endswith(SUFFIXES):
        raise InputError(
            "works come out as JSON Lines", where=f"--to {target}", hint=f"let the name end with {', '.join(SUFFIXES)}"
        )
    if len(asked.pairs) > 1 and PLACE not in target.name:
        raise InputError(
            f"{len(asked.pairs)} pairs need a file each",
            where=f"--to {target}",
            hint=f"write {PLACE} where the name of the pair shall be, such as works-{PLACE}.jsonl.zst",
        )
    if PLACE in str(target.parent):
        raise InputError(f"{PLACE} is in a folder", where=f"--to {target}", hint="write it in the file's name")
    if not target.parent.is_dir():
        raise InputError("there is no such folder", where=str(target.parent), hint="make it first")
    targets = [target.with_name(target.name.replace(PLACE, pair.name)) for pair in asked.pairs]
    folders = [str(path) for path in targets if path.is_dir()]
    if folders:
        raise InputError("this is a folder", where=", ".join(folders), hint="name a file")
    for path in targets:
        check_out(path)
        check_earlier(path, "file of works", _holds_works)
    return targets


def _holds_works(path: Path) -> bool:
    """Return whether a file begins with a work."""
    try:
        first = next(iter(read_works([path])), None)
    except CopubError:
        return False
    return first is not None and "authorships" in first.value


def check_outside(targets: Sequence[Path], folder: Path) -> None:
    """Raise `InputError` if a target lies in a folder of the works of the snapshot: it could replace a file of it."""
    works = folder.resolve()
    inside = [str(path) for path in targets if works in path.resolve().parent.parents]
    if inside:
        raise InputError("this lies among the files of the snapshot", where=", ".join(inside), hint="name another")


def found_in(parts: Sequence[Path]) -> pl.DataFrame:
    """Return ``number`` (of the work id) and ``pair`` (position) of all that was found, in order."""
    frames = [pl.DataFrame(schema={"number": pl.Int64, "pair": pl.Int32})]
    for path in parts:
        found = pl.from_arrow(pq.read_table(path, columns=["number", "pairs"]))
        assert isinstance(found, pl.DataFrame)
        frames.append(found.explode("pairs", empty_as_null=False).rename({"pairs": "pair"}))
    return pl.concat(frames)


def write_outputs(parts: Sequence[Path], keep: pl.Series, targets: Sequence[Path]) -> list[int]:
    """Write the works of each pair to its file, and return how many there are in each.

    Files are written under a temporary name and then renamed.

    Parameters
    ----------
    parts : in the order of the snapshot.
    keep : for every row of `found_in`, whether it goes into the output.
    """
    counts = [0] * len(targets)
    kept = iter(keep)
    temporary = [target.with_name(f".{target.name}.tmp") for target in targets]
    try:
        with as_input_error(targets[0].parent):
            with contextlib.ExitStack() as stack:
                suffix = targets[0].suffix
                streams = [stack.enter_context(_writer(path, suffix)) for path in temporary]
                for pairs, line in _rows(parts):
                    for pair in itertools.compress(pairs, kept):
                        streams[pair].write(line + b"\n")
                        counts[pair] += 1
            for path, target in zip(temporary, targets, strict=True):
                path.replace(target)
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    return counts


def _rows(parts: Sequence[Path]) -> Iterator[tuple[list[int], bytes]]:
    for path in parts:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # as in `copub.parallel.parts_on_disk`
            for batch in file.iter_batches(batch_size=_ROWS, columns=["pairs", "line"]):
                yield from zip(batch["pairs"].to_pylist(), batch["line"].to_pylist(), strict=True)


@contextlib.contextmanager
def _writer(path: Path, suffix: str) -> Iterator[IO[bytes] | Any]:
    gzip_file: Any = igzip.IGzipFile
    with path.open("wb") as raw:
        if suffix == ".gz":
            # without name and time in its head, so that the same works are the same bytes
            with gzip_file(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                yield stream
        elif suffix == ".zst":
            with zstandard.ZstdCompressor().stream_writer(raw) as stream:
                yield stream
        else:
            yield raw
