"""Where copub reads and writes: options first, then the environment, then the working directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one call; made when needed."""

    cache: Path
    reports: Path


def folders(cache: str | Path | None = None, reports: str | Path | None = None) -> Folders:
    """Return the folders from options, else from COPUB_CACHE and COPUB_REPORTS, else `cache` and `reports` here."""
    return Folders(
        cache=Path(cache or os.environ.get("COPUB_CACHE") or "cache"),
        reports=Path(reports or os.environ.get("COPUB_REPORTS") or "reports"),
    )
