"""Real records of every era, laid out as a snapshot, give the works that full parsing gives."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from copub.sources.snapshot import extract, parse_pairs
from copub.sources.snapshot.selection import Asked, countries_of_work
from copub.sources.worksfile import read_works

pytestmark = pytest.mark.real
# as counted when the records were collected
BE_CN = frozenset(
    (
        *("W2045030430", "W2061891899", "W2110052313", "W2302501749", "W2607350314", "W3014422248"),
        *("W3088703810", "W3106628143", "W4224261077", "W4281630983", "W4415659058"),
    )
)
EU = "AT,BE,BG,CY,CZ,DE,DK,EE,ES,FI,FR,GR,HR,HU,IE,IT,LT,LU,LV,MT,NL,PL,PT,RO,SE,SI,SK"


@pytest.fixture
def snapshot(real_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "snapshot" / "works" / "updated_date=2026-01-01"
    folder.mkdir(parents=True)
    (folder / "part_0000.gz").symlink_to(real_data / "real" / "works.jsonl.gz")
    (folder / "part_0001.gz").symlink_to(real_data / "real" / "works_cn_or_be_versions.jsonl.gz")
    return tmp_path / "snapshot"


def test_the_known_works_of_belgium_and_china_are_found(snapshot: Path, tmp_path: Path) -> None:
    summary = extract(str(snapshot), tmp_path / "out.jsonl.zst", parse_pairs(["BE:CN"]), expansion=True)
    found = {record.value["id"].rpartition("/")[2] for record in read_works([tmp_path / "out.jsonl.zst"])}
    assert found == BE_CN
    assert summary.complete
    assert summary.records == 15_496 + 920


@pytest.mark.slow
def test_pairs_of_many_countries_give_what_full_parsing_gives(snapshot: Path, real_data: Path, tmp_path: Path) -> None:
    pairs = parse_pairs([f"eu={EU}:CN,HK", "US:CN", "SA/BE:IT"])
    extract(str(snapshot), tmp_path / "{pair}.jsonl", pairs, expansion=True)
    wanted: dict[str, set[str]] = {pair.name: set() for pair in pairs}
    with gzip.open(real_data / "real" / "works.jsonl.gz") as lines:
        for line in lines:
            work = orjson.loads(line)
            for position in Asked(pairs).joined(countries_of_work(work)):
                wanted[pairs[position].name].add(work["id"])
    for name, ids in wanted.items():
        found = {record.value["id"] for record in read_works([tmp_path / f"{name}.jsonl"])}
        # the second file repeats works of the first in other versions
        assert found >= ids
        assert len(ids) > 5
