"""The one way in which copub writes a file: what is there is never torn.

A file is written to a temporary name beside its place and renamed when it is whole, so that a full disk or a
kill leaves the old one as it was. What may be replaced at all, `copub.lists.outputplace` says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copub.errors import InputError

MANIFEST = "manifest.json"
"""The file that makes a folder a run."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well, the file of that name takes its place.

    Raises `InputError` if the disk is full or the folder may not be written to.
    """
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}")
    try:
        with as_input_error(path):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8, to a temporary name and rename it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def as_input_error(path: Path) -> Iterator[None]:
    """Turn errors of the disk into `InputError` that names the place and the remedy."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"this cannot be written: {error.strerror or error}",
            where=str(path),
            hint="free some space or give rights, or name another place; what was there before is as it was",
        ) from None


def is_left_over(path: Path) -> bool:
    """Return whether a temporary name, which ends with the number of the process that writes it, is of one that ended.

    A process that was killed could not tidy up. Where processes cannot be asked for, nothing counts as left over.
    """
    writer = path.name.rpartition("-")[2]
    if os.name == "nt" or not (writer.isascii() and writer.isdigit()):
        return False
    try:
        os.kill(int(writer), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
