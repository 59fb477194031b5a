"""Where copub reads and writes (options first, then the environment, then here), and how much memory it may take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from copub.arguments import path_of
from copub.errors import InputError

MEMORY, MEMORY_GB = "COPUB_MEMORY", 4.0
LEAST_GB, MOST_GB = 1.0, 1_000_000.0


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one call; made when needed."""

    cache: Path
    reports: Path


def folders(cache: str | Path | None = None, reports: str | Path | None = None) -> Folders:
    """Return the folders from options, else from COPUB_CACHE and COPUB_REPORTS, else `cache` and `reports` here."""
    return Folders(
        cache=_folder(cache, "cache", "COPUB_CACHE"),
        reports=_folder(reports, "reports", "COPUB_REPORTS"),
    )


def atlas_folder(given: str | Path | None = None) -> Path:
    """Return the folder of an atlas: the option, else COPUB_ATLAS, else `atlas` in the working directory."""
    return _folder(given, "atlas", "COPUB_ATLAS")


def _folder(given: str | Path | None, name: str, variable: str) -> Path:
    if given is None or (isinstance(given, str) and not given):
        return path_of(os.environ.get(variable) or name, variable)
    return path_of(given, name)


def memory_gb() -> float:
    """Return the memory that a run may take, in GB: from COPUB_MEMORY, else 4.

    It bounds what is a matter of choice: the number of processes, and the rows of large tables that
    are worked on at once. The tables of a study themselves must fit (docs/performance.md).
    Raises `InputError` if COPUB_MEMORY is no number of at least 1.
    """
    text = os.environ.get(MEMORY, "")
    try:
        value = float(text) if text else MEMORY_GB
    except ValueError:
        value = 0.0
    if not LEAST_GB <= value <= MOST_GB:
        raise InputError(
            f"{text!r} is no amount of memory", where=MEMORY, hint=f"give a number of GB, {LEAST_GB:g} or more"
        )
    return value
