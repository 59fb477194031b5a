"""A builder of small snapshots from invented works, in every layout that OpenAlex has used."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

LAYOUTS = {
    "jsonl": ("data/jsonl/works", "part_{:04d}.gz", "files"),
    "legacy": ("data/works", "part_{:03d}.gz", "entries"),
    "parquet": ("data/parquet/works", "part_{:04d}.parquet", "files"),
}
TEXTS = pa.list_(pa.string())
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "title": pa.string(),
        "publication_year": pa.int32(),
        "authorships": pa.list_(
            pa.struct(
                {
                    "author": pa.struct({"id": pa.string(), "display_name": pa.string()}),
                    "countries": TEXTS,
                    "institutions": pa.list_(
                        pa.struct({"id": pa.string(), "country_code": pa.string(), "lineage": TEXTS})
                    ),
                    "raw_affiliation_strings": TEXTS,
                }
            )
        ),
        "is_xpac": pa.bool_(),
        "referenced_works": TEXTS,
        "abstract_inverted_index": pa.string(),
        "updated_date": pa.timestamp("us", "UTC"),
    }
)
# what the authors of invented works have: institutions' countries, countries of printed addresses
AUTHORS: tuple[tuple[tuple[str | None, ...], tuple[str, ...]], ...] = (
    (("BE",), ("BE",)),
    (("CN",), ("CN",)),
    ((), ("BE",)),
    ((), ("CN",)),
    (("FR", "BE"), ()),
    (("US",), ("US",)),
    ((None,), ()),
    (("HK",), ("HK",)),
    ((), ()),
    (("FR",), ("FR",)),
)


class Builder:
    """Makes works and snapshots under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def author(self, institutions: Sequence[str | None], countries: Sequence[str]) -> dict[str, Any]:
        return {
            "author": {"id": "https://openalex.org/A1", "display_name": "An Inventée"},
            "countries": list(countries),
            "institutions": [
                {"id": f"https://openalex.org/I{n}", "country_code": code, "lineage": []}
                for n, code in enumerate(institutions)
            ],
            "raw_affiliation_strings": ['Dept. of "Nothing", Nowhere'],
        }

    def work(self, number: int, authors: Iterable[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": f"https://openalex.org/W{number}",
            "title": f'Invented work number {number}, "BE" quoted',
            "publication_year": 2020 + number % 5,
            "authorships": list(authors),
            "is_xpac": False,
            "referenced_works": [f"https://openalex.org/W{number + n}" for n in range(3)],
            "abstract_inverted_index": {"Invented": [0], f"word{number}": [1]},
            "updated_date": f"2026-03-0{1 + number % 9}T06:01:04.123000Z",
        } | more

    def works(self, count: int, first: int = 1) -> list[dict[str, Any]]:
        """Works with one to four of `AUTHORS`, drawn by number; every ninth in the expansion corpus."""
        made = []
        for number in range(first, first + count):
            picked = random.Random(number).choices(AUTHORS, k=1 + number % 4)
            made.append(self.work(number, [self.author(*who) for who in picked], is_xpac=number % 9 == 0))
        return made

    def snapshot(
        self,
        layout: str,
        parts: Sequence[Sequence[dict[str, Any]]],
        *,
        deleted: Sequence[str] = (),
        manifest: bool = True,
        row_group: int = 10,
    ) -> Path:
        """Write works, one file for each sequence of `parts`, two files to a partition; return the root."""
        root = self.folder / layout
        folder, name, key = LAYOUTS[layout]
        works = root / folder
        entries = []
        for position, part in enumerate(parts):
            path = works / f"updated_date=2026-0{1 + position // 2}-01" / name.format(position % 2)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.write(path, part, row_group=row_group)
            url = f"s3://openalex/{folder}/{path.parent.name}/{path.name}"
            meta = {"content_length": path.stat().st_size, "record_count": len(part)}
            entries.append({"url": url, "meta": meta})
        if manifest:
            head = {} if layout == "legacy" else {"date": "2026-09-23", "entity": "works"}
            (works / "manifest.json").write_text(json.dumps({**head, key: entries}))
        if deleted:
            rows = "".join(f"{one},2026-05-01\n" for one in deleted)
            (works / "deleted_ids.csv.gz").write_bytes(gzip.compress(f"work_id,deleted_date\n{rows}".encode()))
        return root

    def write(self, path: Path, works: Sequence[dict[str, Any]], *, row_group: int = 10) -> None:
        if path.suffix == ".gz":
            lines = "".join(json.dumps(work, ensure_ascii=False, separators=(",", ":")) + "\n" for work in works)
            path.write_bytes(gzip.compress(lines.encode(), mtime=0))
            return
        rows = [
            work
            | {
                "abstract_inverted_index": json.dumps(work["abstract_inverted_index"]),
                "updated_date": datetime.fromisoformat(work["updated_date"]).astimezone(UTC),
            }
            for work in works
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, row_group_size=row_group)


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    """A builder of works and snapshots in a folder of this test."""
    return Builder(tmp_path)
