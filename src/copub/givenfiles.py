"""The one way in which copub reads a file that it takes whole: what it is, its size, its text; and pipes as files.

What cannot be read is named with the file, the reason and a hint.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from copub.errors import InputError
from copub.settings import memory_gb

_PIECE = 1 << 20


def read_bounded(path: Path, largest: int, kind: str) -> bytes:
    """Return the bytes of a file.

    Raises `InputError` if it is missing, a folder, not to be read, or larger than `largest`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise InputError(f"there is no such {kind}", where=str(path), hint="check the path and the spelling") from None
    except IsADirectoryError:
        raise InputError(f"this is a folder, not a {kind}", where=str(path), hint="name the file in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"the {kind} cannot be read: {reason}", where=str(path), hint="name a file that you may read"
        ) from None
    if len(data) > largest:
        raise too_large(path, largest, kind)
    return data


def too_large(path: Path, largest: int, kind: str) -> InputError:
    """Return the error that a file has more bytes than are read of its kind."""
    return InputError(
        f"the {kind} has more than {largest / (1 << 20):,.0f} MB", where=str(path), hint="it is none, or too large"
    )


def spooled(paths: Sequence[Path]) -> list[Path]:
    """Return the paths, with a copy in place of each that is a pipe: works files are read more than once.

    Raises `InputError` if a pipe gives more than `copub.settings.memory_gb`, or if one is a terminal or a device.
    """
    return [_copy(path) if _is_stream(path) else path for path in paths]


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise InputError("this is a device, not a file", where=str(path), hint="name a file, or give a pipe")
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _copy(path: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=_spool()))
    most, size = int(memory_gb() * 1e9), 0
    try:
        with path.open("rb") as stream, (folder / (path.name or "pipe")).open("wb") as file:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise InputError(
                        f"the pipe gives more than {most / 1e9:g} GB",
                        where=str(path),
                        hint="save what it gives as a file, and name that",
                    )
                file.write(piece)
    except OSError as error:
        raise InputError(
            f"the pipe cannot be read or kept: {error.strerror}",
            where=str(path),
            hint=f"free some space in {tempfile.gettempdir()}, or save what it gives as a file",
        ) from None
    return Path(file.name)


@lru_cache(maxsize=1)
def _spool() -> str:
    """Return the folder of what came through pipes; it goes when the process ends, however it ends but by SIGKILL."""
    folder = tempfile.mkdtemp(prefix="copub-")
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a process that was forked from this one
        shutil.rmtree(folder, ignore_errors=True)
