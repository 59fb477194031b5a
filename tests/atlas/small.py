"""Small snapshots, and what lies in a folder."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson


def write_snapshot(root: Path, parts: Sequence[Sequence[dict[str, Any]]], deleted: Sequence[str] = ()) -> Path:
    """Write works as a snapshot in JSON Lines, one file for each sequence of `parts`."""
    folder = root / "data" / "jsonl" / "works"
    for number, works in enumerate(parts):
        path = folder / f"updated_date=2026-01-{number + 1:02d}" / "part_0000.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"".join(orjson.dumps(work) + b"\n" for work in works), mtime=0))
    if deleted:
        (folder / "deleted_ids.csv").write_text("work_id\n" + "\n".join(deleted) + "\n", encoding="utf-8")
    return root


def files_in(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
