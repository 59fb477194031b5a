"""The command line: commands only. The modules that they call do the work.

Exit codes: 0 done; 2 the user's input is wrong; 3 stopped by the source and resumable; 4 a run
assertion failed; 1 a fault of copub; 130 stopped by the user or by a signal; 141 the reader of the
output has closed it.
"""

from copub.cli import (
    allocator,  # must stay first: libraries read the settings when they are loaded
    atlas,
    history,
    reading,
    reports,
    review,
    runs,
    snapshots,
    studies,
    taxonomies,
    watchlists,
    works,
)
from copub.cli.app import app, main

__all__ = [
    "allocator",
    "app",
    "atlas",
    "history",
    "main",
    "reading",
    "reports",
    "review",
    "runs",
    "snapshots",
    "studies",
    "taxonomies",
    "watchlists",
    "works",
]
