"""Carry out a run and print, per stage, the files of copub whose code ran in it and the files it opened.

    python watched.py STUDY WORKS FOLDER

What is loaded before the stages is under the empty name; a test compares all of it with the keys.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import polars as pl

import copub
from copub.runs.codehash import PACKAGE
from copub.runs.stagecache import StageCache
from copub.shipped import shipped_folder

stage = ""
code: dict[str, set[str]] = {}
opened: dict[str, set[str]] = {}
SHIPPED = shipped_folder("taxonomies").resolve()


def see_call(frame: Any, event: str, _: Any) -> None:
    if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
        code.setdefault(stage, set()).add(frame.f_code.co_filename)


def see_open(path: object) -> None:
    if isinstance(path, str | Path):
        place = Path(path).resolve()
        if place.suffix not in (".py", ".pyc") and any(map(place.is_relative_to, (SHIPPED, PACKAGE))):
            opened.setdefault(stage, set()).add(str(place))


def watching(reader: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(reader)
    def watched(source: Any, *rest: Any, **more: Any) -> Any:
        see_open(source)
        return reader(source, *rest, **more)

    return watched


def main() -> None:
    study, works, folder = sys.argv[1:]
    kept = StageCache.cached

    def cached(self: StageCache, name: str, *given: Any, **more: Any) -> Any:
        # a stage may hand over its tables part by part, while they are written
        global stage
        stage = name
        threading.setprofile(see_call)
        sys.setprofile(see_call)
        try:
            return kept(self, name, *given, **more)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            stage = ""

    StageCache.cached = cached  # type: ignore[method-assign]
    for name in ("read_csv", "read_parquet", "scan_csv", "scan_parquet"):  # these open out of Python's sight
        setattr(pl, name, watching(getattr(pl, name)))
    sys.addaudithook(lambda event, given: see_open(given[0]) if event == "open" else None)
    place = Path(folder)
    copub.run(Path(study), works=[Path(works)], cache=place / "cache", reports=place / "reports", until="screen")
    print(
        json.dumps(
            {"code": {k: sorted(v) for k, v in code.items()}, "opened": {k: sorted(v) for k, v in opened.items()}}
        )
    )


if __name__ == "__main__":
    main()
