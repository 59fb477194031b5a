"""The one way in which copub writes a file: what is there is never torn.

A file is written to a temporary name beside its place and renamed when it is whole, so that a full disk or a
kill leaves the old one as it was. What may be replaced at all, `copub.lists.outputplace` says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

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


def try_lock(file: IO[bytes]) -> bool:
    """Lock a file for this process; the lock goes when the process ends, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a lock file inside the block; yields whether it is held: not if anybody else holds it.

    The lock goes when the process ends, however it ends; the file goes with the block.
    """
    with path.open("ab") as file:
        try:
            # the one who held it until now has removed the file: whoever comes next locks another
            is_held = try_lock(file) and os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError:  # it was removed, or files cannot be locked there
            is_held = False
        try:
            yield is_held
        finally:
            if is_held and os.name != "nt":
                path.unlink(missing_ok=True)
    if is_held and os.name == "nt":  # where no open file can be removed, be it opened by another
        with suppress(OSError):
            path.unlink()
