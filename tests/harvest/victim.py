"""A harvest in a process of its own, to be killed: base URL and cache folder are its arguments."""

from __future__ import annotations

import sys
from pathlib import Path

from copub.sources.harvest import Query, Timing, harvest

print("begun", flush=True)
harvest(
    Query(("BE",), ("CN",), 2000, 2025),
    cache=Path(sys.argv[2]),
    base_url=sys.argv[1],
    timing=Timing(per_second=0, first_wait=0.001),
)
