"""Lists and affiliation rows for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copub import schema
from copub.screening import Watchlist, load_watchlist
from copub.shipped import shipped_names

HEAD = {
    "id": "own-2026",
    "title": "Own list",
    "authority": "us",
    "edition": "2026",
    "retrieved_on": "2026-01-02",
    "kind": "assessment",
    "completeness": "partial",
    "lacks": "much",
    "terms": "none",
    "sources": ["here"],
    "levels": ["high", "low"],
}
ListWriter = Callable[..., Path]
RowMaker = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def all_lists() -> list[Watchlist]:
    """Every shipped watchlist of real institutions (the demo's is made up)."""
    return [load_watchlist(name) for name in shipped_names("taxonomies/watchlists") if name != "demo-list"]


@pytest.fixture
def write_list(tmp_path: Path) -> ListWriter:
    """Write a list of one's own: rows of CSV text and changes to a valid head; None drops a key."""

    def write(csv: str, name: str = "own", **changes: Any) -> Path:
        head = {**HEAD, **changes}
        lines = ["[watchlist]"]
        for key, value in head.items():
            if isinstance(value, list):
                lines.append(f"{key} = [{', '.join(repr(v) for v in value)}]".replace("'", '"'))
            elif value is not None:
                lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
        (tmp_path / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / f"{name}.csv").write_text(csv, encoding="utf-8")
        return tmp_path / f"{name}.toml"

    return write


@pytest.fixture
def rows() -> RowMaker:
    """Make a table of affiliations out of partial rows."""

    def make(*partial: dict[str, Any]) -> pl.DataFrame:
        base = {"work_id": "W1", "author_seq": 0, "affiliation_seq": 0, "lineage": [], "link": "given"}
        complete = [{**dict.fromkeys(schema.TABLES["affiliations"].schema), **base, **row} for row in partial]
        return pl.DataFrame(complete, schema=schema.TABLES["affiliations"].schema)

    return make
