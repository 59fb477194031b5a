"""A cache may be damaged anywhere: what is whole is used, the rest is asked for again or named with its remedy."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from bibliography import bibliography
from scenarios import QUICK
from standin import Server

from copub.errors import InputError
from copub.sources.harvest import Query, harvest

QUERY = Query(("BE",), ("CN",), 2000, 2025)
WORKS = bibliography(250)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str], int]:
    """A complete cache, the ids in it, and the requests that it took."""
    cache = tmp_path_factory.mktemp("whole") / "cache"
    with Server(WORKS) as server:
        got = harvest(QUERY, cache=cache, base_url=server.base_url, timing=QUICK)
        asked = len(server.requests)
    return cache, {record.value["id"] for record in got.records()}, asked


def again(cache: Path, *, refresh: bool = False) -> tuple[set[str], int]:
    with Server(WORKS) as server:
        got = harvest(QUERY, cache=cache, base_url=server.base_url, timing=QUICK, refresh=refresh)
        return {record.value["id"] for record in got.records()}, len(server.requests)


def test_a_damaged_line_within_the_journal_costs_one_question_and_no_other_page(
    whole: tuple[Path, set[str], int], tmp_path: Path
) -> None:
    cache, ids, _ = whole
    shutil.copytree(cache, tmp_path / "c")
    journal = tmp_path / "c" / "0001" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = b'{"key": ["list"], "file": 7}\n'
    journal.write_bytes(b"".join(lines))
    found, asked = again(tmp_path / "c")
    assert (found, asked) == (ids, 1)


ODD_LINES = {
    "no key": b'{"file": "", "sha256": ""}',
    "a further field": None,
    "an odd file name": b"../../x",
    "no JSON": b"{{{{",
    "a list": b"[1, 2]",
    "deep": b"[" * 200_000,
    "an unknown kind": b'{"key": ["other"], "file": "", "sha256": "", "size": 0}',
}


@pytest.mark.parametrize("what", ODD_LINES)
@pytest.mark.parametrize("refresh", [False, True])
def test_no_line_of_the_journal_stops_the_harvest(
    what: str, refresh: bool, whole: tuple[Path, set[str], int], tmp_path: Path
) -> None:
    cache, ids, _ = whole
    shutil.copytree(cache, tmp_path / "c")
    journal = tmp_path / "c" / "0001" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    if what == "a further field":
        lines[1] = lines[1].replace(b'"size"', b'"more":1,"size"')
    elif what == "an odd file name":
        lines[1] = lines[1].replace(b"000001.json.zst", b"../../../x.zst")
    else:
        lines[1] = ODD_LINES[what] + b"\n"
    journal.write_bytes(b"".join(lines))
    assert again(tmp_path / "c", refresh=refresh)[0] == ids


def test_a_round_whose_folder_was_made_and_nothing_else_is_no_round(
    whole: tuple[Path, set[str], int], tmp_path: Path
) -> None:
    cache, ids, asked = whole
    for content in (None, b"", b'{"begun"'):
        place = tmp_path / repr(content)
        shutil.copytree(cache, place)
        (place / "0002").mkdir()
        if content is not None:
            (place / "0002" / "journal.jsonl").write_bytes(content)
        assert again(place) == (ids, 0)
        assert again(place, refresh=True) == (ids, asked)


def test_the_first_line_of_a_round_may_be_lost(whole: tuple[Path, set[str], int], tmp_path: Path) -> None:
    cache, ids, _ = whole
    shutil.copytree(cache, tmp_path / "c")
    journal = tmp_path / "c" / "0001" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().partition(b"\n")[2])
    assert again(tmp_path / "c") == (ids, 0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": "x"}', b"\xff\xfe"])
def test_a_damaged_description_is_mended_from_the_round_or_named(
    content: bytes, whole: tuple[Path, set[str], int], tmp_path: Path
) -> None:
    cache, ids, _ = whole
    shutil.copytree(cache, tmp_path / "c")
    (tmp_path / "c" / "harvest.json").write_bytes(content)
    other = Query(("BE",), ("VN",), 2000, 2025)
    with Server(WORKS) as server, pytest.raises(InputError, match="description of the cache is damaged"):
        harvest(other, cache=tmp_path / "c", base_url=server.base_url, timing=QUICK)
    assert again(tmp_path / "c") == (ids, 0)


def test_damage_at_random_places_loses_no_work(whole: tuple[Path, set[str], int], tmp_path: Path) -> None:
    cache, ids, _ = whole
    chance = random.Random(7)
    for number in range(12):
        place = tmp_path / str(number)
        shutil.copytree(cache, place)
        path = chance.choice([path for path in sorted(place.rglob("*")) if path.is_file() and path.name != "lock"])
        data = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data[: chance.randint(len(data) // 2, len(data))]))
        assert again(place)[0] == ids, path
